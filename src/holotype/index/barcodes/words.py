"""The words of barcodes: counts of words of four bases, and words of eight or twelve at chosen places.

Shape legend: N sequences, B bytes of all of them, W = 256 words of four bases, S chosen places.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holotype.index.barcodes.masks import Masks

NUM_WORDS = 256
WORD_BP, STEP = 8, 8
"""Of every so many words of eight bases of a reference one is kept."""
_CODE_OF_MASK = bytes({1: 0, 2: 1, 4: 2, 8: 3}.get(mask, 0) for mask in range(256))
_UNCLEAR_MASK = bytes(mask not in (1, 2, 4, 8) for mask in range(256))
_BLOCK_BYTES = 1 << 18


def words_of_four(mask_B: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Returns the word of four bases that starts at each byte, uint8 (B,); unclear bases are read as A.

    A word that reaches over the end of its sequence means nothing.
    """
    code_B = np.frombuffer(mask_B.tobytes().translate(_CODE_OF_MASK) + bytes(3), np.uint8)
    size = len(mask_B)
    word_B = (
        (code_B[:size] << 6) | (code_B[1 : size + 1] << 4) | (code_B[2 : size + 2] << 2)
    ) | code_B[3:]
    return word_B.astype(np.uint8, copy=False)


def words_of_eight(mask_B: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """Returns the word of eight bases that starts at each byte, uint16 (B,); as ``words_of_four``."""
    word_B = np.append(words_of_four(mask_B), np.zeros(4, np.uint8)).astype(np.uint16)
    return (word_B[:-4] << np.uint16(8)) | word_B[4:]


def clear_words(mask_B: NDArray[np.uint8], bases: int) -> NDArray[np.bool_]:
    """Returns whether a word of so many bases that starts at a byte is whole and unambiguous, bool (B,)."""
    unclear = bytearray(mask_B.tobytes().translate(_UNCLEAR_MASK) + bytes([1] * (bases - 1)))
    unclear_B = np.frombuffer(unclear, np.bool_)
    size, reach = len(mask_B), 1
    # Each round doubles how far ahead is looked; the last one reaches exactly as far as the word.
    while reach < bases:
        step = min(reach, bases - reach)
        unclear_B[: len(unclear_B) - step] |= unclear_B[step:]
        reach += step
    return ~unclear_B[:size]


def counts_of_four(sequences: Masks) -> NDArray[np.uint8]:
    """Returns how often each word of four bases occurs in each sequence, uint8 (N, 256).

    Counts above 255 are given as 255. Words with an ambiguous base are left out.
    """
    count_NW = np.zeros((len(sequences), NUM_WORDS), np.uint8)
    for first, last, mask_B in sequences.blocks(_BLOCK_BYTES):
        row_B = np.repeat(
            np.arange(last - first, dtype=np.int64) << 8, sequences.length_N[first:last] + 1
        )
        row_B |= words_of_four(mask_B)
        counts = np.bincount(row_B[clear_words(mask_B, 4)], minlength=(last - first) << 8)
        count_NW[first:last] = np.minimum(counts, 255).reshape(-1, NUM_WORDS)
    return count_NW


@dataclass(frozen=True)
class Seeds:
    """Every eighth word of eight bases of each sequence.

    Attributes:
        word_S: uint16, the words of one sequence after those of another.
        start_N: int64, where each sequence's words begin; one more entry says where the last ones end.
    """

    word_S: NDArray[np.uint16]
    start_N: NDArray[np.int64]


def seeds_of(sequences: Masks) -> Seeds:
    """Returns the words of eight bases at the places 0, 8, 16 ... of each sequence."""
    start_N = seed_starts(sequences.length_N)
    number_N = np.diff(start_N)
    # Place of each word in the masks: its sequence's start, and four for each word before it.
    origin_N = sequences.start_N - STEP * start_N[:-1]
    place_S = np.repeat(origin_N, number_N) + STEP * np.arange(start_N[-1])
    word_B = words_of_four(sequences.mask_B)
    return Seeds((word_B[place_S].astype(np.uint16) << np.uint16(8)) | word_B[place_S + 4], start_N)


def seed_starts(length_N: NDArray[np.int64]) -> NDArray[np.int64]:
    """Returns where the chosen words of sequences of these lengths begin, int64 (N + 1,)."""
    number_N = np.maximum(0, (length_N - WORD_BP) // STEP + 1)
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(number_N)])
