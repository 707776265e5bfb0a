"""One attempt at a job, as a folder: each fact is a file of its own, written whole, by one writer.

Format: docs/formats/job.md.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from holotype.jobs.job import LogPage, Progress, State, read_time
from holotype.jobs.processes import Identity, is_alive, read_identity

ASKED, PROCESS, EXIT = "asked.json", "process.json", "exit.json"
CANCEL, PROGRESS = "cancel.json", "progress.json"
STDOUT, STDERR = "stdout", "stderr"
DONE_CODES = frozenset((0, 3))
"""Exit codes of a command that did what it was asked: all of it, or all but inputs that it names."""
MOST_RESULT_BYTES = 16 << 20
MOST_PAGE_BYTES = 256 << 10


@dataclass(frozen=True)
class Attempt:
    """One attempt.

    Attributes:
        path: its folder.
        number: from 1.
        ticket: its place in the queue; a lower one is earlier.
        asked: when it was asked for.
        state: what became of it.
        group: the process group of a running one.
        started: when it began.
        ended: when it ended.
        exit_code: of the command.
        cancel: the request to end it: ``asked``, ``by``, ``sent``; None without one.
    """

    path: Path
    number: int
    ticket: int
    asked: datetime | None
    state: State
    group: int | None
    started: datetime | None
    ended: datetime | None
    exit_code: int | None
    cancel: Mapping[str, Any] | None


def read_attempt(path: Path, number: int) -> Attempt:
    """Returns an attempt as it is at this moment. A file that is torn counts as absent."""
    began = (path / PROCESS).exists()  # before it is read: it may be written at this moment
    asked, process = _table(path / ASKED), _table(path / PROCESS)
    cancel = _table(path / CANCEL) if (path / CANCEL).exists() else None
    people = [read_identity(process.get(name)) for name in ("runner", "command")]
    lives = any(is_alive(one) for one in people)
    # the end is looked for after life: who lived a moment ago may have written it since
    ended = _table(path / EXIT)
    code = ended.get("code") if isinstance(ended.get("code"), int) else None
    return Attempt(
        path,
        number,
        asked["ticket"] if isinstance(asked.get("ticket"), int) else 0,
        read_time(asked.get("asked")),
        _state(code, began=began, lives=lives, cancelled=cancel is not None),
        _group(people) if lives and code is None else None,
        read_time(process.get("started")),
        read_time(ended.get("ended")),
        code,
        cancel,
    )


def _state(code: int | None, *, began: bool, lives: bool, cancelled: bool) -> State:
    if code in DONE_CODES:
        return State.DONE
    if code is None and lives:
        return State.RUNNING
    if cancelled:
        return State.CANCELLED
    if code is not None:
        return State.FAILED if code > 0 else State.INTERRUPTED
    return State.INTERRUPTED if began else State.WAITING


def _group(people: list[Identity | None]) -> int | None:
    """Returns the process group: the number of its runner, also when that has ended."""
    return None if people[0] is None else people[0].pid


def read_progress(path: Path) -> Progress | None:
    """Returns how far an attempt says it is; None where it has said nothing."""
    found = _table(path / PROGRESS)
    at = read_time(found.get("at"))
    done, total = found.get("done"), found.get("total")
    if at is None or not isinstance(done, int):
        return None
    return Progress(
        str(found.get("title", "")), done, total if isinstance(total, int) else None, at
    )


def read_result(path: Path) -> Any:
    """Returns what a command printed as JSON; None for anything else, and for what is too long."""
    try:
        if (path / STDOUT).stat().st_size > MOST_RESULT_BYTES:
            return None
        return json.loads((path / STDOUT).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None


def read_log(path: Path, *, lines: int, before: int | None) -> LogPage:
    """Returns the last lines of a file that end at or before a byte; nothing where there is no file."""
    try:
        with path.open("rb") as handle:
            size = handle.seek(0, 2)
            end = size if before is None else max(0, min(before, size))
            start = max(0, end - MOST_PAGE_BYTES)
            handle.seek(start)
            piece = handle.read(end - start)
    except OSError:
        return LogPage("", 0, 0, 0)
    cut = len(piece) - 1 if piece.endswith(b"\n") else len(piece)
    for _ in range(max(1, lines)):
        cut = piece.rfind(b"\n", 0, max(cut, 0))
        if cut < 0:
            break
    # a page that begins within a line of endless length begins there
    kept = piece[cut + 1 :]
    return LogPage(kept.decode("utf-8", "replace").replace("\r", "\n"), end - len(kept), end, size)


def _table(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
