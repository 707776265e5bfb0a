"""How two barcodes agree where they overlap: equal bases of the bases compared, ends free, codes heeded.

The overlap follows from a shift (``where_alike``). The bases are compared place by place; where gaps save
``WORTH`` differences or more, the overlap is aligned by edlib (Sosic & Sikic 2017,
doi:10.1093/bioinformatics/btw753). A column with an N on either side is neither equal nor different; other
ambiguity codes equal what they may stand for. A gap of n bases is n differences; gaps at the ends are none.

Ranking is by ``distance``, not by bare identity: one difference is added to those found (the rule of
succession), so that 100 equal bases (1/102) do not beat 650 with 2 differences (3/652).

Shape legend: L bases of a query, M of a reference, A columns of their overlap.
"""

import re
from itertools import product
from typing import NamedTuple

import edlib
import numpy as np
from numpy.typing import NDArray

from holotype.index.barcodes.masks import ANY, LETTERS, is_clear, letters

WORTH = 4
"""Gaps are looked for where they save so many differences."""
DIFFERENCE, GAP = 2, 9
"""What a difference, and the first base of a gap, cost in matches; about as VSEARCH weighs them."""
EQUALITIES = [
    (first, second)
    for (one, first), (other, second) in product(enumerate(LETTERS), repeat=2)
    if one & other and first < second
]
"""Letters that may stand for one base."""
_GAP_RUN = re.compile(r"(\d+)([ID])")
_RUN = re.compile(r"(\d+)([=XID])")


class Overlap(NamedTuple):
    """How two barcodes agree where they overlap.

    Attributes:
        different: columns that differ, gaps among them.
        compared: columns that are equal or differ; those with an N are not among them.
    """

    different: int
    compared: int

    @property
    def identity_pct(self) -> float:
        """Equal columns among the compared ones, per cent; 0 where nothing is compared."""
        return 100.0 * (1.0 - self.different / self.compared) if self.compared else 0.0

    @property
    def distance(self) -> float:
        """Expected share of differing bases, 0 to 1: (different + 1) / (compared + 2)."""
        return (self.different + 1) / (self.compared + 2)


def overlap_at(query_L: NDArray[np.uint8], reference_M: NDArray[np.uint8], shift: int) -> Overlap:
    """Returns how two barcodes agree when base ``shift + j`` of the query lies beside base j of the other.

    The alignment may move away from the shift where bases were lost or gained. An insertion within the last
    dozen bases of an overlap may be counted as differing bases instead.

    Args:
        query_L: uint8, masks of the query (``masks``).
        reference_M: uint8, masks of the reference.
        shift: of ``where_alike``; either sign.
    """
    found = side_by_side(query_L, reference_M, shift)
    edits = edits_with_gaps(query_L, reference_M, shift, found)
    return aligned(query_L, reference_M, shift, edits) if edits else found


def side_by_side(query_L: NDArray[np.uint8], reference_M: NDArray[np.uint8], shift: int) -> Overlap:
    """Returns how two barcodes agree at one shift, without gaps; as ``overlap_at``."""
    query_A, reference_A = _beside(query_L, reference_M, shift)
    different = len(query_A) - int(np.count_nonzero(query_A & reference_A))
    if is_clear(query_A) and is_clear(reference_A):
        return Overlap(different, len(query_A))
    return Overlap(different, len(query_A) - _unknown(query_A, reference_A))


def edits_with_gaps(
    query_L: NDArray[np.uint8], reference_M: NDArray[np.uint8], shift: int, found: Overlap
) -> int:
    """Returns how many edits explain the overlap where gaps are worth it; 0 where they are not.

    Args:
        query_L: as of ``overlap_at``.
        reference_M: as of ``overlap_at``.
        shift: as of ``overlap_at``.
        found: of ``side_by_side``.
    """
    # A gap in one sequence has its counterpart within or behind the overlap: two edits at least.
    most = found.different - WORTH
    if most < 2:
        return 0
    query_A, reference_A = _beside(query_L, reference_M, shift)
    equal = None if is_clear(query_A) and is_clear(reference_A) else EQUALITIES
    edits = edlib.align(letters(query_A), letters(reference_A), k=most, additionalEqualities=equal)[
        "editDistance"
    ]
    return max(0, int(edits))


def _beside(
    query_L: NDArray[np.uint8], reference_M: NDArray[np.uint8], shift: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    first, second = max(0, shift), max(0, -shift)
    columns = max(0, min(len(query_L) - first, len(reference_M) - second))
    return query_L[first : first + columns], reference_M[second : second + columns]


def _unknown(query_A: NDArray[np.uint8], reference_A: NDArray[np.uint8]) -> int:
    """Returns in how many columns there is an N."""
    return int(np.count_nonzero((query_A == ANY) | (reference_A == ANY)))


def aligned(
    query_L: NDArray[np.uint8], reference_M: NDArray[np.uint8], shift: int, edits: int
) -> Overlap:
    """Returns the overlap with its gaps; bases at its ends that have no partner are no columns.

    Args:
        query_L: as of ``overlap_at``.
        reference_M: as of ``overlap_at``.
        shift: as of ``overlap_at``.
        edits: of ``edits_with_gaps``; the alignment moves away from the shift by no more.
    """
    inner, outer = _ends_free(query_L, reference_M, shift, edits)
    clear = is_clear(inner) and is_clear(outer)
    found = edlib.align(
        letters(inner),
        letters(outer),
        mode="HW",
        task="path",
        k=edits,
        additionalEqualities=None if clear else EQUALITIES,
    )
    cigar = found["cigar"]
    gaps = [
        (int(run[1]), run[2], run.start() == 0 or run.end() == len(cigar))
        for run in _GAP_RUN.finditer(cigar)
    ]
    at_ends = sum(size for size, _, at_end in gaps if at_end)
    different = int(found["editDistance"]) - at_ends
    compared = len(inner) + sum(size for size, kind, _ in gaps if kind == "D") - at_ends
    if not clear:
        compared -= _unknown_in(cigar, inner, outer[found["locations"][0][0] or 0 :])
    in_gaps = [size for size, _, at_end in gaps if not at_end]
    with_gaps = _score(different - sum(in_gaps), compared - sum(in_gaps))
    with_gaps -= sum(GAP + size - 1 for size in in_gaps)
    without = side_by_side(query_L, reference_M, shift)
    return Overlap(different, compared) if with_gaps > _score(*without) else without


def _score(different: int, compared: int) -> int:
    return compared - (1 + DIFFERENCE) * different


def _ends_free(
    query_L: NDArray[np.uint8], reference_M: NDArray[np.uint8], shift: int, edits: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Returns a sequence to align whole, and one to align it in, such that the ends of both are free.

    Where only their ends overlap, N stand in for what lies beyond: they match all, and are no columns.
    """
    first, second = max(0, shift), max(0, -shift)
    columns = min(len(query_L) - first, len(reference_M) - second)
    if columns == len(query_L):
        return query_L, reference_M[max(0, second - edits) : second + columns + edits]
    if columns == len(reference_M):
        return reference_M, query_L[max(0, first - edits) : first + columns + edits]
    left, right, start = query_L, reference_M, first
    if second:
        left, right, start = reference_M, query_L, second
    begin = max(0, start - edits)
    unknown = np.full(start - begin + edits, ANY, np.uint8)
    inner = np.concatenate([left[begin:], unknown[: min(edits, len(right) - columns)]])
    outer = np.concatenate([unknown, right[: columns + 2 * edits], unknown])
    return inner, outer


def _unknown_in(cigar: str, query: NDArray[np.uint8], reference: NDArray[np.uint8]) -> int:
    """Returns in how many of the columns without a gap there is an N."""
    place = other = unknown = 0
    for digits, kind in _RUN.findall(cigar):
        size = int(digits)
        if kind == "=":
            unknown += _unknown(query[place : place + size], reference[other : other + size])
        place += size if kind != "D" else 0
        other += size if kind != "I" else 0
    return unknown
