"""The events of a log -> what each reviewer says of each record: a fold, the same however it is cut.

Decisions of different people stand side by side; nobody's event changes what another one said.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

from holotype.reviewing.events import DECIDING, Event, Kind


@dataclass(frozen=True, slots=True)
class Decision:
    """What one reviewer says of one record: its label, None for unclassified; ``number`` of the event."""

    reviewer: str
    kind: Kind
    label: str | None
    time: str
    event: str
    is_new: bool
    number: int = 0


@dataclass(frozen=True, slots=True)
class Note:
    """What one reviewer wrote about one record."""

    reviewer: str
    text: str
    time: str
    event: str


@dataclass
class State:
    """What the events so far come to.

    Attributes:
        events: all, by id, in their order.
        undone: ids of events that were taken back.
        refused: ids of undos that take back nothing: not of the reviewer's own newest event.
        last_time: of the newest event.
    """

    events: dict[str, Event] = field(default_factory=dict)
    undone: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    last_time: str = ""
    _standing: dict[str, list[str]] = field(default_factory=dict)
    _decided: dict[str, dict[str, list[Decision]]] = field(default_factory=dict)
    _notes: dict[str, list[Note]] = field(default_factory=dict)
    _num_by: dict[str, int] = field(default_factory=dict)
    _names: dict[str, None] = field(default_factory=dict)
    _spelt: dict[str, str] = field(default_factory=dict)

    def take(self, event: Event) -> bool:
        """Takes one event in; returns whether it is new."""
        if event.id in self.events:
            return False
        self.events[event.id] = event
        self.last_time = max(self.last_time, event.time)
        self._names.setdefault(event.reviewer)
        self._spelt.setdefault(_folded(event.reviewer), event.reviewer)
        if event.kind is Kind.UNDO:
            self._undo(event)
            return True
        self._standing.setdefault(event.reviewer, []).append(event.id)
        for record, label in zip(event.records, event.labels, strict=True):
            if event.kind in DECIDING:
                decision = Decision(
                    event.reviewer, event.kind, label, event.time, event.id,
                    label in event.new_labels, len(self.events),
                )  # fmt: skip
                of_record = self._decided.setdefault(record, {})
                stack = of_record.setdefault(event.reviewer, [])
                self._num_by[event.reviewer] = self.num_by(event.reviewer) + (not stack)
                stack.append(decision)
            else:
                note = Note(event.reviewer, event.text or "", event.time, event.id)
                self._notes.setdefault(record, []).append(note)
        return True

    def _undo(self, event: Event) -> None:
        standing = self._standing.get(event.reviewer, [])
        if not standing or standing[-1] != event.undoes:
            self.refused.add(event.id)
            return
        taken_back = self.events[standing.pop()]
        self.undone.add(taken_back.id)
        for record in taken_back.records:
            if taken_back.kind in DECIDING:
                of_record = self._decided[record]
                of_record[event.reviewer].pop()
                if not of_record[event.reviewer]:
                    del of_record[event.reviewer]
                    self._num_by[event.reviewer] -= 1
                if not of_record:
                    del self._decided[record]
            else:
                self._notes[record] = [n for n in self._notes[record] if n.event != taken_back.id]

    def newest_of(self, reviewer: str) -> Event | None:
        """Returns the newest event of a reviewer that stands, None where there is none."""
        standing = self._standing.get(reviewer)
        return self.events[standing[-1]] if standing else None

    def decisions(self, record: str) -> dict[str, Decision]:
        """Returns what each reviewer says of a record now, by name, in the order of their first word."""
        return {name: stack[-1] for name, stack in self._decided.get(record, {}).items()}

    def label_by(self, reviewer: str, record: str) -> str | None:
        """Returns the label that a reviewer gave a record, None where none."""
        stack = self._decided.get(record, {}).get(reviewer)
        return stack[-1].label if stack else None

    def decided(self) -> Iterator[tuple[str, dict[str, Decision]]]:
        """Yields every record that somebody decided on, with the decisions."""
        for record in self._decided:
            yield record, self.decisions(record)

    def is_decided(self, record: str) -> bool:
        """Returns whether somebody decided on a record."""
        return record in self._decided

    def has_decided(self, reviewer: str, record: str) -> bool:
        """Returns whether a reviewer decided on a record."""
        return reviewer in self._decided.get(record, ())

    def ever_decided(self) -> set[tuple[str, str]]:
        """Returns record and reviewer of every decision, also of those that were taken back since."""
        return {
            (record, event.reviewer)
            for event in self.events.values() if event.kind in DECIDING
            for record in event.records
        }  # fmt: skip

    def notes(self, record: str) -> list[Note]:
        """Returns the notes on a record, oldest first."""
        return list(self._notes.get(record, ()))

    @property
    def reviewers(self) -> list[str]:
        """The names of all who wrote an event, in the order of the first one."""
        return list(self._names)

    def spelling(self, reviewer: str) -> str:
        """Returns a reviewer's name as the log has it: capitals do not make another person."""
        return reviewer if reviewer in self._names else self._spelt.get(_folded(reviewer), reviewer)

    @property
    def num_decided(self) -> int:
        """How many records somebody decided on."""
        return len(self._decided)

    def num_by(self, reviewer: str) -> int:
        """Returns how many records one reviewer decided on."""
        return self._num_by.get(reviewer, 0)

    def disputed(self) -> list[str]:
        """Returns the records on which those who decided do not all say the same."""
        return [
            record for record, found in self.decided()
            if len({decision.label for decision in found.values()}) > 1
        ]  # fmt: skip

    def new_labels(self) -> dict[str, str]:
        """Returns the labels that standing events brought: name -> who brought it first."""
        found: dict[str, str] = {}
        for event in self.events.values():
            if event.id not in self.undone:
                for name in event.new_labels:
                    found.setdefault(name, event.reviewer)
        return found


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()
