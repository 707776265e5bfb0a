"""Scores by hand, intervals against simulated truth, neighbours against slow loops."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holotype.evaluation.metrics import (
    difference,
    harmonic_mean,
    macro_accuracy,
    macro_f1,
    micro_accuracy,
    nearest,
    numbered_names,
    top_k_hits,
)

HIT = np.asarray([True, True, False, True, False, False])
CLASS = np.asarray([7, 7, 7, 7, 2, 5])
APART = np.arange(6)


def test_hits_by_hand() -> None:
    candidate_QK = np.asarray([[3, 1, 2], [2, 0, 1], [0, 3, 2]])
    truth_Q = np.asarray([3, 1, 9])
    assert top_k_hits(candidate_QK, truth_Q, k=1).tolist() == [True, False, False]
    assert top_k_hits(candidate_QK, truth_Q, k=3).tolist() == [True, True, False]
    assert top_k_hits(candidate_QK, truth_Q, k=50).tolist() == [True, True, False]


def test_micro_and_macro_by_hand() -> None:
    micro = micro_accuracy(HIT, APART, seed=0)
    assert (micro.value, micro.n) == (0.5, 6)
    # Classes: 7 has 3 of 4, 2 none, 5 none: 0.75 / 3.
    assert macro_accuracy(HIT, CLASS, APART, seed=0).value == pytest.approx(0.25)


def test_f1_by_hand() -> None:
    truth, found = np.asarray([0, 0, 0, 1, 2]), np.asarray([0, 0, 1, 1, 3])
    # 0: 2 * 2 / (3 + 2); 1: 2 * 1 / (1 + 2); 2: nothing; 3 is in no truth.
    assert macro_f1(truth, found) == pytest.approx((0.8 + 2 / 3 + 0.0) / 3)
    assert math.isnan(macro_f1(truth[:0], found[:0]))


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=40))
def test_f1_agrees_with_precision_and_recall(pairs: list[tuple[int, int]]) -> None:
    truth, found = (np.asarray(column) for column in zip(*pairs, strict=True))
    scores = []
    for label in sorted(set(truth.tolist())):
        right = sum(t == f == label for t, f in pairs)
        recall = right / sum(t == label for t, _ in pairs)
        called = sum(f == label for _, f in pairs)
        precision = right / called if called else 0.0
        total = precision + recall
        scores.append(2 * precision * recall / total if total else 0.0)
    assert macro_f1(truth, found) == pytest.approx(sum(scores) / len(scores))


@given(st.lists(st.booleans(), min_size=1, max_size=30), st.integers(0, 2**31))
def test_estimates_do_not_depend_on_the_order_of_queries(hits: list[bool], seed: int) -> None:
    hit_Q = np.asarray(hits)
    class_Q, group_Q = np.arange(len(hits)) % 3, np.arange(len(hits)) % 5
    order = np.random.default_rng(seed).permutation(len(hits))
    before = macro_accuracy(hit_Q, class_Q, group_Q, seed=1)
    after = macro_accuracy(hit_Q[order], class_Q[order], group_Q[order], seed=1)
    assert before.value == pytest.approx(after.value)
    assert before.replicate_R == pytest.approx(after.replicate_R)
    assert before.low <= before.high


def test_one_class_or_even_classes_make_micro_and_macro_equal() -> None:
    micro = micro_accuracy(HIT, APART, seed=3)
    macro = macro_accuracy(HIT, np.zeros(6, dtype=np.int64), APART, seed=3)
    assert micro.replicate_R.tolist() == macro.replicate_R.tolist()


def test_nothing_asked_is_not_a_number() -> None:
    nothing = micro_accuracy(HIT[:0], APART[:0], seed=0)
    assert nothing.n == 0
    assert math.isnan(nothing.value)
    assert math.isnan(nothing.low)


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(5)
    held = 0
    for run in range(200):
        hit_Q = rng.random(120) < 0.7
        found = micro_accuracy(hit_Q, np.arange(120), seed=run)
        held += found.low <= 0.7 <= found.high
    # 95 % of 200 is 190; the percentile bootstrap of 120 queries falls a little short of it.
    assert 178 <= held <= 199


def test_resampling_whole_groups_widens_the_interval() -> None:
    # 40 specimens of 9 images each, all right or all wrong: 40 facts, not 360.
    right = np.random.default_rng(0).random(40) < 0.6
    hit_Q, specimen_Q = np.repeat(right, 9), np.repeat(np.arange(40), 9)
    grouped = micro_accuracy(hit_Q, specimen_Q, seed=0)
    naive = micro_accuracy(hit_Q, np.arange(360), seed=0)
    assert grouped.value == naive.value
    ratio = (grouped.high - grouped.low) / (naive.high - naive.low)
    assert 2.3 < ratio < 3.8  # the root of 9


def test_one_seed_gives_one_interval() -> None:
    first, again, other = (micro_accuracy(HIT, APART, seed=seed) for seed in (1, 1, 2))
    assert first.replicate_R.tolist() == again.replicate_R.tolist()
    assert first.replicate_R.tolist() != other.replicate_R.tolist()


def test_harmonic_mean_by_hand() -> None:
    seen = micro_accuracy(np.asarray([True] * 3 + [False]), np.arange(4), seed=0)
    unseen = micro_accuracy(np.asarray([True] + [False] * 3), np.arange(4), seed=0)
    both = harmonic_mean(seen, unseen)
    assert both.value == pytest.approx(2 * 0.75 * 0.25 / 1.0)
    assert both.n == 8
    assert both.low <= both.value <= both.high
    nothing_right = micro_accuracy(np.zeros(4, dtype=bool), np.arange(4), seed=0)
    assert harmonic_mean(nothing_right, nothing_right).value == 0.0
    assert harmonic_mean(seen, nothing_right).value == 0.0


def test_the_harmonic_mean_with_an_unmeasured_part_is_not_a_number() -> None:
    seen = micro_accuracy(HIT, APART, seed=0)
    unmeasured = micro_accuracy(HIT[:0], APART[:0], seed=0)
    both = harmonic_mean(seen, unmeasured)
    assert math.isnan(both.value)
    assert math.isnan(both.low)


def test_difference_is_paired() -> None:
    rng = np.random.default_rng(1)
    hit_Q = rng.random(300) < 0.5
    better_Q = hit_Q | (rng.random(300) < 0.1)  # right wherever the first is right
    first, second = (micro_accuracy(h, np.arange(300), seed=4) for h in (hit_Q, better_Q))
    gain = difference(second, first)
    assert gain.value == pytest.approx(better_Q.mean() - hit_Q.mean())
    assert gain.low >= 0.0  # never worse on any query, so on no replicate
    unpaired = micro_accuracy(hit_Q, np.arange(300), seed=5)
    assert difference(second, unpaired).high - difference(second, unpaired).low > 1.5 * (
        gain.high - gain.low
    )


def unit(seed: int, rows: int) -> np.ndarray:
    # Few directions, so that ties are common.
    values = np.random.default_rng(seed).integers(-1, 2, size=(rows, 3)).astype(np.float32)
    return values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-9)


@given(st.integers(0, 2**31), st.integers(1, 8), st.integers(1, 8), st.integers(1, 9))
def test_nearest_agrees_with_a_slow_loop(seed: int, queries: int, keys: int, k: int) -> None:
    query_QD, key_KD = unit(seed, queries), unit(seed + 1, keys)
    index_QK, cosine_QK = nearest(query_QD, key_KD, k=k)
    assert index_QK.shape == (queries, min(k, keys))
    cosines = query_QD @ key_KD.T
    for q in range(queries):
        order = sorted(range(keys), key=lambda key: (-cosines[q, key], key))[:k]
        assert index_QK[q].tolist() == order
        assert cosine_QK[q].tolist() == cosines[q, order].tolist()


def test_no_query_finds_the_key_that_is_barred() -> None:
    z_QD = unit(3, 1500)  # more than one block
    own = np.arange(1500)
    own[::2] = -1  # no key is barred for every other query
    index_QK, cosine_QK = nearest(z_QD, z_QD, k=5, exclude_Q=own)
    assert not (index_QK == own[:, None]).any()
    free, _ = nearest(z_QD, z_QD, k=5)
    assert np.array_equal(index_QK[::2], free[::2])
    assert np.isfinite(cosine_QK).all()


def test_names_are_numbered_alphabetically() -> None:
    numbers, names = numbered_names(["b", None, "a", "b"])
    assert numbers.tolist() == [1, -1, 0, 1]
    assert names == ["a", "b"]
