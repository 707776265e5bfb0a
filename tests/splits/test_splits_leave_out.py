"""Held-out instruments, sites, cruises and years; one split for each of them."""

import csv
from collections import Counter

import numpy as np
import pytest

import holotype
from holotype.collection.store import open_collection
from holotype.errors import SplitError
from holotype.splits.columns import coded, date_of, year_of
from holotype.splits.groups import group_records
from holotype.splits.leave_out import Blank, leave_out
from holotype.splits.plan import Role, read_split

FRACTIONS = (0.7, 0.1, 0.2)


def parted(rows, records_of, **options):
    table = records_of(rows)
    return leave_out(table, group_records(table), **({"seed": 0, "fractions": FRACTIONS} | options))


def instrument_rows():
    rows = [
        {"instrument": name, "written_label": "a"} for name in ("UVP6", "ISIIS") for _ in range(20)
    ]
    rows[0]["specimen_id"] = rows[20]["specimen_id"] = "imaged by both"
    return [*rows, {"written_label": "a"}]


def test_one_instrument_is_held_out(records_of):
    roles = parted(instrument_rows(), records_of, by="instrument", held_out=["ISIIS"])
    assert set(roles.role_N[20:40].tolist()) == {"test"}
    # 40 records in one class, 90 % to train: the pair that both imaged first, then 34 more of 38
    assert Counter(roles.role_N[:20].tolist())["train"] >= 14
    assert set(roles.role_N[:20].tolist()) <= {"train", "val", "unused"}
    assert roles.role_N[0] == "unused"
    assert roles.reason_N[0] == "tied to a record of instrument ISIIS, held out"


@pytest.mark.parametrize(
    ("blank", "role", "reason"),
    [(Blank.LEAVE_OUT, "unused", "no instrument is given"), (Blank.TRAIN, "train", None)],
)
def test_records_that_do_not_say_where_they_belong(records_of, blank, role, reason):
    rows = [{"written_label": "b"}, *instrument_rows()[:-1]]
    roles = parted(rows, records_of, by="instrument", held_out=["ISIIS"], blank=blank)
    assert (roles.role_N[0], roles.reason_N[0]) == (role, reason)


COLUMNS = {
    "instrument": "instrument",
    "site": "site",
    "cruise": "cruise",
    "country": "country",
    "source": "source",
}


@pytest.mark.parametrize("by", COLUMNS)
def test_any_column_that_parts(records_of, by):
    rows = [{by: f"{by} {i % 3}", "written_label": "a"} for i in range(30)]
    roles = parted(rows, records_of, by=by, held_out=[f"{by} 0", f"{by} 2"])
    assert [role == "test" for role in roles.role_N.tolist()] == [i % 3 != 1 for i in range(30)]


def test_a_year_is_held_out(records_of):
    days = ["2013-05-26T12:54:13Z", "2014-01-01", "2014", "2013-12-31/2014-01-02", None]
    rows = [{"collected_on": days[i % 5], "written_label": "a"} for i in range(50)]
    roles = parted(rows, records_of, by="year", held_out=["2014"])
    for row, role in enumerate(roles.role_N.tolist()):
        assert (role == "test") == (row % 5 in {1, 2})
        assert (role == "unused") == (
            row % 5 in {3, 4}
        )  # which year the fourth is of, nobody knows


@pytest.mark.parametrize(
    ("written", "date", "year"),
    [
        ("2013-05-26T12:54:13+02:00", "2013-05-26", "2013"),
        ("2013-05-26T10:00/2013-05-26T11:00", "2013-05-26", "2013"),
        ("2013-05-26/2013-05-27", None, "2013"),
        ("2013-05", None, "2013"),
        ("2013", None, "2013"),
        ("summer", None, None),
        ("26.05.2013", None, None),
    ],
)
def test_days_and_years(written, date, year):
    assert (date_of(written), year_of(written)) == (date, year)


def test_ids_within_a_source_are_written_with_it(records_of):
    rows = [
        {"source": source, "sample_id": str(i % 2), "written_label": "a"}
        for source in "st"
        for i in range(10)
    ]
    roles = parted(rows, records_of, by="sample_id", held_out=["t/1"])
    assert np.flatnonzero(roles.role_N == "test").tolist() == [11, 13, 15, 17, 19]
    assert coded(records_of(rows), "sample_id").values == ("s/0", "s/1", "t/0", "t/1")
    with pytest.raises(SplitError, match=r"no sample_id '1'.*Did you mean 's/1'"):
        parted(rows, records_of, by="sample_id", held_out=["1"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"by": "instrument", "held_out": ["IFCB"]}, "no instrument 'IFCB'. The collection has: ISIIS, UVP6"),
        ({"by": "instrument", "held_out": []}, "name the instrument to test on with --held-out"),
        ({"by": "sites", "held_out": ["A"]}, "--by sites: not one of .* Did you mean 'site'"),
        ({"by": "site", "held_out": ["A"]}, "no site 'A'. The collection has: none"),
        ({"by": "instrument", "held_out": ["ISIIS", "UVP6"]}, "no named record is left to train on"),
    ],
)  # fmt: skip
def test_what_cannot_be_held_out(records_of, options, message):
    with pytest.raises(SplitError, match=message):
        parted(instrument_rows(), records_of, **options)


def test_a_held_out_instrument_of_a_collection(tiny_collection, tmp_path):
    instruments = open_collection(tiny_collection).columns()["instrument"].to_pylist()
    held_out = sorted({name for name in instruments if name})[0]
    report = holotype.split(
        tiny_collection, out=tmp_path / "s.parquet", method="leave-out", by="instrument",
        held_out=held_out,
    )  # fmt: skip
    made = read_split(tmp_path / "s.parquet")
    assert {instruments[row] for row in made.rows(Role.TEST)} == {held_out}
    assert held_out not in {instruments[row] for row in made.rows(Role.TRAIN)}
    assert report.audit["clean"]
    assert report.audit["crossing"]["instrument"] == 0
    assert made.made_by["held_out"] == [held_out]


def test_one_split_for_each_instrument(tiny_collection, tmp_path):
    instruments = open_collection(tiny_collection).columns()["instrument"].to_pylist()
    values = sorted({name for name in instruments if name})
    report = holotype.split(
        tiny_collection, out=tmp_path / "each", method="leave-one-out", by="instrument"
    )
    assert [fold.value for fold in report.folds] == values
    assert report.audit["clean"]
    with (tmp_path / "each" / "index.csv").open(encoding="utf-8", newline="") as stream:
        index = list(csv.DictReader(stream))
    assert [line["value"] for line in index] == values
    for line, fold in zip(index, report.folds, strict=True):
        made = read_split(tmp_path / "each" / line["split"])
        assert {instruments[row] for row in made.rows(Role.TEST)} == {line["value"]}
        assert made.made_by["method"] == "leave-out"
        assert made.counts() == fold.counts
        assert int(line["test seen"]) == fold.counts["test seen"]
    alone = tmp_path / "alone.parquet"
    holotype.split(
        tiny_collection, out=alone, method="leave-out", by="instrument", held_out=values[:1]
    )
    assert alone.read_bytes() == (tmp_path / "each" / report.folds[0].split).read_bytes()


def table_collection(folder, rows):
    names = sorted({name for row in rows for name in row})
    lines = [",".join(names), *(",".join(row.get(name, "") for name in names) for row in rows)]
    (folder / "t.csv").write_text("\n".join(lines) + "\n")
    holotype.import_("table", [folder / "t.csv"], into=folder / "c", source="s")
    return folder / "c"


def test_a_value_that_cannot_be_held_out_has_a_line_with_the_reason(tmp_path):
    rows = [{"record_id": f"r{i}", "species": "Aus bus", "site": "A"} for i in range(9)]
    rows.append({"record_id": "r9", "site": "B/ü", "barcode": "ACGT" * 30})
    report = holotype.split(
        table_collection(tmp_path, rows), out=tmp_path / "each", method="leave-one-out", by="site"
    )
    first, second = report.folds
    assert (first.value, first.split) == ("A", None)
    assert "no named record is left" in first.reason
    assert (second.split, second.counts["test unnamed"]) == ("002-b.parquet", 1)
    assert sorted(p.name for p in (tmp_path / "each").iterdir()) == ["002-b.parquet", "index.csv"]


def test_leave_one_out_needs_two_values_and_not_thousands(tmp_path, monkeypatch):
    rows = [{"record_id": f"r{i}", "species": "Aus bus", "site": f"{i}"} for i in range(12)]
    place = table_collection(tmp_path, rows)
    options = {"out": tmp_path / "each", "method": "leave-one-out"}
    with pytest.raises(SplitError, match="by cruise: 0 values"):
        holotype.split(place, by="cruise", **options)
    monkeypatch.setattr("holotype.splits.family.MOST_FOLDS", 11)
    with pytest.raises(SplitError, match=r"by site: 12 values; 2 to 11 are possible. Hold some"):
        holotype.split(place, by="site", **options)
    (tmp_path / "each").write_text("")
    with pytest.raises(SplitError, match="leave-one-out writes a folder"):
        holotype.split(place, by="site", **options)
