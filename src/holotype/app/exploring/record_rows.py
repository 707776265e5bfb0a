"""Where each record of a collection lies: its row by its id, and its image by its row.

The ids are read once, in the first thread that asks; after that a record is found by bisection, and its image
by reading the one row group that holds it. Row groups that were read are kept while they are small enough.
"""

import bisect
import hashlib
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from pathlib import Path
from threading import Lock

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from holotype import files
from holotype.collection.store import Collection

KEPT_BYTES = 64 << 20
"""Encoded images of the row groups that were read last."""
_BATCH = 16
_LOCKS = 16
_OPEN_COLLECTIONS = 4


class RecordRows:
    """The rows of a collection by record id, and their images.

    Safe to share between threads. Nothing is read before the first question.

    Attributes:
        collection: the open collection.
    """

    def __init__(self, collection: Collection, *, kept_bytes: int = KEPT_BYTES) -> None:
        self.collection = collection
        self._kept_bytes = kept_bytes
        self._lock = Lock()
        self._group_locks = [Lock() for _ in range(_LOCKS)]
        self._ids: pa.Array | None = None
        self._order_R = np.zeros(0, dtype=np.int64)
        self._paths: list[Path] = []
        self._first_S = np.zeros(1, dtype=np.int64)
        self._content: dict[str, str] = {}
        self._groups: dict[int, NDArray[np.int64]] = {}
        self._images: OrderedDict[tuple[int, int], pa.Array] = OrderedDict()

    def row(self, record_id: str) -> int | None:
        """Returns the row of a record, None where there is no such record."""
        ids = self._read_ids()
        at = bisect.bisect_left(self._order_R, record_id, key=lambda row: ids[int(row)].as_py())
        if at == len(self._order_R) or ids[int(self._order_R[at])].as_py() != record_id:
            return None
        return int(self._order_R[at])

    def rows(self, record_ids: Sequence[str]) -> list[int | None]:
        """Returns the rows of records, None for those that are not there."""
        return [row if row >= 0 else None for row in self.places(record_ids).tolist()]

    def places(self, record_ids: Sequence[str]) -> NDArray[np.int64]:
        """Returns the rows of records, int64, -1 for those that are not there; many at once, as a join."""
        ids = self._read_ids()
        asked = pa.array(record_ids, pa.large_string())
        # The few that are asked for are hashed, and all others looked up among them: each id is of one row.
        unique = pc.unique(asked)
        found_N = pc.index_in(ids, value_set=unique)
        there_N = pc.is_valid(found_N)
        row_U = np.full(len(unique), -1, dtype=np.int64)
        at = found_N.filter(there_N).to_numpy(zero_copy_only=False)
        row_U[at] = np.flatnonzero(there_N.to_numpy(zero_copy_only=False))
        found: NDArray[np.int64] = row_U[
            pc.index_in(asked, value_set=unique).to_numpy(zero_copy_only=False)
        ]
        return found

    def known(self, record_ids: Iterable[str]) -> frozenset[str]:
        """Returns those of some ids that are in the collection."""
        asked = list(record_ids)
        return frozenset(
            one for one, row in zip(asked, self.places(asked).tolist(), strict=True) if row >= 0
        )

    @property
    def ids(self) -> pa.Array:
        """The ids in the order of the collection."""
        return self._read_ids()

    def content_key(self, column: str) -> str:
        """Returns a hash of the ids and of a column that says what each record holds; read once.

        It is the same for the same records in another order, or under other names.
        """
        ids = self._read_ids()
        with self._lock:
            if column not in self._content:
                values = self.collection.columns([column])[column].combine_chunks()
                order, digest = pa.array(self._order_R), hashlib.sha256()
                for one in (ids, pc.fill_null(values.cast(pa.large_string()), "")):
                    _, ends, letters = one.take(order).buffers()
                    for part in (ends, letters):
                        digest.update(part or b"")
                self._content[column] = digest.hexdigest()
            return self._content[column]

    def beginning_with(self, start: str, *, most: int) -> list[str]:
        """Returns the first ids, in their order as text, that begin so."""
        ids = self._read_ids()
        at = bisect.bisect_left(self._order_R, start, key=lambda row: ids[int(row)].as_py())
        near = [ids[int(row)].as_py() for row in self._order_R[at : at + most]]
        return [one for one in near if one.startswith(start)]

    def image(self, row: int) -> bytes | None:
        """Returns the encoded image of a row, None where it has none.

        Raises:
            CollectionError: when the files are gone since the collection was opened.
        """
        self._read_ids()
        with files.as_it_was_opened(self.collection.path):
            shard = int(np.searchsorted(self._first_S, row, side="right")) - 1
            inside = row - int(self._first_S[shard])
            first_G = self._first_rows(shard)
            group = int(np.searchsorted(first_G, inside, side="right")) - 1
            with self._group_locks[hash((shard, group)) % _LOCKS]:
                return self._image(shard, group, inside - int(first_G[group]))

    def _image(self, shard: int, group: int, at: int) -> bytes | None:
        key = (shard, group)
        with self._lock:
            kept = self._images.get(key)
            if kept is not None:
                self._images.move_to_end(key)
        if kept is not None:
            return _bytes_at(kept, at)
        with pq.ParquetFile(self._paths[shard]) as opened:
            about = opened.metadata.row_group(group)
            size = sum(
                about.column(column).total_uncompressed_size
                for column in range(about.num_columns)
                if about.column(column).path_in_schema == "image.bytes"
            )
            if size > self._kept_bytes // 4:
                return _streamed(opened, group, at)
            table = opened.read_row_group(group, columns=["image.bytes"])
        found = table["image"].combine_chunks().field("bytes")
        with self._lock:
            self._images[key] = found
            while sum(one.nbytes for one in self._images.values()) > self._kept_bytes:
                self._images.popitem(last=False)
        return _bytes_at(found, at)

    def _first_rows(self, shard: int) -> NDArray[np.int64]:
        """Returns the first row of each group of a shard; its footer is read once."""
        with self._lock:
            found = self._groups.get(shard)
        if found is None:
            about = pq.read_metadata(self._paths[shard])
            sizes = [about.row_group(group).num_rows for group in range(about.num_row_groups)]
            found = np.cumsum([0, *sizes[:-1]]).astype(np.int64)
            with self._lock:
                self._groups[shard] = found
        return found

    def _read_ids(self) -> pa.Array:
        with self._lock:
            if self._ids is None:
                column = self.collection.columns(["record_id"])["record_id"]
                ids = column.combine_chunks().cast(pa.large_string())
                order = pc.sort_indices(ids).to_numpy()
                small = len(ids) < 1 << 31
                self._order_R = order.astype(np.int32 if small else np.int64)
                self._paths = self.collection.shard_paths()
                sizes = [
                    shard["rows"]
                    for one in self.collection.manifest["imports"]
                    for shard in one["shards"]
                ]
                self._first_S = np.cumsum([0, *sizes[:-1]]).astype(np.int64)
                self._ids = ids
            return self._ids


def _bytes_at(images: pa.Array, at: int) -> bytes | None:
    content = images[at].as_py()
    return content if isinstance(content, bytes) else None


def _streamed(opened: pq.ParquetFile, group: int, at: int) -> bytes | None:
    """Returns one image of a group that is too large to keep, some rows at a time."""
    first = 0
    for batch in opened.iter_batches(_BATCH, row_groups=[group], columns=["image.bytes"]):
        if at < first + batch.num_rows:
            return _bytes_at(batch.column("image").field("bytes"), at - first)
        first += batch.num_rows
    return None


_OPENED: OrderedDict[tuple[str, str], RecordRows] = OrderedDict()
_OPENED_LOCK = Lock()


def record_rows(collection: Collection) -> RecordRows:
    """Returns the rows of a collection; the same object for the same content of the same folder."""
    key = (str(collection.path), collection.fingerprint)
    with _OPENED_LOCK:
        found = _OPENED.get(key)
        if found is None:
            found = _OPENED[key] = RecordRows(collection)
            while len(_OPENED) > _OPEN_COLLECTIONS:
                _OPENED.popitem(last=False)
        _OPENED.move_to_end(key)
        return found
