"""Rows of Parquet in batches that fit in memory: a cell that a file stores once may stand in every row.

Parquet keeps equal cells once and repeats their number, so a few kilobytes can stand for gigabytes.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from holotype.errors import MediaError, SourceError

MAX_BATCH_BYTES = 1 << 26
MAX_COLUMN_BYTES, MAX_REPEATS = 1 << 30, 20
"""One row group of a column of images may have so many bytes, or so many times those that it stores."""


def bounded_batches(
    table: Any, group: int, columns: Sequence[str], *, rows: int = 4096, least: int = 64
) -> Iterator[pa.RecordBatch]:
    """Yields a row group in batches of at most so many rows and about ``MAX_BATCH_BYTES``.

    No cell is larger than what the group stores for its column, so that is what a row is taken to have.

    Args:
        table: the open file.
        group: number of the row group, from 0.
        columns: names; ``image.path`` for a part of a column.
        rows: of a batch, at most.
        least: rows of a batch whatever they may have; a few make large tables of text slow to read.
    """
    # what a file says of its columns ends the process where it is damaged, unless a row was read before
    next(table.iter_batches(1, row_groups=[group], columns=list(columns)), None)
    largest = _stored_bytes(table, group, columns)
    fitting = min(rows, max(least, MAX_BATCH_BYTES // max(1, largest)))
    yield from table.iter_batches(fitting, row_groups=[group], columns=list(columns))


def bounded_rows(
    table: Any, group: int, columns: Sequence[str], *, called: str
) -> Iterator[dict[str, Any]]:
    """Yields the rows of a row group, read in batches as above.

    Raises:
        SourceError: when the group is damaged; names the file.
    """
    try:
        for batch in bounded_batches(table, group, columns):
            yield from batch.to_pylist()
    except (OSError, UnicodeDecodeError, pa.ArrowException) as reason:
        raise SourceError(
            f"{called}, row group {group + 1}: damaged ({reason}). Fetch it again."
        ) from reason


def leaf_number(table: Any, group: int, leaf: str) -> int:
    """Returns the number of a stored column, of which the metadata may be read then.

    What a damaged file says of its columns ends the process, unless a row was asked for before.

    Raises:
        SourceError: when the group cannot be read.
    """
    try:
        next(table.iter_batches(1, row_groups=[group], columns=[leaf]), None)
    except (OSError, UnicodeDecodeError, pa.ArrowException) as reason:
        raise SourceError(f"row group {group + 1} is damaged ({reason}). Fetch it again.") from None
    numbers = range(table.metadata.num_columns)
    return next(number for number in numbers if table.schema.column(number).path == leaf)


def cells_of_group(path: str, column: str, group: int, state: int | None) -> pa.ChunkedArray:
    """Returns a column of a row group; the last one is kept.

    Args:
        path: the file.
        column: its name.
        group: number of the row group, from 0.
        state: a number that changes with the file.

    Raises:
        MediaError: when it has far more bytes than it stores.
    """
    cells, wrong = _cells_or_reason(path, column, group, state)
    if wrong is not None:
        raise MediaError(wrong)
    return cells


@lru_cache(maxsize=1)
def _cells_or_reason(
    path: str, column: str, group: int, state: int | None
) -> tuple[pa.ChunkedArray | None, str | None]:
    """Returns the cells, or why they are not read: that is found out once for all rows."""
    del state  # a file that was replaced at its path is another file
    with pq.ParquetFile(path) as table:
        try:
            return _column(table, group, column), None
        except MediaError as reason:
            return None, str(reason)


def _column(table: Any, group: int, column: str) -> pa.ChunkedArray:
    stored = _stored_bytes(table, group, [column])
    limit = max(MAX_COLUMN_BYTES, MAX_REPEATS * stored)
    chunks, held = [], 0
    for batch in bounded_batches(table, group, [column], least=1):
        held += batch.nbytes
        if held > limit:
            raise MediaError(
                f"row group {group + 1} of column {column} stores {stored:,} bytes and unpacks to over "
                f"{limit:,}"
            )
        chunks.append(batch.column(0))
    return pa.chunked_array(chunks, type=table.schema_arrow.field(column).type)


def _stored_bytes(table: Any, group: int, columns: Sequence[str]) -> int:
    described = table.metadata.row_group(group)
    wanted = {column.split(".")[0] for column in columns}
    paths = [table.schema.column(number).path for number in range(described.num_columns)]
    numbers = [number for number, path in enumerate(paths) if path.split(".")[0] in wanted]
    return sum(described.column(number).total_uncompressed_size for number in numbers)
