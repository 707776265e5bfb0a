"""Which process is meant: its number alone says little, as numbers are given again.

A process is known by its number, the moment it began, and the start of the machine that it began under.
All three are from the kernel (``/proc``, or ``ps`` where there is none), not from a clock that a person sets.
"""

import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PROC = Path("/proc")
_STARTED_AT = 19
"""Place of the start time among the words behind the name of a process; its state comes first (proc(5))."""
_ENDED = frozenset("ZXx")


@dataclass(frozen=True)
class Identity:
    """One process, told from every other.

    Attributes:
        pid: its number.
        started: when it began, as the kernel says; only to be compared.
        boot: the start of the machine that it began under.
    """

    pid: int
    started: str
    boot: str


def identity_of(pid: int) -> Identity | None:
    """Returns who has a process number now; None where nobody has, or it has ended already."""
    started = _started_by_proc(pid) if _PROC.joinpath("self").exists() else _started_by_ps(pid)
    return None if started is None else Identity(pid, started, _boot())


def is_alive(who: Identity | None) -> bool:
    """Returns whether this very process is still there."""
    return who is not None and identity_of(who.pid) == who


def read_identity(value: Any) -> Identity | None:
    """Returns an identity as it was written by ``asdict``; None for what is none."""
    try:
        return Identity(int(value["pid"]), str(value["started"]), str(value["boot"]))
    except (KeyError, TypeError, ValueError):
        return None


def signal_group(group: int, number: signal.Signals) -> bool:
    """Sends a signal to all processes of a group; returns whether there was one to send it to."""
    if group <= 1:
        return False
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _started_by_proc(pid: int) -> str | None:
    try:
        text = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    words = text.rpartition(")")[2].split()
    return None if words[0] in _ENDED else words[_STARTED_AT]


def _boot() -> str:
    try:
        return (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        asked = ["sysctl", "-n", "kern.boottime"]
        return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()


def _started_by_ps(pid: int) -> str | None:
    asked = ["ps", "-o", "stat=,lstart=", "-p", str(pid)]
    found = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.split()
    return None if not found or found[0][0] in _ENDED else " ".join(found[1:])
