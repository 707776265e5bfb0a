"""One variable of a NetCDF or Zarr file as a grid: its axes found by CF attributes, cells found by nearness.

Axes follow the CF conventions (Eaton et al., cfconventions.org): standard names and ``axis`` first, then the
names that data centres use. Longitudes may run from -180 or from 0; latitudes either way; depth may be
positive up. Latitude and longitude are one-dimensional, or two-dimensional (curvilinear).

Legend: P points, Y latitudes, X longitudes, Z depths, T times.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holotype.errors import SourceError, did_you_mean

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

_STANDARD_NAMES = {
    "latitude": ("latitude",),
    "longitude": ("longitude",),
    "depth": ("depth", "height", "altitude"),
    "time": ("time",),
}
_AXIS = {"latitude": "Y", "longitude": "X", "depth": "Z", "time": "T"}
_USUAL_NAMES = {
    "latitude": ("latitude", "lat", "nav_lat", "y"),
    "longitude": ("longitude", "lon", "long", "nav_lon", "x"),
    "depth": ("depth", "deptht", "depthu", "depthv", "lev", "level", "z", "altitude"),
    "time": ("time", "time_counter", "t"),
}


@dataclass(frozen=True, eq=False)
class Grid:
    """An open variable.

    Attributes:
        name: of the file, for the record.
        variable: its name in the file.
        unit: as the file states it, "" where it does not.
        values: the lazy array; dimensions in the order time, depth, latitude, longitude, where present.
        latitude, longitude: degrees, (Y,) and (X,), or both (Y, X).
        depth_Z: metres, positive down, or None.
        time_T: datetime64[s], or None.
    """

    name: str
    variable: str
    unit: str
    values: Any
    latitude: Floats
    longitude: Floats
    depth_Z: Floats | None
    time_T: NDArray[np.datetime64] | None


def open_grid(path: Path, variable: str) -> Grid:
    """Returns one variable of a NetCDF file or Zarr folder.

    Raises:
        SourceError: when it is missing, cannot be read, has no such variable, latitude or longitude, or a
            dimension of more than one step that is none of time, depth, latitude and longitude.
    """
    import xarray as xr

    if not path.exists():
        raise SourceError(f"{path}: no such grid. Give a NetCDF file or a Zarr folder.")
    try:
        if path.is_dir():
            opened = xr.open_zarr(path, chunks=None, consolidated=None)
        else:
            opened = xr.open_dataset(path, decode_times=True, chunks=None)
    except (OSError, ValueError, KeyError) as reason:
        raise SourceError(
            f"{path}: neither NetCDF nor Zarr ({reason}). Check the file."
        ) from reason
    if variable not in opened.data_vars:
        known = sorted(map(str, opened.data_vars))
        raise SourceError(f"{path}: no variable '{variable}'.{did_you_mean(variable, known)}")
    return _grid(path, variable, opened[variable])


def _grid(path: Path, variable: str, array: Any) -> Grid:
    axes = {kind: _axis(array, kind) for kind in _AXIS}
    for kind in ("latitude", "longitude"):
        if axes[kind] is None:
            raise SourceError(
                f"{path}: '{variable}' has no {kind}. Coordinates are {', '.join(map(str, array.coords))}."
            )
    latitude, longitude = (_floats(array[axes[kind]]) for kind in ("latitude", "longitude"))
    flat = array[axes["latitude"]].dims + array[axes["longitude"]].dims
    horizontal = tuple(dict.fromkeys(flat))
    vertical = [
        array[axes[kind]].dims[0] for kind in ("time", "depth") if _is_line(array, axes[kind])
    ]
    single = {d: 0 for d in array.dims if d not in (*vertical, *horizontal) and array.sizes[d] == 1}
    array = array.isel(single)
    if strange := [str(d) for d in array.dims if d not in (*vertical, *horizontal)]:
        raise SourceError(
            f"{path}: '{variable}' has the dimension '{strange[0]}', which is no time, depth or place. "
            "Select one step of it first."
        )
    ordered = [d for d in (*vertical, *horizontal) if d in array.dims]
    depth = array[axes["depth"]] if _is_line(array, axes["depth"]) else None
    time = array[axes["time"]] if _is_line(array, axes["time"]) else None
    return Grid(
        name=path.name,
        variable=variable,
        unit=str(array.attrs.get("units", "")),
        values=array.transpose(*ordered),
        latitude=latitude,
        longitude=longitude,
        depth_Z=None if depth is None else _metres_down(depth),
        time_T=None if time is None else _seconds(path, time),
    )


def _is_line(array: Any, name: Any) -> bool:
    return name is not None and array[name].ndim == 1 and array[name].dims[0] in array.dims


def _axis(array: Any, kind: str) -> Any:
    """Returns the coordinate that is of a kind, by its attributes, then by its name."""
    for test in (_says_standard_name, _says_axis, _is_named):
        for name in array.coords:
            if test(str(name), array.coords[name].attrs, kind):
                return name
    return None


def _says_standard_name(name: str, attributes: Mapping[str, Any], kind: str) -> bool:
    return attributes.get("standard_name") in _STANDARD_NAMES[kind]


def _says_axis(name: str, attributes: Mapping[str, Any], kind: str) -> bool:
    return attributes.get("axis") == _AXIS[kind]


def _is_named(name: str, attributes: Mapping[str, Any], kind: str) -> bool:
    return name.lower() in _USUAL_NAMES[kind]


def _floats(array: Any) -> Floats:
    return np.asarray(array.values, dtype=np.float64)


def _metres_down(depth: Any) -> Floats:
    """Returns depths in metres, positive down, whatever way the file counts."""
    scale = {"km": 1000.0, "cm": 0.01}.get(str(depth.attrs.get("units", "m")), 1.0)
    values = _floats(depth) * scale
    up = depth.attrs.get("positive") == "up" or (
        depth.attrs.get("positive") is None and bool((values < 0).any()) and not (values > 0).any()
    )
    return -values if up else values


def _seconds(path: Path, time: Any) -> NDArray[np.datetime64]:
    if not np.issubdtype(time.dtype, np.datetime64):
        raise SourceError(
            f"{path}: its times are no dates of the standard calendar ({time.dtype}). Convert them first."
        )
    return np.asarray(time.values).astype("datetime64[s]")


def nearest(axis: NDArray[Any], wanted_P: NDArray[Any]) -> Indices:
    """Returns the index of the axis value nearest to each wanted one; ties go to the first. int64 (P,)."""
    order = np.argsort(axis, kind="stable")
    ranked = axis[order]
    right = np.clip(np.searchsorted(ranked, wanted_P), 1, max(len(axis) - 1, 1))
    if len(axis) == 1:
        return np.zeros(len(wanted_P), dtype=np.int64)
    left = right - 1
    closer_left = np.abs(wanted_P - ranked[left]) <= np.abs(ranked[right] - wanted_P)
    return np.asarray(order[np.where(closer_left, left, right)], dtype=np.int64)
