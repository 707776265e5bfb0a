"""A collection -> what can be named of its records, row group by row group; images stay where they lie."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from holotype.collection.store import open_collection
from holotype.identify.columns import CONTEXT_NAMES
from holotype.identify.reading_images import read_image_at
from holotype.media.locations import CellAt


@dataclass(frozen=True)
class CollectionRow:
    """One record.

    Attributes:
        record_id: its id.
        named: what reads its image (or None), its barcode, and why nothing can be named.
        context: columns of ``CONTEXT_NAMES``; what is not known is absent.
        state: its image and barcode by their hashes.
    """

    record_id: str
    named: tuple[Callable[[], bytes] | None, str | None, str | None]
    context: Mapping[str, Any]
    state: str


def collection_rows(path: Path) -> Iterator[CollectionRow]:
    """Yields the records of a collection in their order.

    Raises:
        CollectionError: when it cannot be opened.
    """
    light = [*CONTEXT_NAMES, "image_sha256", "haplotype"]
    for shard in open_collection(path).shard_paths():
        with pq.ParquetFile(shard) as opened:
            for group in range(opened.num_row_groups):
                rows = opened.read_row_group(group, columns=light).to_pylist()
                for inside, row in enumerate(rows):
                    yield _row(row, CellAt(str(shard), "image", group, inside))


def _row(row: Mapping[str, Any], at: CellAt) -> CollectionRow:
    read = None if row["image_sha256"] is None else (lambda: read_image_at(at))
    failure = "neither image nor barcode" if read is None and row["barcode"] is None else None
    context = {name: row[name] for name in CONTEXT_NAMES if row[name] is not None}
    state = f"{row['image_sha256']}|{row['haplotype']}"
    return CollectionRow(row["record_id"], (read, row["barcode"], failure), context, state)
