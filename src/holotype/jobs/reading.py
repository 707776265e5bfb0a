"""The folders of jobs -> what is in them at this moment."""

import json
import re
from pathlib import Path

from holotype import files
from holotype.jobs import attempts
from holotype.jobs.attempts import Attempt
from holotype.jobs.job import FORMAT, VERSION, Job, JobError, State, now, read_time

MANIFEST = "job.json"
ID = re.compile(r"[0-9]{6,}(-[a-z0-9]+)*")
ATTEMPT = re.compile(r"attempt-([0-9]+)")


def job_folders(folder: Path) -> list[Path]:
    """Returns the folders that are named as jobs are, the first one first."""
    found = [path for path in folder.iterdir() if ID.fullmatch(path.name)]
    return sorted(found, key=lambda path: (number_of(path), path.name))


def number_of(path: Path) -> int:
    """Returns the number that the name of a job begins with."""
    return int(path.name.partition("-")[0])


def is_job(path: Path) -> bool:
    """Returns whether a folder is a whole job: torn ones take no part in the queue."""
    try:
        json.loads((path / MANIFEST).read_text(encoding="utf-8"))
        return any(ATTEMPT.fullmatch(one.name) for one in path.iterdir())
    except (OSError, ValueError):
        return False


def latest_attempt(path: Path) -> Attempt:
    """Returns the latest attempt at a job.

    Raises:
        JobError: when none is in its folder, or the folder is gone.
    """
    try:
        found = [ATTEMPT.fullmatch(one.name) for one in path.iterdir()]
    except OSError as reason:
        raise JobError(
            f"{path}: cannot be read ({reason.strerror}). See the list of jobs."
        ) from None
    number = max((int(one.group(1)) for one in found if one is not None), default=0)
    if number == 0:
        raise JobError(f"{path}: no attempt is in it. Remove the folder and ask again.")
    return attempts.read_attempt(path / f"attempt-{number}", number)


def read_job(path: Path) -> Job:
    """Returns a job.

    Raises:
        JobError: when its description is missing or torn.
    """
    told = files.read_manifest(path / MANIFEST, format_name=FORMAT, version=VERSION, error=JobError)
    latest = latest_attempt(path)
    try:
        words = tuple(str(word) for word in told["words"])
        folder, title, asked_by = Path(told["folder"]), str(told["title"]), str(told["asked_by"])
    except (KeyError, TypeError) as reason:
        raise JobError(
            f"{path / MANIFEST}: lacks {reason}. Remove the folder and ask again."
        ) from None
    prints = "--json" in words and latest.exit_code is not None
    return Job(
        path.name, title, words, asked_by, read_time(told.get("asked")) or now(), latest.number,
        latest.state, latest.started, latest.ended, latest.exit_code,
        latest.cancel is not None and latest.state is State.RUNNING,
        attempts.read_result(latest.path) if prints else None, folder, path,
    )  # fmt: skip


def fresh_folder(path: Path) -> Path:
    """Returns an empty folder; what a crash left under its name goes."""
    files.remove_folder(path)
    path.mkdir()
    return path


def changed_at(path: Path) -> int:
    """Returns when the folder of a job was changed: a further attempt changes it; 0 where it is gone."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
