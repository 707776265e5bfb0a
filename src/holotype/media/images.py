"""Encoded image bytes -> 8-bit pixels, strictly: a file that cannot be read whole is an error.

Place in the path: intake checks every image here, training and prediction read them here, so that all
see the same pixels. 8-bit JPEG and PNG of the plain kind go through ``media.decoders``
(docs/why/decoding.md has the figures); everything else, and every file that looks damaged, goes through
Pillow, once ``media.wholeness`` has found all its pixels there. A JPEG far larger than what is made of it is
decoded at a reduced scale (``read_enough``).
"""

import io
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageFile, JpegImagePlugin, UnidentifiedImageError

from holotype.errors import MediaError
from holotype.media.decoders import decoded_jpeg, decoded_plain
from holotype.media.headers import JPEG_START, PlainHeader, plain_header
from holotype.media.jpeg_scans import what_is_missing
from holotype.media.pixels import Pixels, three_axes
from holotype.media.reduction import reduced_by_pillow, reduction_of
from holotype.media.wholeness import check_whole

IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".gif", ".webp", ".pgm", ".ppm", ".jp2"}
)
MAX_PIXELS = 200_000_000
"""A larger image is refused before it is decoded: it is a bomb or a raw frame, not a crop."""
LARGE_PIXELS = 20_000_000
"""Of larger images one is decoded at a time in a process: each takes several bytes a pixel meanwhile."""
_STRIP_PIXELS = 1 << 20
_UPRIGHT: dict[int, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]] = {
    2: lambda pixels_HWC: pixels_HWC[:, ::-1],
    3: lambda pixels_HWC: pixels_HWC[::-1, ::-1],
    4: lambda pixels_HWC: pixels_HWC[::-1],
    5: lambda pixels_HWC: pixels_HWC.swapaxes(0, 1),
    6: lambda pixels_HWC: np.rot90(pixels_HWC, -1),
    7: lambda pixels_HWC: np.rot90(pixels_HWC, 2).swapaxes(0, 1),
    8: np.rot90,
}
"""EXIF orientation -> what turns pixels upright; views, so that a large image is copied once."""
_LYING = frozenset({5, 6, 7, 8})
"""EXIF orientations by which rows become columns."""
_LARGE = [Lock()]


def _unlocked() -> None:
    """Makes the lock new in a forked child, which has no thread that would give the parent's back."""
    _LARGE[:] = [Lock()]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_unlocked)


@dataclass(frozen=True)
class Decoded:
    """An image as it was decoded, and how large it is as a file.

    Attributes:
        pixels_HWC: the pixels, upright; fewer than the file has where they were reduced.
        width_px, height_px: of the whole image, upright.
    """

    pixels_HWC: Pixels
    width_px: int
    height_px: int

    @property
    def reduction(self) -> float:
        """How many pixels of the file a decoded pixel is wide: 1 where nothing was reduced."""
        decoded_px: int = max(self.pixels_HWC.shape[:2])
        return max(self.width_px, self.height_px) / decoded_px


def read_pixels(content: bytes) -> Pixels:
    """Returns the pixels of an encoded image, upright, 8 bit, grey or RGB.

    EXIF orientation is applied; CMYK and palettes become RGB; transparency is laid on white; 16-bit
    greys are scaled by the smallest of 8, 10, 12, 14 or 16 bits that holds them. Of several frames the
    first is read.

    Raises:
        MediaError: for empty, truncated, unknown or too large content, in one line.
    """
    header = plain_header(content)
    if header is not None and (pixels := _decoded(content, header, 1)) is not None:
        return pixels
    return _read_by_pillow(content, None).pixels_HWC


def read_enough(content: bytes, *, needed_px: int | None) -> Decoded:
    """Returns an encoded image as ``read_pixels`` does; a JPEG far larger than needed, at a reduced scale.

    Which scale: ``media.reduction``.

    Args:
        content: the file.
        needed_px: the side of what will be made of the image; None where every pixel counts.

    Raises:
        MediaError: as ``read_pixels``.
    """
    if needed_px is None or not content.startswith(JPEG_START):
        return _whole(read_pixels(content))
    header = plain_header(content)
    if header is None:
        return _read_by_pillow(content, needed_px)
    reduction = reduction_of(header.width, header.height, needed_px)
    pixels = _decoded(content, header, reduction)
    if pixels is None:
        return _read_by_pillow(content, needed_px)
    return Decoded(pixels, header.width, header.height)


def _whole(pixels_HWC: Pixels) -> Decoded:
    height, width = pixels_HWC.shape[:2]
    return Decoded(pixels_HWC, width, height)


def _decoded(content: bytes, header: PlainHeader, reduction: int) -> Pixels | None:
    """Returns the pixels of a plain image, or None where that is for Pillow to judge."""
    size = header.width * header.height
    if not 0 < size <= MAX_PIXELS:
        return None
    with _turn(size):
        pixels = decoded_plain(content, header, reduction)
    return None if pixels is None else three_axes(pixels)


def _read_by_pillow(content: bytes, needed_px: int | None) -> Decoded:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image = _opened(content)
        try:
            with _turn(image.width * image.height):
                return _decoded_by_pillow(content, image, needed_px)
        except Exception as reason:  # a decoder may fail in any way on damaged bytes
            raise MediaError(f"damaged {image.format} image: {_one_line(reason)}") from reason


def _opened(content: bytes) -> ImageFile.ImageFile:
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


def _decoded_by_pillow(
    content: bytes, image: ImageFile.ImageFile, needed_px: int | None
) -> Decoded:
    width, height = image.size
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        reduction = 1 if needed_px is None else reduction_of(width, height, needed_px)
        pixels = _of_a_jpeg(content, image, reduction)
    else:
        check_whole(content, image)
        pixels = _in_8_bit(image)
    pixels_HWC = three_axes(pixels)
    orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    image.close()  # what it holds is more than its pixels
    if orientation in _LYING:
        width, height = height, width
    if orientation in _UPRIGHT:
        pixels_HWC = np.ascontiguousarray(_UPRIGHT[orientation](pixels_HWC))
    return Decoded(pixels_HWC, width, height)


def _of_a_jpeg(
    content: bytes, image: JpegImagePlugin.JpegImageFile, reduction: int
) -> NDArray[np.uint8]:
    """Returns the pixels of a JPEG: by the quick decoder where it has nothing to remark upon."""
    channels = {"L": 1, "RGB": 3}.get(image.mode)
    if channels is not None and not what_is_missing(content):
        header = PlainHeader(*image.size, channels)
        if (pixels := decoded_jpeg(content, header, reduction)) is not None:
            return pixels
    check_whole(content, image)
    return _in_8_bit(reduced_by_pillow(image, reduction))


def _in_8_bit(image: Image.Image) -> NDArray[np.uint8]:
    image.load()  # some formats tell their mode and size anew
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


def _turn(pixels: int) -> AbstractContextManager[object]:
    """Waits, where an image is large, until no other large one is being decoded."""
    return _LARGE[0] if pixels > LARGE_PIXELS else nullcontext()


def _scaled_to_8_bit(grey_HW: NDArray[Any]) -> NDArray[np.uint8]:
    brightest = int(grey_HW.max(initial=0))
    if int(grey_HW.min(initial=0)) < 0 or brightest >= 1 << 16:
        raise ValueError("grey values outside 0 to 65,535; save as 8 or 16 bit")
    bits = next(bits for bits in (8, 10, 12, 14, 16) if brightest < 1 << bits)
    scaled: NDArray[np.uint8] = np.empty(grey_HW.shape, np.uint8)
    for rows in _strips(*grey_HW.shape):
        scaled[rows] = grey_HW[rows] >> (bits - 8)
    return scaled


def _one_line(reason: BaseException) -> str:
    return " ".join(str(reason).split()) or type(reason).__name__
