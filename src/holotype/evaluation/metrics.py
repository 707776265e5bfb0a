"""Scores of arrays, with intervals. Never sees a model, never imports torch.

Shapes: Q queries, K candidates by rank of score, R bootstrap replicates.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from holotype.randomness import generator

REPLICATES = 300
CALIBRATION_BINS = 15


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval.

    Attributes:
        value: in [0, 1].
        low, high: 2.5th and 97.5th percentile of the bootstrap.
        n: queries that it was measured on.
        replicate_R: the bootstrap's values, for figures made of several estimates.
    """

    value: float
    low: float
    high: float
    n: int
    replicate_R: NDArray[np.float64]


def top_k_hits(
    candidate_QK: NDArray[np.int64], truth_Q: NDArray[np.int64], *, k: int
) -> NDArray[np.bool_]:
    """Returns whether the truth is among the first k candidates, bool (Q,).

    >>> top_k_hits(np.array([[3, 1], [2, 0]]), np.array([1, 5]), k=2).tolist()
    [True, False]
    """
    found: NDArray[np.bool_] = (candidate_QK[:, :k] == truth_Q[:, None]).any(axis=1)
    return found


def micro_accuracy(hit_Q: NDArray[np.bool_], group_Q: NDArray[np.int64], *, seed: int) -> Estimate:
    """Returns the share of hits; groups (one specimen, one haplotype) are resampled whole."""
    ones = np.zeros(len(hit_Q), dtype=np.int64)
    return _bootstrap(hit_Q, ones, group_Q, seed=seed)


def macro_accuracy(
    hit_Q: NDArray[np.bool_],
    class_Q: NDArray[np.int64],
    group_Q: NDArray[np.int64],
    *,
    seed: int,
) -> Estimate:
    """Returns the mean over classes of the share of hits; groups are resampled whole.

    A replicate's mean is over the classes that it holds.
    """
    return _bootstrap(hit_Q, class_Q, group_Q, seed=seed)


def _bootstrap(
    hit_Q: NDArray[np.bool_],
    class_Q: NDArray[np.int64],
    group_Q: NDArray[np.int64],
    *,
    seed: int,
) -> Estimate:
    def mean_over_classes(right_RC: _Sums, total_RC: _Sums) -> _Sums:
        held_RC = total_RC > 0
        share_RC = np.divide(right_RC, total_RC, out=np.zeros_like(right_RC), where=held_RC)
        return np.asarray(share_RC.sum(axis=1) / held_RC.sum(axis=1))

    ones = np.ones(len(hit_Q))
    columns = ((class_Q, hit_Q.astype(np.float64)), (class_Q, ones))
    return _resampled(columns, group_Q, mean_over_classes, seed=seed)


_Sums = NDArray[np.float64]


def _resampled(
    columns: Sequence[tuple[NDArray[np.int64], NDArray[np.float64]]],
    group_Q: NDArray[np.int64],
    figure: Callable[..., _Sums],
    *,
    seed: int,
) -> Estimate:
    """Returns a figure that is made of sums over classes, with its interval over groups.

    Args:
        columns: (class_Q, value_Q): of each the sum of values by class is taken; all share the classes.
        group_Q: what is resampled.
        figure: the sums of each column, (R, C) each -> the figure of each replicate, (R,).
        seed: of the draws; the same groups and seed give the same draws, so differences are paired.
    """
    if not len(group_Q):
        return Estimate(float("nan"), float("nan"), float("nan"), 0, np.full(REPLICATES, np.nan))
    classes = np.unique(np.concatenate([class_Q for class_Q, _ in columns]))
    groups, group_index = np.unique(group_Q, return_inverse=True)
    shape = (len(classes), len(groups))
    tables = [
        csr_array((value_Q, (np.searchsorted(classes, class_Q), group_index)), shape=shape)
        for class_Q, value_Q in columns
    ]
    whole = figure(*(np.asarray(table.sum(axis=1), np.float64)[None, :] for table in tables))
    weight_GR = _group_weights(len(groups), seed)
    replicate_R = figure(*((table @ weight_GR).T for table in tables))
    low, high = np.percentile(replicate_R, [2.5, 97.5])
    return Estimate(float(whole[0]), float(low), float(high), len(group_Q), replicate_R)


@lru_cache(maxsize=8)
def _group_weights(num_groups: int, seed: int) -> _Sums:
    """Returns how often each group is drawn in each replicate, float64 (G, R)."""
    chances = np.full(num_groups, 1 / num_groups)
    drawn_RG = generator(seed, "bootstrap").multinomial(num_groups, chances, size=REPLICATES)
    weight_GR = drawn_RG.T.astype(np.float64)
    weight_GR.setflags(write=False)
    return weight_GR


def mean_value(value_Q: NDArray[np.float64], group_Q: NDArray[np.int64], *, seed: int) -> Estimate:
    """Returns the mean of a figure of each query (a rank, a correlation); groups are resampled whole."""

    def mean(total_RC: _Sums, count_RC: _Sums) -> _Sums:
        return np.asarray(total_RC.sum(axis=1) / count_RC.sum(axis=1))

    one_class = np.zeros(len(value_Q), dtype=np.int64)
    columns = ((one_class, value_Q.astype(np.float64)), (one_class, np.ones(len(value_Q))))
    return _resampled(columns, group_Q, mean, seed=seed)


def f1_over_classes(
    truth_Q: NDArray[np.int64],
    found_Q: NDArray[np.int64],
    group_Q: NDArray[np.int64],
    *,
    seed: int,
) -> Estimate:
    """Returns ``macro_f1`` with its interval; a replicate's mean is over the classes that it holds."""

    def mean_f1(right_RC: _Sums, truth_RC: _Sums, found_RC: _Sums) -> _Sums:
        held_RC = truth_RC > 0
        total_RC = truth_RC + found_RC
        f1_RC = np.divide(2 * right_RC, total_RC, out=np.zeros_like(right_RC), where=held_RC)
        return np.asarray(f1_RC.sum(axis=1) / held_RC.sum(axis=1))

    ones = np.ones(len(truth_Q))
    columns = ((truth_Q, (truth_Q == found_Q) * ones), (truth_Q, ones), (found_Q, ones))
    return _resampled(columns, group_Q, mean_f1, seed=seed)


def calibration_error(
    confidence_Q: NDArray[np.float64],
    hit_Q: NDArray[np.bool_],
    group_Q: NDArray[np.int64],
    *,
    seed: int,
) -> Estimate:
    """Returns the expected calibration error over 15 equal bins (Guo et al. 2017, arXiv 1706.04599).

    Replicates are moved down by their mean excess over the figure: chance gaps in small bins make every
    replicate of an error larger than the error itself.
    """

    def gap(excess_RC: _Sums, count_RC: _Sums) -> _Sums:
        return np.asarray(np.abs(excess_RC).sum(axis=1) / count_RC.sum(axis=1))

    bin_Q = np.minimum((confidence_Q * CALIBRATION_BINS).astype(np.int64), CALIBRATION_BINS - 1)
    columns = ((bin_Q, confidence_Q - hit_Q), (bin_Q, np.ones(len(hit_Q))))
    found = _resampled(columns, group_Q, gap, seed=seed)
    replicate_R = found.replicate_R - (found.replicate_R.mean() - found.value)
    low, high = np.clip(np.percentile(replicate_R, [2.5, 97.5]), 0.0, 1.0)
    return Estimate(found.value, float(low), float(high), found.n, replicate_R)


def harmonic_mean(first: Estimate, second: Estimate) -> Estimate:
    """Returns the harmonic mean of two estimates, as CLIBD balances seen and unseen species.

    NaN where one of them was not measured.
    """
    value = _harmonic(np.asarray(first.value), np.asarray(second.value))
    replicate_R = _harmonic(first.replicate_R, second.replicate_R)
    low, high = np.percentile(replicate_R, [2.5, 97.5])
    n = first.n + second.n
    return Estimate(float(value), float(low), float(high), n, replicate_R)


def _harmonic(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    total = a + b
    product: NDArray[np.float64] = np.divide(
        2 * a * b, total, out=np.where(np.isnan(total), np.nan, 0.0), where=total > 0
    )
    return product


def difference(first: Estimate, second: Estimate) -> Estimate:
    """Returns first minus second; paired when both were made with one seed on the same queries."""
    replicate_R = first.replicate_R - second.replicate_R
    low, high = np.percentile(replicate_R, [2.5, 97.5])
    value = first.value - second.value
    return Estimate(value, float(low), float(high), first.n, replicate_R)


def macro_f1(truth_Q: NDArray[np.int64], found_Q: NDArray[np.int64]) -> float:
    """Returns the mean F1 over the classes that occur in the truth.

    >>> macro_f1(np.array([0, 0, 1]), np.array([0, 1, 1]))  # both classes: 2 / (2 + 1)
    0.666...
    """
    scores = []
    for label in np.unique(truth_Q):
        right = int(((truth_Q == label) & (found_Q == label)).sum())
        scores.append(2 * right / (int((truth_Q == label).sum()) + int((found_Q == label).sum())))
    return float(np.mean(scores)) if scores else float("nan")


def nearest(
    query_QD: NDArray[np.float32],
    key_KD: NDArray[np.float32],
    *,
    k: int,
    exclude_Q: NDArray[np.int64] | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Returns the k nearest keys of each query by inner product, exactly, best first.

    Args:
        query_QD: unit rows.
        key_KD: unit rows.
        k: at most the number of keys.
        exclude_Q: the key that each query must not find (itself), -1 for none.

    Returns:
        int64 (Q, k) keys, float32 (Q, k) cosines. Ties go to the first key.
    """
    k = min(k, len(key_KD))
    index_QK = np.empty((len(query_QD), k), dtype=np.int64)
    cosine_QK = np.empty((len(query_QD), k), dtype=np.float32)
    for start in range(0, len(query_QD), 1024):
        block = slice(start, start + 1024)
        cosine = query_QD[block] @ key_KD.T
        if exclude_Q is not None:
            rows = np.flatnonzero(exclude_Q[block] >= 0)
            cosine[rows, exclude_Q[block][rows]] = -np.inf
        order = np.argsort(-cosine, axis=1, kind="stable")[:, :k]
        index_QK[block] = order
        cosine_QK[block] = np.take_along_axis(cosine, order, axis=1)
    return index_QK, cosine_QK


def numbered_names(names: Sequence[str | None]) -> tuple[NDArray[np.int64], list[str]]:
    """Returns a number for each name (-1 for None) and the names by number, alphabetical."""
    known = sorted({name for name in names if name is not None})
    place = {name: number for number, name in enumerate(known)}
    found = np.asarray([-1 if name is None else place[name] for name in names], dtype=np.int64)
    return found, known
