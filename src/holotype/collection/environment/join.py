"""The command ``environment``: grids of the user -> values in the records, with the distance to the cell.

For each record the nearest time, then the nearest depth, then the nearest cell with a value is taken, each
within a limit; beyond it the value stays missing, with a reason that is counted. Nothing is interpolated, so
a value is always one that the grid holds, and a record says how far away it was.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from holotype.collection.environment.grid import Grid, finite, nearest, open_grid, too_large
from holotype.collection.environment.moments import moment
from holotype.collection.environment.nearness import nearest_on_lines, nearest_on_sphere
from holotype.collection.rewrite import rewrite_records
from holotype.collection.schema import RECORDS_SCHEMA
from holotype.collection.store import open_collection
from holotype.errors import SourceError


@dataclass(frozen=True)
class Limits:
    """How far away a value may be.

    Attributes:
        distance_km: on the sphere.
        depth_m: from the middle of the record's depths.
        hours: from the record's time; a date without a time counts as noon.

    Raises:
        SourceError: when one is no finite number above 0.
    """

    distance_km: float = 25.0
    depth_m: float = 50.0
    hours: float = 24 * 16

    def __post_init__(self) -> None:
        for name, limit in vars(self).items():
            if not (isfinite(limit) and limit > 0):
                raise SourceError(
                    f"the limit {name} is {limit:g}: no finite number above 0. Give one, such as 25."
                )


@dataclass(frozen=True)
class EnvironmentReport:
    """What a join did.

    Attributes:
        collection: its folder.
        records: how many records it has.
        joined: records with a value, by variable.
        missing: records without, by variable and reason; both add up to the records for each variable.
    """

    collection: str
    records: int
    joined: Mapping[str, int]
    missing: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True)
class _Points:
    """Where and when the records of a table are; NaN and NaT where that is not known. P of each."""

    latitude_deg: NDArray[np.float64]
    longitude_deg: NDArray[np.float64]
    depth_m: NDArray[np.float64]
    time: NDArray[np.datetime64]


def environment(
    collection: Path | str,
    *,
    grids: Sequence[Path | str],
    variables: Mapping[str, str],
    limits: Limits | None = None,
) -> EnvironmentReport:
    """Joins variables of grids to all records of a collection; values joined before are replaced.

    Args:
        collection: its folder.
        grids: NetCDF files or Zarr folders; each variable is taken from the first that has it.
        variables: name in the collection -> name in the grid (``temperature`` -> ``thetao``).
        limits: how far away a value may be.

    Raises:
        SourceError: when a grid cannot be read or none has a variable.
        CollectionError: when the collection cannot be opened.
    """
    limits = limits or Limits()
    opened = open_collection(Path(collection))
    if not variables:
        raise SourceError("no variable named. Name at least one, as temperature=thetao.")
    found = {name: _first_with(grids, variable) for name, variable in variables.items()}
    joined: Counter[str] = Counter()
    missing: dict[str, Counter[str]] = {name: Counter() for name in found}

    def change(table: pa.Table) -> pa.Table:
        points = _points(table)
        kept: list[list[dict[str, Any]]] = [
            [value for value in values or [] if value["variable"] not in found]
            for values in table["environment"].to_pylist()
        ]
        for name, grid in found.items():
            for row, value in enumerate(_values(grid, points, limits)):
                if isinstance(value, str):
                    missing[name][value] += 1
                else:
                    joined[name] += 1
                    kept[row].append(
                        {"variable": name, "unit": grid.unit, "grid": grid.name, **value}
                    )
        index = table.schema.get_field_index("environment")
        column = pa.array([values or None for values in kept], RECORDS_SCHEMA.field(index).type)
        return table.set_column(index, RECORDS_SCHEMA.field(index), column)

    step = {
        "step": "environment",
        "variables": {name: [grid.name, grid.variable] for name, grid in found.items()},
        "limits": vars(limits),
    }
    rewrite_records(Path(collection), change, step=step)
    return EnvironmentReport(
        collection=str(collection),
        records=len(opened),
        joined={name: joined[name] for name in found},
        missing={name: dict(sorted(reasons.items())) for name, reasons in missing.items()},
    )


def _first_with(grids: Sequence[Path | str], variable: str) -> Grid:
    if not grids:
        raise SourceError("no grid given. Name at least one NetCDF file or Zarr folder.")
    reason: SourceError | None = None
    for path in grids:
        try:
            return open_grid(Path(path), variable)
        except SourceError as wrong:
            if "no variable" not in str(wrong):
                raise
            reason = wrong
    raise reason or SourceError("no grid")


def _points(table: pa.Table) -> _Points:
    def column(name: str) -> NDArray[np.float64]:
        return np.asarray(table[name].to_numpy(zero_copy_only=False), dtype=np.float64)

    low, high = column("depth_min_m"), column("depth_max_m")
    depth = np.where(np.isnan(low), high, np.where(np.isnan(high), low, (low + high) / 2))
    times = [moment(text) for text in table["collected_on"].to_pylist()]
    return _Points(
        column("latitude_deg"),
        column("longitude_deg"),
        depth,
        np.asarray(times, dtype="datetime64[s]"),
    )


def _values(grid: Grid, points: _Points, limits: Limits) -> list[dict[str, Any] | str]:
    """Returns for each point the value with its distances, or the reason why there is none."""
    count = len(points.latitude_deg)
    reason_P = np.full(count, "", dtype=object)
    reason_P[np.isnan(points.latitude_deg) | np.isnan(points.longitude_deg)] = "no place"
    time_P, hours_P = np.zeros(count, np.int64), np.full(count, np.nan)
    if grid.time_T is not None:
        known = ~np.isnat(points.time)
        reason_P[~known & (reason_P == "")] = "no time"
        time_P[known] = nearest(grid.time_T.astype(np.int64), points.time[known].astype(np.int64))
        hours_P[known] = (points.time[known] - grid.time_T[time_P[known]]).astype(np.int64) / 3600
        reason_P[(np.abs(hours_P) > limits.hours) & (reason_P == "")] = "time too far away"
    depth_P, metres_P = np.zeros(count, np.int64), np.full(count, np.nan)
    if grid.depth_Z is not None:
        known = ~np.isnan(points.depth_m)
        reason_P[~known & (reason_P == "")] = "no depth"
        depth_P[known] = nearest(grid.depth_Z, points.depth_m[known])
        metres_P[known] = points.depth_m[known] - grid.depth_Z[depth_P[known]]
        reason_P[(np.abs(metres_P) > limits.depth_m) & (reason_P == "")] = "depth too far away"
    answers: list[dict[str, Any] | str] = reason_P.tolist()
    usable = np.flatnonzero(reason_P == "")
    for time, depth in sorted(
        set(zip(time_P[usable].tolist(), depth_P[usable].tolist(), strict=True))
    ):
        rows = usable[(time_P[usable] == time) & (depth_P[usable] == depth)]
        slab = _slab(grid, time, depth)
        value_P, km_P = _nearest_valid(grid, slab, points, rows, limits.distance_km)
        for row, value, km in zip(rows.tolist(), value_P.tolist(), km_P.tolist(), strict=True):
            if np.isnan(value):
                answers[row] = "no value within the distance"
                continue
            answers[row] = {
                "value": value,
                "distance_km": km,
                "depth_difference_m": None if np.isnan(metres_P[row]) else float(metres_P[row]),
                "time_difference_h": None if np.isnan(hours_P[row]) else float(hours_P[row]),
            }
    return answers


@lru_cache(maxsize=2)
def _slab(grid: Grid, time: int, depth: int) -> NDArray[np.float64]:
    """Returns the horizontal slice of a grid at one time and depth: all of it that is held in memory.

    What is not finite is missing.
    """
    values = grid.values
    steps = [time] if grid.time_T is not None else []
    steps += [depth] if grid.depth_Z is not None else []
    for step in steps:
        values = values[step]
    try:
        return finite(values.values)
    except MemoryError as reason:
        raise too_large(grid.name, reason) from reason


def _nearest_valid(
    grid: Grid,
    slab: NDArray[np.float64],
    points: _Points,
    rows: NDArray[np.int64],
    limit_km: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns for each row the value of the nearest cell that has one, and how far it is; NaN for none."""
    places = np.stack((points.latitude_deg[rows], points.longitude_deg[rows]), axis=1)
    unique, back_P = np.unique(places, axis=0, return_inverse=True)
    search = nearest_on_lines if grid.latitude.ndim == 1 else nearest_on_sphere
    found = search(grid.latitude, grid.longitude, slab, unique, limit_km)
    return found[back_P, 0], found[back_P, 1]
