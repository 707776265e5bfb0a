"""Steps made ready in the background while the device works on the one before."""

import time
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar

Made = TypeVar("Made")


@dataclass(frozen=True)
class Ready(Generic[Made]):
    """Something made in the background, and how long it was waited for, in seconds."""

    value: Made
    waited_s: float


def ready_ahead(
    make: Callable[[int], Made], numbers: range, *, depth: int, workers: int
) -> Generator[Ready[Made]]:
    """Yields what ``make`` makes of each number, in order, at most ``depth`` ahead of what is taken.

    What is made must depend on the number alone: then neither depth nor workers change it. An error in
    ``make`` is raised where its value would have come. With ``depth`` 0 nothing runs in the background.
    """
    if depth == 0:
        for number in numbers:
            started = time.perf_counter()
            made = make(number)
            yield Ready(made, time.perf_counter() - started)
        return
    waiting: deque[Future[Made]] = deque()
    left = iter(numbers)
    with ThreadPoolExecutor(workers, thread_name_prefix="loader") as pool:
        try:
            while True:
                for ahead in islice(left, depth - len(waiting)):
                    waiting.append(pool.submit(make, ahead))
                if not waiting:
                    return
                started = time.perf_counter()
                made = waiting.popleft().result()
                yield Ready(made, time.perf_counter() - started)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
