"""What an import did: counts that add up, and a line for each of the first items that went wrong."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pads
import pyarrow.parquet as pq

from holotype.collection.quality import Findings
from holotype.collection.schema import Outcome
from holotype.collection.store import Collection
from holotype.progress import note
from holotype.taxonomy.label_table import LabelTable


@dataclass(frozen=True)
class ImportReport:
    """What an import did.

    Attributes:
        collection: its folder.
        records: how many records the collection holds now.
        outcomes: items read in this run, by what became of them; their sum is ``items``.
        items: how many items the inputs held.
        labels: how many different written labels the imported sources have.
        labels_matched: how many of them the label table knows; None without a table.
        findings: duplicates and conflicts in the whole collection.
    """

    collection: str
    records: int
    items: int
    outcomes: Mapping[str, int]
    labels: int
    labels_matched: int | None
    findings: Findings = field(default_factory=Findings)

    @property
    def failed(self) -> int:
        """How many items could not be read."""
        return self.outcomes.get(Outcome.REJECTED, 0)


def report_of(
    collection: Collection, fresh: Sequence[Mapping[str, Any]], table: LabelTable | None
) -> ImportReport:
    """Returns what an import did, and tells on stderr of the first items that have something to say.

    Raises:
        AssertionError: when a ledger does not add up.
    """
    outcomes: Counter[str] = Counter()
    for one in fresh:
        outcomes.update(one["outcomes"])
    items = sum(one["items"] for one in fresh)
    if outcomes.total() != items:
        raise AssertionError("the ledger does not add up")
    for one in fresh:
        _tell(collection.path / one["ledger"]["path"])
    met = _labels_met(collection, {one["source"] for one in fresh})
    return ImportReport(
        collection=str(collection.path),
        records=len(collection),
        items=items,
        outcomes=dict(sorted(outcomes.items())),
        labels=len(met),
        labels_matched=sum(table.find(*pair) is not None for pair in met) if table else None,
        findings=Findings(**collection.manifest["findings"]),
    )


def _labels_met(collection: Collection, sources: set[str]) -> set[tuple[str, str]]:
    """Returns the different (source, written label) of some sources."""
    shards = [path for source in sorted(sources) for path in collection.shard_paths(source)]
    if not shards:
        return set()
    pairs = pads.dataset(shards).to_table(columns=["source", "written_label"])
    kinds = pairs.group_by(["source", "written_label"]).aggregate([]).to_pylist()
    return {(k["source"], k["written_label"]) for k in kinds if k["written_label"] is not None}


def _tell(ledger: Path, *, lines: int = 8) -> None:
    """Prints one line on stderr for each of the first items that have something to say."""
    table: pa.Table = pq.read_table(ledger)
    for outcome in (Outcome.REJECTED, Outcome.REPEATED, Outcome.IMPORTED_WITH_NOTE):
        told = table.filter(pc.equal(table["outcome"], outcome.value))
        for entry in told.slice(0, lines).to_pylist():
            row = f", row {entry['row']}" if entry["row"] is not None else ""
            note(f"{outcome.value}: {entry['input']}: {entry['item']}{row}: {entry['detail']}")
        if told.num_rows > lines:
            note(f"{outcome.value}: {told.num_rows - lines:,} more, all in the ledger")
