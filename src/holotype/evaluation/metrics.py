"""Scores of arrays, with intervals. Never sees a model, never imports torch.

Shapes: Q queries, K candidates by rank of score, R bootstrap replicates.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holotype.randomness import generator

REPLICATES = 300


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
    if not len(hit_Q):
        return Estimate(float("nan"), float("nan"), float("nan"), 0, np.full(REPLICATES, np.nan))
    _, class_index = np.unique(class_Q, return_inverse=True)
    groups, group_index = np.unique(group_Q, return_inverse=True)
    num_classes, hit = int(class_index.max()) + 1, hit_Q.astype(np.float64)

    def mean_over_classes(weight_Q: NDArray[np.float64]) -> float:
        total = np.bincount(class_index, weight_Q, minlength=num_classes)
        right = np.bincount(class_index, weight_Q * hit, minlength=num_classes)
        held = total > 0
        return float((right[held] / total[held]).mean())

    rng = generator(seed, "bootstrap")
    chances = np.full(len(groups), 1 / len(groups))
    replicate_R = np.empty(REPLICATES)
    for replicate in range(REPLICATES):
        drawn = rng.multinomial(len(groups), chances).astype(np.float64)
        replicate_R[replicate] = mean_over_classes(drawn[group_index])
    low, high = np.percentile(replicate_R, [2.5, 97.5])
    value = mean_over_classes(np.ones(len(hit)))
    return Estimate(value, float(low), float(high), len(hit_Q), replicate_R)


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
