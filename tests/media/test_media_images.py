"""Encoded images -> pixels: equal to Pillow where a file is whole, one clear line where it is not."""

import io
import random
import struct
import subprocess
import sys
import threading
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from holotype.errors import MediaError
from holotype.media import images
from holotype.media.images import read_pixels
from holotype.media.pixels import background_C, padded_square, with_channels

RNG = np.random.default_rng(5)
COLOUR = RNG.integers(0, 256, (13, 17, 3), dtype=np.uint8)
GREY = COLOUR[..., 0].copy()
SMOOTH = cv2.resize(COLOUR, (120, 90), interpolation=cv2.INTER_CUBIC)


def encoded(pixels, image_format, **options):
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    handle = io.BytesIO()
    image.save(handle, image_format, **options)
    return handle.getvalue()


def by_pillow(content):
    pixels = np.asarray(Image.open(io.BytesIO(content)))
    return pixels[..., None] if pixels.ndim == 2 else pixels


def handmade_png(width, height, depth, colour_type, rows=b""):
    """A PNG written by hand: what Pillow cannot write, and what nobody should."""

    def chunk(name, content):
        check = zlib.crc32(name + content)
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize("pixels", [COLOUR, GREY, SMOOTH], ids=["colour", "grey", "smooth"])
def test_png_is_exactly_what_was_written(pixels):
    expected = pixels[..., None] if pixels.ndim == 2 else pixels
    found = read_pixels(encoded(pixels, "PNG"))
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0, "quality": 95}])
@pytest.mark.parametrize("pixels", [SMOOTH, SMOOTH[..., 0]], ids=["colour", "grey"])
def test_jpeg_equals_pillow_within_one_level(pixels, options):
    content = encoded(pixels, "JPEG", **options)
    difference = read_pixels(content).astype(int) - by_pillow(content).astype(int)
    assert np.abs(difference).max() <= 1


@pytest.mark.parametrize("image_format", ["PNG", "JPEG"])
@pytest.mark.parametrize("pixels", [SMOOTH, SMOOTH[..., 0]], ids=["colour", "grey"])
def test_both_decoders_agree(pixels, image_format):
    # Bytes after the end of the image send a file to Pillow; the pixels may not depend on that.
    content = encoded(pixels, image_format)
    fast, slow = read_pixels(content), read_pixels(content + b"trailing notes of a camera")
    assert np.abs(fast.astype(int) - slow.astype(int)).max() <= (image_format == "JPEG")


@pytest.mark.parametrize("image_format", ["BMP", "TIFF", "PPM", "GIF"])
def test_other_lossless_formats(image_format):
    content = encoded(GREY, image_format)
    np.testing.assert_array_equal(read_pixels(content)[..., 0], GREY)


def test_a_colour_profile_chunk_does_not_change_the_pixels():
    info = PngImagePlugin.PngInfo()
    info.add(b"gAMA", struct.pack(">I", 100_000))
    np.testing.assert_array_equal(read_pixels(encoded(COLOUR, "PNG", pnginfo=info)), COLOUR)


@pytest.mark.parametrize("image_format", ["PNG", "JPEG", "TIFF"])
@pytest.mark.parametrize("kept", [0.3, 0.6, 0.95])
def test_truncated(image_format, kept):
    content = encoded(SMOOTH, image_format)
    with pytest.raises(MediaError, match=r"^(damaged|not a readable)") as caught:
        read_pixels(content[: int(len(content) * kept)])
    assert "\n" not in str(caught.value)


def test_a_png_with_a_flipped_bit_is_refused():
    content = bytearray(encoded(COLOUR, "PNG"))
    content[content.index(b"IDAT") + 60] ^= 0x10
    with pytest.raises(MediaError, match="damaged PNG image"):
        read_pixels(bytes(content))


def test_zero_bytes():
    with pytest.raises(MediaError, match=r"^empty file \(0 bytes\)$"):
        read_pixels(b"")


def test_text_called_an_image():
    with pytest.raises(MediaError, match=r"^not an image: the file starts with 'station 4, n'$"):
        read_pixels(b"station 4, net 2\ncopepods\n")


def test_a_bomb_is_refused_before_it_is_decoded():
    with pytest.raises(MediaError, match=r"exceeds limit|more than 200,000,000 px"):
        read_pixels(handmade_png(50_000, 50_000, 8, 0))


def test_our_own_limit_of_pixels(monkeypatch):
    monkeypatch.setattr(images, "MAX_PIXELS", 220)
    with pytest.raises(MediaError, match=r"^17 x 13 px is more than 220 px$"):
        read_pixels(encoded(COLOUR, "PNG"))


def test_cmyk_becomes_rgb():
    content = encoded(Image.fromarray(SMOOTH).convert("CMYK"), "JPEG")
    expected = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
    found = read_pixels(content)
    np.testing.assert_array_equal(found, expected)
    assert np.abs(found.astype(int) - SMOOTH).mean() < 12  # the colours are right, not inverted


@pytest.mark.parametrize(
    ("brightest", "bits"),
    [(255, 8), (256, 10), (1023, 10), (4095, 12), (4096, 14), (16_383, 14), (65_535, 16)],
)
def test_16_bit_greys_are_scaled_by_the_bits_that_hold_them(brightest, bits):
    grey = np.linspace(0, brightest, 35).round().astype(np.uint16).reshape(5, 7)
    for image_format in ("PNG", "TIFF"):
        found = read_pixels(encoded(grey, image_format))[..., 0]
        np.testing.assert_array_equal(found, grey // 2 ** (bits - 8))
    assert found.max() >= 64 or brightest == 256


def test_16_bit_colour_keeps_the_high_byte():
    deep = RNG.integers(0, 1 << 16, (5, 4, 3)).astype(">u2")
    rows = b"".join(b"\0" + row.tobytes() for row in deep)
    np.testing.assert_array_equal(read_pixels(handmade_png(4, 5, 16, 2, rows)), deep >> 8)


def test_4_bit_grey_spans_the_whole_range():
    # Two bytes a row: the nibbles 0, 1, 7 and 15, which are 0, 17, 119 and 255 of 255.
    found = read_pixels(handmade_png(4, 1, 4, 0, b"\0\x01\x7f"))
    assert found[..., 0].tolist() == [[0, 17, 119, 255]]


def test_negative_and_huge_greys_are_refused():
    for wrong in (-1, 1 << 16):
        deep = np.full((3, 3), wrong, np.int32)
        with pytest.raises(MediaError, match="outside 0 to 65,535"):
            read_pixels(encoded(deep, "TIFF"))


def test_floating_point_pixels_are_refused():
    with pytest.raises(
        MediaError, match="damaged TIFF image: floating-point pixels have no agreed"
    ):
        read_pixels(encoded(RNG.random((3, 4)).astype(np.float32), "TIFF"))


def test_1_bit_is_black_and_white():
    bits = GREY > 127
    np.testing.assert_array_equal(read_pixels(encoded(bits, "PNG"))[..., 0], np.where(bits, 255, 0))


def test_a_palette_becomes_its_colours():
    palette = Image.fromarray(COLOUR).convert("P")
    np.testing.assert_array_equal(
        read_pixels(encoded(palette, "PNG")), np.asarray(palette.convert("RGB"))
    )


def test_a_transparent_palette_is_laid_on_white():
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 200, 100, 0])
    image.putpixel((1, 0), 1)
    found = read_pixels(encoded(image, "PNG", transparency=0))
    assert found.tolist() == [[[255, 255, 255], [200, 100, 0]]]


def test_half_transparent_is_half_white():
    layer = np.zeros((1, 2, 4), np.uint8)
    layer[0, 0] = (0, 0, 0, 128)  # 255 - 128 = 127
    layer[0, 1] = (100, 0, 200, 255)
    assert read_pixels(encoded(layer, "PNG")).tolist() == [[[127, 127, 127], [100, 0, 200]]]


def test_a_transparent_colour_without_a_palette_is_laid_on_white():
    assert read_pixels(
        encoded(np.array([[[255, 0, 0], [9, 8, 7]]], np.uint8), "PNG", transparency=(255, 0, 0))
    ).tolist() == [[[255, 255, 255], [9, 8, 7]]]
    grey = encoded(np.array([[7, 8]], np.uint8), "PNG", transparency=7)
    assert read_pixels(grey).tolist() == [[[255], [8]]]


def whole_on_white(content, colours):
    """All of an image at once, as Pillow lays it on white."""
    layer = Image.open(io.BytesIO(content)).convert("RGBA")
    paper = Image.new("RGBA", layer.size, "white")
    pixels = np.asarray(Image.alpha_composite(paper, layer).convert(colours))
    return pixels[..., None] if pixels.ndim == 2 else pixels


@pytest.mark.parametrize("strip_pixels", [1, 17, 40, 1_000])
def test_strips_have_the_pixels_of_the_whole(monkeypatch, strip_pixels):
    monkeypatch.setattr(images, "_STRIP_PIXELS", strip_pixels)
    layer = RNG.integers(0, 256, (13, 17, 4), dtype=np.uint8)
    palette = encoded(
        Image.fromarray(COLOUR).convert("P"), "PNG", transparency=bytes(range(0, 256, 2))
    )
    for content in (
        encoded(layer, "PNG"),
        encoded(Image.fromarray(layer).convert("LA"), "PNG"),
        encoded(layer, "TIFF"),
        encoded(layer, "WEBP", lossless=True, exact=True),
        palette,
        encoded(COLOUR, "PNG", transparency=tuple(COLOUR[3, 3].tolist())),
    ):
        np.testing.assert_array_equal(read_pixels(content), whole_on_white(content, "RGB"))
    grey = encoded(GREY, "PNG", transparency=int(GREY[4, 4]))
    np.testing.assert_array_equal(read_pixels(grey), whole_on_white(grey, "L"))
    for opaque in (
        encoded(Image.fromarray(COLOUR).convert("CMYK"), "TIFF"),
        encoded(Image.fromarray(COLOUR).convert("P"), "GIF"),
        encoded(COLOUR, "BMP"),
    ):
        expected = np.asarray(Image.open(io.BytesIO(opaque)).convert("RGB"))
        np.testing.assert_array_equal(read_pixels(opaque), expected)
    deep = np.arange(221, dtype=np.uint16).reshape(13, 17) * 290
    np.testing.assert_array_equal(read_pixels(encoded(deep, "PNG"))[..., 0], deep >> 8)


@pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="the peak is told by Linux alone"
)
@pytest.mark.parametrize(
    ("mode", "form", "turned", "most"),
    [
        ("RGBA", "PNG", False, 9),
        ("RGBA", "PNG", True, 9),
        ("RGB", "JPEG", True, 9),
        ("CMYK", "TIFF", False, 9),
        ("P", "PNG", False, 6),
        ("I;16", "PNG", False, 7),
        ("L", "PNG", True, 3),
    ],
)
def test_an_image_takes_few_bytes_a_pixel_while_it_is_decoded(tmp_path, mode, form, turned, most):
    colours = {"P": 0, "I;16": 0, "L": 0, "RGB": (10, 20, 30)}
    image = Image.new(mode, (4_000, 3_000), colours.get(mode, (10, 20, 30, 128)))
    exif = Image.Exif()
    exif[0x0112] = 6
    options = {"exif": exif} if turned else {}
    path = tmp_path / "large"
    path.write_bytes(encoded(image, form, **options))
    script = """
import sys
from pathlib import Path
from holotype.media.images import read_pixels
def peak():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM"))
content = Path(sys.argv[1]).read_bytes()
read_pixels(Path(sys.argv[2]).read_bytes())
before = peak()
read_pixels(content)
print(peak() - before)
"""
    small = tmp_path / "small"
    small.write_bytes(encoded(image.resize((10, 10)), form, **options))
    words = [sys.executable, "-c", script, str(path), str(small)]
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert int(said) < (most + 1) * 12_000_000


@pytest.mark.parametrize(
    ("image_format", "module", "name"),
    [("PNG", images, "decoded_plain"), ("BMP", images, "_decoded_by_pillow")],
)
@pytest.mark.parametrize(
    ("large_pixels", "together", "wait_s"),
    [(220, False, 0.2), (221, True, 20)],
    ids=["large", "small"],
)
def test_large_images_are_decoded_one_at_a_time_and_small_ones_together(
    monkeypatch, image_format, module, name, large_pixels, together, wait_s
):
    decode, meeting, met = getattr(module, name), threading.Barrier(2), []

    def waiting(*given):
        try:
            meeting.wait(wait_s)
            met.append(True)
        except threading.BrokenBarrierError:
            met.append(False)
            meeting.reset()
        return decode(*given)

    monkeypatch.setattr(module, name, waiting)
    monkeypatch.setattr(images, "LARGE_PIXELS", large_pixels)
    content = encoded(COLOUR, image_format)
    with ThreadPoolExecutor(2) as pool:
        for found in pool.map(read_pixels, [content, content]):
            np.testing.assert_array_equal(found, COLOUR)
    assert met == [together] * 2


# What turns an upright image into the one stored, so that the viewer must undo it (EXIF 2.3, 0x0112).
STORED = {
    1: lambda x: x,
    2: lambda x: x[:, ::-1],
    3: lambda x: x[::-1, ::-1],
    4: lambda x: x[::-1],
    5: lambda x: x.swapaxes(0, 1),
    6: lambda x: np.rot90(x, 1),
    7: lambda x: x.swapaxes(0, 1)[::-1, ::-1],
    8: lambda x: np.rot90(x, -1),
}


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("pixels", [COLOUR, GREY], ids=["colour", "grey"])
def test_exif_orientation_is_applied(orientation, pixels):
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = np.ascontiguousarray(STORED[orientation](pixels))
    found = read_pixels(encoded(stored, "PNG", exif=exif))
    np.testing.assert_array_equal(found, pixels.reshape(13, 17, -1))


def test_a_rotated_jpeg_has_upright_height_and_width():
    exif = Image.Exif()
    exif[0x0112] = 6
    assert read_pixels(encoded(SMOOTH, "JPEG", exif=exif)).shape == (120, 90, 3)


def test_of_several_frames_the_first_is_read():
    frames = [Image.fromarray(np.full((4, 5), value, np.uint8)) for value in (10, 200)]
    content = encoded(frames[0], "TIFF", save_all=True, append_images=frames[1:])
    assert (read_pixels(content) == 10).all()


def test_damage_of_any_kind_is_a_media_error_or_an_image(capfd):
    """Bytes changed and cut at random: never another error, never a wrong shape, no warning."""
    rng = random.Random(11)
    whole = [encoded(COLOUR, name) for name in ("PNG", "JPEG", "TIFF", "BMP", "GIF", "WEBP")]
    whole.append(encoded(COLOUR, "TIFF", compression="tiff_lzw"))
    whole.append(encoded(Image.fromarray(COLOUR).convert("P"), "PNG"))
    told = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for content in whole * 60:
            damaged = bytearray(content)
            for _ in range(rng.randint(1, 4)):
                damaged[rng.randrange(len(damaged))] = rng.randrange(256)
            if rng.random() < 0.3:
                damaged = damaged[: rng.randrange(len(damaged))]
            try:
                pixels = read_pixels(bytes(damaged))
            except MediaError as reason:
                told.append(str(reason))
            else:
                assert pixels.dtype == np.uint8
                assert pixels.ndim == 3
                assert pixels.shape[2] in (1, 3)
    capfd.readouterr()  # the decoders' own remarks
    assert len(told) > 100
    assert not [line for line in told if "\n" in line]


def test_background_is_the_median_of_the_border():
    pixels = np.full((5, 6, 3), 200, np.uint8)
    pixels[1:-1, 1:-1] = 0  # the inside does not count
    pixels[0, 0] = (0, 0, 0)  # nor does one corner
    assert background_C(pixels).tolist() == [200, 200, 200]


def test_padded_square_of_a_wide_image_by_hand():
    # 8 x 2 px of 90 on a border of 90: no resizing to side 8, three rows of background each way.
    pixels = np.full((2, 8, 1), 90, np.uint8)
    pixels[:, 3:5] = 10
    square = padded_square(pixels, side_px=8, channels=1)
    assert square.shape == (8, 8, 1)
    np.testing.assert_array_equal(square[3:5], pixels)
    assert (square[:3] == 90).all()
    assert (square[5:] == 90).all()


def test_padded_square_shrinks_by_the_mean_of_areas():
    pixels = RNG.integers(0, 256, (12, 12, 1), dtype=np.uint8)
    found = padded_square(pixels, side_px=4, channels=1)[..., 0].astype(float)
    means = pixels.reshape(4, 3, 4, 3).mean(axis=(1, 3))
    assert np.abs(found - means).max() <= 0.5 + 1e-9


@pytest.mark.parametrize("shape", [(1, 100), (100, 1), (1, 1), (7, 5), (333, 20)])
@pytest.mark.parametrize("channels", [1, 3])
def test_padded_square_keeps_aspect_and_centre(shape, channels):
    height, width = shape
    pixels = np.full((height, width, 3), 255, np.uint8)
    square = padded_square(pixels, side_px=24, channels=channels)
    assert square.shape == (24, 24, channels)
    assert (square == 255).all()


def test_padded_square_commutes_with_mirroring():
    pixels = RNG.integers(0, 256, (10, 20, 3), dtype=np.uint8)
    square = padded_square(pixels, side_px=20, channels=3)
    for axis in (0, 1):
        mirrored = padded_square(
            np.ascontiguousarray(np.flip(pixels, axis)), side_px=20, channels=3
        )
        np.testing.assert_array_equal(mirrored, np.flip(square, axis))


def test_with_channels():
    colours = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]], np.uint8)
    # Rec. 601: 0.299, 0.587 and 0.114 of 255
    assert with_channels(colours, channels=1)[0, :, 0].tolist() == [76, 150, 29, 255]
    grey = colours[..., :1]
    assert (with_channels(grey, channels=3) == grey).all()
    assert with_channels(grey, channels=3).shape == (1, 4, 3)
    assert with_channels(colours, channels=3) is colours


@pytest.mark.real
def test_real_crops_equal_pillow(real_data):
    crops = [
        path
        for folder in ("uvp6", "zoolake", "flowcam", "ifcb")
        for path in sorted((real_data / "plankton" / folder / "images").rglob("*.*"))[::12]
    ]
    assert len(crops) > 100
    for path in crops:
        content = path.read_bytes()
        found, expected = read_pixels(content), by_pillow(content)
        limit = 1 if path.suffix.lower() in {".jpg", ".jpeg"} else 0
        if found.shape == expected.shape:
            assert np.abs(found.astype(int) - expected.astype(int)).max() <= limit, path
        else:
            assert found.shape[:2] == expected.shape[:2], path
