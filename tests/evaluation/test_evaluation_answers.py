"""Classification, retrieval and zero-shot of the tiny run, recounted from its parts."""

import dataclasses

import numpy as np
import pytest

from holotype.evaluation.classification import (
    classification_scores,
    confusion,
    ranked_names,
)
from holotype.evaluation.comparison import as_row, compare_retrieval, retrieval_accuracy
from holotype.evaluation.evidence import pick
from holotype.evaluation.exam import Exam
from holotype.evaluation.retrieval import retrieval_scores
from holotype.evaluation.zero_shot import zero_shot_scores
from holotype.inputs.captions import caption
from holotype.models.bundle import Bundle
from holotype.models.encode import encode_captions
from holotype.models.towers import Modality
from holotype.splits.plan import Role, Status
from holotype.taxonomy.label_table import Concept

IMAGE, BARCODE = Modality.IMAGE, Modality.BARCODE


def test_rank_probabilities_are_sums_of_labels(examined: Bundle) -> None:
    rng = np.random.default_rng(0)
    probability_BL = rng.dirichlet(np.full(len(examined.labels), 0.3), size=20)
    found = ranked_names(examined, probability_BL, keep=3)
    labels = examined.labels.labels
    for row in range(20):
        order = np.argsort(-probability_BL[row], kind="stable")[:3]
        assert found["label"][row] == [labels[i].name for i in order]
        for rank in ("kingdom", "class", "family", "genus", "species"):
            sums: dict[str, float] = {}
            for label, p in zip(labels, probability_BL[row], strict=True):
                names = {r.value: name for r, name in label.concept.lineage}
                if rank in names:
                    sums[names[rank]] = sums.get(names[rank], 0.0) + p
            expected = sorted(sums, key=lambda name: -sums[name])[:3]
            assert found[rank][row] == expected


def test_label_accuracy_is_that_of_the_best_logit(examined: Bundle, tiny_exam: Exam) -> None:
    scores = classification_scores(examined, tiny_exam)
    for modality in (IMAGE, BARCODE):
        encoded = tiny_exam.encoded[modality]
        right = []
        for place in tiny_exam.among(encoded, Role.TEST).tolist():
            truth = tiny_exam.names["label"][encoded.row_R[place]]
            if truth in examined.labels.names:
                best = int(encoded.logit_RL[place].argmax())
                right.append(examined.labels.names[best] == truth)
        (score,) = pick(
            scores, method="model", pair=modality.value, rank="label", part="all",
            metric="top1_micro",
        )  # fmt: skip
        assert (score.value, score.n) == (pytest.approx(np.mean(right)), len(right))
        _, counts = confusion(examined, tiny_exam, encoded)
        assert (int(counts.sum()), int(np.trace(counts))) == (len(right), sum(right))


def test_top_five_is_never_below_top_one(examined: Bundle, tiny_exam: Exam) -> None:
    scores = classification_scores(examined, tiny_exam) + retrieval_scores(examined, tiny_exam)
    for one in (s for s in scores if s.metric.startswith("top1")):
        same = {"task": one.task, "method": one.method, "pair": one.pair, "rank": one.rank}
        (five,) = pick(scores, **same, part=one.part, metric=one.metric.replace("top1", "top5"))
        assert five.value >= one.value or np.isnan(one.value)


@pytest.mark.parametrize("pair", [(IMAGE, IMAGE), (IMAGE, BARCODE), (BARCODE, BARCODE)])
def test_retrieval_agrees_with_a_slow_loop(examined: Bundle, tiny_exam: Exam, pair) -> None:
    asked, keyed = (tiny_exam.encoded[modality] for modality in pair)
    species = tiny_exam.names["species"]
    keys = tiny_exam.among(keyed, Role.KEY).tolist()
    known = {species[keyed.row_R[k]] for k in keys} - {None}
    hits: dict[str, list[bool]] = {"seen": [], "unseen": []}
    for query in tiny_exam.among(asked, Role.TEST).tolist():
        row = asked.row_R[query]
        if species[row] in known:
            nearest = max(keys, key=lambda k: float(asked.z_RD[query] @ keyed.z_RD[k]))
            hits[str(tiny_exam.status_N[row])].append(species[keyed.row_R[nearest]] == species[row])
    scores = retrieval_scores(examined, tiny_exam)
    for status, found in hits.items():
        (score,) = pick(
            scores, method="model", pair=f"{pair[0]}-{pair[1]}", rank="species", part=status,
            metric="top1_micro",
        )  # fmt: skip
        assert (score.value, score.n) == (pytest.approx(np.mean(found)), len(found))
        again = retrieval_accuracy(tiny_exam, *pair, rank="species", status=Status(status))
        assert (again.value, again.low, again.high) == (score.value, score.low, score.high)


def test_zero_shot_candidates_are_all_taxa_in_question(examined: Bundle, tiny_exam: Exam) -> None:
    encoded = tiny_exam.encoded[IMAGE]
    lineages = {}
    for row in range(len(tiny_exam.role_N)):
        concept = tiny_exam.materials.concept_N[row]
        wanted = tiny_exam.role_N[row] in (Role.TEST.value, Role.KEY.value)
        if wanted and concept is not None and tiny_exam.names["genus"][row]:
            genus = next(r for r, _ in concept.lineage if r.value == "genus")
            lineages[concept.lineage.truncate(genus)] = None
    known = list(lineages)
    assert len(known) > len({tiny_exam.names["genus"][0]})
    z_UD = encode_captions(examined.model, [caption(Concept(one)) for one in known])
    right = []
    for query in tiny_exam.among(encoded, Role.TEST).tolist():
        truth = tiny_exam.names["genus"][encoded.row_R[query]]
        if truth is not None:
            best = int((z_UD @ encoded.z_RD[query]).argmax())
            right.append(known[best].name == truth)
    (score,) = pick(
        zero_shot_scores(examined, tiny_exam), pair="image-caption", rank="genus", part="all",
        metric="top1_micro",
    )  # fmt: skip
    assert (score.value, score.n) == (pytest.approx(np.mean(right)), len(right))


def test_a_model_against_itself_gains_nothing(tiny_exam: Exam) -> None:
    found = compare_retrieval(
        tiny_exam, tiny_exam, BARCODE, BARCODE, rank="species", status=Status.UNSEEN
    )
    assert found.first.value == found.second.value
    assert (found.gain.value, found.gain.low, found.gain.high) == (0.0, 0.0, 0.0)


def test_a_spoilt_model_loses_by_the_difference(tiny_exam: Exam) -> None:
    encoded = tiny_exam.encoded[BARCODE]
    noise = np.random.default_rng(0).normal(size=encoded.z_RD.shape).astype(np.float32)
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    spoilt = dataclasses.replace(
        tiny_exam, encoded={BARCODE: dataclasses.replace(encoded, z_RD=noise)}
    )
    question = {"rank": "species", "status": Status.UNSEEN}
    found = compare_retrieval(tiny_exam, spoilt, BARCODE, BARCODE, **question)
    assert found.gain.value == pytest.approx(found.second.value - found.first.value)
    assert found.gain.high < 0  # shown, not guessed
    row = as_row("gain", found.gain)
    assert row["name"] == "gain"
    assert row["low"] <= row["value"] <= row["high"]
    assert row["n"] == found.first.n == found.second.n
