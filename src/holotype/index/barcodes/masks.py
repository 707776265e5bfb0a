"""Barcodes as bit masks, one after the other: what search, alignment and the files of a library work on.

A base is one byte: A 1, C 2, G 4, T 8, an ambiguity code the sum of what it may stand for, N 15. Two bases
match where their masks share a bit. A byte 0 follows each sequence, so that no word reaches into the next.

Shape legend: N sequences, B bytes of all of them, P pairs, L columns.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from holotype.errors import MediaError, first_few

ANY = 15
"""The mask of N."""
LETTERS = "-ACMGRSVTWYHKDBN"
"""The letter of each mask."""
_TIDY = str.maketrans({"U": "T", "?": "N", **dict.fromkeys("-.~ \t\r\n")})
_UNTIDY = re.compile(r"[^ACGTRYSWKMBDHVN]")
_CODES = LETTERS[1:].encode("ascii")
_MASK_OF_LETTER = bytes(max(0, LETTERS.find(chr(code))) for code in range(256))
_LETTER_OF_MASK = LETTERS.encode("ascii").ljust(256, b"-")
_CLEAR = bytes([1, 2, 4, 8])
_OTHER_STRAND = np.array([int(f"{mask:04b}"[::-1], 2) for mask in range(16)], np.uint8)


@dataclass(frozen=True)
class Masks:
    """Sequences as bit masks.

    Attributes:
        mask_B: uint8, the bases of all sequences, each sequence followed by a 0.
        start_N: int64, where each sequence begins.
        length_N: int64, its bases (bp).
    """

    mask_B: NDArray[np.uint8]
    start_N: NDArray[np.int64]
    length_N: NDArray[np.int64]

    def blocks(self, most_bytes: int) -> Iterator[tuple[int, int, NDArray[np.uint8]]]:
        """Yields the sequences in runs of about so many bytes, at least one in each: first, end, masks."""
        end_N = self.start_N + self.length_N + 1
        first = 0
        while first < len(self):
            begin = int(self.start_N[first])
            end = max(int(np.searchsorted(end_N, begin + most_bytes, side="right")), first + 1)
            yield first, end, self.mask_B[begin : int(end_N[end - 1])]
            first = end

    def __len__(self) -> int:
        return len(self.start_N)

    def of(self, number: int) -> NDArray[np.uint8]:
        """Returns the bases of one sequence, uint8, a view."""
        start = int(self.start_N[number])
        return self.mask_B[start : start + int(self.length_N[number])]

    def text(self, number: int) -> str:
        """Returns one sequence as IUPAC letters."""
        return letters(self.of(number)).decode("ascii")

    def chosen(self, rows: NDArray[np.int64]) -> "Masks":
        """Returns some of the sequences, in the order asked for."""
        return joined([self.of(row) for row in rows.tolist()])

    def between(self, first: int, last: int) -> "Masks":
        """Returns the sequences from one number up to another, which is not among them; views."""
        begin = int(self.start_N[first])
        end = int(self.start_N[last - 1] + self.length_N[last - 1]) + 1
        start_N = self.start_N[first:last] - begin
        return Masks(self.mask_B[begin:end], start_N, self.length_N[first:last])

    def laid(
        self, number_P: NDArray[np.int64], first_P: NDArray[np.int64], columns: int
    ) -> NDArray[np.uint8]:
        """Returns bases of sequences from a place on, uint8 (P, columns); 0 outside them and for N.

        Args:
            number_P: the sequences.
            first_P: the place of each one's base in the first column; either sign.
            columns: how many.
        """
        start_P = self.start_N[number_P] + first_P
        size = len(self.mask_B)
        inside_P = (start_P >= 0) & (start_P + columns <= size)
        laid_PL = np.zeros((len(number_P), columns), np.uint8)
        if inside_P.any():
            laid_PL[inside_P] = sliding_window_view(self.mask_B, columns)[start_P[inside_P]]
        for place in np.flatnonzero(~inside_P).tolist():
            start = int(start_P[place])
            begin = min(max(0, start), size)
            end = max(begin, min(size, start + columns))
            laid_PL[place, begin - start : end - start] = self.mask_B[begin:end]
        column_L = np.arange(columns, dtype=np.int32)
        begin_P1 = np.maximum(0, -first_P).astype(np.int32)[:, None]
        end_P1 = (self.length_N[number_P] - first_P).astype(np.int32)[:, None]
        laid_PL *= (column_L >= begin_P1) & (column_L < end_P1) & (laid_PL != ANY)
        return laid_PL

    def turned(self) -> "Masks":
        """Returns the other strand of every sequence, in the same order."""
        start_N = len(self.mask_B) - 1 - self.start_N - self.length_N
        # The 0 that stood behind the last sequence goes from the front to the end.
        other = np.append(self.mask_B[-2::-1], np.uint8(0))
        return Masks(_OTHER_STRAND[other], start_N, self.length_N)


def tidy(written: str) -> str:
    """Returns nucleotides in capitals, without gaps, blanks and outer N; U as T, "?" as N.

    >>> tidy("nnac-gu?aN")
    'ACGTNA'
    """
    if written.encode("ascii", "replace").translate(None, _CODES):
        written = written.upper().translate(_TIDY)
    return written.strip("N")


def masks_of(sequences: Sequence[str]) -> Masks:
    """Returns tidy sequences (``tidy``) as bit masks.

    Raises:
        MediaError: when sequences have letters that are no nucleotide codes; it names the first of them.
    """
    text = "".join(f"{sequence}\n" for sequence in sequences).encode("ascii", "replace")
    mask_B = np.frombuffer(text.translate(_MASK_OF_LETTER), np.uint8)
    length_N = np.fromiter(map(len, sequences), np.int64, len(sequences))
    start_N = np.cumsum(length_N + 1) - length_N - 1
    if np.count_nonzero(mask_B) != int(length_N.sum()):
        is_end_B = np.frombuffer(text, np.uint8) == ord("\n")
        wrong = np.flatnonzero((mask_B == 0) & ~is_end_B)
        rows = np.unique(np.searchsorted(start_N, wrong, side="right") - 1)
        first = sequences[rows[0]]
        letter = _UNTIDY.search(first)
        assert letter is not None
        raise MediaError(
            f"barcodes {first_few([str(row + 1) for row in rows.tolist()])}: no nucleotides; the first of "
            f"them has '{letter.group()}' at base {letter.start() + 1}. Clean them (clean_barcode) or leave "
            "them out."
        )
    return Masks(mask_B, start_N, length_N)


def joined(parts: Iterable[NDArray[np.uint8]]) -> Masks:
    """Returns sequences that are bit masks already as one."""
    parts = list(parts)
    zero = np.zeros(1, np.uint8)
    flat = [piece for part in parts for piece in (part, zero)]
    lengths = [len(part) for part in parts]
    starts = list(accumulate((length + 1 for length in lengths), initial=0))[:-1]
    return Masks(
        np.concatenate([zero[:0], *flat]),
        np.array(starts, np.int64),
        np.array(lengths, np.int64),
    )


def letters(mask_B: NDArray[np.uint8]) -> bytes:
    """Returns masks as IUPAC letters (ASCII)."""
    return mask_B.tobytes().translate(_LETTER_OF_MASK)


def is_clear(mask_B: NDArray[np.uint8]) -> bool:
    """Returns whether all bases are A, C, G or T."""
    return not mask_B.tobytes().translate(None, _CLEAR)
