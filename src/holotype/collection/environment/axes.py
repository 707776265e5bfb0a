"""The axes of a gridded variable: which coordinates are latitude, longitude, depth and time, judged by unit.

Axes follow the CF conventions (Eaton et al., cfconventions.org): standard names first, then ``axis``, then
the names that data centres use; a coordinate whose standard name says something else is never taken.
Longitudes may run from -180 or from 0; latitudes either way.

A vertical axis is a depth when it is in metres, kilometres or centimetres; only one that is called depth, or
whose standard name says depth or height, may leave its unit out. Where it counts upwards (``positive: up``, a
height or altitude, or nothing but values below zero), it is a depth when no level lies above the surface. A
single level that is no depth (air at 2 m) is left out of the join; several are an error, for a record's depth
says nothing about them.

Legend: Z depths, T times.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holotype.errors import SourceError

Floats = NDArray[np.float64]
_HEIGHTS = frozenset(
    {
        *("height", "altitude", "height_above_mean_sea_level", "height_above_geoid"),
        *("height_above_reference_ellipsoid", "height_above_geopotential_datum"),
    }
)
_STANDARD_NAMES = {
    "latitude": frozenset({"latitude"}),
    "longitude": frozenset({"longitude"}),
    "depth": frozenset({"depth", "depth_below_geoid"}) | _HEIGHTS,
    "time": frozenset({"time"}),
}
_AXIS = {"latitude": "Y", "longitude": "X", "depth": "Z", "time": "T"}
_DEPTHS = frozenset({"depth", "deptht", "depthu", "depthv", "depthw"})
_USUAL_NAMES = {
    "latitude": frozenset({"latitude", "lat", "nav_lat", "y"}),
    "longitude": frozenset({"longitude", "lon", "long", "nav_lon", "x"}),
    "depth": frozenset({"lev", "level", "z", "altitude", "height"}) | _DEPTHS,
    "time": frozenset({"time", "time_counter", "t"}),
}
_NOT_PLACES = frozenset({"x", "y"})
"""Names that are a latitude or longitude only where the unit says so."""
_METRES = {
    **dict.fromkeys(("m", "metre", "metres", "meter", "meters"), 1.0),
    **dict.fromkeys(("km", "kilometre", "kilometres", "kilometer", "kilometers"), 1000.0),
    **dict.fromkeys(("cm", "centimetre", "centimetres", "centimeter", "centimeters"), 0.01),
}


def horizontal_axes(path: Path, array: Any) -> tuple[Any, Any]:
    """Returns the latitude and the longitude of a variable, as xarray coordinates over the same dimensions.

    Raises:
        SourceError: when one is missing or not in degrees, or when they span no grid.
    """
    latitude, longitude = (_horizontal(path, array, kind) for kind in ("latitude", "longitude"))
    lines = latitude.ndim == longitude.ndim == 1 and latitude.dims != longitude.dims
    if not lines and not (latitude.ndim == 2 and set(latitude.dims) == set(longitude.dims)):
        raise SourceError(
            f"{path}: latitude ({', '.join(latitude.dims)}) and longitude ({', '.join(longitude.dims)}) of "
            f"'{array.name}' span no grid. Give a grid of latitudes by longitudes."
        )
    return latitude, longitude if lines else longitude.transpose(*latitude.dims)


def _horizontal(path: Path, array: Any, kind: str) -> Any:
    found = _axes(array, kind)
    for axis in found:
        if _in_degrees(axis, kind):
            limit = 90.001 if kind == "latitude" else 720.0
            values = np.asarray(axis.values, dtype=np.float64)
            if (np.abs(values[np.isfinite(values)]) > limit).any():
                raise SourceError(
                    f"{path}: '{axis.name}' reaches {np.nanmax(np.abs(values)):g}, which is no {kind} in "
                    "degrees. Give the grid with latitudes and longitudes."
                )
            return axis
    if found:
        unit = found[0].attrs.get("units")
        said = f"is in '{unit}'" if unit else "has no unit"
        raise SourceError(
            f"{path}: '{array.name}' has no {kind} in degrees: '{found[0].name}' {said}. "
            "Give the grid with latitudes and longitudes."
        )
    named = ", ".join(map(str, array.coords))
    raise SourceError(f"{path}: '{array.name}' has no {kind}. Coordinates are {named}.")


def _in_degrees(axis: Any, kind: str) -> bool:
    unit = str(axis.attrs.get("units", "")).strip().lower()
    if unit:
        return unit.startswith(("degree", "deg", "\N{DEGREE SIGN}"))
    name = str(axis.name).lower()
    usual = name in _USUAL_NAMES[kind] - _NOT_PLACES
    return usual or axis.attrs.get("standard_name") in _STANDARD_NAMES[kind]


def depth_axis(path: Path, array: Any) -> tuple[Any, Floats] | None:
    """Returns the depth of a variable and its values in metres, positive down, (Z,); None without one.

    Raises:
        SourceError: when its levels are several and no depths.
    """
    for axis in _lines(array, "depth"):
        scale = _scale(axis)
        values = np.asarray(axis.values, dtype=np.float64) * (scale or 1.0)
        upwards = _counts_up(axis, values)
        depth_Z = -values if upwards else values
        if scale is not None and not (upwards and (depth_Z < 0).any()):
            return axis, depth_Z
        if axis.size > 1:
            unit = axis.attrs.get("units")
            wrong = (
                "goes up above the surface"
                if scale
                else f"is in '{unit}'"
                if unit
                else "has no unit"
            )
            raise SourceError(
                f"{path}: the levels '{axis.name}' of '{array.name}' are no depths in metres: it {wrong}. "
                "Select one level first, or convert them."
            )
    return None


def _scale(axis: Any) -> float | None:
    """Returns how many metres the unit of a vertical axis is; None where it is no length."""
    unit = str(axis.attrs.get("units", "")).strip().lower()
    if unit:
        return _METRES.get(unit)
    is_depth = str(axis.name).lower() in _DEPTHS
    return 1.0 if is_depth or axis.attrs.get("standard_name") in _STANDARD_NAMES["depth"] else None


def _counts_up(axis: Any, values: Floats) -> bool:
    said = str(axis.attrs.get("positive", "")).lower()
    if said in {"up", "down"}:
        return said == "up"
    is_height = axis.attrs.get("standard_name") in _HEIGHTS or str(axis.name).lower() in _HEIGHTS
    return is_height or bool((values < 0).any() and not (values > 0).any())


def time_axis(path: Path, array: Any) -> tuple[Any, NDArray[np.datetime64]] | None:
    """Returns the time of a variable and its values, datetime64[s] (T,); None without one.

    Raises:
        SourceError: when its values are no dates of the standard calendar.
    """
    for axis in _lines(array, "time"):
        if not np.issubdtype(axis.dtype, np.datetime64):
            raise SourceError(
                f"{path}: its times are no dates of the standard calendar ({axis.dtype}). Convert them first."
            )
        return axis, np.asarray(axis.values).astype("datetime64[s]")
    return None


def _lines(array: Any, kind: str) -> list[Any]:
    """Returns the one-dimensional coordinates of a kind along which the variable runs, likeliest first."""
    return [axis for axis in _axes(array, kind) if axis.ndim == 1 and axis.dims[0] in array.dims]


def _axes(array: Any, kind: str) -> list[Any]:
    """Returns the coordinates that are of a kind: by standard name, then by ``axis``, then by name."""
    found: dict[str, Any] = {}
    for test in _TESTS:
        for name, axis in array.coords.items():
            said = axis.attrs.get("standard_name")
            if (said is None or said in _STANDARD_NAMES[kind]) and test(
                str(name), axis.attrs, kind
            ):
                found.setdefault(str(name), axis)
    return list(found.values())


def _says_standard_name(name: str, attributes: Mapping[str, Any], kind: str) -> bool:
    return attributes.get("standard_name") in _STANDARD_NAMES[kind]


def _says_axis(name: str, attributes: Mapping[str, Any], kind: str) -> bool:
    return attributes.get("axis") == _AXIS[kind]


def _is_named(name: str, attributes: Mapping[str, Any], kind: str) -> bool:
    return name.lower() in _USUAL_NAMES[kind]


_TESTS: tuple[Callable[[str, Mapping[str, Any], str], bool], ...] = (
    _says_standard_name,
    _says_axis,
    _is_named,
)
