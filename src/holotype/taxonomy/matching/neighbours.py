"""What the other labels of a source tell about one of them: its kingdom, and genera that are abbreviated."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from holotype.taxonomy.backbone.store import Taxon
from holotype.taxonomy.lineage import Rank
from holotype.taxonomy.matching.outcome import SCORES, SURE, How, MatchStatus, NameMatch
from holotype.taxonomy.matching.vocabulary import canonical_kingdom
from holotype.taxonomy.names import name_key

MIN_WITNESSES = 10
"""So many sure labels of a source in one kingdom, and none in another, say where a homonym belongs."""


@dataclass(frozen=True)
class Neighbours:
    """What the surely matched labels of one source say together.

    Attributes:
        kingdoms: how many were matched in each kingdom.
        species: (first letter of the genus, epithet) -> the species of that kind, by row.
    """

    kingdoms: Mapping[str, int]
    species: Mapping[tuple[str, str], Mapping[int, Taxon]]


def neighbours_of(answers: Sequence[NameMatch]) -> Neighbours:
    """Returns what the labels of one source say together; only sure matches are witnesses."""
    taxa = [answer.taxon for answer in answers if answer.taxon and answer.how in SURE]
    species: dict[tuple[str, str], dict[int, Taxon]] = {}
    for taxon in taxa:
        genus, _, epithet = taxon.name.partition(" ")
        if taxon.rank is Rank.SPECIES and epithet:
            species.setdefault((genus[0], name_key(epithet)), {})[taxon.row] = taxon
    kingdoms = (canonical_kingdom(str(taxon.lineage.name_at(Rank.KINGDOM))) for taxon in taxa)
    return Neighbours(Counter(kingdoms), species)


_ABBREVIATED = re.compile(r"^([A-Z])[._\s]+([a-z]{4,})(?:[_\s.].*)?$")


def helped(answer: NameMatch, neighbours: Neighbours) -> NameMatch:
    """Returns the answer, decided by the other labels of its source where they say enough."""
    if answer.status in (MatchStatus.MATCHED, MatchStatus.SERVICE_FAILED):
        return answer
    if answer.status is MatchStatus.AMBIGUOUS and len(answer.candidates) > 1:
        return _by_kingdom(answer, neighbours.kingdoms)
    short = _ABBREVIATED.match(answer.query.written)
    taxa = neighbours.species.get((short[1], short[2]), {}) if short else {}
    if short is None or len(taxa) != 1:
        return answer
    taxon = next(iter(taxa.values()))
    reason = f"'{short[1]}. {short[2]}' is {taxon.name} in the other labels of the source"
    return replace(answer, status=MatchStatus.MATCHED, taxon=taxon, how=How.ABBREVIATION, reason=reason,
                   score=SCORES[How.ABBREVIATION], candidates=(taxon,), names_no_taxon=False)  # fmt: skip


def _by_kingdom(answer: NameMatch, kingdoms: Mapping[str, int]) -> NameMatch:
    """A homonym lies most likely in the kingdom of all sure labels of its source; a person checks it."""
    if not answer.is_homonym or len(kingdoms) != 1 or sum(kingdoms.values()) < MIN_WITNESSES:
        return answer
    kingdom = next(iter(kingdoms))
    fitting = [
        taxon
        for taxon in answer.candidates
        if canonical_kingdom(str(taxon.lineage.name_at(Rank.KINGDOM))) == kingdom
    ]
    if len(fitting) != 1:
        return answer
    reason = (
        f"{answer.reason}; all {sum(kingdoms.values())} sure labels of the source "
        f"are {kingdom.capitalize()}"
    )
    return replace(answer, status=MatchStatus.MATCHED, taxon=fitting[0], how=How.NEIGHBOURS, reason=reason,
                   score=SCORES[How.NEIGHBOURS])  # fmt: skip
