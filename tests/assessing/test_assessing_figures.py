"""The draw, its intervals, labels as people write them, and the test for another instrument."""

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest

from holotype.assessing.domain import domain_of, two_sample
from holotype.assessing.drawing import POOLED, draw
from holotype.assessing.findings import findings
from holotype.assessing.judging import judge
from holotype.assessing.looks import differences, known_looks, look, summary_of
from holotype.assessing.shares import share
from holotype.assessing.sheet import read_labels
from holotype.assessing.written import How, WrittenLabels
from holotype.decisions.summary import training_summary
from holotype.errors import SourceError
from holotype.identify.columns import ANSWER_SCHEMA
from holotype.models.labels import Label, LabelSpace, Target
from holotype.page.words import wilson
from holotype.taxonomy.label_table import Concept
from holotype.taxonomy.labels import WHOLE, Kind
from holotype.taxonomy.lineage import Lineage

COPEPODA = {"kingdom": "Animalia", "phylum": "Arthropoda", "class": "Copepoda"}
CALANUS = {**COPEPODA, "order": "Calanoida", "family": "Calanidae", "genus": "Calanus"}


def taxon(name, qualifier=WHOLE, **lineage):
    return Label(name, Concept(Lineage.from_names(lineage), qualifier), 10)


LABELS = LabelSpace(
    Target.TREE,
    (
        taxon("Calanus finmarchicus", **CALANUS, species="Calanus finmarchicus"),
        taxon("Calanus hyperboreus", **CALANUS, species="Calanus hyperboreus"),
        taxon("Calanoida", **COPEPODA, order="Calanoida"),
        taxon("Calanoida (egg)", "egg", **COPEPODA, order="Calanoida"),
        taxon("Oithona", **COPEPODA, order="Cyclopoida", family="Oithonidae", genus="Oithona"),
        Label("artefact", Concept(Lineage(), WHOLE, Kind.ARTEFACT, "artefact"), 10),
    ),
)


def answered(rows):
    """Answers: (best label, its score, safe answer's level)."""
    found = []
    for at, (name, score, level) in enumerate(rows):
        lineage = LABELS.labels[LABELS.names.index(name)].concept.lineage
        ranks = {rank.value: taxon for rank, taxon in lineage}
        kept = {}
        for rank in ("kingdom", "phylum", "class", "order", "family", "genus", "species"):
            kept[rank] = ranks.get(rank)
            if rank == level:
                break
        given = name if level == "label" else kept.get(level)
        found.append(
            {"input": f"{at}.png", "label": name, "score": score, "answer": given, "answer_score": score,
             "answer_level": level, **(kept if level else {}), "decision": "named"}
        )  # fmt: skip
    return pa.Table.from_pylist(found, schema=ANSWER_SCHEMA)


def test_every_answer_is_seen_and_weights_add_up():
    strata = ["common"] * 900 + ["rare"] * 3 + ["one"] + [None] * 50
    drawn = draw(strata, n=60, seed=1)
    counts = Counter(drawn.stratum_S)
    assert len(drawn.row_S) == len(set(drawn.row_S.tolist())) == 60
    assert counts["rare"] == 3
    assert counts["one"] == 1
    assert drawn.weight_S.sum() == pytest.approx(904)
    assert all(strata[row] == name for row, name in zip(drawn.row_S, drawn.stratum_S, strict=True))
    again = draw(strata, n=60, seed=1)
    np.testing.assert_array_equal(drawn.row_S, again.row_S)
    assert not np.array_equal(drawn.row_S, draw(strata, n=60, seed=2).row_S)


def test_too_many_answers_are_pooled_the_smallest_first():
    strata = [name for name in range(40) for _ in range(name + 1)]
    drawn = draw([f"{name:02}" for name in strata], n=20, seed=0)
    counts = Counter(drawn.stratum_S)
    assert len(drawn.row_S) == 20
    assert counts[POOLED] >= 2
    assert "39" in counts
    assert drawn.weight_S.sum() == pytest.approx(len(strata))
    few = draw(["a", "b", "b"], n=200, seed=0)
    assert few.weight_S.tolist() == [1, 1, 1]
    with pytest.raises(SourceError, match="no input has an answer"):
        draw([None], n=5, seed=0)


def test_wilson_by_hand():
    assert wilson(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert wilson(0.0, 10)[0] == 0
    assert wilson(2.75, 5.5) == pytest.approx((0.17936, 0.82064), abs=1e-5)  # z / 2 sqrt(n + z²)


def test_intervals_hold_the_truth_and_estimates_are_unbiased():
    """A population with easy and hard answers, drawn 200 times."""
    rng = np.random.default_rng(5)
    sizes, chance = [3000, 800, 150, 40, 10], [0.97, 0.8, 0.6, 0.4, 0.2]
    strata = [f"s{h}" for h, size in enumerate(sizes) for _ in range(size)]
    right = np.concatenate([rng.random(n) < p for n, p in zip(sizes, chance, strict=True)])
    values, held = [], 0
    for seed in range(200):
        drawn = draw(strata, n=100, seed=seed)
        number = np.asarray([int(name[1:]) for name in drawn.stratum_S])
        found = share(right[drawn.row_S], drawn.weight_S, number)
        values.append(found.value)
        held += found.low <= right.mean() <= found.high
    assert np.mean(values) == pytest.approx(right.mean(), abs=0.005)
    assert held >= 0.93 * 200


@pytest.mark.parametrize(
    ("text", "how", "label"),
    [
        ("calanus  FINMARCHICUS", How.LABEL, "Calanus finmarchicus"),
        ("Calanoida (egg)", How.LABEL, "Calanoida (egg)"),
        ("calanoida_eggs", How.NAME, "Calanoida (egg)"),
        ("Oithonidae", How.NAME, None),
        ("copepods", How.WORD, None),
        ("Calanus glacialis", How.WIDER, None),
        ("artifact", How.KIND, "artefact"),
        ("?", How.UNSURE, None),
        (" ", How.BLANK, None),
        ("Oitona", How.NOTHING, None),
    ],
)
def test_labels_as_people_write_them(text, how, label):
    found = WrittenLabels(LABELS).find(text)
    assert (found.how, found.label) == (how, label)
    if how is How.NOTHING:
        assert "Did you mean 'Oithona'?" in found.detail


def test_answers_are_judged_as_far_as_the_label_goes():
    answers = answered(
        [
            ("Calanus finmarchicus", 0.9, "label"),  # right
            (
                "Calanus finmarchicus",
                0.8,
                "genus",
            ),  # hyperboreus: the label is wrong, the genus right
            ("Calanus finmarchicus", 0.7, "label"),  # known as a copepod: right as far as that goes
            ("Oithona", 0.6, "order"),  # a Calanus: wrong from the order on
            ("Calanus hyperboreus", 0.5, "label"),  # an untaught Calanus
            ("artefact", 0.9, "label"),  # a copepod: wrong
            ("Oithona", 0.9, "label"),  # not understood: left out
        ]
    )
    finder = WrittenLabels(LABELS)
    texts = ["Calanus finmarchicus", "Calanus hyperboreus", "Copepoda", "Calanus", "Calanus glacialis",
             "Oithona", "Zzz"]  # fmt: skip
    weights = np.asarray([1.0, 1, 1, 1, 1, 1, 10])
    strata = ["a", "a", "a", "b", "b", "b", "c"]
    judged = judge(
        answers, [finder.find(t) for t in texts], LABELS, weight_S=weights, stratum_S=strata
    )
    assert judged.row_S.tolist() == [0, 1, 2, 3, 4, 5]
    assert (judged.label_S != 0).tolist() == [True, False, True, False, False, False]
    assert (judged.answer_S != 0).tolist() == [True, True, True, False, False, False]
    classes = judged.rank_SR[:, [2, 3, 5]].tolist()  # class, order, genus
    assert classes[1] == [1, 1, 1]
    assert classes[3][:2] == [1, 0]
    assert classes[4] == [1, 1, 1]
    found = findings(judged, max_error=0.05)
    assert found["accuracy"]["label"]["value"] == pytest.approx(2 / 6)
    assert found["accuracy"]["answer"]["value"] == pytest.approx(3 / 6)
    assert found["promise"]["verdict"] == "broken"
    pairs = {(c["is"], c["said"]) for c in found["confusions"]}
    assert ("Calanus hyperboreus", "Calanus finmarchicus") in pairs


def test_missing_labels_are_stood_for_by_their_stratum():
    answers = answered([("Oithona", 0.9, "label")] * 4)
    finder = WrittenLabels(LABELS)
    judged = judge(
        answers, [finder.find(t) for t in ("Oithona", "", "Calanoida", "")], LABELS,
        weight_S=np.asarray([5.0, 5, 1, 1]), stratum_S=["a", "a", "b", "b"],
    )  # fmt: skip
    assert judged.weight_S.tolist() == [10, 2]
    found = findings(judged, max_error=0.05)
    assert found["accuracy"]["label"]["value"] == pytest.approx(10 / 12)
    (calibration,) = [found["calibration"]["label"]]
    assert calibration["too_sure_by"]["value"] == pytest.approx(0.9 - 10 / 12)


def unit(rng, n, shift=0.0, dim=32):
    z = rng.normal(size=(n, dim))
    z[:, 0] += shift
    return (z / np.linalg.norm(z, axis=1, keepdims=True)).astype(np.float32)


def test_another_instrument_is_told_and_the_same_is_not():
    rng = np.random.default_rng(0)
    known = np.concatenate([unit(rng, 300), unit(rng, 300, shift=8)])
    instruments = ["A"] * 300 + ["B"] * 300
    labels = ["x", "y"] * 300
    answers = ["x", "y"] * 75
    same = domain_of(unit(rng, 150), answers, known, labels, instruments, seed=0)
    assert same.verdict == "same"
    assert same.by_instrument[0].instrument == "A"
    assert same.by_instrument[1].auroc > 0.9
    other = domain_of(unit(rng, 150, shift=-8), answers, known, labels, instruments, seed=0)
    assert other.verdict == "other"
    assert "another instrument" in other.sentence
    few = domain_of(unit(rng, 5), ["x"] * 5, known, labels, instruments, seed=0)
    assert few.verdict == "unknown"


def test_another_mix_of_classes_is_no_other_instrument():
    """Classes far apart; the user has mostly the one that is rare in the validation."""
    rng = np.random.default_rng(1)
    known = np.concatenate([unit(rng, 540), unit(rng, 60, shift=9)])
    labels = ["x"] * 540 + ["y"] * 60
    own = np.concatenate([unit(rng, 10), unit(rng, 120, shift=9)])
    found = domain_of(own, ["x"] * 10 + ["y"] * 120, known, labels, ["A"] * 600, seed=0)
    assert found.verdict != "other"
    assert two_sample(own, known, instrument=None, seed=0).auroc > 0.85


def test_looks_in_words():
    dark, bright = np.full((40, 60, 1), 10, np.uint8), np.full((300, 300, 1), 210, np.uint8)
    dark[10:20, 10:20], bright[100:120, 100:120] = 200, 20
    own = summary_of([look(dark)] * 3)
    assert own["dark_field"] == 1
    summary = training_summary({}, {}, [210.0] * 9, [300.0] * 9, {})
    told = differences(own, known_looks(summary))
    assert "darker" in told[0]
    assert "dark field against bright field" in told[0]
    assert told[1].startswith("size 49 px, all of the model's 2")
    assert differences(summary_of([look(bright)]), known_looks(summary)) == []
    assert known_looks({}) is None


def test_filled_tables_with_their_faults(tmp_path):
    path = tmp_path / "filled.csv"
    path.write_bytes("\ufeffcomment;Label;number\n;Oithona;2\nsure;'=x;1.0\n;Oithona;2\n".encode())
    assert read_labels(path) == {2: "Oithona", 1: "=x"}
    path.write_text("number,label\n1,a\n1,b\nx,c\n")
    with pytest.raises(
        SourceError, match=r"line 3: number 1 has another label.*line 4: number 'x'"
    ):
        read_labels(path)
    path.write_text("nummer,label\n1,a\n")
    with pytest.raises(SourceError, match=r"line 1: no column 'number'\..*Did you mean 'nummer'"):
        read_labels(path)
