"""The records of a training, and those held out to validate it: what calibration is made on."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from holotype.collection.store import Collection
from holotype.inputs.materials import Materials, prepare_collection
from holotype.models.bundle import Bundle
from holotype.splits.plan import Role, Split, Status


@dataclass(frozen=True)
class Course:
    """The records of a training: N of them, those of training and those of validation.

    Attributes:
        materials: the records.
        table: their columns.
        is_train_N: whether a record was trained on; the others are of validation.
        group_N: int64, groups of the split.
        unseen_N: whether its taxon was held out of training.
    """

    materials: Materials
    table: pa.Table
    is_train_N: NDArray[np.bool_]
    group_N: NDArray[np.int64]
    unseen_N: NDArray[np.bool_]


def course_of(bundle: Bundle, collection: Collection, split: Split) -> Course:
    """Returns the training and validation records of a split, prepared for a bundle."""
    train, val = split.rows(Role.TRAIN), split.rows(Role.VAL)
    rows = np.concatenate([train, val])
    return Course(
        prepare_collection(collection, pixels=bundle.pixels, rows=rows),
        collection.columns().take(rows),
        np.arange(len(rows)) < len(train),
        split.group_N[rows],
        split.status_N[rows] == Status.UNSEEN.value,
    )
