"""Records of the Explore page: found by words, shown whole, written as CSV, kept as a selection, laid out."""

import csv
import io
import json
import shutil
import sys
import time

import hypothesis.strategies as st
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from explore_collection import collection_of
from hypothesis import given

from holotype.app.exploring.facts import facts_of
from holotype.app.exploring.opened import CollectionNow
from holotype.app.exploring.plane import Plane, chosen_rows, keep, kept, made, plane_path
from holotype.app.exploring.record_rows import RecordRows
from holotype.app.exploring.records import column_of, csv_of, record_at
from holotype.app.exploring.searching import Means, ids_of, suggestions
from holotype.app.exploring.selections import SelectionRows, keep_selection, selection_of
from holotype.app.exploring.vectors import KnownVectors
from holotype.collection.examination import records_table
from holotype.collection.reading.cells import unescaped
from holotype.collection.schema import RECORDS_SCHEMA
from holotype.errors import CollectionError
from holotype.identify.columns import ANSWER_SCHEMA
from holotype.jobs import Jobs

ROWS = [
    {"record_id": "a/1", "order": "Calanoida", "family": "Calanidae", "genus": "Calanus",
     "species": "Calanus finmarchicus", "written_label": "cal fin",
     "other_ranks": [{"rank": "superfamily", "name": "Calanoidea"}], "latitude_deg": -12.5,
     "licence": "CC-BY-4.0", "rights_holder": "=HYPERLINK(\"x\")", "barcode": "ACGT", "haplotype": "00"},
    {"record_id": "a/2", "order": "Calanoida", "family": "Calanidae", "written_label": "Cal sp."},
    {"record_id": "b/1", "order": "Cyclopoida", "written_label": "<script>alert(1)</script>",
     "extra": json.dumps({"é": "@x"})},
]  # fmt: skip


@pytest.fixture(scope="module")
def collection(tmp_path_factory):
    rows = [{"source": "made", "source_item": "x", **row} for row in ROWS]
    return collection_of(tmp_path_factory.mktemp("records") / "c", rows, shards=2)


@pytest.fixture(scope="module")
def rows(collection):
    return RecordRows(collection)


def test_suggestions_whole_names_first(collection, rows):
    facts = facts_of(collection)
    found = suggestions(facts, rows, " calan ")
    assert [(one.text, one.records) for one in found] == [
        ("Calanidae", 2),
        ("Calanoida", 2),
        ("Calanus", 1),
        ("Calanus finmarchicus", 1),
    ]
    assert found[0].detail == "family of Calanoida"
    assert suggestions(facts, rows, "calanus")[0].text == "Calanus"
    assert [(s.means, s.text) for s in suggestions(facts, rows, "a/")] == [
        (Means.RECORD, "a/1"),
        (Means.RECORD, "a/2"),
    ]
    labels = [s.text for s in suggestions(facts, rows, "CAL") if s.means is Means.LABEL]
    assert labels == ["Cal sp.", "cal fin"]
    assert suggestions(facts, rows, "c") == ()
    assert len(suggestions(facts, rows, "al", most=3)) == 3


def test_a_record_is_shown_whole(collection, rows):
    record = record_at(collection, rows.row("a/1"))
    assert record.lineage == (
        ("order", "Calanoida"),
        ("superfamily", "Calanoidea"),
        ("family", "Calanidae"),
        ("genus", "Calanus"),
        ("species", "Calanus finmarchicus"),
    )
    said = {one.column: one.text for group in record.stated.values() for one in group}
    assert said["latitude_deg"] == "-12.5"
    assert said["rights_holder"] == '=HYPERLINK("x")'
    shown = set(said) | {"order", "family", "genus", "species", "other_ranks"}
    given = {name for name, value in ROWS[0].items() if value is not None}
    assert given | {"source", "source_item"} == shown
    assert not record.has_image


def test_every_column_has_its_place():
    from holotype.app.exploring.records import GROUPS
    from holotype.taxonomy.lineage import LINNAEAN_RANKS

    placed = [name for group in GROUPS.values() for name in group]
    assert len(placed) == len(set(placed))
    lineage = {rank.value for rank in LINNAEAN_RANKS} | {"other_ranks", "image"}
    assert set(placed) | lineage == set(RECORDS_SCHEMA.names)


def test_csv_is_whole_and_runs_in_no_spreadsheet(collection, rows):
    chosen = np.array([rows.row("b/1"), rows.row("a/1")])
    table = list(csv.DictReader(io.StringIO("".join(csv_of(collection, chosen)))))
    assert [row["record_id"] for row in table] == ["a/1", "b/1"]
    assert table[0]["rights_holder"].startswith("'=")
    assert unescaped(table[0]["rights_holder"]) == ROWS[0]["rights_holder"]
    assert table[0]["latitude_deg"] == "-12.5"
    assert json.loads(table[0]["other_ranks"]) == ROWS[0]["other_ranks"]
    assert table[1]["species"] == ""
    assert column_of(collection, chosen, "written_label") == [ROWS[2]["written_label"], "cal fin"]


def test_a_selection_is_kept_and_found_again(tmp_path, collection, rows):
    ids = ids_of(rows, [2, 0])
    key = keep_selection(tmp_path, collection.path, ids)
    assert key == keep_selection(tmp_path, collection.path, ids)
    content = json.loads((tmp_path / "selections" / f"{key}.json").read_text())
    assert content == {"collection": str(collection.path), "record_ids": ["b/1", "a/1"]}
    assert selection_of(tmp_path, key).record_ids == ("b/1", "a/1")
    with pytest.raises(CollectionError, match="nothing is selected"):
        keep_selection(tmp_path, collection.path, [])


def test_equal_choices_have_equal_keys_in_whatever_order(tmp_path, collection):
    key = keep_selection(tmp_path, collection.path, ["b/1", "a/1"])
    assert key == keep_selection(tmp_path, collection.path, ["a/1", "b/1"])
    assert key == keep_selection(tmp_path, collection.path, ["a/1", "b/1", "a/1"])
    assert key != keep_selection(tmp_path, collection.path, ["a/1", "a/2"])
    assert key != keep_selection(tmp_path, tmp_path, ["a/1", "b/1"])


def test_rows_of_a_selection_are_found_once_for_each_content(tmp_path, collection, rows):
    key = keep_selection(tmp_path, collection.path, ["b/1", "gone", "a/1"])
    kept = SelectionRows(tmp_path)
    assert sorted(kept.rows(key, rows).tolist()) == [0, 2]
    (tmp_path / "selections" / f"{key}.json").unlink()
    assert kept.rows(key, rows) is kept.rows(key, rows)
    other = collection_of(tmp_path / "c", [{"source": "made", "source_item": "x", **ROWS[2]}])
    with pytest.raises(CollectionError, match="not kept here"):
        kept.rows(key, RecordRows(other))


@given(st.lists(st.sampled_from(["a/1", "a/2", "b/1", "b/2", "", "é"]), max_size=9))
def test_rows_of_many_are_those_of_each(rows, asked):
    assert rows.rows(asked) == [rows.row(one) for one in asked]
    assert rows.known(asked) == {one for one in asked if rows.row(one) is not None}


def test_a_hundred_thousand_ids_are_found_at_once(tmp_path):
    ids = [f"net-{at:07d}-ab" for at in range(100_000)]
    table = records_table([{"record_id": "", "source": "made", "source_item": "x"}])
    many = table.take(pa.array(np.zeros(len(ids), dtype=np.int64)))
    many = many.set_column(0, many.schema.field(0), pa.array(ids, many.schema.field(0).type))
    found = RecordRows(collection_of(tmp_path / "c", many))
    assert found.ids[5].as_py() == ids[5]
    began = time.perf_counter()
    assert found.places(ids[::-1]).tolist() == list(range(len(ids)))[::-1]
    assert time.perf_counter() - began < 1.0


def test_the_map_is_of_the_images_whatever_they_are_named(tmp_path):
    def key(name, changed, column="image_sha256"):
        row = {"source": "made", "source_item": "x"}
        made_of = [{**row, "record_id": one, **changed.get(one, {})} for one in "abc"]
        return RecordRows(collection_of(tmp_path / name, made_of, shards=2)).content_key(column)

    images = {one: {"image_sha256": one * 8} for one in "ab"}
    first = key("1", images)
    assert first == key("2", {**images, "c": {"genus": "Calanus"}})
    assert first != key("3", {**images, "b": {"image_sha256": "other"}})
    assert first != key("4", {"a": images["b"], "b": images["a"]})
    assert first != key("5", images, "haplotype")


@pytest.mark.parametrize("key", ["0" * 20, "../secret", "a/b", ""])
def test_a_key_that_is_none(tmp_path, key):
    (tmp_path / "secret.json").write_text('{"collection": "", "record_ids": []}')
    with pytest.raises(CollectionError):
        selection_of(tmp_path, key)


def test_records_for_the_map_are_spread_over_the_names(tmp_path):
    names = ["common"] * 900 + ["some"] * 90 + [f"rare{at}" for at in range(10)]
    rows = [
        {"record_id": str(at), "source": "made", "source_item": "x", "genus": name}
        for at, name in enumerate(names)
    ]
    facts = facts_of(collection_of(tmp_path / "c", rows))
    inside = np.ones(1000, dtype=bool)
    inside[0] = False
    chosen = chosen_rows(facts, inside, most=100)
    assert len(chosen) == len(set(chosen.tolist())) == 100
    assert 0 not in chosen
    found = [names[row] for row in chosen]
    assert {f"rare{at}" for at in range(10)} <= set(found)
    assert found.count("common") > found.count("some") >= 20
    assert chosen_rows(facts, inside, most=100).tolist() == chosen.tolist()
    assert len(chosen_rows(facts, inside, most=5000)) == 999


@pytest.mark.parametrize(
    "words",
    [lambda out: ["--out", str(out)], lambda out: [f"--out={out}"]],
    ids=["apart", "joined"],
)
def test_decisions_are_those_of_the_last_job_that_named_all_records(
    tmp_path, collection, monkeypatch, words
):
    monkeypatch.setattr("holotype.app.exploring.opened.LOOK_AGAIN_S", 0.0)
    now = CollectionNow(collection.path, tmp_path)
    assert "decision" not in now.explored().facts.coded
    out = tmp_path / "answers.parquet"
    told = [
        {"record_id": "b/1", "decision": "novel"},
        {"record_id": "a/1", "decision": "named"},
        {"record_id": "elsewhere", "decision": "failed"},
    ]
    pq.write_table(pa.Table.from_pylist(told, schema=ANSWER_SCHEMA), out)
    jobs = Jobs(tmp_path / "jobs", command=(sys.executable, "-c", "pass"))
    job = jobs.start("name them", ["predict", "starter", str(collection.path), *words(out)])
    for _ in range(200):
        jobs.turn()
        if jobs.get(job.id).is_over:
            break
        time.sleep(0.05)
    coded = now.explored().facts.coded["decision"]
    assert [coded.values[code] for code in coded.code_N] == ["named", None, "novel"]
    assert now.explored() is now.explored()
    out.write_bytes(b"torn")
    assert "decision" not in now.explored().facts.coded


def test_a_collection_that_was_written_to_is_read_again(tmp_path):
    row = {"record_id": "a", "source": "made", "source_item": "a", "genus": "Before"}
    collection_of(tmp_path / "c", [row])
    now = CollectionNow(tmp_path / "c")
    first = now.explored()
    assert now.explored() is first
    collection_of(tmp_path / "new", [{**row, "genus": "After"}, {**row, "record_id": "b"}])
    shutil.rmtree(tmp_path / "c")
    (tmp_path / "new").rename(tmp_path / "c")
    second = now.explored()
    assert second.facts.lineages.labels == ("After", "Before")
    assert second.rows.row("b") == 1


def unit(rng, count):
    z = rng.normal(size=(count, 8)).astype(np.float32)
    return z / np.linalg.norm(z, axis=1, keepdims=True)


def test_a_map_brings_like_together_and_is_kept(tmp_path, collection, rows):
    rng = np.random.default_rng(0)
    centres = unit(rng, 2)
    z = centres[np.arange(40) % 2] + 0.05 * rng.normal(size=(40, 8)).astype(np.float32)
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    plane = made(list(range(40)), z, modality="image", among=50, failed=1)
    first, second = plane.place_P2[::2], plane.place_P2[1::2]
    apart = np.linalg.norm(first.mean(axis=0) - second.mean(axis=0))
    assert apart > first.std() + second.std()

    few = Plane(np.array([2, 0]), plane.place_P2[:2], z[:2], "image", 3, 0)
    path = plane_path(tmp_path, collection.fingerprint, "model", "image")
    keep(few, path, rows)
    again = kept(path, rows)
    assert again.row_P.tolist() == [2, 0]
    assert np.array_equal(again.place_P2, few.place_P2)
    assert np.array_equal(again.z_PD, few.z_PD)
    path.write_bytes(b"cut")
    assert kept(path, rows) is None
    assert plane_path(tmp_path, "other", "model", "image") != path


def test_nearest_among_known_vectors():
    z = unit(np.random.default_rng(1), 6)
    z[3] = z[0]
    known = KnownVectors.of_rows(np.array([10, 11, 12, 13, 14, 15]), z, modality="image", model="m")
    near = known.nearest(z[0], k=2, but=10)
    assert near[0][0] == 13
    assert near[0][1] == pytest.approx(1, abs=2e-3)
    inside = np.zeros(20, dtype=bool)
    inside[[11, 12]] = True
    assert {row for row, _ in known.nearest(z[0], k=5, inside=inside)} == {11, 12}
    assert known.nearest(z[0], k=5, inside=np.zeros(20, dtype=bool)) == []
    assert known.of_record(3) is None
    assert known.of_record(11) == pytest.approx(z[1], abs=2e-3)
