"""Classification, retrieval and zero-shot of the tiny run, recounted from its parts."""

import dataclasses
import json
from types import SimpleNamespace

import numpy as np
import pytest

from holotype.evaluation.classification import (
    certain_labels,
    classification_scores,
    confusion,
    ranked_names,
)
from holotype.evaluation.comparison import as_row, compare_retrieval, retrieval_accuracy
from holotype.evaluation.evaluate import headline
from holotype.evaluation.evidence import Score, pick
from holotype.evaluation.exam import Exam
from holotype.evaluation.metrics import Estimate
from holotype.evaluation.retrieval import DEPTH, nearest_names, retrieval_scores
from holotype.evaluation.zero_shot import zero_shot_scores
from holotype.inputs.captions import caption
from holotype.models.bundle import Bundle
from holotype.models.encode import encode_captions
from holotype.models.labels import Target, build_label_space
from holotype.models.towers import Modality
from holotype.splits.plan import Role, Status
from holotype.taxonomy.label_table import Concept
from holotype.taxonomy.lineage import Lineage

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
            if truth in certain_labels(examined):
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
    scores = pick(
        zero_shot_scores(examined, tiny_exam), pair="image-caption", rank="genus", part="all",
        metric="top1_micro",
    )  # fmt: skip
    (score,) = pick(scores, method="model")
    assert (score.value, score.n) == (pytest.approx(np.mean(right)), len(right))
    (baseline,) = pick(scores, method="commonest name")
    assert len(scores) == 2
    assert baseline.n == score.n
    keys = tiny_exam.role_N == "key"
    genera = [n for n, use in zip(tiny_exam.names["genus"], keys, strict=True) if use and n]
    commonest = min(set(genera), key=lambda name: (-genera.count(name), name))
    rows = encoded.row_R[tiny_exam.among(encoded, Role.TEST)]
    asked = [name for name in tiny_exam.names_of("genus", rows) if name is not None]
    assert baseline.value == pytest.approx(np.mean([name == commonest for name in asked]))


def copepod(genus: str | None, species: str | None = None) -> Concept:
    names = {"class": "Copepoda", "family": "Calanidae", "genus": genus, "species": species}
    return Concept(Lineage.from_names({rank: name for rank, name in names.items() if name}))


def test_what_can_be_asked_of_a_tree_by_hand(exam_of) -> None:
    taught = [
        copepod("Calanus", "Calanus glacialis"),
        copepod("Calanus"),
        copepod("Neocalanus", "Neocalanus cristatus"),
    ]
    names = ["Calanus glacialis", "Calanus", "Neocalanus cristatus"]
    labels = build_label_space(Target.TREE, names, taught)
    bundle = SimpleNamespace(labels=labels, temperature={})
    assert certain_labels(bundle) == {"Calanus glacialis", "Neocalanus cristatus"}
    # Three of training; then glacialis, called right; Calanus alone, which no label can be wrong
    # about for certain; an unseen Calanus, called glacialis; cristatus, called glacialis.
    called = ["Calanus glacialis"] * 4
    exam = exam_of(
        np.random.default_rng(0).normal(size=(7, 4)),
        {
            "label": [*names, "Calanus glacialis", "Calanus", "Calanus pacificus", names[2]],
            "genus": ["Calanus", "Calanus", "Neocalanus", *["Calanus"] * 3, "Neocalanus"],
            "species": [names[0], None, names[2], names[0], None, "Calanus pacificus", names[2]],
        },
        ["train"] * 3 + ["test"] * 4,
        ["seen"] * 5 + ["unseen", "seen"],
    )
    logit_RL = np.zeros((7, len(labels)), dtype=np.float32)
    for place, name in enumerate(called, start=3):
        logit_RL[place, labels.names.index(name)] = 9.0
    encoded = dataclasses.replace(exam.encoded[BARCODE], logit_RL=logit_RL)
    exam = dataclasses.replace(exam, encoded={BARCODE: encoded})
    scores = classification_scores(bundle, exam)

    def figure(rank: str, part: str) -> tuple[float, int, int]:
        (one,) = pick(scores, method="model", rank=rank, part=part, metric="top1_micro")
        return one.value, one.n, one.left_out

    assert figure("label", "all") == (0.5, 2, 2)  # Calanus and the unseen one are left out
    assert figure("genus", "unseen") == (1.0, 1, 0)  # its genus is known from training
    assert figure("genus", "seen") == (pytest.approx(2 / 3), 3, 0)
    assert figure("species", "unseen")[1:] == (0, 1)
    (f1,) = pick(scores, metric="macro_f1")
    assert (f1.value, f1.n) == (pytest.approx((2 / 3 + 0) / 2), 2)
    _, counts = confusion(bundle, exam, encoded)
    place = labels.names.index
    assert counts.sum() == 2
    assert counts[place("Calanus glacialis"), place("Calanus glacialis")] == 1
    assert counts[place("Neocalanus cristatus"), place("Calanus glacialis")] == 1


def test_certain_labels_without_a_tree_are_all(examined: Bundle) -> None:
    concepts = [copepod("Calanus"), copepod("Calanus", "Calanus glacialis")]
    labels = build_label_space(Target.WRITTEN_LABEL, ["a", "b"], concepts)
    assert certain_labels(SimpleNamespace(labels=labels)) == {"a", "b"}


def by_angle(exam_of, role: list[str], status: list[str]) -> Exam:
    """Training: a, b. Key: c and one more. Queries: a, b, c, beside records of their own species."""
    degrees = np.deg2rad([0, 90, 180, 270, 2, 92, 182])
    z_ND = np.stack([np.cos(degrees), np.sin(degrees)], axis=1)
    species = ["a", "b", "c", "d", "a", "b", "c"]
    return exam_of(z_ND, {"species": species}, role, status)


def test_keys_of_unseen_species_alone_are_searched_with_training(examined, exam_of) -> None:
    # BIOSCAN-5M's upstream split: its keys are of unseen species.
    role = ["train", "train", "key", "key", "test", "test", "test"]
    status = ["seen", "seen", "unseen", "unseen", "seen", "seen", "unseen"]
    exam = by_angle(exam_of, role, status)
    assert exam.key_roles == (Role.TRAIN, Role.KEY)
    assert exam.among(exam.encoded[BARCODE], *exam.key_roles).tolist() == [0, 1, 2, 3]
    scores = retrieval_scores(examined, exam)
    for part, n in (("seen", 2), ("unseen", 1)):
        (score,) = pick(
            scores, method="model", rank="species", part=part, metric="top1_micro"
        )  # fmt: skip
        assert (score.value, score.n, score.left_out) == (1.0, n, 0)
        again = retrieval_accuracy(exam, BARCODE, BARCODE, rank="species", status=Status(part))
        assert (again.value, again.n) == (1.0, n)


def test_a_key_of_a_seen_species_leaves_training_out(examined, exam_of) -> None:
    role = ["key", "train", "key", "train", "test", "test", "test"]
    status = ["seen", "seen", "unseen", "seen", "seen", "seen", "unseen"]
    exam = by_angle(exam_of, role, status)
    assert exam.key_roles == (Role.KEY,)
    (score,) = pick(
        retrieval_scores(examined, exam), method="model", rank="species", part="seen",
        metric="top1_micro",
    )  # fmt: skip
    assert (score.value, score.n, score.left_out) == (1.0, 1, 1)  # b is known to training alone


def test_without_keys_training_is_searched(exam_of) -> None:
    exam = by_angle(exam_of, ["train"] * 4 + ["test"] * 3, ["seen"] * 7)
    assert exam.key_roles == (Role.TRAIN, Role.KEY)
    assert exam.among(exam.encoded[BARCODE], *exam.key_roles).tolist() == [0, 1, 2, 3]


def test_every_method_looks_at_twenty_keys(tiny_exam: Exam) -> None:
    assert DEPTH == 20
    for modality in (IMAGE, BARCODE):
        encoded = tiny_exam.encoded[modality]
        tested, keys = (tiny_exam.among(encoded, role) for role in (Role.TEST, Role.TRAIN))
        assert len(keys) > 20
        found = nearest_names(tiny_exam, modality, tested, (Role.TRAIN,), ["species"])
        for names in found.values():
            assert {len(row) for row in names["species"]} == {20}


NOTHING = Estimate(float("nan"), float("nan"), float("nan"), 0, np.full(300, np.nan))


def test_a_row_without_queries_has_none_for_figures() -> None:
    row = as_row("seen", NOTHING)
    assert row == {"name": "seen", "value": None, "low": None, "high": None, "n": 0}
    json.dumps(row, allow_nan=False)


def test_the_headline_leaves_out_what_was_not_asked() -> None:
    nan = float("nan")

    def score(task: str, pair: str, rank: str, part: str, metric: str, value: float) -> Score:
        return Score(
            task, "model", pair, rank, part, metric, value, nan, nan, 0 if value != value else 5
        )

    found = headline(
        [
            score("classification", "image", "label", "all", "top1_micro", nan),
            score("classification", "image", "label", "all", "macro_f1", nan),
            score("classification", "barcode", "label", "all", "top1_micro", 0.25),
            score("retrieval", "image-image", "species", "seen", "top1_micro", 0.5),
            score("retrieval", "image-image", "species", "unseen", "top1_micro", nan),
            score("retrieval", "image-image", "species", "harmonic", "top1_micro", nan),
        ]
    )
    assert found == {"barcode label top1_micro": 0.25, "image-image species seen": 0.5}
    json.dumps(found, allow_nan=False)


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
