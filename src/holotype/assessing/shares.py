"""Shares with intervals, of records that stand for different numbers of others."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holotype.page.words import wilson


@dataclass(frozen=True)
class Share:
    """A share with its 95 % interval; None where nothing was looked at.

    Attributes:
        value: in [0, 1].
        low: lower end.
        high: upper end.
        n: records looked at.
        stands_for: records that they stand for.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    stands_for: float


def share(
    hit_S: NDArray[np.bool_], weight_S: NDArray[np.float64], stratum_S: NDArray[np.int64]
) -> Share:
    """Returns the weighted share of hits, with Wilson's interval at the effective number of records.

    The effective number is that at which a plain draw would have the variance of this one, stratum by
    stratum; each stratum's share is drawn towards the whole, so that strata of one kind keep a spread. It is
    at most n. Wilson's interval (1927, doi:10.1080/01621459.1927.10502953) at that number: Korn and Graubard
    1998 do so with the exact interval.

    >>> ones = np.ones(10)
    >>> found = share(np.arange(10) < 5, ones, np.zeros(10, np.int64))
    >>> [round(end, 3) for end in (found.value, found.low, found.high)]
    [0.5, 0.237, 0.763]
    """
    n, total = len(hit_S), float(weight_S.sum())
    if not n or total <= 0:
        return Share(None, None, None, 0, 0.0)
    value = float((hit_S * weight_S).sum() / total)
    effective = _effective(hit_S, weight_S, stratum_S, value)
    low, high = wilson(value * effective, effective)
    assert low is not None
    assert high is not None
    return Share(value, low, high, n, total)


def _effective(
    hit_S: NDArray[np.bool_],
    weight_S: NDArray[np.float64],
    stratum_S: NDArray[np.int64],
    value: float,
) -> float:
    total = weight_S.sum()
    kish = float(total**2 / (weight_S**2).sum())
    strata, index_S = np.unique(stratum_S, return_inverse=True)
    size_H = np.bincount(index_S, minlength=len(strata)).astype(np.float64)
    right_H = np.bincount(index_S, weights=hit_S, minlength=len(strata))
    middle = (value * kish + 1) / (kish + 2)
    drawn_H = (right_H + middle) / (size_H + 1)
    mass_H = np.bincount(index_S, weights=weight_S, minlength=len(strata)) / total
    variance = float((mass_H**2 * drawn_H * (1 - drawn_H) / size_H).sum())
    return min(float(len(hit_S)), middle * (1 - middle) / variance) if variance > 0 else kish
