"""Where, how deep and when the records that pass were taken: counts in bins that a figure can hold."""

import math
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from holotype.app.exploring.box import Box
from holotype.app.exploring.view import View

MOST_CELLS = 1_500
CELL_STEPS_DEG = (0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0)
DEPTH_EDGES_M = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 12_000)
_WHOLE_DEG = 120.0
_MARGIN = 0.15


@dataclass(frozen=True)
class Cell:
    """One cell of the map with its records."""

    box: Box
    records: int

    @property
    def middle(self) -> tuple[float, float]:
        """Latitude and longitude of its middle."""
        south, north = self.box.south, self.box.north
        return (south + north) / 2, (self.box.west + self.box.east) / 2


@dataclass(frozen=True)
class Places:
    """The records by place.

    Attributes:
        cells: those that hold records.
        step_deg: side of a cell.
        frame: what the map should show.
        records: with a place.
        without: without one.
    """

    cells: tuple[Cell, ...]
    step_deg: float
    frame: Box
    records: int
    without: int


def places(view: View) -> Places | None:
    """Returns the records by cells, the finest of which there are at most ``MOST_CELLS``.

    None where no place is known.
    """
    latitude = view.facts.latitude_N[view.row_R]
    longitude = view.facts.longitude_N[view.row_R]
    known = ~np.isnan(latitude) & ~np.isnan(longitude)
    if not known.any():
        return None
    step = CELL_STEPS_DEG[0]
    rows, columns, counts = _cells(latitude[known], longitude[known], step)
    middles = (rows + 0.5) * step, (columns + 0.5) * step
    for step in CELL_STEPS_DEG:
        rows, columns, summed = _cells(*middles, step, counts)
        if len(summed) <= MOST_CELLS:
            break
    cells = tuple(
        Cell(_box(row, column, step), count)
        for row, column, count in zip(rows.tolist(), columns.tolist(), summed.tolist(), strict=True)
    )
    found = int(known.sum())
    return Places(cells, step, _frame(cells, step), found, len(view) - found)


def _cells(
    latitude: NDArray[np.floating],
    longitude: NDArray[np.floating],
    step: float,
    weights: NDArray[np.int64] | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Returns row, column and records of each cell; the upper limits are in the last cells."""
    high = round(180 / step)
    rows = np.minimum(np.floor(latitude.astype(np.float64) / step + 1e-4), high // 2 - 1)
    columns = np.minimum(np.floor(longitude.astype(np.float64) / step + 1e-4), high - 1)
    width = 2 * high + 1
    key = (rows.astype(np.int64) + high) * width + columns.astype(np.int64) + high
    unique, of = np.unique(key, return_inverse=True)
    counts = np.bincount(of, weights=weights, minlength=len(unique)).astype(np.int64)
    return unique // width - high, unique % width - high, counts


def _box(row: int, column: int, step: float) -> Box:
    south, west = round(row * step, 4), round(column * step, 4)
    return Box(south, west, round(south + step, 4), round(west + step, 4))


def _frame(cells: tuple[Cell, ...], step: float) -> Box:
    """Returns bounds around the cells: the whole world where they are far apart, else with a margin."""
    south, north = min(c.box.south for c in cells), max(c.box.north for c in cells)
    west, east = min(c.box.west for c in cells), max(c.box.east for c in cells)
    if east - west > _WHOLE_DEG or north - south > _WHOLE_DEG / 2:
        return Box(-90, -180, 90, 180)
    margin = max(_MARGIN * max(east - west, north - south), 3 * step, 1.0)
    return Box(
        max(-90, south - margin), max(-180, west - margin),
        min(90, north + margin), min(180, east + margin),
    )  # fmt: skip


@cache
def coastline() -> tuple[tuple[float | None, ...], tuple[float | None, ...]]:
    """Returns longitudes and latitudes of the coasts of the world, a gap (None) between two lines.

    From Natural Earth 1:110 m (public domain), to a tenth of a degree: for orientation, not for measuring.
    """
    text = resources.files(__package__).joinpath("coastline.txt").read_text(encoding="ascii")
    longitude: list[float | None] = []
    latitude: list[float | None] = []
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        steps = np.asarray(line.split(), dtype=np.int64).reshape(-1, 2)
        places_of = steps.cumsum(axis=0) / 10
        longitude += [*places_of[:, 0].tolist(), None]
        latitude += [*places_of[:, 1].tolist(), None]
    return tuple(longitude), tuple(latitude)


@dataclass(frozen=True)
class Bar:
    """One bar of a histogram: its name, what it spans, its records."""

    name: str
    first: float
    last: float
    records: int


def depths(view: View) -> tuple[Bar, ...]:
    """Returns the records by layer of depth, from the surface down; none where no depth is known."""
    depth = view.facts.depth_N[view.row_R]
    depth = depth[~np.isnan(depth)]
    if not len(depth):
        return ()
    edges = (-math.inf, *DEPTH_EDGES_M, math.inf)
    counts = np.bincount(
        np.searchsorted(DEPTH_EDGES_M, depth, side="right"), minlength=len(edges) - 1
    )
    there = np.flatnonzero(counts)
    return tuple(
        Bar(_layer(edges[at], edges[at + 1]), edges[at], edges[at + 1], int(counts[at]))
        for at in range(int(there[0]), int(there[-1]) + 1)
    )


def _layer(low: float, high: float) -> str:
    if low == -math.inf:
        return "above 0"
    return f"below {low:g}" if high == math.inf else f"{low:g}\u2013{high:g}"


def years(view: View) -> tuple[Bar, ...]:
    """Returns the records by year, years without any between them included; none where none is known."""
    year = view.facts.year_N[view.row_R]
    year = year[year > 0]
    if not len(year):
        return ()
    counts = np.bincount(year)
    first, last = int(year.min()), int(year.max())
    span = range(first, last + 1) if last - first < 80 else np.unique(year).tolist()
    return tuple(Bar(f"{at:04}", at, at, int(counts[at])) for at in span)
