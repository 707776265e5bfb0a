"""The jobs of a folder: asked for, started in their order, ended, gone on with.

Everything is on disk, so that two servers, or one before and after a crash, see the same.
Format: docs/formats/job.md.
"""

import fcntl
import re
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from holotype import files
from holotype.errors import HolotypeError
from holotype.jobs import attempts, cancelling
from holotype.jobs.attempts import ASKED, STDERR, STDOUT, Attempt
from holotype.jobs.extent import counted
from holotype.jobs.job import (
    FORMAT,
    OVER,
    RESUMABLE,
    VERSION,
    Job,
    JobError,
    LogPage,
    Progress,
    State,
    now,
    told_time,
)
from holotype.jobs.launching import COMMAND, launch
from holotype.jobs.numbers import keep_number, last_number
from holotype.jobs.reading import (
    ID,
    MANIFEST,
    changed_at,
    fresh_folder,
    is_job,
    job_folders,
    latest_attempt,
)
from holotype.jobs.remembered import Remembered

LOCK = ".lock"
TURN_SECONDS = 1.0


class Jobs:
    """The jobs of a folder. All methods may be called from several threads, servers and commands at once.

    Args:
        folder: made where it is not there.
        at_once: how many run at a time; the others wait in the order in which they were asked for.
        grace_seconds: how long a cancelled job may take to end by itself, before it is told more firmly.
        command: what the words of a job are for: the command line of Holotype.
    """

    def __init__(
        self,
        folder: Path,
        *,
        at_once: int = 1,
        grace_seconds: float = 20.0,
        command: Sequence[str] = COMMAND,
    ) -> None:
        self.folder = folder.resolve()
        self.at_once, self.grace_seconds = at_once, grace_seconds
        self._command = tuple(command)
        self._remembered = Remembered()
        self._ending = threading.Event()
        self._attending: threading.Thread | None = None
        self.folder.mkdir(parents=True, exist_ok=True)

    def start(
        self,
        title: str,
        words: Sequence[str],
        *,
        asked_by: str = "",
        folder: Path | None = None,
    ) -> Job:
        """Asks for a command, and starts it where none is before it.

        Args:
            title: what a person calls it.
            words: of the command line, without ``holotype``; they never go through a shell.
            asked_by: who asks.
            folder: where relative paths begin; by default where this process was started.

        Raises:
            JobError: for no words, or one that no command line can hold.
        """
        if not words or any("\0" in word for word in words):
            raise JobError(f"{list(words)}: no command. Give its words, each of them text.")
        with self._held():
            number = 1 + last_number(self.folder)
            keep_number(self.folder, number)
            label = "-".join(re.findall("[a-z0-9]+", words[0].lower()))
            name = f"{number:06d}-{label}".rstrip("-")
            made = fresh_folder(self.folder / f".{name}.part")
            told = {
                "format": FORMAT, "version": VERSION, "title": title, "words": list(words),
                "asked_by": asked_by, "asked": told_time(now()),
                "folder": str((folder or Path.cwd()).resolve()),
            }  # fmt: skip
            files.write_json(made / MANIFEST, told)
            self._ask(made, 1, asked_by)
            made.rename(self.folder / name)
        self.turn()
        return self.get(name)

    def ids(self) -> list[str]:
        """Returns the ids of all jobs, the latest first; cheap where there are many."""
        return [path.name for path in reversed(job_folders(self.folder))]

    def all(self) -> list[Job]:
        """Returns all jobs, the latest first. Folders that cannot be read are in ``unreadable``."""
        found = []
        for name in self.ids():
            with suppress(HolotypeError):
                found.append(self.get(name))
        return found

    def unreadable(self) -> dict[str, str]:
        """Returns why a folder is no job, by its name."""
        found = {}
        for path in job_folders(self.folder):
            try:
                self.get(path.name)
            except HolotypeError as reason:
                found[path.name] = str(reason)
        return found

    def get(self, job_id: str) -> Job:
        """Returns a job as it is at this moment.

        Raises:
            JobError: when there is none of this id, or its description is torn.
        """
        return self._remembered.job(self._path(job_id))

    def progress(self, job_id: str) -> Progress | None:
        """Returns how far a job is, by itself and its folders; None where it has said nothing."""
        found = attempts.read_progress(latest_attempt(self._path(job_id)).path)
        return None if found is None else counted(found, self.get(job_id))

    def log(
        self, job_id: str, *, tail: int = 200, before: int | None = None, attempt: int | None = None
    ) -> LogPage:
        """Returns the last lines of what a job wrote to its log.

        Args:
            job_id: of the job.
            tail: how many lines, at most.
            before: the ``start`` of a page: then the lines above it.
            attempt: an earlier one; by default the latest.
        """
        return attempts.read_log(self._file(job_id, STDERR, attempt), lines=tail, before=before)

    def printed(self, job_id: str, *, tail: int = 200) -> LogPage:
        """Returns the last lines of what a job printed as its result."""
        return attempts.read_log(self._file(job_id, STDOUT, None), lines=tail, before=None)

    def cancel(self, job_id: str, *, asked_by: str = "") -> Job:
        """Asks a job to end: as by Ctrl-C, more firmly after the time of grace; a waiting one never begins.

        A job that is over stays as it is.
        """
        with self._held():
            latest = latest_attempt(self._path(job_id))
            if latest.state in (State.WAITING, State.RUNNING) and latest.cancel is None:
                cancelling.ask(latest, by=asked_by)
        self.turn()
        return self.get(job_id)

    def resume(self, job_id: str, *, asked_by: str = "") -> Job:
        """Runs the same words again, behind what waits: commands go on where they were.

        Raises:
            JobError: when the job waits, runs or is done.
        """
        with self._held():
            path = self._path(job_id)
            latest = latest_attempt(path)
            if latest.state not in RESUMABLE:
                raise JobError(
                    f"job {job_id} is {latest.state}: nothing to go on with. Start a new one."
                )
            self._ask(path, latest.number + 1, asked_by)
        self.turn()
        return self.get(job_id)

    def remove(self, job_id: str) -> None:
        """Removes the folder of a job that is over, with its log; what the command wrote elsewhere stays.

        Its id is never given again.

        Raises:
            JobError: when it waits or runs.
        """
        with self._held():
            path = self._path(job_id)
            if is_job(path) and latest_attempt(path).state not in OVER:
                raise JobError(f"job {job_id} is not over. Cancel it first.")
            keep_number(self.folder, last_number(self.folder))
            files.remove_folder(path)

    def turn(self) -> None:
        """Starts what may start now, and presses on with what was asked to end. Cheap; call it often."""
        with self._held():
            latest = self._open()
            for one in latest:
                if one.state is State.RUNNING and one.cancel is not None:
                    cancelling.press(one, grace_seconds=self.grace_seconds)
            waiting = [one for one in latest if one.state is State.WAITING]
            at_work = sum(one.state is State.RUNNING for one in latest)
            at_work += sum(self._remembered.was_tried_lately(one.path) for one in waiting)
            for one in sorted(waiting, key=lambda one: one.ticket):
                if at_work >= self.at_once:
                    return
                if not self._remembered.was_tried_lately(one.path):
                    self._remembered.set_tried(one.path)
                    launch(one.path, self._command)
                    at_work += 1

    def attend(self) -> None:
        """Takes turns in a thread until ``close``: what waits is started as soon as it may be."""
        if self._attending is None:
            self._ending.clear()
            self._attending = threading.Thread(target=self._attend, name="jobs", daemon=True)
            self._attending.start()

    def close(self) -> None:
        """Ends the thread. What runs goes on; what waits does so until a server attends again."""
        self._ending.set()
        if self._attending is not None:
            self._attending.join()
            self._attending = None

    def _attend(self) -> None:
        while not self._ending.is_set():
            try:
                self.turn()
            except (OSError, HolotypeError) as reason:  # a full disk today is none tomorrow
                sys.stderr.write(f"holotype: jobs: {reason}\n")
            self._ending.wait(TURN_SECONDS)

    def _open(self) -> list[Attempt]:
        """Returns the latest attempts at jobs that are not over; others are not read again."""
        found, there = [], job_folders(self.folder)
        self._remembered.forget_all_but(frozenset(there))
        for path in there:
            changed = changed_at(path)
            if self._remembered.is_over(path, changed=changed) or not is_job(path):
                continue
            latest = latest_attempt(path)
            if latest.state in OVER:
                self._remembered.set_over(path, changed=changed)
            else:
                found.append(latest)
        return found

    def _ask(self, path: Path, number: int, asked_by: str) -> None:
        """Makes the folder of an attempt, last in the queue."""
        waiting = [one.ticket for one in self._open() if one.state is State.WAITING]
        made = fresh_folder(path / f".attempt-{number}.part")
        ticket = max(time.time_ns(), 1 + max(waiting, default=0))
        told = {"ticket": ticket, "asked": told_time(now()), "asked_by": asked_by}
        files.write_json(made / ASKED, told)
        made.rename(path / f"attempt-{number}")

    def _file(self, job_id: str, name: str, attempt: int | None) -> Path:
        path = self._path(job_id)
        latest = latest_attempt(path).path.name if attempt is None else f"attempt-{attempt}"
        return path / latest / name

    def _path(self, job_id: str) -> Path:
        path = self.folder / job_id
        if not ID.fullmatch(job_id) or not path.is_dir():
            raise JobError(f"no job '{job_id}' in {self.folder}. See the list of jobs.")
        return path

    @contextmanager
    def _held(self) -> Iterator[None]:
        """Holds the folder against other threads, servers and commands; waits for its turn."""
        with (self.folder / LOCK).open("a") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
