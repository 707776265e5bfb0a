"""The log of a session: append-only, one event a line, safe between processes and after a crash.

A line that a crash cut is set aside into ``log.torn.jsonl`` (journal.py).
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from holotype import journal
from holotype.reviewing.errors import ReviewError
from holotype.reviewing.events import Asked, Event, Kind, new_id, reviewer_name
from holotype.reviewing.state import State

LOG, TORN = "log.jsonl", "log.torn.jsonl"


def new_log(folder: Path) -> None:
    """Makes the empty log of a new session: one without it has lost what people decided."""
    with journal.held(folder / LOG):
        pass


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
        """Returns the events written since the last look, by whomever, and takes them into the state.

        Raises:
            ReviewError: when the log is gone, or shorter than it was.
        """
        try:
            with journal.shown(self.path) as descriptor:
                whole = self._unread(descriptor)
        except FileNotFoundError:
            raise self._gone() from None
        return self._take(whole)

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

    def torn(self) -> list[journal.Torn]:
        """Returns the lines that crashes cut and that were set aside."""
        return journal.torn_lines(self.folder / TORN)

    def _time(self) -> str:
        """Returns the time of the next event: never before the last one, whatever the clock says."""
        return max(journal.now(), self.state.last_time)

    @contextmanager
    def _held(self) -> Iterator[int]:
        """Yields the open log, for this writer alone, with all of it read."""
        if not self.folder.is_dir():
            raise ReviewError(f"{self.folder}: no such session. Check the path.")
        if not self.path.is_file():
            raise self._gone()
        with journal.held(self.path) as descriptor:
            self._take(self._unread(descriptor))
            yield descriptor

    def _gone(self) -> ReviewError:
        return ReviewError(
            f"{self.path}: is gone, and with it what people decided. Restore it from a copy; where nobody "
            "had decided anything, make an empty file of this name."
        )

    def _unread(self, descriptor: int) -> bytes:
        """Returns what stands between the last look and the last end of a line."""
        size = os.fstat(descriptor).st_size
        if size < self._offset:
            raise ReviewError(
                f"{self.path}: is shorter than it was. A log only grows: restore it from a copy."
            )
        return journal.whole_lines(descriptor, self._offset)

    def _take(self, whole: bytes) -> list[Event]:
        """Takes in whole lines; returns the new events."""
        found: list[Event] = []
        for line in whole.split(b"\n")[:-1]:
            self._lines += 1
            try:
                event = Event.from_line(line)
            except (ValueError, RecursionError) as reason:
                self.damaged[self._lines] = " ".join(str(reason).split())
                continue
            if self.state.take(event):
                found.append(event)
        self._offset += len(whole)
        return found

    def _write(self, descriptor: int, event: Event) -> None:
        line = event.as_line()
        try:
            journal.append(descriptor, line, end=self._offset, torn=self.folder / TORN)
        except OSError as reason:
            raise ReviewError(
                f"{self.path}: cannot be written ({reason.strerror}). Nothing was kept of this decision: "
                "make room, then decide again."
            ) from reason
        self._offset += len(line)
        self._lines += 1
        self.state.take(event)
