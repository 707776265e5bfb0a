"""A written label -> taxon words, qualifier, living or not.

People write "copepod_calanoid_eggs", "part_Crustacea" or "artifacts_edge". What was seen (the taxon), what
of it was seen (the qualifier: an egg, a part) and whether it lives are three different things; this
module separates them by vocabulary. It does not match names to taxa.
"""

import re
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What an image shows, in the words of Planktonzilla's ``root_class`` (arXiv 2606.00080)."""

    LIVING = "living"
    DETRITUS = "detritus"
    ARTEFACT = "artefact"
    INERT = "inert"


WHOLE = "full_body"
"""The qualifier of a whole organism; it is not said in a class's name."""

QUALIFIERS: dict[str, str] = {
    **dict.fromkeys(("egg", "eggs", "ova", "ovum"), "egg"),
    **dict.fromkeys(("larva", "larvae", "larval", "bipinnaria", "brachiolaria"), "larvae"),
    **dict.fromkeys(("pluteus", "echinopluteus", "auricularia", "tornaria"), "larvae"),
    **dict.fromkeys(("trochophore", "veliger", "leptocephali", "leptocephalus"), "larvae"),
    **dict.fromkeys(("zoea", "zoeae", "megalopa", "cyphonaute", "cyphonautes"), "larvae"),
    **dict.fromkeys(("cypris", "cyprid", "actinula", "planula", "ephyra", "ephyrae"), "larvae"),
    **dict.fromkeys(("nauplius", "nauplii", "metanauplii"), "nauplius"),
    **dict.fromkeys(("juvenile", "juveniles", "young"), "juvenile"),
    **dict.fromkeys(("part", "parts", "partial", "fragment", "fragments"), "part"),
    **dict.fromkeys(("tail", "tails"), "part_tail"),
    **dict.fromkeys(("head", "heads"), "part_head"),
    **dict.fromkeys(("leg", "legs"), "part_leg"),
    **dict.fromkeys(("tentacle", "tentacles"), "part_tentacle"),
    **dict.fromkeys(("exuvia", "exuvie", "molt", "moult", "skin", "skins"), "part_skin"),
    **dict.fromkeys(("carapace",), "part_carapace"),
    **dict.fromkeys(("bract", "nectophore", "gonophore", "eudoxie", "pneumatophore"), "zooid"),
    **dict.fromkeys(("trunk", "trunks"), "part_trunk"),
    **dict.fromkeys(("like", "maybe", "doubt"), "like"),
    **dict.fromkeys(("mix", "multiple", "mixed"), "mix"),
    **dict.fromkeys(("parasite", "parasitic"), "parasite"),
    **dict.fromkeys(("cyst", "cysts"), "cyst"),
    **dict.fromkeys(("dead",), "dead"),
}
"""Words that say what of the organism is shown -> the qualifier."""

NOT_LIVING: dict[str, Kind] = {
    **dict.fromkeys(("detritus", "aggregate", "aggregates", "snow"), Kind.DETRITUS),
    **dict.fromkeys(("feces", "faeces", "fecal", "faecal", "pellet", "pellets"), Kind.DETRITUS),
    **dict.fromkeys(("fiber", "fibers", "fibre", "fibres", "feather", "scale"), Kind.DETRITUS),
    **dict.fromkeys(("artifact", "artifacts", "artefact", "artefacts"), Kind.ARTEFACT),
    **dict.fromkeys(("bubble", "bubbles", "badfocus", "darksphere", "reflection"), Kind.ARTEFACT),
    **dict.fromkeys(("unknown", "unclassified", "blurry", "turbid", "ghost"), Kind.ARTEFACT),
    **dict.fromkeys(("plastic", "sand", "mineral", "crystal", "bead", "beads"), Kind.INERT),
}
"""Words of what does not live -> its kind."""

_NEGATED = {"no", "without"}
_ANATOMY = {"part_tail", "part_head", "part_leg", "part_tentacle", "part_carapace", "part_trunk"}


@dataclass(frozen=True)
class ParsedLabel:
    """A written label taken apart.

    Attributes:
        written: the label as it came.
        taxon_words: the words that may name a taxon, in order, joined by spaces; "" for none.
        qualifier: what of the organism is shown; ``full_body`` when nothing is said.
        kind: living, detritus, artefact or inert.
    """

    written: str
    taxon_words: str
    qualifier: str
    kind: Kind


def parse_label(written: str) -> ParsedLabel:
    """Returns the parts of a written label.

    An anatomical word is a qualifier only where it is the last or first word ("jellies_tentacles"), not
    inside a description ("cydippid_no_tentacles", "bell_and_tentacles"); "-like" qualifies the taxon
    before it.

    >>> parse_label("copepod_calanoid_eggs")
    ParsedLabel(written='copepod_calanoid_eggs', taxon_words='copepod calanoid', qualifier='egg', ...
    """
    words = [word for word in re.split(r"[\s_/<>|,;:()\-]+", written.strip()) if word]
    kinds = [NOT_LIVING[word.lower()] for word in words if word.lower() in NOT_LIVING]
    qualifier = WHOLE
    kept: list[str] = []
    for position, word in enumerate(words):
        previous = words[position - 1].lower() if position else ""
        found = QUALIFIERS.get(word.lower())
        described = previous in _NEGATED or previous == "and"
        at_an_end = position in (0, len(words) - 1)
        if found is None or described or (found in _ANATOMY and not at_an_end):
            kept.append(word)
        elif qualifier in (WHOLE, "larvae"):
            qualifier = found
    kind = kinds[0] if kinds else Kind.LIVING
    if kind is Kind.LIVING and (qualifier.startswith("part") or qualifier == "dead"):
        kind = Kind.DETRITUS
    taxon_words = [] if kinds else kept
    return ParsedLabel(written, " ".join(taxon_words), qualifier, kind)
