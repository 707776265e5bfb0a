"""The tags of a TIFF file, without its pixels: where an instrument writes position, time and pixel size.

Classic TIFF 6.0 (Adobe 1992), with the GPS directory of Exif 2.3. A few small reads a file, so that millions
can be listed.
"""

import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from holotype.errors import MediaError
from holotype.media.locations import FileAt, Location, SliceAt, read_location

WIDTH, HEIGHT, DESCRIPTION, X_RESOLUTION, RESOLUTION_UNIT = 256, 257, 270, 282, 296
SOFTWARE, DATE_TIME, GPS = 305, 306, 34853
_FORMATS = {1: "B", 2: "s", 3: "H", 4: "I", 5: "II", 7: "s", 9: "i", 10: "ii"}
_MICROMETRES = {2: 25_400.0, 3: 10_000.0}
_WANTED = {WIDTH, HEIGHT, DESCRIPTION, X_RESOLUTION, RESOLUTION_UNIT, SOFTWARE, DATE_TIME, GPS}
_WANTED |= {1, 2, 3, 4}
_MAX_ENTRIES, _MAX_VALUE_BYTES, _WINDOW_BYTES = 200, 4096, 1024
_DATE_TIME = re.compile(r"^(\d{4})[:-](\d{2})[:-](\d{2}) (\d{2}:\d{2}:\d{2})$")

Tags = Mapping[int, str | tuple[float, ...]]
"""Tag number -> text, or numbers; a rational is one number."""


@dataclass(frozen=True)
class TiffTags:
    """The tags of the first image of a file.

    Attributes:
        image: of the image itself.
        gps: of the GPS directory.
    """

    image: Tags
    gps: Tags

    def number(self, tag: int) -> float | None:
        """Returns the first number of a tag, or None."""
        found = self.image.get(tag)
        return found[0] if isinstance(found, tuple) and found else None

    def text(self, tag: int) -> str:
        """Returns the text of a tag, or ""."""
        found = self.image.get(tag)
        return found.strip() if isinstance(found, str) else ""

    @property
    def pixel_size_um(self) -> float | None:
        """Micrometres per pixel, where the resolution has a unit of length."""
        per_unit, unit = self.number(X_RESOLUTION), self.number(RESOLUTION_UNIT)
        if not per_unit or unit not in _MICROMETRES:
            return None
        return _MICROMETRES[int(unit)] / per_unit

    @property
    def moment(self) -> str:
        """ISO 8601 date and time without offset, or ""."""
        found = _DATE_TIME.match(self.text(DATE_TIME))
        try:
            written = "{}-{}-{}T{}".format(*found.groups()) if found else ""
            return datetime.fromisoformat(written).isoformat()
        except ValueError:
            return ""

    @property
    def position(self) -> tuple[float, float] | None:
        """Latitude and longitude in degrees; None where absent, or where both are zero, the sign of no fix.

        Without its letter (N or S, E or W) a number is no position: its sign is not known.
        """
        latitude, longitude = self._degrees(2, "NS"), self._degrees(4, "EW")
        if latitude is None or longitude is None or not (latitude or longitude):
            return None
        inside = abs(latitude) <= 90 and abs(longitude) <= 180
        return (latitude, longitude) if inside else None

    def _degrees(self, tag: int, sides: str) -> float | None:
        parts, side = self.gps.get(tag), self.gps.get(tag - 1)
        letter = side.strip().upper()[:1] if isinstance(side, str) else ""
        if not isinstance(parts, tuple) or len(parts) != 3 or not letter or letter not in sides:
            return None
        degrees = parts[0] + parts[1] / 60 + parts[2] / 3600
        return -degrees if letter == sides[1] else degrees


def read_tags(at: Location, size: int) -> TiffTags:
    """Returns the tags of a TIFF of ``size`` bytes.

    Raises:
        MediaError: when it is no TIFF, or its directory lies outside it.
    """
    read = _reader(at, size)
    start = read(0, 8)
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(start[:4])
    if order is None:
        raise MediaError("no TIFF: it does not start as one")
    try:
        image, gps_at = _directory(read, order, struct.unpack(order + "I", start[4:])[0])
        gps = _directory(read, order, gps_at)[0] if gps_at else {}
    except struct.error as reason:
        raise MediaError(f"damaged TIFF directory ({reason})") from reason
    return TiffTags(image, gps)


def _reader(at: Location, size: int) -> Callable[[int, int], bytes]:
    """Returns a reader of parts that fetches a window at a time: tags mostly lie side by side."""
    if not isinstance(at, FileAt | SliceAt):
        whole = read_location(at)
        return lambda start, length: whole[start : start + length]
    first, window = 0, b""

    def fetched(start: int, length: int) -> bytes:
        if isinstance(at, SliceAt):
            return read_location(SliceAt(at.path, at.start + start, length))
        try:
            with open(at.path, "rb", buffering=0) as file:  # noqa: PTH123 - millions of files
                file.seek(start)
                return file.read(length)
        except OSError as reason:
            raise MediaError(f"cannot be read: {reason}") from reason

    def read_part(start: int, length: int) -> bytes:
        nonlocal first, window
        length = max(0, min(length, size - start))
        if not first <= start <= start + length <= first + len(window):
            first = start
            wanted = min(max(length, _WINDOW_BYTES), size - start)
            window = fetched(start, wanted) if wanted > 0 else b""
        return window[start - first : start - first + length]

    return read_part


def _directory(
    read: Callable[[int, int], bytes], order: str, place: int
) -> tuple[dict[int, str | tuple[float, ...]], int]:
    """Returns the tags of one directory, and where its GPS directory lies (0: nowhere)."""
    (entries,) = struct.unpack(order + "H", read(place, 2))
    if entries > _MAX_ENTRIES:
        raise MediaError(f"damaged TIFF directory: {entries:,} entries")
    block = read(place, 2 + 12 * entries)
    tags: dict[int, str | tuple[float, ...]] = {}
    gps_at = 0
    for number in range(entries):
        entry = 2 + 12 * number
        tag, kind, count = struct.unpack_from(order + "HHI", block, entry)
        if tag not in _WANTED or kind not in _FORMATS:
            continue
        letter = _FORMATS[kind]
        length = count * struct.calcsize(order + letter)
        if length > _MAX_VALUE_BYTES:
            continue
        if length <= 4:
            content = block[entry + 8 : entry + 8 + length]
        else:
            content = read(struct.unpack_from(order + "I", block, entry + 8)[0], length)
        if len(content) == length:
            tags[tag] = _value(order, letter, count, content)
        if tag == GPS and length == 4:
            (gps_at,) = struct.unpack(order + "I", content)
    return tags, gps_at


def _value(order: str, letter: str, count: int, content: bytes) -> str | tuple[float, ...]:
    if letter == "s":
        return content.split(b"\0")[0].decode("utf-8", errors="replace")
    numbers = struct.unpack(order + letter * count, content)
    if len(letter) == 1:
        return tuple(float(number) for number in numbers)
    pairs = zip(numbers[::2], numbers[1::2], strict=True)
    return tuple(above / below if below else 0.0 for above, below in pairs)
