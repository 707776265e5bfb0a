"""Candidates of queries, compared and put in order: many pairs at once, alignment only where bases moved.

Shape legend: T tasks (a query on one strand), P pairs of a task and a haplotype, H haplotypes.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from holotype.index.barcodes.beside import Beside, beside
from holotype.index.barcodes.fairness import fair_distances
from holotype.index.barcodes.hits import place_in
from holotype.index.barcodes.identity import WORTH, Overlap, aligned, edits_with_gaps
from holotype.index.barcodes.library import UNKNOWN, BarcodeLibrary
from holotype.index.barcodes.masks import Masks
from holotype.index.barcodes.one_gap import with_one_gap
from holotype.index.barcodes.places import Places, where_alike

OTHERS = 4
"""Candidates of other species that are judged at least, for the gap."""


class Judged(NamedTuple):
    """Haplotypes compared with tasks; those of one task follow one another, the nearest first.

    Attributes:
        task_P: int64, numbers of tasks, ascending.
        haplotype_P: int64, numbers of haplotypes.
        different_P: int64, columns that differ.
        compared_P: int64, columns that are compared.
        distance_P: float64, of ``fair_distances``.
    """

    task_P: NDArray[np.int64]
    haplotype_P: NDArray[np.int64]
    different_P: NDArray[np.int64]
    compared_P: NDArray[np.int64]
    distance_P: NDArray[np.float64]

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> "Judged":
        """Returns some of the pairs."""
        return Judged(
            self.task_P[rows],
            self.haplotype_P[rows],
            self.different_P[rows],
            self.compared_P[rows],
            self.distance_P[rows],
        )

    def sorted(self) -> "Judged":
        """Returns the pairs in order."""
        nearest_first = (self.haplotype_P, -self.compared_P, self.distance_P, self.task_P)
        return self.take(np.lexsort(nearest_first))


def together(parts: list[Judged]) -> Judged:
    """Returns pairs that were judged apart, in order."""
    if not parts:
        none = np.zeros(0, np.int64)
        return Judged(none, none, none, none, np.zeros(0))
    return Judged(*(np.concatenate(columns) for columns in zip(*parts, strict=True))).sorted()


def judge(
    library: BarcodeLibrary,
    queries: Masks,
    query_P: NDArray[np.int64],
    candidate_P: NDArray[np.int64],
    *,
    k: int,
    most: int,
    min_overlap_bp: int,
) -> Judged:
    """Returns the nearest candidates of each query.

    Args:
        library: what is searched.
        queries: few of them.
        query_P: int64, numbers of queries, ascending.
        candidate_P: int64, the haplotypes to compare with them.
        k: most hits of a query; they are aligned where bases moved.
        most: so many candidates of a query are compared, those that share most words, and a few of other
            species.
        min_overlap_bp: fewest columns compared.
    """
    places = where_alike(queries, library.seeds, query_P, candidate_P)
    species_P = library.species_H[candidate_P]
    rows = _worth(species_P, query_P, places.support_P, most=most)
    query_P, candidate_P = query_P[rows], candidate_P[rows]
    places = Places(*(column[rows] for column in places))
    found = beside(queries, library.sequences, query_P, candidate_P, places.shift_P)
    found = _gaps_mended(queries, library, query_P, candidate_P, places, found)
    enough = found.compared_P >= min_overlap_bp
    if not enough.all():
        query_P, candidate_P = query_P[enough], candidate_P[enough]
        places = Places(*(column[enough] for column in places))
        found = found.take(enough)
    different_P, compared_P = found.different_P, found.compared_P

    def pair(place: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8], int]:
        query_L = queries.of(int(query_P[place]))
        return query_L, library.sequences.of(int(candidate_P[place])), int(places.shift_P[place])

    edits_P = np.zeros(len(query_P), np.int64)
    for place in np.flatnonzero((places.third_P > 0) & (different_P > WORTH + 1)).tolist():
        overlap = Overlap(int(different_P[place]), int(compared_P[place]))
        edits_P[place] = edits_with_gaps(*pair(place), overlap)
    gapped_P = edits_P > 0
    different_P = np.where(gapped_P, np.minimum(edits_P, compared_P), different_P)
    order = np.lexsort(((different_P + 1) / (compared_P + 2), query_P))
    # Behind the hits that are told, the number of edits will do.
    told = order[place_in(query_P[order]) <= k]
    for place in told[gapped_P[told]].tolist():
        different_P[place], compared_P[place] = aligned(*pair(place), int(edits_P[place]))
    found = found._replace(different_P=different_P, compared_P=compared_P)
    distance_P = _fair(found, query_P, gapped_P)
    return Judged(query_P, candidate_P, different_P, compared_P, distance_P).sorted()


def _gaps_mended(
    queries: Masks,
    library: BarcodeLibrary,
    query_P: NDArray[np.int64],
    candidate_P: NDArray[np.int64],
    places: Places,
    found: Beside,
) -> Beside:
    """Returns the overlaps with one gap where words lie at two shifts and differences speak for it."""
    rows = np.flatnonzero((places.moved_P > 0) & (found.different_P > WORTH))
    if not len(rows):
        return found
    mended = with_one_gap(
        queries,
        library.sequences,
        query_P[rows],
        candidate_P[rows],
        places.shift_P[rows],
        places.other_P[rows],
        found.take(rows),
    )
    for column, mended_column in zip(found, mended, strict=True):
        column[rows] = mended_column
    return found


def _fair(
    found: Beside, query_P: NDArray[np.int64], gapped_P: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Returns the distances of pairs, those of each query over the same bases; ``fair_distances``."""
    distance_P: NDArray[np.float64] = (found.different_P + 1) / (found.compared_P + 2)
    bound = np.flatnonzero(np.diff(query_P, prepend=-1, append=-1)).tolist()
    for begin, end in pairwise(bound):
        own = slice(begin, end)
        if found.compared_P[own].min() < found.compared_P[own].max():
            distance_P[own] = fair_distances(
                found.different_P[own],
                found.compared_P[own],
                different_KL=found.different_PL[own],
                compared_KL=found.compared_PL[own],
                gapped_K=gapped_P[own],
            )
    return distance_P


def _worth(
    species_P: NDArray[np.int64],
    query_P: NDArray[np.int64],
    support_P: NDArray[np.int64],
    *,
    most: int,
) -> NDArray[np.int64]:
    """Returns the pairs to judge, int64: those of most support, and the best few of other species."""
    usable = np.flatnonzero(support_P)
    order = usable[np.lexsort((-support_P[usable], query_P[usable]))]
    query_O, species_O = query_P[order], species_P[order]
    place_O = place_in(query_O)
    own_O = species_O[np.arange(len(order)) - place_O]
    is_other_O = (own_O != UNKNOWN) & (species_O != UNKNOWN) & (species_O != own_O)
    others = np.flatnonzero(is_other_O)
    chosen_O = place_O < most
    chosen_O[others[place_in(query_O[others]) < OTHERS]] = True
    return order[chosen_O]
