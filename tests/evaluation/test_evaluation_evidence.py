"""Four queries, scored by hand."""

import numpy as np
import pytest

from holotype.evaluation.evidence import Answers, Questions, Score, pick, score_answers

QUESTIONS = Questions(
    truth_by_rank={"species": ["a", "a", "b", "c"], "genus": ["A", None, "B", "C"]},
    part_Q=np.asarray(["seen", "seen", "unseen", "unseen"]),
    group_Q=np.arange(4),
    answerable_by_rank={"species": {"a", "b"}, "genus": {"A", "B", "C"}},
    seed=0,
)
CANDIDATES = {
    # Repeated names count once: the second query finds "a" as its second name, not its fourth.
    "species": [["a"], ["b", "b", None, "a"], ["b", "a"], ["c"]],
    "genus": [["B", "C"], ["A"], ["B"], [None, None]],
}


@pytest.fixture(scope="module")
def scores() -> list[Score]:
    return score_answers(Answers("retrieval", "model", "image-barcode", CANDIDATES), QUESTIONS)


# Species: the fourth query's name has no key, so it is left out of unseen.
# Genus: the second query has no name (not asked, not counted as left out).
@pytest.mark.parametrize(
    ("rank", "part", "metric", "value", "n", "left_out"),
    [
        ("species", "all", "top1_micro", 2 / 3, 3, 1),
        ("species", "seen", "top1_micro", 1 / 2, 2, 0),
        ("species", "unseen", "top1_micro", 1.0, 1, 1),
        ("species", "harmonic", "top1_micro", 2 * 0.5 / 1.5, 3, 0),
        ("species", "all", "top1_macro", (1 / 2 + 1) / 2, 3, 1),
        ("species", "all", "top5_micro", 1.0, 3, 1),
        ("species", "harmonic", "top5_macro", 1.0, 3, 0),
        ("genus", "all", "top1_micro", 1 / 3, 3, 0),
        ("genus", "seen", "top1_micro", 0.0, 1, 0),
        ("genus", "unseen", "top1_micro", 1 / 2, 2, 0),
        ("genus", "harmonic", "top1_micro", 0.0, 3, 0),
        ("genus", "all", "top5_micro", 1 / 3, 3, 0),
    ],
)
def test_figures_by_hand(
    scores: list[Score], rank: str, part: str, metric: str, value: float, n: int, left_out: int
) -> None:
    (score,) = pick(scores, rank=rank, part=part, metric=metric)
    assert score.value == pytest.approx(value)
    assert (score.n, score.left_out) == (n, left_out)
    assert (score.task, score.method, score.pair) == ("retrieval", "model", "image-barcode")


def test_each_figure_is_given_once(scores: list[Score]) -> None:
    keys = [(s.rank, s.part, s.metric) for s in scores]
    assert len(set(keys)) == len(keys) == 2 * 4 * 4  # ranks, parts, metrics


def test_one_part_alone_is_all_there_is() -> None:
    seen = Questions(
        {"species": ["a", "b"]}, np.asarray(["seen", "seen"]), np.arange(2), {"species": {"a"}}, 0
    )
    found = score_answers(Answers("t", "m", "p", {"species": [["a"], ["a"]]}), seen)
    assert {score.part for score in found} == {"all"}


def test_no_query_that_can_be_asked_is_null_in_the_report() -> None:
    nothing = Questions(
        {"species": ["c", "a"]}, np.asarray(["seen", "unseen"]), np.arange(2), {"species": {"a"}}, 0
    )
    found = score_answers(Answers("t", "m", "p", {"species": [["a"], ["a"]]}), nothing)
    (seen,) = pick(found, part="seen", metric="top1_micro")
    assert seen.as_json()["value"] is None
    assert (seen.n, seen.left_out) == (0, 1)
    (both,) = pick(found, part="harmonic", metric="top1_micro")
    assert both.as_json()["value"] is None  # unknown, not 0


def test_json_rounds_to_six_digits() -> None:
    row = Score("t", "m", "p", "r", "all", "x", 1 / 3, None, 2 / 3, 5).as_json()
    assert (row["value"], row["low"], row["high"]) == (0.333333, None, 0.666667)


def test_order_of_queries_does_not_matter(scores: list[Score]) -> None:
    order = [2, 0, 3, 1]
    shuffled = Questions(
        {rank: [names[i] for i in order] for rank, names in QUESTIONS.truth_by_rank.items()},
        QUESTIONS.part_Q[order], QUESTIONS.group_Q[order], QUESTIONS.answerable_by_rank, 0,
    )  # fmt: skip
    candidates = {rank: [rows[i] for i in order] for rank, rows in CANDIDATES.items()}
    found = score_answers(Answers("retrieval", "model", "image-barcode", candidates), shuffled)
    assert [s.as_json() for s in found] == [s.as_json() for s in scores]
