"""Figures over seeds and queries: one interval that holds both, paired differences, Holm's correction.

Shapes: S seeds, R bootstrap replicates over the groups of queries (the same draws for every arm), M splits.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holotype.randomness import generator

LEVEL = 0.95
MIN_QUERIES = 10
"""Fewer queries than this carry no interval."""


@dataclass(frozen=True)
class Sample:
    """A figure of one arm on one split, measured once a seed.

    Attributes:
        split: its name; splits are drawn apart from one another.
        value_S: float64.
        replicate_SR: float64, the bootstrap over queries of each seed; None where there is none.
        n: queries.
        stated_variance: of the sampling of queries, from the figure's own interval, for figures without
            replicates; None where there is neither.
    """

    split: str
    value_S: NDArray[np.float64]
    replicate_SR: NDArray[np.float64] | None
    n: int
    stated_variance: float | None = None


@dataclass(frozen=True)
class Interval:
    """A pooled figure.

    Attributes:
        value: mean over seeds, then over splits.
        low, high: of the 95 % interval; None where there is nothing to make one of.
        p: of no difference from zero, two-sided; None likewise.
        seeds: how many are in it, the least of the splits; with one, seed variance is not in the interval.
        over_queries: whether the sampling of queries is in it.
        n: queries, added over splits.
    """

    value: float
    low: float | None
    high: float | None
    p: float | None
    seeds: int
    over_queries: bool
    n: int


def paired(first: Sample, second: Sample) -> Sample:
    """Returns first minus second, seed by seed and draw by draw; both must have the same seeds.

    Without replicates the variances over queries add up, as if the two had been asked different queries: too
    wide rather than too narrow.
    """
    replicate_SR = None
    if first.replicate_SR is not None and second.replicate_SR is not None:
        replicate_SR = first.replicate_SR - second.replicate_SR
    stated = None
    if first.stated_variance is not None and second.stated_variance is not None:
        stated = first.stated_variance + second.stated_variance
    return Sample(first.split, first.value_S - second.value_S, replicate_SR, first.n, stated)


def difference_interval(
    samples: Sequence[Sample], *, bounds: tuple[float, float] = (-math.inf, math.inf)
) -> Interval:
    """Returns the mean with its interval by Student's t, and the p of no difference.

    The variance is the sum of that over query groups (bootstrap) and that over seeds (between the seeds'
    values, divided by S); its degrees of freedom are Satterthwaite's (1946, doi:10.2307/3002019), so that
    three seeds count as three.

    Args:
        samples: one a split.
        bounds: the interval is cut to them.
    """
    value, variance, freedom = _moments(samples)
    seeds, asked, over = _basis(samples)
    if variance is None:
        return Interval(value, None, None, None, seeds, over, asked)
    if variance == 0.0:
        return Interval(value, value, value, float(value == 0.0), seeds, over, asked)
    half = _quantile(freedom) * math.sqrt(variance)
    p = _two_sided(abs(value) / math.sqrt(variance), freedom)
    low, high = max(bounds[0], value - half), min(bounds[1], value + half)
    return Interval(value, low, high, p, seeds, over, asked)


def figure_interval(samples: Sequence[Sample], *, bounds: tuple[float, float]) -> Interval:
    """Returns the mean with a percentile interval of the bootstrap over seeds, then query groups.

    Of S seeds, S - 1 are drawn with replacement (Rao & Wu 1988, doi:10.1080/01621459.1988.10478591): drawing
    S of so few would give too small a variance. Percentiles are moved away from the mean by the ratio of
    Student's quantile to the normal one.

    Args:
        samples: one a split.
        bounds: the interval is cut to them.
    """
    value, variance, freedom = _moments(samples)
    seeds, asked, over = _basis(samples)
    if variance is None:
        return Interval(value, None, None, None, seeds, over, asked)
    if any(sample.replicate_SR is None for sample in samples):
        half = _quantile(freedom) * math.sqrt(variance)
        low, high = value - half, value + half
    else:
        replicate_R = np.mean([_over_seeds(sample) for sample in samples], axis=0)
        stretch = _quantile(freedom) / 1.959964
        percentiles = np.percentile(replicate_R, [2.5, 97.5])
        low, high = (float(value + stretch * (end - value)) for end in percentiles)
    low, high = (min(max(end, bounds[0]), bounds[1]) for end in (low, high))
    return Interval(value, low, high, None, seeds, over, asked)


def holm(p: Sequence[float | None]) -> list[float | None]:
    """Returns Holm's adjusted p values (Holm 1979); None keeps its place and is not counted.

    >>> holm([0.01, 0.04, None, 0.03])
    [0.03, 0.06, None, 0.06]
    """
    known = sorted((value, place) for place, value in enumerate(p) if value is not None)
    adjusted: list[float | None] = [None] * len(p)
    reached = 0.0
    for rank, (value, place) in enumerate(known):
        reached = max(reached, min(1.0, (len(known) - rank) * value))
        adjusted[place] = reached
    return adjusted


def _basis(samples: Sequence[Sample]) -> tuple[int, int, bool]:
    seeds = min(len(sample.value_S) for sample in samples)
    over_queries = all(
        sample.replicate_SR is not None or sample.stated_variance is not None for sample in samples
    )
    return seeds, sum(sample.n for sample in samples), over_queries


def _moments(samples: Sequence[Sample]) -> tuple[float, float | None, float]:
    """Returns the mean, its variance (None where nothing gives one) and the degrees of freedom."""
    value = float(np.mean([sample.value_S.mean() for sample in samples]))
    parts: list[tuple[float, float]] = []
    for sample in samples:
        if sample.n < MIN_QUERIES or not np.isfinite(sample.value_S).all():
            return value, None, math.inf
        count = len(sample.value_S)
        if count > 1:
            parts.append((float(sample.value_S.var(ddof=1)) / count, count - 1))
        if sample.replicate_SR is not None:
            parts.append((float(sample.replicate_SR.mean(axis=0).var(ddof=1)), sample.n - 1))
        elif sample.stated_variance is not None:
            parts.append((sample.stated_variance, sample.n - 1))
    if not parts:
        return value, None, math.inf
    scale = len(samples) ** 2
    total = sum(variance for variance, _ in parts) / scale
    if total == 0.0:
        return value, 0.0, math.inf
    weights = sum((variance / scale) ** 2 / freedom for variance, freedom in parts)
    return value, total, total**2 / weights


def _over_seeds(sample: Sample) -> NDArray[np.float64]:
    """Returns the replicates of the mean over seeds, each of seeds and queries drawn anew, (R,)."""
    assert sample.replicate_SR is not None
    seeds, replicates = sample.replicate_SR.shape
    rng = generator(0, "seeds", sample.split, seeds)
    drawn_RS = rng.integers(0, seeds, size=(replicates, max(1, seeds - 1)))
    found: NDArray[np.float64] = sample.replicate_SR[drawn_RS, np.arange(replicates)[:, None]].mean(
        axis=1
    )
    return found


def _quantile(freedom: float) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(min(freedom, 1e6), (1 + LEVEL) / 2))


def _two_sided(t: float, freedom: float) -> float:
    from scipy.special import stdtr

    return float(2 * stdtr(min(freedom, 1e6), -t))
