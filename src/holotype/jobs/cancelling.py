"""How a running job is ended: asked as by Ctrl-C, told, and in the end killed; what was sent is on disk.

A server that starts anew goes on with what the one before it began.
"""

import json
import signal

from holotype import files
from holotype.jobs.attempts import CANCEL, Attempt
from holotype.jobs.job import State, now, read_time, told_time
from holotype.jobs.processes import signal_group

STEPS = ((0, signal.SIGINT), (1, signal.SIGTERM), (2, signal.SIGKILL))
"""After how many times of grace which signal is sent."""


def ask(attempt: Attempt, *, by: str) -> None:
    """Notes that an attempt is to end; ``press`` sends the signals."""
    told = {"asked": told_time(now()), "by": by, "sent": []}
    files.write_json(attempt.path / CANCEL, told)


def press(attempt: Attempt, *, grace_seconds: float) -> None:
    """Sends a running attempt the signals that are due and were not sent yet."""
    if attempt.cancel is None or attempt.group is None or attempt.state is not State.RUNNING:
        return
    asked, sent = read_time(attempt.cancel.get("asked")), list(attempt.cancel.get("sent") or [])
    waited = (now() - asked).total_seconds() if asked is not None else float("inf")
    for times, number in STEPS:
        if number.name in sent or waited < times * grace_seconds:
            continue
        if signal_group(attempt.group, number):
            sent.append(number.name)
    if sent != attempt.cancel.get("sent"):
        text = json.dumps({**attempt.cancel, "sent": sent}, ensure_ascii=False, indent=2)
        files.write_text(attempt.path / CANCEL, text + "\n")
