"""Reading a file on trial, in a process of its own: where a C library dies of damage, only that one ends."""

import subprocess
import sys
from pathlib import Path

from holotype.errors import SourceError

_READ = "import sys; from pathlib import Path; from {} import {} as read; read(Path(sys.argv[1]))"
_ERROR = 1
"""How Python ends where something was raised: the reading that follows says it in its own words."""


def check_survived(module: str, function: str, path: Path) -> None:
    """Raises ``SourceError`` where a function that reads a file ends its process other than by an error.

    Args:
        module: where the function is, as it is imported.
        function: what reads the file; its only argument is the path.
        path: the file.
    """
    command = [sys.executable, "-P", "-c", _READ.format(module, function), str(path)]
    silent = subprocess.DEVNULL
    ended = subprocess.run(command, stdin=silent, stdout=silent, stderr=silent, check=False)
    if ended.returncode not in (0, _ERROR):
        how = f"signal {-ended.returncode}" if ended.returncode < 0 else str(ended.returncode)
        raise SourceError(
            f"{path}: a process that read it on trial died ({how}): it is damaged. Fetch it again."
        )
