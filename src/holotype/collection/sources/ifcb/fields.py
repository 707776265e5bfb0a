"""What the regions of an IFCB bin share: when, where, how much water."""

from dataclasses import dataclass

from holotype.collection.sources.ifcb.bins import BinFiles, Roi, gps_position
from holotype.collection.sources.ifcb.volume import (
    Analysed,
    new_volume,
    old_processing_s,
    old_volume,
)

PIXELS_PER_UM = 3.4
"""The nominal resolution, as the ifcb-analysis toolbox uses it; no header states it."""
_HOUSEKEEPING = ("temperature", "humidity")
_KEPT = ("runtype", "sampletype", "samplenumber", "filecomment")


@dataclass(frozen=True)
class OpenedBin:
    """A bin whose header and table have been read.

    Attributes:
        files: where its parts lie.
        header: settings by lower-case name.
        places: place of every column of the table.
        lines: cells of the table.
    """

    files: BinFiles
    header: dict[str, str]
    places: dict[str, int]
    lines: list[list[str]]


def bin_fields(opened: OpenedBin, rois: list[Roi]) -> tuple[dict[str, str], str]:
    """Returns the fields that all regions of a bin share, and what is to be said of its header."""
    files, header = opened.files, opened.header
    fields = {
        "acquisition_id": files.bin_id,
        "collected_on": files.names.moment,
        "extra:time_from": "file_name",
        "pixel_size_um": repr(1 / PIXELS_PER_UM),
        "extra:pixel_size_from": f"nominal: {PIXELS_PER_UM} pixels per micrometre",
        "extra:ifcb": str(files.names.camera),
    }
    fields |= {f"extra:instrument_{key}": header[key] for key in _HOUSEKEEPING if header.get(key)}
    fields |= {f"extra:{key}": header[key] for key in _KEPT if header.get(key)}
    remarks = []
    volume = _volume(opened, rois)
    if volume.ml is not None and 1e-6 <= volume.ml <= 100:
        fields["sampled_volume_l"] = repr(volume.ml / 1000)
        fields["extra:volume_from"] = volume.found_by
        if volume.by_table_ml is not None:
            fields["extra:ml_analyzed_by_table"] = f"{volume.by_table_ml:.6g}"
    else:
        remarks.append(f"volume not known: {volume.found_by}")
    position = gps_position(header, files.names.moment)
    if isinstance(position, str):
        remarks.append(f"{position}: no position taken")
    elif position is not None:
        fields["latitude_deg"], fields["longitude_deg"] = position
        fields["extra:place_from"] = "sample"
    return fields, "; ".join(remarks)


def _volume(opened: OpenedBin, rois: list[Roi]) -> Analysed:
    names = opened.files.names
    first_lines = list({roi.trigger: roi.number for roi in reversed(rois)}.values())[::-1]

    def column(name: str, numbers: list[int]) -> list[float]:
        place = opened.places[name]
        return [float(opened.lines[number - 1][place]) for number in numbers]

    every = [roi.number for roi in rois]
    try:
        if opened.files.is_old and "runtime" not in opened.places:
            opening, grabbing = column("triggeropen", first_lines), column("framegrab", first_lines)
            shortest = old_processing_s(names.camera, names.moment)
            return old_volume(opening, grabbing, processing_s=shortest)
        times = [column(name, every) for name in ("adctime", "runtime", "inhibittime")]
    except (ValueError, KeyError, IndexError):
        if opened.files.is_old:
            return Analysed(None, "the table has a time that is no number")
        times = [[], [], []]
    return new_volume(opened.header, *times)
