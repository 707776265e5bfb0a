"""Grids are joined nearest in place, depth and time, with the distance, and every record is accounted for."""

import numpy as np
import pytest
import xarray as xr

import holotype
from holotype.collection.environment.grid import nearest, open_grid
from holotype.collection.environment.join import Limits
from holotype.collection.environment.moments import moment
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


def height_grid(levels, **attributes):
    vertical = ("z", np.asarray(levels, float), {"units": "m", **attributes})
    return temperature().rename(depth="z").assign_coords(z=vertical)


@pytest.mark.parametrize(
    ("levels", "attributes", "depths"),
    [
        ([0, -10, -100], {"standard_name": "height"}, [0, 10, 100]),
        ([0, -10, -100], {"positive": "up"}, [0, 10, 100]),
        ([0, 10, 100], {"standard_name": "height", "positive": "down"}, [0, 10, 100]),
        ([0, 10, 100], {"standard_name": "depth"}, [0, 10, 100]),
        ([0, 0.01, 0.1], {"standard_name": "depth", "units": "km"}, [0, 10, 100]),
    ],
)
def test_vertical_axes_that_are_depths(tmp_path, levels, attributes, depths):
    height_grid(levels, **attributes).to_netcdf(tmp_path / "g.nc", engine="h5netcdf")
    np.testing.assert_allclose(open_grid(tmp_path / "g.nc", "thetao").depth_Z, depths)


@pytest.mark.parametrize(
    ("levels", "attributes", "message"),
    [
        ([2, 10, 100], {"standard_name": "height"}, "goes up above the surface"),
        ([2, 10, 100], {"positive": "up"}, "goes up above the surface"),
        ([1000, 850, 500], {"positive": "down", "units": "hPa"}, "it is in 'hPa'"),
        ([1, 2, 3], {"axis": "Z", "units": ""}, "it has no unit"),
        ([1, 2, 3], {"standard_name": "ocean_sigma_coordinate"}, "the dimension 'z', which is no"),
    ],
)
def test_heights_pressures_and_layers_are_no_depths(tmp_path, levels, attributes, message):
    height_grid(levels, **attributes).to_netcdf(tmp_path / "g.nc", engine="h5netcdf")
    with pytest.raises(SourceError) as caught:
        open_grid(tmp_path / "g.nc", "thetao")
    assert message in str(caught.value)


def test_one_level_in_the_air_asks_for_no_depth(tmp_path):
    air = height_grid([2, 10, 100], standard_name="height").isel(z=[0])
    air.to_netcdf(tmp_path / "g.nc", engine="h5netcdf")
    assert open_grid(tmp_path / "g.nc", "thetao").depth_Z is None


@pytest.mark.parametrize(
    ("units", "axis", "message"),
    [
        ("m", "Y", "no latitude in degrees: 'y' is in 'm'"),
        ("radians", "Y", "no latitude in degrees: 'y' is in 'radians'"),
        (None, "Y", "no latitude in degrees: 'y' has no unit"),
        ("m", None, "no latitude in degrees: 'y' is in 'm'"),
        ("degrees", None, None),
        ("degree_north", "Y", None),
    ],
)
def test_places_are_in_degrees(tmp_path, units, axis, message):
    attributes = {n: v for n, v in (("units", units), ("axis", axis)) if v}
    projected = temperature().rename(lat="y")
    projected = projected.assign_coords(y=("y", LATITUDES, attributes))
    projected.to_netcdf(tmp_path / "g.nc", engine="h5netcdf")
    if message is None:
        np.testing.assert_array_equal(open_grid(tmp_path / "g.nc", "thetao").latitude, LATITUDES)
        return
    with pytest.raises(SourceError) as caught:
        open_grid(tmp_path / "g.nc", "thetao")
    assert message in str(caught.value)


def test_metres_without_a_unit_and_points_are_no_grid(tmp_path):
    metres = temperature().assign_coords(lat=("lat", LATITUDES * 1e5))
    metres.to_netcdf(tmp_path / "m.nc", engine="h5netcdf")
    points = {"lat": ("node", LATITUDES), "lon": ("node", LATITUDES)}
    nodes = xr.Dataset({"a": (("node",), np.zeros(3))}, coords=points)
    nodes.to_netcdf(tmp_path / "n.nc", engine="h5netcdf")
    with pytest.raises(SourceError, match="which is no latitude in degrees"):
        open_grid(tmp_path / "m.nc", "thetao")
    with pytest.raises(SourceError, match="span no grid"):
        open_grid(tmp_path / "n.nc", "a")


def test_what_is_not_finite_is_missing(collection, tmp_path):
    endless = temperature()
    endless["thetao"][:, 1, 2, 2] = np.inf  # the cell of record "at"
    endless.to_netcdf(tmp_path / "inf.nc", engine="h5netcdf")
    asked = {"grids": [tmp_path / "inf.nc"], "variables": {"t": "thetao"}}
    report = holotype.environment(collection, **asked, limits=Limits(distance_km=100))
    (value,) = joined(collection)["at"]
    assert report.joined == {"t": 2}
    assert value["value"] == 121.0  # (42, 5): nearer to (42.02, 6.01) than (41, 6)


def test_variables_that_are_no_numbers(tmp_path):
    odd = temperature()
    odd["when"] = (("lat", "lon"), np.full((3, 3), TIMES[0]))
    odd["word"] = (("lat", "lon"), np.full((3, 3), "a"))
    odd["age"] = (("lat", "lon"), np.full((3, 3), 2.0), {"units": "days"})
    odd.to_netcdf(tmp_path / "g.nc", engine="h5netcdf")
    for name, kind in (("when", "datetime64"), ("word", "object|<U|StringDType")):
        with pytest.raises(SourceError, match=f"'{name}' is of type ({kind})"):
            open_grid(tmp_path / "g.nc", name)
    age = open_grid(tmp_path / "g.nc", "age")
    assert (float(age.values[0, 0]), age.unit) == (2.0, "days")


@pytest.mark.parametrize("limit", [np.inf, np.nan, 0.0, -1.0])
def test_limits_are_finite_and_above_nought(limit):
    for name in ("distance_km", "depth_m", "hours"):
        with pytest.raises(SourceError, match=f"the limit {name} is"):
            Limits(**{name: limit})


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("20140420", "2014-04-20T12:00:00"),
        ("2014-04-20", "2014-04-20T12:00:00"),
        ("2014-W16-7", "2014-04-20T12:00:00"),
        ("2014-04-20T24:00:00", "2014-04-21T00:00:00"),
        ("2014-12-31 24:00+01:00", "2014-12-31T23:00:00"),
        ("20140420T060000Z", "2014-04-20T06:00:00"),
        ("2014-04-20T06:00:00.5+02:00", "2014-04-20T04:00:00.5"),
        ("2014-04-20T24:30:00", None),
        ("0001-01-01T00:00:00+02:00", None),
        ("9999-12-31T24:00:00", None),
        ("2014-W16", None),
        ("2014-04", None),
        ("201404", None),
        ("2014", None),
        ("spring", None),
        ("", None),
        (None, None),
    ],
)
def test_moments(written, found):
    expected = np.datetime64(found[:19] if found else "NaT", "s")
    np.testing.assert_array_equal(moment(written), expected)


def test_a_time_before_all_others_is_no_time(collection, netcdf, tmp_path):
    row = "record_id,species,latitude_deg,longitude_deg,collected_on\n"
    (tmp_path / "old.csv").write_text(row + "a,Calanus a,40,4,0001-01-01T00:00:00+02:00\n")
    holotype.import_("table", [tmp_path / "old.csv"], into=tmp_path / "old")
    report = holotype.environment(tmp_path / "old", grids=[netcdf], variables={"c": "chl"})
    assert report.missing["c"] == {"no time": 1}
