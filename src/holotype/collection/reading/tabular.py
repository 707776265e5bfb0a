"""Text tables as people write them: delimiter and encoding found, rows by column name, faults by line.

Every source that reads CSV or TSV reads it here, from a file or from the member of an archive.
"""

import csv
import gzip
import io
import sys
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal, cast

from holotype.collection.reading.text_lines import AS_WINDOWS, RowLines, bounded_lines
from holotype.errors import MediaError, SourceError
from holotype.media.members import Member

MISSING = frozenset({"", "none", "na", "n/a", "nan", "null", "not_classified", "not classified"})
"""What tables write where nothing is known, in lower case."""


Quoting = Literal[0, 1, 2, 3]


@dataclass(frozen=True)
class Row:
    """One row of a table.

    Attributes:
        line: of the file, counted as an editor does, where the row ends.
        values: text by column name; empty where ``error`` is set.
        error: why the row cannot be read.
    """

    line: int
    values: Mapping[str, str]
    error: str | None = None


@dataclass(frozen=True)
class Dialect:
    """How a text table is written; None is found from its first line or first bytes."""

    delimiter: str | None = None
    encoding: str | None = None
    quoted: bool = True


@dataclass(frozen=True)
class TextTable:
    """An open table.

    Attributes:
        name: how errors call it.
        header: its column names, as written.
        rows: the rows behind the header, read as they are asked for.
    """

    name: str
    header: tuple[str, ...]
    rows: Iterator[Row]


def present(written: str) -> str:
    """Returns the text, or "" where it is one of the words for a missing value."""
    text = written.strip()
    return "" if text.lower() in MISSING else text


def open_table(
    place: Path | Member,
    *,
    dialect: Dialect | None = None,
    header: Sequence[str] | None = None,
    name: str | None = None,
) -> TextTable:
    """Returns a text table, plain or gzip; its rows stream.

    Args:
        place: a file, or the member of a folder or archive.
        dialect: how it is written, where that is fixed; found otherwise (UTF-8 with or without BOM, else
            Windows-1252, also for single letters far down; tab, comma, semicolon or bar, whichever the first
            line has most of).
        header: column names, for a table that has none in it.
        name: how errors call the table; its path by default.

    Raises:
        SourceError: when it is missing, no text, or has no header.
    """
    dialect = dialect or Dialect()
    called = name or (place.name if isinstance(place, Member) else str(place))
    encoding = dialect.encoding or _encoding(place, called)
    with _text(place, called, encoding) as handle:
        first = _first_line(handle, called)
    delimiter = dialect.delimiter or max("\t,;|", key=first.count)
    quoting: Quoting = csv.QUOTE_MINIMAL if dialect.quoted else csv.QUOTE_NONE
    names = header or next(csv.reader([first], delimiter=delimiter, quoting=quoting), [])
    if not any(column.strip() for column in names):
        raise SourceError(f"{called}: empty. Give a table with a header and rows.")
    twice = sorted({column for column in names if column.strip() and names.count(column) > 1})
    if twice:
        raise SourceError(
            f"{called}, line 1: column '{twice[0]}' is there twice. Rename one of them."
        )
    csv.field_size_limit(min(sys.maxsize, (1 << 31) - 1))
    stream = _rows(place, called, encoding, tuple(names), header is None, (delimiter, quoting))
    return TextTable(called, tuple(names), stream)


def _binary(place: Path | Member, called: str) -> IO[bytes]:
    if isinstance(place, Member):
        try:
            raw: IO[bytes] = io.BytesIO(place.read())
        except MediaError as reason:
            raise SourceError(f"{called}: {reason}. Fetch the archive again.") from reason
    elif place.is_file():
        raw = place.open("rb")
    else:
        raise SourceError(f"{called}: no such file. Check the path.")
    gzipped = raw.read(2) == b"\x1f\x8b"
    raw.seek(0)
    return cast(IO[bytes], _Gunzipped(raw)) if gzipped else raw


class _Gunzipped(gzip.GzipFile):
    """Closes the file below it as well."""

    def __init__(self, raw: IO[bytes]) -> None:
        super().__init__(fileobj=raw, mode="rb")
        self._raw = raw

    def close(self) -> None:
        super().close()
        self._raw.close()


def _text(place: Path | Member, called: str, encoding: str) -> io.TextIOWrapper:
    errors = "strict" if encoding == "utf-16" else AS_WINDOWS
    return io.TextIOWrapper(_binary(place, called), encoding=encoding, errors=errors, newline="")


def _encoding(place: Path | Member, called: str) -> str:
    """Returns UTF-8 where the table starts as such, else Windows-1252, which contains Latin-1's letters."""
    try:
        with _binary(place, called) as raw:
            start = raw.read(1 << 20)
    except (OSError, EOFError, zlib.error) as reason:
        raise SourceError(f"{called}: cannot be read ({reason}). Fetch it again.") from reason
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if b"\0" in start.partition(b"\n")[0]:
        raise SourceError(
            f"{called}: not a text table (it holds zero bytes). Save it as UTF-8 text."
        )
    try:
        io.TextIOWrapper(io.BytesIO(start), "utf-8").read()
    except UnicodeDecodeError as reason:
        return "utf-8-sig" if reason.start >= len(start) - 3 else "cp1252"
    return "utf-8-sig"


def zero_byte(cells: Sequence[str], names: Sequence[str]) -> str:
    """Returns what is wrong with a row that holds a zero byte."""
    at = next(place for place, cell in enumerate(cells) if "\0" in cell)
    return f"column {names[at] if at < len(names) else at + 1}: a zero byte, which no text has"


def _first_line(handle: io.TextIOWrapper, called: str) -> str:
    try:
        return next(bounded_lines(handle, called), "")
    except (OSError, UnicodeDecodeError, EOFError, zlib.error) as reason:
        raise SourceError(f"{called}: not a text table ({reason}). Save it as UTF-8.") from None


def _rows(
    place: Path | Member,
    called: str,
    encoding: str,
    names: tuple[str, ...],
    skip_header: bool,  # noqa: FBT001
    written: tuple[str, Quoting],
) -> Iterator[Row]:
    with _text(place, called, encoding) as handle:
        lines = RowLines(bounded_lines(handle, called), called)
        reader = csv.reader(lines, delimiter=written[0], quoting=written[1])
        try:
            if skip_header:
                next(reader, None)
                lines.held = 0
            for cells in reader:
                lines.held = 0
                if not cells:
                    continue
                if "\0" in "".join(cells):
                    yield Row(reader.line_num, {}, zero_byte(cells, names))
                elif len(cells) == len(names):
                    yield Row(reader.line_num, dict(zip(names, cells, strict=True)))
                else:
                    wrong = f"{len(cells)} columns where the header has {len(names)}"
                    yield Row(reader.line_num, {}, wrong)
        except (csv.Error, UnicodeDecodeError, EOFError, OSError, zlib.error) as reason:
            where = f"{called}, after line {reader.line_num}"
            raise SourceError(f"{where}: {reason}. Save the table as UTF-8 text.") from reason
