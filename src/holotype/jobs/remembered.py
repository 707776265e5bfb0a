"""What a server remembers of its jobs, so that those that are over are not read again and again."""

import time
from collections.abc import Collection
from pathlib import Path

from holotype.jobs.job import Job
from holotype.jobs.reading import changed_at, read_job

AGAIN_SECONDS = 60.0
"""A runner that never said so is tried again after so long."""


class Remembered:
    """What is remembered; a folder that was changed since is looked at anew. Several threads may ask."""

    def __init__(self) -> None:
        self._tried: dict[Path, float] = {}
        self._over: dict[Path, int] = {}
        self._read: dict[Path, tuple[int, Job]] = {}

    def job(self, path: Path) -> Job:
        """Returns the job in a folder as it is at this moment.

        Raises:
            JobError: when its description is missing or torn.
        """
        changed = changed_at(path)
        kept = self._read.get(path)
        if kept is None or kept[0] != changed:
            kept = changed, read_job(path)
            if kept[1].is_over:
                self._read[path] = kept
        return kept[1]

    def is_over(self, path: Path, *, changed: int) -> bool:
        """Returns whether a job is known to be over, as of the last change of its folder."""
        return self._over.get(path) == changed

    def set_over(self, path: Path, *, changed: int) -> None:
        """Remembers that a job is over, as of a change of its folder."""
        self._over[path] = changed

    def was_tried_lately(self, attempt: Path) -> bool:
        """Returns whether an attempt was begun a moment ago, and may not have said so yet."""
        return time.monotonic() - self._tried.get(attempt, float("-inf")) < AGAIN_SECONDS

    def set_tried(self, attempt: Path) -> None:
        """Remembers that an attempt is begun now."""
        self._tried[attempt] = time.monotonic()

    def forget_all_but(self, there: Collection[Path]) -> None:
        """Forgets the jobs whose folders are gone."""
        for path in [*list(self._over), *list(self._read)]:
            if path not in there:
                self._over.pop(path, None)
                self._read.pop(path, None)
        for attempt in list(self._tried):
            if attempt.parent not in there:
                self._tried.pop(attempt, None)
