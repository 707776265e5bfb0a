"""What OBIS and GBIF ask of the values of an archive.

Sources: the OBIS manual (required terms, imaging data); GBIF data quality requirements; Darwin Core (TDWG).
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from holotype.catalogue.licences import GBIF_ACCEPTS, parse_licence
from holotype.exchange.answers.moments import span_of
from holotype.taxonomy.lineage import Rank

REQUIRED: Mapping[str, tuple[str, ...]] = {
    "Event": ("eventID",),
    "Occurrence": ("occurrenceID", "basisOfRecord", "occurrenceStatus", "scientificName"),
    "ExtendedMeasurementOrFact": ("measurementType", "measurementValue"),
    "MeasurementOrFact": ("measurementType", "measurementValue"),
    "Multimedia": ("identifier",),
    "DNADerivedData": ("DNA_sequence",),
}
"""Row type -> terms that every row must fill."""
OF_PLACE = ("eventDate", "decimalLatitude", "decimalLongitude")
"""Terms that an occurrence must have, itself or from its event."""
OF_IMAGING = ("identificationVerificationStatus", "identificationReferences", "identifiedBy")
"""Terms that OBIS asks for where basisOfRecord is MachineObservation."""
VERIFICATION = frozenset({"PredictedByMachine", "ValidatedByHuman"})

_VOCABULARIES: Mapping[str, frozenset[str]] = {
    "basisOfRecord": frozenset({
        "PreservedSpecimen", "FossilSpecimen", "LivingSpecimen", "MaterialSample", "MaterialEntity",
        "MaterialCitation", "Event", "HumanObservation", "MachineObservation", "Occurrence", "Taxon",
    }),
    "occurrenceStatus": frozenset({"present", "absent"}),
}  # fmt: skip
_LSID = re.compile(r"urn:lsid:marinespecies\.org:taxname:[1-9]\d*")
_LSID_ALIKE = re.compile(r"marinespecies", re.IGNORECASE)
_NERC = re.compile(r"https?://vocab\.nerc\.ac\.uk/collection/[A-Z]\d{2}/current/[A-Z0-9]+/?")
_NUCLEOTIDES = re.compile(r"[ACGTURYSWKMBDHVN-]+", re.IGNORECASE)
_OTHER_RANKS = frozenset(
    {"superclass", "infrakingdom", "unranked", "series", "subform", "subvariety"}
)
_DEEPEST_M, _HIGHEST_M = 11_000, -100


def _within(low: float, high: float) -> Callable[[str], str]:
    def fault(text: str) -> str:
        try:
            number = float(text)
        except ValueError:
            return "is no number with a decimal point"
        return "" if low <= number <= high else f"is not within {low:g} and {high:g}"

    return fault


def _one_of(known: frozenset[str]) -> Callable[[str], str]:
    return lambda text: "" if text in known else f"is none of {', '.join(sorted(known))}"


def _date(text: str) -> str:
    span = span_of(text)
    if span is None:
        return "is no ISO 8601 date, time or interval"
    return "is in the future" if span[0] > datetime.now(UTC) else ""


def _rank(text: str) -> str:
    try:
        Rank.parse(text)
    except ValueError:
        return "" if text.lower() in _OTHER_RANKS else "is no rank"
    return ""


def _name_id(text: str) -> str:
    if _LSID.fullmatch(text) or not _LSID_ALIKE.search(text):
        return ""
    return "is not of the form urn:lsid:marinespecies.org:taxname:<AphiaID>"


def _concept(text: str) -> str:
    if "vocab.nerc.ac.uk" not in text or _NERC.fullmatch(text):
        return ""
    return "is not of the form http://vocab.nerc.ac.uk/collection/P01/current/CODE/"


def _licence(text: str) -> str:
    known = ", ".join(sorted(GBIF_ACCEPTS))
    return "" if parse_licence(text).id in GBIF_ACCEPTS else f"is none of {known}"


def _nucleotides(text: str) -> str:
    return "" if _NUCLEOTIDES.fullmatch(text) else "has letters that are no nucleotides"


def _count(text: str) -> str:
    return "" if text.isdecimal() else "is no whole number from 0"


VALUES: Mapping[str, Callable[[str], str]] = {
    **{term: _one_of(known) for term, known in _VOCABULARIES.items()},
    "decimalLatitude": _within(-90, 90),
    "decimalLongitude": _within(-180, 180),
    "minimumDepthInMeters": _within(_HIGHEST_M, _DEEPEST_M),
    "maximumDepthInMeters": _within(_HIGHEST_M, _DEEPEST_M),
    "coordinateUncertaintyInMeters": _within(0.001, 20_040_000),
    "eventDate": _date,
    "taxonRank": _rank,
    "scientificNameID": _name_id,
    "measurementTypeID": _concept,
    "measurementUnitID": _concept,
    "measurementValueID": _concept,
    "license": _licence,
    "DNA_sequence": _nucleotides,
    "individualCount": _count,
    "sampleSizeValue": _within(0, 1e12),
}
"""Term -> what is wrong with a value, "" for nothing."""
MEDIA_TYPES = frozenset({"StillImage", "MovingImage", "Sound", "Text", "InteractiveResource"})
"""DCMI types of media."""
SOFT = frozenset(
    {"taxonRank", "license", "measurementTypeID", "measurementUnitID", "measurementValueID"}
)
"""Terms whose wrong values are warnings: the record is kept."""
DNA_NAMES = ("DNA_sequence", "dna_sequence")
