"""Is a sample of the domain that the classifier was checked on? Embeddings at equal shares of labels.

Shapes: N specimens of a sample, V held-out records, K labels, D dimensions.
Another mix of the same labels is no other domain: the held-out records are weighed to the shares of the
sample first. What is left is the distance between what labels looked like then and what they look like now.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Real = NDArray[np.float64]
Whole = NDArray[np.int64]
Single = NDArray[np.float32]

SMALL, LARGE = 0.02, 0.05
"""Up to ``SMALL`` a distance does not matter; above ``LARGE`` no chance excuses it."""
LEAST_CHANCE = 0.05
"""Between the two it counts, unless more than this part of samples of the held-out records are as far."""
DRAWS = 99
MOST_COMPARED = 600
"""Specimens of a sample that are compared; drawn where there are more."""


@dataclass(frozen=True)
class DomainTest:
    """How far a sample is from the held-out records, at equal shares of labels.

    Attributes:
        distance: the energy distance as a part of the mean distance between a specimen and a record: about
            0 in the same domain (it may be just below), 1 for two points apart.
        p_value: how often samples of the held-out records themselves are as far; None where the distance
            alone decides.
    """

    distance: float
    p_value: float | None

    @property
    def is_same(self) -> bool:
        """Whether the sample passes: the distance is small, or chance alone makes such distances."""
        if self.p_value is None:
            return self.distance <= SMALL
        return self.p_value > LEAST_CHANCE


def energy_distance(z_ND: Single, z_VD: Single, weight_V: Real) -> float:
    """Returns the relative energy distance between a sample and weighed records, without bias of size.

    ``(2 E|X-Y| - E|X-X'| - E|Y-Y'|) / 2 E|X-Y|`` (Székely & Rizzo 2013, doi:10.1016/j.jspi.2013.03.018),
    the means within over pairs of different members.

    Args:
        z_ND: of the sample, two specimens at least.
        z_VD: of the records.
        weight_V: how much each counts; at least two above 0.
    """
    held = weight_V > 0
    weight_V, z_VD = weight_V[held] / weight_V[held].sum(), z_VD[held]
    between = 2.0 * float((_distances(z_ND, z_VD) @ weight_V).mean())
    count = len(z_ND)
    within_N = float(_distances(z_ND, z_ND).sum()) / (count * (count - 1))
    spread = 1.0 - float(weight_V @ weight_V)
    within_V = float(weight_V @ _distances(z_VD, z_VD) @ weight_V) / spread if spread > 0 else 0.0
    return (between - within_N - within_V) / max(between, 1e-12)


def share_weights(label_V: Whole, share_K: Real) -> Real:
    """Returns what records have to weigh so that their labels have the shares, float64 (V,).

    >>> share_weights(np.array([0, 0, 1]), np.array([0.5, 0.5])).tolist()
    [0.25, 0.25, 0.5]
    """
    count_K = np.bincount(label_V, minlength=len(share_K))
    return np.asarray(share_K[label_V] / count_K[label_V])


def domain_test(
    z_ND: Single,
    share_K: Real,
    z_VD: Single,
    label_V: Whole,
    estimated_shares: Callable[[Whole], Real],
    rng: np.random.Generator,
) -> DomainTest:
    """Returns whether a sample looks like the held-out records, label for label.

    Where the distance alone does not decide, samples as large as this one are drawn from one half of the
    held-out records at the shares of this one, and compared with the other half in the same way, shares
    estimated anew: so chance, few records of a label and wrong shares are in the distances of that half.

    Args:
        z_ND: embeddings of the sample, unit rows.
        share_K: its labels' shares, as estimated.
        z_VD: embeddings of the held-out records.
        label_V: their true labels, 0 to K - 1.
        estimated_shares: the shares that are estimated for a sample of held-out records, given their rows.
        rng: of the draws.
    """
    if len(z_ND) > MOST_COMPARED:
        z_ND = z_ND[rng.choice(len(z_ND), MOST_COMPARED, replace=False)]
    distance = energy_distance(z_ND, z_VD, share_weights(label_V, share_K))
    if distance <= SMALL or distance > LARGE:
        return DomainTest(distance, None)
    as_far = 0
    for _ in range(DRAWS):
        is_one_V = _half(label_V, rng)
        one, other = np.flatnonzero(is_one_V), np.flatnonzero(~is_one_V)
        chance_V = share_weights(label_V[other], share_K)
        drawn = rng.choice(other, size=len(z_ND), p=chance_V / chance_V.sum())
        null = energy_distance(
            z_VD[drawn], z_VD[one], _weights(label_V[one], estimated_shares(drawn))
        )
        own = energy_distance(z_ND, z_VD[one], _weights(label_V[one], share_K))
        as_far += null >= own
    return DomainTest(distance, (1 + as_far) / (DRAWS + 1))


def _weights(label_V: Whole, share_K: Real) -> Real:
    """Returns the weights; each record keeps a little, so that two at least are left."""
    return share_weights(label_V, share_K) + 1e-9


def _half(label_V: Whole, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Returns one half of the records of each label at random; of an odd number either half has one more."""
    order = rng.permutation(len(label_V))
    order = order[np.argsort(label_V[order], kind="stable")]
    _, start, count = np.unique(label_V[order], return_index=True, return_counts=True)
    place = np.arange(len(order)) - np.repeat(start, count)
    shift = np.repeat(rng.integers(0, 2, size=len(start)), count)
    is_one = np.zeros(len(label_V), dtype=np.bool_)
    is_one[order[(place + shift) % 2 == 0]] = True
    return is_one


def _distances(one: Single, other: Single) -> Real:
    """Returns the Euclidean distances of unit rows."""
    square = 2.0 - 2.0 * (one @ other.T)
    distance = np.sqrt(np.maximum(square, 0.0))
    if one is other:
        np.fill_diagonal(distance, 0.0)
    return np.asarray(distance, dtype=np.float64)
