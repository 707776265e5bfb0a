"""Rows of a described table, by term name; a row that cannot be read says why, and costs no other."""

import csv
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import IO

from holotype.collection.reading.streams import text_of
from holotype.collection.reading.tabular import zero_byte
from holotype.collection.sources.darwin_core.descriptor import DescribedTable
from holotype.errors import SourceError

MAX_ROW_CHARS = 16 << 20
_DELIMITERS = (",", "\t", ";", "|")


@dataclass(frozen=True)
class TermRow:
    """One row.

    Attributes:
        line: on which it starts.
        key: the id of the core that it is, or belongs to; "" where it has none.
        values: text by term name; columns without a term bear the name in the file's header.
        error: why it cannot be read: line, column, what was found, what to do.
    """

    line: int
    key: str
    values: Mapping[str, str]
    error: str | None = None


@dataclass(frozen=True)
class _Columns:
    """Where the values of a row stand, and what its defaults are."""

    at: tuple[tuple[str, int], ...]
    defaults: tuple[tuple[str, str], ...]
    header: tuple[str, ...]


def read_rows(stream: IO[bytes], table: DescribedTable, called: str) -> Iterator[TermRow]:
    """Yields the rows of one file of a table, streaming.

    Args:
        stream: the file's bytes.
        table: how it is written.
        called: how errors call the file.

    Raises:
        SourceError: when a quotation mark opens and never closes.
    """
    newline = "" if table.quote or table.line_end == "\r" else "\n"
    encoding = (
        "utf-8-sig" if table.encoding.lower().replace("_", "-") == "utf-8" else table.encoding
    )
    with text_of(stream, encoding=encoding, errors="surrogateescape", newline=newline) as text:
        first = text.readline()
        delimiter = table.delimiter or found_delimiter(first, table.last_index)
        split = _quoted if table.quote else _plain
        columns: _Columns | None = None
        header: list[str] = []
        rows = split(chain([first] if first else [], text), delimiter, table.quote or "", called)
        for number, (line, cells) in enumerate(rows):
            if number < table.header_lines:
                header = header or cells
                continue
            columns = columns or _columns(table, header)
            yield _row(table, columns, line, cells)


def found_delimiter(first: str, last_index: int) -> str:
    """Returns what a line is most likely split by: the comma, which is the standard's default, or another."""
    fitting = [mark for mark in _DELIMITERS if first.count(mark) >= max(last_index, 1)]
    return fitting[0] if fitting else max(_DELIMITERS, key=first.count)


def header_of(stream: IO[bytes], encoding: str) -> tuple[str, ...]:
    """Returns the column names in the first line of a table that no descriptor describes."""
    with text_of(stream, encoding=encoding, errors="replace", newline="") as text:
        first = text.readline().rstrip("\r\n")
    return tuple(next(csv.reader([first], delimiter=found_delimiter(first, 0)), []))


def _plain(
    lines: Iterator[str], delimiter: str, _quote: str, called: str
) -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(lines, start=1):
        if len(line) > MAX_ROW_CHARS:
            raise _endless(called, number)
        text = line.rstrip("\r\n")
        if text:
            yield number, text.split(delimiter)


def _quoted(
    lines: Iterator[str], delimiter: str, quote: str, called: str
) -> Iterator[tuple[int, list[str]]]:
    csv.field_size_limit(min(sys.maxsize, (1 << 31) - 1))
    start, held = 1, 0

    def fed() -> Iterator[str]:
        nonlocal held
        for line in lines:
            held += len(line)
            if held > MAX_ROW_CHARS:
                raise _endless(called, start)
            yield line

    reader = csv.reader(fed(), delimiter=delimiter, quotechar=quote)
    try:
        for cells in reader:
            if cells:
                yield start, cells
            start, held = reader.line_num + 1, 0
    except csv.Error as reason:
        raise SourceError(f"{called}, line {start}: {reason}. Write the table again.") from reason


def _endless(called: str, line: int) -> SourceError:
    return SourceError(
        f"{called}, line {line}: one row of over {MAX_ROW_CHARS:,} characters; most likely a quotation "
        'mark opens and never closes. Close it, or write fieldsEnclosedBy="" in the descriptor.'
    )


def _columns(table: DescribedTable, header: list[str]) -> _Columns:
    names: dict[str, int] = {}
    defaults: dict[str, str] = {}
    mapped = {table.key_index}
    for term in table.terms:
        name = term.uri if term.name in {*names, *defaults} else term.name
        if term.index is not None:
            names[name] = term.index
            mapped.add(term.index)
        if term.default is not None:
            defaults[name] = term.default
    for index, written in enumerate(header):
        name = written.strip().strip('"')
        if index not in mapped and name and name not in names:
            names[name] = index
    return _Columns(tuple(names.items()), tuple(defaults.items()), tuple(header))


def _row(table: DescribedTable, columns: _Columns, line: int, cells: list[str]) -> TermRow:
    wanted = max(table.last_index + 1, 0)
    if len(cells) < wanted or (columns.header and len(cells) > len(columns.header)):
        return TermRow(line, "", {}, _wrong_width(table, columns, line, len(cells), wanted))
    if "\0" in (text := "".join(cells)):
        wrong = f"line {line}, {zero_byte(cells, columns.header)}. Write the row again."
        return TermRow(line, "", {}, wrong)
    try:
        text.encode()
    except UnicodeEncodeError:
        return TermRow(line, "", {}, _wrong_letters(table, columns, line, cells))
    last = len(cells)
    values = {name: cells[at] for name, at in columns.at if at < last}
    for name, default in columns.defaults:
        if not values.get(name, "").strip():
            values[name] = default
    key = "" if table.key_index is None else cells[table.key_index].strip()
    return TermRow(line, key, values)


def _wrong_width(
    table: DescribedTable, columns: _Columns, line: int, found: int, wanted: int
) -> str:
    if found < wanted:
        names = [term.name for term in table.terms if term.index == found]
        first = f" ({names[0]})" if names else ""
        return (
            f"line {line}, column {found + 1}{first}: missing, the row has {found} columns where the "
            f"descriptor names {wanted}. Write every column, empty ones too, or correct the descriptor."
        )
    return (
        f"line {line}, column {len(columns.header) + 1}: one too many, the row has {found} columns where the "
        f"header has {len(columns.header)}. Most likely a delimiter stands in a value: enclose or remove it."
    )


def _wrong_letters(table: DescribedTable, columns: _Columns, line: int, cells: list[str]) -> str:
    at = next(n for n, cell in enumerate(cells) if any("\ud800" <= c <= "\udfff" for c in cell))
    letter = next(c for c in cells[at] if "\ud800" <= c <= "\udfff")
    name = next((name for name, index in columns.at if index == at), "")
    return (
        f"line {line}, column {at + 1}{f' ({name})' if name else ''}: byte {ord(letter) & 0xFF:#04x} is no "
        f"{table.encoding}. Write the table as {table.encoding}, or correct encoding in the descriptor."
    )
