"""Which references are worth aligning with a query, and at which shift: words that both have.

``most_alike`` compares a query's counts of words of four bases with those of every reference (cosine of the
square roots, so that common words do not rule); ``where_alike`` then looks at where words of eight lie in
both: those of one shift speak for an overlap.

Shape legend: Q queries, N references, W = 256 words, C candidates, L bases of a query.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from holotype.index.barcodes.words import STEP, Seeds, words_of_eight
from holotype.media.kmers import unit_rows

BLOCK_REFERENCES, BLOCK_QUERIES = 16_384, 512
BAND_BP = 24
"""Words whose shifts differ by no more speak for the same overlap, with bases lost or gained in it."""
_NONE = -1


def features(count_NW: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Returns square roots of the counts as unit rows, float32 (N, W)."""
    return unit_rows(np.sqrt(count_NW, dtype=np.float32))


def most_alike(
    query_QW: NDArray[np.float32],
    count_NW: NDArray[np.uint8],
    *,
    most: int,
    apart: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None,
) -> NDArray[np.int64]:
    """Returns the references most like each query, in no order, int64 (Q, min(most, N)).

    Args:
        query_QW: of ``features``.
        count_NW: of the references.
        most: how many.
        apart: codes of the queries and of the references; references of a query's own code come last.
    """
    number_Q, likeness_Q = [], []
    for start in range(0, len(count_NW), BLOCK_REFERENCES):
        block = slice(start, start + BLOCK_REFERENCES)
        z_WB = features(count_NW[block]).T
        found = []
        for some in _query_blocks(len(query_QW)):
            likeness_QB = query_QW[some] @ z_WB
            if apart is not None:
                likeness_QB[apart[0][some, None] == apart[1][block]] = _NONE
            found.append(_best(likeness_QB, most))
        number_Q.append(np.concatenate([number for number, _ in found]) + start)
        likeness_Q.append(np.concatenate([likeness for _, likeness in found]))
    number_QC, likeness_QC = np.concatenate(number_Q, axis=1), np.concatenate(likeness_Q, axis=1)
    best_QC, _ = _best(likeness_QC, most)
    return np.take_along_axis(number_QC, best_QC, axis=1)


def _query_blocks(number: int) -> list[slice]:
    return [slice(s, s + BLOCK_QUERIES) for s in range(0, max(number, 1), BLOCK_QUERIES)]


def _best(
    likeness_QB: NDArray[np.float32], most: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    if likeness_QB.shape[1] <= most:
        all_QB = np.broadcast_to(np.arange(likeness_QB.shape[1]), likeness_QB.shape)
        return all_QB, likeness_QB
    place_QC = np.argpartition(likeness_QB, -most, axis=1)[:, -most:]
    return place_QC, np.take_along_axis(likeness_QB, place_QC, axis=1)


class Places(NamedTuple):
    """Where candidates overlap a query.

    Attributes:
        shift_C: int64, the query's place less the reference's place of most shared words.
        support_C: int64, words that are shared at about that shift; 0 where none is.
        moved_C: int64, how many of them lie at a slightly other shift: a sign of lost or gained bases.
    """

    shift_C: NDArray[np.int64]
    support_C: NDArray[np.int64]
    moved_C: NDArray[np.int64]


def place_table() -> NDArray[np.int16]:
    """Returns the scratch table that ``where_alike`` needs, int16 (65536,); one for each thread."""
    return np.full(65_536, _NONE, np.int16)


def where_alike(
    query_L: NDArray[np.uint8],
    seeds: Seeds,
    candidate_C: NDArray[np.int64],
    place_of_word: NDArray[np.int16],
) -> Places:
    """Returns where a query overlaps its candidates.

    Args:
        query_L: masks of the query.
        seeds: of the references.
        candidate_C: int64, numbers of references.
        place_of_word: of ``place_table``; left as it was.
    """
    word_L = words_of_eight(query_L)[: max(0, len(query_L) - 7)]
    place_of_word[word_L] = np.arange(len(word_L), dtype=np.int16)
    first_C, end_C = seeds.start_N[candidate_C], seeds.start_N[candidate_C + 1]
    number_C = end_C - first_C
    pairs = zip(first_C.tolist(), end_C.tolist(), strict=True)
    word_S = np.concatenate([seeds.word_S[first:end] for first, end in pairs])
    place_S = place_of_word[word_S]
    place_of_word[word_L] = _NONE
    shared = np.flatnonzero(place_S >= 0)
    begin_C = np.cumsum(number_C) - number_C
    candidate_S = np.repeat(np.arange(len(candidate_C)), number_C)[shared]
    shift_S = place_S[shared] - STEP * (shared - begin_C[candidate_S])
    reach = STEP * int(number_C.max(initial=0))
    span = len(query_L) + reach + 1
    count = np.bincount(candidate_S * span + shift_S + reach, minlength=len(candidate_C) * span)
    count_CX = count.reshape(len(candidate_C), span)
    place_C = count_CX.argmax(axis=1)
    shift_C = place_C - reach
    near = np.abs(shift_S - shift_C[candidate_S]) <= BAND_BP
    support_C = np.bincount(candidate_S[near], minlength=len(candidate_C))
    at_C = np.take_along_axis(count_CX, place_C[:, None], axis=1)[:, 0]
    return Places(shift_C, support_C, support_C - at_C)
