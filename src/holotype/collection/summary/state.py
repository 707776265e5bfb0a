"""What is known and what is doubtful: the ledger, columns filled, names, licences, findings, provenance."""

import json
from collections import Counter
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from holotype.collection.licensing import what_may_be_done
from holotype.collection.schema import Outcome
from holotype.collection.store import Collection
from holotype.collection.summary.keys import KNOWN_COLUMNS
from holotype.collection.summary.tally import RECORDS, by, by_one

FINDINGS_FILE = "findings.parquet"
NO_REASON = "nothing to remark"
NOT_STATED = "not stated"
_KEPT = (Outcome.IMPORTED, Outcome.IMPORTED_WITH_NOTE)


def ledger(collection: Collection) -> dict[str, Any]:
    """Returns the items read by source, outcome and reason, and whether they add up.

    They do when the rows of each ledger are the items of its import, and the records are the items imported.
    """
    counted: Counter[tuple[str, str, str]] = Counter()
    wrong = []
    for one in collection.manifest["imports"]:
        rows = 0
        with pq.ParquetFile(collection.path / one["ledger"]["path"]) as shard:
            for batch in shard.iter_batches(1 << 18, columns=["outcome", "reason"]):
                rows += batch.num_rows
                kinds = pa.Table.from_batches([batch]).group_by(["outcome", "reason"])
                for entry in kinds.aggregate([([], "count_all")]).to_pylist():
                    key = (one["source"], entry["outcome"], entry["reason"] or NO_REASON)
                    counted[key] += entry["count_all"]
        if rows != one["items"]:
            wrong.append(f"{one['source']}: {rows:,} ledger rows, {one['items']:,} items read")
    kept = sum(count for (_, outcome, _), count in counted.items() if outcome in _KEPT)
    if kept != len(collection):
        wrong.append(f"{kept:,} items imported, {len(collection):,} records held")
    order = list(Outcome)
    rows_found = sorted(
        counted.items(), key=lambda p: (p[0][0], order.index(Outcome(p[0][1])), -p[1], p[0][2])
    )
    return {
        "items": counted.total(),
        "records": len(collection),
        "adds_up": not wrong,
        "wrong": wrong,
        "rows": [
            {"source": source, "outcome": outcome, "reason": reason, "items": count}
            for (source, outcome, reason), count in rows_found
        ],
    }


def known(table: pa.Table) -> dict[str, Any]:
    """Returns for each source how many of its records have a value in each column that any record fills."""
    rows = table.to_pylist()
    filled = [name for name in KNOWN_COLUMNS if any(row[name] for row in rows)]
    return {
        "columns": filled,
        "sources": [
            {
                "source": row["source"],
                "records": row[RECORDS],
                "filled": {name: row[name] for name in filled},
            }
            for row in rows
        ],
        "empty": [name for name in KNOWN_COLUMNS if name not in filled],
    }


def names(table: pa.Table) -> dict[str, Any]:
    """Returns how the names were matched, to what, and who stands for the labels."""
    return {
        column: {str(value or NOT_STATED): count for value, count in by_one(table, column).items()}
        for column in ("name_status", "name_match", "backbone", "label_status")
    }


def licences(table: pa.Table) -> dict[str, Any]:
    """Returns the records by licence and source, and what may be done with all of them together."""
    counts = {str(name or NOT_STATED): n for name, n in by_one(table, "licence").items()}
    return {
        "records": counts,
        "by_source": [
            {"source": source, "licence": str(licence or NOT_STATED), "records": count}
            for (source, licence), count in sorted(
                by(table, "source", "licence").items(), key=lambda p: (str(p[0][0]), -p[1])
            )
        ],
        "stated_by": {
            str(name or NOT_STATED): n for name, n in by_one(table, "licence_from").items()
        },
        "may": what_may_be_done(counts),
    }


def problems(collection: Collection, flags: pa.Table) -> dict[str, Any]:
    """Returns the findings of the last check, where it was of these records, else those of the import."""
    counted: Counter[str] = Counter()
    for written, count in by_one(flags, "image_flags").items():
        for flag in (written or "").split(";"):
            if flag.strip():
                counted[flag.strip()] += count
    place = collection.path / FINDINGS_FILE
    checks: list[dict[str, Any]] = []
    checked = "never"
    if place.is_file():
        found = pq.read_table(place, columns=["check", "severity", "source"])
        said = json.loads((found.schema.metadata or {}).get(b"holotype", b"{}"))
        checked = "now" if said.get("collection") == collection.fingerprint else "before"
        kinds: Counter[tuple[str, str, str]] = Counter(
            zip(*(found[n].to_pylist() for n in ("check", "severity", "source")), strict=True)
        )
        checks = [
            {"check": check, "severity": severity, "source": source, "findings": count}
            for (check, severity, source), count in kinds.items()
        ]
    return {
        "checked": checked,
        "checks": checks,
        "image_flags": dict(sorted(counted.items(), key=lambda p: (-p[1], p[0]))),
        "at_import": {
            name: value if isinstance(value, int) else len(value)
            for name, value in collection.manifest["findings"].items()
        },
    }


def environment(table: pa.Table, records: int) -> list[dict[str, Any]]:
    """Returns for each variable joined from a grid its unit, range, and how far the furthest cell was."""
    return [{**row, "of": records} for row in table.to_pylist() if row["variable"] is not None]


def built(collection: Collection) -> dict[str, Any]:
    """Returns how the collection was made: its imports and the steps after them."""
    kept = ("source", "kind", "input", "preset", "annotations", "labels", "sha256", "items")
    return {
        "imports": [
            {
                **{name: one.get(name) for name in kept},
                "constants": dict(one.get("constants") or {}),
                "records": sum(shard["rows"] for shard in one["shards"]),
            }
            for one in collection.manifest["imports"]
        ],
        "steps": list(collection.manifest.get("steps") or []),
        "holotype": collection.manifest.get("holotype"),
    }
