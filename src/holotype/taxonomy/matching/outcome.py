"""What is asked of a matcher, and what it answers."""

from dataclasses import dataclass, field
from enum import StrEnum

from holotype.taxonomy.backbone.store import Taxon
from holotype.taxonomy.lineage import Lineage, Rank


class MatchStatus(StrEnum):
    """What became of a name. A service that failed is never a name that does not exist."""

    MATCHED = "matched"
    AMBIGUOUS = "ambiguous"
    NO_MATCH = "no_match"
    SERVICE_FAILED = "service_failed"


class How(StrEnum):
    """How a taxon was found, the surest first."""

    EXACT = "exact"
    SYNONYM = "synonym"
    ENDING = "ending"
    WORD = "word"
    DERIVED = "derived"
    ABBREVIATION = "abbreviation"
    FUZZY = "fuzzy"
    HIGHER = "higher"
    COMMON = "common_ancestor"
    NEIGHBOURS = "neighbours"
    DOUBTED = "doubted"
    REVIEWED = "reviewed"


SCORES: dict[How, float] = {
    How.EXACT: 1.0, How.SYNONYM: 1.0, How.ENDING: 0.98, How.WORD: 0.95, How.DERIVED: 0.9,
    How.ABBREVIATION: 0.85, How.HIGHER: 0.7, How.COMMON: 0.7,
    How.NEIGHBOURS: 0.7, How.DOUBTED: 0.6,
}  # fmt: skip
"""How far an answer is to be trusted before anyone looks: an order, no probability."""

SURE = frozenset((How.EXACT, How.SYNONYM, How.ENDING, How.WORD))
"""What nobody has to look at: the name itself says it."""


@dataclass(frozen=True)
class Query:
    """One name to match.

    Attributes:
        written: the label or name as the source has it.
        source: where it is from; labels of one source help each other.
        lineage: what the source says of its classification; may be empty.
        kingdoms: kingdoms that the source can hold; empty for any.
        rank: of the taxon, where the source says.
    """

    written: str
    source: str = ""
    lineage: Lineage = field(default_factory=Lineage)
    kingdoms: frozenset[str] = frozenset()
    rank: Rank | None = None


@dataclass(frozen=True)
class NameMatch:
    """The answer to one query.

    Attributes:
        query: what was asked.
        status: matched, ambiguous (for a person to decide), no match, or the service failed.
        reason: why, in words.
        taxon: the accepted taxon; only where matched.
        how: how it was found; None where nothing was.
        score: 0 to 1, see ``SCORES``; a misspelt name has the share of letters that agree.
        matched_name: the name that was found, where it is a synonym or spelt otherwise; else "".
        candidates: all taxa that it might be, best first.
        backbone: name and version of the reference.
        unknown: a word of the label that may be a name and is none of the backbone; "" for none.
        is_homonym: whether the candidates bear one name.
        names_no_taxon: whether every word of it says that it is no taxon ("detritus", "dark sphere").
    """

    query: Query
    status: MatchStatus
    reason: str
    taxon: Taxon | None = None
    how: How | None = None
    score: float = 0.0
    matched_name: str = ""
    candidates: tuple[Taxon, ...] = ()
    backbone: str = ""
    names_no_taxon: bool = False
    is_homonym: bool = False
    unknown: str = ""
