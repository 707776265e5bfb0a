"""What a job is: the words asked for, what became of them, how far they are."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from holotype.errors import HolotypeError

FORMAT, VERSION = "holotype-job", 1


class JobError(HolotypeError, ValueError):
    """A job is not there, cannot be started as it was asked for, or is not in the state that is needed."""


class State(StrEnum):
    """What became of a job."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"


OVER = frozenset((State.DONE, State.FAILED, State.CANCELLED, State.INTERRUPTED))
"""States in which nothing happens any more."""
RESUMABLE = OVER - {State.DONE}


@dataclass(frozen=True)
class Progress:
    """How far a job is.

    Attributes:
        title: what is being done, as ``predict`` or ``train (epochs)``.
        done: items that are done.
        total: of how many; None where that is not known.
        at: when it was so.
        kept: how many of those that are done an earlier attempt had left.
    """

    title: str
    done: int
    total: int | None
    at: datetime
    kept: int = 0

    @property
    def share(self) -> float | None:
        """How much is done, from 0 to 1; None where the total is not known."""
        return min(1.0, self.done / self.total) if self.total else None


@dataclass(frozen=True)
class LogPage:
    """A piece of a job's log, of whole lines.

    Attributes:
        text: the lines.
        start: the byte that it begins at; give it as ``before`` for the page above.
        end: the byte after it.
        size: bytes of the whole log.
    """

    text: str
    start: int
    end: int
    size: int

    @property
    def lines(self) -> list[str]:
        """The lines, without their ends."""
        return self.text.splitlines()


@dataclass(frozen=True)
class Job:
    """One job, as it is on disk at this moment.

    Attributes:
        id: its name, and that of its folder.
        title: what a person calls it.
        words: of the command line, without ``holotype``.
        asked_by: who asked for it; "" where nobody said.
        asked: when.
        attempt: how many times it was asked for: 1, and one more for each time it was gone on with.
        state: what became of it.
        started: when the present attempt began; None while it waits.
        ended: when it ended; None before, and where nobody saw the end.
        exit_code: of the command: 0 done, 3 done but some inputs failed; negative for the signal that
            ended it; None where nobody saw the end.
        being_cancelled: whether it was asked to end, and has not yet.
        result: what the command printed as JSON; None without it.
        folder: where the command was started, so that its relative paths mean the same again.
        path: the folder of the job.
    """

    id: str
    title: str
    words: tuple[str, ...]
    asked_by: str
    asked: datetime
    attempt: int
    state: State
    started: datetime | None
    ended: datetime | None
    exit_code: int | None
    being_cancelled: bool
    result: Any
    folder: Path
    path: Path

    @property
    def is_over(self) -> bool:
        """Whether nothing happens any more, unless it is gone on with."""
        return self.state in OVER


def now() -> datetime:
    """Returns the time in UTC, to the millisecond."""
    return datetime.now(UTC)


def told_time(moment: datetime) -> str:
    """Returns a time as it is written: ISO 8601, UTC, milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")


def read_time(text: Any) -> datetime | None:
    """Returns a written time; None for what is none."""
    try:
        found = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
