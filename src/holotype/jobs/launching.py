"""How an attempt is started: by a runner that this process leaves to itself."""

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from holotype.jobs.attempts import PROCESS

START_SECONDS = 5.0
"""How long a runner may take to say that it runs."""
COMMAND = (sys.executable, "-P", "-c", "from holotype.cli.app import main; main()")
"""The command line of this installation; the folder it is started in is not searched for modules."""
_RUNNER = (sys.executable, "-P", "-m", "holotype.jobs.runner")


def launch(attempt: Path, command: Sequence[str]) -> None:
    """Starts the runner of an attempt, and waits until it says that it runs.

    Args:
        attempt: its folder, below that of the job.
        command: what the words of the job are for.
    """
    subprocess.run(
        [*_RUNNER, attempt.parent, attempt, *command], cwd=attempt.parent, check=False,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    until = time.monotonic() + START_SECONDS
    while not (attempt / PROCESS).exists() and time.monotonic() < until:
        time.sleep(0.01)
