"""Parts of answers -> the one file that the user asked for: Parquet, CSV or JSON."""

import csv
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from holotype.collection.reading.cells import escaped
from holotype.errors import SourceError

ENDINGS = (".csv", ".parquet", ".json")
JSON_COLUMNS = ("top_k", "nearest")
"""Columns that hold JSON text; in a JSON file they are values."""
FORMAT, VERSION = "holotype-answers", 3


def check_ending(path: Path, endings: tuple[str, ...] = ENDINGS) -> None:
    """Raises ``SourceError`` when the ending of a file does not say which format to write."""
    if path.suffix.lower() not in endings:
        raise SourceError(f"{path}: end it in {', '.join(endings)} to say which format to write.")


def check_places(written: Sequence[Path | str | None], inputs: Sequence[Path | str]) -> None:
    """Raises ``SourceError`` for a file to write that is a folder, or one of the inputs."""
    held = {Path(str(given).removeprefix("@")).absolute() for given in inputs}
    for path in (Path(one) for one in written if one is not None):
        if path.is_dir():
            raise SourceError(f"{path}: a folder. Name a file to write.")
        if path.absolute() in held:
            raise SourceError(f"{path}: an input, which would be lost. Name another file to write.")


def write_tables(
    tables: Iterable[pa.Table], schema: pa.Schema, path: Path, *, temporary: Path
) -> None:
    """Writes tables, one after the other, as one file in the format of its ending; whole or not at all.

    Args:
        tables: of the schema; each is a row group in Parquet.
        schema: of all of them.
        path: the file.
        temporary: where it is made; on the same disk.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    WRITERS[path.suffix.lower()](tables, schema, temporary)
    with temporary.open("rb+") as handle:
        os.fsync(handle.fileno())
    temporary.replace(path)


def _write_parquet(tables: Iterable[pa.Table], schema: pa.Schema, path: Path) -> None:
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for table in tables:
            writer.write_table(table.cast(schema), row_group_size=max(1, table.num_rows))


def _write_csv(tables: Iterable[pa.Table], schema: pa.Schema, path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(schema.names)
        for table in tables:
            columns = [
                _cells(column, kind)
                for column, kind in zip(table.columns, schema.types, strict=True)
            ]
            writer.writerows(zip(*columns, strict=True))


def _cells(column: pa.ChunkedArray, kind: pa.DataType) -> list[Any]:
    """Returns a column as the cells of a CSV: text that a spreadsheet would run is escaped."""
    values: list[Any] = column.to_pylist()
    if pa.types.is_string(kind):
        known: dict[str | None, str | None] = {None: None}
        for value in set(values) - {None}:
            known[value] = escaped(value)
        return [known[value] for value in values]
    if pa.types.is_boolean(kind):
        return [None if value is None else str(value).lower() for value in values]
    return values


def _write_json(tables: Iterable[pa.Table], schema: pa.Schema, path: Path) -> None:
    with path.open("w", encoding="utf-8") as handle:
        handle.write("[")
        for number, row in enumerate(_rows(tables)):
            unpacked = {name: _unpacked(name, value) for name, value in row.items()}
            handle.write(("\n" if not number else ",\n") + json.dumps(unpacked, ensure_ascii=False))
        handle.write("\n]\n")


def _rows(tables: Iterable[pa.Table]) -> Iterator[dict[str, Any]]:
    for table in tables:
        yield from table.to_pylist()


def _unpacked(name: str, value: Any) -> Any:
    return json.loads(value) if name in JSON_COLUMNS and value else value


def json_lines(handle: IO[str]) -> Iterator[dict[str, Any]]:
    """Yields the rows of a JSON file that ``write_tables`` wrote, one line at a time.

    Raises:
        ValueError: when it is no list of objects, a row on each line.
    """
    for line in handle:
        text = line.strip().rstrip(",")
        if text in {"", "[", "]"}:
            continue
        row = json.loads(text)
        if not isinstance(row, dict):
            raise ValueError(f"a line that is no object: {text[:40]}")
        yield row


WRITERS: dict[str, Callable[[Iterable[pa.Table], pa.Schema, Path], None]] = {
    ".csv": _write_csv,
    ".parquet": _write_parquet,
    ".json": _write_json,
}
"""Writers by the ending of the file."""
