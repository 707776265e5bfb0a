"""The answer to queries: which references are nearest, how near, and how far the next species is.

Shape legend: Q queries, K hits, N references, H haplotypes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from holotype.index.barcodes.identity import Overlap
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


class Judged(NamedTuple):
    """A haplotype that was compared with a query; in the order of hits."""

    distance: float
    fewer_compared: int
    haplotype: int
    overlap: Overlap


class Found(NamedTuple):
    """What was compared with a query, and on which of its strands: 1 as given, -1 turned."""

    judged: list[Judged]
    strand: int


class _Named(NamedTuple):
    """A reference that was compared; in the order of hits.

    That is: near, then compared over more bases, then with more records, then given first.
    """

    distance: float
    fewer_compared: int
    fewer_records: int
    row: int
    species: int
    haplotype: int
    overlap: Overlap


def hits_of(
    found_Q: Sequence[Found | None],
    references: References,
    *,
    k: int,
    failure_Q: Sequence[str | None],
) -> BarcodeHits:
    """Returns the hits of queries, k of each at most.

    Args:
        found_Q: what was compared with each query; None where nothing was.
        references: of the library.
        k: most hits of a query.
        failure_Q: why nothing was compared.
    """
    hits = _no_hits(len(found_Q), k)
    why_Q = list(failure_Q)
    for query, found in enumerate(found_Q):
        named = _named(found, references) if found else []
        if found and named:
            _write(hits, query, named, found.strand)
        else:
            why_Q[query] = why_Q[query] or "no reference overlaps it far enough"
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


def _write(hits: BarcodeHits, query: int, named: list[_Named], strand: int) -> None:
    best, k = named[0], hits.row_QK.shape[1]
    hits.strand_Q[query] = strand
    for place, hit in enumerate(named[:k]):
        hits.row_QK[query, place] = hit.row
        hits.haplotype_QK[query, place] = hit.haplotype
        hits.species_QK[query, place] = hit.species
        hits.records_QK[query, place] = -hit.fewer_records
        hits.identity_QK[query, place] = hit.overlap.identity_pct
        hits.overlap_QK[query, place] = hit.overlap.compared
        hits.distance_QK[query, place] = hit.distance
    tied = {hit.species for hit in named if hit[:2] == best[:2]}
    hits.tied_Q[query] = len(tied - {UNKNOWN})
    other = next((hit for hit in named if hit.species not in {best.species, UNKNOWN}), None)
    if other is not None and best.species != UNKNOWN:
        hits.gap_Q[query] = best.overlap.identity_pct - other.overlap.identity_pct
        hits.other_Q[query] = other.row
        hits.other_haplotype_Q[query] = other.haplotype
        hits.other_distance_Q[query] = other.distance


def _named(found: Found, references: References) -> list[_Named]:
    named = []
    for distance, fewer, haplotype, overlap in found.judged:
        first, end = references.start_H[haplotype : haplotype + 2].tolist()
        named += [
            _Named(distance, fewer, -records, row, species, haplotype, overlap)
            for records, row, species in zip(
                references.records_N[first:end].tolist(),
                references.row_N[first:end].tolist(),
                references.species_N[first:end].tolist(),
                strict=True,
            )
        ]
    return sorted(named)
