"""Pixels that are decoded when a step asks for them: for collections larger than memory.

Place in the path: in the place of the array of all pixels. Images lie in the row groups of Parquet shards; a
row group is read and decoded as one, and the latest few are kept.

Shapes: M images, S px a side, C channels.
"""

import threading
from collections import OrderedDict
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from holotype.collection.store import Collection
from holotype.errors import CollectionError
from holotype.media.preparation import PixelPreparation


@dataclass(frozen=True)
class RowGroup:
    """A row group of a shard and the rows of the collection that it holds."""

    path: Path
    number: int
    first: int
    rows: int


def row_groups(collection: Collection) -> list[RowGroup]:
    """Returns the row groups of a collection's shards, in order."""
    found: list[RowGroup] = []
    first = 0
    for path in collection.shard_paths():
        metadata = pq.read_metadata(path)
        for number in range(metadata.num_row_groups):
            rows = metadata.row_group(number).num_rows
            found.append(RowGroup(path, number, first, rows))
            first += rows
    return found


class StreamedPixels:
    """The prepared images of some rows of a collection; behaves as an array of uint8 (M, S, S, C).

    Only ``kept`` row groups are in memory at a time. Several threads may ask at once.

    Attributes:
        group_M: int64, the row group that each image lies in.
        decoded: how many row groups were decoded so far, repeats included.
    """

    dtype = np.dtype(np.uint8)

    def __init__(
        self,
        collection: Collection,
        *,
        rows: NDArray[np.int64],
        preparation: PixelPreparation,
        kept: int,
    ) -> None:
        """Remembers where the images of ``rows``, rows of the collection, are; decodes none yet."""
        self._groups = row_groups(collection)
        self._preparation = preparation
        self._kept = max(2, kept)
        self._cache: OrderedDict[int, Future[NDArray[np.uint8]]] = OrderedDict()
        self._lock = threading.Lock()
        first_G = np.asarray([group.first for group in self._groups], dtype=np.int64)
        self.group_M: NDArray[np.int64] = np.searchsorted(first_G, rows, side="right") - 1
        order = np.lexsort((rows, self.group_M))
        self._wanted = {
            int(group): rows[part] - first_G[group]
            for group, part in _runs(self.group_M[order], order)
        }
        self._at_M = np.empty(len(rows), dtype=np.int64)
        for _, part in _runs(self.group_M[order], order):
            self._at_M[part] = np.arange(len(part))
        self.decoded = 0

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """M, S, S, C."""
        return len(self.group_M), *self._preparation.shape

    def __len__(self) -> int:
        return len(self.group_M)

    def __getitem__(self, chosen: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Returns some of the images, uint8 (len(chosen), S, S, C).

        Raises:
            CollectionError: when a shard is gone, or holds no image where there was one.
        """
        chosen = np.asarray(chosen)
        found = np.empty((len(chosen), *self._preparation.shape), dtype=np.uint8)
        group_of = self.group_M[chosen]
        for group in np.unique(group_of).tolist():
            here = np.flatnonzero(group_of == group)
            found[here] = self._group(group)[self._at_M[chosen[here]]]
        return found

    def _group(self, group: int) -> NDArray[np.uint8]:
        with self._lock:
            promised = self._cache.get(group)
            mine = promised is None
            if promised is None:
                promised = self._cache[group] = Future()
                self.decoded += 1
            self._cache.move_to_end(group)
            while len(self._cache) > self._kept:
                self._cache.popitem(last=False)
        if mine:
            try:
                promised.set_result(self._decoded(group))
            except BaseException as reason:  # noqa: BLE001 - whoever waits gets it, this thread too
                promised.set_exception(reason)
                with self._lock:
                    self._cache.pop(group, None)
        return promised.result()

    def _decoded(self, group: int) -> NDArray[np.uint8]:
        place, wanted = self._groups[group], self._wanted[group]
        try:
            with pq.ParquetFile(place.path) as shard:
                image = shard.read_row_group(place.number, columns=["image"])["image"]
        except FileNotFoundError as reason:
            raise CollectionError(
                f"{place.path}: is gone ({reason}). Was the collection changed while this command ran?"
            ) from None
        encoded = image.combine_chunks().field("bytes")
        pixels = np.empty((len(wanted), *self._preparation.shape), dtype=np.uint8)
        for at, row in enumerate(wanted.tolist()):
            content = encoded[row].as_py()
            if content is None:
                raise CollectionError(
                    f"{place.path}: row {place.first + row} has no image any more."
                )
            decoded = self._preparation.read(content)
            pixels[at] = self._preparation.apply(decoded.pixels_HWC)
        return pixels


def _runs(
    group_M: NDArray[np.int64], order: NDArray[np.int64]
) -> list[tuple[int, NDArray[np.int64]]]:
    """Returns the images of each group, given the groups in order and which images these are."""
    if not len(group_M):
        return []
    edges = np.flatnonzero(np.diff(group_M)) + 1
    starts = [0, *edges.tolist()]
    return [(int(group_M[s]), part) for s, part in zip(starts, np.split(order, edges), strict=True)]
