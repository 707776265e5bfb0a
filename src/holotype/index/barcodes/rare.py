"""Rare words of twelve bases and where they occur: candidates among millions of barcodes.

Of all words a fixed quarter is kept, chosen by a hash of the word alone, so that a query and a reference keep
the same ones. A query asks for its rarest words first, and stops at ``MOST_PLACES``: what it
costs follows its near relatives, not the library. Words that very many have tell little, and come last.

Shape legend: N references, P places, V = 4**12 words, C candidates, L bases of a query.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holotype.index.barcodes.masks import Masks
from holotype.index.barcodes.words import clear_words, words_of_eight, words_of_four

BASES = 12
NUM_WORDS = 4**BASES
MOST_PLACES = 20_000
FEWEST_WORDS = 8
"""So many words are asked for, however common they are."""
_BLOCK_BYTES = 1 << 26
_SPREAD = np.uint32(2_654_435_761)


@dataclass(frozen=True)
class RareWords:
    """Where each kept word occurs.

    Attributes:
        start_V: int64 (4**12 + 1,), where each word's places begin in ``reference_P``.
        reference_P: int32, references that have the word, ascending; a reference is named once a word.
    """

    start_V: NDArray[np.int64]
    reference_P: NDArray[np.int32]


def rare_words_of(sequences: Masks) -> RareWords:
    """Returns where the kept words of the sequences occur."""
    parts = [np.empty(0, np.uint64)]
    end_N = sequences.start_N + sequences.length_N + 1
    for first, last, mask_B in sequences.blocks(_BLOCK_BYTES):
        word_B = _words(mask_B)
        kept = np.flatnonzero(_is_kept(word_B) & clear_words(mask_B, BASES))
        ends = end_N[first:last] - sequences.start_N[first]
        row = np.searchsorted(ends, kept, side="right") + first
        parts.append((word_B[kept].astype(np.uint64) << np.uint64(32)) | row.astype(np.uint64))
    pair_P = np.concatenate(parts)
    parts.clear()
    pair_P.sort()
    is_new = np.ones(len(pair_P), np.bool_)
    np.not_equal(pair_P[1:], pair_P[:-1], out=is_new[1:])
    pair_P = pair_P[is_new]
    reference_P = (pair_P & np.uint64(0xFFFFFFFF)).astype(np.int32)
    pair_P >>= np.uint64(32)
    number_V = np.bincount(pair_P.view(np.int64), minlength=NUM_WORDS)
    return RareWords(np.concatenate([[0], np.cumsum(number_V)]), reference_P)


def _words(mask_B: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Returns the word of twelve bases that starts at each byte, uint32 (B,)."""
    last_B = np.append(words_of_four(mask_B), np.zeros(8, np.uint8))[8:]
    word_B: NDArray[np.uint32] = (words_of_eight(mask_B).astype(np.uint32) << np.uint32(8)) | last_B
    return word_B


def _is_kept(word_B: NDArray[np.uint32]) -> NDArray[np.bool_]:
    # Multiplicative hashing (Knuth): the upper bits of the product depend on all bases of the word.
    kept: NDArray[np.bool_] = (word_B * _SPREAD) >> np.uint32(30) == 0
    return kept


def share_rare_words(
    query_L: NDArray[np.uint8], rare: RareWords, *, most: int
) -> NDArray[np.int64]:
    """Returns the references that share most of the query's rare words, best first, int64 (C,).

    There are at most ``most``; fewer when fewer share any.
    """
    word_L = _words(query_L)
    word = np.unique(word_L[_is_kept(word_L) & clear_words(query_L, BASES)])
    word = word[rare.start_V[word + 1] > rare.start_V[word]]
    first, end = rare.start_V[word], rare.start_V[word + 1]
    order = np.argsort(end - first, kind="stable")
    within = np.cumsum((end - first)[order]) <= MOST_PLACES
    within[:FEWEST_WORDS] = True
    chosen = order[within]
    places = zip(first[chosen].tolist(), end[chosen].tolist(), strict=True)
    found = np.concatenate([np.empty(0, np.int32), *(rare.reference_P[a:b] for a, b in places)])
    reference, number = np.unique(found, return_counts=True)
    best = np.argsort(-number, kind="stable")[:most]
    return reference[best].astype(np.int64)
