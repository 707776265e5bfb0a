"""A barcode above the reference that is closest to it, base by base, as text."""

from dataclasses import dataclass

import edlib
import numpy as np
from numpy.typing import NDArray

from holotype.index.barcodes.identity import EQUALITIES, edits_with_gaps, overlap_at, side_by_side
from holotype.index.barcodes.masks import ANY, letters, masks_of, tidy
from holotype.media.strands import reverse_complement
from holotype.page.words import plain

COLUMNS = 60
_MAY_BE_EQUAL = frozenset(EQUALITIES) | {(second, first) for first, second in EQUALITIES}


@dataclass(frozen=True)
class Aligned:
    """Two sequences, column by column.

    Attributes:
        query: with ``-`` where it lacks a base.
        marks: ``|`` equal, ``:`` may be equal (ambiguity codes), `` `` different.
        reference: with ``-`` where it lacks a base.
        query_start: the base of the query in the first column, from 1, on the strand shown.
        reference_start: likewise.
    """

    query: str
    marks: str
    reference: str
    query_start: int
    reference_start: int

    def lines(self) -> list[tuple[str, str, str]]:
        """Returns blocks of three lines, numbered by the base that each begins with."""
        blocks = []
        at = [self.query_start, self.reference_start]
        for start in range(0, len(self.query), COLUMNS):
            query = self.query[start : start + COLUMNS]
            marks = self.marks[start : start + COLUMNS]
            reference = self.reference[start : start + COLUMNS]
            blocks.append((f"{at[0]:>5} {query}", f"{'':>5} {marks}", f"{at[1]:>5} {reference}"))
            at = [
                place + len(text) - text.count("-")
                for place, text in zip(at, (query, reference), strict=True)
            ]
        return blocks

    def html(self, reference: str) -> str:
        """Returns the alignment as a block that is folded away.

        Args:
            reference: the name of the record below, as HTML.
        """
        text = "\n\n".join("\n".join(block) for block in self.lines())
        return (
            f"<details><summary>Aligned with {reference}, this barcode above</summary>"
            f'<pre class="aligned" tabindex="0" role="region" aria-label="Alignment">{plain(text)}</pre>'
            "</details>"
        )


def align(query: str, reference: str, *, strand: str = "+") -> Aligned:
    """Returns two barcodes aligned where they overlap: what only one of them has at an end is left out.

    Base beside base at the shift where most are equal, as ``identity`` compares them; with gaps where it
    finds any, by edlib (Sosic & Sikic 2017, doi:10.1093/bioinformatics/btw753).

    Args:
        query: nucleotides with IUPAC codes.
        reference: likewise.
        strand: ``-`` turns the query.

    Raises:
        MediaError: for letters that are no nucleotides.

    >>> found = align("ACGTTAC", "GGACGATACGG")
    >>> found.query, found.marks, found.reference, found.reference_start
    ('ACGTTAC', '||| |||', 'ACGATAC', 3)
    """
    own = tidy(query)
    masks = masks_of([reverse_complement(own) if strand == "-" else own, tidy(reference)])
    query_L, reference_M = masks.of(0), masks.of(1)
    shift = _shift(query_L, reference_M)
    first, second = max(0, shift), max(0, -shift)
    size = min(len(query_L) - first, len(reference_M) - second)
    above = letters(query_L[first : first + size]).decode()
    without_gaps = side_by_side(query_L, reference_M, shift)
    edits = edits_with_gaps(query_L, reference_M, shift, without_gaps)
    if edits and overlap_at(query_L, reference_M, shift) != without_gaps:
        begin = max(0, second - edits)
        around = letters(reference_M[begin : second + size + edits]).decode()
        return _with_gaps(above, around, first, begin)
    below = letters(reference_M[second : second + size]).decode()
    return Aligned(above, _marks(above, below), below, first + 1, second + 1)


def _shift(query_L: NDArray[np.uint8], reference_M: NDArray[np.uint8]) -> int:
    """Returns the shift (as of ``overlap_at``) at which most bases are equal; N equals none."""
    clear_L, clear_M = (np.where(mask == ANY, 0, mask) for mask in (query_L, reference_M))
    equal = sum(
        np.correlate((clear_L >> bit & 1).astype(float), (clear_M >> bit & 1).astype(float), "full")
        for bit in range(4)
    )
    return int(np.argmax(equal)) - (len(reference_M) - 1)


def _with_gaps(query: str, around: str, first: int, second: int) -> Aligned:
    """Returns a part of a query within a part of a reference, which begin after so many bases."""
    found = edlib.align(query, around, mode="HW", task="path", additionalEqualities=EQUALITIES)
    nice = edlib.getNiceAlignment(found, query, around)
    above, below = nice["query_aligned"], nice["target_aligned"]
    begin, end = _free(above, below), len(above) - _free(above[::-1], below[::-1])
    query_start = 1 + first + begin - above[:begin].count("-")
    reference_start = (
        1 + second + (found["locations"][0][0] or 0) + begin - below[:begin].count("-")
    )
    above, below = above[begin:end], below[begin:end]
    return Aligned(above, _marks(above, below), below, query_start, reference_start)


def _free(above: str, below: str) -> int:
    """Returns how many columns at the start have a base on one side alone."""
    return next(
        (at for at, pair in enumerate(zip(above, below, strict=True)) if "-" not in pair),
        len(above),
    )


def _marks(above: str, below: str) -> str:
    return "".join(
        "|" if one == other else ":" if (one, other) in _MAY_BE_EQUAL else " "
        for one, other in zip(above, below, strict=True)
    )
