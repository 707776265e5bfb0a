"""Progress and notes on stderr; stdout is kept for results."""

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")


def note(message: str) -> None:
    """Prints one line on stderr."""
    sys.stderr.write(message.rstrip("\n") + "\n")
    sys.stderr.flush()


def tracked(items: Iterable[Item], *, title: str, total: int | None = None) -> Iterator[Item]:
    """Yields the items while a bar on stderr shows how many are done and how long is left.

    Without a terminal (a log file, CI) one line is printed at the end instead.
    """
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
