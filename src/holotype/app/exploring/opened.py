"""A collection that others may write to: opened again when its content was changed, and its facts with it."""

import time
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from holotype.app.exploring.answered import Answers, latest_answers, with_answers
from holotype.app.exploring.facts import Facts, facts_of
from holotype.app.exploring.record_rows import RecordRows, record_rows
from holotype.collection.store import MANIFEST, Collection, open_collection
from holotype.errors import CollectionError

LOOK_AGAIN_S = 10.0


@dataclass(frozen=True)
class Explored:
    """A collection as it is now, with what is filtered by and where its records lie."""

    collection: Collection
    facts: Facts
    rows: RecordRows


class CollectionNow:
    """The collection in a folder, whatever was written to it since; safe to share between threads.

    Attributes:
        folder: of the collection.
        workspace: of the server, where jobs may have written answers; none are looked for without it.
    """

    def __init__(self, folder: Path, workspace: Path | None = None) -> None:
        self.folder = folder
        self._workspace = workspace
        self._bare: Explored | None = None
        self._answers: Answers | None = None
        self._look_again = 0.0
        self._lock = Lock()
        self._reading = Lock()
        self._opened: tuple[tuple[int, int, int], Collection] | None = None
        self._explored: Explored | None = None

    def collection(self) -> Collection:
        """Returns the open collection; the same object while its manifest is the same.

        Raises:
            CollectionError: when it is gone or cannot be read.
        """
        try:
            about = (self.folder / MANIFEST).stat()
        except OSError as reason:
            raise CollectionError(
                f"{self.folder}: {MANIFEST} is gone ({reason}). Restore it."
            ) from None
        state = (about.st_mtime_ns, about.st_size, about.st_ino)
        with self._lock:
            if self._opened is None or self._opened[0] != state:
                self._opened = (state, open_collection(self.folder))
            return self._opened[1]

    def rows(self) -> RecordRows:
        """Returns where the records lie.

        Raises:
            CollectionError: as ``collection``.
        """
        return record_rows(self.collection())

    def explored(self) -> Explored:
        """Returns the collection with its facts, which are read once; slow the first time.

        Decisions are those of the last job that named all records (``answered.latest_answers``).

        Raises:
            CollectionError: as ``collection``.
        """
        with self._reading:
            now = self.collection()
            bare = self._bare
            if bare is None or bare.collection.fingerprint != now.fingerprint:
                bare = self._bare = Explored(now, facts_of(now), record_rows(now))
                self._explored = None
            answers = self._latest_answers()
            if self._explored is None or answers != self._answers:
                self._answers = answers
                facts = bare.facts
                if answers is not None:
                    facts = with_answers(facts, bare.rows, answers)
                self._explored = Explored(now, facts, bare.rows)
            return self._explored

    def _latest_answers(self) -> Answers | None:
        """Returns the answers of the last job; jobs are looked through again after some seconds."""
        now = time.monotonic()
        if self._workspace is None or now < self._look_again:
            return self._answers
        self._look_again = now + LOOK_AGAIN_S
        return latest_answers(self._workspace, self.folder)
