"""The order in which an epoch shows its rows: whole at random, or nearly so along the files of a collection.

Shapes: R rows of an epoch.
"""

import numpy as np
from numpy.typing import NDArray


def drawn(
    rows: NDArray[np.int64], weight_R: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Returns as many rows as there are, drawn with the chances given, with replacement."""
    return rng.choice(rows, size=len(rows), p=weight_R / weight_R.sum())


def windowed(
    rows: NDArray[np.int64],
    group_R: NDArray[np.int64],
    *,
    window: int,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Returns the rows so that at any moment only about ``window`` groups are in use.

    The groups are put in a random order, and every row is moved back by a random part of the window: a row of
    the g-th group comes somewhere between the groups g and g + ``window``. With a window of as many groups as
    there are, this is close to a full shuffle; a row never meets one whose group is further off than the
    window in the same epoch. The first and the last window of an epoch mix fewer groups.

    Args:
        rows: int64.
        group_R: int64, the group that each row is read with, -1 for rows that need none.
        window: groups.
        rng: the epoch's stream.
    """
    groups = np.unique(group_R[group_R >= 0])
    place = np.empty(int(groups.max(initial=0)) + 1)
    place[groups] = rng.permutation(len(groups))
    free = rng.random(len(rows)) * max(1, len(groups))
    start_R = np.where(group_R >= 0, place[np.maximum(group_R, 0)], free)
    ordered: NDArray[np.int64] = rows[
        np.argsort(start_R + rng.random(len(rows)) * window, kind="stable")
    ]
    return ordered


def in_batches(rows: NDArray[np.int64], *, batch_size: int) -> list[NDArray[np.int64]]:
    """Returns the rows in batches of nearly equal size."""
    return np.array_split(rows, max(1, round(len(rows) / batch_size)))
