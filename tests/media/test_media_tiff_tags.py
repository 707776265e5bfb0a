"""Tags of TIFF files: the same as Pillow reads, wherever the directory lies, and damage is named."""

import io
import struct
from pathlib import Path

import pytest
from PIL import Image
from PIL.TiffImagePlugin import IFDRational, ImageFileDirectory_v2

from holotype.errors import MediaError
from holotype.media.locations import FileAt, SliceAt
from holotype.media.tiff_tags import HEIGHT, SOFTWARE, WIDTH, TiffTags, read_tags


def _tiff(path: Path, *, gps: dict[int, object] | None = None, date: str = "") -> Path:
    tags = ImageFileDirectory_v2()
    tags[SOFTWARE] = "DNN_PreSort"
    if date:
        tags[306] = date
    if gps:
        tags[34853] = gps
    resolution = {"x_resolution": 1000, "y_resolution": 1000, "resolution_unit": 3}
    Image.new("RGB", (7, 5), "red").save(path, "TIFF", tiffinfo=tags, **resolution)
    return path


def _tags(path: Path) -> TiffTags:
    return read_tags(FileAt(str(path)), path.stat().st_size)


def test_size_time_position_and_pixel_size(tmp_path: Path) -> None:
    west = {1: "N", 2: (49.0, 30.0, 36.0), 3: "W", 4: (6.0, 15.0, 0.0)}
    tags = _tags(_tiff(tmp_path / "a.tif", gps=west, date="2023:05:10 11:05:07"))
    assert (tags.number(WIDTH), tags.number(HEIGHT)) == (7, 5)
    assert tags.text(SOFTWARE) == "DNN_PreSort"
    assert tags.moment == "2023-05-10T11:05:07"
    assert tags.position == pytest.approx((49.51, -6.25))
    assert tags.pixel_size_um == pytest.approx(10.0), "1,000 px a centimetre"


def test_no_fix_no_date_no_unit(tmp_path: Path) -> None:
    nowhere = {1: "N", 2: (0.0, 0.0, 0.0), 3: "E", 4: (0.0, 0.0, 0.0)}
    tags = _tags(_tiff(tmp_path / "a.tif", gps=nowhere, date="0000:00:00 00:00:00"))
    assert (tags.position, tags.moment) == (None, "")
    assert TiffTags({282: (72.0,), 296: (1.0,)}, {}).pixel_size_um is None
    assert TiffTags({282: (254.0,), 296: (2.0,)}, {}).pixel_size_um == pytest.approx(100.0)


def test_inside_another_file_and_big_endian(tmp_path: Path) -> None:
    whole = _tiff(tmp_path / "a.tif", date="2023:05:10 11:05:07").read_bytes()
    packed = tmp_path / "a.tar"
    packed.write_bytes(b"x" * 512 + whole + b"y" * 512)
    assert read_tags(SliceAt(str(packed), 512, len(whole)), len(whole)).number(WIDTH) == 7
    entries = struct.pack(">HHHII", 1, 256, 4, 1, 321) + struct.pack(">I", 0)
    big = tmp_path / "big.tif"
    big.write_bytes(b"MM\0*" + struct.pack(">I", 8) + entries)
    assert _tags(big).number(WIDTH) == 321


def _changed(content: bytes, place: int, new: bytes) -> bytes:
    return content[:place] + new + content[place + len(new) :]


def test_damage_is_a_media_error(tmp_path: Path) -> None:
    whole = _tiff(tmp_path / "a.tif").read_bytes()
    for number, content in enumerate(
        [
            b"",
            b"\x89PNG\r\n\x1a\n",
            whole[:6],
            _changed(whole, 4, struct.pack("<I", 1 << 31)),
            _changed(whole, struct.unpack("<I", whole[4:8])[0], b"\xff\xff"),
        ]
    ):
        path = tmp_path / f"bad{number}.tif"
        path.write_bytes(content)
        with pytest.raises(MediaError):
            _tags(path)


@pytest.mark.parametrize(
    ("north", "east", "position"),
    [
        ("s", "w", (-49.5, -6.25)),
        ("S", "e", (-49.5, 6.25)),
        (" n", "West", (49.5, -6.25)),
        ("", "W", None),
        ("N", None, None),
        ("E", "N", None),
    ],
)
def test_a_position_needs_its_letters(
    north: str, east: str | None, position: tuple[float, float] | None
) -> None:
    gps: dict[int, str | tuple[float, ...]] = {2: (49.0, 30.0, 0.0), 4: (6.0, 15.0, 0.0)}
    gps |= {tag: side for tag, side in ((1, north), (3, east)) if side is not None}
    assert TiffTags({}, gps).position == position


@pytest.mark.real
def test_real_files_as_pillow_reads_them(real_data: Path) -> None:
    folder = real_data / "formats"
    paths = [*folder.glob("pi10_raw/*.tif"), *folder.glob("flowcam_raw/**/*_00000?.tif")]
    assert len(paths) == 6
    for path in paths:
        tags = _tags(path)
        with Image.open(io.BytesIO(path.read_bytes())) as image:
            assert (tags.number(WIDTH), tags.number(HEIGHT)) == image.size
            expected = image.getexif()
        assert tags.text(SOFTWARE) == expected.get(SOFTWARE, "")
        if 282 in expected:
            resolution = expected[282]
            assert isinstance(resolution, IFDRational | float)
            assert tags.number(282) == pytest.approx(float(resolution))
