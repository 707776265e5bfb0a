"""One input -> finished shards with their ledgers, kept until the collection is whole.

An interrupted import finds them again and goes on behind them, after making sure that the input still begins
with the same items.
"""

import itertools
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.parquet as pq

from holotype import files
from holotype.collection.record import examine
from holotype.collection.schema import LEDGER_SCHEMA, RECORDS_SCHEMA, Outcome
from holotype.collection.sources import SOURCES
from holotype.collection.sources.item import Item, SourceOptions
from holotype.progress import note, tracked
from holotype.taxonomy.label_table import LabelTable

SHARD_ITEMS = 4_096
SHARD_BYTES = 256 << 20
ROW_GROUP = 256


@dataclass(frozen=True)
class Job:
    """One input to read: its kind, path, the name of its source, and what the user said."""

    kind: str
    path: Path
    source: str
    options: SourceOptions

    def key(self, table: LabelTable | None, number: int) -> str:
        """A hash of what is read, how, and as which import: the name of the place of its shards."""
        described = {
            "number": number,
            "kind": self.kind,
            "path": [str(self.path.resolve()), _state(self.path)],
            "source": self.source,
            "options": [self.options.preset, sorted(self.options.columns.items())],
            "images": [str(self.options.images), _state(self.options.images)],
            "labels": files.sha256_file(table.path) if table else None,
        }
        return files.sha256_bytes(json.dumps(described, sort_keys=True).encode())[:12]


def _state(path: Path | None) -> list[int] | None:
    """Returns size and time of a file, by which a changed one is known; None for a folder."""
    if path is None or not path.is_file():
        return None
    stat = path.stat()
    return [stat.st_size, stat.st_mtime_ns]


class Seen:
    """The records so far, by id, with a hash of what each holds."""

    COLUMNS: ClassVar = ("record_id", "image_sha256", "haplotype", "written_label", "species")

    def __init__(self) -> None:
        self._content: dict[str, int] = {}

    def add_table(self, table: pa.Table) -> None:
        """Adds the records of a table with ``COLUMNS``."""
        for row in table.select(list(self.COLUMNS)).to_pylist():
            self.add(row)

    def add(self, record: dict[str, Any]) -> None:
        """Adds one record."""
        self._content[record["record_id"]] = self._hash(record)

    def place(self, record: dict[str, Any], *, input_name: str) -> bool:
        """Returns whether the record is new; gives it a longer id where another one has its id.

        An id that comes again with the same content is the same record. With other content it is
        another record (the folders of two archives often bear the same names): the name of the input
        goes into its id, and where that is taken too, the hash of its content.
        """
        content = self._hash(record)
        longer = f"{record['source']}/{input_name}/{record['source_item']}"
        for record_id in (record["record_id"], longer, f"{longer} ({content:016x})"):
            known = self._content.get(record_id)
            if known is None:
                record["record_id"] = record_id
                self._content[record_id] = content
                return True
            if known == content:
                return False
        return False

    def _hash(self, record: dict[str, Any]) -> int:
        content = "\0".join(str(record[name]) for name in self.COLUMNS[1:])
        return int(files.sha256_bytes(content.encode())[:16], 16)


def stage(job: Job, table: LabelTable | None, folder: Path, seen: Seen) -> None:
    """Reads one input into shards with their ledgers; what is there already is not read again."""
    folder.mkdir(parents=True, exist_ok=True)
    done = sorted(folder.glob("ledger-*.parquet"))
    before = [item for path in done for item in pq.read_table(path)["item"].to_pylist()]
    items = SOURCES[job.kind](job.path, job.options)
    if before and [item.name for item in itertools.islice(items, len(before))] != before:
        note(f"{job.path}: changed since the interrupted import; read again from the start")
        files.remove_folder(folder)
        return stage(job, table, folder, seen)
    if before:
        note(f"{job.path}: going on after {len(before):,} items read before")
    for path in done:
        records = path.with_name(path.name.replace("ledger", "shard"))
        if records.is_file():
            seen.add_table(pq.read_table(records, columns=list(Seen.COLUMNS)))
    shard = len(done)
    for rows, entries in _chunks(tracked(items, title=f"import {job.path.name}"), job, table, seen):
        if rows:
            with files.written_whole(folder / f"shard-{shard:05d}.parquet") as temporary:
                written = pa.Table.from_pylist(rows, schema=RECORDS_SCHEMA)
                pq.write_table(written, temporary, row_group_size=ROW_GROUP)
        with files.written_whole(folder / f"ledger-{shard:05d}.parquet") as temporary:
            pq.write_table(pa.Table.from_pylist(entries, schema=LEDGER_SCHEMA), temporary)
        shard += 1
    return None


def _chunks(
    items: Iterable[Item], job: Job, table: LabelTable | None, seen: Seen
) -> Iterator[tuple[list[dict[str, Any]], list[dict[str, Any]]]]:
    """Yields rows and ledger entries, a shard at a time; each item gives exactly one entry."""
    rows: list[dict[str, Any]] = []
    entries: list[dict[str, Any]] = []
    weight = 0
    for item in items:
        verdict = examine(item, source=job.source, labels=table)
        record, outcome, notes = verdict.record, verdict.outcome, verdict.notes
        if record is not None and not seen.place(record, input_name=job.path.name):
            record, outcome = None, Outcome.REPEATED
            notes = [("repeated", f"id '{item.name}' was read before; the first one is kept")]
        if record is not None:
            rows.append(record)
            weight += len((record["image"] or {}).get("bytes") or b"")
        entries.append(
            {
                "input": str(job.path),
                "item": item.name,
                "row": item.row,
                "record_id": record["record_id"] if record else None,
                "outcome": outcome.value,
                "reason": "; ".join(code for code, _ in notes) or None,
                "detail": "; ".join(sentence for _, sentence in notes) or None,
            }
        )
        if len(entries) >= SHARD_ITEMS or weight >= SHARD_BYTES:
            yield rows, entries
            rows, entries, weight = [], [], 0
    if entries:
        yield rows, entries
