"""Queries against a library: words propose candidates, alignment judges them.

Place in the path: ``tasks`` proposes (by ``alike`` or ``rare``), ``judging`` compares, ``hits`` tells.

Shape legend: T tasks (a query on one strand), P pairs of a task and a haplotype.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from holotype.errors import MediaError
from holotype.index.barcodes.hits import BarcodeHits, Found, hits_of, place_in
from holotype.index.barcodes.judging import OTHERS, Judged, judge, together
from holotype.index.barcodes.library import UNKNOWN, BarcodeLibrary
from holotype.index.barcodes.masks import Masks, joined, masks_of, tidy
from holotype.index.barcodes.tasks import (
    Pairs,
    Tasks,
    candidates,
    candidates_apart,
    candidates_when_far,
    oriented,
)

MIN_OVERLAP_BP = 100
BEYOND = 6
"""So many candidates more than hits asked for are compared with a query."""
FAR = 0.03
"""Where no reference is nearer, more candidates of more species are compared."""
_ROUND, _BLOCK = 4096, 32


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
    parts = []
    # Blocks of one size are shared out, each to one thread: rounding is the same whatever their number.
    with threadpool_limits(1), ThreadPoolExecutor(threads) as pool:
        for start in range(0, len(queries), _ROUND):
            masks, why = _readable(queries[start : start + _ROUND], min_overlap_bp)
            readable = np.flatnonzero([reason is None for reason in why]) + start
            failure_Q += why
            if len(readable) and len(library):
                parts.append(_search(library, masks, readable, k, min_overlap_bp, pool))
    found = (
        Found(*(np.concatenate(column) for column in zip(*parts, strict=True))) if parts else None
    )
    return hits_of(found, library.references, k=k, failure_Q=failure_Q)


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
    library: BarcodeLibrary,
    masks: Masks,
    number_Q: NDArray[np.int64],
    k: int,
    min_overlap_bp: int,
    pool: ThreadPoolExecutor,
) -> Found:
    tasks, pairs = candidates(library, oriented(library, masks), pool)
    judged = _judged(library, tasks, pairs, k, k + BEYOND, min_overlap_bp, pool)
    far = np.setdiff1d(np.arange(len(tasks.query_T)), judged.task_P[judged.distance_P <= FAR])
    if len(far):
        wide = candidates_when_far(library, tasks.take(far), pool)
        every = len(wide.task_P)
        again = _judged(library, tasks.take(far), wide, k, every, min_overlap_bp, pool)
        near = judged.take(~np.isin(judged.task_P, far))
        judged = together([near, again._replace(task_P=far[again.task_P])])
    lonely, species = _lonely(library, judged)
    if len(lonely):
        apart = candidates_apart(library, tasks.take(lonely), species, pool)
        more = _judged(library, tasks.take(lonely), apart, k, k + BEYOND, min_overlap_bp, pool)
        more = more.take(place_in(more.task_P) < OTHERS)
        judged = together([judged, more._replace(task_P=lonely[more.task_P])])
    best_T = np.full(len(tasks.query_T), np.inf)
    first = place_in(judged.task_P) == 0
    best_T[judged.task_P[first]] = judged.distance_P[first]
    order = np.lexsort((np.arange(len(best_T)), best_T, tasks.query_T))
    likelier_T = np.zeros(len(best_T), np.bool_)
    likelier_T[order[place_in(tasks.query_T[order]) == 0]] = True
    judged = judged.take(likelier_T[judged.task_P])
    query_P = number_Q[tasks.query_T[judged.task_P]]
    return Found(query_P, tasks.strand_T[judged.task_P], *judged[1:])


def _judged(
    library: BarcodeLibrary,
    tasks: Tasks,
    pairs: Pairs,
    k: int,
    most: int,
    min_overlap_bp: int,
    pool: ThreadPoolExecutor,
) -> Judged:
    def block(first: int) -> Judged:
        last = min(first + _BLOCK, len(tasks.query_T))
        begin, end = np.searchsorted(pairs.task_P, [first, last]).tolist()
        judged = judge(
            library,
            tasks.masks.between(first, last),
            pairs.task_P[begin:end] - first,
            pairs.haplotype_P[begin:end],
            k=k,
            most=most,
            min_overlap_bp=min_overlap_bp,
        )
        return judged._replace(task_P=judged.task_P + first)

    return together(list(pool.map(block, range(0, len(tasks.query_T), _BLOCK))))


def _lonely(library: BarcodeLibrary, judged: Judged) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Returns the tasks whose hits are of one known species alone, and that species."""
    species_P = library.species_H[judged.haplotype_P]
    own_P = species_P[np.arange(len(species_P)) - place_in(judged.task_P)]
    is_other_P = (species_P != own_P) & (species_P != UNKNOWN)
    lonely = np.setdiff1d(judged.task_P[own_P != UNKNOWN], judged.task_P[is_other_P])
    return lonely, own_P[np.searchsorted(judged.task_P, lonely)]
