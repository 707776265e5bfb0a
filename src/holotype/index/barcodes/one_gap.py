"""Overlaps with one gap, many pairs at once: one shift before it, another behind it.

Where words speak for two shifts alone, the alignment is the best place to change from one to the other; no
matrix needs filling. The place is where equal bases less what differences and the gap cost are most.

Shape legend: P pairs of a query and a candidate, L places of the query.
"""

import numpy as np
from numpy.typing import NDArray

from holotype.index.barcodes.beside import Beside, beside
from holotype.index.barcodes.identity import DIFFERENCE, GAP
from holotype.index.barcodes.masks import Masks


def with_one_gap(
    queries: Masks,
    references: Masks,
    query_P: NDArray[np.int64],
    candidate_P: NDArray[np.int64],
    shift_P: NDArray[np.int64],
    other_P: NDArray[np.int64],
    found: Beside,
) -> Beside:
    """Returns the overlaps, with a gap where that is worth it.

    The gap's bases are columns that differ, but none of those of ``compared_PL``.

    Args:
        queries: what is asked for.
        references: of a library.
        query_P: int64, numbers of queries.
        candidate_P: int64, numbers of references.
        shift_P: of ``where_alike``.
        other_P: the other shift, of ``where_alike``.
        found: of ``beside`` at the first shift.
    """
    there = beside(queries, references, query_P, candidate_P, other_P)
    best = found.take(np.arange(len(query_P)))
    score_P = found.compared_P - (1 + DIFFERENCE) * found.different_P
    for left, right, step_P in (
        (found, there, other_P - shift_P),
        (there, found, shift_P - other_P),
    ):
        for step in np.unique(step_P).tolist():
            rows = np.flatnonzero(step_P == step)
            place, score = _best_place(left, right, rows, step)
            better = score > score_P[rows]
            rows, place = rows[better], place[better]
            score_P[rows] = score[better]
            _write(best, left, right, rows, place, step)
    return best


def _best_place(
    left: Beside, right: Beside, rows: NDArray[np.int64], step: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Returns the first place that is not at the left shift any more, and the score of that."""
    before_PL, behind_PL = (_running_score(side, rows) for side in (left, right))
    skipped = max(0, step)
    columns = before_PL.shape[1] - skipped
    score_PL = before_PL[:, :columns] + (behind_PL[:, -1:] - behind_PL[:, skipped:])
    place_P = score_PL.argmax(axis=1)
    score_P = np.take_along_axis(score_PL, place_P[:, None], axis=1)[:, 0]
    return place_P, score_P.astype(np.int64) - (GAP + abs(step) - 1)


def _running_score(side: Beside, rows: NDArray[np.int64]) -> NDArray[np.int32]:
    """Returns the score of all columns before each place, int32 (P, L + 1)."""
    gain_PL = side.compared_PL[rows].astype(np.int8)
    gain_PL -= (1 + DIFFERENCE) * side.different_PL[rows].astype(np.int8)
    score_PL = np.zeros((len(rows), gain_PL.shape[1] + 1), np.int32)
    np.cumsum(gain_PL, axis=1, out=score_PL[:, 1:])
    return score_PL


def _write(
    best: Beside,
    left: Beside,
    right: Beside,
    rows: NDArray[np.int64],
    place_P: NDArray[np.int64],
    step: int,
) -> None:
    """Writes the columns of both shifts, and the gap."""
    column_L = np.arange(left.compared_PL.shape[1])
    is_left_PL = column_L < place_P[:, None]
    is_right_PL = column_L >= place_P[:, None] + max(0, step)
    for wanted_PL, left_PL, right_PL, number_P in (
        (best.compared_PL, left.compared_PL, right.compared_PL, best.compared_P),
        (best.different_PL, left.different_PL, right.different_PL, best.different_P),
    ):
        both_PL = (left_PL[rows] & is_left_PL) | (right_PL[rows] & is_right_PL)
        wanted_PL[rows] = both_PL
        number_P[rows] = np.count_nonzero(both_PL, axis=1) + abs(step)
