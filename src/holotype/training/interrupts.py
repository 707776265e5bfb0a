"""Ctrl-C, and a cluster that takes its machine back: the step at hand is finished and the state saved."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """Whether the run was asked to end.

    Attributes:
        asked: True from the first signal on; a second one ends the run at once.
    """

    def __init__(self) -> None:
        self.asked = False

    def ask(self, number: int, frame: FrameType | None) -> None:
        """Takes note of a signal.

        Raises:
            KeyboardInterrupt: when it is not the first.
        """
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True


@contextmanager
def interrupts() -> Iterator[Interrupts]:
    """Takes note of SIGINT and SIGTERM instead of ending; outside of the main thread nothing changes."""
    found = Interrupts()
    if threading.current_thread() is not threading.main_thread():
        yield found
        return
    before = {number: signal.signal(number, found.ask) for number in _SIGNALS}
    try:
        yield found
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
