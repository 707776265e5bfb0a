"""Records that must stay together: same specimen, identical image bytes, identical barcode."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

TYING_COLUMNS = ("specimen_id", "image_sha256", "haplotype")
"""Records that share a value in any of these are one group."""


def tying_values(table: pa.Table, column: str) -> list[object]:
    """Returns what ties the records of a column: its values, those of specimens with their source."""
    values: list[object] = table[column].to_pylist()
    if column != "specimen_id":
        return values
    pairs = zip(table["source"].to_pylist(), values, strict=True)
    return [None if value is None else (source, value) for source, value in pairs]


def group_records(table: pa.Table, columns: Sequence[str] = TYING_COLUMNS) -> NDArray[np.int64]:
    """Returns the group of each record: the connected parts of "shares a value in a tying column".

    Args:
        table: a collection's columns.
        columns: the tying columns; ``specimen_id`` ties only within a source.

    Returns:
        int64 (N,): the row of the group's first record.
    """
    parent = np.arange(table.num_rows, dtype=np.int64)

    def root(row: int) -> int:
        while parent[row] != row:
            parent[row] = parent[parent[row]]
            row = int(parent[row])
        return row

    for column in columns:
        first: dict[object, int] = {}
        for row, value in enumerate(tying_values(table, column)):
            if value is None:
                continue
            if value in first:
                low, high = sorted((root(first[value]), root(row)))
                parent[high] = low
            else:
                first[value] = row
    return np.asarray([root(row) for row in range(table.num_rows)], dtype=np.int64)
