"""What is answered where image and barcode agree, contradict one another, or one of them alone is sure."""

import json
from dataclasses import replace

import numpy as np
import pytest

import holotype
from holotype.decisions.answer_tree import LEVELS, AnswerTree
from holotype.decisions.channels import Channel
from holotype.decisions.risk import Threshold
from holotype.decisions.verdicts import Verdicts
from holotype.errors import SourceError
from holotype.identify.answers import AnswerSettings
from holotype.identify.columns import Decision
from holotype.identify.rows import RowWriter, Said
from holotype.models.labels import Label, LabelSpace, Target
from holotype.taxonomy.label_table import Concept
from holotype.taxonomy.lineage import Lineage

FAMILY = {"kingdom": "Animalia", "family": "Calanidae"}
SPECIES = {
    "Calanus finmarchicus": {**FAMILY, "genus": "Calanus", "species": "Calanus finmarchicus"},
    "Calanus glacialis": {**FAMILY, "genus": "Calanus", "species": "Calanus glacialis"},
    "Neocalanus cristatus": {**FAMILY, "genus": "Neocalanus", "species": "Neocalanus cristatus"},
}
HELD = Threshold(0.8, 0.05, {"seen": 100}, {"seen": 2})
NOT_HELD = replace(HELD, value=2.0, reason="too few records")


@pytest.fixture(scope="module")
def tree() -> AnswerTree:
    labels = [Label(n, Concept(Lineage.from_names(names)), 9) for n, names in SPECIES.items()]
    return AnswerTree.of(LabelSpace(Target.TREE, tuple(labels)))


def said(
    tree: AnswerTree, probability, confidence, *, novelty=0.1, novel=False, threshold=0.8
) -> Said:
    """What a channel says of one record, by the confidence of kingdom, family, genus, species and label."""
    probability_RL = np.asarray([probability], dtype=float)
    mass = tree.mass(probability_RL)
    path = tree.descend(mass)
    levels = [LEVELS.index(name) for name in ("kingdom", "family", "genus", "species", "label")]
    confidence_BK = np.full((1, len(LEVELS)), np.nan)
    confidence_BK[0, levels] = confidence
    reached = np.where(
        np.nan_to_num(confidence_BK, nan=-1) >= threshold, np.arange(len(LEVELS)), -1
    )
    verdicts = Verdicts(
        path, confidence_BK, reached.max(axis=1), np.asarray([novelty]), np.asarray([novel]), mass,
        probability_RL,
    )  # fmt: skip
    return Said(verdicts, probability_RL, 0)


def writer(tree: AnswerTree, both: Threshold = HELD) -> RowWriter:
    thresholds = {Channel.IMAGE: HELD, Channel.BARCODE: HELD, Channel.BOTH: both}
    return RowWriter(tree, "f" * 16, thresholds)


def test_a_safe_label_is_named(tree):
    row, _ = writer(tree).row(
        {Channel.IMAGE: said(tree, [0.9, 0.05, 0.05], [1, 0.99, 0.97, 0.9, 0.9])}
    )
    assert row["decision"] == Decision.NAMED
    assert (row["answer"], row["answer_level"]) == ("Calanus finmarchicus", "label")
    assert row["species"] == "Calanus finmarchicus"
    assert "0.80 that keeps the error at 0.05" in row["decision_reason"]


def test_an_ambiguous_answer_stops_at_the_common_ancestor_and_names_the_rivals(tree):
    row, _ = writer(tree).row(
        {Channel.IMAGE: said(tree, [0.5, 0.45, 0.05], [1, 0.99, 0.95, 0.55, 0.5])}
    )
    assert row["decision"] == Decision.AMBIGUOUS
    assert (row["answer"], row["answer_level"], row["taxon_rank"]) == ("Calanus", "genus", "genus")
    assert row["species"] is None
    assert row["label"] == "Calanus finmarchicus", "the best guess stays beside it"
    assert row["score_species"] == 0.55
    assert "Calanus finmarchicus 0.50, Calanus glacialis 0.45" in row["decision_reason"]


def test_what_is_unlike_anything_says_to_which_rank_it_fits(tree):
    one = said(tree, [0.5, 0.45, 0.05], [0.99, 0.85, 0.6, 0.2, 0.2], novelty=0.97, novel=True)
    row, _ = writer(tree).row({Channel.BARCODE: one})
    assert row["decision"] == Decision.NOVEL
    assert row["answer"] == "Calanidae"
    assert row["novelty_rank"] == "genus"
    assert "novelty 0.97" in row["decision_reason"]
    assert "fits to genus Calanus" in row["decision_reason"]


def test_nothing_safe_is_unplaced(tree):
    row, _ = writer(tree).row(
        {Channel.IMAGE: said(tree, [0.4, 0.3, 0.3], [0.7, 0.6, 0.5, 0.4, 0.4])}
    )
    assert row["decision"] == Decision.UNPLACED
    assert row.get("answer") is None
    assert row["label"] == "Calanus finmarchicus"


def test_image_and_barcode_that_contradict_one_another_give_what_both_say(tree):
    image = said(tree, [0.02, 0.03, 0.95], [1, 0.99, 0.95, 0.94, 0.94])
    barcode = said(tree, [0.97, 0.02, 0.01], [1, 1, 0.99, 0.98, 0.98])
    both = said(tree, [0.8, 0.05, 0.15], [1, 1, 0.9, 0.85, 0.85])
    row, channel = writer(tree).row(
        {Channel.IMAGE: image, Channel.BARCODE: barcode, Channel.BOTH: both}
    )
    assert channel is Channel.BOTH
    assert row["conflict"] is True
    assert row["answer"] == "Calanidae"
    assert row["decision"] == Decision.AMBIGUOUS
    assert (
        "image says Neocalanus cristatus, barcode says Calanus finmarchicus"
        in row["decision_reason"]
    )
    assert (row["image_answer"], row["barcode_answer"]) == (
        "Neocalanus cristatus", "Calanus finmarchicus",
    )  # fmt: skip


def test_without_joint_calibration_the_deeper_of_the_two_answers(tree):
    image = said(tree, [0.5, 0.4, 0.1], [1, 0.99, 0.9, 0.5, 0.5])
    barcode = said(tree, [0.97, 0.02, 0.01], [1, 1, 0.99, 0.98, 0.98])
    both = said(tree, [0.9, 0.05, 0.05], [1, 1, 0.9, 0.85, 0.85])
    row, channel = writer(tree, NOT_HELD).row(
        {Channel.IMAGE: image, Channel.BARCODE: barcode, Channel.BOTH: both}
    )
    assert channel is Channel.BARCODE
    assert row["conflict"] is False, "a genus and one of its species agree"
    assert row["answer"] == "Calanus finmarchicus"


def test_an_error_rate_must_be_a_share():
    with pytest.raises(SourceError, match="above 0 and below 1"):
        AnswerSettings(max_error=1.5)


def test_answers_of_a_trained_model_carry_references_and_a_reason(tiny_run, brought, tmp_path):
    fasta = tmp_path / "x.fasta"
    fasta.write_text("".join(f">{name}\n{barcode}\n" for name, barcode in brought["barcodes"]))
    holotype.predict(
        tiny_run, [fasta], out=tmp_path / "a.json", settings=AnswerSettings(max_error=0.4)
    )
    rows = json.loads((tmp_path / "a.json").read_text())
    assert rows
    for row in rows:
        assert row["decision_reason"]
        aligned = [one for one in row["nearest"] if "identity_pct" in one]
        assert aligned
        assert row["identity_pct"] == pytest.approx(
            max(one["identity_pct"] for one in aligned), abs=0.01
        )
        assert row["strand"] in "+-"
        names = [
            row[rank]
            for rank in ("kingdom", "phylum", "class", "order", "family", "genus", "species")
        ]
        given = [name for name in names if name]
        assert (given[-1] if given else None) == row["taxon"]
