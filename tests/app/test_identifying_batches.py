"""Requests that come together share batches; nobody pays for another one's faults, size or change of mind."""

import statistics
import threading
import time
from collections import Counter
from functools import partial

import pytest

from holotype.app import identifying_batches
from holotype.app.identifying_batches import BATCH, TURN, Batches, BusyError, Way, each_by_itself
from holotype.errors import SourceError
from holotype.identify.inputs import Loaded, Specimen


def specimens(*names):
    return [Specimen(name, barcode="ACGT") for name in names]


def load_one(specimen):
    if specimen.input.startswith("unreadable"):
        raise RuntimeError("no such thing")
    return Loaded(specimen, b"", specimen.failure)


def names_of(chunk):
    return [one.failure or one.specimen.input for one in chunk]


@pytest.fixture
def batches():
    opened = Batches(load_one, threads=2)
    yield opened
    opened.close()


class Gate:
    """A way to answer that waits until it is let through, and remembers what it was asked."""

    def __init__(self):
        self.asked, self.seen, self.open = [], threading.Event(), threading.Event()

    def __call__(self, chunk):
        self.asked.append([one.specimen.input for one in chunk])
        self.seen.set()
        assert self.open.wait(10)
        return names_of(chunk)


def test_values_come_back_in_order_to_those_who_asked(batches):
    way = Way("names", names_of)
    asked = {
        start: batches.ask(specimens(*(f"{start}-{number}" for number in range(70))), way)
        for start in range(10)
    }
    for start, future in asked.items():
        assert future.result(10) == [f"{start}-{number}" for number in range(70)]


def test_what_waits_while_the_model_is_busy_becomes_one_batch(batches):
    gate = Gate()
    first = batches.ask(specimens("first"), Way("gate", gate))
    assert gate.seen.wait(10)
    others = [batches.ask(specimens(f"other {n}"), Way("gate", gate)) for n in range(20)]
    time.sleep(0.1)  # they are decoded meanwhile
    gate.open.set()
    assert first.result(10) == ["first"]
    assert [future.result(10) for future in others] == [[f"other {n}"] for n in range(20)]
    assert [len(batch) for batch in gate.asked] == [1, 20]


def test_clients_that_ask_at_a_time_share_batches_and_one_alone_waits_for_nobody(
    batches, monkeypatch
):
    sizes = []

    def slow(chunk):
        sizes.append(len(chunk))
        time.sleep(0.02)
        return names_of(chunk)

    def client(number):
        for turn in range(12):
            name = f"{number}-{turn}"
            assert batches.ask(specimens(name), Way("slow", slow)).result(10) == [name]

    clients = [threading.Thread(target=client, args=(number,)) for number in range(16)]
    for one in clients:
        one.start()
    for one in clients:
        one.join()
    assert statistics.median(sizes) >= 8
    client("the last one of many")
    monkeypatch.setattr(identifying_batches, "LINGER_S", 5.0)
    monkeypatch.setattr(identifying_batches, "GAP_S", 1.0)
    started = time.monotonic()
    client("alone")
    assert time.monotonic() - started < 2


def test_a_small_request_does_not_wait_for_all_of_a_large_one(batches):
    gate = Gate()
    blocker = batches.ask(specimens("blocker"), Way("gate", gate))
    assert gate.seen.wait(10)
    large = batches.ask(specimens(*(f"large {n}" for n in range(2 * BATCH))), Way("gate", gate))
    time.sleep(0.3)
    small = batches.ask(specimens("small"), Way("gate", gate))
    time.sleep(0.1)
    gate.open.set()
    assert small.result(10) == ["small"]
    assert len(large.result(10)) == 2 * BATCH
    assert blocker.result(10)
    of_small = next(place for place, batch in enumerate(gate.asked) if "small" in batch)
    assert of_small == 1
    assert gate.asked[1].index("small") <= TURN


def test_ways_are_not_mixed_in_a_batch(batches):
    seen = []

    def told(name, chunk):
        seen.append((name, [one.specimen.input for one in chunk]))
        return [name] * len(chunk)

    gate = Gate()
    batches.ask(specimens("blocker"), Way("gate", gate))
    assert gate.seen.wait(10)
    asked = [
        (way, batches.ask(specimens(f"{way} {n}"), Way(way, partial(told, way))))
        for n in range(8)
        for way in ("a", "b")
    ]
    time.sleep(0.1)
    gate.open.set()
    for way, future in asked:
        assert future.result(10) == [way]
    assert Counter(name for name, _ in seen) == {"a": 1, "b": 1}


def test_a_specimen_that_breaks_the_model_fails_alone():
    def fragile(chunk):
        if any(one.specimen.input == "bad" and one.specimen.barcode for one in chunk):
            raise RuntimeError("shape mismatch in a place nobody should read of")
        return names_of(chunk)

    loaded = [load_one(one) for one in specimens("a", "b", "bad", "c", "d")]
    assert each_by_itself(fragile, loaded) == [
        "a", "b", "the model could not read it: RuntimeError", "c", "d",
    ]  # fmt: skip


def test_a_way_that_always_fails_gives_nothing_and_ends():
    def broken(chunk):
        raise SourceError("never works")

    assert each_by_itself(broken, [load_one(one) for one in specimens("a", "b")]) == [None, None]


def test_a_specimen_that_cannot_be_decoded_fails_alone(batches):
    found = batches.ask(specimens("a", "unreadable", "b"), Way("names", names_of)).result(10)
    assert found == ["a", "cannot be read: RuntimeError", "b"]


def test_a_cancelled_request_is_dropped(batches):
    gate = Gate()
    batches.ask(specimens("blocker"), Way("gate", gate))
    assert gate.seen.wait(10)
    gone = batches.ask(specimens("gone 1", "gone 2"), Way("gate", gate))
    stays = batches.ask(specimens("stays"), Way("gate", gate))
    time.sleep(0.1)
    gone.cancel()
    gate.open.set()
    assert stays.result(10) == ["stays"]
    assert gate.asked[1] == ["stays"]


def test_what_runs_apart_runs_on_the_thread_of_the_model(batches):
    of_model = batches.apart(threading.get_ident)
    on = []
    batches.ask(
        specimens("a"), Way("thread", lambda chunk: on.append(threading.get_ident()) or [1])
    ).result(10)
    assert of_model.result(10) == on[0] != threading.get_ident()
    with pytest.raises(SourceError, match="as it was"):
        batches.apart(partial(_raise, SourceError("as it was"))).result(10)


def _raise(reason):
    raise reason


def test_who_waits_at_the_end_is_told():
    batches = Batches(load_one, threads=1)
    gate = Gate()
    batches.ask(specimens("blocker"), Way("gate", gate))
    assert gate.seen.wait(10)
    waits = batches.ask(specimens("waits"), Way("gate", gate))
    time.sleep(0.1)
    ending = threading.Thread(target=batches.close)
    ending.start()
    time.sleep(0.1)
    gate.open.set()
    ending.join(10)
    with pytest.raises(BusyError, match="ending"):
        waits.result(10)
    with pytest.raises(BusyError, match="ending"):
        batches.ask(specimens("late"), Way("gate", gate))


def test_no_specimens_are_answered_at_once(batches):
    assert batches.ask([], Way("names", names_of)).result(0) == []


def test_batches_are_told_of():
    told = []
    batches = Batches(load_one, threads=2, told=[lambda count, seconds: told.append(count)])
    try:
        batches.ask(specimens("a", "b"), Way("names", names_of)).result(10)
    finally:
        batches.close()
    assert sum(told) == 2


def test_the_thread_of_the_model_outlives_whatever_happens_in_a_batch():
    def tell(count, seconds):
        if not failed:
            failed.append(count)
            raise ValueError("a fault of whoever counts")

    failed = []
    batches = Batches(load_one, threads=1, told=[tell])
    try:
        with pytest.raises(ValueError, match="whoever counts"):
            batches.ask(specimens("a"), Way("names", names_of)).result(10)
        assert batches.works
        assert batches.ask(specimens("b"), Way("names", names_of)).result(10) == ["b"]
    finally:
        batches.close()
    assert not batches.works
