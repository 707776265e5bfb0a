"""Specimens of many requests -> batches for one model: decoded by a few threads, answered by a single one.

Requests take turns, so that a small one does not wait for all of a large one, and those that want the same
thing share a batch. What fails is one specimen, never those beside it.
"""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future, InvalidStateError, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from holotype.errors import HolotypeError
from holotype.identify.inputs import Loaded, Specimen

BATCH = 256
"""Specimens that the model is given at a time, at most."""
TURN = 32
"""How many of them a request may have before the next one has its turn."""
LINGER_S, GAP_S = 0.012, 0.002
"""How long a batch of fewer than are wanted waits for more at most; it begins when so long none has come."""
DECODED_AT_ONCE = 8

Answers = Callable[[Sequence[Loaded]], Sequence[Any]]
"""What a batch is asked for: one value for each specimen, in order."""
Told = Callable[[int, float], None]
"""Is told of every batch: how many specimens it had, and how many seconds it took."""


class BusyError(HolotypeError, RuntimeError):
    """More is waiting for the model than it may; ask again after ``retry_after_s``."""

    def __init__(self, message: str, *, retry_after_s: int = 1) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


@dataclass(frozen=True)
class Way:
    """What is asked of specimens; those of one ``key`` share a batch.

    Attributes:
        key: tells it from another one.
        answers: does it.
    """

    key: Hashable
    answers: Answers


@dataclass
class _Slice:
    """Some specimens of one request; ``future`` gets their values, and is cancelled with the request."""

    way: Way
    found: list[Any]
    left: int
    future: "Future[list[Any]]" = field(default_factory=Future)
    ready: deque[tuple[int, Loaded]] = field(default_factory=deque)


class Batches:
    """The queue before one model, and the thread that works it off."""

    def __init__(
        self, load: Callable[[Specimen], Loaded], *, threads: int, told: Sequence[Told] = ()
    ) -> None:
        self.told = list(told)
        self._load_one = load
        self._changed = threading.Condition()
        self._turns: OrderedDict[Hashable, deque[_Slice]] = OrderedDict()
        self._apart: deque[tuple[Callable[[], Any], Future[Any]]] = deque()
        self._ready = 0
        self._wanted = 1
        self._ended = False
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="decode")
        self._worker = threading.Thread(target=self._work, name="model", daemon=True)
        self._worker.start()

    @property
    def works(self) -> bool:
        """Whether the model's thread is there to answer."""
        return self._worker.is_alive() and not self._ended

    def ask(self, specimens: Sequence[Specimen], way: Way) -> "Future[list[Any]]":
        """Returns a future of one value for each specimen, in order; cancel it to have them dropped.

        Raises:
            BusyError: when the server is ending.
        """
        count = len(specimens)
        asked = _Slice(way, [None] * count, count)
        if not count:
            asked.future.set_result([])
            return asked.future
        step = max(1, min(DECODED_AT_ONCE, -(-count // self._threads)))
        with self._changed:
            self._check_open()
        for start in range(0, count, step):
            self._pool.submit(self._load, asked, start, specimens[start : start + step])
        return asked.future

    def apart(self, function: Callable[[], Any]) -> "Future[Any]":
        """Returns a future of what a function returns on the model's thread, between two batches."""
        future: Future[Any] = Future()
        with self._changed:
            self._check_open()
            self._apart.append((function, future))
            self._changed.notify()
        return future

    def close(self) -> None:
        """Ends both kinds of threads; what still waits gets ``BusyError``."""
        with self._changed:
            self._ended = True
            self._changed.notify()
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._worker.join()
        for slices in self._turns.values():
            for one in slices:
                _fail(one.future, BusyError("the server is ending. Ask again later."))
        for _, future in self._apart:
            _fail(future, BusyError("the server is ending. Ask again later."))

    def _check_open(self) -> None:
        if self._ended:
            raise BusyError("the server is ending. Ask again later.")

    def _load(self, asked: _Slice, start: int, specimens: Sequence[Specimen]) -> None:
        for place, specimen in enumerate(specimens, start):
            loaded = None if asked.future.cancelled() else self._loaded(specimen)
            if loaded is None:
                return
            with self._changed:
                if not asked.ready:
                    self._turns.setdefault(asked.way.key, deque()).append(asked)
                asked.ready.append((place, loaded))
                self._ready += 1
                self._changed.notify()

    def _loaded(self, specimen: Specimen) -> Loaded:
        try:
            return replace(self._load_one(specimen), image=None)  # the model reads the pixels
        except Exception as reason:  # noqa: BLE001 - one specimen's fault, whatever it is
            return Loaded(specimen, None, f"cannot be read: {type(reason).__name__}")

    def _work(self) -> None:
        while True:
            with self._changed:
                while not (self._ready or self._apart or self._ended):
                    self._changed.wait()
                if self._ended:
                    return
                if self._apart:
                    function, future = self._apart.popleft()
                    taken = None
                else:
                    taken = self._take()
            if taken is None:
                _run(function, future)
            elif taken:
                try:
                    self._answer(taken)
                except Exception as reason:  # noqa: BLE001 - the thread must outlive any batch
                    for asked, _, _ in taken:
                        _fail(asked.future, reason)

    def _take(self) -> list[tuple[_Slice, int, Loaded]]:
        """Returns the next batch; waits a little for one that is fuller. The lock is held.

        As many as clients had in the air are waited for: one that asks alone is answered at once.
        """
        until, before = time.monotonic() + LINGER_S, 0
        while before < self._ready < self._wanted and time.monotonic() < until:
            before = self._ready
            self._changed.wait_for(self._is_enough, GAP_S)
            if self._ended:
                return []
        key, slices = next(iter(self._turns.items()))
        batch: list[tuple[_Slice, int, Loaded]] = []
        while slices and len(batch) < BATCH:
            asked = slices.popleft()
            share = min(TURN, BATCH - len(batch), len(asked.ready))
            batch += [(asked, *asked.ready.popleft()) for _ in range(share)]
            if asked.ready:
                slices.append(asked)
        if slices:
            self._turns.move_to_end(key)
        else:
            del self._turns[key]
        self._ready -= len(batch)
        return [one for one in batch if not one[0].future.cancelled()]

    def _is_enough(self) -> bool:
        return self._ended or self._ready >= self._wanted

    def _answer(self, batch: list[tuple[_Slice, int, Loaded]]) -> None:
        started = time.perf_counter()
        found = each_by_itself(batch[0][0].way.answers, [loaded for _, _, loaded in batch])
        for tell in self.told:
            tell(len(batch), time.perf_counter() - started)
        with self._changed:
            self._wanted = min(BATCH, len(batch) + self._ready)
        for (asked, place, _), value in zip(batch, found, strict=True):
            asked.found[place] = value
            asked.left -= 1
            if not asked.left:
                _give(asked.future, asked.found)


def each_by_itself(answers: Answers, chunk: Sequence[Loaded]) -> list[Any]:
    """Returns what is answered; where that fails for all together, the fault is looked for in halves.

    The specimen at fault is answered as one that could not be read, with the reason.
    """
    try:
        found = list(answers(chunk))
        if len(found) == len(chunk):
            return found
        said = "the model gave no answer"
    except HolotypeError as reason:
        said = " ".join(str(reason).split())
    except Exception as reason:  # noqa: BLE001 - the others in the batch must not pay for it
        said = f"the model could not read it: {type(reason).__name__}"
    if len(chunk) > 1:
        half = len(chunk) // 2
        return each_by_itself(answers, chunk[:half]) + each_by_itself(answers, chunk[half:])
    one = chunk[0]
    empty = Loaded(replace(one.specimen, read_image=None, barcode=None), None, one.failure or said)
    if one.square_SSC is None and one.specimen.barcode is None:
        return [None]  # it is no specimen that fails, but the way itself
    return each_by_itself(answers, [empty])


def _run(function: Callable[[], Any], future: "Future[Any]") -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(function())
    except Exception as reason:  # noqa: BLE001 - whoever waits gets it
        future.set_exception(reason)


def _give(future: "Future[list[Any]]", found: list[Any]) -> None:
    try:
        future.set_result(found)
    except InvalidStateError:
        return  # cancelled meanwhile


def _fail(future: "Future[Any]", reason: Exception) -> None:
    try:
        future.set_exception(reason)
    except InvalidStateError:
        return
