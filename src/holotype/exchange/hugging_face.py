"""A Hugging Face data set folder: Parquet shards by part, whose schema says which column is the image."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from holotype import files
from holotype.collection.examination import write_shard
from holotype.collection.schema import RECORDS_SCHEMA
from holotype.collection.store import Collection
from holotype.progress import tracked


def write_parquet(
    collection: Collection, part_N: NDArray[np.str_], folder: Path
) -> list[Mapping[str, Any]]:
    """Writes ``data/PART-NNNNN-of-NNNNN.parquet`` for each part, a shard of the collection at a time.

    Returns:
        Of each file: ``path``, ``part``, ``rows``, ``bytes``, ``sha256``, in order.
    """
    planned: dict[str, list[tuple[Path, NDArray[np.bool_]]]] = {}
    start = 0
    for shard in collection.shard_paths():
        rows = pq.read_metadata(shard).num_rows
        here = part_N[start : start + rows]
        start += rows
        for part in sorted(set(here.tolist()) - {""}):
            planned.setdefault(part, []).append((shard, here == part))
    entries: list[Mapping[str, Any]] = []
    for part, pieces in planned.items():
        for number, (shard, mask) in enumerate(tracked(pieces, title=f"export {part}")):
            name = f"data/{part}-{number:05d}-of-{len(pieces):05d}.parquet"
            table = pq.read_table(shard, schema=RECORDS_SCHEMA).filter(pa.array(mask))
            write_shard(table, folder / name)
            entries.append(_entry(folder, name, part, table.num_rows))
    return entries


def _entry(folder: Path, name: str, part: str, rows: int) -> dict[str, Any]:
    path = folder / name
    size, digest = path.stat().st_size, files.sha256_file(path)
    return {"path": name, "part": part, "rows": rows, "bytes": size, "sha256": digest}
