"""A server in a process of its own, as a user starts it, and what tests ask of it."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SECONDS_TO_START = 180
_ADDRESS = re.compile(r"Holotype is at (http://\S+)")


@dataclass
class Server:
    """A server that runs."""

    address: str
    process: subprocess.Popen[str]
    said: list[str]

    def kill(self) -> None:
        """Ends it without a chance to do anything."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@contextmanager
def served(run: Path | str, workspace: Path, *words: str | Path) -> Iterator[Server]:
    """Starts ``holotype serve`` at a free port, unless the words name one; ended at the end."""
    command = [
        sys.executable, "-m", "holotype", "serve", str(run), "--workspace", str(workspace), "--port", "0",
        *map(str, words),
    ]  # fmt: skip
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}
    )
    said: list[str] = []
    found = threading.Event()

    def listen() -> None:
        assert process.stderr is not None
        for line in process.stderr:
            said.append(line)
            if _ADDRESS.search(line):
                found.set()
        found.set()

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    try:
        found.wait(SECONDS_TO_START)
        address = next((m[1] for line in said if (m := _ADDRESS.search(line))), None)
        assert address is not None, "".join(said)
        yield Server(address, process, said)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        thread.join(10)
        assert process.stderr is not None
        process.stderr.close()
