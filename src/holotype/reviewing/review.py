"""A session and its log together: what the pages and the commands ask and tell."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import RLock

from holotype.errors import first_few
from holotype.reviewing.agreement import Agreement, agreement
from holotype.reviewing.errors import ReviewError
from holotype.reviewing.events import Asked, Event, Kind, label_name, new_id
from holotype.reviewing.guarded import GuardedState
from holotype.reviewing.labels import unknown_in
from holotype.reviewing.log import ReviewLog
from holotype.reviewing.session import Session, open_session
from holotype.reviewing.state import Decision, State


@dataclass(frozen=True)
class ReviewStatus:
    """How far a session is.

    Attributes:
        session: its folder.
        records: in it.
        decided: that somebody decided on.
        pages: in it.
        pages_done: all of whose records somebody decided on.
        reviewers: records that each decided on, by name.
        kinds: standing decisions by what was done.
        relabelled: records by the label that was proposed and the one that was given instead.
        new_labels: labels that the session did not know, with who brought them.
        notes: how many records bear a note.
        agreement: how far reviewers agree.
        disputed: the records on which they differ.
        torn: lines that a crash cut, set aside.
        damaged: lines that are no events, by number.
    """

    session: str
    records: int
    decided: int
    pages: int
    pages_done: int
    reviewers: dict[str, int]
    kinds: dict[str, int]
    relabelled: list[tuple[str, str, int]]
    new_labels: dict[str, str]
    notes: int
    agreement: Agreement
    disputed: list[str]
    torn: int
    damaged: dict[int, str]


class Review:
    """An open session with its log; safe between threads, and beside any number of other processes.

    Any number of visitors may share one: each keeps how many events it has seen, and asks for those after.

    Attributes:
        session: what is reviewed.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self._state = GuardedState()
        self._log = ReviewLog(session.path)
        self._log.state = self._state
        self._lock = RLock()
        self._log.refresh()

    @classmethod
    def open(cls, path: Path | str) -> "Review":
        """Returns the review in a folder.

        Raises:
            ReviewError: when the session cannot be opened.
        """
        return cls(open_session(path))

    @cached_property
    def proposals(self) -> list[str | None]:
        """The label that confirming gives each row."""
        found: list[str | None] = self.session.items["proposal"].to_pylist()
        return found

    @property
    def state(self) -> State:
        """What the log comes to, as of the last look."""
        return self._log.state

    @property
    def damaged(self) -> dict[int, str]:
        """The lines of the log that are no events, by number, with the reason, as of the last look."""
        return dict(self._log.damaged)

    @property
    def num_events(self) -> int:
        """How many events have been taken in."""
        return len(self._state.events)

    def events_after(self, number: int) -> list[Event]:
        """Returns the events after the first so many, by whomever and however they were taken in."""
        return self._state.events_after(number)

    def refresh(self) -> None:
        """Takes in what others wrote since the last look."""
        with self._lock:
            self._log.refresh()

    def glance(self) -> None:
        """Takes in what others wrote, unless somebody reads or writes the log at this moment: no waiting."""
        if self._lock.acquire(blocking=False):
            try:
                self._log.refresh()
            finally:
                self._lock.release()

    def confirm(
        self, reviewer: str, records: Sequence[str], *, event_id: str | None = None
    ) -> Event:
        """Gives records the label that is proposed for each; on disk when it returns.

        Raises:
            ReviewError: for records that are not in the session or have no proposal.
        """
        labels = [self.proposals[self._row(record)] for record in records]
        if without := [one for one, label in zip(records, labels, strict=True) if label is None]:
            raise ReviewError(
                f"nothing is proposed for {first_few(without)}. Give a label instead."
            )
        return self._append(reviewer, Kind.CONFIRM, records, labels, event_id)

    def relabel(
        self, reviewer: str, records: Sequence[str], label: str, *, event_id: str | None = None
    ) -> Event:
        """Gives records another label; one that the session does not know is marked as new.

        What the collection writes for a label, such as the name of its class folder, means that label.

        Raises:
            ReviewError: for records that are not in the session, or no label.
        """
        for record in records:
            self._row(record)
        name = label_name(label)
        known = self.session.book.known(name)
        labels = [name if known is None else known.name] * len(records)
        return self._append(reviewer, Kind.RELABEL, records, labels, event_id)

    def unclassify(
        self, reviewer: str, records: Sequence[str], *, event_id: str | None = None
    ) -> Event:
        """Says that records have no name.

        Raises:
            ReviewError: for records that are not in the session.
        """
        for record in records:
            self._row(record)
        return self._append(reviewer, Kind.UNCLASSIFY, records, (), event_id)

    def note(
        self, reviewer: str, records: Sequence[str], text: str, *, event_id: str | None = None
    ) -> Event:
        """Writes a remark on records; it decides nothing.

        Raises:
            ReviewError: for records that are not in the session, or no text.
        """
        for record in records:
            self._row(record)
        asked = Asked(Kind.NOTE, tuple(records), text=text.strip(), id=event_id or new_id())
        with self._lock:
            return self._log.append(reviewer, asked)

    def undo(self, reviewer: str, *, event_id: str | None = None) -> Event | None:
        """Takes back the newest standing event of a reviewer; None where there is none."""
        with self._lock:
            return self._log.undo(reviewer, event_id=event_id)

    def decisions(self, record: str) -> dict[str, Decision]:
        """Returns what each reviewer says of a record."""
        return self.state.decisions(record)

    def undecided(self, rows: Sequence[int], reviewer: str) -> list[int]:
        """Returns the rows that a reviewer has not decided on."""
        ids = self.session.record_ids
        return [row for row in rows if not self.state.has_decided(reviewer, ids[row])]

    def has_undecided(self, rows: Sequence[int], reviewer: str) -> bool:
        """Returns whether a reviewer has not decided on one of some rows."""
        ids = self.session.record_ids
        return not all(self.state.has_decided(reviewer, ids[row]) for row in rows)

    def is_page_done(self, page: int) -> bool:
        """Returns whether somebody decided on every record of a page."""
        ids = self.session.record_ids
        return all(self.state.is_decided(ids[int(row)]) for row in self.session.rows_of_page[page])

    def status(self) -> ReviewStatus:
        """Returns how far the session is; what is decided while it is counted may be in it or not."""
        self.refresh()
        return self._status()

    def _status(self) -> ReviewStatus:
        state, found = self.state, list(self.state.decided())
        by_reviewer, kinds = Counter[str](), Counter[str]()
        moved: Counter[tuple[str, str]] = Counter()
        for record, decisions in found:
            by_reviewer.update(decisions.keys())
            kinds.update(one.kind.value for one in decisions.values())
            proposed = self.proposals[self.session.row_of[record]]
            for label in {one.label for one in decisions.values()}:
                if label != proposed:
                    moved[(proposed or "nothing", label or "unclassified")] += 1
        pages = sum(self.is_page_done(page) for page in range(self.session.pages))
        notes = sum(bool(state.notes(record)) for record in self.session.record_ids)
        return ReviewStatus(
            str(self.session.path), len(self.session), len(found), self.session.pages, pages,
            {name: by_reviewer[name] for name in state.reviewers if by_reviewer[name]},
            dict(sorted(kinds.items())),
            [(old, new, count) for (old, new), count in moved.most_common()],
            state.new_labels(), notes, agreement(state), state.disputed(), len(self._log.torn()),
            dict(self._log.damaged),
        )  # fmt: skip

    def _row(self, record: str) -> int:
        row = self.session.row_of.get(record)
        if row is None:
            raise ReviewError(f"record '{record}' is not in session {self.session.name}.")
        return row

    def _append(
        self,
        reviewer: str,
        kind: Kind,
        records: Sequence[str],
        labels: Sequence[str | None],
        event_id: str | None,
    ) -> Event:
        new = unknown_in(labels, self.session.book)
        asked = Asked(kind, tuple(records), tuple(labels), new, id=event_id or new_id())
        with self._lock:
            return self._log.append(reviewer, asked)


def review_status(session: Path | str) -> ReviewStatus:
    """Returns how far a session is, who decided what, and how far they agree.

    Raises:
        ReviewError: when the session cannot be opened.
    """
    return Review.open(session).status()
