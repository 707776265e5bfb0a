"""The nearest cell of a horizontal grid that has a value, on the sphere.

Legend: U places, Y latitudes, X longitudes.
"""

import numpy as np
from numpy.typing import NDArray

EARTH_RADIUS_KM = 6371.0088
_KM_PER_DEGREE = np.pi * EARTH_RADIUS_KM / 180
Floats = NDArray[np.float64]


def nearest_on_lines(
    latitude_Y: Floats, longitude_X: Floats, slab_YX: Floats, places_U2: Floats, limit_km: float
) -> Floats:
    """Returns value and distance (km) of the nearest cell with a value, float64 (U, 2); NaN beyond the limit.

    Only the cells of the latitudes and longitudes within the limit are looked at.
    """
    found_U2 = np.full((len(places_U2), 2), np.nan)
    for row, (north, east) in enumerate(places_U2):
        reach = limit_km / _KM_PER_DEGREE
        rows = np.flatnonzero(np.abs(latitude_Y - north) <= reach)
        furthest = min(90.0, abs(north) + reach)
        wide = min(180.0, reach / max(np.cos(np.radians(furthest)), 1e-6))
        columns = np.flatnonzero(np.abs((longitude_X - east + 180) % 360 - 180) <= wide)
        if not len(rows) or not len(columns):
            continue
        values = slab_YX[np.ix_(rows, columns)]
        km = great_circle_km(latitude_Y[rows, None], longitude_X[None, columns], north, east)
        km = np.where(np.isnan(values), np.inf, km)
        best = np.unravel_index(int(np.argmin(km)), km.shape)
        if km[best] <= limit_km:
            found_U2[row] = values[best], km[best]
    return found_U2


def nearest_on_sphere(
    latitude_YX: Floats, longitude_YX: Floats, slab_YX: Floats, places_U2: Floats, limit_km: float
) -> Floats:
    """As ``nearest_on_lines``, for curvilinear grids, by a tree of the cells that have a value."""
    from scipy.spatial import cKDTree

    found_U2 = np.full((len(places_U2), 2), np.nan)
    valid = ~np.isnan(slab_YX) & ~np.isnan(latitude_YX) & ~np.isnan(longitude_YX)
    if not valid.any():
        return found_U2
    tree = cKDTree(unit_vectors(latitude_YX[valid], longitude_YX[valid]))
    chord_U, cell_U = tree.query(unit_vectors(places_U2[:, 0], places_U2[:, 1]))
    km_U = 2 * EARTH_RADIUS_KM * np.arcsin(np.clip(chord_U / 2, 0, 1))
    near = km_U <= limit_km
    found_U2[near, 0] = slab_YX[valid][cell_U[near]]
    found_U2[near, 1] = km_U[near]
    return found_U2


def unit_vectors(latitude_deg: Floats, longitude_deg: Floats) -> Floats:
    """Returns places as points of the unit sphere, float64 (..., 3)."""
    north, east = np.radians(latitude_deg), np.radians(longitude_deg)
    return np.stack(
        (np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)), axis=-1
    )


def great_circle_km(
    latitude_deg: Floats, longitude_deg: Floats, to_latitude: float, to_longitude: float
) -> Floats:
    """Returns distances on the sphere by the haversine formula."""
    north, to_north = np.radians(latitude_deg), np.radians(to_latitude)
    east = np.radians(longitude_deg - to_longitude)
    half = np.sin((north - to_north) / 2) ** 2
    half = half + np.cos(north) * np.cos(to_north) * np.sin(east / 2) ** 2
    return np.asarray(2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(half, 0, 1))))
