"""What is made in the background comes in order, whatever runs ahead, and its faults come in place."""

import threading
import time

import pytest

from holotype.training.loading import ready_ahead


@pytest.mark.parametrize(("depth", "workers"), [(0, 1), (1, 1), (4, 1), (4, 3)])
def test_values_come_in_order(depth: int, workers: int) -> None:
    def make(number: int) -> int:
        time.sleep(0.002 * (number % 3))  # later ones are often ready first
        return number * number

    found = [ready.value for ready in ready_ahead(make, range(3, 12), depth=depth, workers=workers)]
    assert found == [n * n for n in range(3, 12)]


@pytest.mark.parametrize("depth", [0, 3])
def test_a_fault_comes_where_its_value_would(depth: int) -> None:
    def make(number: int) -> int:
        if number == 2:
            raise ValueError("no such record")
        return number

    made = ready_ahead(make, range(9), depth=depth, workers=2)
    assert [next(made).value for _ in range(2)] == [0, 1]
    with pytest.raises(ValueError, match="no such record"):
        next(made)


def test_no_more_than_the_depth_is_made_ahead() -> None:
    made: list[int] = []
    lock = threading.Lock()

    def make(number: int) -> int:
        with lock:
            made.append(number)
        return number

    for ready in ready_ahead(make, range(50), depth=3, workers=2):
        time.sleep(0.001)
        with lock:
            assert max(made) <= ready.value + 3


def test_waiting_is_measured() -> None:
    def make(number: int) -> int:
        time.sleep(0.05)
        return number

    slow = sum(ready.waited_s for ready in ready_ahead(make, range(4), depth=2, workers=1))
    assert slow > 0.15
    waits = []
    for ready in ready_ahead(make, range(4), depth=2, workers=2):
        waits.append(ready.waited_s)
        time.sleep(0.15)  # the step takes longer than making its input
    assert max(waits[1:]) < 0.05
