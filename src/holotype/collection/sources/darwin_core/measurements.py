"""Measurements and DNA of an occurrence or event -> fields.

Sources: MeasurementOrFact (Darwin Core), ExtendedMeasurementOrFact (OBIS; De Pooter D. et al. 2017,
doi:10.3897/BDJ.5.e10989), DNADerivedData (GBIF; Andersson A. F. et al. 2021, doi:10.35035/doc-vf1a-nr22).
"""

import re
from collections.abc import Iterable, Mapping

from holotype.collection.reading.joined import KeyedRow
from holotype.collection.reading.tabular import present
from holotype.collection.sources.darwin_core.terms import litres

_SAMPLED = re.compile(
    r"^(sampled? volume|sampling volume|volume( of water)? (sampled|filtered|imaged|analysed)|"
    r"(filtered|imaged|analysed) volume( of water)?)\b",
    re.IGNORECASE,
)
# Both codes are as published archives have them, in NERC's vocabulary P01.
_VOLUME_IDS = ("/P01/current/VOLXXXXX", "/P01/current/VOLWBSMP")
_INSTRUMENT_ID = "/P01/current/NMSPINST"
_TOOL = re.compile(r"/L22/current/(TOOL\d+)")
_NO_UNIT = {"", "not applicable", "dimensionless", "none"}
_SEQUENCE_TERMS = ("DNA_sequence", "dna_sequence")
_MARKER_TERMS = ("target_gene", "0000044", "MIXS:0000044")
"""By name, and by the number of MIxS, as the current extension of GBIF has it."""


def measured_fields(rows: Iterable[KeyedRow]) -> dict[str, str]:
    """Returns the fields that measurements give.

    Sampled volume and imaging instrument become columns; every other measurement is
    ``extra:type [unit]``, with "; " between several values.
    """
    fields: dict[str, str] = {}
    for row in rows:
        kind = present(row.values.get("measurementType", ""))
        value = present(row.values.get("measurementValue", ""))
        if not kind or not value:
            continue
        unit = present(row.values.get("measurementUnit", ""))
        of = row.values.get("measurementTypeID", "")
        volume = (
            litres(value, unit)
            if _SAMPLED.match(kind) or any(i in of for i in _VOLUME_IDS)
            else None
        )
        if volume is not None and volume > 0:
            fields.setdefault("sampled_volume_l", repr(volume))
        elif _INSTRUMENT_ID in of:
            fields.setdefault("instrument", value)
            if tool := _TOOL.search(row.values.get("measurementValueID", "")):
                fields.setdefault("instrument_id", f"L22/{tool[1]}")
        else:
            shown = kind if unit.lower() in _NO_UNIT else f"{kind} [{unit}]"
            name = f"extra:{shown}"
            fields[name] = f"{fields[name]}; {value}" if name in fields else value
    return fields


def sequence_fields(values: Mapping[str, str]) -> dict[str, str]:
    """Returns the fields of one row of DNA-derived data: barcode, marker, and the rest as ``extra:``."""
    fields: dict[str, str] = {}
    for target, terms in (("barcode", _SEQUENCE_TERMS), ("marker", _MARKER_TERMS)):
        found = [present(values.get(term, "")) for term in terms]
        if text := next((text for text in found if text), ""):
            fields[target] = text
    for name, written in values.items():
        text = present(written)
        if text and name not in {
            *_SEQUENCE_TERMS,
            *_MARKER_TERMS,
            "id",
            "coreid",
            "occurrenceID",
            "eventID",
        }:
            fields[f"extra:{name}"] = text
    return fields
