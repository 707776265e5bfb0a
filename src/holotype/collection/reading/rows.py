"""Tables of any kind as rows of text: CSV, TSV (plain or gzip) and Parquet by one door.

Parquet columns that hold no text (embeddings, images) are left out; numbers are written as short as they
can be read back, whole ids without ".0".
"""

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from holotype.collection.reading.tabular import Dialect, Row, TextTable, open_table
from holotype.errors import SourceError, first_few
from holotype.media.locations import FileAt
from holotype.media.members import Member
from holotype.media.parquet_rows import bounded_batches

TABLE_ENDINGS = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz", ".parquet")
_BATCH_ROWS = 4_096


def open_rows(place: Path | Member, *, dialect: Dialect | None = None) -> TextTable:
    """Returns a table; the line of a Parquet row is its number, from 1.

    Raises:
        SourceError: when it cannot be read as what its ending says.
    """
    name = place.name if isinstance(place, Member) else str(place)
    if not name.lower().endswith(".parquet"):
        return open_table(place, dialect=dialect)
    if isinstance(place, Member):
        if not isinstance(place.at, FileAt):
            raise SourceError(f"{name}: Parquet inside an archive. Unpack the archive first.")
        place = Path(place.at.path)
    table = open_parquet(place)
    columns = [field.name for field in table.schema_arrow if _is_text(field.type)]
    return TextTable(str(place), tuple(columns), _parquet_rows(table, columns))


def open_parquet(path: Path) -> pq.ParquetFile:
    """Returns an open Parquet file.

    Raises:
        SourceError: when it is none.
    """
    try:
        opened = pq.ParquetFile(path)
        names = opened.schema_arrow.names
    except (OSError, ValueError, pa.ArrowException) as reason:
        raise SourceError(f"{path}: not Parquet ({reason}). Fetch it again.") from reason
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise SourceError(f"{path}: column '{twice[0]}' is there twice. Rename one of them.")
    return opened


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return not pa.types.is_floating(kind.value_type)
    binary = pa.types.is_binary(kind) or pa.types.is_large_binary(kind)
    return not binary and not pa.types.is_struct(kind)


def _parquet_rows(table: pq.ParquetFile, columns: list[str]) -> Iterator[Row]:
    number = 0
    for group in range(table.num_row_groups):
        for values in parquet_group_rows(table, group, columns):
            number += 1
            yield Row(number, values)


def parquet_group_rows(
    table: pq.ParquetFile, group: int, columns: list[str]
) -> Iterator[dict[str, str]]:
    """Yields the rows of one row group as text by column.

    Raises:
        SourceError: when the group is damaged.
    """
    try:
        for batch in bounded_batches(table, group, columns, rows=_BATCH_ROWS):
            names = batch.schema.names
            for cells in zip(*(_texts(column) for column in batch.columns), strict=True):
                yield dict(zip(names, cells, strict=True))
    except (OSError, UnicodeDecodeError, pa.ArrowException) as reason:
        raise SourceError(f"row group {group + 1} is damaged ({reason}). Fetch it again.") from None


def _texts(column: pa.Array) -> list[str]:
    """Returns a column as texts; a 32-bit number gets the digits that it was written with."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.dictionary_decode(), kind.value_type
    if pa.types.is_floating(kind) or pa.types.is_integer(kind):
        column = pc.cast(column, pa.string())
    plain = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    return column.fill_null("").to_pylist() if plain else [as_text(v) for v in column.to_pylist()]


def as_text(value: object) -> str:
    """Returns a value of a typed table as text; "" for null and NaN.

    >>> as_text(None), as_text(1.5), as_text(float("nan")), as_text(True), as_text([1, 2])
    ('', '1.5', '', 'true', '[1, 2]')
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def whole_id(written: str) -> str:
    """Returns an id as text without the ".0" that spreadsheets add.

    >>> whole_id("135336.0"), whole_id("BOLD:AAA0008"), whole_id("1.05")
    ('135336', 'BOLD:AAA0008', '1.05')
    """
    return re.sub(r"^(-?\d+)\.0+$", r"\1", written.strip())


def lower_names(values: Mapping[str, str]) -> dict[str, str]:
    """Returns a row under lower-case column names, or as it is where two names would become one."""
    lowered = {name.strip().lower(): text for name, text in values.items()}
    return lowered if len(lowered) == len(values) else dict(values)


def held_columns(
    aliases: Mapping[str, Sequence[str]], header: Iterable[str]
) -> dict[str, tuple[str, ...]]:
    """Returns, of the columns that may give each target, those that a table has.

    Asked once a table, it spares looking for absent columns in every row.
    """
    held = {name.strip().lower() for name in header}
    found = {target: tuple(c for c in columns if c in held) for target, columns in aliases.items()}
    return {target: columns for target, columns in found.items() if columns}


def require_columns(table: TextTable, needed: Iterable[str], what: str) -> None:
    """Raises ``SourceError`` unless a table has all columns; lower case counts as the same."""
    held = {name.strip().lower() for name in table.header}
    missing = [name for name in needed if name not in held]
    if missing:
        raise SourceError(
            f"{table.name}, line 1: no column '{missing[0]}': not {what}. "
            f"The table has: {first_few(table.header, limit=30)}. Name the right table."
        )


def bad_row(table: TextTable, row: Row) -> str:
    """Returns the error of a row whose cells do not fit the header."""
    return (
        f"{table.name}, line {row.line}: {row.error}. "
        "Mend the row; a cell with the delimiter or a line break in it needs quotes."
    )


def binomial(genus: str, written: str) -> str:
    """Returns the binomial of a genus and a species column, which may hold the epithet alone.

    >>> binomial("Pica", "hudsonia"), binomial("Pica", "Pica pica"), binomial("", "Pica pica")
    ('Pica hudsonia', 'Pica pica', 'Pica pica')
    """
    if not written or not genus or written.lower().startswith(genus.lower() + " "):
        return written
    return written if " " in written and written[:1].isupper() else f"{genus} {written}"


def common_name(written: str, fields: Mapping[str, str]) -> str:
    """Returns a common name, or "" where the column is filled with the scientific name or the lineage."""
    ranks = ("kingdom", "phylum", "class", "order", "family", "genus", "species")
    lineage = " ".join(fields[rank] for rank in ranks if fields.get(rank))
    epithet = fields.get("species", "").partition(" ")[2]
    tagless = " ".join(
        [*(fields[rank] for rank in ranks[:-1] if fields.get(rank)), epithet]
    ).strip()
    scientific = {fields.get(rank, "") for rank in (*ranks, "written_label")} | {lineage, tagless}
    return "" if written.lower() in {name.lower() for name in scientific} else written
