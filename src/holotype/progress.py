"""Progress and notes on stderr; stdout is kept for results.

Where the environment names a file by ``HOLOTYPE_PROGRESS``, how far the work is stands there too, as JSON,
written whole at most twice a second: that is how a page shows a command that runs elsewhere.
"""

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

Item = TypeVar("Item")

PLACE = "HOLOTYPE_PROGRESS"
"""The environment variable that names the file."""
LEAST_SECONDS = 0.5
"""Between two writings of the file."""


def note(message: str) -> None:
    """Prints one line on stderr."""
    sys.stderr.write(message.rstrip("\n") + "\n")
    sys.stderr.flush()


def marked(title: str, *, done: int, total: int | None = None) -> None:
    """Writes how far the work is to the file that ``HOLOTYPE_PROGRESS`` names; nothing without it.

    A file that cannot be written never ends the work.
    """
    place = os.environ.get(PLACE)
    if not place:
        return
    path = Path(place)
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    text = json.dumps({"title": title, "done": done, "total": total, "at": at}, ensure_ascii=False)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    with contextlib.suppress(OSError):
        temporary.write_text(text + "\n", encoding="utf-8")
        temporary.replace(path)


def tracked(items: Iterable[Item], *, title: str, total: int | None = None) -> Iterator[Item]:
    """Yields the items while a bar on stderr shows how many are done and how long is left.

    Without a terminal (a log file, CI) one line is printed at the end instead.
    """
    if os.environ.get(PLACE):
        items = _written(items, title, total)
    if not sys.stderr.isatty():
        done = 0
        for done, item in enumerate(items, start=1):  # noqa: B007
            yield item
        note(f"{title}: {done:,} done")
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=False) as bar:
        yield from bar.track(items, total=total, description=title)


def _written(items: Iterable[Item], title: str, total: int | None) -> Iterator[Item]:
    """Yields the items and writes, now and then, how many were done with."""
    done, last = 0, time.monotonic()
    marked(title, done=0, total=total)
    for item in items:
        yield item
        done += 1
        if time.monotonic() - last >= LEAST_SECONDS:
            last = time.monotonic()
            marked(title, done=done, total=total)
    marked(title, done=done, total=total)
