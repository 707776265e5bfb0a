"""A barcode above the reference that is closest to it, base by base, as text."""

from dataclasses import dataclass
from itertools import product

import edlib

from holotype.index.barcodes.masks import LETTERS
from holotype.media.strands import reverse_complement
from holotype.page.words import plain

COLUMNS = 60
_EQUAL = [
    (first, second)
    for (one, first), (other, second) in product(enumerate(LETTERS), repeat=2)
    if one & other and first != second
]


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

    By edlib (Sosic & Sikic 2017, doi:10.1093/bioinformatics/btw753); the shorter lies in the longer. The
    figures of an answer are of a finer comparison (docs/why/barcode-identity.md).

    Args:
        query: nucleotides with IUPAC codes.
        reference: likewise.
        strand: ``-`` turns the query.

    >>> found = align("ACGTTAC", "GGACGATACGG")
    >>> found.query, found.marks, found.reference, found.reference_start
    ('ACGTTAC', '||| |||', 'ACGATAC', 3)
    """
    turned = reverse_complement(query) if strand == "-" else query
    is_inner = len(turned) <= len(reference)
    inner, outer = (turned, reference) if is_inner else (reference, turned)
    found = edlib.align(inner, outer, mode="HW", task="path", additionalEqualities=_EQUAL)
    nice = edlib.getNiceAlignment(found, inner, outer)
    above, below = nice["query_aligned"], nice["target_aligned"]
    begin, end = _free(above, below), len(above) - _free(above[::-1], below[::-1])
    inner_start = 1 + begin - above[:begin].count("-")
    outer_start = 1 + (found["locations"][0][0] or 0) + begin - below[:begin].count("-")
    above, below = above[begin:end], below[begin:end]
    if is_inner:
        return Aligned(above, _marks(above, below), below, inner_start, outer_start)
    return Aligned(below, _marks(below, above), above, outer_start, inner_start)


def _free(above: str, below: str) -> int:
    """Returns how many columns at the start have a base on one side alone."""
    return next(
        (at for at, pair in enumerate(zip(above, below, strict=True)) if "-" not in pair),
        len(above),
    )


def _marks(above: str, below: str) -> str:
    may = set(_EQUAL)
    return "".join(
        "|" if one == other else ":" if (one, other) in may else " "
        for one, other in zip(above, below, strict=True)
    )
