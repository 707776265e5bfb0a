"""A chunk of a listing -> a shard of records and its part of the ledger: the work that runs in parallel.

What is written depends on the chunk and the import's settings alone. A chunk whose files are there already
is not examined again.
"""

import gc
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from holotype import files
from holotype.collection.listing import listed_items
from holotype.collection.record import examine
from holotype.collection.schema import IMAGE_TYPE, LEDGER_SCHEMA, RECORDS_SCHEMA
from holotype.collection.sources.item import Item
from holotype.taxonomy.label_table import LabelTable, read_label_table

IMAGE_ROW_GROUP, LIGHT_ROW_GROUP = 256, 8_192
"""Rows in a row group: few where each has an image, so that random access stays cheap."""
_HEAVY = {"image.bytes", "image.path", "record_id", "source_item", "image_sha256", "barcode"}


@dataclass(frozen=True)
class Examination:
    """What to do with the chunks of one input.

    Attributes:
        input: name of the file or folder, for the ledger.
        source: name of the data set.
        labels: path of the label table and its SHA-256, or None.
        constants: column -> text for records whose source does not give it.
        known: likewise, from the catalogue of sources.
    """

    input: str
    source: str
    labels: tuple[str, str] | None
    constants: Mapping[str, str]
    known: Mapping[str, str]

    def task(self, chunk: Path) -> str:
        """Returns the task of one chunk."""
        return json.dumps({"chunk": str(chunk), **vars(self)}, sort_keys=True)

    @property
    def fingerprint(self) -> str:
        """Names the settings: another label table gives other shards."""
        table = self.labels[1] if self.labels else None
        described = json.dumps(
            [self.input, self.source, table, dict(self.constants), dict(self.known)], sort_keys=True
        )
        return files.sha256_bytes(described.encode())[:12]


def staged_paths(chunk: Path) -> tuple[Path, Path, Path]:
    """Returns the places of a chunk's shard, ledger and keys."""
    stem = chunk.stem.removeprefix("items-")
    shard, ledger = (
        chunk.with_name(f"shard-{stem}.parquet"),
        chunk.with_name(f"ledger-{stem}.parquet"),
    )
    return shard, ledger, chunk.with_name(f"keys-{stem}.npy")


def examine_chunk(task: str) -> str:
    """Examines the items of one chunk and writes its shard, keys and, last, its ledger; returns its path."""
    settings = json.loads(task)
    chunk = Path(settings["chunk"])
    shard, ledger, keys = staged_paths(chunk)
    if ledger.is_file():
        return str(chunk)
    table = _label_table(*settings["labels"]) if settings["labels"] else None
    rows: list[dict[str, Any]] = []
    entries: list[tuple[Any, ...]] = []
    for item in _without_collecting(listed_items(chunk)):
        verdict = examine(
            item,
            source=settings["source"],
            labels=table,
            constants=settings["constants"],
            known=settings["known"],
        )
        record_id = None
        if verdict.record is not None:
            rows.append(verdict.record)
            record_id = verdict.record["record_id"]
        reasons = "; ".join(code for code, _ in verdict.notes) or None
        details = "; ".join(sentence for _, sentence in verdict.notes) or None
        outcome = verdict.outcome.value
        entries.append(
            (settings["input"], item.name, item.row, record_id, outcome, reasons, details)
        )
    if rows:
        write_shard(records_table(rows), shard)
    with files.written_whole(keys) as temporary, temporary.open("wb") as handle:
        np.save(handle, record_keys(rows))
    columns = list(zip(*entries, strict=True)) if entries else [()] * len(LEDGER_SCHEMA)
    written = pa.table([list(column) for column in columns], schema=LEDGER_SCHEMA)
    with files.written_whole(ledger) as temporary:
        pq.write_table(written, temporary, compression="zstd")
    return str(chunk)


def _without_collecting(items: Iterator[Item]) -> Iterator[Item]:
    """Yields the items with the garbage collector at rest: it would look at every record again and again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield from items
    finally:
        if was_on:
            gc.enable()


@lru_cache(maxsize=4)
def _label_table(path: str, sha256: str) -> LabelTable:
    if files.sha256_file(Path(path)) != sha256:
        raise OSError(f"{path}: changed while the import ran. Run the import again.")
    return read_label_table(Path(path))


def records_table(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Returns records as a table of ``RECORDS_SCHEMA``; what a record does not name is null.

    The image of a record is a pair of bytes and file name.
    """
    named: dict[str, None] = {}
    for row in rows:
        named.update(dict.fromkeys(row))
    arrays = []
    for field in RECORDS_SCHEMA:
        if field.name not in named:
            arrays.append(pa.nulls(len(rows), field.type))
        elif field.name == "image":
            arrays.append(_image_array([row.get("image") for row in rows]))
        else:
            arrays.append(pa.array([row.get(field.name) for row in rows], field.type))
    return pa.Table.from_arrays(arrays, schema=RECORDS_SCHEMA)


def _image_array(images: Sequence[tuple[bytes, str | None] | None]) -> pa.StructArray:
    content = pa.array([image[0] if image else None for image in images], pa.binary())
    paths = pa.array([image[1] if image else None for image in images], pa.string())
    missing = pa.array([image is None for image in images])
    return pa.StructArray.from_arrays([content, paths], fields=list(IMAGE_TYPE), mask=missing)


def write_shard(table: pa.Table, path: Path) -> None:
    """Writes records as one Parquet file, whole or not at all; equal records give equal bytes."""
    with_images = table["image"].null_count < table.num_rows
    leaves = _leaves()
    with files.written_whole(path) as temporary:
        pq.write_table(
            table,
            temporary,
            row_group_size=IMAGE_ROW_GROUP if with_images else LIGHT_ROW_GROUP,
            compression={leaf: "NONE" if leaf == "image.bytes" else "ZSTD" for leaf in leaves},
            use_dictionary=[leaf for leaf in leaves if leaf not in _HEAVY],
            write_statistics=[leaf for leaf in leaves if leaf != "image.bytes"],
        )


@cache
def _leaves() -> list[str]:
    """Returns the paths of the leaf columns of a shard as Parquet names them."""
    sink = pa.BufferOutputStream()
    pq.ParquetWriter(sink, RECORDS_SCHEMA).close()
    found = pq.ParquetFile(pa.BufferReader(sink.getvalue())).schema
    return [found.column(index).path for index in range(len(found))]


def record_keys(rows: Iterable[Mapping[str, Any]]) -> np.ndarray[Any, np.dtype[np.uint64]]:
    """Returns for each record a hash of its id and one of what it holds, uint64 (N, 2)."""
    pairs = [(hash64(row["record_id"]), int(row["content_hash"], 16)) for row in rows]
    return np.asarray(pairs, dtype=np.uint64).reshape(-1, 2)


def hash64(text: str) -> int:
    """Returns the first 64 bits of a text's BLAKE2b hash."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
