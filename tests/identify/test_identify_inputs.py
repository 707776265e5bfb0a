"""What a user may point at: every kind is recognised, read lazily, and bears what it says of its records."""

import io
import os
import stat
import tarfile
import time
import zipfile
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from holotype.errors import SourceError
from holotype.identify import walking
from holotype.identify.inputs import Asides, Reading, Specimen, specimens
from holotype.identify.loading import load, loaded_ahead, materials_of
from holotype.identify.walking import folder_members
from holotype.inputs.materials import prepare_loose
from holotype.media.images import read_pixels
from holotype.media.members import members
from holotype.media.preparation import PixelPreparation, PreparationKind

PIXELS = PixelPreparation(PreparationKind.PADDED, side_px=16, channels=1)


def read(*inputs, **given):
    return list(specimens([str(path) for path in inputs], **given))


def ecotaxa_folder(folder: Path, png, rows: int = 3) -> Path:
    """An EcoTaxa export as its users have it; the second row has a latitude that is none."""
    folder.mkdir()
    names = "object_id img_file_name object_lat object_lon object_date acq_pixel_um acq_instrument sample_id"
    header = names.replace(" ", "\t")
    kinds = "[t]\t[t]\t[f]\t[f]\t[t]\t[f]\t[t]\t[t]"
    lines = [header, kinds]
    for number in range(rows):
        latitude = "143.2" if number == 1 else "43.5"
        (folder / f"o{number}.png").write_bytes(png(number))
        lines.append(f"o{number}\to{number}.png\t{latitude}\t7.25\t20210304\t5.5\tUVP6\tnet 4")
    (folder / "ecotaxa_export.tsv").write_text("\n".join(lines) + "\n")
    return folder


def zipped(folder: Path, path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, file.name)
    return path


def ifcb_bin(folder: Path) -> Path:
    """A bin of the new generation with two regions, 6 x 4 and 5 x 3 px."""
    folder.mkdir()
    stem = folder / "D20130526T095207_IFCB013"
    stem.with_suffix(".hdr").write_text("runTime: 1200.0\ninhibitTime: 10.0\n")
    cells = ["0"] * 24
    lines = []
    for number, (width, height, start) in enumerate([(6, 4, 0), (5, 3, 24)], start=1):
        cells[0], cells[13], cells[14] = str(number), "10", "20"
        cells[15], cells[16], cells[17] = str(width), str(height), str(start)
        lines.append(",".join(cells))
    stem.with_suffix(".adc").write_text("\n".join(lines) + "\n")
    stem.with_suffix(".roi").write_bytes(bytes(range(39)))
    return folder


@pytest.mark.parametrize("form", ["folder", "zip", "table"])
def test_an_ecotaxa_export_bears_what_it_says_of_each_object(tmp_path, png, form) -> None:
    folder = ecotaxa_folder(tmp_path / "export", png)
    given = {
        "folder": folder,
        "zip": zipped(folder, tmp_path / "export.zip"),
        "table": folder / "ecotaxa_export.tsv",
    }[form]
    asides = Asides()
    first, second, third = read(given, asides=asides)
    assert first.input == f"{given}/o0"
    assert third.read_image is not None
    assert third.read_image() == png(2)
    expected = {
        "record_id": "o0", "specimen_id": "o0", "instrument": "UVP6", "sample_id": "net 4",
        "latitude_deg": 43.5, "longitude_deg": 7.25, "collected_on": "2021-03-04", "pixel_size_um": 5.5,
    }  # fmt: skip
    assert {name: first.context[name] for name in expected} == expected
    assert "latitude_deg" not in second.context
    assert second.context["longitude_deg"] == 7.25
    assert second.failure is None
    assert asides.notes["bounds"] == 1
    assert asides.kinds == {"ecotaxa": 1}


@pytest.mark.parametrize("form", ["folder", "zip", "one file of it"])
def test_the_regions_of_an_ifcb_bin_are_specimens(tmp_path, form) -> None:
    folder = ifcb_bin(tmp_path / "bins")
    given = {
        "folder": folder,
        "zip": zipped(folder, tmp_path / "bins.zip"),
        "one file of it": folder / "D20130526T095207_IFCB013.adc",
    }[form]
    found = read(given)
    assert [one.input.rpartition("/")[2] for one in found] == [
        "D20130526T095207_IFCB013_00001",
        "D20130526T095207_IFCB013_00002",
    ]
    assert [one.failure for one in found] == [None, None]
    assert read_pixels(found[1].read_image()).ravel().tolist() == list(range(24, 39))
    assert found[0].context["instrument"] == "IFCB"
    assert found[0].context["acquisition_id"] == "D20130526T095207_IFCB013"
    assert found[0].context["collected_on"].startswith("2013-05-26T09:52:07")
    assert found[0].context["pixel_size_um"] == pytest.approx(1 / 3.4)


def test_a_kind_may_be_given_and_must_exist(tmp_path, png) -> None:
    folder = tmp_path / "crops"
    (folder / "copepod").mkdir(parents=True)
    (folder / "copepod" / "1.png").write_bytes(png(1))
    (found,) = read(folder)
    assert "written_label" not in found.context
    (found,) = read(folder, reading=Reading("image-folder"))
    assert found.context["written_label"] == "copepod"
    with pytest.raises(SourceError, match="Did you mean 'ecotaxa'"):
        Reading("ecotax").check()
    with pytest.raises(SourceError, match="--images"):
        Reading(images=str(tmp_path / "nowhere")).check()


def test_a_list_gives_its_lines_and_what_is_wrong_with_one(tmp_path, png) -> None:
    (tmp_path / "a.png").write_bytes(png(1))
    (tmp_path / "b.png").write_bytes(png(2))
    lines = [tmp_path / "b.png", "", tmp_path / "missing.png", tmp_path / "a.png"]
    (tmp_path / "list.txt").write_bytes(
        "\ufeff".encode() + "".join(f"{line}\r\n" for line in lines).encode()
    )
    found = read(f"@{tmp_path / 'list.txt'}")
    assert [one.input for one in found] == [str(lines[0]), str(lines[2]), str(lines[3])]
    assert [one.failure for one in found] == [None, "no such file or folder", None]
    assert found[0].read_image() == png(2)
    (bad,) = read(f"@{tmp_path / 'no-list.txt'}")
    assert "the list cannot be read" in bad.failure


def tree(folder: Path, png) -> Path:
    for name in (
        "b/2.png",
        "b/1.png",
        "a/z/3.png",
        "ü.png",
        "B.png",
        "b.png",
        "b/1/x.png",
        "note.txt",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(png(1))
    (folder / os.fsdecode(b"gr\xe9le.png")).write_bytes(png(1))
    (folder / "line\nend.png").write_bytes(png(1))
    (folder / "link.png").symlink_to(folder / "b.png")
    os.mkfifo(folder / "pipe.png")
    return folder


@pytest.mark.parametrize("at_once", [1, 2, 1000])
def test_folders_are_walked_in_one_order_however_many_names_fit(
    tmp_path, png, monkeypatch, at_once
):
    folder = tree(tmp_path / "tree", png)
    monkeypatch.setattr(walking, "SORTED_AT_ONCE", at_once)
    assert list(folder_members(folder)) == list(members(folder))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_a_row(tmp_path, png) -> None:
    folder = tmp_path / "tree"
    (folder / "shut").mkdir(parents=True)
    (folder / "a.png").write_bytes(png(1))
    (folder / "shut").chmod(0)
    try:
        found = read(folder)
    finally:
        (folder / "shut").chmod(stat.S_IRWXU)
    assert [one.failure is None for one in found] == [True, False]


def test_a_folder_that_goes_while_it_is_read_is_a_row(tmp_path, png, monkeypatch) -> None:
    folder = tmp_path / "tree"
    (folder / "gone").mkdir(parents=True)
    (folder / "a.png").write_bytes(png(1))
    whole = os.scandir

    def scandir(path):
        if str(path).endswith("gone"):
            raise PermissionError(13, "Permission denied")
        return whole(path)

    monkeypatch.setattr(os, "scandir", scandir)
    found = read(folder)
    assert [(Path(one.input).name, one.failure) for one in found] == [
        ("a.png", None),
        ("gone", "cannot be read (Permission denied). Mend its permissions, or leave it out."),
    ]


def test_archives_in_a_folder_are_opened_and_a_cut_one_is_a_row(tmp_path, png) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    with zipfile.ZipFile(folder / "good.zip", "w") as archive:
        archive.writestr("1.png", png(1))
    (folder / "cut.zip").write_bytes((folder / "good.zip").read_bytes()[:40])
    with tarfile.open(folder / "tar.tar", "w") as archive:
        for number in range(2):
            entry = tarfile.TarInfo(f"{number}.png")
            entry.size = len(png(number))
            archive.addfile(entry, io.BytesIO(png(number)))
    whole = (folder / "tar.tar").read_bytes()
    (folder / "tar.tar").write_bytes(whole[:1024])
    found = {one.input.removeprefix(f"{folder}/"): one.failure for one in read(folder)}
    assert found.pop("good.zip/1.png") is None
    assert found.pop("tar.tar/0.png") is None
    assert "not a whole zip" in found.pop("cut.zip")
    (left,) = found.items()
    assert left[0].startswith("tar.tar")
    assert "not a whole tar" in left[1]


def test_records_of_a_collection_bear_their_columns(tiny_collection: Path) -> None:
    from holotype.collection.store import open_collection

    opened = open_collection(tiny_collection)
    rows = opened.columns(["record_id", "instrument", "written_label", "pixel_size_um"]).to_pylist()
    found = read(tiny_collection)
    assert [one.context["record_id"] for one in found] == [row["record_id"] for row in rows]
    for one, row in zip(found, rows, strict=True):
        assert all(one.context.get(name) == value for name, value in row.items())
    images = dict(opened.images())
    with_image = [one for one in found if one.read_image is not None][-1]
    assert with_image.read_image() == images[with_image.context["record_id"]]


def test_a_row_whose_image_is_missing_says_so(tmp_path, png) -> None:
    (tmp_path / "a.png").write_bytes(png(1))
    (tmp_path / "t.csv").write_text(
        "record_id,image,latitude_deg,barcode\n1,a.png,12.5,\n2,../../x.png,13,\n3,,14,ACGTTGCA\n"
    )
    found = read(tmp_path / "t.csv")
    assert [one.failure is None for one in found] == [True, False, True]
    assert "lies outside" in found[1].failure
    assert [one.context["latitude_deg"] for one in found] == [12.5, 13.0, 14.0]
    assert found[2].barcode == "ACGTTGCA"


def test_states_change_with_what_they_are_of(tmp_path, png) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.png").write_bytes(png(1))
    (folder / "b.png").write_bytes(png(2))
    before = {one.input: one.state for one in read(folder)}
    assert {one.input: one.state for one in read(folder)} == before
    (folder / "b.png").write_bytes(png(3) + b"longer")
    after = {one.input: one.state for one in read(folder)}
    changed = [name for name in before if before[name] != after[name]]
    assert changed == [f"{folder}/b.png"]


def test_threads_keep_the_order_and_one_failure_to_itself(png) -> None:
    drawn = np.random.default_rng(2).random(40) / 100

    def reader(number: int):
        def read_slowly() -> bytes:
            time.sleep(drawn[number])
            if number % 9 == 4:
                raise OSError(5, "Input/output error")
            return png(number) if number % 9 else b"no image"

        return read_slowly

    given = [Specimen(f"{number}", reader(number)) for number in range(40)]
    found = list(loaded_ahead(iter(given), partial(load, pixels=PIXELS), threads=4))
    assert [one.specimen.input for one in found] == [one.input for one in given]
    for number, one in enumerate(found):
        good = number % 9 not in (0, 4)
        assert (one.failure is None) is good
        assert (one.square_SSC is not None) is good
        assert one.image == (None if number % 9 == 4 else png(number) if good else b"no image")
    assert "Input/output error" in found[4].failure
    assert "not an image" in found[9].failure


def test_what_the_model_reads_has_the_size_in_micrometres(png) -> None:
    known = Specimen("a", lambda: png(1), context={"pixel_size_um": 5.5})
    unknown = Specimen("b", lambda: png(2), barcode="ACGT")
    chunk = [load(one, PIXELS) for one in (Specimen("x", failure="gone"), known, unknown)]
    assert chunk[1].specimen.context["image_width_px"] == 8
    assert chunk[1].specimen.context["image_height_px"] == 6
    materials = materials_of(chunk, PIXELS)
    assert materials.image_N.tolist() == [-1, 0, 1]
    assert materials.barcode_N == (None, None, "ACGT")
    np.testing.assert_allclose(materials.size_M4[0], [8, 6, 44, 33])
    assert np.isnan(materials.size_M4[1, 2:]).all()
    same, _ = prepare_loose(["a"], [png(1)], [None], pixels=PIXELS)
    assert (materials.pixels_MSSC[0] == same.pixels_MSSC[0]).all()


@pytest.mark.real
@pytest.mark.parametrize(
    ("place", "kind", "count"),
    [
        ("formats/ecotaxa_qa/import_test", "ecotaxa", 11),
        ("formats/ecotaxa_qa/import_test.zip", "ecotaxa", 8),
        ("formats/ifcb_bins/pyifcb", "ifcb", 28),
        ("formats/flowcam_raw/morphocut", "flowcam", 506),
        ("formats/zooimage_zid", "zooimage", 292),
        ("formats/pi10_raw", "plankton-imager", 49),
        ("formats/camtrap_dp", "camtrap-dp", 513),
        ("plankton/uvp6/images", "images", 1250),
    ],
)
def test_real_exports_are_recognised(real_data: Path, place: str, kind: str, count: int) -> None:
    asides = Asides()
    assert len(read(real_data / place, asides=asides)) == count
    assert asides.kinds == {kind: 1}
