"""Every kind of location survives JSON and gives the bytes that lie there, or says why not."""

import io
import os
import struct
import tarfile
import zipfile

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from holotype.errors import MediaError
from holotype.media import locations
from holotype.media.location_text import parsed_location, written_location
from holotype.media.locations import (
    AbsentError,
    CellAt,
    CropAt,
    FileAt,
    GreyAt,
    HdfRowAt,
    SliceAt,
    container_state,
    read_location,
)
from holotype.media.members import members


def pixels_of(content):
    return np.asarray(Image.open(io.BytesIO(content)))


def test_a_crop_of_raw_pixels_inside_a_file(tmp_path):
    frame = np.arange(60, dtype=np.uint8).reshape(6, 10)
    (tmp_path / "a.roi").write_bytes(b"head" + frame.tobytes() + b"tail")
    whole = GreyAt(SliceAt(str(tmp_path / "a.roi"), 4, 60), width=10, height=6)
    crop = CropAt(whole, left=2, top=1, width=5, height=3)
    assert parsed_location(written_location(crop)) == crop
    np.testing.assert_array_equal(pixels_of(read_location(whole)), frame)
    np.testing.assert_array_equal(pixels_of(read_location(crop)), frame[1:4, 2:7])


def test_a_coloured_crop_keeps_its_channels(tmp_path):
    frame = np.random.default_rng(0).integers(0, 256, (8, 9, 3), dtype=np.uint8)
    Image.fromarray(frame).save(tmp_path / "collage.tif")
    crop = CropAt(FileAt(str(tmp_path / "collage.tif")), left=1, top=2, width=4, height=5)
    np.testing.assert_array_equal(pixels_of(read_location(crop)), frame[2:7, 1:5])


@pytest.mark.parametrize("box", [(-1, 0, 3, 3), (0, 0, 0, 3), (8, 0, 3, 3), (0, 4, 3, 3)])
def test_boxes_that_leave_the_image(tmp_path, box):
    Image.fromarray(np.zeros((6, 10), np.uint8)).save(tmp_path / "c.png")
    with pytest.raises(MediaError, match="leaves the image of 10 x 6 px"):
        read_location(CropAt(FileAt(str(tmp_path / "c.png")), *box))


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_members_of_a_zip(tmp_path, method):
    bodies = {f"{n}.bin": bytes([n]) * (100 + n) for n in range(5)}
    with zipfile.ZipFile(tmp_path / "a.zip", "w", method) as archive:
        for name, body in bodies.items():
            archive.writestr(name, body)
    found = {}
    for member in members(tmp_path / "a.zip", tmp_path / "spool"):
        at = parsed_location(written_location(member.at))
        found[member.name] = read_location(at)
    assert found == bodies


def test_a_zip_whose_directory_lies(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.bin", b"0" * 5000)
    content = bytearray((tmp_path / "a.zip").read_bytes())
    size = content.rindex(b"PK\x01\x02") + 24
    content[size : size + 4] = struct.pack("<I", 10)  # 5,000 bytes, it says 10
    (tmp_path / "a.zip").write_bytes(bytes(content))
    (member,) = members(tmp_path / "a.zip")
    with pytest.raises(MediaError, match="wrong length or checksum"):
        member.read()


def test_members_of_plain_and_compressed_tars(tmp_path):
    for mode, name in (("w", "a.tar"), ("w:gz", "a.tar.gz"), ("w:xz", "a.tar.xz")):
        with tarfile.open(tmp_path / name, mode) as archive:
            for number in range(3):
                entry = tarfile.TarInfo(f"d/{number}.png")
                entry.size = 10
                archive.addfile(entry, io.BytesIO(bytes([number]) * 10))
        found = {m.name: m.read() for m in members(tmp_path / name, tmp_path / "spool")}
        assert found == {f"d/{number}.png": bytes([number]) * 10 for number in range(3)}


def test_a_compressed_tar_that_is_a_bomb(tmp_path, monkeypatch):
    with tarfile.open(tmp_path / "b.tar.gz", "w:gz") as archive:
        entry = tarfile.TarInfo("zeros")
        entry.size = 3 << 20
        archive.addfile(entry, io.BytesIO(bytes(3 << 20)))
    monkeypatch.setattr("holotype.media.members.MAX_UNPACK_RATIO", 1)
    monkeypatch.setattr("holotype.media.members.UNPACK_BYTES", 1 << 20)
    with pytest.raises(Exception, match="unpacks to more than"):
        list(members(tmp_path / "b.tar.gz", tmp_path / "spool"))
    assert not list((tmp_path / "spool").glob("*"))


def test_cells_of_parquet_and_rows_of_hdf5(tmp_path):
    images = [{"bytes": b"one", "path": "1.png"}, None, {"bytes": None, "path": "3.png"}]
    pq.write_table(pa.table({"image": images}), tmp_path / "t.parquet")
    at = CellAt(str(tmp_path / "t.parquet"), "image", 0, 0)
    assert read_location(at) == b"one"
    with pytest.raises(AbsentError):
        read_location(CellAt(str(tmp_path / "t.parquet"), "image", 0, 2))
    with h5py.File(tmp_path / "h.h5", "w") as file:
        file["image"] = np.array([[1, 2, 3, 0], [9, 0, 0, 0]], np.uint8)
        file["mask"] = np.array([[1, 1, 1, 0], [1, 0, 0, 0]], np.uint8)
        file["length"] = np.array([3, 1])
    for lengths in ("mask", "length"):
        row = HdfRowAt(str(tmp_path / "h.h5"), "image", lengths, 1)
        assert read_location(row) == b"\x09"


def test_a_file_replaced_at_its_path_is_read_anew(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old!")
    at = SliceAt(str(path), 0, 4)
    assert read_location(at) == b"old!"
    (tmp_path / "b.bin").write_bytes(b"new!")
    (tmp_path / "b.bin").replace(path)
    assert read_location(at) == b"new!"


def test_more_files_than_are_kept_open(tmp_path):
    for number in range(3 * locations._OPEN_FILES):
        (tmp_path / str(number)).write_bytes(bytes([number % 256]))
    for number in range(3 * locations._OPEN_FILES):
        assert read_location(SliceAt(str(tmp_path / str(number)), 0, 1)) == bytes([number % 256])


@pytest.mark.parametrize(
    "at",
    [
        FileAt("/there/is/no/such.png"),
        SliceAt("/there/is/no/such.tar", 0, 4),
        GreyAt(FileAt("/there/is/none"), 2, 2),
        HdfRowAt("/there/is/none.h5", "a", "b", 0),
    ],
)
def test_what_is_not_there(at):
    with pytest.raises(MediaError):
        read_location(at)


def replaced(path, write):
    """Writes a file beside a path and moves it there."""
    write(path.with_name("new"))
    path.with_name("new").replace(path)


def test_a_parquet_or_picture_replaced_at_its_path_is_read_anew(tmp_path):
    table, picture = tmp_path / "t.parquet", tmp_path / "c.png"
    for value in (b"old", b"new"):
        replaced(table, lambda path, v=value: pq.write_table(pa.table({"image": [v]}), path))
        assert read_location(CellAt(str(table), "image", 0, 0)) == value
    for grey in (10, 200):
        shown = Image.fromarray(np.full((4, 4), grey, np.uint8))
        replaced(picture, lambda path, shown=shown: shown.save(path, "PNG"))
        crop = read_location(CropAt(FileAt(str(picture)), 0, 0, 2, 2))
        assert (pixels_of(crop) == grey).all()


def test_the_state_of_a_container_follows_its_file(tmp_path):
    path = tmp_path / "a.tar"
    path.write_bytes(b"12345678")
    ats = [
        FileAt(str(path)),
        SliceAt(str(path), 0, 4),
        CellAt(str(path), "image", 0, 0),
        CropAt(GreyAt(SliceAt(str(path), 0, 4), 2, 2), 0, 0, 1, 1),
    ]
    (before,) = {container_state(at) for at in ats}
    assert -(2**63) <= before < 2**63
    assert container_state(ats[0]) == before
    known = path.stat()
    replaced(path, lambda new: new.write_bytes(b"abcdefgh"))
    os.utime(path, ns=(known.st_atime_ns, known.st_mtime_ns))  # same size and time, another file
    (after,) = {container_state(at) for at in ats}
    assert after != before
    assert container_state(FileAt(str(tmp_path / "none"))) is None


def test_a_pipe_is_no_image_and_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    for at in (FileAt(str(tmp_path / "pipe.png")), SliceAt(str(tmp_path / "pipe.png"), 0, 4)):
        with pytest.raises(MediaError, match=r"pipe\.png: no ordinary file"):
            read_location(at)


def test_a_missing_file_whose_name_is_no_utf_8_is_told_readably(tmp_path):
    name = os.fsdecode("copépode.png".encode("latin-1"))
    at = FileAt(f"{tmp_path}/{name}")
    assert parsed_location(written_location(at)) == at
    with pytest.raises(MediaError, match=r"no image 'copépode\.png'"):
        read_location(at)
