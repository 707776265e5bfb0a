"""One variable of a NetCDF or Zarr file as a grid of numbers, with its axes; the nearest step of an axis.

Latitude and longitude are one-dimensional, or two-dimensional (curvilinear).

Legend: P points, Y latitudes, X longitudes, Z depths, T times.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holotype import files
from holotype.collection.environment.axes import (
    depth_axis,
    horizontal_axes,
    time_axis,
)
from holotype.errors import SourceError, did_you_mean

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


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
        SourceError: when it is missing, cannot be read, has no such variable, one that is no number, no
            latitude or longitude in degrees, or a dimension of more than one step that is none of time,
            depth, latitude and longitude (heights above ground, pressures and layer numbers are no depth).
    """
    import xarray as xr

    if not path.exists():
        raise SourceError(f"{path}: no such grid. Give a NetCDF file or a Zarr folder.")
    try:
        if path.is_dir():
            opened = xr.open_zarr(path, chunks=None, consolidated=None, decode_timedelta=False)
        else:
            opened = xr.open_dataset(path, decode_times=True, chunks=None, decode_timedelta=False)
    except MemoryError as reason:
        raise too_large(path.name, reason) from reason
    except files.MISREAD as reason:
        raise SourceError(
            f"{path}: neither NetCDF nor Zarr ({reason}). Check the file."
        ) from reason
    if variable not in opened.data_vars:
        known = sorted(map(str, opened.data_vars))
        raise SourceError(f"{path}: no variable '{variable}'.{did_you_mean(variable, known)}")
    return _grid(path, variable, opened[variable])


def _grid(path: Path, variable: str, array: Any) -> Grid:
    if array.dtype.kind not in "iuf":
        raise SourceError(
            f"{path}: '{variable}' is of type {array.dtype}, not numbers. Name a variable of numbers."
        )
    latitude, longitude = horizontal_axes(path, array)
    depth, depth_Z = depth_axis(path, array) or (None, None)
    time, time_T = time_axis(path, array) or (None, None)
    lines = [axis.dims[0] for axis in (time, depth) if axis is not None]
    horizontal = tuple(dict.fromkeys(latitude.dims + longitude.dims))
    single = {d: 0 for d in array.dims if d not in (*lines, *horizontal) and array.sizes[d] == 1}
    array = array.isel(single)
    if strange := [str(d) for d in array.dims if d not in (*lines, *horizontal)]:
        raise SourceError(
            f"{path}: '{variable}' has the dimension '{strange[0]}', which is no time, depth or place. "
            "Select one step of it first."
        )
    return Grid(
        name=path.name,
        variable=variable,
        unit=str(array.attrs.get("units", "")),
        values=array.transpose(*lines, *horizontal),
        latitude=finite(latitude.values),
        longitude=finite(longitude.values),
        depth_Z=depth_Z,
        time_T=time_T,
    )


def too_large(name: str, reason: MemoryError) -> SourceError:
    """Returns the error of a grid that declares more than the memory holds."""
    return SourceError(
        f"{name}: too large for the memory ({reason}). Cut the part out that you need."
    )


def finite(values: Any) -> Floats:
    """Returns numbers as float64, NaN where they are not finite; the same shape."""
    plain = np.asarray(values, dtype=np.float64)
    return np.where(np.isfinite(plain), plain, np.nan)


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
