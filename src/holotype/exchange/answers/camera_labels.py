"""What camera-trap formats call labels that are no taxon of an animal."""

from collections.abc import Mapping
from enum import StrEnum

from holotype.exchange.answers.answered import Row, lineage_of

HUMAN_SPECIES = "Homo sapiens"
_ANIMALS = frozenset({"animalia", "metazoa"})


class Seen(StrEnum):
    """What a picture shows, in the words of Camtrap DP."""

    ANIMAL = "animal"
    HUMAN = "human"
    VEHICLE = "vehicle"
    BLANK = "blank"
    UNKNOWN = "unknown"


_BY_LABEL: Mapping[str, Seen] = {
    **dict.fromkeys(("blank", "empty"), Seen.BLANK),
    **dict.fromkeys(("human", "person", "people"), Seen.HUMAN),
    **dict.fromkeys(("vehicle", "car"), Seen.VEHICLE),
    "animal": Seen.ANIMAL,
}


def seen_of_label(label: str) -> Seen | None:
    """Returns what a label that is no taxon says, or None where it is none of these words."""
    return _BY_LABEL.get(label.strip().lower())


def seen_in(row: Row) -> Seen | None:
    """Returns what the safe answer says; None for a taxon that is no animal, which no such format has."""
    lineage = lineage_of(row)
    if not lineage:
        answer = row["answer"]
        return (seen_of_label(answer) if answer else None) or Seen.UNKNOWN
    if lineage.get("species") == HUMAN_SPECIES:
        return Seen.HUMAN
    kingdom = lineage.get("kingdom")
    return Seen.ANIMAL if kingdom is None or kingdom.lower() in _ANIMALS else None
