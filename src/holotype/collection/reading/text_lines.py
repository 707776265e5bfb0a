"""The lines of text files as laboratories have them: UTF-8 or Windows, plain or gzip, any line ends.

What is not UTF-8 is read as Windows-1252, which contains Latin-1's letters, byte by byte: a file may be long
and hold its first accent on its last line.
"""

import codecs
import gzip
import io
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from holotype.errors import MediaError, SourceError
from holotype.media.locations import FileAt
from holotype.media.members import Member

MAX_ROW_CHARS = 16 << 20
"""So many letters without the end of a row are no table: a bomb, or a quote that nothing closes."""
_START_BYTES = 1 << 16


def bounded_lines(text: io.TextIOWrapper, called: str) -> Iterator[str]:
    """Yields the lines of a text, none of them longer than ``MAX_ROW_CHARS``.

    Raises:
        SourceError: names the line that is longer.
    """
    number = 0
    while line := text.readline(MAX_ROW_CHARS + 1):
        number += 1
        if len(line) > MAX_ROW_CHARS:
            raise _endless(called, number)
        yield line


class RowLines:
    """The lines that a reader of quoted rows takes; one row may be many lines, and not without end.

    Attributes:
        held: letters taken since the last row; whoever gets a row sets it to 0.
    """

    def __init__(self, lines: Iterator[str], called: str) -> None:
        self.held = 0
        self._lines, self._called, self._number, self._started = lines, called, 0, 1

    def __iter__(self) -> "RowLines":
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self._number += 1
        if not self.held:
            self._started = self._number
        self.held += len(line)
        if self.held > MAX_ROW_CHARS:
            raise _endless(self._called, self._started)
        return line


def _endless(called: str, number: int) -> SourceError:
    return SourceError(
        f"{called}, line {number}: over {MAX_ROW_CHARS:,} letters without the end of a row. "
        "Close the quote that is open there, or write the table with line ends."
    )


def decoded_lines(member: Member) -> Iterator[str]:
    """Yields the lines of a text file, plain or gzip; what is not UTF-8 is read as Windows-1252.

    A zero byte in the first line says that it is no text; in a later line it is left in for the caller.

    Raises:
        SourceError: when it cannot be read or is no text.
    """
    try:
        with _binary(member) as raw:
            start = raw.read(_START_BYTES)
            raw.seek(0)
            wide = start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
            if b"\0" in start.partition(b"\n")[0] and not wide:
                raise SourceError(f"{member.name}: holds zero bytes: no text. Save it as text.")
            encoding = "utf-16" if wide else "utf-8-sig"
            with io.TextIOWrapper(raw, encoding=encoding, errors=AS_WINDOWS) as text:
                yield from bounded_lines(text, member.name)
    except (MediaError, OSError, EOFError, UnicodeDecodeError) as reason:
        raise SourceError(f"{member.name}: cannot be read ({reason}). Fetch it again.") from reason


def _binary(member: Member) -> IO[bytes]:
    if isinstance(member.at, FileAt):
        raw: IO[bytes] = Path(member.at.path).open("rb")  # noqa: SIM115 - the caller closes it
    else:
        raw = io.BytesIO(member.read())
    return cast("IO[bytes]", _Gunzipped(raw)) if member.suffix == ".gz" else raw


class _Gunzipped(gzip.GzipFile):
    """Closes the packed file too."""

    def __init__(self, packed: IO[bytes]) -> None:
        super().__init__(fileobj=packed, mode="rb")
        self.packed = packed

    def close(self) -> None:
        super().close()
        self.packed.close()


def _as_windows(fault: UnicodeError) -> tuple[str, int]:
    """Decodes the bytes that are no UTF-8 as Windows-1252, or Latin-1 where it has no such letter."""
    if not isinstance(fault, UnicodeDecodeError):
        raise fault
    found = fault.object[fault.start : fault.end]
    try:
        return found.decode("cp1252"), fault.end
    except UnicodeDecodeError:
        return found.decode("latin-1"), fault.end


AS_WINDOWS = "holotype-windows-1252"
"""Name of the way to decode that a text stream takes as its ``errors``."""
codecs.register_error(AS_WINDOWS, _as_windows)
