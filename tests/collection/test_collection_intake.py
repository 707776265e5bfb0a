"""Intake: the ledger adds up, nothing is read twice, an interruption costs nothing."""

import json
import tempfile
import zipfile
from collections import Counter
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import holotype
from holotype.collection import intake, listing, manifest
from holotype.collection.examination import examine_chunk
from holotype.collection.rewrite import rewrite_records
from holotype.collection.sources import sources
from holotype.collection.sources.item import Item, Source, SourceOptions
from holotype.collection.store import open_collection
from holotype.errors import CollectionError, SourceError, TaxonomyError
from holotype.media.locations import FileAt

GOOD, BAD, NONE = "good", "bad", ""


def source_of(items):
    """A source that yields these items."""
    return Source("mixture", "a test", lambda path, options: iter(items))


def in_this_process(work, tasks, *, engine):
    """What ``run_tasks`` does for one task, for all of them: quick, and it can be interrupted."""
    yield from map(examine_chunk, tasks)


@st.composite
def mixed_items(draw, png):
    """Items of every fate, some under one name."""
    items, fates = [], []
    for number in range(draw(st.integers(1, 12))):
        name = f"item {draw(st.integers(0, 5))}" if draw(st.booleans()) else f"own {number}"
        fate = draw(st.sampled_from(["skip", "error", "record", "record", "record"]))
        image = draw(st.sampled_from([GOOD, BAD, NONE]))
        barcode = draw(st.sampled_from([GOOD, BAD, NONE]))
        label = draw(st.sampled_from(["Calanus", NONE]))
        fields = {
            "written_label": label,
            "barcode": {GOOD: "ACGTACGT", BAD: "MELVIS", NONE: ""}[barcode],
        }
        content = png(number) if image == GOOD else b"this is text"
        items.append(
            Item(
                name,
                row=number,
                fields=fields,
                content=content if image else None,
                image_name="x.png",
                skip_reason="no image" if fate == "skip" else None,
                error="cut short" if fate == "error" else None,
            )
        )
        fates.append((name, number, fate, image, barcode, label))
    return items, fates


def slow_outcomes(fates):
    """What must become of each item, said in plain words."""
    seen, outcomes = set(), []
    for name, number, fate, image, barcode, label in fates:
        content = (name, number if image == GOOD else None, barcode, label)
        nothing_read = GOOD not in (image, barcode)
        if fate == "skip":
            outcomes.append("skipped")
        elif fate == "error" or (nothing_read and (BAD in (image, barcode) or not label)):
            outcomes.append("rejected")
        elif content in seen:
            outcomes.append("repeated")
        else:
            seen.add(content)
            outcomes.append("imported_with_note" if BAD in (image, barcode) else "imported")
    return outcomes


def test_the_ledger_adds_up(png):
    @settings(max_examples=40, deadline=None)
    @given(mixed_items(png), st.integers(1, 5))
    def check(mixture, shard_items):
        items, fates = mixture
        with (
            tempfile.TemporaryDirectory() as folder,
            patch.dict(sources(), {"mixture": source_of(items)}),
            patch.object(listing, "CHUNK_ITEMS", shard_items),
            patch.object(intake, "run_tasks", in_this_process),
        ):
            into = Path(folder) / "c"
            report = holotype.import_("mixture", [folder], into=into, source="s")
            collection = open_collection(into)
            ledger = collection.ledger().to_pylist()
            expected = slow_outcomes(fates)
            assert [entry["outcome"] for entry in ledger] == expected
            assert dict(report.outcomes) == dict(Counter(expected))
            assert report.items == len(items)
            imported = [e["record_id"] for e in ledger if e["outcome"].startswith("imported")]
            assert collection.columns()["record_id"].to_pylist() == imported
            assert len(set(imported)) == len(imported)
            assert len(collection) == report.records == len(imported)
            for entry in ledger:
                plain = entry["outcome"] == "imported"
                assert (entry["reason"] is None) == (entry["detail"] is None) == plain
                assert (entry["record_id"] is None) == (
                    entry["outcome"] in {"skipped", "rejected", "repeated"}
                )
            (one,) = collection.manifest["imports"]
            shards = one["shards"]
            assert all(0 < shard["rows"] <= shard_items for shard in shards)

    check()


def test_an_input_is_read_into_an_existing_collection(crops, tmp_path, png):
    into = tmp_path / "c"
    holotype.import_("image-folder", [crops], into=into)
    before = open_collection(into)
    shards = {path: path.read_bytes() for path in before.shard_paths()}
    (tmp_path / "more" / "copepod").mkdir(parents=True)
    (tmp_path / "more" / "copepod" / "1.png").write_bytes(png(50))
    report = holotype.import_("image-folder", [tmp_path / "more"], into=into)
    after = open_collection(into)
    assert (report.records, report.items, dict(report.outcomes)) == (12, 1, {"imported": 1})
    assert after.columns().slice(0, 11) == before.columns()
    assert after.fingerprint != before.fingerprint
    assert after.ledger().num_rows == 13
    assert after.manifest["outcomes"] == {"imported": 12, "skipped": 1}
    assert [entry["source"] for entry in after.manifest["imports"]] == ["crops", "more"]
    assert all(path.read_bytes() == content for path, content in shards.items())


def test_a_folder_that_has_grown_adds_what_is_new(crops, tmp_path, png):
    into = tmp_path / "c"
    holotype.import_("image-folder", [crops], into=into)
    (crops / "copepod" / "new.png").write_bytes(png(60))
    report = holotype.import_("image-folder", [crops], into=into)
    assert dict(report.outcomes) == {"imported": 1, "repeated": 11, "skipped": 1}
    collection = open_collection(into)
    ids = collection.columns()["record_id"].to_pylist()
    assert len(ids) == len(set(ids)) == report.records == 12
    assert len(set(map(str, collection.shard_paths()))) == 2
    for one in collection.manifest["imports"]:
        for shard in one["shards"]:
            assert pq.read_metadata(into / shard["path"]).num_rows == shard["rows"]


def test_one_input_named_twice_is_read_once(crops, tmp_path):
    report = holotype.import_("image-folder", [crops, crops], into=tmp_path / "c")
    assert dict(report.outcomes) == {"imported": 11, "repeated": 11, "skipped": 2}
    assert report.items == 24
    assert report.records == 11


def test_the_same_name_in_two_sources_is_two_records(crops, tmp_path):
    holotype.import_("image-folder", [crops], into=tmp_path / "c", source="net1")
    report = holotype.import_("image-folder", [crops], into=tmp_path / "c", source="net2")
    assert report.records == 22


class PowerCutError(Exception):
    """Stands for a power cut."""


def content_of(folder):
    """The bytes of every file of a collection by its place."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def small_shards(monkeypatch):
    monkeypatch.setattr(listing, "CHUNK_ITEMS", 3)
    monkeypatch.setattr(intake, "run_tasks", in_this_process)


@pytest.fixture
def uninterrupted(crops, tmp_path, small_shards):
    into = tmp_path / "whole" / "c"
    holotype.import_("image-folder", [crops], into=into)
    return content_of(into)


@pytest.mark.parametrize("after", [0, 1, 2, 3, 4])
def test_an_interrupted_import_goes_on(crops, tmp_path, uninterrupted, monkeypatch, after):
    into = tmp_path / "c"

    def failing(work, tasks, *, engine):
        yield from map(examine_chunk, tasks[:after])
        raise PowerCutError

    monkeypatch.setattr(intake, "run_tasks", failing)
    with pytest.raises(PowerCutError):
        holotype.import_("image-folder", [crops], into=into)
    with pytest.raises(CollectionError, match="not a complete holotype-collection"):
        open_collection(into)
    shards = {path: path.stat().st_mtime_ns for path in into.glob(".intake/*/shard-*")}
    assert len(shards) == after
    rewritten = []

    def told(work, tasks, *, engine):
        for task in tasks:
            yield examine_chunk(task)
        now = {path: path.stat().st_mtime_ns for path in into.glob(".intake/*/shard-*")}
        rewritten.extend(path for path, before in shards.items() if now[path] != before)

    monkeypatch.setattr(intake, "run_tasks", told)
    report = holotype.import_("image-folder", [crops], into=into)
    assert content_of(into) == uninterrupted
    assert (report.items, report.records) == (12, 11)
    assert not rewritten  # what finished shards hold is not read again


def test_an_interrupted_listing_goes_on(crops, tmp_path, uninterrupted, monkeypatch):
    into = tmp_path / "c"
    whole = sources()["image-folder"]

    def failing(path, options):
        for number, item in enumerate(whole.read(path, options)):
            if number == 7:
                raise PowerCutError
            yield item

    monkeypatch.setitem(sources(), "image-folder", Source("image-folder", "", failing))
    with pytest.raises(PowerCutError):
        holotype.import_("image-folder", [crops], into=into)
    monkeypatch.setitem(sources(), "image-folder", whole)
    holotype.import_("image-folder", [crops], into=into)
    assert content_of(into) == uninterrupted


@pytest.mark.parametrize("place", ["settle_ids", "publish", "write_manifest"])
def test_an_import_interrupted_at_its_end_goes_on(
    crops, tmp_path, uninterrupted, monkeypatch, place
):
    into = tmp_path / "c"
    step = getattr(intake, place)

    def failing(*given, **named):
        if place != "write_manifest":
            step(*given, **named)
        raise PowerCutError

    monkeypatch.setattr(intake, place, failing)
    with pytest.raises(PowerCutError):
        holotype.import_("image-folder", [crops], into=into)
    with pytest.raises(CollectionError):
        open_collection(into)
    monkeypatch.setattr(intake, place, step)
    report = holotype.import_("image-folder", [crops], into=into)
    assert content_of(into) == uninterrupted
    assert dict(report.outcomes) == {"imported": 11, "skipped": 1}


def test_a_half_written_shard_is_never_taken_for_whole(crops, tmp_path, uninterrupted, monkeypatch):
    into = tmp_path / "c"
    write, calls = pq.write_table, []

    def failing(table, where, **options):
        calls.append(where)
        if len(calls) == 7:
            assert "shard-" in Path(where).name
            Path(where).write_bytes(b"PAR1 half")
            raise PowerCutError
        return write(table, where, **options)

    monkeypatch.setattr(pq, "write_table", failing)
    with pytest.raises(PowerCutError):
        holotype.import_("image-folder", [crops], into=into)
    assert not [path for path in into.rglob("*") if path.name.endswith(".part")]
    monkeypatch.setattr(pq, "write_table", write)
    holotype.import_("image-folder", [crops], into=into)
    assert content_of(into) == uninterrupted


def test_a_shard_without_its_ledger_is_read_again(crops, tmp_path, uninterrupted, monkeypatch):
    into = tmp_path / "c"
    publish = intake.publish
    monkeypatch.setattr(intake, "publish", lambda *given, **named: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        holotype.import_("image-folder", [crops], into=into)
    monkeypatch.setattr(intake, "publish", publish)
    (last,) = into.glob(".intake/*/ledger-000003-*.parquet")
    last.unlink()
    holotype.import_("image-folder", [crops], into=into)
    assert content_of(into) == uninterrupted


@pytest.mark.parametrize(
    ("where", "place"), [(manifest, "find_quality_issues"), (intake, "publish")]
)
def test_an_interrupted_append_leaves_the_collection_as_it_was(
    crops, tmp_path, png, monkeypatch, small_shards, where, place
):
    into = tmp_path / "c"
    holotype.import_("image-folder", [crops], into=into)
    before = open_collection(into)
    columns, ledger = before.columns(), before.ledger()
    (tmp_path / "more").mkdir()
    for number in range(5):
        (tmp_path / "more" / f"{number}.png").write_bytes(png(70 + number))
    step = getattr(where, place)

    def failing(*given, **named):
        raise PowerCutError

    monkeypatch.setattr(where, place, failing)
    with pytest.raises(PowerCutError):
        holotype.import_("image-folder", [tmp_path / "more"], into=into)
    between = open_collection(into)
    assert between.columns() == columns
    assert between.ledger() == ledger
    assert between.fingerprint == before.fingerprint
    monkeypatch.setattr(where, place, step)
    report = holotype.import_("image-folder", [tmp_path / "more"], into=into)
    after = open_collection(into)
    assert report.records == len(after) == 16
    assert after.ledger().num_rows == 12 + 5
    assert sum(after.manifest["outcomes"].values()) == 17


def test_the_same_import_gives_the_same_bytes(crops, tmp_path):
    found = []
    for name in ("first", "second"):
        holotype.import_("image-folder", [crops], into=tmp_path / name / "c")
        found.append(content_of(tmp_path / name / "c"))
    assert found[0] == found[1]


def test_a_collection_of_nothing_readable_is_complete_and_can_grow(crops, tmp_path):
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "1.png").write_bytes(b"")
    report = holotype.import_("image-folder", [tmp_path / "bad"], into=tmp_path / "c")
    assert (report.records, report.failed) == (0, 1)
    assert open_collection(tmp_path / "c").columns().num_rows == 0
    assert holotype.import_("image-folder", [crops], into=tmp_path / "c").records == 11


def test_a_folder_with_other_files_is_left_alone(crops, tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("x")
    with pytest.raises(CollectionError, match="holds other files"):
        holotype.import_("image-folder", [crops], into=tmp_path / "thesis")
    assert content_of(tmp_path / "thesis") == {"chapter.txt": b"x"}


def test_no_inputs_and_missing_inputs(tmp_path):
    with pytest.raises(SourceError, match="no input given"):
        holotype.import_("fasta", [], into=tmp_path / "c")
    with pytest.raises(SourceError, match="no such file or folder"):
        holotype.import_("image-folder", [tmp_path / "none"], into=tmp_path / "c")


def test_labels_are_joined_by_source_and_label(crops, tmp_path):
    table = tmp_path / "labels.csv"
    table.write_text(
        "Dataset,Raw_Labels,Kingdom,Phylum,Class,Order,Family,Genus,Species,qualifier,root_class\n"
        "crops,copepod,animalia,arthropoda,copepoda,,,,,,living\n"
        "other,egg_Calanus,animalia,arthropoda,copepoda,calanoida,,calanus,,egg,living\n"
    )
    report = holotype.import_("image-folder", [crops], into=tmp_path / "c", labels=table)
    assert (report.labels, report.labels_matched) == (2, 1)
    rows = open_collection(tmp_path / "c").columns().to_pylist()
    assert {row["class"] for row in rows if row["written_label"] == "copepod"} == {"Copepoda"}
    eggs = [row for row in rows if row["written_label"] == "egg_Calanus"]
    assert {(row["genus"], row["group"], row["qualifier"]) for row in eggs} == {
        (None, "Calanus", "egg")
    }
    ledger = open_collection(tmp_path / "c").ledger().to_pylist()
    assert sum(entry["reason"] == "no_match" for entry in ledger) == 5
    with pytest.raises(TaxonomyError, match="no labels of source 'net9'"):
        holotype.import_("image-folder", [crops], into=tmp_path / "d", labels=table, source="net9")
    assert not (tmp_path / "d").exists()


def test_the_manifest_says_what_was_read(crops, tmp_path):
    holotype.import_("image-folder", [crops], into=tmp_path / "c")
    manifest = json.loads((tmp_path / "c" / "collection.json").read_text())
    assert (manifest["format"], manifest["version"], manifest["name"]) == (
        "holotype-collection",
        2,
        "c",
    )
    (one,) = manifest["imports"]
    assert (one["kind"], one["input"], one["source"]) == ("image-folder", "crops", "crops")
    assert not (tmp_path / "c" / ".intake").exists()


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("planktonset1.zip", "planktonset1"),
        ("a.fasta.gz", "a"),
        ("sequences.tsv", "sequences"),
        ("net.2.tar.gz", "net.2"),
        ("crops", "crops"),
    ],
)
def test_source_name(name, source):
    assert intake.source_name(Path("in") / name) == source


def zipped(path, **content):
    path.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, body in content.items():
            archive.writestr(f"K/{name}.png", body)
    return path


def test_two_archives_under_one_source_keep_all_their_files(tmp_path, png):
    inputs = [zipped(tmp_path / f"cruise{n}.zip", a=png(n)) for n in (1, 2)]
    into = tmp_path / "c"
    report = holotype.import_("image-folder", inputs, into=into, source="lab")
    assert (report.records, dict(report.outcomes)) == (2, {"imported": 2})
    assert dict(open_collection(into).images()) == {
        "lab/K/a.png": png(1),
        "lab/cruise2.zip/K/a.png": png(2),
    }
    again = holotype.import_("image-folder", inputs, into=into, source="lab")
    assert (again.records, dict(again.outcomes)) == (2, {"repeated": 2})


def test_archives_of_one_name_keep_all_their_files(tmp_path, png):
    inputs = [zipped(tmp_path / str(n) / "crops.zip", a=png(n)) for n in range(4)]
    into = tmp_path / "c"
    report = holotype.import_("image-folder", inputs, into=into, source="lab")
    assert (report.records, dict(report.outcomes)) == (4, {"imported": 4})
    assert [image for _, image in open_collection(into).images()] == [png(n) for n in range(4)]
    again = holotype.import_("image-folder", inputs, into=into, source="lab")
    assert dict(again.outcomes) == {"repeated": 4}


def test_an_input_without_items_is_told(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match="nothing in it"):
        holotype.import_("image-folder", [tmp_path / "empty"], into=tmp_path / "c")
    assert not (tmp_path / "c" / "collection.json").exists()


def test_leftovers_of_a_cut_write_are_no_other_files(crops, tmp_path):
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "ledger.parquet.x1.part").write_bytes(b"half")
    assert holotype.import_("image-folder", [crops], into=tmp_path / "c").records == 11


def test_an_input_that_changed_since_gives_what_it_holds_now(
    crops, tmp_path, png, monkeypatch, small_shards
):
    into = tmp_path / "c"
    step = intake.publish
    monkeypatch.setattr(intake, "publish", lambda *given, **named: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        holotype.import_("image-folder", [crops], into=into)
    monkeypatch.setattr(intake, "publish", step)
    (crops / "copepod" / "0 new.png").write_bytes(png(60))
    first = sorted((crops / "copepod").glob("*.png"))[-1]
    first.write_bytes(png(61))
    report = holotype.import_("image-folder", [crops], into=into)
    assert (report.items, report.records) == (13, 12)
    fresh = holotype.import_("image-folder", [crops], into=tmp_path / "fresh" / "c")
    assert fresh.records == 12
    assert content_of(into) == content_of(tmp_path / "fresh" / "c")


def test_an_image_that_cannot_be_got_costs_its_record_alone(tmp_path, png, monkeypatch):
    items = [
        Item("a", content=png(1), image_name="a.png"),
        Item("b", image=FileAt(str(tmp_path / "gone.png")), image_name="b.png"),
        Item("c", content=png(3), image_name="c.png"),
    ]
    monkeypatch.setitem(sources(), "mixture", source_of(items))
    report = holotype.import_("mixture", [tmp_path], into=tmp_path / "c", source="s")
    assert dict(report.outcomes) == {"imported": 2, "rejected": 1}
    ledger = open_collection(tmp_path / "c").ledger().to_pylist()
    assert "no image 'gone.png' in" in ledger[1]["detail"]


def three_sources(tmp_path, png):
    """Three folders; the second shares a file with the first."""
    folders = [tmp_path / name for name in ("a", "b", "c")]
    for number, folder in enumerate(folders):
        (folder / "K").mkdir(parents=True)
        for image in range(3):
            (folder / "K" / f"{image}.png").write_bytes(png(10 * number + image))
    (folders[1] / "K" / "same.png").write_bytes(png(0))
    return folders


def test_the_order_of_imports_does_not_matter(tmp_path, png):
    folders = three_sources(tmp_path, png)
    for name, order in (("first", folders), ("second", folders[::-1])):
        for folder in order:
            holotype.import_("image-folder", [folder], into=tmp_path / name / "z")
    assert content_of(tmp_path / "first" / "z") == content_of(tmp_path / "second" / "z")


def test_adding_refreshing_and_dropping_equal_a_build_from_scratch(tmp_path, png):
    a, b, c = three_sources(tmp_path, png)
    grown = tmp_path / "grown" / "z"
    holotype.import_("image-folder", [b], into=grown)
    holotype.import_("image-folder", [a], into=grown)
    holotype.import_("image-folder", [c], into=grown)
    (b / "K" / "1.png").unlink()
    (b / "K" / "9.png").write_bytes(png(99))
    holotype.import_("image-folder", [b], into=grown, existing="replace")
    holotype.drop(grown, source="c")
    scratch = tmp_path / "scratch" / "z"
    for folder in (a, b):
        holotype.import_("image-folder", [folder], into=scratch)
    assert content_of(grown) == content_of(scratch)
    assert open_collection(grown).columns().num_rows == 7


def test_what_cannot_be_dropped(tmp_path, crops):
    holotype.import_("image-folder", [crops], into=tmp_path / "c")
    with pytest.raises(CollectionError, match=r"no source 'corps'\. Did you mean 'crops'"):
        holotype.drop(tmp_path / "c", source="corps")
    with pytest.raises(CollectionError, match="its only source"):
        holotype.drop(tmp_path / "c", source="crops")


def test_several_processes_give_the_same_bytes_as_one(tmp_path, crops, monkeypatch):
    monkeypatch.setattr(listing, "CHUNK_ITEMS", 3)
    holotype.import_("image-folder", [crops], into=tmp_path / "several" / "c")
    monkeypatch.setattr(intake, "run_tasks", in_this_process)
    holotype.import_("image-folder", [crops], into=tmp_path / "one" / "c")
    assert content_of(tmp_path / "several" / "c") == content_of(tmp_path / "one" / "c")


def test_constants_fill_what_the_source_does_not_give(tmp_path, crops):
    given = {
        "instrument": "CPICS",
        "latitude_deg": "34.68",
        "longitude_deg": "139.4",
        "licence": "cc0",
    }
    holotype.import_("image-folder", [crops], into=tmp_path / "c", constants=given)
    row = open_collection(tmp_path / "c").columns().to_pylist()[0]
    assert (row["instrument"], row["latitude_deg"], row["licence"]) == ("CPICS", 34.68, "CC0-1.0")
    assert (row["place_from"], row["depth_from"], row["licence_from"]) == (
        "source",
        "not_given",
        "user",
    )
    with pytest.raises(SourceError, match=r"no column 'instrumnt'\. Did you mean 'instrument'"):
        holotype.import_("image-folder", [crops], into=tmp_path / "d", constants={"instrumnt": "x"})


@pytest.mark.parametrize(
    ("written", "group"),
    [("kellikottia", "kellikottia"), ("copepod_calanoid_eggs", "copepod calanoid")],
)
def test_without_a_lineage_the_group_is_what_the_label_says(tmp_path, png, written, group):
    (tmp_path / "in" / written).mkdir(parents=True)
    (tmp_path / "in" / written / "1.png").write_bytes(png(1))
    holotype.import_("image-folder", [tmp_path / "in"], into=tmp_path / "c")
    (row,) = open_collection(tmp_path / "c").columns().to_pylist()
    assert (row["written_label"], row["group"]) == (written, group)


def write_table(path, *rows):
    path.write_text("record_id,genus,species,latitude_deg\n" + "\n".join(rows) + "\n")
    return path


def test_what_differs_anywhere_is_another_record(tmp_path):
    first = write_table(tmp_path / "a.csv", "r1,Acartia,,10")
    second = write_table(tmp_path / "b.csv", "r1,Calanus,,50")
    report = holotype.import_("table", [first, second], into=tmp_path / "c", source="s")
    assert (report.records, dict(report.outcomes)) == (2, {"imported_with_note": 2})


def test_a_record_that_a_step_has_changed_is_still_the_same_record(tmp_path):
    table = write_table(tmp_path / "a.csv", "r1,Acartia,,10", "r2,Calanus,,11")
    into = tmp_path / "c"
    holotype.import_("table", [table], into=into, source="s")

    def named(records):
        index = records.schema.get_field_index("species")
        names = pa.array(["Acartia clausi"] * records.num_rows, pa.string())
        return records.set_column(index, records.schema.field(index), names)

    rewrite_records(into, named, step={"step": "names"})
    report = holotype.import_("table", [table], into=into, source="s")
    assert (report.records, dict(report.outcomes)) == (2, {"repeated": 2})


def test_a_collection_that_became_empty_keeps_its_ledger_and_steps(tmp_path):
    table = write_table(tmp_path / "a.csv", "r1,Acartia,,10")
    into = tmp_path / "c"
    holotype.import_("table", [table], into=into, source="s")
    assert holotype.licences(into, allow=["open"]).records == 0
    holotype.import_("table", [table], into=into, source="t")
    opened = open_collection(into)
    assert [one["source"] for one in opened.manifest["imports"]] == ["s", "t"]
    assert [step["step"] for step in opened.manifest["steps"]] == ["licences", "import"]
    assert opened.manifest["outcomes"] == {"imported_with_note": 1, "set_aside": 1}


def test_a_source_is_not_replaced_by_nothing(crops, tmp_path, capsys):
    into = tmp_path / "c"
    holotype.import_("image-folder", [crops], into=into)
    before = open_collection(into).fingerprint
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "1.png").write_text("<html>")
    (tmp_path / "empty").mkdir()
    for inputs, error in (
        ([tmp_path / "bad"], CollectionError),
        ([crops, tmp_path / "empty"], SourceError),
    ):
        with pytest.raises(error, match=r"stays as it is|nothing in it"):
            holotype.import_("image-folder", inputs, into=into, source="crops", existing="replace")
        assert open_collection(into).fingerprint == before


def test_a_label_table_that_was_changed_is_read_again(crops, tmp_path):
    table = tmp_path / "labels.csv"
    head = "Dataset,Raw_Labels,Kingdom,Phylum,Class,Order,Family,Genus,Species\n"
    for name, phylum in (("c", "Arthropoda"), ("d", "Mollusca")):
        table.write_text(f"{head}crops,copepod,Animalia,{phylum},,,,,\n")
        holotype.import_("image-folder", [crops], into=tmp_path / name, labels=table)
        found = set(open_collection(tmp_path / name).columns(["phylum"])["phylum"].to_pylist())
        assert found == {phylum, None}


@pytest.mark.parametrize(
    ("constants", "message"),
    [
        ({"record_id": "x"}, "each record has its own"),
        ({"source": "x"}, "each record has its own"),
        ({"environment": "x"}, "each record has its own"),
        ({"latitude_deg": "95"}, "give a number from -90 to 90"),
        ({"latitude_deg": "nan"}, "give a number from -90 to 90"),
    ],
)
def test_constants_that_make_no_sense(crops, tmp_path, constants, message):
    with pytest.raises(SourceError, match=message):
        holotype.import_("image-folder", [crops], into=tmp_path / "c", constants=constants)


@pytest.mark.parametrize("name", ["a/b", " ", "a\nb", ""])
def test_source_names_that_make_no_ids(crops, tmp_path, name):
    if name:
        with pytest.raises(SourceError, match="Name it with --source"):
            holotype.import_("image-folder", [crops], into=tmp_path / "c", source=name)


def test_the_bytes_do_not_depend_on_how_the_path_is_written(crops, tmp_path, monkeypatch):
    monkeypatch.chdir(crops.parent)
    holotype.import_("image-folder", ["crops"], into=tmp_path / "a" / "c")
    holotype.import_("image-folder", [crops], into=tmp_path / "b" / "c")
    assert content_of(tmp_path / "a" / "c") == content_of(tmp_path / "b" / "c")


def test_numbers_are_plain_digits_with_a_point_or_comma(tmp_path):
    rows = ['r1,A,,"48,5"', "r2,A,,4_5", "r3,A,,\uff11\uff12", "r4,A,,1e999", "r5,A,,48.5"]
    table = write_table(tmp_path / "a.csv", *rows)
    holotype.import_("table", [table], into=tmp_path / "c", source="s")
    found = open_collection(tmp_path / "c").columns(["latitude_deg"])["latitude_deg"].to_pylist()
    assert found == [48.5, None, None, None, 48.5]


def test_large_cells_of_parquet_make_small_chunks(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    images = [{"bytes": rng.bytes(40_000), "path": f"{n}.png"} for n in range(20)]
    pq.write_table(pa.table({"image": images}), tmp_path / "t.parquet")
    monkeypatch.setattr(listing, "CHUNK_BYTES", 200_000)
    job = listing.Job(
        "table", tmp_path / "t.parquet", "s", SourceOptions(columns={"image": "image"})
    )
    assert len(listing.list_input(job, tmp_path / "chunks")) == 4


def test_one_folder_of_the_input_alone(tmp_path, png):
    for place in ("imgs/A/a.png", "imgs_coarse/B/a.png", "imgs/A/deep/b.png"):
        (tmp_path / "in" / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / place).write_bytes(png(len(place)))
    report = holotype.import_(
        "image-folder", [tmp_path / "in"], into=tmp_path / "c", inside="imgs/", label_folder=1
    )
    assert dict(report.outcomes) == {"imported": 2, "skipped": 1}
    labels = open_collection(tmp_path / "c").columns(["written_label"])["written_label"]
    assert labels.to_pylist() == ["A", "deep"]
    report = holotype.import_(
        "image-folder", [tmp_path / "in" / "imgs"], into=tmp_path / "d", label_folder=2
    )
    labels = open_collection(tmp_path / "d").columns(["written_label"])["written_label"]
    assert labels.to_pylist() == [None, "A"]
