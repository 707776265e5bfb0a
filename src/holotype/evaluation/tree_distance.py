"""How far apart records are in the tree, and figures over them. Arrays in, arrays out; never sees a model.

Shapes: T ranks in use, wide to narrow; Q queries, K keys; G groups; R bootstrap replicates; S sums.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from holotype.evaluation.metrics import REPLICATES, Estimate
from holotype.randomness import generator

NOWHERE = -1
"""The place of a missing name in a path."""


@dataclass(frozen=True)
class Kinship:
    """What pairs of paths share.

    Attributes:
        height: int64, ranks from the narrowest one in use up to the narrowest taxon known to be shared: 0 is
            one species (where species are in use), T is nothing shared.
        clash: bool, whether some rank names them differently. Without a clash one of the two may only be
            known less far, and the height says nothing of the ranks below.
    """

    height: NDArray[np.int64]
    clash: NDArray[np.bool_]


def kinship(first: NDArray[np.int64], second: NDArray[np.int64]) -> Kinship:
    """Returns what paths share; leading axes are broadcast, the last is the T ranks.

    Ranks that one of the two does not name are passed over; below a clash nothing is shared any more (the
    same genus name in two kingdoms is two genera).

    >>> calanus, acartia, a_copepod = np.array([[0, 3, 5], [0, 3, 6], [0, 3, -1]])
    >>> kinship(calanus, acartia)
    Kinship(height=array(1), clash=array(True))
    >>> kinship(calanus, a_copepod)
    Kinship(height=array(1), clash=array(False))
    """
    both = (first >= 0) & (second >= 0)
    differ = both & (first != second)
    clashed = np.logical_or.accumulate(differ, axis=-1)
    agree = both & ~clashed
    width = agree.shape[-1]
    narrowest = np.where(agree, np.arange(1, width + 1), 0).max(axis=-1)
    return Kinship(np.asarray(width - narrowest), np.asarray(clashed[..., -1]))


def height_of(path: NDArray[np.int64]) -> NDArray[np.int64]:
    """Returns the height of each record's own narrowest name, T where it has none; int64."""
    width = path.shape[-1]
    named = np.where(path >= 0, np.arange(1, width + 1), 0)
    return np.asarray(width - named.max(axis=-1), dtype=np.int64)


@dataclass(frozen=True)
class Mistakes:
    """What answers are worth in the tree.

    Attributes:
        severity_Q: float64, ranks from the query's own taxon up to what it shares with the answer; 0 where
            nothing contradicts.
        wrong_Q: bool, whether the answer contradicts the query.
        judged_Q: bool; not judged are queries without a place in the tree, answers without any name, and
            answers that are right as far as they go but wider than the query's own name.
        height_Q: int64, of the narrowest taxon that both share.
    """

    severity_Q: NDArray[np.float64]
    wrong_Q: NDArray[np.bool_]
    judged_Q: NDArray[np.bool_]
    height_Q: NDArray[np.int64]


def mistakes(
    query_QT: NDArray[np.int64], answer_QT: NDArray[np.int64], named_Q: NDArray[np.bool_]
) -> Mistakes:
    """Returns how wrong each answer is.

    Args:
        query_QT: the queries' paths.
        answer_QT: the answers' paths; all -1 for what is no taxon (a bubble).
        named_Q: whether the answer has any name. One that has a name but no place in the tree is a mistake
            of the full height.
    """
    found = kinship(query_QT, answer_QT)
    own_Q, answered_Q = height_of(query_QT), height_of(answer_QT)
    width = query_QT.shape[1]
    placed_Q = own_Q < width
    outside_Q = placed_Q & named_Q & (answered_Q == width)
    wrong_Q = placed_Q & (found.clash | outside_Q)
    far_enough_Q = answered_Q <= own_Q
    judged_Q = placed_Q & named_Q & (wrong_Q | far_enough_Q)
    severity_Q = np.where(wrong_Q, found.height - own_Q, 0).astype(np.float64)
    return Mistakes(severity_Q, wrong_Q & judged_Q, judged_Q, found.height)


def resampled(
    sum_QS: NDArray[np.float64],
    group_Q: NDArray[np.int64],
    figure: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    *,
    seed: int,
) -> Estimate:
    """Returns a figure of sums over queries, with the interval of drawing groups of queries anew.

    Args:
        sum_QS: what each query adds to each sum.
        group_Q: queries that are drawn together.
        figure: sums (R, S) -> figures (R,); NaN where a replicate lacks what it needs.
        seed: of the bootstrap, the same draws as in ``metrics``.
    """
    nothing = np.full(REPLICATES, np.nan)
    if not len(sum_QS):
        return Estimate(np.nan, np.nan, np.nan, 0, nothing)
    groups, group_index = np.unique(group_Q, return_inverse=True)
    sum_GS = np.zeros((len(groups), sum_QS.shape[1]))
    np.add.at(sum_GS, group_index, sum_QS)
    replicate_R = figure(_draws(len(groups), seed) @ sum_GS)
    value = float(figure(sum_GS.sum(axis=0, keepdims=True))[0])
    low, high = _between(replicate_R)
    return Estimate(value, low, high, len(sum_QS), replicate_R)


@lru_cache(maxsize=4)
def _draws(num_groups: int, seed: int) -> NDArray[np.float64]:
    """How often each replicate holds each group, (R, G); many figures ask for the same draws."""
    rng = generator(seed, "bootstrap")
    chances = np.full(num_groups, 1 / num_groups)
    return rng.multinomial(num_groups, chances, size=REPLICATES).astype(np.float64)


def _between(replicate_R: NDArray[np.float64]) -> tuple[float, float]:
    known = replicate_R[~np.isnan(replicate_R)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.percentile(known, [2.5, 97.5])
    return float(low), float(high)


def mean_of(value_Q: NDArray[np.float64], group_Q: NDArray[np.int64], *, seed: int) -> Estimate:
    """Returns the mean over queries."""
    return resampled(np.stack([value_Q, np.ones(len(value_Q))], axis=1), group_Q, _ratio, seed=seed)


def _ratio(sum_RS: NDArray[np.float64]) -> NDArray[np.float64]:
    empty = np.full(len(sum_RS), np.nan)
    found: NDArray[np.float64] = np.divide(
        sum_RS[:, 0], sum_RS[:, 1], out=empty, where=sum_RS[:, 1] > 0
    )
    return found


def rank_correlation(
    distance_QK: NDArray[np.float64],
    height_QK: NDArray[np.int64],
    use_QK: NDArray[np.bool_],
    group_Q: NDArray[np.int64],
    *,
    seed: int,
) -> Estimate:
    """Returns Spearman's correlation over the pairs in use, ties at their mean rank.

    The interval draws queries (by group) anew with the ranks of the whole sample kept, so that no
    replicate sorts again.

    Returns:
        An estimate in [-1, 1]; NaN where one side does not vary. ``n`` is the queries with a pair.
    """
    asked = use_QK.any(axis=1)
    query_P, key_P = np.nonzero(use_QK)
    if not len(query_P):
        return mean_of(np.zeros(0), np.zeros(0, dtype=np.int64), seed=seed)
    x_P = _mean_ranks(distance_QK[query_P, key_P])
    y_P = _mean_ranks(height_QK[query_P, key_P])
    middle = (len(query_P) + 1) / 2
    x_P, y_P = (x_P - middle) / len(query_P), (y_P - middle) / len(query_P)
    terms = (np.ones(len(x_P)), x_P, y_P, x_P * x_P, y_P * y_P, x_P * y_P)
    sums = [np.bincount(query_P, term, minlength=len(use_QK)) for term in terms]
    sum_QS = np.stack(sums, axis=1).astype(np.float64)
    return resampled(sum_QS[asked], group_Q[asked], _correlation, seed=seed)


def _mean_ranks(value_P: NDArray[np.generic]) -> NDArray[np.float64]:
    """Ranks from 1; equal values share the mean of theirs."""
    _, place_P, ties = np.unique(value_P, return_inverse=True, return_counts=True)
    last = np.cumsum(ties)
    return np.asarray((last - (ties - 1) / 2)[place_P], dtype=np.float64)


def _correlation(sum_RS: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pearson's correlation from n, x, y, xx, yy, xy."""
    n, x, y, xx, yy, xy = sum_RS.T
    spread = np.clip(n * xx - x * x, 0, None) * np.clip(n * yy - y * y, 0, None)
    empty = np.full(len(sum_RS), np.nan)
    found: NDArray[np.float64] = np.divide(
        n * xy - x * y, np.sqrt(spread), out=empty, where=spread > 1e-20
    )
    return np.clip(found, -1.0, 1.0)


def ceiling(height_P: NDArray[np.int64]) -> float:
    """Returns the greatest Spearman correlation that distances without ties can have with these heights.

    Heights are a few whole numbers, so even distances in perfect order stay below 1. NaN where all are equal.

    >>> round(ceiling(np.array([0, 1, 1, 1])), 4)
    0.7746
    """
    count = len(height_P)
    ties = np.unique(height_P, return_counts=True)[1].astype(np.float64)
    if len(ties) < 2:
        return float("nan")
    return float(np.sqrt(1 - (ties**3 - ties).sum() / (float(count) ** 3 - count)))
