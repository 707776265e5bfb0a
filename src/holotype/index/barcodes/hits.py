"""The answer to queries: which references are nearest, how near, and how far the next species is.

Shape legend: Q queries, K hits, N references, P pairs of a query and a haplotype.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from holotype.index.barcodes.library import UNKNOWN, References


@dataclass(frozen=True)
class BarcodeHits:
    """What is nearest to each query; hits are in order of ``distance_QK``, the best first.

    Attributes:
        row_QK: int64, the given row of the reference (the first with its haplotype and species); -1 for none.
        haplotype_QK: int64, its number among the library's sequences; -1 for none.
        species_QK: int64, its species code; -1 where there is none.
        records_QK: int64, how many rows have this haplotype and species; 0 for none.
        identity_QK: float64, equal bases among those compared, per cent; NaN for none.
        overlap_QK: int64, bases compared (bp); 0 for none.
        distance_QK: float64, expected share of differing bases (``fairness``), 0 to 1; NaN for none.
        strand_Q: int8, 1 as given, -1 turned, 0 without hits.
        tied_Q: int64, how many species share the least distance; 0 without hits or codes.
        gap_Q: float64, identity of the best hit less that of the best hit of another species, percentage
            points; NaN where either is not known.
        other_Q: int64, the row of the latter; -1 for none.
        other_haplotype_Q: int64, its number among the library's sequences; -1 for none.
        other_distance_Q: float64, its distance; NaN for none.
        failure_Q: why a query has no hits; None where it has some.
    """

    row_QK: NDArray[np.int64]
    haplotype_QK: NDArray[np.int64]
    species_QK: NDArray[np.int64]
    records_QK: NDArray[np.int64]
    identity_QK: NDArray[np.float64]
    overlap_QK: NDArray[np.int64]
    distance_QK: NDArray[np.float64]
    strand_Q: NDArray[np.int8]
    tied_Q: NDArray[np.int64]
    gap_Q: NDArray[np.float64]
    other_Q: NDArray[np.int64]
    other_haplotype_Q: NDArray[np.int64]
    other_distance_Q: NDArray[np.float64]
    failure_Q: tuple[str | None, ...]


class Found(NamedTuple):
    """What was compared with queries.

    Attributes:
        query_P: int64, numbers of queries.
        strand_P: int64, on which of its strands: 1 as given, -1 turned.
        haplotype_P: int64, numbers of haplotypes.
        different_P: int64, columns that differ.
        compared_P: int64, columns that are compared.
        distance_P: float64, of ``fairness``.
    """

    query_P: NDArray[np.int64]
    strand_P: NDArray[np.int64]
    haplotype_P: NDArray[np.int64]
    different_P: NDArray[np.int64]
    compared_P: NDArray[np.int64]
    distance_P: NDArray[np.float64]


def hits_of(
    found: Found | None, references: References, *, k: int, failure_Q: Sequence[str | None]
) -> BarcodeHits:
    """Returns the hits of queries, k of each at most.

    The nearest comes first; then the one compared over more bases, with more records, given first.

    Args:
        found: what was compared with the queries; None where nothing was.
        references: of the library.
        k: most hits of a query.
        failure_Q: why nothing was compared.
    """
    hits = _no_hits(len(failure_Q), k)
    if found is not None:
        _write(hits, found, references)
    why_Q = [
        reason or (None if strand else "no reference overlaps it far enough")
        for reason, strand in zip(failure_Q, hits.strand_Q.tolist(), strict=True)
    ]
    return replace(hits, failure_Q=tuple(why_Q))


def _no_hits(queries: int, k: int) -> BarcodeHits:
    def none(*shape: int) -> NDArray[np.int64]:
        return np.full(shape, UNKNOWN, np.int64)

    return BarcodeHits(
        row_QK=none(queries, k),
        haplotype_QK=none(queries, k),
        species_QK=none(queries, k),
        records_QK=np.zeros((queries, k), np.int64),
        identity_QK=np.full((queries, k), np.nan),
        overlap_QK=np.zeros((queries, k), np.int64),
        distance_QK=np.full((queries, k), np.nan),
        strand_Q=np.zeros(queries, np.int8),
        tied_Q=np.zeros(queries, np.int64),
        gap_Q=np.full(queries, np.nan),
        other_Q=none(queries),
        other_haplotype_Q=none(queries),
        other_distance_Q=np.full(queries, np.nan),
        failure_Q=(),
    )


def _write(hits: BarcodeHits, found: Found, references: References) -> None:
    """Writes what was found into empty hits; N: a reference of each haplotype that was compared."""
    first_P = references.start_H[found.haplotype_P]
    number_P = references.start_H[found.haplotype_P + 1] - first_P
    pair_N = np.repeat(np.arange(len(number_P)), number_P)
    number_N = (first_P - np.cumsum(number_P) + number_P)[pair_N] + np.arange(len(pair_N))
    order = np.lexsort(
        (
            references.row_N[number_N],
            -references.records_N[number_N],
            -found.compared_P[pair_N],
            found.distance_P[pair_N],
            found.query_P[pair_N],
        )
    )
    pair_N, number_N = pair_N[order], number_N[order]
    query_N = found.query_P[pair_N]
    place_N = place_in(query_N)
    best_N = np.arange(len(query_N)) - place_N
    compared_N, distance_N = found.compared_P[pair_N], found.distance_P[pair_N]
    haplotype_N, species_N = found.haplotype_P[pair_N], references.species_N[number_N]
    identity_N = 100.0 * (1.0 - found.different_P[pair_N] / np.maximum(compared_N, 1))
    told = place_N < hits.row_QK.shape[1]
    at = query_N[told], place_N[told]
    for table_QK, column_N in (
        (hits.row_QK, references.row_N[number_N]),
        (hits.haplotype_QK, haplotype_N),
        (hits.species_QK, species_N),
        (hits.records_QK, references.records_N[number_N]),
        (hits.identity_QK, identity_N),
        (hits.overlap_QK, compared_N),
        (hits.distance_QK, distance_N),
    ):
        table_QK[at] = column_N[told]
    hits.strand_Q[found.query_P] = found.strand_P
    tied_N = (distance_N == distance_N[best_N]) & (compared_N == compared_N[best_N])
    tied_N &= species_N != UNKNOWN
    tied = np.unique(np.stack([query_N[tied_N], species_N[tied_N]]), axis=1)[0]
    hits.tied_Q[:] = np.bincount(tied, minlength=len(hits.tied_Q))
    own_N = species_N[best_N]
    is_other_N = (species_N != own_N) & (species_N != UNKNOWN) & (own_N != UNKNOWN)
    other = np.flatnonzero(is_other_N)
    other = other[place_in(query_N[other]) == 0]
    query = query_N[other]
    hits.gap_Q[query] = identity_N[best_N[other]] - identity_N[other]
    hits.other_Q[query] = references.row_N[number_N[other]]
    hits.other_haplotype_Q[query] = haplotype_N[other]
    hits.other_distance_Q[query] = distance_N[other]


def place_in(group_N: NDArray[np.int64]) -> NDArray[np.int64]:
    """Returns how many of the same group stand before each, int64 (N,); ``group_N`` is ascending."""
    place_N: NDArray[np.int64] = np.arange(len(group_N)) - np.searchsorted(group_N, group_N)
    return place_N
