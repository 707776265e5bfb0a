"""Names of what is being written: hidden, never given twice, and removed once their writer is no more."""

import os
import re
import secrets
import shutil
import zlib
from contextlib import suppress
from functools import cache
from pathlib import Path

_UNFINISHED = re.compile(r"\..+\.(?P<machine>\d{5})(?P<process>\d{7})\d{12}\.part")
_swept: set[Path] = set()
"""Folders in which this process has removed what others left."""


def unfinished(path: Path) -> Path:
    """Returns a hidden name beside a path for what is not finished yet: it says which process writes it."""
    if path.parent not in _swept:
        _swept.add(path.parent)
        _remove_abandoned(path.parent)
    writer = f"{_machine():05d}{os.getpid():07d}{secrets.randbelow(10**12):012d}"
    return path.with_name(f".{path.name}.{writer}.part")


def is_unfinished(name: str) -> bool:
    """Returns whether a name is one of ``unfinished``, of whichever process."""
    return _UNFINISHED.fullmatch(name) is not None


def _remove_abandoned(folder: Path) -> None:
    """Removes what processes of this machine that are no more left unfinished in a folder."""
    with os.scandir(folder) as found:
        abandoned = [one for one in found if _is_abandoned(one.name)]
    for one in abandoned:
        with suppress(OSError):
            if one.is_dir(follow_symlinks=False):
                shutil.rmtree(one.path)
            else:
                Path(one.path).unlink()


def _is_abandoned(name: str) -> bool:
    told = _UNFINISHED.fullmatch(name)
    if told is None or int(told["machine"]) != _machine():
        return False
    try:
        os.kill(int(told["process"]), 0)
    except ProcessLookupError:
        return True
    except OSError:  # it is there, and another user's
        return False
    return False


@cache
def _machine() -> int:
    """Returns a number of this machine, or of the container: its processes are those that we can see."""
    try:
        seen = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        seen = ""
    return zlib.crc32(f"{os.uname().nodename} {seen}".encode()) % 10**5
