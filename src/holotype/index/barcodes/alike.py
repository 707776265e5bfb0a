"""Which references are most like a query by counts of words of four bases.

The measure is the cosine of the square roots of the counts, so that common words do not rule.

Shape legend: Q queries, N references, W = 256 words, B references of a block, G groups of them, C candidates.
"""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from holotype.media.kmers import unit_rows

BLOCK_REFERENCES, BLOCK_QUERIES = 16_384, 128
_BLOCK_FEATURES = 2048
_GROUP = 16
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
    pool: ThreadPoolExecutor,
) -> NDArray[np.int64]:
    """Returns the references most like each query, in no order, int64 (Q, min(most, N)).

    Args:
        query_QW: of ``features``.
        count_NW: of the references.
        most: how many.
        apart: codes of the queries and of the references; references of a query's own code come last.
        pool: who works; the answer is the same whatever their number.
    """
    number_Q, likeness_Q = [], []
    for block in _blocks(len(count_NW), BLOCK_REFERENCES):
        chunks = [count_NW[block][rows] for rows in _blocks(len(count_NW[block]), _BLOCK_FEATURES)]
        z_WB = np.concatenate(list(pool.map(features, chunks))).T
        code_B = None if apart is None else apart[1][block]
        some_Q = _blocks(len(query_QW), BLOCK_QUERIES)
        found = list(
            pool.map(
                lambda some, z_WB=z_WB, code_B=code_B: _best_of_block(
                    query_QW[some], z_WB, most, None if apart is None else apart[0][some], code_B
                ),
                some_Q,
            )
        )
        number_Q.append(np.concatenate([number for number, _ in found]) + block.start)
        likeness_Q.append(np.concatenate([likeness for _, likeness in found]))
    number_QC, likeness_QC = np.concatenate(number_Q, axis=1), np.concatenate(likeness_Q, axis=1)
    best_QC, _ = _best(likeness_QC, most)
    return np.take_along_axis(number_QC, best_QC, axis=1)


def _best_of_block(
    query_QW: NDArray[np.float32],
    z_WB: NDArray[np.float32],
    most: int,
    apart_Q: NDArray[np.int64] | None,
    code_B: NDArray[np.int64] | None,
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    likeness_QB = query_QW @ z_WB
    if apart_Q is not None and code_B is not None:
        likeness_QB[apart_Q[:, None] == code_B] = _NONE
    return _best(likeness_QB, most)


def _blocks(number: int, size: int) -> list[slice]:
    return [slice(*pair) for pair in pairwise([*range(0, max(number, 1), size), number])]


def _best(
    likeness_QB: NDArray[np.float32], most: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Returns the columns of the greatest likeness of each row, in no order, and the likeness."""
    columns = likeness_QB.shape[1]
    if columns <= most:
        return np.broadcast_to(np.arange(columns), likeness_QB.shape), likeness_QB
    groups = columns // _GROUP
    if groups > 2 * most:
        # The best of all are among the groups whose best are best.
        grouped = groups * _GROUP
        top_QG = likeness_QB[:, :grouped].reshape(-1, _GROUP, groups).max(axis=1)
        group_QC = np.argpartition(top_QG, -most, axis=1)[:, -most:]
        member_QC = group_QC[:, :, None] + groups * np.arange(_GROUP)
        rest = np.broadcast_to(np.arange(grouped, columns), (len(likeness_QB), columns - grouped))
        place_QB = np.concatenate([member_QC.reshape(len(likeness_QB), -1), rest], axis=1)
        chosen_QC, best_QC = _best(np.take_along_axis(likeness_QB, place_QB, axis=1), most)
        return np.take_along_axis(place_QB, chosen_QC, axis=1), best_QC
    place_QC = np.argpartition(likeness_QB, -most, axis=1)[:, -most:]
    return place_QC, np.take_along_axis(likeness_QB, place_QC, axis=1)
