"""Which answers an archive takes, and why the others stay out."""

from collections.abc import Mapping
from typing import Any

from holotype.exchange.answers.moments import span_of
from holotype.exchange.answers.writing import HUMAN
from holotype.exchange.darwin_core.tables import MACHINE_OBSERVATION, MATERIAL_SAMPLE
from holotype.identify.columns import RANKS, Decision

Answer = Mapping[str, Any]
FAILED = "could not be read: see failure"
NO_ANSWER = "no taxon is safe"
NO_TAXON = "the answer is no taxon"
NO_PLACE = "no coordinates"
BAD_PLACE = "coordinates out of bounds, or 0 and 0"
NO_DATE = "no date"
BAD_DATE = "its date is not ISO 8601"


def reason_left_out(answer: Answer) -> str:
    """Returns why an answer is no occurrence, "" where it is one.

    OBIS takes none without a place, a date and a taxon.
    """
    if answer["decision"] == Decision.FAILED:
        return FAILED
    if not answer["taxon"] or not answer["taxon_rank"]:
        return NO_TAXON if answer["answer"] else NO_ANSWER
    latitude, longitude = answer["latitude_deg"], answer["longitude_deg"]
    if latitude is None or longitude is None:
        return NO_PLACE
    inside = -90 <= latitude <= 90 and -180 <= longitude <= 180
    if not inside or (latitude == 0 and longitude == 0):
        return BAD_PLACE
    if not answer["collected_on"]:
        return NO_DATE
    return "" if span_of(answer["collected_on"]) is not None else BAD_DATE


def basis_of(answer: Answer) -> str:
    """Returns basisOfRecord: what was observed is an image, or material that was sequenced.

    A record with a barcode is material, with an image or without (DNA-derived data guide, categories I and
    II): the image alone would be no more than one view of it.
    """
    return MATERIAL_SAMPLE if answer["barcode"] else MACHINE_OBSERVATION


def lineage_of(answer: Answer) -> dict[str, str | None]:
    """Returns the safe lineage of an answer: rank -> name."""
    return {rank: answer[rank] for rank in RANKS}


def uncertain_name(answer: Answer) -> str | None:
    """Returns the finer name that is likely and not safe, None where there is none.

    That is the best label of an ambiguous answer. One that is unlike anything learnt has no finer name.
    """
    if answer["status"] == HUMAN or answer["decision"] != Decision.AMBIGUOUS:
        return None
    label = answer["label"]
    return label if label and label not in (answer["answer"], answer["taxon"]) else None
