"""Queries against a library: words propose candidates, alignment judges them.

Place in the path: ``alike`` or ``rare`` propose, ``identity`` judges, ``hits`` tells. A query whose strand is
not certain is searched on both, and so is every one whose best hit is poor.

Shape legend: T tasks (a query on one strand), C candidates, H haplotypes, W = 256 words.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from holotype.errors import MediaError
from holotype.index.barcodes.alike import features, most_alike, place_table, where_alike
from holotype.index.barcodes.fairness import Beside, fair_distances
from holotype.index.barcodes.hits import BarcodeHits, Found, Judged, hits_of
from holotype.index.barcodes.identity import aligned, edits_with_gaps, side_by_side
from holotype.index.barcodes.library import UNKNOWN, BarcodeLibrary
from holotype.index.barcodes.masks import Masks, joined, masks_of, tidy
from holotype.index.barcodes.rare import share_rare_words
from holotype.index.barcodes.strand import CERTAIN_QUERY, OTHER_STRAND_W, evidence_of_strand
from holotype.index.barcodes.words import counts_of_four

MIN_OVERLAP_BP = 100
CANDIDATES = 48
ALIGNED_BEYOND = 6
"""So many candidates more than hits asked for are aligned."""
OTHERS = 4
"""Candidates of other species that are aligned at least, for the gap."""
GIVEN, TURNED = 1, -1
_ROUND, _BLOCK = 4096, 128


class _Tasks(NamedTuple):
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


def search(
    library: BarcodeLibrary,
    queries: Sequence[str | None],
    *,
    k: int = 10,
    threads: int = 1,
    min_overlap_bp: int = MIN_OVERLAP_BP,
) -> BarcodeHits:
    """Returns the k references nearest to each query.

    Args:
        library: what is searched.
        queries: nucleotides with IUPAC codes, on either strand; gaps are removed.
        k: most hits of a query.
        threads: how many work at once; the hits are the same.
        min_overlap_bp: references that share fewer compared bases with a query are no hits of it.
    """
    from threadpoolctl import threadpool_limits

    failure_Q: list[str | None] = []
    found_Q: list[Found | None] = []
    with threadpool_limits(threads), ThreadPoolExecutor(threads) as pool:
        for start in range(0, len(queries), _ROUND):
            masks, why = _readable(queries[start : start + _ROUND], min_overlap_bp)
            answers = iter(_search(library, masks, k, min_overlap_bp, pool) if len(library) else ())
            found_Q += [next(answers, None) if reason is None else None for reason in why]
            failure_Q += why
    return hits_of(found_Q, library.references, k=k, failure_Q=failure_Q)


def _readable(queries: Sequence[str | None], min_overlap_bp: int) -> tuple[Masks, list[str | None]]:
    """Returns the queries that can be searched, and why each other one cannot."""
    texts = [tidy(query or "") for query in queries]
    why = [_too_short(text, min_overlap_bp) for text in texts]
    good = [text for text, reason in zip(texts, why, strict=True) if reason is None]
    try:
        return masks_of(good), why
    except MediaError:
        parts = []
        for row, text in enumerate(texts):
            if why[row] is None:
                try:
                    parts.append(masks_of([text]).of(0))
                except MediaError as error:
                    why[row] = str(error)
        return joined(parts), why


def _too_short(text: str, min_overlap_bp: int) -> str | None:
    if len(text) >= max(1, min_overlap_bp):
        return None
    return f"{len(text)} bp; at least {min_overlap_bp} bp are compared" if text else "no barcode"


def _search(
    library: BarcodeLibrary, masks: Masks, k: int, min_overlap_bp: int, pool: ThreadPoolExecutor
) -> list[Found]:
    tasks = _oriented(library, masks)
    judge = partial(_judge, library, k=k, min_overlap_bp=min_overlap_bp)
    tasks, candidates = _likelier_strand(library, tasks, _candidates(library, tasks))
    judged_T = _in_blocks(pool, judge, tasks, candidates)
    lonely = np.flatnonzero([_has_no_other(library, judged) for judged in judged_T])
    if len(lonely):
        some = _chosen(tasks, lonely)
        species = library.species_H[[judged_T[task][0].haplotype for task in lonely.tolist()]]
        more_T = _in_blocks(pool, judge, some, _candidates_apart(library, some, species))
        for task, more in zip(lonely.tolist(), more_T, strict=True):
            judged_T[task] = sorted(judged_T[task] + more[:OTHERS])
    found_Q = [Found([], GIVEN) for _ in range(len(masks))]
    for query, strand, judged in zip(
        tasks.query_T.tolist(), tasks.strand_T.tolist(), judged_T, strict=True
    ):
        before = found_Q[query].judged
        if judged and (not before or judged[0].distance < before[0].distance):
            found_Q[query] = Found(judged, strand)
    return found_Q


def _oriented(library: BarcodeLibrary, masks: Masks) -> _Tasks:
    """Returns each query on its strand, and on both where that is not certain."""
    count_QW = counts_of_four(masks)
    feature_QW = features(count_QW)
    evidence_Q = evidence_of_strand(feature_QW, library.count_HW)
    given = np.flatnonzero(evidence_Q > -CERTAIN_QUERY)
    turned = np.flatnonzero(evidence_Q < CERTAIN_QUERY)
    other = masks.turned()
    parts = [masks.of(row) for row in given.tolist()] + [other.of(row) for row in turned.tolist()]
    return _Tasks(
        np.concatenate([given, turned]),
        np.repeat([GIVEN, TURNED], [len(given), len(turned)]),
        joined(parts),
        np.concatenate([feature_QW[given], feature_QW[turned][:, OTHER_STRAND_W]]),
    )


def _likelier_strand(
    library: BarcodeLibrary, tasks: _Tasks, candidates: list[NDArray[np.int64]]
) -> tuple[_Tasks, list[NDArray[np.int64]]]:
    """Returns the tasks without those whose query is clearly more like its candidates on the other strand."""
    if len(np.unique(tasks.query_T)) == len(tasks.query_T):
        return tasks, candidates
    like_T = np.array(
        [
            (features(library.count_HW[haplotypes]) @ feature_W).max(initial=0.0)
            for haplotypes, feature_W in zip(candidates, tasks.feature_TW, strict=True)
        ]
    )
    best_Q = np.zeros(int(tasks.query_T.max()) + 1, like_T.dtype)
    np.maximum.at(best_Q, tasks.query_T, like_T)
    kept = np.flatnonzero(like_T > best_Q[tasks.query_T] - CERTAIN_QUERY)
    return _chosen(tasks, kept), [candidates[task] for task in kept.tolist()]


def _chosen(tasks: _Tasks, rows: NDArray[np.int64]) -> _Tasks:
    return _Tasks(
        tasks.query_T[rows],
        tasks.strand_T[rows],
        tasks.masks.chosen(rows),
        tasks.feature_TW[rows],
    )


def _candidates(library: BarcodeLibrary, tasks: _Tasks) -> list[NDArray[np.int64]]:
    """Returns the haplotypes to compare with each task."""
    if library.rare is None:
        return list(most_alike(tasks.feature_TW, library.count_HW, most=CANDIDATES))
    rare = library.rare
    found = [
        share_rare_words(tasks.masks.of(task), rare, most=CANDIDATES)
        for task in range(len(tasks.query_T))
    ]
    few = np.flatnonzero([len(haplotypes) < OTHERS for haplotypes in found])
    if len(few):
        scanned = most_alike(tasks.feature_TW[few], library.count_HW, most=CANDIDATES)
        for task, haplotypes in zip(few.tolist(), scanned, strict=True):
            found[task] = haplotypes
    return found


def _candidates_apart(
    library: BarcodeLibrary, tasks: _Tasks, apart_T: NDArray[np.int64]
) -> list[NDArray[np.int64]]:
    """Returns haplotypes to compare with each task that are of another known species than the one given."""
    if library.rare is None:
        apart = apart_T, library.species_H
        found = list(most_alike(tasks.feature_TW, library.count_HW, most=CANDIDATES, apart=apart))
    else:
        every = len(library.count_HW)
        found = [
            share_rare_words(tasks.masks.of(task), library.rare, most=every)
            for task in range(len(tasks.query_T))
        ]
    return [
        haplotypes[(species != own) & (species != UNKNOWN)][:CANDIDATES]
        for own, haplotypes in zip(apart_T.tolist(), found, strict=True)
        for species in [library.species_H[haplotypes]]
    ]


def _in_blocks(
    pool: ThreadPoolExecutor,
    judge: "partial[list[list[Judged]]]",
    tasks: _Tasks,
    candidates: list[NDArray[np.int64]],
) -> list[list[Judged]]:
    places = [range(s, min(s + _BLOCK, len(candidates))) for s in range(0, len(candidates), _BLOCK)]
    judged = pool.map(lambda block: judge(tasks.masks, candidates, block), places)
    return [one for block in judged for one in block]


def _judge(
    library: BarcodeLibrary,
    masks: Masks,
    candidates: list[NDArray[np.int64]],
    block: range,
    *,
    k: int,
    min_overlap_bp: int,
) -> list[list[Judged]]:
    """Returns the nearest candidates of each task of a block, nearest first."""
    place_of_word = place_table()
    return [
        sorted(
            _judge_one(library, masks.of(task), candidates[task], place_of_word, k, min_overlap_bp)
        )
        for task in block
    ]


def _judge_one(
    library: BarcodeLibrary,
    query_L: NDArray[np.uint8],
    candidate_C: NDArray[np.int64],
    place_of_word: NDArray[np.int16],
    k: int,
    min_overlap_bp: int,
) -> list[Judged]:
    if not len(candidate_C):
        return []
    places = where_alike(query_L, library.seeds, candidate_C, place_of_word)
    order = np.argsort(-places.support_C, kind="stable")
    order = order[: max(1, int(np.count_nonzero(places.support_C)))]
    found: list[Beside] = []
    for place in _worth(order, library.species_H[candidate_C], most=k + ALIGNED_BEYOND):
        haplotype, shift = int(candidate_C[place]), int(places.shift_C[place])
        reference_M = library.sequences.of(haplotype)
        overlap = side_by_side(query_L, reference_M, shift)
        edits = 0
        if places.moved_C[place]:
            edits = edits_with_gaps(query_L, reference_M, shift, overlap)
        if overlap.compared >= min_overlap_bp:
            if edits:
                overlap = overlap._replace(different=min(edits, overlap.compared))
            found.append(Beside(haplotype, reference_M, shift, overlap, edits))
    found.sort(key=lambda one: one.overlap.distance)
    for place, one in enumerate(found[: k + 1]):
        # Behind the hits that are told, the number of edits will do.
        if one.edits:
            exact = aligned(query_L, one.reference_M, one.shift, one.edits)
            found[place] = one._replace(overlap=exact)
    distances = fair_distances(query_L, found)
    return [
        Judged(distance, -one.overlap.compared, one.haplotype, one.overlap)
        for distance, one in zip(distances, found, strict=True)
    ]


def _worth(order: NDArray[np.int64], species_C: NDArray[np.int64], *, most: int) -> list[int]:
    """Returns the candidates to align: those of most support, and the best few of other species."""
    chosen: list[int] = order[:most].tolist()
    own = species_C[chosen[0]]
    if own == UNKNOWN:
        return chosen
    is_other = (species_C[order] != own) & (species_C[order] != UNKNOWN)
    lacking = OTHERS - int(np.count_nonzero(is_other[:most]))
    if lacking > 0:
        chosen += order[most:][is_other[most:]][:lacking].tolist()
    return chosen


def _has_no_other(library: BarcodeLibrary, judged: list[Judged]) -> bool:
    """Returns whether the best hit's species is known and no hit is of another species."""
    if not judged:
        return False
    species = library.species_H[[one.haplotype for one in judged]]
    others = (species != species[0]) & (species != UNKNOWN)
    return bool(species[0] != UNKNOWN and not others.any())
