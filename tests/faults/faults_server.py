"""A process that has imported the package and runs nothing: what is asked of it, a fork of it does.

A fork of the process of the tests itself would inherit the locks of its threads without the threads.
"""

import os
import pickle  # noqa: TID251 - between a process and its own child
import subprocess
import sys
import traceback
from collections.abc import Callable
from typing import Any

_MAIN = "import sys; sys.path[:] = sys.argv[1:]; import faults_warm, faults_server; faults_server.serve()"


class Server:
    """The process, started when it is first asked."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> subprocess.Popen[bytes]:
        """Starts it, if it has not been; with one thread, so that sums are equal and no fork loses one."""
        if self._process is None:
            names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
            self._process = subprocess.Popen(
                [sys.executable, "-c", _MAIN, *sys.path],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ | dict.fromkeys(names, "1"),
            )  # fmt: skip
        return self._process

    def ask(self, act: Callable[..., Any], *words: Any) -> Any:
        """Returns what a function returns in a fork of it.

        Raises:
            AssertionError: with what went wrong there.
        """
        process = self.start()
        assert process.stdin is not None
        assert process.stdout is not None
        pickle.dump((act, words), process.stdin)
        process.stdin.flush()
        is_fine, found = pickle.load(process.stdout)
        assert is_fine, found
        return found

    def end(self) -> None:
        """Ends it."""
        if self._process is not None:
            self._process.communicate()
            self._process = None


SERVER = Server()


def serve() -> None:
    """Answers until nothing more is asked; what is printed on the way goes to standard error."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    asked = sys.stdin.buffer
    while True:
        try:
            act, words = pickle.load(asked)
        except EOFError:
            return
        child = os.fork()
        if child == 0:
            _answer(act, words, answers)
        _, status = os.waitpid(child, 0)
        if status:
            pickle.dump((False, f"the process ended with {status}"), answers)
            answers.flush()


def _answer(act: Callable[..., Any], words: tuple[Any, ...], answers: Any) -> None:
    try:
        told = pickle.dumps((True, act(*words)))
    except BaseException:  # noqa: BLE001 - the end of a process: its parent raises what is said
        told = pickle.dumps((False, traceback.format_exc()))
    answers.write(told)
    answers.flush()
    os._exit(0)
