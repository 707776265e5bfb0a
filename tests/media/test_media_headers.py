"""A header called plain means: the quick decoders and Pillow see the same pixels."""

import io

import numpy as np
import pytest
from PIL import Image

from holotype.media.decoders import decoded_plain
from holotype.media.headers import PlainHeader, plain_header

RNG = np.random.default_rng(3)
GREY = RNG.integers(0, 256, (7, 11), dtype=np.uint8)
RGB = RNG.integers(0, 256, (7, 11, 3), dtype=np.uint8)


def saved(pixels, form, **options):
    handle = io.BytesIO()
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image.save(handle, form, **options)
    return handle.getvalue()


def exif(orientation):
    tags = Image.Exif()
    tags[274] = orientation
    return tags.tobytes()


@pytest.mark.parametrize(
    ("content", "channels"),
    [
        (saved(GREY, "PNG"), 1),
        (saved(RGB, "PNG"), 3),
        (saved(RGB, "PNG", compress_level=0), 3),
        (saved(GREY, "JPEG", quality=95), 1),
        (saved(RGB, "JPEG", quality=95, progressive=True), 3),
    ],
)
def test_plain_images_decode_alike(content, channels):
    assert plain_header(content) == PlainHeader(11, 7, channels)
    decoded = np.squeeze(decoded_plain(content, PlainHeader(11, 7, channels))).astype(int)
    pillow = np.asarray(Image.open(io.BytesIO(content))).astype(int)
    assert np.abs(decoded - pillow).max() <= 1
    assert plain_header(content[:-9]) is None  # cut before its end mark


@pytest.mark.parametrize(
    "content",
    [
        saved(RGB, "PNG", exif=exif(6)),
        saved(RGB, "JPEG", exif=exif(6)),
        saved(Image.fromarray(RGB).convert("RGBA"), "PNG"),
        saved(Image.fromarray(GREY), "PNG", transparency=3),
        saved(Image.fromarray(RGB).quantize(8), "PNG"),
        saved(Image.fromarray(GREY).convert("1"), "PNG"),
        saved(Image.fromarray(GREY.astype(np.uint16) * 200), "PNG"),
        saved(Image.fromarray(RGB).convert("CMYK"), "JPEG"),
        saved(RGB, "BMP"),
        saved(RGB, "TIFF"),
        b"",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff\xff\xff",
    ],
)
def test_everything_else_is_not_plain(content):
    assert plain_header(content) is None
