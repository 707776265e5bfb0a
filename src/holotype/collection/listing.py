"""An input -> a listing: its items as tables, a chunk to a file, before anything is examined.

Listing is quick and decodes nothing. A chunk is named by number and content, and so are the shards made from
it: what an interrupted import has examined is found again, and what has changed since is examined anew.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from holotype import files
from holotype.collection.sources import find_source
from holotype.collection.sources.item import Item, SourceOptions
from holotype.media.location_text import parsed_location, written_location
from holotype.media.locations import (
    CellAt,
    CropAt,
    FileAt,
    GreyAt,
    HdfRowAt,
    Location,
    SliceAt,
    ZipSliceAt,
    container_state,
)
from holotype.progress import tracked

CHUNK_ITEMS = 8_192
CHUNK_BYTES = 64 << 20
_UNKNOWN_BYTES = 16 << 10
_encoded = json.JSONEncoder(ensure_ascii=False).encode

ITEMS_SCHEMA = pa.schema(
    [
        ("name", pa.string()),
        ("row", pa.int64()),
        ("fields", pa.string()),
        ("image", pa.string()),
        ("image_state", pa.int64()),
        ("content", pa.binary()),
        ("image_name", pa.string()),
        ("notes", pa.string()),
        ("skip_reason", pa.string()),
        ("error", pa.string()),
    ]
)


@dataclass(frozen=True)
class Job:
    """One input to read: its kind, path, the name of its source, and what the user said."""

    kind: str
    path: Path
    source: str
    options: SourceOptions


def list_input(job: Job, folder: Path) -> list[Path]:
    """Writes the chunks of an input into a folder and returns their paths, in order."""
    folder.mkdir(parents=True, exist_ok=True)
    items = find_source(job.kind).read(job.path, job.options)
    chunks: list[Path] = []
    for columns in _chunks(tracked(items, title=f"list {job.path.name}")):
        table = pa.table(columns, schema=ITEMS_SCHEMA)
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, compression="zstd")
        content = sink.getvalue().to_pybytes()
        name = f"{len(chunks):06d}-{files.sha256_bytes(content)[:16]}"
        path = folder / f"items-{name}.parquet"
        if not path.is_file():
            with files.written_whole(path) as temporary:
                temporary.write_bytes(content)
        chunks.append(path)
    return chunks


def listed_items(path: Path) -> Iterator[Item]:
    """Yields the items of a chunk."""
    columns = [column.to_pylist() for column in pq.read_table(path).columns]
    for name, row, fields, image, _, content, image_name, notes, skip, error in zip(
        *columns, strict=True
    ):
        yield Item(
            name=name,
            row=row,
            fields=json.loads(fields) if fields else {},
            image=parsed_location(image) if image else None,
            content=content,
            image_name=image_name,
            notes=tuple((code, said) for code, said in json.loads(notes)) if notes else (),
            skip_reason=skip,
            error=error,
        )


def _chunks(items: Iterable[Item]) -> Iterator[dict[str, list[Any]]]:
    """Yields the columns of the item tables; a chunk ends by number of items or by bytes of images."""
    columns: dict[str, list[Any]] = {name: [] for name in ITEMS_SCHEMA.names}
    appends = [column.append for column in columns.values()]
    weight = 0
    for item in items:
        size, state = _size_and_state(item)
        values = (
            item.name,
            item.row,
            _written_fields(item.fields) if item.fields else None,
            written_location(item.image) if item.image is not None else None,
            state,
            item.content,
            item.image_name,
            _encoded(item.notes) if item.notes else None,
            item.skip_reason,
            item.error,
        )
        for append, value in zip(appends, values, strict=True):
            append(value)
        weight += size
        if len(columns["name"]) >= CHUNK_ITEMS or weight >= CHUNK_BYTES:
            yield columns
            columns = {name: [] for name in ITEMS_SCHEMA.names}
            appends = [column.append for column in columns.values()]
            weight = 0
    if columns["name"]:
        yield columns


def _written_fields(fields: Mapping[str, str]) -> str:
    """Returns fields as JSON; texts one by one, which is quicker than all of them."""
    pairs = (f"{_encoded(name)}: {_encoded(text)}" for name, text in fields.items())
    return f"{{{', '.join(pairs)}}}"


def _size_and_state(item: Item) -> tuple[int, int | None]:
    """Returns about how many bytes the image has, and the state of the file that holds it."""
    if item.content is not None:
        return len(item.content), None
    if item.image is None:
        return 0, None
    if isinstance(item.image, FileAt):
        try:
            known = os.stat(item.image.path)  # noqa: PTH116 - millions of files: no Path for each
        except OSError:
            return 0, None
        return known.st_size, known.st_mtime_ns
    return _size(item.image), container_state(item.image)


def _size(at: Location) -> int:
    if isinstance(at, SliceAt):
        return at.length
    if isinstance(at, ZipSliceAt):
        return at.size
    if isinstance(at, GreyAt | CropAt):
        return at.width * at.height
    if isinstance(at, CellAt):
        return _cell_bytes(at.path, at.column, at.row_group)
    if isinstance(at, HdfRowAt):
        return _hdf_row_bytes(at.path, at.dataset)
    return _UNKNOWN_BYTES


@lru_cache(maxsize=16)
def _cell_bytes(path: str, column: str, row_group: int) -> int:
    """Returns the mean size of the cells of a column of Parquet, over a row group."""
    group = pq.read_metadata(path).row_group(row_group)
    chunks = (group.column(index) for index in range(group.num_columns))
    held = (c.total_uncompressed_size for c in chunks if c.path_in_schema.split(".")[0] == column)
    return int(sum(held) / max(1, group.num_rows))


@lru_cache(maxsize=16)
def _hdf_row_bytes(path: str, dataset: str) -> int:
    import h5py

    with h5py.File(path, "r") as file:
        shape, size = file[dataset].shape, file[dataset].dtype.itemsize
    return int(size * (shape[1] if len(shape) > 1 else 1))
