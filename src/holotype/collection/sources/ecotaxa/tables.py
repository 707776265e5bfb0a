"""EcoTaxa tables: header, line of types, rows; what is odd is named by line and column.

Cells may be missing at the end of a row (spreadsheets drop them) but not be too many.
"""

import csv
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from holotype.collection.reading.tabular import zero_byte
from holotype.collection.reading.text_lines import RowLines, decoded_lines
from holotype.errors import MediaError, SourceError, first_few
from holotype.media.members import Member

PREFIXES = ("object", "sample", "acq", "process", "img")
PREDEFINED = frozenset({
    "img_file_name", "img_rank", "object_id", "object_lat", "object_lon", "object_date",
    "object_time", "object_link", "object_depth_min", "object_depth_max",
    "object_annotation_status", "object_annotation_category", "object_annotation_category_id",
    "object_annotation_hierarchy", "object_annotation_date", "object_annotation_time",
    "object_annotation_person_name", "object_annotation_person_email", "sample_id",
    "sample_dataportal_descriptor", "acq_id", "acq_instrument", "process_id",
})  # fmt: skip
ADDED_BY_EXPORTS = frozenset({
    "complement_info", "objid", "processid_internal", "acq_id_internal", "sample_id_internal",
    "classif_id", "classif_who", "classif_when", "classif_auto_id", "classif_auto_name",
    "classif_auto_score", "classif_auto_when", "object_random_value", "object_sunpos",
    "sample_lat", "sample_long",
})  # fmt: skip
FREE_COLUMNS = {"object": 520, "sample": 30, "acq": 30, "process": 30}
"""How many free columns EcoTaxa takes for each prefix."""
_TYPE = re.compile(r"^\[.?\]$")
_TYPES = frozenset({"[t]", "[f]"})


@dataclass(frozen=True)
class TableRow:
    """One row of an EcoTaxa table.

    Attributes:
        line: where it starts, counted as an editor does.
        values: text by column name, lower case; "" where the cell is missing.
        error: why the row cannot be read.
        missing: how many cells the row lacks at its end.
    """

    line: int
    values: Mapping[str, str]
    error: str | None = None
    missing: int = 0


@dataclass(frozen=True)
class EcotaxaTable:
    """An open table.

    Attributes:
        name: of the member.
        columns: names, stripped and in lower case.
        numeric: the columns whose type is ``[f]``; empty where there is no line of types.
        notes: (code, sentence) for what is odd in the first two lines.
        rows: they stream.
    """

    name: str
    columns: tuple[str, ...]
    numeric: tuple[str, ...]
    notes: tuple[tuple[str, str], ...]
    rows: Iterator[TableRow]


@dataclass(frozen=True)
class _Line:
    """The cells of one row, and the first and last line of the file that it takes."""

    start: int
    end: int
    cells: list[str]


_NO_LINE = _Line(1, 1, [])


def open_ecotaxa(member: Member) -> EcotaxaTable:
    """Returns an EcoTaxa table; its rows stream.

    Raises:
        SourceError: when it is empty, no text, or has no column ``object_id``.
    """
    name = member.name
    lines = _numbered(name, decoded_lines(member))
    columns = tuple(_column(cell) for cell in next(lines, _NO_LINE).cells)
    if not any(columns):
        raise SourceError(
            f"{name}, line 1, column object_id: no names of columns: the table is empty. "
            "Write a header with object_id and img_file_name, a line of types and the rows, or remove it."
        )
    if "object_id" not in columns:
        raise SourceError(
            f"{name}, line 1, column object_id: not among the {len(columns)} columns "
            f"({first_few(columns, limit=4)}). Add it: every row needs the id of its object."
        )
    twice = [column for column, times in Counter(columns).items() if column and times > 1]
    if twice:
        raise SourceError(
            f"{name}, line 1, column {twice[0]}: it is there twice (capitals do not count). "
            "Rename one of them."
        )
    second = next(lines, _NO_LINE)
    types = _types(columns, second.cells)
    notes = [*_header_notes(name, columns), *_type_notes(name, columns, second.cells, types)]
    rows = lines if types else chain([second], lines)
    numeric = tuple(column for column, kind in types.items() if kind == "[f]")
    return EcotaxaTable(name, columns, numeric, tuple(notes), _rows(name, columns, rows))


def table_columns(member: Member) -> tuple[str, ...]:
    """Returns the names in the first line of a text file, lower case; () where it is no text."""
    try:
        first = next(decoded_lines(member), "")
    except (SourceError, MediaError):
        return ()
    delimiter = max("\t;,", key=first.count)
    return tuple(_column(cell) for cell in next(csv.reader([first], delimiter=delimiter), []))


def _column(cell: str) -> str:
    return cell.strip(" \t\r\n\ufeff").lower()


def _types(columns: tuple[str, ...], cells: list[str]) -> dict[str, str]:
    """Returns the type of each column where a line is the line of types, else {}."""
    filled = [cell.strip() for cell in cells if cell.strip()]
    if not filled or sum(bool(_TYPE.match(cell)) for cell in filled) * 2 < len(filled):
        return {}
    return {column: cell.strip().lower() for column, cell in zip(columns, cells, strict=False)}


def _type_notes(
    name: str, columns: tuple[str, ...], cells: list[str], types: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    if not types:
        return
    wrong = [column for column in columns if column and types.get(column) not in _TYPES]
    if wrong:
        others = f" (and {len(wrong) - 1} more columns)" if len(wrong) > 1 else ""
        place = f"{name}, line 2, column {wrong[0]}{others}"
        said = f"'{types.get(wrong[0], '')}' is no type: read as text"
        yield "type", f"{place}: {said}; write [t] for text or [f] for numbers"
    if len(cells) != len(columns):
        said = f"{len(cells)} types for {len(columns)} columns"
        yield "type", f"{name}, line 2, column {columns[-1]}: {said}; see that none was left out"


def _header_notes(name: str, columns: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    prefixes = {column: column.partition("_")[0] for column in columns if "_" in column}
    strange = [
        column
        for column in columns
        if column and prefixes.get(column) not in PREFIXES and column not in ADDED_BY_EXPORTS
    ]
    if strange:
        place = f"{name}, line 1, column {first_few(strange, limit=6)}"
        known = ", ".join(f"{prefix}_" for prefix in PREFIXES)
        yield "column", f"{place}: starts with none of {known}: kept under its name; rename it"
    for prefix in ("sample", "acq", "process"):
        if prefix in prefixes.values() and f"{prefix}_id" not in columns:
            said = f"not there though other {prefix}_ columns are: the {prefix} stays unnamed"
            yield "column", f"{name}, line 1, column {prefix}_id: {said}; add it"
    free = Counter(prefixes[c] for c in prefixes if c not in PREDEFINED | ADDED_BY_EXPORTS)
    for prefix, most in FREE_COLUMNS.items():
        if free[prefix] > most:
            last = [column for column in prefixes if prefixes[column] == prefix][-1]
            said = f"one of {free[prefix]} free {prefix}_ columns; all are kept here"
            remedy = f"EcoTaxa takes {most}: leave some out before you import the table there"
            yield "column", f"{name}, line 1, column {last}: {said}, but {remedy}"


def _numbered(name: str, lines: Iterator[str]) -> Iterator[_Line]:
    csv.field_size_limit(min(sys.maxsize, (1 << 31) - 1))
    held = RowLines(lines, name)
    reader = csv.reader(held, delimiter="\t", quotechar='"')
    end = 0
    try:
        for cells in reader:
            start, end, held.held = end + 1, reader.line_num, 0
            yield _Line(start, end, cells)
    except csv.Error as reason:
        raise SourceError(
            f"{name}, after line {end}: {reason}. Mend that line; a cell with a quote needs quotes."
        ) from reason


def _rows(name: str, columns: tuple[str, ...], lines: Iterator[_Line]) -> Iterator[TableRow]:
    for line in lines:
        if any(cell.strip() for cell in line.cells):
            yield _row(name, columns, line)
        elif line.cells:
            yield TableRow(line.start, {})


def _row(name: str, columns: tuple[str, ...], numbered: _Line) -> TableRow:
    line, end, cells = numbered.start, numbered.end, numbered.cells
    where = f"{name}, line {line}"
    if "\0" in "".join(cells):
        wrong = f"{where}, {zero_byte(cells, columns)}. Write the row again, or remove the byte."
        values = {
            column: cell.replace("\0", "") for column, cell in zip(columns, cells, strict=False)
        }
        return TableRow(line, values, wrong)
    surplus = [cell for cell in cells[len(columns) :] if cell.strip()]
    unnamed = [
        number
        for number, (column, cell) in enumerate(zip(columns, cells, strict=False), start=1)
        if not column and cell.strip()
    ]
    values = dict(zip(columns, cells, strict=False))
    if surplus or unnamed:
        number = unnamed[0] if unnamed else len(columns) + 1
        found = cells[number - 1]
        return TableRow(
            line,
            values,
            f"{where}, column {number}: '{found}' stands under no header ({len(columns)} columns in line 1). "
            "Give the column a name, or move the cells of the row back into place.",
        )
    if len(cells) < len(columns) and end > line:
        return TableRow(
            line,
            values,
            f"{where}, column {columns[len(cells) - 1]}: a quote is opened here and closed in line {end}: "
            f"{len(cells)} columns where the header has {len(columns)}. Remove or double the quote.",
        )
    absent = dict.fromkeys(columns[len(cells) :], "")
    return TableRow(line, {**values, **absent}, missing=max(0, len(columns) - len(cells)))
