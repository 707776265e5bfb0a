"""The three files of an IFCB bin: header (.hdr), one line a region (.adc), grey pixels (.roi).

Two generations of the instrument write them: the old one a header of quoted lines and 15 columns, the new one
``key: value`` lines that name the columns (``ADCFileFormat``), in varying case and with columns to spare.
Instrument: Olson and Sosik (2007), doi:10.4319/lom.2007.5.195; formats: files of both generations.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from holotype.errors import SourceError
from holotype.media.capture_times import CaptureTime, Convention
from holotype.media.members import Member

OLD_COLUMNS = (
    "trigger", "processingend", "fluorescencelow", "fluorescencehigh", "scatteringlow",
    "scatteringhigh", "comparatorpulse", "triggeropen", "framegrab", "roix", "roiy", "roiwidth",
    "roiheight", "startbyte", "valvestatus",
)  # fmt: skip
NEW_COLUMNS = (
    "trigger", "adctime", "pmta", "pmtb", "pmtc", "pmtd", "peaka", "peakb", "peakc", "peakd",
    "timeofflight", "grabtimestart", "grabtimeend", "roix", "roiy", "roiwidth", "roiheight",
    "startbyte", "comparatorout", "startpoint", "signallength", "status", "runtime", "inhibittime",
)  # fmt: skip
WANTED = ("trigger", "roix", "roiy", "roiwidth", "roiheight", "startbyte")
_PLAIN = re.compile(r"[^a-z0-9]")
_GPS_LIMIT = timedelta(hours=1)


@dataclass(frozen=True)
class BinFiles:
    """What lies together under the name of one bin.

    Attributes:
        place: path without ending.
        names: what the bin's name says.
        header, table, pixels: the files, or None where missing.
    """

    place: str
    names: CaptureTime
    header: Member | None
    table: Member | None
    pixels: Member | None

    @property
    def bin_id(self) -> str:
        """The name of the bin."""
        return str(self.names.bin_id)

    @property
    def is_old(self) -> bool:
        """Whether an instrument of the first generation wrote it."""
        return self.names.convention is Convention.IFCB_DAY_OF_YEAR


class Roi(NamedTuple):
    """One line of the table: trigger, box in the camera's frame, place of its pixels."""

    number: int
    trigger: int
    left: int
    top: int
    width: int
    height: int
    start: int

    @property
    def end(self) -> int:
        """The byte behind its last pixel."""
        return self.start + self.width * self.height

    def overlaps(self, other: "Roi") -> bool:
        """Returns whether two boxes share a part of the frame."""
        across = self.left < other.left + other.width and other.left < self.left + self.width
        return across and self.top < other.top + other.height and other.top < self.top + self.height


def parse_header(text: str) -> dict[str, str]:
    """Returns the settings of a header by name in lower case, of either generation."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if lines and lines[0].startswith('"'):
        return _old_header([line.strip('"') for line in lines])
    found: dict[str, str] = {}
    for line in lines:
        key, colon, value = line.partition(":")
        if colon:
            found.setdefault(key.strip().lower(), value.strip())
    return found


def _old_header(lines: Sequence[str]) -> dict[str, str]:
    for names, values in pairwise(lines):
        if names.lower().startswith("temp "):
            keys = ["temperature" if key == "temp" else key for key in names.lower().split()]
            written = [value.strip(' ",') for value in values.split(",")]
            return dict(zip(keys, written, strict=False))
    return {}


def table_columns(header: Mapping[str, str], *, is_old: bool, called: str) -> dict[str, int]:
    """Returns the place of every column of the table by its plain name.

    Raises:
        SourceError: when the header names columns, but not those of the box and its pixels.
    """
    written = header.get("adcfileformat", "")
    if written:
        names: Sequence[str] = [_PLAIN.sub("", name.lower()) for name in written.split(",")]
    else:
        names = OLD_COLUMNS if is_old else NEW_COLUMNS
    places = {name: place for place, name in reversed(list(enumerate(names)))}
    missing = [name for name in WANTED if name not in places]
    if missing:
        raise SourceError(
            f"{called}, ADCFileFormat: no column '{missing[0]}' in '{written[:80]}'. Copy the header from "
            "the instrument again."
        )
    return places


def parse_roi(number: int, cells: Sequence[str], places: Mapping[str, int]) -> Roi:
    """Returns one line of the table.

    Raises:
        SourceError: names the column, what was found and what was expected.
    """
    values = []
    for name in WANTED:
        place = places[name]
        if place >= len(cells):
            raise SourceError(
                f"column {name} ({place + 1}): the line ends after {len(cells)} columns"
            )
        try:
            values.append(int(cells[place]))
        except ValueError:
            values.append(_whole_number(name, place, cells[place]))
    roi = Roi(number, *values)
    if roi.width < 0 or roi.height < 0 or (roi.start < 0 and roi.width * roi.height):
        raise SourceError(
            f"columns roiwidth, roiheight, startbyte: {values[3:]} must not be negative"
        )
    return roi


def _whole_number(name: str, place: int, written: str) -> int:
    try:
        number = float(written)
    except ValueError:
        number = float("nan")
    if not number.is_integer() or abs(number) > 1e15:
        raise SourceError(f"column {name} ({place + 1}): '{written[:40]}' is no whole number")
    return int(number)


def gps_position(header: Mapping[str, str], at: str) -> tuple[str, str] | str | None:
    """Returns latitude and longitude of a header, a sentence why they are not used, or None.

    A fix is used where it was made within an hour of the bin; instruments repeat an old one for months.
    """
    latitude, longitude = header.get("gpslatitude", ""), header.get("gpslongitude", "")
    if not latitude or not longitude:
        return None
    try:
        inside = abs(float(latitude)) <= 90 and abs(float(longitude)) <= 180
    except ValueError:
        inside = False
    if not inside or not (float(latitude) or float(longitude)):
        return f"its position {latitude}, {longitude} is none"
    written = header.get("gpstimefromfix", "")
    try:
        fixed = datetime.strptime(written.removesuffix(" UTC").split(".")[0], "%b/%d/%Y %H:%M:%S")  # noqa: DTZ007
    except ValueError:
        return f"its position has no time of fix that can be read ('{written}')"
    if abs(fixed - datetime.fromisoformat(at).replace(tzinfo=None)) > _GPS_LIMIT:
        return f"its position was fixed at {fixed.isoformat()}, more than an hour from the bin"
    return latitude, longitude
