"""The log of a session: append-only, one event a line, safe between processes and after a crash.

A line is written in one piece under an advisory lock and flushed to disk before the writer is told so. A
line without its end is what a crash left: the next writer sets it aside into ``log.torn.jsonl``, and no
reader takes
it for whole.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from holotype import files
from holotype.reviewing.errors import ReviewError
from holotype.reviewing.events import Asked, Event, Kind, new_id, now, reviewer_name
from holotype.reviewing.state import State

LOG, TORN = "log.jsonl", "log.torn.jsonl"


@dataclass(frozen=True)
class Torn:
    """A line that a crash cut: when it was set aside, where it began, and what there is of it."""

    time: str
    offset: int
    text: str


class ReviewLog:
    """The events of one session, as far as they have been read.

    One thread at a time may use an object; any number of objects and processes may use the same log.

    Attributes:
        folder: of the session.
        state: what the events read so far come to.
        damaged: lines that are whole but no event, by number, with the reason; they are left out of the
            state.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = State()
        self.damaged: dict[int, str] = {}
        self._offset = 0
        self._lines = 0

    @property
    def path(self) -> Path:
        """The log's file."""
        return self.folder / LOG

    def refresh(self) -> list[Event]:
        """Returns the events written since the last look, by whomever, and takes them into the state."""
        if not self.path.is_file():
            return []
        with self.path.open("rb") as handle:
            return self._read(handle.fileno())

    def append(self, reviewer: str, asked: Asked) -> Event:
        """Writes what a reviewer decided; when this returns, it is on disk.

        An event whose id is there already is returned as it was written: asking twice does nothing twice.

        Raises:
            ReviewError: when the name is none, or the log cannot be written.
        """
        name = reviewer_name(reviewer)
        with self._held() as descriptor:
            known = self.state.events.get(asked.id)
            if known is not None:
                return known
            name = self.state.spelling(name)
            before = tuple(self.state.label_by(name, record) for record in asked.records)
            event = Event(
                asked.id, self._time(), name, asked.kind, asked.records, asked.labels, before,
                asked.new_labels, asked.text,
            )  # fmt: skip
            self._write(descriptor, event)
            return event

    def undo(self, reviewer: str, *, event_id: str | None = None) -> Event | None:
        """Takes back the newest standing event of a reviewer; returns the undo, None where there is none.

        Args:
            reviewer: the name.
            event_id: of the undo, so that asking twice takes back one event.

        Raises:
            ReviewError: when the name is none, or the log cannot be written.
        """
        name = reviewer_name(reviewer)
        with self._held() as descriptor:
            known = self.state.events.get(event_id or "")
            if known is not None:
                return known
            name = self.state.spelling(name)
            newest = self.state.newest_of(name)
            if newest is None:
                return None
            event = Event(event_id or new_id(), self._time(), name, Kind.UNDO, undoes=newest.id)
            self._write(descriptor, event)
            return event

    def torn(self) -> list[Torn]:
        """Returns the lines that crashes cut and that were set aside."""
        path = self.folder / TORN
        if not path.is_file():
            return []
        lines = path.read_text(encoding="utf-8").splitlines()
        return [Torn(**json.loads(line)) for line in lines if line.endswith("}")]

    def _time(self) -> str:
        """Returns the time of the next event: never before the last one, whatever the clock says."""
        return max(now(), self.state.last_time)

    @contextmanager
    def _held(self) -> Iterator[int]:
        """Yields the open log, for this writer alone, with all of it read."""
        if not self.folder.is_dir():
            raise ReviewError(f"{self.folder}: no such session. Check the path.")
        is_new = not self.path.exists()
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if is_new:
                _flush_folder(self.folder)
            self._read(descriptor)
            self._set_aside(descriptor)
            yield descriptor
        finally:
            os.close(descriptor)

    def _read(self, descriptor: int) -> list[Event]:
        """Takes in what stands between the last look and the last end of a line."""
        size = os.fstat(descriptor).st_size
        if size < self._offset:
            raise ReviewError(
                f"{self.path}: is shorter than it was. A log only grows: restore it from a copy."
            )
        parts: list[bytes] = []
        at = self._offset
        while at < size and (block := os.pread(descriptor, min(files.CHUNK_BYTES, size - at), at)):
            parts.append(block)
            at += len(block)
        whole, _, _ = b"".join(parts).rpartition(b"\n")
        if not whole:
            return []
        found: list[Event] = []
        for line in whole.split(b"\n"):
            self._lines += 1
            try:
                event = Event.from_line(line)
            except (ValueError, RecursionError) as reason:
                self.damaged[self._lines] = " ".join(str(reason).split())
                continue
            if self.state.take(event):
                found.append(event)
        self._offset += len(whole) + 1
        return found

    def _set_aside(self, descriptor: int) -> None:
        """Moves what stands after the last end of a line into its own file: safe there, then gone here."""
        size = os.fstat(descriptor).st_size
        if size == self._offset:
            return
        rest = os.pread(descriptor, size - self._offset, self._offset)
        kept = Torn(now(), self._offset, rest.decode("utf-8", errors="backslashreplace"))
        line = json.dumps(vars(kept), ensure_ascii=False).encode() + b"\n"
        aside = os.open(self.folder / TORN, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            _write_all(aside, line)
            os.fsync(aside)
        finally:
            os.close(aside)
        os.ftruncate(descriptor, self._offset)
        os.fsync(descriptor)

    def _write(self, descriptor: int, event: Event) -> None:
        line = event.as_line()
        try:
            _write_all(descriptor, line)
            os.fsync(descriptor)
        except OSError as reason:
            os.ftruncate(descriptor, self._offset)
            raise ReviewError(
                f"{self.path}: cannot be written ({reason.strerror}). Nothing was kept of this decision: "
                "make room, then decide again."
            ) from reason
        self._offset += len(line)
        self._lines += 1
        self.state.take(event)


def _write_all(descriptor: int, content: bytes) -> None:
    """Writes all of it, in one piece where the system takes it."""
    left = memoryview(content)
    while left:
        left = left[os.write(descriptor, left) :]


def _flush_folder(folder: Path) -> None:
    """Makes the name of a new file safe on disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
