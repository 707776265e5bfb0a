"""The head of a ZooProcess ``_dat1.pid`` -> the fields that all objects of the scan share."""

import math
import re
from collections.abc import Mapping

from holotype.collection.reading.fields import RowFields, parse_clock, parse_date, parse_number
from holotype.collection.reading.sections import SectionedFile

UNKNOWN = frozenset({"99999", "99999.0", "-99999", "999999", "nan"})
TEXTS: Mapping[str, str] = {
    "sample_id": "sample.sampleid",
    "cruise": "sample.scientificprog",
    "site": "sample.stationid",
}
INSTRUMENTS = (
    ("zooscan", "ZooScan"),
    ("hydroptic", "ZooScan"),
    ("flowcam", "FlowCam"),
    ("uvp5", "UVP5"),
)
"""What ImageType or Hardware contains -> the instrument."""
_KEPT_SECTIONS = frozenset(
    {"image", "info", "sample", "fraction", "subsample", "particules_process", "validation"}
)
"""Sections whose entries are kept; the others are settings of the scanner program and of the macros."""
_DATE = re.compile(r"^(\d{8})-(\d{4,6})$")


class _Head(RowFields):
    """Fields of the head: each note names the line of its own entry."""

    def __init__(self, file: SectionedFile) -> None:
        values = {name: entry.value for name, entry in file.entries.items()}
        super().__init__(file.name, values, UNKNOWN)
        self.lines = {name: entry.line for name, entry in file.entries.items()}

    def note(self, code: str, column: str, found: str, remedy: str) -> None:
        """Adds a note with the line of the entry."""
        whole, self.where = self.where, f"{self.where}, line {self.lines.get(column, 1)}"
        super().note(code, column, found, remedy)
        self.where = whole


def scan_fields(file: SectionedFile) -> RowFields:
    """Returns the fields that the objects of a scan share, and the notes on its head.

    Latitude and longitude are degrees and minutes (48.2584 is 48 degrees 25.84 minutes), the longitude
    positive to the WEST, as ZooProcess has them; Vol is in m3, SubPart 8 means an eighth, PixSize is in mm.
    """
    head = _Head(file)
    for target, key in TEXTS.items():
        head.text(target, key)
    _instrument(head)
    _position(head, "latitude_deg", "sample.latitude", 1)
    _position(head, "longitude_deg", "sample.longitude", -1)
    head.number("depth_min_m", "sample.zmin")
    head.number("depth_max_m", "sample.zmax")
    head.number("sampled_volume_l", "sample.vol", scale=1000.0)
    _moment(head)
    _subsample(head)
    _pixel_size(head)
    first, last = head.written("validation.first_name"), head.written("validation.last_name")
    if person := f"{first} {last}".strip():
        head.fields["labelled_by"] = person
    kept = [name for name in file.entries if name.partition(".")[0] in _KEPT_SECTIONS]
    head.keep_extra(kept)
    return head


def _instrument(head: RowFields) -> None:
    said = f"{head.values.get('info.imagetype', '')} {head.values.get('info.hardware', '')}".lower()
    name = next((plain for part, plain in INSTRUMENTS if part in said), None)
    if name is not None:
        head.fields["instrument"] = name


def _position(head: RowFields, target: str, key: str, sign: int) -> None:
    if not (written := head.written(key)):
        return
    found = parse_number(written)
    if found is None:
        head.note(
            "number", key, "is no position", "write degrees.minutes, as 48.2584 for 48°25.84'"
        )
        return
    degrees = math.floor(abs(found))
    minutes = round((abs(found) - degrees) * 100, 6)
    limit = 90 if target == "latitude_deg" else 180
    if minutes >= 60 or degrees + minutes / 60 > limit:
        head.note(
            "bounds",
            key,
            f"gives {degrees} degrees and {minutes:g} minutes",
            "ZooProcess writes degrees.minutes, with minutes below 60: see that it is no decimal degree",
        )
        return
    size = math.copysign(degrees + minutes / 60, found) * sign
    head.fields[target] = repr(round(size, 7))
    head.fields["extra:place_from"] = "sample"


def _moment(head: RowFields) -> None:
    key = "sample.date"
    if not (written := head.written(key)):
        return
    parts = _DATE.match(written)
    day = parse_date(parts[1]) if parts else parse_date(written)
    clock = parse_clock(parts[2]) if parts else None
    if day is None or (parts and clock is None):
        head.note("date", key, "is no date and time", "write YYYYMMDD-HHMM")
        return
    head.fields["collected_on"] = f"{day}T{clock}" if clock else day
    head.fields["extra:time_from"] = "sample"


def _subsample(head: RowFields) -> None:
    key = "subsample.subpart"
    if not (written := head.written(key)):
        return
    parts = parse_number(written)
    if parts is None or parts < 1:
        head.note("number", key, "is no number of equal parts", "write 8 for an eighth, 1 for all")
    else:
        head.fields["subsample_fraction"] = repr(1 / parts)


def _pixel_size(head: RowFields) -> None:
    head.number("pixel_size_um", "particules_process.pixsize", scale=1000.0)
    column = next(
        (k for k in ("info.resolution", "image_process.resolution") if head.written(k)), ""
    )
    dpi = parse_number(head.written(column)) if column else None
    if not dpi:
        return
    by_scan = 25_400 / dpi
    if "pixel_size_um" not in head.fields:
        head.fields["pixel_size_um"] = repr(round(by_scan, 6))
    elif not math.isclose(float(head.fields["pixel_size_um"]), by_scan, rel_tol=0.05):
        size = float(head.fields["pixel_size_um"])
        said = f"{dpi:g} dpi is {by_scan:.4g} um a pixel, but PixSize gives {size:g} um"
        place = f"{head.where}, column {column}"
        head.notes.append(("unit", f"{place}: {said}; PixSize is used: see which is right"))
