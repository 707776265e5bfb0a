"""Where candidates overlap queries: places of words of eight that both have.

Words of one shift speak for an overlap without gaps; those of other shifts near it, for lost or gained bases.

Shape legend: T queries, P pairs of a query and a candidate, S words of candidates, B bytes of queries.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from holotype.index.barcodes.masks import Masks
from holotype.index.barcodes.words import STEP, Seeds, words_of_eight

BAND_BP = 24
"""Words whose shifts differ by no more speak for the same overlap, with bases lost or gained in it."""
_BAND = 2 * BAND_BP + 1
_NUM_WORDS = 1 << 16
_NONE = -1


class Places(NamedTuple):
    """Where candidates overlap queries.

    Attributes:
        shift_P: int64, the query's place less the reference's place of most shared words.
        support_P: int64, words that are shared at about that shift; 0 where none is.
        moved_P: int64, how many of them lie at a slightly other shift: a sign of lost or gained bases.
        other_P: int64, the commonest of these other shifts; the same where there is none.
        third_P: int64, how many words lie at neither of the two.
    """

    shift_P: NDArray[np.int64]
    support_P: NDArray[np.int64]
    moved_P: NDArray[np.int64]
    other_P: NDArray[np.int64]
    third_P: NDArray[np.int64]


def where_alike(
    queries: Masks, seeds: Seeds, query_P: NDArray[np.int64], candidate_P: NDArray[np.int64]
) -> Places:
    """Returns where queries overlap their candidates.

    Args:
        queries: few; a table of all words is made for each.
        seeds: of the references.
        query_P: int64, numbers of queries.
        candidate_P: int64, numbers of references.
    """
    pairs = len(query_P)
    first_P = seeds.start_N[candidate_P]
    number_P = seeds.start_N[candidate_P + 1] - first_P
    begin_P = np.cumsum(number_P) - number_P
    pair_S = np.repeat(np.arange(pairs, dtype=np.int32), number_P)
    word_S = seeds.word_S[(first_P - begin_P)[pair_S] + np.arange(len(pair_S))]
    place_S = _place_of_word(queries)[(query_P << 16)[pair_S] + word_S]
    shared = np.flatnonzero(place_S >= 0)
    pair_S = pair_S[shared]
    shift_S = place_S[shared] - STEP * (shared - begin_P[pair_S])
    shift_P = _commonest(shift_S, pair_S, query_P, number_P)
    away_S = shift_S - shift_P[pair_S]
    near = np.abs(away_S) <= BAND_BP
    support_P = np.bincount(pair_S[near], minlength=pairs)
    moved = near & (away_S != 0)
    moved_P = np.bincount(pair_S[moved], minlength=pairs)
    count = np.bincount(pair_S[moved] * _BAND + (away_S[moved] + BAND_BP), minlength=pairs * _BAND)
    count_PX = count.reshape(pairs, _BAND)
    other_P = np.where(moved_P > 0, shift_P + count_PX.argmax(axis=1) - BAND_BP, shift_P)
    return Places(shift_P, support_P, moved_P, other_P, moved_P - count_PX.max(axis=1))


def _place_of_word(queries: Masks) -> NDArray[np.int32]:
    """Returns where each word lies in each query, int32 (T * 65536,); -1 where it does not."""
    size_T = queries.length_N + 1
    query_B = np.repeat(np.arange(len(queries)), size_T)
    place_B = np.arange(len(query_B)) - queries.start_N[query_B]
    whole = np.flatnonzero(place_B < queries.length_N[query_B] - 7)
    table = np.full(len(queries) * _NUM_WORDS, _NONE, np.int32)
    word_B = words_of_eight(queries.mask_B)[whole]
    table[(query_B[whole] << 16) + word_B] = place_B[whole]
    return table


def _commonest(
    shift_S: NDArray[np.int64],
    pair_S: NDArray[np.int32],
    query_P: NDArray[np.int64],
    number_P: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Returns the commonest shift of each pair's words, int64 (P,); of equal ones the least."""
    pairs = len(query_P)
    if not len(shift_S):
        return np.zeros(pairs, np.int64)
    least = int(shift_S.min())
    span = int(shift_S.max()) - least + 1

    def commonest(
        row_S: NDArray[np.int64], shift_S: NDArray[np.int64], rows: int
    ) -> NDArray[np.int64]:
        count = np.bincount(row_S * span + (shift_S - least), minlength=rows * span)
        found: NDArray[np.int64] = count.reshape(rows, span).argmax(axis=1) + least
        return found

    # Most candidates of a query begin alike: where most of a pair's words have that shift, it is theirs.
    shift_P = commonest(query_P[pair_S], shift_S, int(query_P.max()) + 1)[query_P]
    at_P = np.bincount(pair_S[shift_S == shift_P[pair_S]], minlength=pairs)
    unsure = np.flatnonzero(2 * at_P <= np.bincount(pair_S, minlength=pairs))
    if len(unsure):
        row_P = np.full(pairs, _NONE, np.int64)
        row_P[unsure] = np.arange(len(unsure))
        row_S = row_P[pair_S]
        some = row_S >= 0
        shift_P[unsure] = commonest(row_S[some], shift_S[some], len(unsure))
    return shift_P
