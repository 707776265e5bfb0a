"""A handful of examples: where they come from, and what they say."""

import dataclasses

import numpy as np
import pytest

from holotype.evaluation import few_shot
from holotype.evaluation.evidence import pick
from holotype.evaluation.exam import Exam
from holotype.evaluation.few_shot import few_shot_scores
from holotype.splits.plan import Role


def clusters(exam_of, *, noise: float, seed: int = 0) -> Exam:
    """Three species, six keys and four queries of each, around three directions."""
    rng = np.random.default_rng(seed)
    species = np.repeat(["a", "b", "c"], 10)
    z_ND = np.repeat(np.eye(3), 10, axis=0) + noise * rng.normal(size=(30, 3))
    role = (["key"] * 6 + ["test"] * 4) * 3
    return exam_of(z_ND, {"species": species.tolist()}, role)


def test_clear_clusters_are_named_without_fault(examined, exam_of) -> None:
    scores = few_shot_scores(examined, clusters(exam_of, noise=0.01))
    named = pick(scores, method="model")
    assert [score.metric for score in named] == ["1_shot", "5_shot"]
    for score in named:
        assert (score.value, score.low, score.high, score.n) == (1.0, 1.0, 1.0, 12)


def test_five_examples_say_more_than_one(examined, exam_of) -> None:
    values = {"1_shot": [], "5_shot": []}
    for seed in range(8):
        scores = few_shot_scores(examined, clusters(exam_of, noise=0.6, seed=seed))
        for score in pick(scores, method="model"):
            values[score.metric].append(score.value)
            assert score.low <= score.value <= score.high
    assert np.mean(values["5_shot"]) > np.mean(values["1_shot"]) + 0.05


def test_chance_is_one_of_the_classes(examined, exam_of) -> None:
    scores = pick(few_shot_scores(examined, clusters(exam_of, noise=0.5)), method="chance")
    assert [s.metric for s in scores] == ["1_shot", "5_shot"]
    for score in scores:
        assert (score.value, score.low, score.high, score.n) == (
            pytest.approx(1 / 3),
            None,
            None,
            12,
        )


def test_barcodes_are_named_by_their_5_mers_without_a_model(examined, exam_of) -> None:
    rng = np.random.default_rng(0)
    species = np.repeat(["a", "b", "c"], 10)
    barcode = {name: "".join(rng.choice(list("ACGT"), size=200)) for name in "abc"}
    exam = exam_of(
        rng.normal(size=(30, 3)), {"species": species.tolist()}, (["key"] * 6 + ["test"] * 4) * 3,
        barcodes=[barcode[name] for name in species],
    )  # fmt: skip
    scores = few_shot_scores(examined, exam)
    by_kmers = pick(scores, method="nearest class mean by 5-mers")
    assert [(s.metric, s.value, s.n) for s in by_kmers] == [("1_shot", 1, 12), ("5_shot", 1, 12)]
    assert all(s.value < 0.7 for s in pick(scores, method="model"))  # its space is noise


def test_what_the_test_part_holds_never_reaches_the_support(
    examined, tiny_exam: Exam, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[int] = []
    choice = few_shot.generator

    class Recording:
        def __init__(self, *names: object) -> None:
            self._rng = choice(*names)
            self.multinomial = self._rng.multinomial

        def choice(self, places, **given):
            found = self._rng.choice(places, **given)
            drawn.extend(found.tolist())
            return found

    monkeypatch.setattr(few_shot, "generator", Recording)
    assert tiny_exam.key_roles == (Role.KEY,)
    for modality, encoded in tiny_exam.encoded.items():
        drawn.clear()
        alone = dataclasses.replace(tiny_exam, encoded={modality: encoded})
        few_shot_scores(examined, alone)
        assert drawn
        roles = set(tiny_exam.role_N[encoded.row_R[drawn]].tolist())
        assert roles == {Role.KEY.value}


def test_poisoned_queries_change_no_answer_but_their_own(examined, exam_of) -> None:
    exam = clusters(exam_of, noise=0.5)
    (encoded,) = exam.encoded.values()
    poisoned = encoded.z_RD.copy()
    victims = exam.role_N == Role.TEST.value
    victims[[6, 16, 26]] = False  # one query of each species is left as it is
    poisoned[victims] = -poisoned[victims]
    (modality,) = exam.encoded
    changed = dataclasses.replace(
        exam, encoded={modality: dataclasses.replace(encoded, z_RD=poisoned)}
    )
    # Their names are taken away, so they are asked nothing; the three others answer as before.
    names = [
        None if victim else name
        for victim, name in zip(victims, exam.names["species"], strict=True)
    ]
    blind = {**exam.names, "species": names}
    before = few_shot_scores(examined, dataclasses.replace(exam, names=blind))
    after = few_shot_scores(examined, dataclasses.replace(changed, names=blind))
    assert [s.as_json() for s in before] == [s.as_json() for s in after]
    assert {s.n for s in after} == {3}
    assert {s.left_out for s in after} == {9}


def test_species_without_enough_support_are_not_asked(examined, exam_of) -> None:
    names = ["a"] * 6 + ["b"] * 6 + ["c"] * 2
    role = ["key"] * 5 + ["test"] + ["key"] * 5 + ["test"] + ["key"] + ["test"]
    exam = exam_of(np.random.default_rng(0).normal(size=(14, 4)), {"species": names}, role)
    scores = few_shot_scores(examined, exam)
    assert {s.metric: (s.n, s.left_out) for s in scores} == {"1_shot": (3, 0), "5_shot": (2, 1)}


def test_seen_and_unseen_are_told_apart(examined, tiny_exam: Exam) -> None:
    scores = few_shot_scores(examined, tiny_exam)
    for metric in ("1_shot",):
        parts = {s.part: s for s in pick(scores, metric=metric, method="model", pair="image")}
        assert set(parts) == {"all", "seen", "unseen"}
        total = sum(parts[p].n * parts[p].value for p in ("seen", "unseen"))
        assert total == pytest.approx(parts["all"].n * parts["all"].value)


def test_ten_examples_are_asked_where_there_are_ten(examined, exam_of) -> None:
    rng = np.random.default_rng(0)
    names = ["a"] * 12 + ["b"] * 12 + ["c"] * 6
    role = (["key"] * 10 + ["test"] * 2) * 2 + ["key"] * 5 + ["test"]
    exam = exam_of(rng.normal(size=(30, 4)), {"species": names}, role)
    scores = few_shot_scores(examined, exam)
    asked = {s.metric: (s.n, s.left_out) for s in pick(scores, method="model")}
    assert asked == {"1_shot": (5, 0), "5_shot": (5, 0), "10_shot": (4, 1)}
    chance = {s.metric: s.value for s in pick(scores, method="chance")}
    assert chance["10_shot"] == 1 / 2


def test_a_draw_does_not_depend_on_those_before_it(exam_of) -> None:
    exam = clusters(exam_of, noise=0.6)
    encoded = next(iter(exam.encoded.values()))
    task = next(iter(few_shot._tasks(exam, encoded, "species")))
    alone = few_shot._one_draw(encoded.z_RD, task, 0, 3).tolist()
    in_turn = [few_shot._one_draw(encoded.z_RD, task, 0, draw).tolist() for draw in range(5)]
    assert in_turn[3] == alone
    assert len({tuple(draw) for draw in in_turn}) > 1
    # Two seeds share no draw: with one counter for both, seed 1 would begin with draw 1 of seed 0.
    other = [few_shot._one_draw(encoded.z_RD, task, 1, draw).tolist() for draw in range(4)]
    assert other != in_turn[1:]


def interval(right_SQ, group_Q):
    found = few_shot.mean_over_draws(right_SQ, group_Q, seed=0)
    return found.low, found.high


def test_the_interval_covers_draws_and_queries() -> None:
    # Draws that agree, queries that do not: the spread is that of the queries.
    rng = np.random.default_rng(0)
    half_Q = rng.random(100) < 0.5
    low, high = interval(np.stack([half_Q] * 5), np.arange(100))
    sd = (half_Q.mean() * (1 - half_Q.mean()) / 100) ** 0.5
    assert high - low == pytest.approx(2 * 1.96 * sd, rel=0.15)
    # Draws that do not agree, queries that do: the spread is that of the draws.
    draws_SQ = np.repeat(np.array([[True], [False], [True], [False], [True]]), 100, axis=1)
    low, high = interval(draws_SQ, np.arange(100))
    assert low <= 0.2
    assert high == 1.0
    # One specimen is one query, however many images it has.
    by_specimen_Q = np.repeat(rng.permutation(10) < 5, 10)
    wide = interval(np.stack([by_specimen_Q] * 5), np.arange(100) // 10)
    narrow = interval(np.stack([by_specimen_Q] * 5), np.arange(100))
    assert wide[1] - wide[0] > 2 * (narrow[1] - narrow[0])
    assert all(np.isnan(interval(np.zeros((5, 0), dtype=bool), np.zeros(0, int))))
