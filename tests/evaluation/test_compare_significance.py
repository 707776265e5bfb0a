"""Intervals over seeds and queries, by hand and against simulated truth; Holm; claims; who wins."""

import math

import numpy as np
import pytest

from holotype.errors import RecipeError
from holotype.evaluation.compare.claims import Verdict, judge_claim, judged
from holotype.evaluation.compare.pooled import (
    EVERY_SPLIT,
    all_differences,
    gather,
    pooled_figure,
    wins,
)
from holotype.evaluation.compare.settings import ClaimSettings
from holotype.evaluation.compare.significance import (
    Interval,
    Sample,
    difference_interval,
    figure_interval,
    holm,
    paired,
)
from holotype.evaluation.compare.tasks import Figure, Headline, named_figures, resolved, with_naming
from holotype.evaluation.evidence import Score, score_of
from holotype.evaluation.metrics import micro_accuracy

UNIT = (0.0, 1.0)


def sample(values: list[float], *, spread: float = 0.0, n: int = 100, split: str = "a") -> Sample:
    """A figure whose bootstrap has exactly the standard deviation ``spread`` for every seed."""
    standard = np.tile([-1.0, 1.0], 150)
    standard = standard / standard.std(ddof=1)
    value_S = np.asarray(values)
    return Sample(split, value_S, value_S[:, None] + spread * standard[None], n)


def test_three_seeds_by_hand() -> None:
    # Mean 0.2, standard deviation 0.1: variance of the mean 0.01 / 3; t with 2 degrees: 4.3027.
    found = difference_interval([sample([0.1, 0.2, 0.3])])
    assert found.value == pytest.approx(0.2)
    assert found.high - found.value == pytest.approx(4.3027 * math.sqrt(0.01 / 3), rel=1e-4)
    # t = 0.2 / 0.057735 = 3.4641 with 2 degrees: p = 0.0742.
    assert found.p == pytest.approx(0.0742, abs=2e-4)
    assert (found.seeds, found.n, found.over_queries) == (3, 100, True)


def test_queries_and_seeds_add_up_by_hand() -> None:
    # Seeds: 0.01 / 3, 2 degrees. Queries: 0.05 ** 2, 99 degrees. Satterthwaite:
    total = 0.01 / 3 + 0.0025
    freedom = total**2 / ((0.01 / 3) ** 2 / 2 + 0.0025**2 / 99)
    assert freedom == pytest.approx(6.05, abs=0.01)
    found = difference_interval([sample([0.1, 0.2, 0.3], spread=0.05)])
    quantile = 2.4416  # t of 6.05 degrees, between 2.4469 (6) and 2.3646 (7)
    assert found.high - found.value == pytest.approx(quantile * math.sqrt(total), rel=2e-3)


def test_one_seed_holds_the_queries_alone() -> None:
    found = difference_interval([sample([0.1], spread=0.02)])
    assert found.seeds == 1
    assert found.high - found.low == pytest.approx(2 * 1.9842 * 0.02, rel=1e-3)  # t of 99 degrees


def test_the_mean_over_splits_halves_the_variance() -> None:
    one = difference_interval([sample([0.1], spread=0.02, n=100_000)])
    two = difference_interval(
        [sample([0.1], spread=0.02, n=100_000, split=name) for name in ("a", "b")]
    )
    assert two.value == pytest.approx(0.1)
    assert (one.high - one.low) / (two.high - two.low) == pytest.approx(math.sqrt(2), rel=1e-3)


def test_few_queries_and_unmeasured_figures_carry_no_interval() -> None:
    for few in (sample([0.1, 0.2], n=9), sample([0.1, math.nan])):
        found = difference_interval([few])
        assert (found.low, found.high, found.p) == (None, None, None)
    bare = Sample("a", np.asarray([0.4]), None, 50)
    assert difference_interval([bare]).low is None


def test_equal_arms_are_not_told_apart() -> None:
    same = sample([0.4, 0.5], spread=0.1)
    found = difference_interval([paired(same, same)])
    assert (found.value, found.low, found.high, found.p) == (0.0, 0.0, 0.0, 1.0)


def test_figures_without_replicates_use_their_own_interval() -> None:
    stated = Sample("a", np.asarray([0.4, 0.4]), None, 200, 0.0004)
    alone = figure_interval([stated], bounds=UNIT)
    assert alone.high - alone.value == pytest.approx(1.972 * 0.02, rel=1e-3)  # t of 199 degrees
    twice = difference_interval([paired(stated, stated)])
    assert twice.high == pytest.approx(1.972 * math.sqrt(0.0008), rel=1e-3)  # as if not paired


@pytest.mark.parametrize("seeds", [3, 5])
def test_the_interval_holds_the_truth_about_as_often_as_it_says(seeds: int) -> None:
    # Each seed has a skill of its own around 0.6; all are asked the same 120 queries of uneven difficulty.
    rng = np.random.default_rng(0)
    held, runs = 0, 150
    for run in range(runs):
        easy_Q = rng.normal(0, 1, 120)
        estimates = []
        for skill in rng.normal(0.3, 0.15, seeds):
            hit_Q = easy_Q + rng.normal(0, 1, 120) < skill
            estimates.append(micro_accuracy(hit_Q, np.arange(120), seed=run))
        truth = 0.5 * (1 + math.erf(0.3 / math.sqrt(2 + 0.15**2) / math.sqrt(2)))
        values = np.asarray([one.value for one in estimates])
        replicate_SR = np.stack([one.replicate_R for one in estimates])
        found = figure_interval([Sample(str(run), values, replicate_SR, 120)], bounds=UNIT)
        held += found.low <= truth <= found.high
    assert 0.89 <= held / runs <= 1.0


def test_holm_by_hand() -> None:
    # Sorted: 0.01 * 4, 0.02 * 3, 0.03 * 2, 0.5 * 1, each at least the one before.
    assert holm([0.03, 0.01, 0.5, None, 0.02]) == pytest.approx(
        [0.06, 0.04, 0.5, None, 0.06], nan_ok=True
    )
    assert holm([]) == []
    assert holm([0.9, 0.8]) == [1.0, 1.0]


def interval(low: float | None, high: float | None) -> Interval:
    value = 0.0 if low is None or high is None else (low + high) / 2
    return Interval(value, low, high, 0.5, 3, True, 100)


@pytest.mark.parametrize(
    ("low", "high", "at_least", "verdict"),
    [
        (0.12, 0.2, 0.11, Verdict.HOLDS),
        (0.02, 0.2, 0.11, Verdict.NOT_SHOWN),
        (0.02, 0.1, 0.11, Verdict.FAILS),
        (-0.005, 0.1, -0.01, Verdict.HOLDS),  # not worse by more than a point
        (-0.05, 0.1, -0.01, Verdict.NOT_SHOWN),
        (-0.05, -0.02, -0.01, Verdict.FAILS),
        (0.0, 0.0, 0.0, Verdict.NOT_SHOWN),  # equal is not better
        (None, None, 0.0, Verdict.NOT_SHOWN),
    ],
)
def test_verdicts(low: float | None, high: float | None, at_least: float, verdict: Verdict) -> None:
    assert judged(interval(low, high), at_least) is verdict


HITS = np.random.default_rng(3).random((3, 400))
BETTER = {"weak": 0.40, "strong": 0.60, "twin": 0.605}
NAMED = Figure("naming", "image", "label", "all", "top1_micro")
SEVERE = Figure("hierarchy", "image-image", "tree", "all", "mean_severity")
HEADLINES = (Headline("naming-micro", "Naming", NAMED), Headline("severity", "Severity", SEVERE))


def scores_of(arm: str, seed: int, *, queries: int = 400) -> list[Score]:
    drawn = HITS[seed, ::-1] if arm == "twin" else HITS[seed]  # right on other queries than strong
    found = micro_accuracy(drawn[:queries] < BETTER[arm], np.arange(queries), seed=1)
    high = micro_accuracy(drawn[:queries] >= BETTER[arm], np.arange(queries), seed=1)
    return [
        score_of(("naming", "model", "image", "label", "all", "top1_micro"), found),
        score_of(("hierarchy", "model", "image-image", "tree", "all", "mean_severity"), high),
        Score("naming", "chance", "image", "label", "all", "top1_micro", 0.1, None, None, queries),
    ]


@pytest.fixture(scope="module")
def runs():
    every = {(arm, seed, "s"): scores_of(arm, seed) for arm in BETTER for seed in range(3)}
    return gather(every, list(BETTER), ["s"])


def test_the_best_and_those_not_told_from_it(runs) -> None:
    naming, severity = wins(runs, HEADLINES, "s")
    assert (naming.best, naming.tied) == ("twin", ("strong", "twin"))
    assert (severity.best, severity.tied) == ("twin", ("strong", "twin"))  # lower is better


def test_every_pair_is_compared_and_corrected(runs) -> None:
    found = all_differences(runs, HEADLINES, "s")
    assert len(found) == 2 * 3
    first = next(one for one in found if (one.first, one.second) == ("weak", "strong"))
    by_hand = [(HITS[seed] < 0.40).mean() - (HITS[seed] < 0.60).mean() for seed in range(3)]
    assert first.found.value == pytest.approx(np.mean(by_hand))
    assert first.found.high < 0
    assert first.p_holm < 0.05
    assert all(one.p_holm >= one.found.p for one in found)


def test_arms_asked_other_queries_are_not_compared() -> None:
    runs = gather(
        {("weak", 0, "s"): scores_of("weak", 0), ("strong", 0, "s"): scores_of("strong", 0, queries=300)},
        ["weak", "strong"],
        ["s"],
    )  # fmt: skip
    assert runs.compared(NAMED, "weak", "strong", "s") is None
    assert all_differences(runs, HEADLINES, "s") == []


def test_pooled_over_seeds_is_the_mean(runs) -> None:
    found = pooled_figure(runs, NAMED, "strong", "s")
    assert found.value == pytest.approx((HITS < 0.60).mean())
    assert 0 <= found.low < found.value < found.high <= 1
    assert pooled_figure(runs, NAMED, "strong", EVERY_SPLIT).value == found.value
    assert pooled_figure(runs, NAMED, "none", "s") is None


def claim(**given) -> ClaimSettings:
    return ClaimSettings(**{"says": "It is so.", "figures": ("naming-micro",), **given})


def test_claims_answer_in_words(runs) -> None:
    better = judge_claim(claim(first="strong", second=("weak",)), runs, HEADLINES, "s")
    assert better.verdict is Verdict.HOLDS
    gain = 100 * ((HITS < 0.6).mean() - (HITS < 0.4).mean())
    assert f"difference {gain:+.1f} points" in better.answer
    assert "3 seeds, 400 queries" in better.answer
    # 20 points are about what it is: 11 is shown, 40 is refuted, 20 is neither.
    asked = {
        points: judge_claim(
            claim(first="strong", second=("weak",), at_least=points), runs, HEADLINES, "s"
        ).verdict
        for points in (11, 20, 40)
    }
    assert asked == {11: Verdict.HOLDS, 20: Verdict.NOT_SHOWN, 40: Verdict.FAILS}


def test_a_claim_against_several_must_hold_against_each(runs) -> None:
    found = judge_claim(claim(first="strong", second=("weak", "twin")), runs, HEADLINES, "s")
    assert found.verdict is Verdict.NOT_SHOWN
    assert "holds in 1 of 2 comparisons" in found.answer
    worst = judge_claim(
        claim(first="weak", second=("strong", "twin"), figures=("tasks",), at_least=-1),
        runs, HEADLINES, "s",
    )  # fmt: skip
    assert worst.verdict is Verdict.FAILS


def test_lower_is_better_turns_the_sign(runs) -> None:
    found = judge_claim(
        claim(first="strong", second=("weak",), figures=("severity",)), runs, HEADLINES, "s"
    )
    assert found.verdict is Verdict.HOLDS
    assert found.compared[0].first_value < found.compared[0].second_value
    assert found.compared[0].gain.value > 0


def test_a_claim_about_nothing_measured_is_not_shown(runs) -> None:
    found = judge_claim(
        claim(first="strong", second=("weak",), figures=("cross-instrument",)), runs, HEADLINES, "s"
    )
    assert found.verdict is Verdict.NOT_SHOWN
    with pytest.raises(RecipeError, match=r"no figure 'crossinstrument'.*cross-instrument"):
        named_figures("crossinstrument", HEADLINES, [])


def test_headlines_take_the_narrowest_rank_and_the_right_part() -> None:
    known = [
        Figure("retrieval", "image-image", rank, part, "top1_macro")
        for rank in ("class", "genus", "species")
        for part in ("all", "seen", "unseen")
    ]
    found = {one.name: one.figure for one in resolved(known)}
    assert set(found) == {"image-image-seen", "image-image-unseen"}
    assert found["image-image-unseen"].rank == "species"
    plain = [
        Figure("cross_instrument", "image-image", r, "all", "top1_macro")
        for r in ("class", "label")
    ]
    assert [one.figure.rank for one in resolved(plain)] == ["label"]
    no_unseen = [figure for figure in known if figure.part == "all"]
    assert [one.name for one in resolved(no_unseen)] == ["image-image"]
    words = "retrieval image-image narrowest unseen top1_macro"
    assert named_figures(words, [], known) == [found["image-image-unseen"]]


def test_naming_is_by_the_head_else_by_captions() -> None:
    def named(task: str, pair: str) -> Score:
        return Score(task, "model", pair, "label", "all", "top1_micro", 0.5, None, None, 9)

    both = with_naming([named("classification", "image"), named("caption_classification", "image")])
    assert [one.task for one in both].count("naming") == 1
    captions = with_naming([named("caption_classification", "image")])
    assert [one.task for one in captions] == ["caption_classification", "naming"]
