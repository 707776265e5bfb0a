"""Barcodes that lie where their name does not: nearer to another taxon, or far from all of their own."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from statistics import median

import numpy as np

from holotype.collection.quality.finding import Check, Finding, Severity
from holotype.collection.quality.library import RANKS, Library, libraries
from holotype.collection.store import Collection
from holotype.media.barcode_neighbours import NONE, choose_references, differing_share, nearest

MOST_REFERENCES = 16_384
LEAST_LIKENESS = 0.80
"""Cosine of word counts below which two barcodes are not worth aligning: they differ in over a tenth."""
LIKER_BY = 0.03
"""The least by which another taxon must be liker; 3 points of distance make a difference of about 0.1."""
MOST_OWN = 40
"""Barcodes of the own taxon that a suspect is aligned with."""
OUTSIDE_AT_MOST = {"species": 0.01, "genus": 0.03, "family": 0.06, "order": 0.08}
"""A barcode of another taxon of the rank that differs in more is no sign of a wrong name."""
NEARER_BY = {"species": 0.03, "genus": 0.04, "family": 0.06, "order": 0.06}
NO_OVERLAP = 0.38
"""Two barcodes that differ in more are of two parts of the marker: their distance says nothing."""
FAR_WORDS, USUAL_AT_MOST = 0.15, 0.10
"""1 - cosine of word counts: worth aligning, and how close the others of the species are at most."""
FAR_AT_LEAST, CLOSE_AT_MOST, FEWEST_OTHERS = 0.10, 0.03, 4
"""Far from its species: differs so much from all others, while each of those has one so close."""


def misplaced_barcodes(
    collection: Collection, *, turned: set[str], left_out: set[str]
) -> Iterator[Finding]:
    """Yields a finding for each barcode that lies where its name does not.

    Nearer to another taxon: a barcode of another taxon is near, and nearer by a margin than any of the own.
    Far from the own: the others of the species lie close together. Words of five bases propose, alignment
    decides.

    Args:
        collection: the collection.
        turned: haplotypes to compare as their reverse complement.
        left_out: haplotypes not to compare at all.
    """
    for library in libraries(collection, turned=turned, left_out=left_out):
        references = choose_references(library.taxon_NR, most=MOST_REFERENCES)
        own_distance: dict[int, float] = {}
        for block, found in nearest(library.texts, library.taxon_NR, references):
            for row in range(block.start, block.stop):
                at = row - block.start
                for rank in reversed(range(len(RANKS))):
                    outside = int(found.outside_NR[at, rank])
                    like = float(found.outside_likeness_NR[at, rank])
                    inside = float(found.inside_likeness_NR[at, rank])
                    if outside == NONE or like < max(LEAST_LIKENESS, inside + LIKER_BY):
                        continue
                    if finding := _nearer_to_other(library, row, outside, rank):
                        yield finding
                        break
                if int(found.inside_NR[at, 0]) != NONE:
                    own_distance[row] = 1 - float(found.inside_likeness_NR[at, 0])
        yield from _far_from_own(library, own_distance)


def _own_members(library: Library, row: int, rank: int) -> list[int]:
    """Returns up to ``MOST_OWN`` barcodes of the same taxon, evenly taken."""
    members = np.flatnonzero(library.taxon_NR[:, rank] == library.taxon_NR[row, rank])
    members = members[members != row]
    return [int(member) for member in members[:: max(1, len(members) // MOST_OWN)]]


def _nearer_to_other(library: Library, row: int, outside: int, rank: int) -> Finding | None:
    name = RANKS[rank]
    text = library.text(row)
    if text == library.text(outside):
        return None  # the same sequence under two names: a shared barcode
    away = differing_share(text, library.text(outside))
    if away > OUTSIDE_AT_MOST[name]:
        return None
    own = _nearest_distance(library, row, _own_members(library, row, rank))
    if own is None or own < away + NEARER_BY[name]:
        return None
    one, other = library.record(row), library.record(outside)
    return Finding(
        Check.NEARER_TO_OTHER_TAXON,
        Severity.WARNING if name in {"species", "genus"} else Severity.ERROR,
        one["source"],
        f"{one['species'] or one[name]}: {away:.1%} from {other['species'] or other[name]} (another {name}), "
        f"{own:.1%} from the nearest of its own {name}.",
        one["record_id"],
        other["record_id"],
        own - away,
    )


def _far_from_own(library: Library, own_distance: dict[int, float]) -> Iterator[Finding]:
    by_species: defaultdict[int, list[int]] = defaultdict(list)
    for row in own_distance:
        by_species[int(library.taxon_NR[row, 0])].append(row)
    for members in by_species.values():
        usual = median(own_distance[row] for row in members)
        if len(members) <= FEWEST_OTHERS or usual > USUAL_AT_MOST:
            continue
        for row in members:
            if own_distance[row] < FAR_WORDS:
                continue
            others = _own_members(library, row, 0)
            own = _nearest_distance(library, row, others)
            if own is None or own < FAR_AT_LEAST:
                continue
            distances = (_nearest_distance(library, other, others) for other in others[:10])
            known = [distance for distance in distances if distance is not None]
            apart = median(known) if known else 1.0
            if apart <= CLOSE_AT_MOST:
                one = library.record(row)
                yield Finding(
                    Check.FAR_FROM_OWN_TAXON,
                    Severity.WARNING,
                    one["source"],
                    f"{one['species']}: {own:.1%} from the nearest of its species; its others lie "
                    f"{apart:.1%} apart.",
                    one["record_id"],
                    library.record(others[0])["record_id"],
                    own,
                )


def _nearest_distance(library: Library, row: int, others: Sequence[int]) -> float | None:
    """Returns the distance to the nearest of the others that overlaps; None where none does."""
    text = library.text(row)
    texts = [library.text(other) for other in others if library.text(other) != text]
    distances = [differing_share(text, other) for other in texts]
    return min((distance for distance in distances if distance <= NO_OVERLAP), default=None)
