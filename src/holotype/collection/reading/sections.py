"""Files of ``[Section]``, ``Key= value`` and a ``[Data]`` table: ZooProcess .pid, ZooImage .zim and .zis."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from holotype.collection.reading.tabular import zero_byte
from holotype.collection.reading.text_lines import decoded_lines
from holotype.errors import SourceError
from holotype.media.members import Member

_DATA = "data"


@dataclass(frozen=True)
class Entry:
    """One ``Key= value``.

    Attributes:
        key: as written.
        value: "" where there is none.
        line: of the file.
    """

    key: str
    value: str
    line: int


@dataclass(frozen=True)
class TableLine:
    """One line of a table.

    Attributes:
        line: of the file.
        cells: text by column name.
        error: why it cannot be read.
    """

    line: int
    cells: Mapping[str, str]
    error: str | None = None


@dataclass(frozen=True)
class SectionedFile:
    """An open file; its table streams.

    Attributes:
        name: of the member.
        mark: its first line: PID, ZI1 ...
        entries: "section.key", in lower case -> the first entry of that name.
        columns: of the table, without the leading "!"; () where there is none.
        rows: of the table.
    """

    name: str
    mark: str
    entries: Mapping[str, Entry]
    columns: tuple[str, ...]
    rows: Iterator[TableLine]

    def value(self, key: str) -> str:
        """Returns the value of "section.key", or ""."""
        entry = self.entries.get(key)
        return entry.value if entry else ""


def open_sections(member: Member, *, comment: str | None = None) -> SectionedFile:
    """Returns a sectioned file.

    Args:
        member: the file.
        comment: what starts a comment behind a value, where the format has such.

    Raises:
        SourceError: when it cannot be read or is empty.
    """
    lines = enumerate(decoded_lines(member), start=1)
    _, first = next(lines, (1, ""))
    if not first.strip():
        raise SourceError(f"{member.name}, line 1: empty. Remove the file, or fetch it again.")
    entries: dict[str, Entry] = {}
    section = ""
    for number, written in lines:
        text = written.strip()
        if text.startswith("["):
            section = text.strip("[] ").lower()
            if section == _DATA:
                break
        elif "=" in text:
            key, _, value = text.partition("=")
            if comment:
                value = value.partition(comment)[0]
            name = f"{section}.{key.strip()}"
            entries.setdefault(name.lower(), Entry(name, value.strip(), number))
    _, header = next(lines, (0, ""))
    columns = _cells(header)
    columns[:1] = [columns[0].lstrip("!").strip()] if columns else []
    while columns and not columns[-1]:
        columns.pop()
    delimiter = _delimiter(header)
    rows = _rows(member.name, tuple(columns), lines, delimiter)
    return SectionedFile(member.name, first.strip(), entries, tuple(columns), rows)


def section_tables(member: Member) -> Mapping[str, tuple[TableLine, ...]]:
    """Returns the tables of a file that has one in each section: section, lower case -> its lines.

    Raises:
        SourceError: when it cannot be read.
    """
    tables: dict[str, list[TableLine]] = {}
    section = ""
    columns: tuple[str, ...] = ()
    for number, written in enumerate(decoded_lines(member), start=1):
        text = written.strip("\r\n")
        if text.startswith("["):
            section, columns = text.strip("[] ").lower(), ()
        elif text.startswith("!"):
            columns = tuple(cell.lstrip("!").strip() for cell in text.split("\t"))
        elif columns and text.strip():
            cells = dict(zip(columns, (cell.strip() for cell in text.split("\t")), strict=False))
            tables.setdefault(section, []).append(TableLine(number, cells))
    return {name: tuple(lines) for name, lines in tables.items()}


def _delimiter(header: str) -> str:
    return ";" if header.count(";") > header.count("\t") else "\t"


def _cells(line: str) -> list[str]:
    parsed = next(csv.reader([line], delimiter=_delimiter(line)), [])
    return [cell.strip() for cell in parsed]


def _rows(
    name: str, columns: tuple[str, ...], lines: Iterator[tuple[int, str]], delimiter: str
) -> Iterator[TableLine]:
    for number, written in lines:
        if not written.strip():
            continue
        cells = [cell.strip() for cell in written.strip("\r\n").split(delimiter)]
        while len(cells) > len(columns) and not cells[-1]:
            cells.pop()
        if "\0" in written:
            place = f"{name}, line {number}, {zero_byte(cells, columns)}"
            yield TableLine(number, {}, f"{place}. Process the scan again, or mend the line.")
            continue
        if len(cells) == len(columns):
            yield TableLine(number, dict(zip(columns, cells, strict=True)))
            continue
        place = f"{name}, line {number}, column {columns[min(len(cells), len(columns) - 1)]}"
        wrong = f"{len(cells)} cells for {len(columns)} columns"
        yield TableLine(number, {}, f"{place}: {wrong}. Process the scan again, or mend the line.")
