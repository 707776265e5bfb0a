"""Whether an encoded image holds all the pixels that its header declares; Pillow makes up what is missing.

PNG (ISO/IEC 15948:2004): the check sums of its data are compared, which Pillow leaves out, and what they
unpack to is counted. JPEG (ITU-T T.81, 1992): remarks of the decoder count as errors; an eighth of the size
is made, for which it unpacks everything. All formats: the parts that a file lists must cover the picture.
"""

import re
import struct
import zlib
from collections.abc import Callable, Iterator

import simplejpeg
from PIL import ImageFile

from holotype.errors import MediaError

_DAMAGE = re.compile(
    r"Premature end|Corrupt JPEG data: (?!\d+ extraneous bytes before marker 0xd9|bad ICC marker)"
)
"""Remarks of libjpeg-turbo on missing data; bytes left over at the end, as by some cameras, cost no pixel."""
_ADAM7 = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)
"""First column, first row, step of columns, step of rows of each pass of an interlaced PNG."""
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Colour type of a PNG -> samples of a pixel."""
_PIECE_BYTES = 1 << 20
_ZLIB_HEADER_BYTES = 2


def check_whole(content: bytes, image: ImageFile.ImageFile) -> None:
    """Raises ``MediaError`` where a file holds fewer pixels than it declares.

    Args:
        content: the file.
        image: as Pillow opened it, not yet decoded.
    """
    covered = sum((right - left) * (low - top) for left, top, right, low in _extents(image))
    if image.tile and covered < image.width * image.height:
        raise MediaError("it lists fewer parts than cover the picture")
    check = _CHECKS.get(image.format or "")
    if check is not None:
        check(content)


def _extents(image: ImageFile.ImageFile) -> Iterator[tuple[int, int, int, int]]:
    for tile in image.tile:
        yield tile.extents if tile.extents is not None else (0, 0, *image.size)


def _check_jpeg(content: bytes) -> None:
    try:
        simplejpeg.decode_jpeg(content, "GRAY", min_height=1, min_width=1, min_factor=8)
    except ValueError as reason:
        if _DAMAGE.match(str(reason)):
            raise MediaError(str(reason)) from reason


def _check_png(content: bytes) -> None:
    width, height, depth, colour, _, _, interlaced = struct.unpack_from(">IIBBBBB", content, 16)
    bits = depth * _SAMPLES[colour]
    needed = sum(
        rows * (1 + (columns * bits + 7) // 8)
        for columns, rows in _passes(width, height, interlaced=bool(interlaced))
        if columns
    )
    held = 0
    for piece_bytes in _unpacked(content):
        held += piece_bytes
        if held >= needed:
            return
    raise MediaError(f"image file is truncated: {held:,} of {needed:,} bytes of pixels")


def _passes(width: int, height: int, *, interlaced: bool) -> list[tuple[int, int]]:
    """Returns columns and rows of each pass."""
    if not interlaced:
        return [(width, height)]
    return [
        (-(-(width - left) // right_step), -(-(height - top) // low_step))
        for left, top, right_step, low_step in _ADAM7
    ]


def _unpacked(content: bytes) -> Iterator[int]:
    """Yields how many bytes the data of a PNG unpack to, piece by piece.

    The check sum behind them is left aside, as by the decoders: each chunk has its own.
    """
    packed = b"".join(_image_data(content))[_ZLIB_HEADER_BYTES:]
    unpacking = zlib.decompressobj(-zlib.MAX_WBITS)
    while packed and not unpacking.eof:
        yield len(unpacking.decompress(packed, _PIECE_BYTES))
        packed = unpacking.unconsumed_tail
    yield len(unpacking.flush())


def _image_data(content: bytes) -> Iterator[bytes]:
    place = 8
    while place + 8 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, place)
        end = place + 8 + length
        if kind == b"IDAT":
            if int.from_bytes(content[end : end + 4]) != zlib.crc32(content[place + 4 : end]):
                raise MediaError("wrong check sum of the pixels")
            yield content[place + 8 : end]
        place = end + 4


_CHECKS: dict[str, Callable[[bytes], None]] = {
    "JPEG": _check_jpeg,
    "MPO": _check_jpeg,
    "PNG": _check_png,
}
