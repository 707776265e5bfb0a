"""Where and when records were taken, against the settings of prior tables.

Legend: U contexts, S settings.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from holotype.collection.reading.fields import parse_date, parse_period
from holotype.decisions.priors_rows import Setting
from holotype.taxonomy.names import name_key

NO, UNKNOWN, YES = -1, 0, 1
CONTEXT = ("latitude_deg", "longitude_deg", "depth_min_m", "depth_max_m", "collected_on", "country", "site",
           "region")  # fmt: skip
"""The columns of a record that settings are compared with; those that are absent are unknown."""
Boxes = Mapping[str, tuple[tuple[float, float, float, float], ...]]


@dataclass(frozen=True)
class Contexts:
    """Where and when U records were taken.

    Attributes:
        latitude_U, longitude_U: degrees, NaN for unknown.
        top_U, bottom_U: depths in metres, NaN for unknown.
        month_U: 1 to 12, 0 for unknown.
        places_U: the compared names of country, site and region.
    """

    latitude_U: NDArray[np.float64]
    longitude_U: NDArray[np.float64]
    top_U: NDArray[np.float64]
    bottom_U: NDArray[np.float64]
    month_U: NDArray[np.int64]
    places_U: tuple[frozenset[str], ...]


def distinct_contexts(context: pa.Table) -> tuple[Contexts, NDArray[np.int64]]:
    """Returns the different contexts of a table of records, and for each record which one it has."""
    columns = [
        context[name].to_pylist() if name in context.column_names else [None] * context.num_rows
        for name in CONTEXT
    ]
    numbers: dict[tuple[object, ...], int] = {}
    which_B = [numbers.setdefault(row, len(numbers)) for row in zip(*columns, strict=True)]
    found = list(zip(*numbers, strict=True)) or [()] * len(CONTEXT)
    reals = [np.asarray([_real(v) for v in column], np.float64) for column in found[:4]]
    top, bottom = reals[2], reals[3]
    top, bottom = np.where(np.isnan(top), bottom, top), np.where(np.isnan(bottom), top, bottom)
    places = tuple(
        frozenset(name_key(str(v)) for v in row if v is not None and str(v).strip())
        for row in zip(*found[5:], strict=True)
    )
    months = np.asarray([month_of(value) for value in found[4]], dtype=np.int64)
    made = Contexts(
        reals[0], reals[1], np.minimum(top, bottom), np.maximum(top, bottom), months, places
    )
    return made, np.asarray(which_B, dtype=np.int64)


def _real(value: object) -> float:
    return float("nan") if value is None else float(str(value))


def month_of(collected_on: object) -> int:
    """Returns the month of an ISO 8601 date or month; 0 where there is none.

    >>> month_of("2014-04-20T10:00:00Z"), month_of("2014-04"), month_of("2014"), month_of(None)
    (4, 4, 0, 0)
    """
    text = str(collected_on or "")
    found = parse_date(text) or parse_period(text) or ""
    return int(found[5:7]) if len(found) >= 7 else 0


def fits(contexts: Contexts, settings: Sequence[Setting], boxes: Boxes) -> NDArray[np.int8]:
    """Returns whether each context is in each setting, int8 (U, S): YES, NO or UNKNOWN.

    A setting of several conditions holds where all do; it fails where one surely does.
    """
    fit_US = np.full((len(contexts.month_U), len(settings)), YES, dtype=np.int8)
    for s, setting in enumerate(settings):
        for fit_U in conditions(contexts, setting, boxes).values():
            fit_US[:, s] = np.minimum(fit_US[:, s], fit_U)
    return fit_US


def conditions(contexts: Contexts, setting: Setting, boxes: Boxes) -> dict[str, NDArray[np.int8]]:
    """Returns for each condition of a setting (place, depth, season) whether contexts meet it, int8 (U,)."""
    found: dict[str, NDArray[np.int8]] = {}
    if setting.region is not None:
        found["place"] = _in_region(contexts, setting.region, boxes.get(setting.region, ()))
    if setting.box is not None:
        found["place"] = _in_box(contexts, setting.box)
    if setting.depth_m is not None:
        top, bottom = setting.depth_m
        inside = (contexts.top_U <= bottom) & (contexts.bottom_U >= top)
        found["depth"] = _three(inside, np.isnan(contexts.top_U))
    if setting.months is not None:
        inside = np.isin(contexts.month_U, list(setting.months))
        found["season"] = _three(inside, contexts.month_U == 0)
    return found


def _three(inside_U: NDArray[np.bool_], unknown_U: NDArray[np.bool_]) -> NDArray[np.int8]:
    return np.where(unknown_U, UNKNOWN, np.where(inside_U, YES, NO)).astype(np.int8)


def _in_box(contexts: Contexts, box: tuple[float, float, float, float]) -> NDArray[np.int8]:
    south, north, west, east = box
    lat, lon = contexts.latitude_U, contexts.longitude_U
    past, before = lon >= west, lon <= east
    across = (past & before) if west <= east else (past | before)
    return _three((lat >= south) & (lat <= north) & across, np.isnan(lat) | np.isnan(lon))


def _in_region(
    contexts: Contexts, region: str, boxes: Sequence[tuple[float, float, float, float]]
) -> NDArray[np.int8]:
    """A place is in a region that it names; a region with boxes is decided by them where it can be."""
    named = np.asarray([region in places for places in contexts.places_U], dtype=np.bool_)
    fit_U = np.full(len(named), UNKNOWN, dtype=np.int8)
    if boxes:
        fit_U = np.max([_in_box(contexts, box) for box in boxes], axis=0)
    return np.where(named, YES, fit_U).astype(np.int8)
