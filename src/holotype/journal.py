"""A journal: a file of lines that only grows, safe between threads and processes and after a crash.

A line is written in one piece under an advisory lock and flushed to disk before the writer is told so. A
reader shares that lock while it reads, so that it sees no line that goes again as the disk refuses it. A
line without its end is what a crash left: no reader takes it for whole, and the next writer sets it aside.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from holotype import files


@dataclass(frozen=True)
class Torn:
    """A line that a crash cut: when it was set aside, where it began, and what there is of it."""

    time: str
    offset: int
    text: str


def now() -> str:
    """Returns the present as journals write it: ISO 8601, UTC, milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


@contextmanager
def held(path: Path) -> Iterator[int]:
    """Opens a journal to read and to add to, for this writer alone; waits for its turn."""
    is_new = not path.exists()
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if is_new:
            files.flush_folder(path.parent)
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def shown(path: Path) -> Iterator[int]:
    """Opens a journal to read, beside other readers; waits for who writes.

    Raises:
        FileNotFoundError: when it is not there.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        with suppress(OSError):  # where no lock is to be had, nobody writes under one
            fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield descriptor
    finally:
        os.close(descriptor)


def whole_lines(descriptor: int, start: int = 0) -> bytes:
    """Returns the whole lines from a byte on, the end of the last one included."""
    size = os.fstat(descriptor).st_size
    parts: list[bytes] = []
    at = start
    while at < size and (block := os.pread(descriptor, min(files.CHUNK_BYTES, size - at), at)):
        parts.append(block)
        at += len(block)
    found = b"".join(parts)
    return found[: found.rfind(b"\n") + 1]


def append(descriptor: int, line: bytes, *, end: int, torn: Path) -> None:
    """Writes a line; when this returns, it is on disk.

    Args:
        descriptor: of a held journal.
        line: with its end.
        end: byte after the last whole line; what stands there is set aside.
        torn: the file of what was set aside.

    Raises:
        OSError: nothing is kept of the line then.
    """
    _set_aside(descriptor, end, torn)
    _add(descriptor, line, end=end)


def torn_lines(torn: Path) -> list[Torn]:
    """Returns what was set aside.

    A line of that file that is itself cut is passed over: it was set aside again, as it is cut off from the
    journal only when it is safe here.
    """
    if not torn.is_file():
        return []
    found = []
    for line in torn.read_bytes().split(b"\n"):
        with suppress(ValueError, TypeError):
            found.append(Torn(**json.loads(line)))
    return found


def _set_aside(descriptor: int, end: int, torn: Path) -> None:
    """Moves what stands after the last end of a line into its own file: safe there, then gone here."""
    size = os.fstat(descriptor).st_size
    if size == end:
        return
    rest = os.pread(descriptor, size - end, end)
    kept = Torn(now(), end, rest.decode("utf-8", errors="backslashreplace"))
    line = json.dumps(vars(kept), ensure_ascii=False).encode() + b"\n"
    aside = os.open(torn, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        size = os.fstat(aside).st_size
        begins_anew = size == 0 or os.pread(aside, 1, size - 1) == b"\n"
        _add(aside, line if begins_anew else b"\n" + line, end=size)
    finally:
        os.close(aside)
    os.ftruncate(descriptor, end)
    os.fsync(descriptor)


def _add(descriptor: int, content: bytes, *, end: int) -> None:
    """Adds content to a file of so many bytes, safe on disk; all of it or nothing."""
    try:
        _write_all(descriptor, content)
        os.fsync(descriptor)
    except OSError:
        os.ftruncate(descriptor, end)
        raise


def _write_all(descriptor: int, content: bytes) -> None:
    """Writes all of it, in one piece where the system takes it."""
    left = memoryview(content)
    while left:
        left = left[os.write(descriptor, left) :]
