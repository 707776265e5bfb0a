"""A change of a whole collection's records, shard by shard: names applied, repairs, what licences forbid.

The new shards are written beside the old ones; the manifest, written last, is what makes them count.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from holotype import files
from holotype.collection.assembly import place_shard
from holotype.collection.examination import write_shard
from holotype.collection.manifest import write_manifest
from holotype.collection.schema import LEDGER_SCHEMA, RECORDS_SCHEMA, Outcome
from holotype.collection.store import open_collection
from holotype.errors import CollectionError
from holotype.progress import tracked


def rewrite_records(
    path: Path,
    change: Callable[[pa.Table], pa.Table],
    *,
    step: Mapping[str, Any],
    ledger: pa.Table | None = None,
) -> None:
    """Rewrites a collection's records, a shard in memory at a time.

    Args:
        path: folder of the collection.
        change: from the records of a shard to what they become: tables of ``RECORDS_SCHEMA``. It may leave
            records out, never add any, and keeps their order.
        step: what is done, for the manifest: a name and whatever explains it.
        ledger: rows of ``LEDGER_SCHEMA``: outcome, reason and detail of the records that are left out (the
            outcome is ``set_aside``) or otherwise worth an entry, by ``record_id``.

    Raises:
        CollectionError: when a record would be left out without an entry in ``ledger``.
    """
    with files.only_one(path):
        collection = open_collection(path)
        entries = {} if ledger is None else {row["record_id"]: row for row in ledger.to_pylist()}
        imports = []
        for one in tracked(collection.manifest["imports"], title=str(step.get("step", "rewrite"))):
            left_out: set[str] = set()
            shards = []
            for shard in one["shards"]:
                before = pq.read_table(path / shard["path"], schema=RECORDS_SCHEMA)
                after = change(before)
                left_out |= _left_out(before, after)
                if after.equals(before):
                    shards.append(shard)
                elif after.num_rows:
                    fresh = path / f".rewritten-{Path(shard['path']).name}"
                    write_shard(after.cast(RECORDS_SCHEMA), fresh)
                    shards.append(place_shard(fresh, path))
                    fresh.unlink()
            if unexplained := sorted(left_out - set(entries)):
                raise CollectionError(f"{path}: {unexplained[0]} would be lost without a reason.")
            imports.append({**one, "shards": shards, **_new_ledger(path, one, entries, left_out)})
        steps = [*collection.manifest["steps"], dict(step)]
        write_manifest(path, name=collection.name, imports=imports, steps=steps)


def _left_out(before: pa.Table, after: pa.Table) -> set[str]:
    if after.num_rows == before.num_rows:
        return set()
    kept = pc.is_in(before["record_id"], after["record_id"].combine_chunks())
    return set(before["record_id"].filter(pc.invert(kept)).to_pylist())


def _new_ledger(
    path: Path, one: Mapping[str, Any], entries: Mapping[str, Mapping[str, Any]], left_out: set[str]
) -> dict[str, Any]:
    """Returns the entries of the manifest that change with the ledger of one import."""
    if not entries:
        return {}
    table = pq.read_table(path / one["ledger"]["path"])
    known = pc.is_in(table["record_id"], pa.array(list(entries), pa.string()))
    touched = pc.and_(known, pc.is_valid(table["record_id"]))
    rows = table.filter(touched).to_pylist()
    if not rows:
        return {}
    for row in rows:
        entry = entries[row["record_id"]]
        gone = row["record_id"] in left_out
        row["outcome"] = Outcome.SET_ASIDE.value if gone else Outcome.IMPORTED_WITH_NOTE.value
        row["record_id"] = None if gone else row["record_id"]
        for name in ("reason", "detail"):
            row[name] = "; ".join(filter(None, (row[name], entry[name]))) or None
    for index, name in enumerate(LEDGER_SCHEMA.names):
        if name in {"record_id", "outcome", "reason", "detail"}:
            new = pa.array([row[name] for row in rows], pa.string())
            column = pc.replace_with_mask(
                table[name].combine_chunks(), touched.combine_chunks(), new
            )
            table = table.set_column(index, LEDGER_SCHEMA.field(index), column)
    fresh = path / ".rewritten-ledger.parquet"
    with files.written_whole(fresh) as temporary:
        pq.write_table(table, temporary, compression="zstd")
    digest = files.sha256_file(fresh)
    place = f"ledger/{digest[:20]}.parquet"
    fresh.replace(path / place)
    outcomes = dict(sorted(Counter(table["outcome"].to_pylist()).items()))
    ledger = {"path": place, "sha256": digest, "rows": table.num_rows}
    return {"ledger": ledger, "outcomes": outcomes}
