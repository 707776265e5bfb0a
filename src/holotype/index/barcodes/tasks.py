"""Queries on the strand to search, and the haplotypes to compare with them.

A query whose strand is not certain is searched on both; where its candidates then speak clearly for one, the
other is given up.

Shape legend: Q queries, T tasks (a query on one strand), C candidates, P pairs of a task and a candidate.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from holotype.index.barcodes.alike import features, most_alike
from holotype.index.barcodes.hits import place_in
from holotype.index.barcodes.judging import OTHERS
from holotype.index.barcodes.library import UNKNOWN, BarcodeLibrary
from holotype.index.barcodes.masks import Masks, joined
from holotype.index.barcodes.rare import share_rare_words
from holotype.index.barcodes.strand import CERTAIN_QUERY, OTHER_STRAND_W, evidence_of_strand
from holotype.index.barcodes.words import counts_of_four

CANDIDATES = 48
ALIKE_WHEN_FAR, OF_ANY_SPECIES, OF_ONE_SPECIES, CANDIDATES_WHEN_FAR = 320, 24, 3, 64
"""Of so many most alike, the first few whatever their species, then only the first few of each species, and
so many in all, are compared with a query that lies far from all references."""
GIVEN, TURNED = 1, -1


class Tasks(NamedTuple):
    """Queries on one strand each.

    Attributes:
        query_T: number of the query.
        strand_T: 1 as given, -1 turned.
        masks: T of them.
        feature_TW: of ``features``.
    """

    query_T: NDArray[np.int64]
    strand_T: NDArray[np.int64]
    masks: Masks
    feature_TW: NDArray[np.float32]

    def take(self, rows: NDArray[np.int64]) -> "Tasks":
        """Returns some of the tasks."""
        masks = self.masks.chosen(rows)
        return Tasks(self.query_T[rows], self.strand_T[rows], masks, self.feature_TW[rows])


class Pairs(NamedTuple):
    """Tasks and haplotypes to compare; those of one task follow one another.

    Attributes:
        task_P: int64, numbers of tasks, ascending.
        haplotype_P: int64, numbers of haplotypes.
    """

    task_P: NDArray[np.int64]
    haplotype_P: NDArray[np.int64]


def oriented(library: BarcodeLibrary, masks: Masks) -> Tasks:
    """Returns each query on its strand, and on both where that is not certain."""
    feature_QW = features(counts_of_four(masks))
    evidence_Q = evidence_of_strand(feature_QW, library.count_HW)
    given = np.flatnonzero(evidence_Q > -CERTAIN_QUERY)
    turned = np.flatnonzero(evidence_Q < CERTAIN_QUERY)
    other = masks.turned()
    parts = [masks.of(row) for row in given.tolist()] + [other.of(row) for row in turned.tolist()]
    return Tasks(
        np.concatenate([given, turned]),
        np.repeat([GIVEN, TURNED], [len(given), len(turned)]),
        joined(parts),
        np.concatenate([feature_QW[given], feature_QW[turned][:, OTHER_STRAND_W]]),
    )


def candidates(
    library: BarcodeLibrary, tasks: Tasks, pool: ThreadPoolExecutor
) -> tuple[Tasks, Pairs]:
    """Returns the haplotypes to compare with each task, and the tasks without those of an unlikely strand."""
    pairs = _pairs(_candidates(library, tasks, pool))
    if len(np.unique(tasks.query_T)) == len(tasks.query_T):
        return tasks, pairs
    several_Q = np.bincount(tasks.query_T) > 1
    best_T = np.zeros(len(tasks.query_T), np.float32)
    bound = np.searchsorted(pairs.task_P, np.arange(len(best_T) + 1))
    for task in np.flatnonzero(several_Q[tasks.query_T]).tolist():
        own = pairs.haplotype_P[bound[task] : bound[task + 1]]
        likeness_C = features(library.count_HW[own]) @ tasks.feature_TW[task]
        best_T[task] = likeness_C.max(initial=0.0)
    best_Q = np.zeros(int(tasks.query_T.max()) + 1, np.float32)
    np.maximum.at(best_Q, tasks.query_T, best_T)
    kept = np.flatnonzero(best_T > best_Q[tasks.query_T] - CERTAIN_QUERY)
    new_T = np.full(len(tasks.query_T), UNKNOWN, np.int64)
    new_T[kept] = np.arange(len(kept))
    task_P = new_T[pairs.task_P]
    return tasks.take(kept), Pairs(task_P[task_P >= 0], pairs.haplotype_P[task_P >= 0])


def candidates_apart(
    library: BarcodeLibrary, tasks: Tasks, apart_T: NDArray[np.int64], pool: ThreadPoolExecutor
) -> Pairs:
    """Returns haplotypes to compare with each task that are of another known species than the one given."""
    if library.rare is None:
        apart = apart_T, library.species_H
        scanned = most_alike(
            tasks.feature_TW, library.count_HW, most=CANDIDATES, apart=apart, pool=pool
        )
        found = list(scanned)
    else:
        every = len(library.count_HW)
        found = [
            share_rare_words(tasks.masks.of(task), library.rare, most=every)
            for task in range(len(tasks.query_T))
        ]
    return _pairs(
        [
            haplotypes[(species != own) & (species != UNKNOWN)][:CANDIDATES]
            for own, haplotypes in zip(apart_T.tolist(), found, strict=True)
            for species in [library.species_H[haplotypes]]
        ]
    )


def candidates_when_far(library: BarcodeLibrary, tasks: Tasks, pool: ThreadPoolExecutor) -> Pairs:
    """Returns haplotypes to compare with tasks that no reference is near to, of many species.

    Far from a query all relatives are about equally alike by words; one species with many haplotypes would
    leave no place for others.
    """
    if library.rare is None:
        scanned = most_alike(tasks.feature_TW, library.count_HW, most=ALIKE_WHEN_FAR, pool=pool)
        likeness = [
            features(library.count_HW[own]) @ feature_W
            for own, feature_W in zip(scanned, tasks.feature_TW, strict=True)
        ]
        found = [
            own[np.argsort(-y, kind="stable")] for own, y in zip(scanned, likeness, strict=True)
        ]
    else:
        found = [
            share_rare_words(tasks.masks.of(task), library.rare, most=ALIKE_WHEN_FAR)
            for task in range(len(tasks.query_T))
        ]
    return _pairs([_of_many_species(own, library.species_H[own]) for own in found])


def _of_many_species(
    haplotype_C: NDArray[np.int64], species_C: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Returns the first few haplotypes, and the first few of each species, in order.

    Those of no known species are kept.
    """
    order = np.argsort(species_C, kind="stable")
    place_C = np.empty(len(order), np.int64)
    place_C[order] = place_in(species_C[order])
    kept = (place_C < OF_ONE_SPECIES) | (species_C == UNKNOWN)
    kept[:OF_ANY_SPECIES] = True
    chosen: NDArray[np.int64] = haplotype_C[kept][:CANDIDATES_WHEN_FAR]
    return chosen


def _candidates(
    library: BarcodeLibrary, tasks: Tasks, pool: ThreadPoolExecutor
) -> list[NDArray[np.int64]]:
    if library.rare is None:
        return list(most_alike(tasks.feature_TW, library.count_HW, most=CANDIDATES, pool=pool))
    rare = library.rare
    found = [
        share_rare_words(tasks.masks.of(task), rare, most=CANDIDATES)
        for task in range(len(tasks.query_T))
    ]
    few = np.flatnonzero([len(haplotypes) < OTHERS for haplotypes in found])
    if len(few):
        scanned = most_alike(tasks.feature_TW[few], library.count_HW, most=CANDIDATES, pool=pool)
        for task, haplotypes in zip(few.tolist(), scanned, strict=True):
            found[task] = haplotypes
    return found


def _pairs(haplotype_TC: list[NDArray[np.int64]]) -> Pairs:
    number_T = [len(haplotypes) for haplotypes in haplotype_TC]
    none = np.zeros(0, np.int64)
    return Pairs(
        np.repeat(np.arange(len(number_T)), number_T), np.concatenate([none, *haplotype_TC])
    )
