"""Which rows each step of an epoch shows: every one once, or drawn so that labels and instruments are even.

Shapes: T training rows.
"""

import numpy as np
from numpy.typing import NDArray

from holotype.inputs.batches import shuffled
from holotype.inputs.order import drawn, in_batches, windowed
from holotype.inputs.pixels import StreamedPixels
from holotype.randomness import generator
from holotype.training.lesson import Lesson


def epoch_batches(lesson: Lesson, epoch: int) -> list[NDArray[np.int64]]:
    """Returns the rows of each step of an epoch (from 0); the same epoch gives the same rows."""
    schedule, pixels = lesson.recipe.schedule, lesson.materials.pixels_MSSC
    rng = generator(lesson.recipe.seed, "order", epoch)
    weight_T = drawing_weights(lesson)
    if not isinstance(pixels, StreamedPixels):
        size = schedule.batch_size
        return list(shuffled(lesson.row_T, batch_size=size, rng=rng, weight_R=weight_T))
    rows = lesson.row_T if weight_T is None else drawn(lesson.row_T, weight_T, rng)
    image_R = lesson.materials.image_N[rows]
    group_R = np.where(image_R >= 0, pixels.group_M[np.maximum(image_R, 0)], -1)
    rows = windowed(rows, group_R, window=schedule.shuffle_groups, rng=rng)
    return in_batches(rows, batch_size=schedule.batch_size)


def drawing_weights(lesson: Lesson) -> NDArray[np.float64] | None:
    """Returns how often to draw each training row, None for every row once.

    The chance of a row falls with the frequency of its label to the power of ``schedule.balance``, and with
    that of its instrument to the power of ``schedule.balance_instruments``. With both, instruments are evened
    within each label: a label that only one instrument has seen is as frequent as the first says, and one
    that several have seen comes evenly from each. A row without a label or an instrument counts as one alone.
    """
    schedule = lesson.recipe.schedule
    if not schedule.balance and not schedule.balance_instruments:
        return None
    label_T = _counted_apart(lesson.teaching.label_N[lesson.row_T])
    weight_T = np.ones(len(lesson.row_T))
    if schedule.balance:
        weight_T *= _frequency(label_T) ** -schedule.balance
    if schedule.balance_instruments:
        assert lesson.instrument_T is not None, "the lesson has no instruments"
        instrument_T = _counted_apart(lesson.instrument_T)
        if schedule.balance:
            share_T = _share_within(label_T, instrument_T, -schedule.balance_instruments)
        else:
            share_T = _frequency(instrument_T) ** -schedule.balance_instruments
        weight_T *= share_T
    return weight_T


def _counted_apart(number_T: NDArray[np.int64]) -> NDArray[np.int64]:
    """Returns the numbers with one of its own for each -1."""
    apart = number_T.copy()
    missing = number_T < 0
    apart[missing] = number_T.max(initial=-1) + 1 + np.arange(int(missing.sum()))
    return apart


def _frequency(number_T: NDArray[np.int64]) -> NDArray[np.float64]:
    _, at_T, count = np.unique(number_T, return_inverse=True, return_counts=True)
    return count[at_T].astype(np.float64)


def _share_within(
    label_T: NDArray[np.int64], instrument_T: NDArray[np.int64], power: float
) -> NDArray[np.float64]:
    """Returns weights by the frequency of the instrument within the label, of mean 1 in each label."""
    pair_T2 = np.stack([label_T, instrument_T], axis=1)
    _, at_T, count = np.unique(pair_T2, axis=0, return_inverse=True, return_counts=True)
    raw_T = count[at_T.reshape(-1)].astype(np.float64) ** power
    _, label_at_T = np.unique(label_T, return_inverse=True)
    mean_T = (np.bincount(label_at_T, raw_T) / np.bincount(label_at_T))[label_at_T]
    return raw_T / mean_T
