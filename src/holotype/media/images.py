"""Encoded image bytes -> 8-bit pixels, strictly: a file that cannot be read whole is an error.

Place in the path: intake checks every image here, training and prediction read them here, so that all
see the same pixels. 8-bit JPEG and PNG go through OpenCV (three to four times Pillow on small crops);
everything else, and every file that looks damaged, goes through Pillow, which says what is wrong.
"""

import io
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError

from holotype.errors import MediaError
from holotype.media.headers import plain_header

IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".gif", ".webp", ".pgm", ".ppm", ".jp2"}
)
MAX_PIXELS = 200_000_000
"""A larger image is refused before it is decoded: it is a bomb or a raw frame, not a crop."""
LARGE_PIXELS = 20_000_000
"""Of larger images one is decoded at a time in a process: each takes several bytes a pixel meanwhile."""
_STRIP_PIXELS = 1 << 20
_LARGE = [Lock()]


def _unlocked() -> None:
    """Makes the lock new in a forked child, which has no thread that would give the parent's back."""
    _LARGE[:] = [Lock()]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_unlocked)

Pixels = NDArray[np.uint8]
"""uint8 (H, W, C), C = 1 for grey files and 3 (red, green, blue) for the others."""


def read_pixels(content: bytes) -> Pixels:
    """Returns the pixels of an encoded image, upright, 8 bit, grey or RGB.

    EXIF orientation is applied; CMYK and palettes become RGB; transparency is laid on white; 16-bit
    greys are scaled by the smallest of 8, 10, 12, 14 or 16 bits that holds them. Of several frames the
    first is read.

    Raises:
        MediaError: for empty, truncated, unknown or too large content, in one line.
    """
    header = plain_header(content)
    if header is not None and 0 < header.width * header.height <= MAX_PIXELS:
        flag = cv2.IMREAD_GRAYSCALE if header.channels == 1 else cv2.IMREAD_COLOR_RGB
        with _turn(header.width * header.height):
            try:
                decoded = cv2.imdecode(np.frombuffer(content, np.uint8), flag)
            except cv2.error:
                decoded = None
        if decoded is not None:
            return _three_axes(decoded)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image = _opened(content)
        try:
            with _turn(image.width * image.height):
                return _three_axes(_decoded_by_pillow(image))
        except Exception as reason:  # a decoder may fail in any way on damaged bytes
            raise MediaError(f"damaged {image.format} image: {_one_line(reason)}") from reason


def _opened(content: bytes) -> Image.Image:
    if not content:
        raise MediaError("empty file (0 bytes)")
    try:
        image = Image.open(io.BytesIO(content))
    except UnidentifiedImageError:
        start = content[:12].decode("ascii", errors="replace").replace("\n", " ")
        raise MediaError(f"not an image: the file starts with {start!r}") from None
    except Exception as reason:  # as above: a header may lead anywhere
        raise MediaError(f"not a readable image: {_one_line(reason)}") from reason
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise MediaError(f"{width} x {height} px is more than {MAX_PIXELS:,} px")
    return image


def _decoded_by_pillow(image: Image.Image) -> NDArray[np.uint8]:
    image.load()
    orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    if orientation != 1:
        from PIL import ImageOps

        image = ImageOps.exif_transpose(image) or image
    if image.mode in {"I;16", "I;16B", "I;16L", "I"}:
        return _scaled_to_8_bit(np.asarray(image))
    if image.mode == "F":
        raise ValueError("floating-point pixels have no agreed range; save as 8 or 16 bit")
    colours = "L" if image.mode in {"1", "L"} else "RGB"
    channels = (3,) if colours == "RGB" else ()
    pixels: NDArray[np.uint8] = np.empty((image.height, image.width, *channels), np.uint8)
    for rows in _strips(image.height, image.width):  # so that no copy of the whole is made
        strip = image.crop((0, rows.start, image.width, rows.stop))
        pixels[rows] = np.asarray(_on_white(strip).convert(colours))
    return pixels


def _on_white(image: Image.Image) -> Image.Image:
    """Returns an image without transparency."""
    if "transparency" in image.info or image.mode in {"RGBA", "LA", "PA", "La", "RGBa"}:
        layer = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
    return image


def _strips(height: int, width: int) -> Iterator[slice]:
    """Yields the rows of an image, some at a time."""
    step = max(1, _STRIP_PIXELS // max(1, width))
    for top in range(0, height, step):
        yield slice(top, min(height, top + step))


@contextmanager
def _turn(pixels: int) -> Iterator[None]:
    """Waits, where an image is large, until no other large one is being decoded."""
    if pixels <= LARGE_PIXELS:
        yield
        return
    with _LARGE[0]:
        yield


def _scaled_to_8_bit(grey_HW: NDArray[Any]) -> NDArray[np.uint8]:
    brightest = int(grey_HW.max(initial=0))
    if int(grey_HW.min(initial=0)) < 0 or brightest >= 1 << 16:
        raise ValueError("grey values outside 0 to 65,535; save as 8 or 16 bit")
    bits = next(bits for bits in (8, 10, 12, 14, 16) if brightest < 1 << bits)
    scaled: NDArray[np.uint8] = np.empty(grey_HW.shape, np.uint8)
    for rows in _strips(*grey_HW.shape):
        scaled[rows] = grey_HW[rows] >> (bits - 8)
    return scaled


def _three_axes(pixels: NDArray[Any]) -> Pixels:
    pixels = np.ascontiguousarray(pixels)
    return pixels[..., None] if pixels.ndim == 2 else pixels


def _one_line(reason: BaseException) -> str:
    return " ".join(str(reason).split()) or type(reason).__name__


def background_C(pixels_HWC: Pixels) -> NDArray[np.uint8]:
    """Returns the colour of the background: the median of the border pixels, uint8 (C,)."""
    edges = (pixels_HWC[0], pixels_HWC[-1], pixels_HWC[:, 0], pixels_HWC[:, -1])
    colour_C: NDArray[np.uint8] = np.median(np.concatenate(edges), axis=0).astype(np.uint8)
    return colour_C


def padded_square(pixels_HWC: Pixels, *, side_px: int, channels: int) -> Pixels:
    """Returns the image shrunk or enlarged to fit a square and centred on its own background.

    The aspect ratio is kept. Shrinking averages areas, enlarging interpolates linearly.

    Args:
        pixels_HWC: any size, 1 or 3 channels.
        side_px: the side of the square.
        channels: 1 (luma of Rec. 601) or 3 (grey repeated).

    Returns:
        uint8 (side_px, side_px, channels).
    """
    pixels_HWC = with_channels(pixels_HWC, channels=channels)
    height, width = pixels_HWC.shape[:2]
    scale = side_px / max(height, width)
    new_height, new_width = max(1, round(height * scale)), max(1, round(width * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    resized = cv2.resize(pixels_HWC, (new_width, new_height), interpolation=method)
    square = np.empty((side_px, side_px, channels), np.uint8)
    square[:] = background_C(pixels_HWC)
    top, left = (side_px - new_height) // 2, (side_px - new_width) // 2
    square[top : top + new_height, left : left + new_width] = _three_axes(resized)
    return square


def with_channels(pixels_HWC: Pixels, *, channels: int) -> Pixels:
    """Returns the image with 1 or 3 channels."""
    if pixels_HWC.shape[2] == channels:
        return pixels_HWC
    if channels == 3:
        return np.repeat(pixels_HWC, 3, axis=2)
    return _three_axes(cv2.cvtColor(pixels_HWC, cv2.COLOR_RGB2GRAY))
