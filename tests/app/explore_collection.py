"""Small collections for the tests of the Explore page, made from rows that are written by hand."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from holotype import files
from holotype.collection.examination import records_table, write_shard
from holotype.collection.schema import FORMAT, LEDGER_SCHEMA, VERSION
from holotype.collection.store import Collection, open_collection


def collection_of(
    folder: Path, rows: Sequence[Mapping[str, Any]] | pa.Table, *, shards: int = 1
) -> Collection:
    """Returns a collection of the rows (or table) in a folder, in so many shards."""
    table = rows if isinstance(rows, pa.Table) else records_table(rows)
    (folder / "records").mkdir(parents=True)
    (folder / "ledger").mkdir()
    size = max(1, -(-table.num_rows // shards))
    named = []
    for number in range(shards):
        part = table.slice(number * size, size)
        path = folder / "records" / f"{number:05}.parquet"
        write_shard(part, path)
        named.append(
            {
                "path": f"records/{path.name}",
                "rows": part.num_rows,
                "sha256": files.sha256_bytes(path.read_bytes()),
            }
        )
    pq.write_table(LEDGER_SCHEMA.empty_table(), folder / "ledger" / "0.parquet")
    one = {
        "kind": "image-folder", "source": "made", "items": table.num_rows, "outcomes": {},
        "shards": named, "ledger": {"path": "ledger/0.parquet", "rows": 0},
    }  # fmt: skip
    manifest = {"format": FORMAT, "version": VERSION, "name": "made", "imports": [one], "steps": []}
    files.write_json(folder / "collection.json", {**manifest, "outcomes": {}, "findings": {}})
    return open_collection(folder)
