"""Curves and outlines in body units: the head is at x = -1, the tail at x = +1, y points down."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

Points = NDArray[np.float64]
"""Points as rows of x and y in body units, shape (N, 2)."""


@dataclass(frozen=True, slots=True)
class Spine:
    """A body axis from head to tail, and places beside it.

    Attributes:
        points: Points along the axis, shape (N, 2).
        normals: Unit normals, shape (N, 2), to the left of the way from head to tail.
    """

    points: Points
    normals: Points

    @classmethod
    def bent(cls, *, bend: float, wave: float = 0.0, length: float = 2.0, num: int = 40) -> Self:
        """An axis centred at 0 whose heading turns by ``bend`` radians, with an S-shaped wave."""
        s_N = np.linspace(0.0, 1.0, num)
        heading_N = bend * (s_N - 0.5) + wave * np.sin(2 * np.pi * s_N)
        steps_N2 = np.stack([np.cos(heading_N), np.sin(heading_N)], axis=1) * length / (num - 1)
        points_N2 = np.cumsum(steps_N2, axis=0)
        normals_N2 = np.stack([-np.sin(heading_N), np.cos(heading_N)], axis=1)
        return cls(points=points_N2 - points_N2.mean(axis=0), normals=normals_N2)

    def at(self, along: ArrayLike, beside: ArrayLike = 0.0) -> Points:
        """Points at shares 0..1 of the length, moved ``beside`` the axis, in body units."""
        s_N, w_N = np.broadcast_arrays(
            np.atleast_1d(np.asarray(along, dtype=np.float64)),
            np.asarray(beside, dtype=np.float64),
        )
        grid = np.linspace(0.0, 1.0, len(self.points))
        table_N4 = np.concatenate([self.points, self.normals], axis=1)
        found_N4 = np.stack([np.interp(s_N, grid, column) for column in table_N4.T], axis=1)
        return np.asarray(found_N4[:, :2] + w_N[:, None] * found_N4[:, 2:])

    def heading(self, along: float) -> float:
        """The direction towards the tail at a share of the length, in radians."""
        normal = self.at(along, 1.0)[0] - self.at(along)[0]
        return float(np.arctan2(-normal[0], normal[1]))

    def tube(self, along: ArrayLike, half_width: ArrayLike) -> Points:
        """The closed outline of a body with the given half widths along the axis."""
        s_N = np.asarray(along, dtype=np.float64)
        w_N = np.asarray(half_width, dtype=np.float64)
        return np.concatenate([self.at(s_N, w_N), self.at(s_N[::-1], -w_N[::-1])])


def ellipse(
    centre: ArrayLike, radii: tuple[float, float], *, tilt: float = 0.0, num: int = 36
) -> Points:
    """The outline of an ellipse with radii in body units and tilt in radians."""
    turn_N = np.linspace(0.0, 2 * np.pi, num, endpoint=False)
    flat_N2 = np.stack([radii[0] * np.cos(turn_N), radii[1] * np.sin(turn_N)], axis=1)
    return rotated(flat_N2, tilt) + np.asarray(centre, dtype=np.float64).reshape(1, 2)


def rotated(points_N2: Points, angle: float) -> Points:
    """The points turned about the origin by an angle in radians."""
    cos, sin = np.cos(angle), np.sin(angle)
    return np.asarray(points_N2 @ np.array([[cos, sin], [-sin, cos]]))


def whip(
    start: ArrayLike, *, angle: float, length: float, bend: float = 0.0, wave: float = 0.0
) -> Points:
    """A hair, leg or tentacle: 14 points from ``start``, turning by ``bend`` radians on its way."""
    s_N = np.linspace(0.0, 1.0, 14)
    heading_N = angle + bend * s_N + wave * np.sin(2 * np.pi * 1.3 * s_N)
    steps_N2 = np.stack([np.cos(heading_N), np.sin(heading_N)], axis=1) * length / 13
    steps_N2[0] = 0.0
    return np.asarray(np.cumsum(steps_N2, axis=0) + np.asarray(start, dtype=np.float64).reshape(2))


def polar(radius_N: Points, angle_N: Points) -> Points:
    """Points from radii in body units and angles in radians."""
    return np.stack([radius_N * np.cos(angle_N), radius_N * np.sin(angle_N)], axis=1)


def lobe(start: ArrayLike, *, angle: float, length: float, width: float, tip: float) -> Points:
    """A wing or fin: a drop with its stalk at ``start``.

    Args:
        start: The stalk.
        angle: The direction of the tip, in radians.
        length: Stalk to tip, in body units.
        width: Half of the greatest width, in body units.
        tip: Where the greatest width is, as a share 0..1 of the length.
    """
    s_N = np.linspace(0.0, 1.0, 18)
    power = np.log(0.5) / np.log(np.clip(tip, 0.2, 0.85))
    half_N = width * np.sin(np.pi * s_N**power) ** 0.75
    upper_N2 = np.stack([s_N * length, half_N], axis=1)
    lower_N2 = np.stack([s_N[::-1] * length, -0.8 * half_N[::-1]], axis=1)
    outline_N2 = rotated(np.concatenate([upper_N2, lower_N2]), angle)
    return np.asarray(outline_N2 + np.asarray(start, dtype=np.float64).reshape(1, 2))
