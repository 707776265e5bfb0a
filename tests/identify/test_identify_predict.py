"""The contract of ``predict``: every input a row, equal rows in any company, the same in any format."""

import csv
import gzip
import io
import json
import tarfile
import zipfile
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import holotype
from holotype.collection.store import open_collection
from holotype.errors import BundleError, CollectionError, SourceError
from holotype.identify import answering
from holotype.identify.answers import AnswerSettings
from holotype.identify.columns import ANSWER_SCHEMA, CONTEXT_NAMES
from holotype.media.preparation import PixelPreparation, PreparationKind

PIXELS = PixelPreparation(PreparationKind.PADDED, side_px=32, channels=1)
COLUMNS = ANSWER_SCHEMA.names
RANKS = ["kingdom", "phylum", "class", "order", "family", "genus", "species"]
OF_THE_INPUT = {"input", *CONTEXT_NAMES}


def the_answer(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """What is said of the specimens, whatever their inputs say of them."""
    return [{name: cell for name, cell in row.items() if name not in OF_THE_INPUT} for row in rows]


@pytest.fixture(scope="module")
def places(brought, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same six images as files, folder, zip and tar; the same six barcodes in four forms."""
    root = tmp_path_factory.mktemp("brought")
    folder = root / "crops"
    (folder / "inner").mkdir(parents=True)
    with (
        zipfile.ZipFile(root / "crops.zip", "w") as zipped,
        tarfile.open(root / "crops.tar.gz", "w:gz") as tarred,
    ):
        for name, content in brought["images"]:
            (folder / "inner" / name).write_bytes(content)
            zipped.writestr(f"inner/{name}", content)
            member = tarfile.TarInfo(f"inner/{name}")
            member.size = len(content)
            tarred.addfile(member, io.BytesIO(content))
    text = "".join(f">{name} some words\n{barcode}\n" for name, barcode in brought["barcodes"])
    (root / "reads.fasta").write_text(text)
    with gzip.open(root / "reads.fa.gz", "wt") as handle:
        handle.write(text)
    rows = "".join(f"{name}\t{barcode}\n" for name, barcode in brought["barcodes"])
    (root / "reads.tsv").write_text("record_id\tbarcode\n" + rows)
    import pyarrow as pa

    names, barcodes = zip(*brought["barcodes"], strict=True)
    pq.write_table(pa.table({"record_id": names, "barcode": barcodes}), root / "reads.parquet")
    return {path.name: path for path in root.iterdir()}


def test_columns_come_in_their_order(predicted, places, tmp_path: Path) -> None:
    predicted(tmp_path / "a.csv", places["crops.zip"])
    assert (tmp_path / "a.csv").read_text().splitlines()[0].split(",") == COLUMNS


@pytest.mark.parametrize("container", ["crops", "crops.zip", "crops.tar.gz"])
def test_members_of_containers_bear_the_path_inside(
    container: str, predicted, places, brought, tmp_path: Path
) -> None:
    rows = predicted(tmp_path / "a.csv", places[container])
    names = [f"{places[container]}/inner/{name}" for name, _ in brought["images"]]
    assert sorted(row["input"] for row in rows) == sorted(names)
    files = [places["crops"] / "inner" / Path(row["input"]).name for row in rows]
    alone = predicted(tmp_path / "b.csv", *files)
    assert [row["input"] for row in alone] == [str(path) for path in files]
    assert the_answer(alone) == the_answer(rows)


@pytest.mark.parametrize("form", ["reads.fasta", "reads.fa.gz", "reads.tsv", "reads.parquet"])
def test_barcodes_in_any_form_are_named_alike(
    form: str, predicted, places, brought, tmp_path: Path
) -> None:
    rows = predicted(tmp_path / "a.csv", places[form])
    assert [row["input"] for row in rows] == [
        f"{places[form]}/{name}" for name, _ in brought["barcodes"]
    ]
    expected = predicted(tmp_path / "b.csv", places["reads.fasta"])
    assert the_answer(rows) == the_answer(expected)
    assert not any(row["failure"] for row in rows)


def test_a_collection_is_named_record_by_record(
    predicted, tiny_collection: Path, tmp_path: Path
) -> None:
    rows = predicted(tmp_path / "a.csv", tiny_collection)
    columns = open_collection(tiny_collection).columns(["record_id", "image_sha256", "barcode"])
    expected = [f"{tiny_collection}/{name}" for name in columns["record_id"].to_pylist()]
    assert [row["input"] for row in rows] == expected
    bare = [
        image is None and barcode is None
        for image, barcode in zip(
            columns["image_sha256"].to_pylist(), columns["barcode"].to_pylist(), strict=True
        )
    ]
    assert [bool(row["failure"]) for row in rows] == bare


def test_failures_are_rows_and_touch_no_other(predicted, places, brought, tmp_path: Path) -> None:
    good = [places["crops.zip"], places["reads.fasta"]]
    bad_zip = tmp_path / "bad.zip"
    with zipfile.ZipFile(bad_zip, "w") as zipped:
        zipped.writestr("broken.jpg", b"no image")
        zipped.writestr("good.png", brought["images"][0][1])
        zipped.writestr("cut.png", brought["images"][1][1][:60])
    (tmp_path / "cut.zip").write_bytes(places["crops.zip"].read_bytes()[:500])
    (tmp_path / "bad.fasta").write_text(f">fine\n{brought['barcodes'][0][1]}\n>protein\nMKVLE*\n")
    (tmp_path / "empty.png").write_bytes(b"")
    bad = [bad_zip, tmp_path / "cut.zip", tmp_path / "bad.fasta", tmp_path / "empty.png"]
    missing = tmp_path / "missing.zip"
    clean = predicted(tmp_path / "clean.csv", *good)
    mixed = predicted(tmp_path / "mixed.csv", bad[0], good[0], missing, *bad[1:], good[1])
    failures = {Path(row["input"]).name: row["failure"] for row in mixed if row["failure"]}
    assert set(failures) == {
        "broken.jpg", "cut.png", "missing.zip", "cut.zip", "protein", "empty.png",
    }  # fmt: skip
    assert "not an image" in failures["broken.jpg"]
    assert "no such file" in failures["missing.zip"]
    assert "amino-acid" in failures["protein"]
    assert "0 bytes" in failures["empty.png"]
    for row in mixed:
        if row["failure"]:
            assert row["decision"] == "failed"
            assert not any(row[name] for name in ("label", "answer", "score", "top_k", *RANKS))
    known = {row["input"]: row for row in clean}
    kept = [row for row in mixed if row["input"] in known]
    assert kept == clean
    extra = {Path(row["input"]).name for row in mixed if not row["failure"]} - {
        Path(name).name for name in known
    }
    assert extra == {"good.png", "fine"}


def test_a_container_without_images_is_a_failure(predicted, tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "read.me").write_text("nothing here")
    with zipfile.ZipFile(tmp_path / "empty.zip", "w"):
        pass
    rows = predicted(tmp_path / "a.csv", tmp_path / "notes", tmp_path / "empty.zip")
    assert [Path(row["input"]).name for row in rows] == ["notes", "empty.zip"]
    assert all("no image" in row["failure"] for row in rows)


def test_it_says_which_model_answers(tiny_run: Path, places, tmp_path: Path, capsys) -> None:
    holotype.predict(tiny_run, [places["crops.zip"]], out=tmp_path / "a.csv")
    said = capsys.readouterr().err
    assert "tiny (" in said
    assert "records of" in said
    assert "plankton" not in said


def test_csv_parquet_and_json_hold_the_same_values(tiny_run: Path, places, tmp_path: Path) -> None:
    inputs = [places["crops.zip"], tmp_path / "missing.png", places["reads.tsv"]]
    for ending in ("csv", "parquet", "json"):
        holotype.predict(tiny_run, inputs, out=tmp_path / f"a.{ending}")
    table = pq.read_table(tmp_path / "a.parquet")
    assert table.column_names == COLUMNS
    rows = table.to_pylist()
    unpacked = [
        {**row, **{name: json.loads(row[name] or "null") for name in ("top_k", "nearest")}}
        for row in rows
    ]
    assert json.loads((tmp_path / "a.json").read_text()) == unpacked
    with (tmp_path / "a.csv").open(newline="") as handle:
        for written, row in zip(csv.DictReader(handle), rows, strict=True):
            for name, cell in written.items():
                if row[name] is None:
                    assert cell == ""
                elif isinstance(row[name], int | float):
                    assert float(cell) == row[name]
                else:
                    assert cell == row[name]


@pytest.mark.parametrize("name", ["a.txt", "a", "a.csv.gz"])
def test_an_unknown_ending_is_refused(name: str, tiny_run: Path, places, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"\.csv, \.parquet, \.json"):
        holotype.predict(tiny_run, [places["crops.zip"]], out=tmp_path / name)
    assert not (tmp_path / name).exists()


def test_no_input_and_no_bundle_are_refused(tiny_run: Path, places, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no input given"):
        holotype.predict(tiny_run, [], out=tmp_path / "a.csv")
    with pytest.raises(BundleError, match=r"bundle\.json"):
        holotype.predict(tmp_path, [places["crops.zip"]], out=tmp_path / "a.csv")


def test_rows_are_the_same_in_chunks_of_any_size(
    predicted, places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = [places["crops.tar.gz"], places["reads.fasta"]]
    whole = predicted(tmp_path / "a.csv", *inputs)
    monkeypatch.setattr(answering, "CHUNK", 1)
    assert predicted(tmp_path / "b.csv", *inputs) == whole


def test_a_bad_barcode_does_not_cost_the_image(predicted, brought, tmp_path: Path) -> None:
    import pyarrow as pa

    images = [{"bytes": content, "path": name} for name, content in brought["images"][:2]]
    for name, barcodes in {"bad": ["MKVLE*", None], "none": [None, None]}.items():
        table = pa.table(
            {"record_id": ["a", "b"], "image": images, "barcode": pa.array(barcodes, pa.string())}
        )
        pq.write_table(table, tmp_path / f"{name}.parquet")
    bad = predicted(tmp_path / "bad.csv", tmp_path / "bad.parquet")
    clean = predicted(tmp_path / "clean.csv", tmp_path / "none.parquet")
    assert "amino-acid" in bad[0]["failure"]
    assert clean[0]["label"]
    assert not clean[0]["failure"]
    assert the_answer([{**bad[0], "failure": ""}, bad[1]]) == the_answer(clean)


def test_answers_bear_what_the_input_says(predicted, brought, tmp_path: Path) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    (_, content), *_ = brought["images"]
    (folder / "o.png").write_bytes(content)
    (folder / "ecotaxa_x.tsv").write_text(
        "object_id\timg_file_name\tobject_lat\tobject_lon\tobject_date\tacq_pixel_um\tsample_id\n"
        "[t]\t[t]\t[f]\t[f]\t[t]\t[f]\t[t]\n"
        "=o 1\to.png\t-43.5\t7.25\t20210304\t5.5\t@net\n"
    )
    (row,) = predicted(tmp_path / "a.csv", folder)
    (plain,) = predicted(tmp_path / "b.csv", folder, kind="image-folder")
    said = {
        name: row[name]
        for name in ("latitude_deg", "longitude_deg", "collected_on", "pixel_size_um")
    }
    assert list(said.values()) == ["-43.5", "7.25", "2021-03-04", "5.5"]
    assert row["record_id"] == "'=o 1"
    assert row["sample_id"] == "'@net"
    assert row["image_width_px"] == plain["image_width_px"] != ""
    assert the_answer([row]) == the_answer([plain])


def test_an_input_is_never_written_over_and_a_folder_is_told_before_the_work(
    tiny_run: Path, places, tmp_path: Path
) -> None:
    table = tmp_path / "reads.parquet"
    table.write_bytes(places["reads.parquet"].read_bytes())
    before = table.read_bytes()
    for given in ({"out": table}, {"out": tmp_path / "a.csv", "scores": table}):
        with pytest.raises(SourceError, match="an input, which would be lost"):
            holotype.predict(tiny_run, [table], **given)
    assert table.read_bytes() == before
    (tmp_path / "f.csv").mkdir()
    with pytest.raises(SourceError, match="a folder"):
        holotype.predict(tiny_run, [table], out=tmp_path / "f.csv")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["f.csv", "reads.parquet"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"nearest": -1}, "nearest -1"),
        ({"batch_size": 0}, "batch size 0"),
        ({"max_error": 1.0}, "max error 1"),
    ],
)
def test_settings_that_cannot_be_are_told(given: dict[str, float], said: str) -> None:
    with pytest.raises(SourceError, match=said):
        AnswerSettings(**given)


def test_no_such_device_is_told_before_anything_is_written(
    tiny_run: Path, places, tmp_path: Path
) -> None:
    with pytest.raises(SourceError, match="--device nowhere: not here"):
        holotype.predict(
            tiny_run, [places["reads.fasta"]], out=tmp_path / "a.csv", device="nowhere"
        )
    assert not list(tmp_path.iterdir())


def test_the_batch_size_changes_no_answer(predicted, places, tmp_path: Path) -> None:
    rows = predicted(tmp_path / "a.csv", places["crops.zip"], places["reads.fasta"])
    small = AnswerSettings(batch_size=5)
    others = predicted(
        tmp_path / "b.csv", places["crops.zip"], places["reads.fasta"], settings=small
    )
    assert [row["label"] for row in rows] == [row["label"] for row in others]
    found = [[float(row["score"]) for row in one] for one in (rows, others)]
    assert found[0] == pytest.approx(found[1], abs=1e-4)


def test_only_the_records_of_a_list_are_named(tiny_run, tiny_collection, tmp_path, capsys):
    ids = open_collection(tiny_collection).columns(["record_id"])["record_id"].to_pylist()
    chosen = [ids[at] for at in (3, 40, 41, 200)]
    listed = tmp_path / "chosen.txt"
    listed.write_text("\ufeff" + "\r\n".join([*chosen[::-1], "nowhere", chosen[0], ""]))
    whole, part = tmp_path / "whole.parquet", tmp_path / "part.parquet"
    holotype.predict(tiny_run, [tiny_collection], out=whole)
    gone = tmp_path / "gone.png"
    capsys.readouterr()
    report = holotype.predict(tiny_run, [tiny_collection, gone], out=part, records=listed)
    assert "1 of 5 records are in no input, as nowhere" in capsys.readouterr().err
    rows = pq.read_table(part).to_pylist()
    assert [row["record_id"] for row in rows[:-1]] == chosen
    assert rows[-1]["failure"] == "no such file or folder"
    by_id = {row["record_id"]: row for row in pq.read_table(whole).to_pylist()}
    assert rows[:-1] == [by_id[one] for one in chosen]
    remarks = json.loads(Path(report.sidecar).read_text())["remarks"]
    assert remarks["listed record not found"]["count"] == 1
    listed.write_text("\n")
    with pytest.raises(SourceError, match="names no record"):
        holotype.predict(tiny_run, [tiny_collection], out=part, records=listed)


def test_a_list_that_changed_is_another_run(tiny_run, tiny_collection, tmp_path, monkeypatch):
    ids = open_collection(tiny_collection).columns(["record_id"])["record_id"].to_pylist()
    listed, out = tmp_path / "chosen.txt", tmp_path / "out.csv"
    listed.write_text("\n".join(ids[:4]))
    with monkeypatch.context() as broken:
        broken.setattr("holotype.identify.predict.write_tables", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            holotype.predict(tiny_run, [tiny_collection], out=out, records=listed)
    listed.write_text("\n".join(ids[:5]))
    with pytest.raises(CollectionError, match="begun with another chosen"):
        holotype.predict(tiny_run, [tiny_collection], out=out, records=listed)
