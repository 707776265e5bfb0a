"""A file of answers -> one table of ``ANSWER_SCHEMA``, whichever of the three formats it is in."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from holotype.collection.reading.cells import unescaped
from holotype.errors import SourceError, first_few
from holotype.identify.columns import ANSWER, ANSWER_SCHEMA
from holotype.identify.writers import ENDINGS, FORMAT, JSON_COLUMNS, VERSION, json_lines

_NEEDED = tuple(column.name for column in ANSWER)
_UNREADABLE = (
    pa.ArrowException,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    OSError,
    RecursionError,
)
"""What reading a damaged file of answers may raise."""
_OF_VERSION_2 = "taxon_score"
_BLOCK_BYTES = 16 << 20


def read_answers(path: Path | str) -> pa.Table:
    """Returns the answers that ``holotype predict`` wrote, one row a specimen, columns of ``ANSWER_SCHEMA``.

    Columns of the record that the file lacks are null; columns that it has beside these are left out. What
    was escaped for spreadsheets is as it was.

    Raises:
        SourceError: when the file is missing, damaged, no file of answers, or one of an older version.
    """
    path = Path(path)
    read = _READERS.get(path.suffix.lower())
    if read is None:
        raise SourceError(f"{path}: answers end in {', '.join(ENDINGS)}. Check the path.")
    if not path.is_file():
        raise SourceError(f"{path}: no such file. Check the path, or run holotype predict.")
    try:
        return read(path)
    except _UNREADABLE as reason:
        if isinstance(reason, SourceError):
            raise
        said = " ".join(str(reason).split())
        raise SourceError(
            f"{path}: no file of answers ({said}). Run holotype predict again."
        ) from reason


def _of_parquet(path: Path) -> pa.Table:
    with pq.ParquetFile(path) as opened:
        _check_version(path, opened.schema_arrow.metadata or {})
        _check(path, opened.schema_arrow.names)
        held = [name for name in ANSWER_SCHEMA.names if name in opened.schema_arrow.names]
        return _whole(opened.read(columns=held))


def _of_csv(path: Path) -> pa.Table:
    with path.open(encoding="utf-8-sig", newline="") as handle:
        first = handle.readline()
    delimiter = max(",;\t", key=first.count)
    _check(path, [name.strip().strip('"') for name in first.split(delimiter)])
    try:
        table = _parsed(path, delimiter, ".")
    except pa.ArrowInvalid:
        if delimiter == ",":
            raise
        table = _parsed(path, delimiter, ",")  # a spreadsheet that writes decimal commas was here
    for place, field in enumerate(ANSWER_SCHEMA):
        if pa.types.is_string(field.type):
            table = table.set_column(place, field, _unescaped(table.column(place)))
    return _whole(table)


def _parsed(path: Path, delimiter: str, decimal_point: str) -> pa.Table:
    return pacsv.read_csv(
        path,
        read_options=pacsv.ReadOptions(block_size=_BLOCK_BYTES),
        parse_options=pacsv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
        convert_options=pacsv.ConvertOptions(
            column_types=ANSWER_SCHEMA,
            include_columns=ANSWER_SCHEMA.names,
            include_missing_columns=True,
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
            true_values=["true", "True", "TRUE"],
            false_values=["false", "False", "FALSE"],
            decimal_point=decimal_point,
        ),
    )


def _unescaped(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Returns a column of text without the marks that keep spreadsheets from running it."""
    import pyarrow.compute as pc

    marked = pc.starts_with(column, "'")
    if not pc.any(marked).as_py():
        return column
    known = {text: unescaped(text) for text in pc.unique(column.filter(marked)).to_pylist()}
    return pa.chunked_array([pa.array([known.get(t, t) for t in column.to_pylist()], pa.string())])


def _of_json(path: Path) -> pa.Table:
    rows: list[dict[str, Any]] = []
    with path.open(encoding="utf-8-sig") as handle:
        for row in json_lines(handle):
            if not rows:
                _check(path, list(row))
            rows.append({name: _packed(name, row.get(name)) for name in ANSWER_SCHEMA.names})
    return _whole(pa.Table.from_pylist(rows, schema=ANSWER_SCHEMA))


def _packed(name: str, value: Any) -> Any:
    if name in JSON_COLUMNS and value is not None:
        return json.dumps(value, ensure_ascii=False)
    return value


def _check_version(path: Path, metadata: Mapping[bytes, bytes]) -> None:
    """Raises ``SourceError`` where a file says that it is of a newer version; others may say nothing."""
    said = json.loads(metadata.get(b"holotype", b"{}"))
    if said.get("format") == FORMAT and said["version"] > VERSION:
        raise SourceError(
            f"{path}: {FORMAT} format version {said['version']}; this Holotype reads version {VERSION}. "
            "Use the Holotype that wrote it, or run holotype predict again."
        )


def _check(path: Path, names: list[str]) -> None:
    """Raises ``SourceError`` where columns of an answer are missing; says what the file is instead."""
    missing = [name for name in _NEEDED if name not in names]
    if not missing:
        return
    if _OF_VERSION_2 in names:
        raise SourceError(
            f"{path}: answers of version 2, which had no safe answer. Run holotype predict again."
        )
    raise SourceError(
        f"{path}, row 1: no file of answers, it lacks {first_few(missing)}. Give a file that holotype "
        "predict wrote, with all its columns."
    )


def _whole(table: pa.Table) -> pa.Table:
    """Returns a table with every column of ``ANSWER_SCHEMA``, in its order and with its types.

    A number that is none (``nan``, infinity) is not known: null.
    """
    columns = [
        _known(table[field.name].cast(field.type))
        if field.name in table.column_names
        else pa.nulls(table.num_rows, field.type)
        for field in ANSWER_SCHEMA
    ]
    return pa.table(columns, schema=ANSWER_SCHEMA)


def _known(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Returns a column with null for numbers that are none."""
    import pyarrow.compute as pc

    if not pa.types.is_floating(column.type) or pc.all(pc.is_finite(column)).as_py() is not False:
        return column
    return pc.if_else(pc.is_finite(column), column, pa.scalar(None, column.type))


_READERS: dict[str, Callable[[Path], pa.Table]] = {
    ".parquet": _of_parquet,
    ".csv": _of_csv,
    ".json": _of_json,
}
