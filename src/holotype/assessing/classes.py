"""The written labels of a collection as classes, and which two of them cannot both be right."""

import unicodedata
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from holotype.collection.quality.agreement import LABEL_COLUMNS, exclude_each_other
from holotype.collection.store import concepts_of
from holotype.taxonomy.label_table import Concept


@dataclass(frozen=True)
class Classes:
    """The different labels of a collection, C of them.

    Attributes:
        names: of the labels, in the order of their first records.
        class_N: int64, the label of each record, -1 without one.
        excludes_CC: whether two labels cannot both be right.
        first_C: int64, a record that has each.
    """

    names: tuple[str, ...]
    class_N: NDArray[np.int64]
    excludes_CC: NDArray[np.bool_]
    first_C: NDArray[np.int64]

    @classmethod
    def of(cls, table: pa.Table) -> "Classes":
        """Returns the labels of a collection's records."""
        rows = table.select(LABEL_COLUMNS).to_pylist()
        concepts = concepts_of(table)
        numbers: dict[object, int] = {}
        names: list[str] = []
        first: list[int] = []
        class_N = np.full(len(rows), -1, dtype=np.int64)
        for at, (row, concept) in enumerate(zip(rows, concepts, strict=True)):
            if concept is None and row["written_label"] is None:
                continue
            key = _same(row["written_label"]) if concept is None else _as_one(concept)
            if key not in numbers:
                numbers[key] = len(numbers)
                names.append(row["written_label"] if concept is None else concept.name)
                first.append(at)
            class_N[at] = numbers[key]
        excludes = np.zeros((len(first), len(first)), dtype=np.bool_)
        for a, at in enumerate(first):
            for b in range(a):
                excludes[a, b] = excludes[b, a] = exclude_each_other(rows[at], rows[first[b]])
        return cls(tuple(names), class_N, excludes, np.asarray(first, dtype=np.int64))


def _as_one(concept: Concept) -> Concept:
    """Returns a concept that is equal for labels that differ in capitals or spaces alone."""
    return concept if concept.group is None else replace(concept, group=_same(concept.group))


def _same(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())
