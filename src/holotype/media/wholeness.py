"""Whether an encoded image holds all the pixels that its header declares; Pillow makes up what is missing.

PNG (ISO/IEC 15948:2004): the check sums of its data are compared, which Pillow leaves out, and what they
unpack to is counted. JPEG (ITU-T T.81, 1992): its scans must be there, and remarks of the decoder count as
errors; an eighth of the size is made, for which it unpacks everything. TIFF 6.0 (Adobe 1992): all strips or
tiles must be listed. Other formats are left to Pillow.
"""

import re
import struct
import zlib
from collections.abc import Callable, Iterator

import simplejpeg
from PIL import ImageFile, TiffImagePlugin

from holotype.errors import MediaError
from holotype.media.jpeg_scans import what_is_missing, without_notes

_DAMAGE = re.compile(
    r"Premature end|Inconsistent progression"
    r"|Corrupt JPEG data: (?!\d+ extraneous bytes before marker 0xd[0-79])"
)
"""Remarks of libjpeg-turbo on pixels; bytes left over behind them, as by some cameras, cost none."""
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
_PIECE_BYTES, _UNPACKED_BYTES = 1 << 16, 1 << 20
_WIDTH, _HEIGHT, _SAMPLES_PER_PIXEL, _ROWS_PER_STRIP, _PLANAR = 256, 257, 277, 278, 284
_STRIP_PLACES, _TILE_WIDTH, _TILE_HEIGHT, _TILE_PLACES = 273, 322, 323, 324


def check_whole(content: bytes, image: ImageFile.ImageFile) -> None:
    """Raises ``MediaError`` where a file holds fewer pixels than it declares.

    Args:
        content: the file.
        image: as Pillow opened it, not yet decoded.
    """
    check = _CHECKS.get(image.format or "")
    if check is not None:
        check(content, image)


def _check_jpeg(content: bytes, _image: ImageFile.ImageFile) -> None:
    if missing := what_is_missing(content):
        raise MediaError(f"image file is truncated or forged: {missing}")
    bare = without_notes(content)
    try:
        simplejpeg.decode_jpeg(bare, "GRAY", min_height=1, min_width=1, min_factor=8)
    except ValueError as reason:
        if _DAMAGE.match(str(reason)):
            raise MediaError(str(reason)) from reason


def _check_tiff(_content: bytes, image: ImageFile.ImageFile) -> None:
    assert isinstance(image, TiffImagePlugin.TiffImageFile)
    tags = image.tag_v2
    width, height = tags[_WIDTH], tags[_HEIGHT]
    places = tags.get(_STRIP_PLACES) or tags.get(_TILE_PLACES, ())  # in the order of Pillow
    if _STRIP_PLACES not in tags and _TILE_PLACES in tags:
        across, down = -(-width // tags[_TILE_WIDTH]), -(-height // tags[_TILE_HEIGHT])
    else:
        across, down = 1, -(-height // (tags.get(_ROWS_PER_STRIP) or height))
    planes = tags.get(_SAMPLES_PER_PIXEL, 1) if tags.get(_PLANAR) == 2 else 1
    needed = across * down * planes
    there = sum(place > 0 for place in places[:needed])
    if places and there < needed:
        raise MediaError(f"image file is truncated: {there:,} of {needed:,} strips or tiles")


def _check_png(content: bytes, _image: ImageFile.ImageFile) -> None:
    chunks = _png_chunks(content)
    kind, header = next(chunks)
    if kind != b"IHDR":
        raise MediaError(f"its first chunk is {kind!r}, not its header")
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", header)
    bits = depth * _SAMPLES[colour]
    needed = sum(
        rows * (1 + (columns * bits + 7) // 8)
        for columns, rows in _passes(width, height, interlaced=bool(interlaced))
        if columns
    )
    held, unpacking = 0, zlib.decompressobj()
    for kind, data in chunks:
        if kind == b"IHDR":
            raise MediaError("it has two headers")
        if kind == b"IDAT":
            held += _unpacked_bytes(unpacking, data, needed - held)
    held += len(unpacking.flush()) if held < needed else 0
    if held < needed:
        raise MediaError(f"image file is truncated: {held:,} of {needed:,} bytes of pixels")


def _passes(width: int, height: int, *, interlaced: bool) -> list[tuple[int, int]]:
    """Returns columns and rows of each pass."""
    if not interlaced:
        return [(width, height)]
    return [
        (-(-(width - left) // right_step), -(-(height - top) // low_step))
        for left, top, right_step, low_step in _ADAM7
    ]


def _png_chunks(content: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Yields kind and content of each chunk up to the end; a wrong check sum of pixels is an error."""
    place, kind, held = 8, b"", memoryview(content)
    while place + 8 <= len(content) and kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", content, place)
        end = place + 8 + length
        if kind == b"IDAT" and held[end : end + 4] != zlib.crc32(held[place + 4 : end]).to_bytes(4):
            raise MediaError("wrong check sum of the pixels")
        yield kind, held[place + 8 : end]
        place = end + 4


def _unpacked_bytes(unpacking: "zlib._Decompress", packed: memoryview, most: int) -> int:
    """Returns how many bytes some data unpack to; where that is enough, no more is unpacked."""
    held = 0
    for start in range(0, len(packed), _PIECE_BYTES):
        left: bytes | memoryview = packed[start : start + _PIECE_BYTES]
        while left and held < most and not unpacking.eof:
            held += len(unpacking.decompress(left, _UNPACKED_BYTES))
            left = unpacking.unconsumed_tail
    return held


_CHECKS: dict[str, Callable[[bytes, ImageFile.ImageFile], None]] = {
    "JPEG": _check_jpeg,
    "MPO": _check_jpeg,
    "PNG": _check_png,
    "TIFF": _check_tiff,
}
