"""The head of a ZooImage ``_dat1.zim`` and the sample's line of the ``.zis`` -> fields of all its objects."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from holotype.collection.reading.fields import RowFields, parse_clock, parse_date, parse_number
from holotype.collection.reading.sections import SectionedFile, TableLine

UNKNOWN = frozenset({"-1", "-1.0"})
"""What Min, Max and volumes are where they are not known."""
_SAMPLE_NAME = re.compile(r"^(?P<series>.+?)\.(?P<date>\d{4}-\d{2}-\d{2})\.(?P<id>[^.+]+)$")
_INSTRUMENTS = (("zooscan", "ZooScan"), ("hydroptic", "ZooScan"), ("flowcam", "FlowCam"))
_MM_TO_UM = {"mm": 1000.0, "um": 1.0, "µm": 1.0, "μm": 1.0, "micron": 1.0}


@dataclass(frozen=True)
class SampleTable:
    """The samples of a ``.zis``.

    Attributes:
        name: of the file.
        samples: label -> its line under [Samples].
        stations: code -> its line under [Stations].
    """

    name: str
    samples: Mapping[str, TableLine] = field(default_factory=dict)
    stations: Mapping[str, TableLine] = field(default_factory=dict)


def head_fields(file: SectionedFile, label: str, described: SampleTable | None) -> RowFields:
    """Returns the fields that the objects of one measured image share, and the notes on them.

    PixSize is in mm, VolIni and SampVol in m3; SubPart, CellPart and Replicates are multiplied to the part of
    the sample that was imaged (SubPart is a fraction here, where ZooProcess has the number of parts).

    Args:
        file: the table.
        label: of the image, as BIO.2000-05-05.p72+A.
        described: the ``.zis`` of the input.
    """
    values = {name: entry.value for name, entry in file.entries.items()}
    head = RowFields(file.name, values, UNKNOWN)
    sample = label.partition("+")[0]
    head.fields |= {"sample_id": sample, "acquisition_id": label}
    _instrument(head)
    _subsample(head)
    _pixel_size(head)
    head.number("sampled_volume_l", "subsample.volini", scale=1000.0)
    head.keep_extra()
    if (named := _SAMPLE_NAME.match(sample)) and (day := parse_date(named["date"])):
        head.fields |= {"collected_on": day, "extra:time_from": "file_name"}
    line = described.samples.get(sample) if described else None
    if described is not None and line is not None:
        _described(head, described, line)
    return head


def _instrument(head: RowFields) -> None:
    written = head.written("image.hardware")
    plain = next((name for part, name in _INSTRUMENTS if part in written.lower()), written)
    if plain:
        head.fields["instrument"] = plain
    if plain != written:
        head.fields["extra:image.hardware"] = written


def _subsample(head: RowFields) -> None:
    part = 1.0
    for key in ("subsample.subpart", "subsample.cellpart", "subsample.replicates"):
        if not (written := head.written(key)):
            if key == "subsample.subpart":
                return
            continue
        found = parse_number(written)
        if found is None or found <= 0:
            head.note("number", key, "is no part of a sample", "write a number above 0, as 0.024")
            return
        part *= found
    if part <= 1:
        head.fields["subsample_fraction"] = repr(round(part, 12))
    else:
        key = "subsample.subpart"
        head.note(
            "bounds", key, f"gives a part of {part:g}", "SubPart is a fraction: 0.125 for 1/8"
        )


def _pixel_size(head: RowFields) -> None:
    if head.written("process.pixsize"):
        head.number("pixel_size_um", "process.pixsize", scale=1000.0)
    elif head.written("calibration.pixelsize"):
        unit = head.written("calibration.pixelunit") or "mm"
        scale = _MM_TO_UM.get(unit.lower())
        if scale is None:
            head.note("unit", "calibration.pixelunit", "is no unit of length", "write mm or um")
        else:
            head.number("pixel_size_um", "calibration.pixelsize", scale=scale)
    dpi = re.search(r"(?<![0-9])([1-9][0-9]{1,4})\s*dpi", head.values.get("image.imagetype", ""))
    if dpi and (size := head.fields.get("pixel_size_um")):
        by_scan = 25_400 / int(dpi[1])
        if not math.isclose(float(size), by_scan, rel_tol=0.05):
            said = f"{dpi[1]} dpi is {by_scan:.4g} um a pixel, but PixSize gives {float(size):g} um"
            place = f"{head.where}, column image.imagetype"
            head.notes.append(("unit", f"{place}: {said}; PixSize is used: see which is right"))


def _described(head: RowFields, described: SampleTable, line: TableLine) -> None:
    """Adds what the ``.zis`` says of the sample; it wins over the sample's name."""
    row = RowFields(f"{described.name}, line {line.line}", line.cells, UNKNOWN)
    row.used.add("Label")
    row.text("cruise", "Cruise")
    row.text("site", "Station")
    if row.moment("collected_on", "Date") and (clock := row.written("Time")):
        known = parse_clock(clock)
        if known is None:
            row.note("time", "Time", "is no time", "write HH:MM")
        else:
            row.fields["collected_on"] += f"T{known}"
    row.number("depth_min_m", "DepthMin")
    row.number("depth_max_m", "DepthMax")
    station = described.stations.get(row.fields.get("site", ""))
    for target, column in (("latitude_deg", "Latitude"), ("longitude_deg", "Longitude")):
        if row.written(column):
            row.position(target, column)
        elif station is not None and station.cells.get(column):
            where = RowFields(f"{described.name}, line {station.line}", station.cells, UNKNOWN)
            where.position(target, column)
            row.fields |= where.fields
            row.notes += where.notes
    if "sampled_volume_l" not in head.fields:
        row.number("sampled_volume_l", "SampVol", scale=1000.0)
    row.keep_extra()
    for part, columns in (
        ("place_from", ("latitude_deg", "longitude_deg")),
        ("depth_from", ("depth_min_m", "depth_max_m")),
        ("time_from", ("collected_on",)),
    ):
        if any(column in row.fields for column in columns):
            row.fields[f"extra:{part}"] = "sample"
    head.fields |= row.fields
    head.notes += row.notes
