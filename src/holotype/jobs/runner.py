"""The process beside a command: it lives without the server, waits for it and writes how it ended.

``python -m holotype.jobs.runner JOB ATTEMPT COMMAND...`` returns at once. What it leaves behind leads a
session of its own; neither the end of the server nor its terminal reaches it.
"""

import fcntl
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from types import FrameType

from holotype import files
from holotype.jobs.attempts import CANCEL, EXIT, PROCESS, PROGRESS, STDERR, STDOUT
from holotype.jobs.job import now, told_time
from holotype.jobs.processes import identity_of
from holotype.progress import PLACE

NICENESS = 5
"""A job gives way to the server that answers people."""
CANNOT_START = 127
NOT_FOR_COMMANDS = frozenset(("HOLOTYPE_TOKEN", "NICEGUI_STORAGE_PATH"))
"""What the server alone needs to know."""


def main(job: str, attempt: str, *command: str) -> None:
    """Starts the command of an attempt in a session of its own; a copy of this process waits for it."""
    if os.fork() > 0:
        return
    os.setsid()
    os.nice(NICENESS)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _goes_to_the_command)
    try:
        run(Path(job), Path(attempt), command)
    finally:
        os._exit(0)


def run(job: Path, attempt: Path, command: Sequence[str]) -> None:
    """Runs the command of an attempt, once: a second runner finds that it began, and ends."""
    holding = os.open(attempt, os.O_RDONLY)
    fcntl.flock(holding, fcntl.LOCK_EX)
    if (attempt / PROCESS).exists() or (attempt / CANCEL).exists():
        return
    told = json.loads((job / "job.json").read_text(encoding="utf-8"))
    began = {"started": told_time(now()), "runner": _identity(os.getpid())}
    files.write_json(attempt / PROCESS, {**began, "command": None})
    kept = {name: value for name, value in os.environ.items() if name not in NOT_FOR_COMMANDS}
    environment = {**kept, PLACE: str(attempt / PROGRESS), "PYTHONUNBUFFERED": "1"}
    with (attempt / STDOUT).open("wb") as out, (attempt / STDERR).open("wb") as log:
        try:
            started = subprocess.Popen(
                [*command, *told["words"]], cwd=told["folder"], env=environment,
                stdin=subprocess.DEVNULL, stdout=out, stderr=log,
            )  # fmt: skip
        except OSError as reason:
            log.write(f"holotype: the command cannot be started: {reason}\n".encode())
            code = CANNOT_START
        else:
            files.write_json(attempt / PROCESS, {**began, "command": _identity(started.pid)})
            code = started.wait()
    files.write_json(attempt / EXIT, {"code": code, "ended": told_time(now())})


def _identity(pid: int) -> dict[str, object] | None:
    found = identity_of(pid)
    return None if found is None else asdict(found)


def _goes_to_the_command(number: int, frame: FrameType | None) -> None:
    """Does nothing: a signal to the group is for the command, and this process tells how it ended."""


if __name__ == "__main__":
    main(*sys.argv[1:])
