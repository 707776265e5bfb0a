"""Grids are joined nearest in place, depth and time, with the distance, and every record is accounted for."""

import numpy as np
import pytest
import xarray as xr

import holotype
from holotype.collection.environment.grid import nearest, open_grid
from holotype.collection.environment.join import Limits
from holotype.collection.environment.nearness import (
    great_circle_km,
    nearest_on_lines,
    nearest_on_sphere,
)
from holotype.collection.store import open_collection
from holotype.errors import SourceError

TIMES = np.array(["2020-01-16", "2020-02-15"], dtype="datetime64[ns]")
DEPTHS = np.array([0.5, 10.0, 100.0])
LATITUDES = np.array([40.0, 41.0, 42.0])


def temperature(longitudes=(4.0, 5.0, 6.0), **encoding):
    """A grid whose values say where they are: 1000 t + 100 z + 10 y + x; the cell (41, 5) is land."""
    t, z, y, x = np.ogrid[:2, :3, :3, : len(longitudes)]
    values = (1000.0 * t + 100 * z + 10 * y + x).astype(np.float64)
    values[:, :, 1, 1] = np.nan
    return xr.Dataset(
        {
            "thetao": (("time", "depth", "lat", "lon"), values, {"units": "degC"}),
            "chl": (("time", "lat", "lon"), values[:, 0], {"units": "mg m-3"}),
        },
        coords={
            "time": TIMES,
            "depth": ("depth", DEPTHS, {"positive": "down", "units": "m"}),
            "lat": ("lat", LATITUDES, {"standard_name": "latitude"}),
            "lon": ("lon", np.asarray(longitudes, float), {"standard_name": "longitude"}),
        },
    )


@pytest.fixture
def netcdf(tmp_path):
    path = tmp_path / "ocean.nc"
    temperature().to_netcdf(path, engine="h5netcdf")
    return path


ROWS = """record_id,species,latitude_deg,longitude_deg,depth_min_m,depth_max_m,collected_on
at,Calanus a,42.02,6.01,8,14,2020-01-20
coast,Calanus a,41.0,5.1,0,0,2020-02-14T06:00:00+00:00
deep,Calanus a,40.0,4.0,400,400,2020-01-16
late,Calanus a,40.0,4.0,0,0,2021-01-16
far,Calanus a,-30.0,4.0,0,0,2020-01-16
nowhere,Calanus a,,,0,0,2020-01-16
nodepth,Calanus a,40.0,4.0,,,2020-01-16
notime,Calanus a,40.0,4.0,0,0,
"""


@pytest.fixture
def collection(tmp_path):
    (tmp_path / "t.csv").write_text(ROWS)
    holotype.import_("table", [tmp_path / "t.csv"], into=tmp_path / "c")
    return tmp_path / "c"


def joined(collection):
    rows = open_collection(collection).columns(["record_id", "environment"]).to_pylist()
    return {row["record_id"].removeprefix("t/"): row["environment"] for row in rows}


def test_values_distances_and_reasons(collection, netcdf):
    report = holotype.environment(
        collection,
        grids=[netcdf],
        variables={"temperature": "thetao", "chlorophyll": "chl"},
        limits=Limits(distance_km=100),
    )
    assert report.records == 8
    assert report.joined == {"temperature": 2, "chlorophyll": 4}
    assert report.missing["temperature"] == {
        "depth too far away": 1,
        "no depth": 1,
        "no place": 1,
        "no time": 1,
        "no value within the distance": 1,
        "time too far away": 1,
    }
    for name in report.joined:
        assert report.joined[name] + sum(report.missing[name].values()) == report.records
    found = joined(collection)
    (warm,) = [value for value in found["at"] if value["variable"] == "temperature"]
    # time 0, depth 10 m (index 1), latitude 42 (2), longitude 6 (2)
    assert (warm["value"], warm["unit"], warm["grid"]) == (122.0, "degC", "ocean.nc")
    assert warm["distance_km"] == pytest.approx(great_circle_km(42, 6, 42.02, 6.01))
    assert warm["depth_difference_m"] == pytest.approx(1.0)
    assert warm["time_difference_h"] == pytest.approx(4 * 24 + 12)
    (coast,) = [value for value in found["coast"] if value["variable"] == "temperature"]
    assert (
        coast["value"] == 1000 + 10 + 2
    )  # the cell (41, 5) is land: (41, 6) is nearer than (41, 4)
    assert coast["distance_km"] == pytest.approx(great_circle_km(41, 6, 41, 5.1))
    assert coast["time_difference_h"] == -18
    assert found["nowhere"] is None
    assert [value["variable"] for value in found["deep"]] == ["chlorophyll"]


def test_joining_again_replaces_and_changes_nothing_else(collection, netcdf):
    asked = {"grids": [netcdf], "variables": {"temperature": "thetao"}}
    holotype.environment(collection, **asked)
    first = open_collection(collection)
    before, print_before = first.columns(), first.fingerprint
    holotype.environment(collection, **asked)
    again = open_collection(collection)
    assert (again.columns(), again.fingerprint) == (before, print_before)
    assert [step["step"] for step in again.manifest["steps"]] == ["environment", "environment"]
    assert again.ledger().num_rows == 8


def test_zarr_gives_what_netcdf_gives(collection, netcdf, tmp_path):
    temperature().to_zarr(tmp_path / "ocean.zarr", zarr_format=2)
    asked = {"variables": {"temperature": "thetao"}}
    holotype.environment(collection, grids=[netcdf], **asked)
    first = joined(collection)
    holotype.environment(collection, grids=[tmp_path / "ocean.zarr"], **asked)
    second = joined(collection)
    for name, values in first.items():
        plain = [{**value, "grid": "ocean.zarr"} for value in values or []]
        assert (second[name] or []) == plain


def test_longitudes_from_zero_and_across_the_date_line(tmp_path):
    grid = np.array([[1.0, 2.0, 3.0, 4.0]])
    places = np.array([[0.0, -179.5], [0.0, 179.4], [0.0, -90.0], [0.0, 45.0]])
    found = nearest_on_lines(
        np.array([0.0]), np.array([0.0, 90.0, 180.0, 270.0]), grid, places, 100.0
    )
    np.testing.assert_array_equal(found[:, 0], [3.0, 3.0, 4.0, np.nan])


def test_both_searches_agree_with_looking_at_every_cell():
    rng = np.random.default_rng(1)
    latitude, longitude = np.linspace(-85, 85, 35), np.linspace(0, 350, 36)
    slab = np.where(rng.random((35, 36)) < 0.4, np.nan, rng.random((35, 36)))
    places = np.stack((rng.uniform(-89, 89, 60), rng.uniform(-180, 180, 60)), axis=1)
    north, east = np.meshgrid(latitude, longitude, indexing="ij")
    fast = nearest_on_lines(latitude, longitude, slab, places, 900.0)
    tree = nearest_on_sphere(north, east, slab, places, 900.0)
    for row, place in enumerate(places):
        km = np.where(np.isnan(slab), np.inf, great_circle_km(north, east, *place))
        if km.min() > 900:
            assert np.isnan(fast[row]).all()
            assert np.isnan(tree[row]).all()
        else:
            assert fast[row] == pytest.approx([slab.ravel()[km.argmin()], km.min()])
            assert tree[row] == pytest.approx(fast[row])


@pytest.mark.parametrize("axis", [[1.0, 2.0, 5.0], [5.0, 2.0, 1.0], [3.0]])
def test_nearest_on_an_axis(axis):
    wanted = np.array([-9.0, 1.4, 1.6, 3.4, 3.6, 99.0])
    slow = [np.abs(np.array(axis) - value).argmin() for value in wanted]
    np.testing.assert_array_equal(nearest(np.array(axis), wanted), slow)


def test_depths_that_count_upwards(tmp_path):
    upside = temperature().assign_coords(depth=("depth", -DEPTHS, {"units": "m"}))
    upside.to_netcdf(tmp_path / "up.nc", engine="h5netcdf")
    np.testing.assert_allclose(open_grid(tmp_path / "up.nc", "thetao").depth_Z, DEPTHS)


def test_what_is_no_grid(collection, netcdf, tmp_path):
    (tmp_path / "text.nc").write_text("no grid")
    flat = xr.Dataset({"a": (("m",), np.zeros(3))})
    flat.to_netcdf(tmp_path / "flat.nc", engine="h5netcdf")
    several = temperature().expand_dims(member=2)
    several.to_netcdf(tmp_path / "several.nc", engine="h5netcdf")
    wrong = {
        (tmp_path / "text.nc", "a"): "neither NetCDF nor Zarr",
        (tmp_path / "none.nc", "a"): "no such grid",
        (tmp_path / "flat.nc", "a"): "'a' has no latitude",
        (netcdf, "thetaoo"): "no variable 'thetaoo'. Did you mean 'thetao'?",
        (tmp_path / "several.nc", "thetao"): "the dimension 'member', which is no time",
    }
    for (path, variable), message in wrong.items():
        with pytest.raises(SourceError) as caught:
            holotype.environment(collection, grids=[path], variables={"t": variable})
        assert message in str(caught.value)
    with pytest.raises(SourceError, match="no variable named"):
        holotype.environment(collection, grids=[netcdf], variables={})
