"""The manifest of a collection: written last, in an order that does not depend on the order of imports."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from holotype import files
from holotype._version import __version__
from holotype.collection.quality import find_quality_issues
from holotype.collection.schema import FORMAT, VERSION
from holotype.collection.store import MANIFEST

INTAKE = ".intake"
OURS = frozenset({"records", "ledger", INTAKE, MANIFEST})


def write_manifest(
    into: Path,
    *,
    name: str,
    imports: Sequence[Mapping[str, Any]],
    steps: Sequence[Mapping[str, Any]],
) -> None:
    """Writes a collection's manifest, then removes the records and ledgers that it does not name.

    Imports are ordered by source; those of one source keep their order. So a collection is the same, row
    for row, whatever its sources were added, refreshed or dropped in.
    """
    ordered = sorted(imports, key=lambda one: str(one["source"]))
    outcomes: Counter[str] = Counter()
    for one in ordered:
        outcomes.update(one["outcomes"])
    shards = [into / shard["path"] for one in ordered for shard in one["shards"]]
    manifest = {
        "format": FORMAT,
        "version": VERSION,
        "name": name,
        "holotype": __version__,
        "imports": ordered,
        "steps": list(steps),
        "outcomes": dict(sorted(outcomes.items())),
        "findings": asdict(find_quality_issues(shards)),
    }
    files.write_json(into / MANIFEST, manifest)
    named = {part["path"] for one in ordered for part in (*one["shards"], one["ledger"])}
    for folder in ("records", "ledger"):
        for path in (into / folder).glob("*.parquet"):
            if f"{folder}/{path.name}" not in named:
                path.unlink()
