"""All that a run learns from, as one value."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holotype.collection.store import Collection
from holotype.inputs.materials import IN_MEMORY_BYTES, Materials, numbered, prepare_collection
from holotype.training.recipe import Recipe
from holotype.training.schedule import PixelsIn
from holotype.training.teaching import Teaching

SPARE_GROUPS = 8
"""Row groups kept beyond those that the shuffle mixes: a step's records lie near its edges."""


@dataclass(frozen=True)
class Lesson:
    """All that a run learns from.

    Attributes:
        recipe: the run.
        materials: the records.
        teaching: what they teach.
        row_T: int64, the rows to train on.
        fingerprint: of recipe, collection and split.
        instrument_T: int64, equal for training rows of one instrument, -1 where none is named; None where the
            recipe does not ask for it.
    """

    recipe: Recipe
    materials: Materials
    teaching: Teaching
    row_T: NDArray[np.int64]
    fingerprint: str
    instrument_T: NDArray[np.int64] | None = None


def lesson_materials(recipe: Recipe, collection: Collection, rows: NDArray[np.int64]) -> Materials:
    """Returns the records of a run, their pixels in memory or streamed as the recipe says."""
    images, schedule = recipe.model.images, recipe.schedule
    if images is None:
        return prepare_collection(collection, pixels=None, rows=rows)
    needed = len(rows) * int(np.prod(images.pixels.shape))
    large = schedule.pixels is PixelsIn.AUTO and needed > IN_MEMORY_BYTES
    streamed = schedule.pixels is PixelsIn.STREAM or large
    kept = schedule.shuffle_groups + SPARE_GROUPS if streamed else None
    return prepare_collection(collection, pixels=images.pixels, rows=rows, kept_groups=kept)


def lesson_instruments(
    recipe: Recipe, collection: Collection, rows: NDArray[np.int64]
) -> NDArray[np.int64] | None:
    """Returns the instrument of each training row as a number where the recipe evens instruments out."""
    if not recipe.schedule.balance_instruments:
        return None
    named = collection.columns(["instrument"])["instrument"].take(rows).to_pylist()
    return numbered(named)
