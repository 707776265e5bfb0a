"""Records that must stay together: same specimen, identical image bytes, identical barcode."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

TYING_COLUMNS = ("specimen_id", "image_sha256", "haplotype")
"""Records that share a value in any of these are one group."""


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

    sources = table["source"].to_pylist()
    for column in columns:
        first: dict[object, int] = {}
        for row, value in enumerate(table[column].to_pylist()):
            if value is None:
                continue
            key = (sources[row], value) if column == "specimen_id" else value
            if key in first:
                low, high = sorted((root(first[key]), root(row)))
                parent[high] = low
            else:
                first[key] = row
    return np.asarray([root(row) for row in range(table.num_rows)], dtype=np.int64)
