"""How far reviewers agree on the records that two or more of them decided on.

U records, R reviewers, C labels. Unclassified counts as a label of its own.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holotype.page.words import wilson
from holotype.randomness import generator
from holotype.reviewing.state import State

RESAMPLES = 500
_WITH_INTERVAL = 10
"""Records from which on an interval of a coefficient is worth stating."""


@dataclass(frozen=True)
class Figure:
    """A figure with its 95 % interval; what is not known is None."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Pair:
    """Two reviewers.

    Attributes:
        reviewers: their names.
        records: that both decided on.
        same: on how many they say the same.
        share: of these, with Wilson's interval.
        kappa: Cohen's kappa (Cohen 1960, doi:10.1177/001316446002000104), with a bootstrap interval over
            records; None where chance alone would agree always.
    """

    reviewers: tuple[str, str]
    records: int
    same: int
    share: Figure
    kappa: Figure


@dataclass(frozen=True)
class Agreement:
    """How far all reviewers agree.

    Attributes:
        records: that two or more decided on.
        disputed: on how many of these not all say the same.
        share: of these on which all say the same, with Wilson's interval.
        alpha: Krippendorff's alpha for names, over all reviewers (Hayes & Krippendorff 2007,
            doi:10.1080/19312450709336664), with a bootstrap interval over records.
        pairs: every two reviewers who share a record.
    """

    records: int
    disputed: int
    share: Figure
    alpha: Figure
    pairs: tuple[Pair, ...]


def agreement(state: State, *, seed: int = 0) -> Agreement:
    """Returns how far the reviewers of a log agree."""
    return agreement_of(
        {
            record: {name: decision.label or "" for name, decision in found.items()}
            for record, found in state.decided()
        },
        seed=seed,
    )


def agreement_of(said: Mapping[str, Mapping[str, str]], *, seed: int = 0) -> Agreement:
    """Returns how far reviewers agree.

    Args:
        said: record -> reviewer -> label; "" for unclassified.
        seed: of the bootstrap.
    """
    shared = [found for found in said.values() if len(found) > 1]
    same = sum(len(set(found.values())) == 1 for found in shared)
    names = sorted({name for found in shared for name in found})
    pairs = [_pair(pair, shared, seed) for pair in itertools.combinations(names, 2)]
    return Agreement(
        len(shared),
        len(shared) - same,
        _share(same, len(shared)),
        _alpha(shared, seed),
        tuple(pair for pair in pairs if pair.records),
    )


def _share(same: int, asked: int) -> Figure:
    return Figure(same / asked, *wilson(same, asked)) if asked else Figure(None)


def _pair(names: tuple[str, str], shared: Sequence[Mapping[str, str]], seed: int) -> Pair:
    both = [
        (found[names[0]], found[names[1]])
        for found in shared
        if names[0] in found and names[1] in found
    ]
    same = sum(one == other for one, other in both)
    return Pair(names, len(both), same, _share(same, len(both)), _kappa(both, seed))


def _kappa(both: Sequence[tuple[str, str]], seed: int) -> Figure:
    if not both:
        return Figure(None)
    codes = np.unique(np.asarray(both, dtype=np.str_).ravel(), return_inverse=True)[1].reshape(
        -1, 2
    )
    value = _kappa_of(codes)
    if value is None or len(both) < _WITH_INTERVAL:
        return Figure(value)
    random = generator(seed, "review kappa")
    drawn = [_kappa_of(codes[random.integers(0, len(codes), len(codes))]) for _ in range(RESAMPLES)]
    return _with_interval(value, [one for one in drawn if one is not None])


def _kappa_of(code_U2: NDArray[np.int64]) -> float | None:
    labels = int(code_U2.max()) + 1
    first, second = (np.bincount(code_U2[:, at], minlength=labels) / len(code_U2) for at in (0, 1))
    chance = float(first @ second)
    if chance >= 1:
        return None
    return float(((code_U2[:, 0] == code_U2[:, 1]).mean() - chance) / (1 - chance))


def _alpha(shared: Sequence[Mapping[str, str]], seed: int) -> Figure:
    """Returns Krippendorff's alpha for nominal values; missing decisions are none."""
    if not shared:
        return Figure(None)
    labels = {name: at for at, name in enumerate(sorted({v for f in shared for v in f.values()}))}
    count_UC = np.zeros((len(shared), len(labels)))
    for at, found in enumerate(shared):
        for label in found.values():
            count_UC[at, labels[label]] += 1
    said_U = count_UC.sum(axis=1)
    differ_U = (said_U**2 - (count_UC**2).sum(axis=1)) / (said_U - 1)
    value = _alpha_of(differ_U.sum(), count_UC.sum(axis=0))
    if value is None or len(shared) < _WITH_INTERVAL:
        return Figure(value)
    random = generator(seed, "review alpha")
    drawn = []
    for _ in range(RESAMPLES):
        weight_U = np.bincount(random.integers(0, len(shared), len(shared)), minlength=len(shared))
        drawn.append(_alpha_of(float(weight_U @ differ_U), weight_U @ count_UC))
    return _with_interval(value, [one for one in drawn if one is not None])


def _alpha_of(differ: float, count_C: NDArray[np.float64]) -> float | None:
    total = float(count_C.sum())
    expected = total**2 - float((count_C**2).sum())
    return None if expected <= 0 else float(1 - (total - 1) * differ / expected)


def _with_interval(value: float, drawn: Sequence[float]) -> Figure:
    if len(drawn) < RESAMPLES // 2:
        return Figure(value)
    low, high = np.quantile(np.asarray(drawn), [0.025, 0.975]).tolist()
    return Figure(value, low, high)
