"""Plankton Imager runs: tags, counts, classifier's results, nested archives, and faults named."""

import io
import tarfile
import zipfile
from pathlib import Path

import pytest
from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from holotype.collection.sources.item import Item, SourceOptions
from holotype.collection.sources.plankton_imager import SOURCE
from holotype.collection.sources.plankton_imager.sidecars import _degrees
from holotype.testing import check_source

NAME = "pia7.2024-06-24.1454+N{:08d}.tif"
RESULTS = (
    "Model_1\nFname,Class,Copepoda_(p),Detritus_(p),Area,DateTime,GPSLatitudeRef,GPSLatitude,"
    "GPSLongitudeRef,GPSLongitude\n{},Copepoda,0.9,0.1,535,2024-06-24 14:55:26,"
    'S,"[49, 1, 391900, 10000, 0, 1]",'
    'W,"[6, 1, 300000, 10000, 0, 1]"\n'
)


def _tiff(*, date: str = "", description: str = "", software: str = "") -> bytes:
    tags = ImageFileDirectory_v2()
    for tag, text in ((306, date), (270, description), (305, software)):
        if text:
            tags[tag] = text
    buffer = io.BytesIO()
    resolution = {"x_resolution": 1000, "y_resolution": 1000, "resolution_unit": 3}
    Image.new("RGB", (6, 4), "red").save(buffer, "TIFF", tiffinfo=tags, **resolution)
    return buffer.getvalue()


def _write(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def _tar(path: Path, files: dict[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


def _zip(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def _items(path: Path, *, readable: bool = True, **options: Path) -> dict[str, Item]:
    found = check_source(SOURCE, path, SourceOptions(**options), readable_images=readable)
    return {item.name: item for item in found.items}


def test_ten_minute_tars_of_a_cruise(tmp_path: Path) -> None:
    raw = {
        "Background.tif": b"x",
        "Cameralog.txt": b"x",
        f"RawImages/{NAME.format(0)}": _tiff(date="2024:06:24 14:55:07"),
        f"RawImages/{NAME.format(1)}": _tiff(),
        "HitsMisses.txt": b"600, 100\n300, 200\n",
    }
    _tar(tmp_path / "2024-06-24" / "1454.tar", raw)
    _tar(tmp_path / "2024-06-24" / "1500.tar", {f"RawImages/{NAME.format(2)}": _tiff()})
    items = _items(tmp_path)
    first = items[f"2024-06-24/1454.tar/RawImages/{NAME.format(0)}"].fields
    assert first["collected_on"] == "2024-06-24T14:55:07"
    assert "extra:time_from" not in first
    assert float(first["subsample_fraction"]) == pytest.approx(900 / 1200)
    assert float(first["pixel_size_um"]) == pytest.approx(10)
    assert first["acquisition_id"] == "pia7.2024-06-24.1454"
    assert "written_label" not in first
    second = items[f"2024-06-24/1454.tar/RawImages/{NAME.format(1)}"].fields
    assert (second["collected_on"], second["extra:time_from"]) == (
        "2024-06-24T14:54:00",
        "file_name",
    )
    assert (
        "subsample_fraction" not in items[f"2024-06-24/1500.tar/RawImages/{NAME.format(2)}"].fields
    )
    assert items["2024-06-24/1454.tar/Background.tif"].skip_reason == "background frame"


def test_sorted_images_with_results_and_their_unsorted_copies(tmp_path: Path) -> None:
    files = {
        f"0130/Images/Copepoda/{NAME.format(0)}": _tiff(),
        f"0130/Images/Detritus/{NAME.format(1)}": _tiff(
            description="Copepoda", software="DNN_PreSort: Model-M2"
        ),
        f"0130/Images/Copepoda/{NAME.format(2)}": _tiff(
            description="Copepoda", software="DNN_PreSort: Model-M2"
        ),
        "0130/Images.zip": _zip({f"Images/{NAME.format(n)}": _tiff() for n in (0, 3)}),
        "0130/Desc/DNN_Results.csv": RESULTS.format(NAME.format(0)).encode(),
    }
    items = _items(_write(tmp_path / "run", files), spool=tmp_path / "spool")
    by_results = items[f"0130/Images/Copepoda/{NAME.format(0)}"].fields
    assert (by_results["written_label"], by_results["label_status"]) == ("Copepoda", "predicted")
    assert by_results["labelled_by"] == "Model_1"
    assert by_results["extra:dnn_score"] == "0.9"
    assert float(by_results["latitude_deg"]) == pytest.approx(-(49 + 39.19 / 60))
    assert float(by_results["longitude_deg"]) == pytest.approx(-6.5)
    assert by_results["collected_on"] == "2024-06-24T14:55:26"
    moved = items[f"0130/Images/Detritus/{NAME.format(1)}"].fields
    assert moved["written_label"] == "Detritus"
    assert "label_status" not in moved, "someone moved it; who, is not said"
    assert moved["extra:dnn_class"] == "Copepoda"
    assert items[f"0130/Images/Copepoda/{NAME.format(2)}"].fields["label_status"] == "predicted"
    copy, alone = (items[f"0130/Images.zip/Images/{NAME.format(n)}"] for n in (0, 3))
    assert "copy of 0130/Images/Copepoda/" in str(copy.skip_reason)
    assert alone.image is not None


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (NAME.format(5), b"", "empty (0 bytes)"),
        ("HitsMisses.txt", "600, 100\n600, \xb2\n".encode(), "line 2: '600, \xb2' where"),
        ("HitsMisses.txt", b"600, " + b"9" * 5000, "line 1: '600, 9999"),
        ("HitsMisses.txt", b"600, 100\n600; 1\n", "line 2: '600; 1' where 'hits, misses'"),
        ("DNN_Results.csv", b"a,b\n1,2\n", "lines 1 and 2: no column 'Fname'"),
        ("DNN_Results.csv", b"Fname,Score\nx,2\n", "line 1: no column 'Class'"),
        ("1454.tar", b"this is no tar" * 100, "not a whole tar"),
        ("Images.zip", b"PK\x03\x04 no zip", "not a whole zip"),
    ],
)
def test_a_faulty_file_is_named_and_the_images_read(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    items = _items(_write(tmp_path / "run", {name: content, NAME.format(0): _tiff()}))
    assert said in str(items[name].error)
    assert name in str(items[name].error)
    assert items[NAME.format(0)].image is not None


def test_a_faulty_row_of_the_results(tmp_path: Path) -> None:
    table = RESULTS.format(NAME.format(0)) + f"{NAME.format(1)},Copepoda\n"
    files = {"DNN_Results.csv": table.encode(), NAME.format(0): _tiff(), NAME.format(1): _tiff()}
    items = _items(_write(tmp_path / "run", files))
    assert "line 4: another number of columns" in str(items["DNN_Results.csv, line 4"].error)
    assert items[NAME.format(0)].fields["written_label"] == "Copepoda"
    assert "written_label" not in items[NAME.format(1)].fields


def test_a_damaged_tiff_is_left_to_whoever_decodes_it(tmp_path: Path) -> None:
    folder = _write(tmp_path / "run", {NAME.format(0): _tiff()[:40], "photo.tif": _tiff()})
    items = _items(folder, readable=False)
    assert items[NAME.format(0)].image is not None
    assert items[NAME.format(0)].fields["extra:time_from"] == "file_name"
    assert "not named as" in str(items["photo.tif"].skip_reason)


@pytest.mark.parametrize(
    ("side", "degrees"), [("s", -49.5), ("N", 49.5), ("", None), ("x", None), ("W", -49.5)]
)
def test_degrees_need_their_letter(side: str, degrees: float | None) -> None:
    assert _degrees("[49, 1, 30, 1, 0, 1]", side) == degrees
    assert _degrees(f"[49, 1, {'9' * 5000}, 1, 0, 1]", side) is None


@pytest.mark.real
def test_real_run_and_raw_images(real_data: Path, tmp_path: Path) -> None:
    folder = real_data / "formats" / "pi10_raw"
    found = check_source(SOURCE, folder, SourceOptions(spool=tmp_path))
    assert (found.records, found.skipped, found.errors) == (49, 116, 0)
    alone = check_source(SOURCE, folder / "2020_10_21-short.zip", SourceOptions(spool=tmp_path))
    assert (alone.records, alone.skipped, alone.errors) == (47, 116, 0)
    records = {item.name.rpartition("/")[2]: item for item in found.items if item.image}
    labels = [item.fields.get("written_label") for item in records.values()]
    counts = {label: labels.count(label) for label in set(labels)}
    assert counts == {"Copepoda": 12, "NonCopepoda": 8, "Detritus": 27, None: 2}
    fields = records["Pia1.2020-10-21.1807+N00456088_hc.tif"].fields
    assert (fields["written_label"], fields["label_status"]) == ("Copepoda", "predicted")
    assert fields["labelled_by"] == "CopNonDetritus_42317_FP32"
    assert fields["collected_on"] == "2020-10-22T01:31:26", "the name has the start of the session"
    assert float(fields["latitude_deg"]) == pytest.approx(49 + 39.19 / 60)
    assert float(fields["longitude_deg"]) == pytest.approx(-(6 + 27.2048 / 60))
    assert (fields["pixel_size_um"], fields["subsample_fraction"]) == ("20.0", "1.0")
    raw = records["pia1.2023-05-10.1100+N00005127.tif"].fields
    assert (raw["collected_on"], raw["pixel_size_um"]) == ("2023-05-10T11:05:07", "10.0")
    assert "latitude_deg" not in raw, "0, 0 means no fix"
