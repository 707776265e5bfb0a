"""One row of an EcoTaxa table -> the fields of a record; values that cannot be used are named."""

import math
import re
from collections.abc import Mapping

from holotype.collection.reading.fields import (
    RowFields,
    parse_clock,
    parse_date,
    parse_number,
    whole_number,
)
from holotype.collection.reading.tabular import present
from holotype.collection.schema import BOUNDS
from holotype.collection.sources.ecotaxa.tables import EcotaxaTable, TableRow

_SENTINEL = re.compile(r"-?9{5,7}(\.0+)?")
"""What ZooScan and UVP metadata write where a number is not known."""
_NEVER_SENTINEL = re.compile(r"(object_(?!lat|lon|depth)|img_|objid|classif_|.*_id(_internal)?$)")
TEXTS: Mapping[str, tuple[str, ...]] = {
    "labelled_by": ("object_annotation_person_name",),
    "sample_id": ("sample_id",),
    "acquisition_id": ("acq_id",),
    "cruise": ("sample_cruise", "sample_program", "sample_project", "object_cruise"),
    "site": ("sample_stationid", "sample_station", "object_station"),
}
"""Column of a collection -> columns of EcoTaxa tables; the first that is filled."""
STATUSES: Mapping[str, str] = {
    "v": "validated",
    "validated": "validated",
    "p": "predicted",
    "predicted": "predicted",
    "d": "dubious",
    "dubious": "dubious",
    "x": "",
    "discarded": "",
}
INSTRUMENTS: Mapping[str, str] = {
    "zooscan": "ZooScan",
    "uvp5": "UVP5",
    "uvp6": "UVP6",
    "ifcb": "IFCB",
    "imagingflowcytobot": "IFCB",
    "flowcam": "FlowCam",
    "planktoscope": "PlanktoScope",
    "zoocam": "ZooCAM",
    "cpics": "CPICS",
    "loki": "LOKI",
    "isiis": "ISIIS",
    "vpr": "VPR",
}
"""What acq_instrument starts with, letters and digits only -> the plain name."""
IDS: Mapping[str, tuple[str, ...]] = {
    "ecotaxa_id": ("object_annotation_category_id", "classif_id"),
    "aphia_id": ("object_aphiaid", "object_aphia_id", "object_annotation_aphia_id"),
}
PIXELS_IN_MM = ("process_particle_pixel_size_mm",)
PIXELS_IN_UM = (
    "process_particle_pixel_size_µm",
    "process_particle_pixel_size_μm",
    "process_particle_pixel_size_um",
    "acq_pixel_um",
)
PIXELS_OF_NO_UNIT = ("acq_pixel", "process_pixel")
"""Micrometres (UVP6, PlanktoScope, ZooCAM) or millimetres (UVP5): told apart by size."""
RESOLUTIONS_DPI = ("process_img_resolution", "acq_resolution", "acq_img_resolution")
SMALLEST_PIXEL_UM = 0.25
"""No plankton imager resolves less than this; a smaller number is in millimetres."""


class _Row(RowFields):
    """Fields of a row of some of the many columns that there may be: most are asked for in vain."""

    def written(self, column: str) -> str:
        """Returns the text of a column, "" where it is missing, and marks one with text as used."""
        return super().written(column) if self.values.get(column) else ""


def row_fields(table: EcotaxaTable, row: TableRow) -> RowFields:
    """Returns the fields of one row and the notes on it; ids and images are for the caller to check."""
    values = {column: _filled(column, text) for column, text in row.values.items()}
    fields = _Row(f"{table.name}, line {row.line}", values)
    if row.missing:
        first = table.columns[len(table.columns) - row.missing]
        said = f"the row ends {row.missing} cells before the header does: taken as missing"
        fields.notes.append(_remark(fields, "short_row", first, said, "see that the row is whole"))
    fields.used.add("img_file_name")
    fields.text("specimen_id", "object_id")
    for target, columns in TEXTS.items():
        _first_text(fields, target, columns)
    _label(fields)
    _instrument(fields)
    _place(fields)
    _moment(fields)
    _volume(fields)
    _pixel_size(fields)
    for target, columns in IDS.items():
        _whole_id(fields, target, columns)
    _check_numbers(fields, table.numeric)
    fields.keep_extra()
    return fields


def _filled(column: str, text: str) -> str:
    """Returns the text, or "" where it is a number for "not known"."""
    if "99999" not in text:
        return text
    known = _SENTINEL.fullmatch(text.strip()) is None or _NEVER_SENTINEL.match(column)
    return text if known else ""


def _first_text(fields: RowFields, target: str, columns: tuple[str, ...]) -> None:
    column = next((name for name in columns if (fields.values.get(name) or "").strip()), None)
    if column is not None:
        fields.text(target, column)


def _label(fields: RowFields) -> None:
    fields.text("written_label", "object_annotation_category")
    column = "object_annotation_status"
    written = fields.written(column)
    if not written:
        return
    status = STATUSES.get(written.lower())
    if status is None:
        fields.note(
            "status", column, "is no status", "write validated, predicted, dubious or discarded"
        )
    elif status:
        fields.fields["label_status"] = status
    else:
        fields.fields[f"extra:{column}"] = "discarded"
        fields.note("status", column, "says that the label was discarded", "sort the object again")


def _instrument(fields: RowFields) -> None:
    written = fields.text("instrument", "acq_instrument")
    bare = re.sub(r"[^a-z0-9]", "", written.lower())
    plain = next((name for start, name in INSTRUMENTS.items() if bare.startswith(start)), written)
    if plain != written:
        fields.fields["instrument"] = plain
        fields.fields["extra:acq_instrument"] = written


def _place(fields: RowFields) -> None:
    for target, column, of_sample in (
        ("latitude_deg", "object_lat", "sample_lat"),
        ("longitude_deg", "object_lon", "sample_long"),
    ):
        if fields.written(column):
            fields.position(target, column)
        elif (fields.values.get(of_sample) or "").strip():
            fields.position(target, of_sample)
            fields.fields["extra:place_from"] = "sample"
    shallow = fields.number("depth_min_m", "object_depth_min")
    deep = fields.number("depth_max_m", "object_depth_max")
    if shallow is not None and deep is not None and shallow > deep:
        fields.fields |= {"depth_min_m": repr(deep), "depth_max_m": repr(shallow)}
        fields.notes.append(
            _remark(
                fields,
                "depth",
                "object_depth_min",
                f"deeper than object_depth_max ({deep:g} m): the two were exchanged",
                "write the shallower first",
            )
        )


def _moment(fields: RowFields) -> None:
    """Sets the date and time (UTC in EcoTaxa); parts of a second stay among the extra fields."""
    day, clock = fields.written("object_date"), fields.written("object_time")
    found = parse_date(day) if day else None
    whole, _, part = clock.partition(".")
    known = parse_clock(whole) if clock else None
    if day and found is None:
        fields.note("date", "object_date", "is no date", "write YYYYMMDD or YYYY-MM-DD")
    if clock and known is None:
        fields.note("time", "object_time", "is no time", "write HHMM, HHMMSS or HH:MM:SS")
    if found is not None:
        fields.fields["collected_on"] = f"{found[:10]}T{known}" if known else found
    if clock and (part.strip("0") or found is None or known is None):
        fields.fields["extra:object_time"] = clock
    for column, parse in (
        ("object_annotation_date", parse_date),
        ("object_annotation_time", parse_clock),
    ):
        text = (fields.values.get(column) or "").strip()
        if present(text) and parse(text.partition(".")[0]) is None:
            said = "no date or time: kept as text"
            fields.notes.append(_remark(fields, "date", column, said, "mend it"))


def _volume(fields: RowFields) -> None:
    """Sets the sampled volume (sample_tot_vol in m3, or PlanktoScope's litres) and the part imaged of it."""
    if fields.written("sample_tot_vol"):
        fields.number("sampled_volume_l", "sample_tot_vol", scale=1000.0)
    else:
        fields.number("sampled_volume_l", "sample_total_volume")
    if written := fields.written("acq_sub_part"):
        parts = parse_number(written)
        if parts is None or parts < 1:
            fields.note(
                "number",
                "acq_sub_part",
                "is no number of equal parts",
                "write 1 for the whole sample, 8 for an eighth",
            )
        else:
            fields.fields["subsample_fraction"] = repr(1 / parts)
        return
    imaged, concentrate, dilution = (
        parse_number(fields.values.get(column) or "")
        for column in (
            "acq_imaged_volume",
            "sample_concentrated_sample_volume",
            "sample_dilution_factor",
        )
    )
    if imaged and concentrate and 0 < imaged <= concentrate * (dilution or 1):
        fields.fields["subsample_fraction"] = repr(imaged / (concentrate * (dilution or 1)))


def _pixel_size(fields: RowFields) -> None:
    """Sets micrometres per pixel by the unit in the column's name, checked against the scan's resolution."""
    by_scan = _by_resolution(fields)
    for columns, scale in (
        (PIXELS_IN_MM, 1000.0),
        (PIXELS_IN_UM, 1.0),
        (PIXELS_OF_NO_UNIT, 1.0),
        (("acq_resolution_pixels_per_micron",), 0.0),
    ):
        column = next((name for name in columns if fields.written(name)), None)
        if column is None:
            continue
        found = parse_number(fields.written(column))
        if found is None or found <= 0:
            fields.note("number", column, "is no pixel size", "write a number above 0")
            continue
        size = found * scale if scale else 1 / found
        if 0 < size < SMALLEST_PIXEL_UM and scale == 1.0:
            said = f"too small for micrometres: taken as millimetres, {size * 1000:g} um"
            remedy = "write process_particle_pixel_size_mm"
            fields.notes.append(_remark(fields, "unit", column, said, remedy))
            size *= 1000
        low, high = BOUNDS["pixel_size_um"]
        if low <= size <= high:
            fields.fields["pixel_size_um"] = repr(round(size, 6))
            if by_scan and not math.isclose(size, by_scan, rel_tol=0.05):
                said = f"{size:g} um, but the scan's resolution gives {by_scan:.4g} um"
                fields.notes.append(_remark(fields, "unit", column, said, "see which is right"))
            return
        fields.note("bounds", column, f"gives {size:g} um a pixel", "see its unit")
    if by_scan:
        fields.fields["pixel_size_um"] = repr(round(by_scan, 6))


def _by_resolution(fields: RowFields) -> float | None:
    """Returns micrometres per pixel of a scan in dots per inch, or None."""
    for column in RESOLUTIONS_DPI:
        dpi = parse_number(fields.values.get(column) or "")
        if dpi is not None and 100 <= dpi <= 20_000:
            return 25_400 / dpi
    return None


def _whole_id(fields: RowFields, target: str, columns: tuple[str, ...]) -> None:
    column = next((name for name in columns if fields.written(name)), None)
    if column is None:
        return
    found = fields.written(column).removesuffix(".0")
    if whole_number(found) is None or re.fullmatch(r"9{5,}", found):
        fields.note("id", column, "is no id", "write the whole number that EcoTaxa or WoRMS gives")
    else:
        fields.fields[target] = found


def _check_numbers(fields: RowFields, numeric: tuple[str, ...]) -> None:
    """Notes what is no number in a free column of type [f]; it is kept as text."""
    for column in numeric:
        text = fields.values.get(column, "").strip()
        if text and column not in fields.used and not _is_number(text):
            said = "no number though its type is [f]: kept as text"
            remedy = "mend it, or make the type [t]"
            fields.notes.append(_remark(fields, "number", column, said, remedy))


def _is_number(text: str) -> bool:
    """Returns whether a text is a number or one of EcoTaxa's words for none; quick for the usual case."""
    try:
        return math.isfinite(float(text)) or text.lower() == "nan"
    except ValueError:
        return text.lower() == "na" or parse_number(text) is not None


def _remark(fields: RowFields, code: str, column: str, said: str, remedy: str) -> tuple[str, str]:
    """Returns a note on a value that is used all the same."""
    shown = fields.values.get(column, "").strip()[:60]
    return code, f"{fields.where}, column {column}: '{shown}': {said}; {remedy}"
