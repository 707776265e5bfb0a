"""The state of a log that threads look at while one of them takes events in."""

from collections.abc import Iterator
from itertools import islice
from threading import RLock

from holotype.reviewing.events import Event
from holotype.reviewing.state import Decision, State


class GuardedState(State):
    """A state whose answers are each of one moment, whoever writes meanwhile.

    It is held for one event or one record at a time, so that nobody who looks has to wait for a long log.
    """

    def __init__(self) -> None:
        super().__init__()
        self._guard = RLock()

    def take(self, event: Event) -> bool:
        """Takes one event in; returns whether it is new."""
        with self._guard:
            return super().take(event)

    def newest_of(self, reviewer: str) -> Event | None:
        """Returns the newest event of a reviewer that stands, None where there is none."""
        with self._guard:
            return super().newest_of(reviewer)

    def decisions(self, record: str) -> dict[str, Decision]:
        """Returns what each reviewer says of a record now, by name, in the order of their first word."""
        with self._guard:
            return super().decisions(record)

    def label_by(self, reviewer: str, record: str) -> str | None:
        """Returns the label that a reviewer gave a record, None where none."""
        with self._guard:
            return super().label_by(reviewer, record)

    def decided(self) -> Iterator[tuple[str, dict[str, Decision]]]:
        """Yields every record that somebody decided on, with the decisions as its turn comes."""
        with self._guard:
            records = list(self._decided)
        for record in records:
            if found := self.decisions(record):
                yield record, found

    def ever_decided(self) -> set[tuple[str, str]]:
        """Returns record and reviewer of every decision, also of those that were taken back since."""
        with self._guard:
            return super().ever_decided()

    def new_labels(self) -> dict[str, str]:
        """Returns the labels that standing events brought: name -> who brought it first."""
        with self._guard:
            return super().new_labels()

    def events_after(self, number: int) -> list[Event]:
        """Returns the events after the first so many, in their order."""
        with self._guard:
            fresh = list(islice(reversed(self.events.values()), len(self.events) - number))
        return fresh[::-1]
