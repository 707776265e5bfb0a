"""Examined chunks -> the shards and the ledger of one import, with every record id once in its source.

An id that comes again with the same content is the same record. With other content it is another record
(the folders of two archives often bear the same names): the name of the input goes into its id, and where
that is taken too, a hash of its content. Sources cannot disturb one another: an id begins with its source.
"""

import os
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from holotype import files
from holotype.collection.examination import hash64, record_keys, staged_paths, write_shard
from holotype.collection.schema import LEDGER_SCHEMA, Outcome

Keys = NDArray[np.uint64]
"""uint64 (N, 2): the hash of a record's id, and of what it holds."""


@dataclass(frozen=True)
class Staged:
    """One examined input: its name and its chunks, in order."""

    input_name: str
    chunks: tuple[Path, ...]


@dataclass(frozen=True)
class Settlement:
    """What becomes of records whose id was taken, by chunk and row of its shard.

    A text is the longer id; None is a record that was there already.
    """

    changes: dict[Path, dict[int, str | None]]


def keys_of_shards(shards: Sequence[Path]) -> Keys:
    """Returns the keys of records that are in a collection already."""
    parts = [np.empty((0, 2), np.uint64)]
    for shard in shards:
        rows = pq.read_table(shard, columns=["record_id", "content_hash"])
        parts.append(record_keys(rows.to_pylist()))
    return np.concatenate(parts)


def settle_ids(existing: Keys, staged: Sequence[Staged]) -> Settlement:
    """Returns which records of the staged inputs need a longer id or were there already.

    Memory: 16 bytes a record of the source, and a few more for those whose id comes twice.
    """
    chunks = [(one.input_name, chunk) for one in staged for chunk in one.chunks]
    keys = [np.load(staged_paths(chunk)[2], allow_pickle=False) for _, chunk in chunks]
    ids = np.concatenate([existing[:, 0], *(found[:, 0] for found in keys)])
    ids.sort()
    twice = np.unique(ids[1:][ids[1:] == ids[:-1]])
    if not len(twice):
        return Settlement({})
    book = _Book(ids, existing)
    changes: dict[Path, dict[int, str | None]] = {}
    for (input_name, chunk), found in zip(chunks, keys, strict=True):
        rows = np.flatnonzero(np.isin(found[:, 0], twice)).tolist()
        if not rows:
            continue
        names = pq.read_table(
            staged_paths(chunk)[0], columns=["record_id", "source", "source_item"]
        )
        for row, named in zip(rows, names.take(rows).to_pylist(), strict=True):
            settled_id = book.settle(named, int(found[row, 1]), input_name)
            if settled_id != named["record_id"]:
                changes.setdefault(chunk, {})[row] = settled_id
    return Settlement(changes)


class _Book:
    """Which ids are taken, and by what content."""

    def __init__(self, sorted_ids: NDArray[np.uint64], existing: Keys) -> None:
        self._ids = sorted_ids
        self._existing = existing[existing[:, 0].argsort()]
        self._given: dict[int, int] = {}

    def settle(self, record: dict[str, str], content: int, input_name: str) -> str | None:
        """Returns the id that a record gets, or None where it is there already."""
        longer = f"{record['source']}/{input_name}/{record['source_item']}"
        for wanted in (record["record_id"], longer, f"{longer} ({content:016x})"):
            key = hash64(wanted)
            known = self._content(key)
            if known == content:
                return None
            is_own = wanted == record["record_id"]
            if known is None and (is_own or not _holds(self._ids, key)):
                self._given[key] = content
                return wanted
        return None

    def _content(self, key: int) -> int | None:
        if key in self._given:
            return self._given[key]
        ids = self._existing[:, 0]
        place = int(np.searchsorted(ids, np.uint64(key)))
        found = place < len(ids) and int(ids[place]) == key
        return int(self._existing[place, 1]) if found else None


def _holds(sorted_ids: NDArray[np.uint64], key: int) -> bool:
    place = int(np.searchsorted(sorted_ids, np.uint64(key)))
    return place < len(sorted_ids) and int(sorted_ids[place]) == key


def publish(
    staged: Staged, settlement: Settlement, into: Path
) -> tuple[list[dict[str, Any]], dict[str, Any], dict[str, int]]:
    """Puts the shards and the ledger of one input in their places.

    A place is named by content, so nothing of an earlier import is ever overwritten, and staged files stay
    until the manifest is written: a crash in between costs nothing.

    Returns:
        The manifest's entries of the shards, the entry of the ledger, and the outcomes.
    """
    shards = [
        entry
        for chunk in staged.chunks
        if (entry := _publish_shard(chunk, settlement.changes.get(chunk, {}), into))
    ]
    outcomes: Counter[str] = Counter()
    sink = into / "ledger" / ".new.parquet"
    sink.parent.mkdir(parents=True, exist_ok=True)
    with (
        files.written_whole(sink) as temporary,
        pq.ParquetWriter(temporary, LEDGER_SCHEMA, compression="zstd") as writer,
    ):
        for table in _settled_ledgers(staged, settlement):
            outcomes.update(table["outcome"].to_pylist())
            writer.write_table(table)
    digest = files.sha256_file(sink)
    place = into / "ledger" / f"{digest[:20]}.parquet"
    sink.replace(place)
    ledger = {
        "path": place.relative_to(into).as_posix(),
        "sha256": digest,
        "rows": outcomes.total(),
    }
    return shards, ledger, dict(sorted(outcomes.items()))


def _publish_shard(
    chunk: Path, changes: dict[int, str | None], into: Path
) -> dict[str, Any] | None:
    shard = staged_paths(chunk)[0]
    if not shard.is_file():
        return None
    if changes:
        changed = shard.with_name(f"settled-{shard.name}")
        table = _settled_table(pq.read_table(shard), changes)
        if not table.num_rows:
            return None
        write_shard(table, changed)
        shard = changed
    return place_shard(shard, into)


def place_shard(shard: Path, into: Path) -> dict[str, Any]:
    """Puts a finished shard among a collection's records and returns its entry in the manifest."""
    digest, rows = files.sha256_file(shard), pq.read_metadata(shard).num_rows
    place = into / "records" / f"{digest[:20]}.parquet"
    place.parent.mkdir(parents=True, exist_ok=True)
    if not place.is_file():
        try:
            os.link(shard, place)
        except OSError:
            with files.written_whole(place) as temporary:
                shutil.copyfile(shard, temporary)
    return {"path": place.relative_to(into).as_posix(), "rows": rows, "sha256": digest}


def _settled_table(table: pa.Table, changes: dict[int, str | None]) -> pa.Table:
    ids: list[str | None] = table["record_id"].to_pylist()
    for row, wanted in changes.items():
        ids[row] = wanted
    table = table.set_column(0, table.schema.field(0), pa.array(ids, pa.string()))
    return table.filter(pa.array([name is not None for name in ids]))


def _settled_ledgers(staged: Staged, settlement: Settlement) -> Iterator[pa.Table]:
    """Yields the ledgers of the chunks, with the longer ids and the repeated records in them."""
    for chunk in staged.chunks:
        table = pq.read_table(staged_paths(chunk)[1])
        changes = settlement.changes.get(chunk)
        if not changes:
            yield table
            continue
        entries = table.to_pylist()
        recorded = [entry for entry in entries if entry["record_id"] is not None]
        for row, wanted in changes.items():
            entry = recorded[row]
            entry["record_id"] = wanted
            if wanted is None:
                entry["outcome"] = Outcome.REPEATED.value
                entry["reason"] = "repeated"
                entry["detail"] = f"'{entry['item']}' was read before; the first one is kept"
        yield pa.Table.from_pylist(entries, schema=LEDGER_SCHEMA)
