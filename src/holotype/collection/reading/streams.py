"""Members of an archive as byte streams: tables larger than memory are read a piece at a time.

``Member.read`` gives small files whole; a table or JSON file of any size is opened here.
"""

import csv
import gzip
import io
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from holotype.collection.reading.tabular import Row, zero_byte
from holotype.collection.reading.text_lines import RowLines, bounded_lines
from holotype.errors import SourceError
from holotype.files import DAMAGE
from holotype.media.locations import FileAt, SliceAt
from holotype.media.members import MAX_UNPACK_RATIO, Member, members

_FREE_BYTES = 1 << 30
_TOO_LARGE = "bytes unpacked"


class _Window(io.RawIOBase):
    """A part of a file that is open, as a file of its own."""

    def __init__(self, whole: IO[bytes], start: int, length: int) -> None:
        self._whole, self._left = whole, length
        whole.seek(start)

    def readable(self) -> bool:
        """Says that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fills the buffer; returns how many bytes it got."""
        piece = self._whole.read(min(len(buffer), self._left))
        self._left -= len(piece)
        buffer[: len(piece)] = piece
        return len(piece)


def large_members(path: Path, spool: Path | None = None) -> tuple[dict[str, Member], list[Member]]:
    """Returns the members of a folder or archive by name, and those that cannot be used.

    Members over the size limit of ``Member.read`` are usable here: ``open_stream`` reads them.

    Raises:
        SourceError: when the path is missing or the archive cannot be opened.
    """
    usable: dict[str, Member] = {}
    refused: list[Member] = []
    for member in members(path, spool):
        reason = member.skip_reason
        if reason is None or (reason.endswith(_TOO_LARGE) and _is_zip(path)):
            usable[member.name] = member
        else:
            refused.append(member)
    return usable, refused


def _is_zip(path: Path) -> bool:
    return path.is_file() and zipfile.is_zipfile(path)


@contextmanager
def open_stream(path: Path, member: Member) -> Iterator[IO[bytes]]:
    """Opens a member of the folder or archive ``path`` for reading from its start to its end.

    Raises:
        SourceError: when it is damaged, or unpacks to far more than it should.
    """
    called = f"{path.name}/{member.name}"
    try:
        if isinstance(member.at, FileAt):
            with Path(member.at.path).open("rb") as handle:
                yield handle
        elif isinstance(member.at, SliceAt):
            with Path(member.at.path).open("rb") as whole:
                window = _Window(whole, member.at.start, member.at.length)
                yield io.BufferedReader(window)
        else:
            with zipfile.ZipFile(path) as archive:
                entry = archive.getinfo(member.name)
                if entry.file_size > max(_FREE_BYTES, MAX_UNPACK_RATIO * entry.compress_size):
                    raise SourceError(
                        f"{called}: {entry.compress_size:,} bytes unpack to {entry.file_size:,}. "
                        "Unpack it by hand if you trust it, and give the folder."
                    )
                with archive.open(entry) as unpacked:
                    yield unpacked
    except SourceError:
        raise
    except DAMAGE as reason:
        raise SourceError(f"{called}: damaged ({reason}). Fetch the archive again.") from reason


@contextmanager
def text_of(stream: IO[bytes], **written: str | None) -> Iterator[io.TextIOWrapper]:
    """Gives a byte stream as text (``encoding``, ``errors``, ``newline``); the stream itself stays open."""
    text = io.TextIOWrapper(stream, **written)  # type: ignore[arg-type]
    try:
        yield text
    finally:
        text.detach()


def stream_table(
    path: Path, member: Member, *, delimiter: str = ",", encoding: str = "utf-8"
) -> Iterator[Row]:
    """Yields the rows of a member with a header, plain or gzip, without holding it in memory.

    The error of a row says what is wrong and what to do; its caller says where.

    Raises:
        SourceError: when it is no text table; names the line.
    """
    called = member.name
    line = 0
    with open_stream(path, member) as raw:
        unpacked: Any = gzip.GzipFile(fileobj=raw) if member.suffix == ".gz" else raw
        known = "utf-8-sig" if encoding.lower().replace("_", "-") == "utf-8" else encoding
        csv.field_size_limit(min(sys.maxsize, (1 << 31) - 1))
        try:
            with text_of(unpacked, encoding=known, errors="surrogateescape", newline="") as text:
                lines = RowLines(bounded_lines(text, called), called)
                reader = csv.reader(lines, delimiter=delimiter)
                names = [name.strip() for name in next(reader, [])]
                if not any(names):
                    raise SourceError(f"{called}: empty. Give a table with a header and rows.")
                for cells in reader:
                    lines.held = 0
                    line = reader.line_num
                    if cells and (wrong := _fault(cells, names, encoding)):
                        yield Row(line, {}, wrong)
                    elif cells:
                        yield Row(line, dict(zip(names, cells, strict=True)))
        except (csv.Error, UnicodeDecodeError, LookupError) as reason:
            raise SourceError(
                f"{called}, after line {line}: {reason}. Save the table as UTF-8 text."
            ) from reason


def _fault(cells: list[str], names: list[str], encoding: str) -> str | None:
    """Returns what is wrong with a row, or None."""
    if len(cells) != len(names):
        wrong = f"{len(cells)} columns where the header has {len(names)}."
        return f"{wrong} Enclose delimiters in values, or add what is missing."
    if "\0" in "".join(cells):
        return f"{zero_byte(cells, names)}. Write the row again."
    try:
        "".join(cells).encode()
    except UnicodeEncodeError as reason:
        letter = str(reason.object)[reason.start]
        at = next(name for name, cell in zip(names, cells, strict=True) if letter in cell)
        byte = ord(letter) & 0xFF
        return f"column {at}: byte {byte:#04x} is no {encoding}. Save the table as UTF-8 text."
    return None
