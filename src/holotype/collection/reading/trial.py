"""Reading a file on trial, in a process of its own: where a C library dies of damage, only that one ends."""

import os
import subprocess
import sys
from pathlib import Path

from holotype.errors import SourceError

_RAISED = 3
_READ = f"""
import sys
from pathlib import Path
from {{}} import {{}} as read
try:
    read(Path(sys.argv[1]))
except BaseException:
    sys.exit({_RAISED})
"""
_UNTRIED = 1
"""How Python ends where the function could not be found."""


def check_survived(module: str, function: str, path: Path) -> None:
    """Raises ``SourceError`` where a function that reads a file ends its process other than by an error.

    What it raises is for the reading that follows to say. Where no process can be started, nothing is tried.

    Args:
        module: where the function is, as it is imported.
        function: what reads the file; its only argument is the path.
        path: the file.
    """
    command = [sys.executable, "-P", "-c", _READ.format(module, function), str(path)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    silent = subprocess.DEVNULL
    try:
        ended = subprocess.run(
            command, stdin=silent, stdout=silent, stderr=silent, env=environment, check=False
        )
    except OSError:
        return
    if ended.returncode not in (0, _RAISED, _UNTRIED):
        how = f"signal {-ended.returncode}" if ended.returncode < 0 else str(ended.returncode)
        raise SourceError(
            f"{path}: a process that read it on trial died ({how}): it is damaged, or larger than "
            "memory. Fetch it again."
        )
