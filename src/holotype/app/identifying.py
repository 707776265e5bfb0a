"""One bundle that answers many requests at a time: they share batches, each gets its own rows in order.

The rows are those of ``holotype predict``. A batch is filled up to the next of a few sizes, not always to a
whole one: a single request is answered quickly, and its figures may differ from those of a full batch in the
seventh digit.
"""

import asyncio
import os
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from holotype.app.identifying_batches import Batches, BusyError, Told, Way
from holotype.app.identifying_ways import (
    MOST_NEAREST,
    Embedded,
    embeddings,
    lost_row,
    rows,
    warm,
    with_settings,
)
from holotype.decisions.channels import Channel
from holotype.decisions.risk import Threshold
from holotype.identify import devices
from holotype.identify.answers import Answerer, AnswerSettings
from holotype.identify.inputs import Specimen
from holotype.identify.loading import load
from holotype.index.store import Index, open_index
from holotype.models.bundle import Bundle, naming_bundle
from holotype.models.labels import LabelSpace

__all__ = ["MOST_NEAREST", "Asking", "BusyError", "Identifier"]

SLICE, AHEAD = 64, 4
"""Specimens of a request that go into the queue together, and how many such slices may wait."""
KEPT_WAYS = 32
THREADS = min(4, os.cpu_count() or 1)
Value = TypeVar("Value")


@dataclass(frozen=True)
class Asking:
    """What a request may set; None is as the server was told.

    Attributes:
        max_error: the share of answers that may be wrong, above 0, below 1.
        nearest: how many reference records are told, up to ``MOST_NEAREST``.
    """

    max_error: float | None = None
    nearest: int | None = None


class Identifier:
    """A bundle, opened once, and the one thread that its model works in.

    Attributes:
        bundle: the model; only its own thread may compute with it (``apart``).
        index: the index that was given, or None.
        settings: what decides the answers where a request says nothing.
    """

    def __init__(
        self, bundle: Bundle, index: Index | None, settings: AnswerSettings, *, max_queued: int
    ) -> None:
        self.bundle, self.index, self.settings = bundle, index, settings
        self.max_queued = max_queued
        self._lock = Lock()
        self._admitted = 0
        self._usual = Answerer.of(bundle, settings)
        # NumPy's own threads wait busily after each product: the cores are for torch and for requests.
        self._blas = threadpool_limits(1, user_api="blas")
        self._answerers: OrderedDict[tuple[float, int], Answerer] = OrderedDict()
        self._batches = Batches(partial(load, pixels=bundle.pixels), threads=THREADS)
        self._batches.apart(partial(warm, self._usual)).result()

    @classmethod
    def open(
        cls,
        run: Path | str,
        *,
        index: Path | None = None,
        settings: AnswerSettings | None = None,
        device: str = devices.CPU,
        max_queued: int = 20_000,
    ) -> "Identifier":
        """Returns a bundle that is ready to answer.

        Args:
            run: a bundle, or ``starter``.
            index: an index to take the nearest records from; the model's own references by default.
            settings: what decides the answers where a request says nothing.
            device: where the model works.
            max_queued: specimens that may wait for it.

        Raises:
            BundleError, CollectionError, SourceError: when bundle, index or device cannot be used.
        """
        bundle, chosen = naming_bundle(run), settings or AnswerSettings()
        devices.move(bundle, device)
        opened = None
        if index is not None:
            chosen = replace(chosen, index=str(index))
            opened = open_index(index, model=bundle.fingerprint)
        return cls(bundle, opened, chosen, max_queued=max_queued)

    @property
    def labels(self) -> LabelSpace:
        """What the model names."""
        return self.bundle.labels

    @property
    def references(self) -> Index | None:
        """The records that answers rest on: those of the index, or the model's own."""
        return self._usual.nearest.shown

    @property
    def queued(self) -> int:
        """Specimens that were admitted and have no answer yet."""
        return self._admitted

    @property
    def works(self) -> bool:
        """Whether it answers."""
        return self._batches.works

    @property
    def modalities(self) -> tuple[str, ...]:
        """What the model reads: ``image``, ``barcode``, ``caption``."""
        return tuple(modality.value for modality in self.bundle.model.modalities)

    def tell(self, told: Told) -> None:
        """Has a function told of every batch: specimens, seconds."""
        self._batches.told.append(told)

    def thresholds(self, asking: Asking | None = None) -> dict[Channel, Threshold]:
        """Returns by channel at which confidence answers are safe, and why there is no promise."""
        return self._answerer(asking or Asking()).thresholds

    async def identify(
        self, specimens: Sequence[Specimen], asking: Asking | None = None
    ) -> list[dict[str, Any]]:
        """Returns one row of ``ANSWER_SCHEMA`` for each specimen, in order; failures are rows with a reason.

        Raises:
            BusyError: when too many specimens wait already.
            SourceError: for a setting that makes no sense.
        """
        wanted = asking or Asking()
        answerer = self._usual
        if wanted != Asking():
            answerer = await asyncio.to_thread(self._answerer, wanted)
        way = Way(("identify", id(answerer)), partial(rows, answerer))
        return [
            row if row is not None else lost_row(self.bundle, specimen)
            for row, specimen in zip(await self._asked(specimens, way), specimens, strict=True)
        ]

    async def embed(self, specimens: Sequence[Specimen]) -> list[NDArray[np.float32] | None]:
        """Returns the unit embedding of each specimen, the mean of image and barcode; None where it has none.

        Raises:
            BusyError: when too many specimens wait already.
        """
        return [z_D for z_D, _ in await self.embedded(specimens)]

    async def embedded(self, specimens: Sequence[Specimen]) -> list[Embedded]:
        """Returns what ``embed`` does, each with why there is none or what of the specimen was left out."""
        way = Way("embed", partial(embeddings, self.bundle))
        lost = (None, "the model could not read it")
        return [one or lost for one in await self._asked(specimens, way)]

    async def apart(self, function: Callable[[], Value]) -> Value:
        """Returns what a function returns that computes with the model itself, on the model's thread."""
        found: Value = await asyncio.wrap_future(self._batches.apart(function))
        return found

    def close(self) -> None:
        """Ends the threads; what still waits gets ``BusyError``."""
        self._batches.close()
        self._blas.restore_original_limits()

    async def _asked(self, specimens: Sequence[Specimen], way: Way) -> list[Any]:
        """Returns the values of all specimens; a few slices of them wait at a time."""
        found: list[Any] = []
        pending: deque[asyncio.Future[list[Any]]] = deque()
        with self._room_for(len(specimens)):
            try:
                for start in range(0, len(specimens), SLICE):
                    asked = self._batches.ask(specimens[start : start + SLICE], way)
                    pending.append(asyncio.wrap_future(asked))
                    if len(pending) == AHEAD:
                        found += await pending.popleft()
                while pending:
                    found += await pending.popleft()
            finally:
                for one in pending:
                    one.cancel()
        return found

    @contextmanager
    def _room_for(self, count: int) -> Iterator[None]:
        with self._lock:
            if self._admitted and self._admitted + count > self.max_queued:
                raise BusyError(
                    f"{self._admitted:,} specimens wait for the model already, and {self.max_queued:,} may. "
                    "Ask again in a while.",
                    retry_after_s=5,
                )
            self._admitted += count
        try:
            yield
        finally:
            with self._lock:
                self._admitted -= count

    def _answerer(self, asking: Asking) -> Answerer:
        """Returns the model with the settings of a request; the last ones are kept."""
        usual = self.settings
        key = (
            usual.max_error if asking.max_error is None else asking.max_error,
            usual.nearest if asking.nearest is None else asking.nearest,
        )
        if key == (usual.max_error, usual.nearest):
            return self._usual
        with self._lock:
            if key in self._answerers:
                self._answerers.move_to_end(key)
                return self._answerers[key]
        made = with_settings(self._usual, self.settings, *key)
        with self._lock:
            self._answerers[key] = made
            while len(self._answerers) > KEPT_WAYS:
                self._answerers.popitem(last=False)
        return made
