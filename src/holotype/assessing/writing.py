"""Rows -> a CSV for spreadsheets or a Parquet file, by the ending; whole or absent."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from holotype import files
from holotype.collection.reading.cells import escaped
from holotype.errors import SourceError


def check_ending(path: Path) -> None:
    """Raises ``SourceError`` for another ending than .csv or .parquet: before the work, not after it."""
    if path.suffix.lower() not in (".csv", ".parquet"):
        raise SourceError(f"{path}: end it in .csv or .parquet to say which format to write.")


def write_rows(rows: Sequence[Mapping[str, Any]], path: Path, columns: Sequence[str]) -> None:
    """Writes rows; text that a spreadsheet would run is marked, numbers never.

    Raises:
        SourceError: for another ending than .csv or .parquet.
    """
    check_ending(path)
    with files.written_whole(path) as temporary:
        if path.suffix.lower() == ".parquet":
            whole = [{name: row.get(name) for name in columns} for row in rows]
            made = pa.Table.from_pylist(whole) if whole else pa.table({n: [] for n in columns})
            pq.write_table(made, temporary)
            return
        with temporary.open("w", newline="", encoding="utf-8-sig") as handle:
            writer = csv.writer(handle, lineterminator="\n")
            writer.writerow(columns)
            for row in rows:
                writer.writerow([_cell(row.get(name)) for name in columns])


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.6g}"
    return escaped(value) if isinstance(value, str) else value
