"""Specimens and what was sampled -> individuals and biovolume per cubic metre.

What is not known of one specimen never costs its count: what rests on it is null, or rests on the others.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Real = NDArray[np.float64]

LITRES_A_M3 = 1000.0
MM3_A_UM3 = 1e-9
WHOLE_TAKEN = "subsample_fraction given nowhere: taken as 1"
NO_FRACTION = "subsample_fraction not given: no concentration"
OTHERS_TAKEN = "subsample_fraction missing for some records: taken as that of the others"
SOME_FRACTIONS = "subsample_fraction missing for some records, several of others: no concentration"
NO_FRACTION_THAT = "subsample_fraction above 1, which is no part of a sample: no concentration"
NO_VOLUME = "sampled_volume_l not given: no concentration"
ONE_FOR_ALL = (
    "one sampled_volume_l for several acquisition_id: taken as that of all of them together"
)
SOME_VOLUMES = "several sampled_volume_l: no concentration, count per acquisition_id"


@dataclass(frozen=True)
class Sampled:
    """What a sample stands for.

    Attributes:
        volume_l: litres of water, None where they are not known.
        weight_N: what each specimen stands for in the whole sample: 1 / its subsample fraction; NaN where
            that is not known.
        notes: what is to be said.
    """

    volume_l: float | None
    weight_N: Real
    notes: tuple[str, ...]

    @property
    def per_m3_N(self) -> Real:
        """Individuals per cubic metre that each specimen stands for, float64 (N,), NaN where not known."""
        litres = np.nan if self.volume_l is None else self.volume_l
        return np.asarray(self.weight_N / litres * LITRES_A_M3)


def sampled(volume_l_N: Real, fraction_N: Real) -> Sampled:
    """Returns what a sample of N specimens stands for; NaN where a record says nothing.

    One volume is that of the whole sample, of whatever number of runs (size fractions of one haul). Several
    volumes could mean a sum or an error: they give none.

    >>> found = sampled(np.array([500.0, 500.0]), np.array([0.5, 0.25]))
    >>> found.volume_l, found.weight_N.tolist(), found.per_m3_N.tolist()
    (500.0, [2.0, 4.0], [4.0, 8.0])
    """
    notes = []
    volumes = np.unique(volume_l_N[np.isfinite(volume_l_N) & (volume_l_N > 0)])
    volume_l = float(volumes[0]) if len(volumes) == 1 else None
    if len(volumes) > 1:
        notes.append(SOME_VOLUMES)
    elif not len(volumes):
        notes.append(NO_VOLUME)
    given_N = np.isfinite(fraction_N) & (fraction_N > 0)
    if (fraction_N[given_N] > 1).any():
        return Sampled(volume_l, np.full(len(fraction_N), np.nan), (*notes, NO_FRACTION_THAT))
    if not given_N.any():
        weight_N = np.full(len(fraction_N), np.nan)
        notes.append(NO_FRACTION)
    elif given_N.all():
        weight_N = 1.0 / fraction_N
    elif len(np.unique(fraction_N[given_N])) == 1:
        weight_N = np.full(len(fraction_N), 1.0 / float(fraction_N[given_N][0]))
        notes.append(OTHERS_TAKEN)
    else:
        weight_N = np.full(len(fraction_N), np.nan)
        notes.append(SOME_FRACTIONS)
    return Sampled(volume_l, weight_N, tuple(notes))


def fractions_or_whole(fraction_N: Real) -> tuple[Real, tuple[str, ...]]:
    """Returns the fractions of a whole table, all 1 where none is given, and what is to be said of that.

    Where some samples give a fraction, one that lacks it is no whole sample: it stays NaN.

    >>> fractions_or_whole(np.array([np.nan, np.nan]))
    (array([1., 1.]), ('subsample_fraction given nowhere: taken as 1',))
    >>> fractions_or_whole(np.array([0.5, np.nan]))
    (array([0.5, nan]), ())
    """
    if np.isfinite(fraction_N).any():
        return fraction_N, ()
    return np.ones(len(fraction_N)), (WHOLE_TAKEN,)


def sphere_mm3(esd_px_N: Real, pixel_size_um_N: Real) -> Real:
    """Returns the volume of the sphere of the same diameter, mm3; NaN where one of the two is not known.

    >>> sphere_mm3(np.array([100.0]), np.array([10.0])).round(4).tolist()  # 1 mm across: pi / 6
    [0.5236]
    """
    diameter_um_N = esd_px_N * pixel_size_um_N
    return np.asarray(np.pi / 6.0 * diameter_um_N**3 * MM3_A_UM3)


def ellipsoid_mm3(major_px_N: Real, minor_px_N: Real, pixel_size_um_N: Real) -> Real:
    """Returns the volume of the ellipse turned about its longer axis, mm3; NaN where an axis is not known.

    Axes are whole, not half, and the unseen third is as the shorter (Gorsky et al. 2010,
    doi:10.1093/plankt/fbp124).

    >>> ellipsoid_mm3(np.array([200.0]), np.array([100.0]), np.array([10.0])).round(4).tolist()
    [1.0472]
    """
    return np.asarray(np.pi / 6.0 * major_px_N * minor_px_N**2 * pixel_size_um_N**3 * MM3_A_UM3)


def first_known(*volumes: Real) -> Real:
    """Returns of each specimen the first volume that is known and above 0, else NaN."""
    found = np.full(len(volumes[0]), np.nan)
    for volume_N in volumes:
        use = np.isnan(found) & np.isfinite(volume_N) & (volume_N > 0)
        found[use] = volume_N[use]
    return found


def biovolume_per_m3(part_N: Real, per_m3_N: Real, mm3_N: Real) -> float | None:
    """Returns the biovolume of one row, mm3 per m3: specimens of unknown size are as the others on average.

    Args:
        part_N: to what part each specimen is of the row, 0 to 1.
        per_m3_N: individuals per cubic metre that it stands for.
        mm3_N: its volume, NaN where it is not known.

    Returns:
        None where no specimen of the row has a size, or the concentration is not known.
    """
    weight_N = part_N * per_m3_N
    known_N = np.isfinite(mm3_N)
    total, measured = float(weight_N.sum()), float(weight_N[known_N].sum())
    if not np.isfinite(total) or measured <= 0:
        return None
    return float(weight_N[known_N] @ mm3_N[known_N]) * total / measured


def numbers(values: Sequence[float | None]) -> Real:
    """Returns numbers with NaN for None."""
    return np.asarray([np.nan if value is None else value for value in values], dtype=np.float64)
