"""Rows of the extensions: images, sequences, and measurements of events and occurrences."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from holotype.catalogue.licences import Licence
from holotype.exchange.answers.writing import Request
from holotype.exchange.darwin_core.answer import Answer
from holotype.exchange.darwin_core.dataset import Dataset
from holotype.exchange.darwin_core.events import ACQUISITION, SAMPLE, Extent
from holotype.exchange.darwin_core.tables import NERC

_FORMATS = {
    ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif",
    ".tif": "image/tiff", ".tiff": "image/tiff", ".webp": "image/webp", ".bmp": "image/bmp",
}  # fmt: skip
_ADDRESSES = ("http://", "https://")


@dataclass(frozen=True)
class Measure:
    """One kind of measurement.

    Attributes:
        type: in words.
        type_id: concept of NERC's P01, or None where none says it.
        unit: in words.
        unit_id: concept of NERC's P06.
    """

    type: str
    type_id: str | None
    unit: str
    unit_id: str | None


_UNITS = {
    "Dimensionless": "UUUU",
    "Not applicable": "XXXX",
    "Number per cubic metre": "UPMM",
    "Cubic millimetres per cubic metre": "CMCM",
    "Cubic metres": "MCUB",
    "Micrometres": "UMIC",
}
"""Unit -> its code in NERC's vocabulary P06, where that of ``Not applicable`` is four X."""


def _measure(kind: str, code: str | None, unit: str) -> Measure:
    return Measure(
        kind,
        f"{NERC}P01/current/{code}/" if code else None,
        unit,
        f"{NERC}P06/current/{_UNITS[unit]}/",
    )


_ENTITY = "biological entity specified elsewhere"
_PER_VOLUME = f"of {_ENTITY} per unit volume of the water body"
COUNT = _measure(f"Count (in assayed sample) of {_ENTITY}", "OCOUNT01", "Dimensionless")
ADJUSTED = _measure(
    f"Count of {_ENTITY}, corrected for the confusion of the classifier", None, "Dimensionless"
)
ABUNDANCE = _measure(f"Abundance {_PER_VOLUME}", "SDBIOL01", "Number per cubic metre")
BIOVOLUME = _measure(f"Biovolume {_PER_VOLUME}", "CVOLUKNB", "Cubic millimetres per cubic metre")
VOLUME = _measure("Volume sampled of the water body", "VOLWBSMP", "Cubic metres")
INSTRUMENT = _measure("Imaging instrument name", "NMSPINST", "Not applicable")
SUBSAMPLE = _measure("Sub-sampling coefficient", "SSAMPC01", "Dimensionless")
PIXEL = _measure("Size of a pixel of the images", None, "Micrometres")


def measured(
    of: Measure, value: Any, *, event: str, occurrence: str | None = None, **more: Any
) -> dict[str, Any]:
    """Returns one row of measurements; ``more`` are further columns without ``measurement`` before them."""
    number = "".join(word[0] for word in of.type.split() if word[0].isalpha()).lower()
    short = (of.type_id or number).rstrip("/").rpartition("/")[2]
    return {
        "eventID": event,
        "occurrenceID": occurrence,
        "measurementID": f"{occurrence or event}:{short}",
        "measurementType": of.type,
        "measurementTypeID": of.type_id,
        "measurementValue": value,
        "measurementUnit": of.unit,
        "measurementUnitID": of.unit_id,
        **{f"measurement{name[:1].upper()}{name[1:]}": text for name, text in more.items()},
    }


def event_measurements(
    event: str, level: str, extent: Extent, above: Extent | None
) -> Iterator[dict[str, Any]]:
    """Yields what is measured of a sample or acquisition: volume, instrument, part imaged, pixel size.

    What the event above says already is not said again.
    """
    if level not in (SAMPLE, ACQUISITION):
        return
    for column, of in (
        ("sampled_volume_l", VOLUME),
        ("instrument", INSTRUMENT),
        ("subsample_fraction", SUBSAMPLE),
        ("pixel_size_um", PIXEL),
    ):
        value = extent.values[column]
        known = level == ACQUISITION and above is not None and above.values[column] is not None
        if value is None or known:
            continue
        tool = extent.values["instrument_id"] if of is INSTRUMENT else None
        tool_id = f"{NERC}{tool.replace('/', '/current/', 1)}/" if tool else None
        shown = value / 1000 if of is VOLUME else value
        yield measured(of, shown, event=event, valueID=tool_id)


def count_measurements(
    row: Mapping[str, Any], event: str, occurrence: str, request: Request
) -> Iterator[dict[str, Any]]:
    """Yields what a row of ``holotype count`` says of an occurrence."""
    when = request.dated.isoformat(timespec="seconds")
    method = row.get("method")
    for of, column, ends in (
        (COUNT, "count_raw", None),
        (ADJUSTED, "count_adjusted", ("count_low", "count_high")),
        (ABUNDANCE, "concentration_per_m3", ("concentration_low", "concentration_high")),
        (BIOVOLUME, "biovolume_mm3_per_m3", None),
    ):
        if (value := row.get(column)) is None:
            continue
        low, high = (row.get(name) for name in ends) if ends else (None, None)
        span = f"{low:g} to {high:g}" if low is not None and high is not None else None
        yield measured(
            of, value, event=event, occurrence=occurrence, accuracy=span,
            method=None if of is COUNT else method, determinedBy=request.software, determinedDate=when,
        )  # fmt: skip


def is_address(url: str | None) -> bool:
    """Returns whether an image can be had at an address of the web."""
    return bool(url) and (url or "").lower().startswith(_ADDRESSES) and " " not in (url or "")


def media_row(answer: Answer, event: str, occurrence: str, licence: Licence) -> dict[str, Any]:
    """Returns the row of an image."""
    url = answer["image_url"]
    ending = PurePosixPath(urlsplit(url).path).suffix.lower()
    return {
        "eventID": event,
        "occurrenceID": occurrence,
        "type": "StillImage",
        "format": _FORMATS.get(ending),
        "identifier": url,
        "title": answer["record_id"] or answer["specimen_id"],
        "created": answer["collected_on"],
        "source": answer["citation"],
        "license": licence.url,
        "rightsHolder": answer["rights_holder"],
    }


def dna_row(
    answer: Answer, event: str, occurrence: str, *, dataset: Dataset, version: str
) -> dict[str, Any]:
    """Returns the row of a barcode."""
    gene, _, part = (answer["marker"] or "").partition("-")
    near = answer["identity_pct"]
    compared = None
    if near is not None:
        compared = f"Holotype;{version};{near:g} % identity to the closest reference"
    return {
        "eventID": event,
        "occurrenceID": occurrence,
        "samp_name": answer["specimen_id"] or answer["record_id"],
        "DNA_sequence": answer["barcode"],
        "target_gene": gene or None,
        "target_subfragment": part or None,
        "otu_seq_comp_appr": compared,
        "otu_db": f"references of model {answer['model']}" if near is not None else None,
        **dataset.dna,
    }
