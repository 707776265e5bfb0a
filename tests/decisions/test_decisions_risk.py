"""The threshold that keeps an error: worked by hand, and over many draws of a world whose error is known."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom

from holotype.decisions.answer_tree import LEVELS, OPEN, RIGHT, WRONG
from holotype.decisions.curves import (
    exact_interval,
    label_thresholds,
    level_thresholds,
    risk_curve,
)
from holotype.decisions.risk import (
    STARTS,
    Control,
    answered_and_wrong,
    fewest_answered,
    level_answered,
    safe_threshold,
    starts_for,
)

K = len(LEVELS)


def control_of(confidence, right, kind="seen", draw=None, level=K - 1):
    """Control records with one level each."""
    count = len(confidence)
    confidence_BK = np.full((count, K), np.nan)
    right_BK = np.full((count, K), OPEN, dtype=np.int8)
    confidence_BK[:, level], right_BK[:, level] = confidence, right
    kinds = np.full(count, kind) if isinstance(kind, str) else np.asarray(kind)
    draws = np.arange(count) if draw is None else np.asarray(draw)
    return Control(
        confidence_BK, right_BK, kinds, np.full(count, "a"), np.asarray(confidence, float), draws
    )


def world(count, seed, *, slope=1.0):
    """Records whose label is right with the probability that confidence says (or less, with a slope)."""
    rng = np.random.default_rng(seed)
    confidence = rng.uniform(0.5, 1.0, count)
    right = np.where(rng.random(count) < 1 - slope * (1 - confidence), RIGHT, WRONG)
    return control_of(confidence, right)


def test_the_deepest_level_that_is_sure_enough_is_answered():
    confidence = np.full((3, K), np.nan)
    confidence[:, 0], confidence[:, 5] = [0.99, 0.99, 0.4], [0.95, 0.6, 0.3]
    assert level_answered(confidence, 0.9).tolist() == [5, 0, -1]


def test_the_error_is_kept_in_nine_of_ten_control_parts():
    kept = 0
    future = world(60_000, 10_000)
    for seed in range(120):
        found = safe_threshold(world(1_500, seed), max_error=0.1)
        assert found.holds
        judged, wrong = answered_and_wrong(future, found.value)
        kept += wrong.sum() / judged.sum() <= 0.1
    assert kept >= binom.ppf(0.001, 120, 0.9), kept


def test_without_the_test_the_error_would_often_be_broken():
    broken, future = 0, world(60_000, 10_001)
    for seed in range(60):
        control = world(100, seed)
        values = np.sort(control.confidence_BK[:, -1])
        shares = [answered_and_wrong(control, v) for v in values]
        kept = [v for v, (j, w) in zip(values, shares, strict=True) if w.sum() <= 0.1 * j.sum()]
        if not kept:
            continue
        naive = kept[0]
        judged, wrong = answered_and_wrong(future, naive)
        broken += wrong.sum() / judged.sum() > 0.1
    assert broken > 12, "the guarantee of the test above would be no merit"


def test_too_few_records_promise_nothing_and_say_so():
    found = safe_threshold(control_of(np.ones(20), np.full(20, RIGHT)), max_error=0.05)
    assert not found.holds
    assert "20 seen" in found.reason
    assert found.value > 1


def test_just_enough_records_without_an_error_promise():
    least = int(np.ceil(np.log(0.1 / len(STARTS)) / np.log(0.95)))
    assert safe_threshold(control_of(np.ones(least), np.full(least, RIGHT)), max_error=0.05).holds
    assert not safe_threshold(
        control_of(np.ones(least - 1), np.full(least - 1, RIGHT)), max_error=0.05
    ).holds


def test_few_records_are_tested_in_one_sequence_with_all_of_the_doubt():
    least = fewest_answered(0.1, 0.1 / len(STARTS))
    assert (fewest_answered(0.1, 0.1), least) == (22, 33)
    assert starts_for(41, least) == STARTS[:1]
    assert starts_for(48, least) == STARTS, "70 % of 48 are more than 33"
    assert starts_for(32, least) == STARTS, "too few for any promise, as before"
    # one wrong of 41: binomial(<= 1; 41, 0.1) = 0.074, above a third of the doubt and below the whole
    assert 0.1 / len(STARTS) < binom.cdf(1, 41, 0.1) < 0.1
    right = np.where(np.arange(41) == 40, WRONG, RIGHT)
    found = safe_threshold(control_of(np.ones(41), right), max_error=0.1)
    assert (found.answered, found.wrong) == ({"seen": 41}, {"seen": 1})


def test_each_kind_is_kept_by_itself():
    sure = control_of(np.full(300, 0.9), np.full(300, RIGHT))
    worse = control_of(np.full(300, 0.9), np.where(np.arange(300) % 5, RIGHT, WRONG), kind="unseen")
    both = Control(
        np.concatenate([sure.confidence_BK, worse.confidence_BK]),
        np.concatenate([sure.right_BK, worse.right_BK]),
        np.concatenate([sure.kind_B, worse.kind_B]),
        np.concatenate([sure.label_B, worse.label_B]),
        np.concatenate([sure.score_B, worse.score_B]),
        np.arange(600),
    )
    assert safe_threshold(sure, max_error=0.15).holds
    assert not safe_threshold(both, max_error=0.15).holds, "a fifth of the unseen are wrong"
    mixed = replace(both, kind_B=np.full(600, "seen"))
    assert safe_threshold(mixed, max_error=0.15).holds, "together a tenth is"


def test_copies_of_one_draw_count_once():
    right = np.where(np.arange(400) % 40, RIGHT, WRONG)
    alone = control_of(np.ones(400), right)
    copied = control_of(np.ones(400), right, draw=np.arange(400) // 20)
    assert safe_threshold(alone, max_error=0.05).holds
    assert not safe_threshold(copied, max_error=0.05).holds, "only 20 draws"


def test_what_is_asked_at_a_looser_error_is_asked_at_a_stricter_one_with_few_unseen():
    rng = np.random.default_rng(5)
    confidence = np.concatenate([np.linspace(0.6, 1, 300), np.linspace(0.2, 0.9, 45)])
    right = np.concatenate(
        [np.full(300, RIGHT), np.where(np.linspace(0.2, 0.9, 45) < 0.3, WRONG, RIGHT)]
    )
    kind = np.asarray(["seen"] * 300 + ["unseen"] * 45)
    order = rng.permutation(345)
    control = control_of(confidence[order], right[order], kind=kind[order])
    strict, loose = (safe_threshold(control, max_error=e) for e in (0.05, 0.1))
    assert strict.limits is not None
    assert loose.limits is None
    assert strict.value >= loose.value


def test_thresholds_of_levels_and_labels_stand_alone():
    control = world(1_500, 3)
    found = level_thresholds(control, max_error=0.1)
    assert found[K - 1].holds
    assert not found[0].holds, "no record has that level"
    assert label_thresholds(control, max_error=0.1)["a"].value == pytest.approx(found[K - 1].value)


def test_the_curve_falls_in_coverage_and_its_intervals_hold_the_error():
    points = risk_curve(world(500, 4))
    coverage = [one.coverage for one in points]
    assert coverage == sorted(coverage)
    assert all(one.low <= one.error <= one.high for one in points)


def test_exact_intervals_by_hand():
    low, high = exact_interval(0, 10)
    assert low == 0
    assert high == pytest.approx(1 - 0.025 ** (1 / 10))
    assert exact_interval(10, 10)[1] == 1
