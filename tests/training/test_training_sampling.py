"""How often rows are drawn, against chances worked out by hand."""

import dataclasses

import numpy as np
import pytest

from holotype.training.lesson import Lesson
from holotype.training.sampling import drawing_weights, epoch_batches

LABELS = np.repeat([0, 0, 1, 1, -1], [60, 20, 15, 5, 4])
INSTRUMENTS = np.repeat([0, 1, 0, 1, 2], [60, 20, 15, 5, 4])
"""Label 0: 60 of one instrument, 20 of another; label 1: 15 and 5; four rows without a label."""


@pytest.fixture
def lesson(lesson_of, recipe_with):
    def make(**schedule: float) -> Lesson:
        lesson, _ = lesson_of(recipe_with(*(f"schedule.{k}={v}" for k, v in schedule.items())))
        label_N = np.full(len(lesson.materials), -1)
        label_N[: len(LABELS)] = LABELS
        return dataclasses.replace(
            lesson,
            teaching=dataclasses.replace(lesson.teaching, label_N=label_N),
            row_T=np.arange(len(LABELS)),
            instrument_T=INSTRUMENTS,
        )

    return make


def share(lesson: Lesson, of: np.ndarray) -> float:
    weight_T = drawing_weights(lesson)
    assert weight_T is not None
    return float(weight_T[of].sum() / weight_T.sum())


def test_without_balance_there_are_no_weights(lesson) -> None:
    assert drawing_weights(lesson()) is None


def test_labels_are_even(lesson) -> None:
    even = lesson(balance=1.0)
    # two labels, and each row without one as a label of its own: six in all
    assert share(even, LABELS == 0) == pytest.approx(1 / 6)
    assert share(even, LABELS == 1) == pytest.approx(1 / 6)
    half = lesson(balance=0.5)
    ratio = share(half, LABELS == 0) / share(half, LABELS == 1)
    assert ratio == pytest.approx((80 / 20) ** 0.5)


def test_instruments_are_even(lesson) -> None:
    even = lesson(balance_instruments=1.0)
    for instrument in range(3):
        assert share(even, instrument == INSTRUMENTS) == pytest.approx(1 / 3)


def test_both_even_instruments_within_even_labels(lesson) -> None:
    even = lesson(balance=1.0, balance_instruments=1.0)
    for label in (0, 1):
        assert share(even, label == LABELS) == pytest.approx(1 / 6)
        for instrument in (0, 1):
            cell = (label == LABELS) & (instrument == INSTRUMENTS)
            assert share(even, cell) == pytest.approx(1 / 12)


def test_epochs_draw_with_these_chances_and_repeat_themselves(lesson) -> None:
    even = lesson(balance=1.0, balance_instruments=1.0, batch_size=8)
    rows = np.concatenate([np.concatenate(epoch_batches(even, epoch)) for epoch in range(60)])
    count = np.bincount(LABELS[rows] + 1)  # unlabelled, 0, 1
    # a batch draws without replacement, which pulls small cells down a little
    assert count[1] / count[2] == pytest.approx(1.0, abs=0.25)
    again = epoch_batches(even, 3)
    assert [b.tolist() for b in again] == [b.tolist() for b in epoch_batches(even, 3)]
    assert [b.tolist() for b in again] != [b.tolist() for b in epoch_batches(even, 4)]
