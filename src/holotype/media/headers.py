"""What the header of a PNG or JPEG says, without opening the image: whether it is of the plain kind.

Plain means 8 bits, grey or RGB, no transparency, no EXIF block that may turn it, complete to its end mark:
what the quick decoders give as every other program does. Everything else goes to Pillow. Formats: PNG
(ISO/IEC 15948:2004), JPEG (ITU-T T.81, 1992).
"""

import struct
import zlib
from dataclasses import dataclass

from holotype.media.jpeg_scans import what_is_missing

_PNG_START, _PNG_END = b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"
JPEG_START = b"\xff\xd8\xff"
_JPEG_END = b"\xff\xd9"
_GREY, _RGB = 0, 2
_FRAME_MARKERS = frozenset({0xC0, 0xC1, 0xC2})
_NO_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})
_START_OF_SCAN, _APP1, _APP14, _PROGRESSIVE = 0xDA, 0xE1, 0xEE, 0xC2
_NOT_PLAIN_CHUNKS = frozenset({b"tRNS", b"eXIf", b"acTL", b"PLTE", b"IHDR"})
_NOTES_THAT_TURN = (b"Raw profile type ", b"XML:com.adobe.xmp")
"""Texts of a PNG that may tell its orientation, as ImageMagick and Adobe's programs write them."""


@dataclass(frozen=True)
class PlainHeader:
    """Size and channels of a plain image."""

    width: int
    height: int
    channels: int


def plain_header(content: bytes) -> PlainHeader | None:
    """Returns the header of a plain PNG or JPEG, or None for anything else, or anything odd."""
    try:
        if content.startswith(_PNG_START):
            return _png(content)
        if content.startswith(JPEG_START):
            return _jpeg(content)
    except (struct.error, IndexError):
        return None
    return None


def _png(content: bytes) -> PlainHeader | None:
    length, kind, width, height, depth, colour = struct.unpack_from(">I4sIIBB", content, 8)
    if (length, kind, depth) != (13, b"IHDR", 8) or colour not in (_GREY, _RGB):
        return None
    place = 33
    while True:
        length, kind = struct.unpack_from(">I4s", content, place)
        if kind in _NOT_PLAIN_CHUNKS or (kind != b"IDAT" and not _is_sound(content, place, length)):
            return None
        if content.startswith(_NOTES_THAT_TURN, place + 8):
            return None
        if kind == b"IEND":
            # its length is 0: OpenCV asks for as much memory as is written there
            whole = length == 0 and content[place + 4 : place + 12] == _PNG_END
            return PlainHeader(width, height, 1 if colour == _GREY else 3) if whole else None
        place += 12 + length


def _is_sound(content: bytes, place: int, length: int) -> bool:
    """Returns whether a chunk has its check sum; OpenCV compares those of pixels alone."""
    end = place + 8 + length
    return content[end : end + 4] == zlib.crc32(content[place + 4 : end]).to_bytes(4)


def _jpeg(content: bytes) -> PlainHeader | None:
    if not content.rstrip(b"\x00\r\n").endswith(_JPEG_END):
        return None
    place = 2
    found, many = None, False
    while True:
        if content[place] != 0xFF:
            return None
        marker = content[place + 1]
        if marker == 0xFF or marker in _NO_LENGTH:
            place += 1 if marker == 0xFF else 2
            continue
        if marker == _START_OF_SCAN:
            in_one = found is not None and found.channels == content[place + 4] and not many
            return found if in_one or not what_is_missing(content) else None
        length = int.from_bytes(content[place + 2 : place + 4], "big")
        if marker in (_APP1, _APP14):
            return None
        if marker in _FRAME_MARKERS:
            depth, height, width, channels = struct.unpack_from(">BHHB", content, place + 4)
            if depth != 8 or channels not in (1, 3):
                return None
            found, many = PlainHeader(width, height, channels), marker == _PROGRESSIVE
        elif 0xC3 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return None
        place += 2 + length
