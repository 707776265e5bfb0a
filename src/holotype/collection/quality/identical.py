"""What is doubtful in a collection: identical images or barcodes that bear different names."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pads


@dataclass(frozen=True)
class Findings:
    """Duplicates and conflicts.

    Attributes:
        identical_images: sets of records with the same encoded image.
        conflicting_images: those sets whose records bear different labels: lists of record ids.
        shared_barcodes: sets of records with the same barcode.
        conflicting_barcodes: those sets that bear more than one species name: lists of species.
    """

    identical_images: int = 0
    conflicting_images: list[list[str]] = field(default_factory=list)
    shared_barcodes: int = 0
    conflicting_barcodes: list[list[str]] = field(default_factory=list)


def find_quality_issues(shards: Sequence[Path]) -> Findings:
    """Returns the findings of a whole collection, read from its shards without the images.

    Counting is left to Arrow; only what contradicts itself is looked at record by record.
    """
    if not shards:
        return Findings()
    names = ["record_id", "image_sha256", "haplotype", "species", *_LABELS]
    table = pads.dataset(shards).to_table(columns=list(dict.fromkeys(names)))
    labels = pc.binary_join_element_wise(
        *(table[name].cast(pa.string()) for name in _LABELS),
        "\x1f",
        null_handling="replace",
        null_replacement="\x00",
    )
    table = table.select(["record_id", "image_sha256", "haplotype", "species"])
    table = table.append_column("label", labels)
    images, of_images = _repeated(table, "image_sha256", "label")
    barcodes, of_barcodes = _repeated(table, "haplotype", "species")
    return Findings(
        identical_images=images,
        conflicting_images=sorted(sorted(group["record_id"]) for group in of_images),
        shared_barcodes=barcodes,
        conflicting_barcodes=sorted(sorted(set(group["species"])) for group in of_barcodes),
    )


_LABELS = (
    "written_label", "group", "species", "genus", "family", "order", "class", "phylum", "kingdom",
    "qualifier",
)  # fmt: skip


def _repeated(table: pa.Table, key: str, name: str) -> tuple[int, list[dict[str, list[str]]]]:
    """Returns how many values of a key come again, and the records of those with several names."""
    present = table.select([key, "record_id", name]).filter(pc.is_valid(table[key]))
    counts = present.group_by(key).aggregate([([], "count_all"), (name, "count_distinct")])
    repeated = pc.sum(pc.greater(counts["count_all"], 1)).as_py() or 0
    at_odds = counts[key].filter(pc.greater(counts[f"{name}_count_distinct"], 1))
    groups: dict[str, dict[str, list[str]]] = {}
    named = pc.and_(pc.is_in(present[key], at_odds.combine_chunks()), pc.is_valid(present[name]))
    for row in present.filter(named).to_pylist():
        group = groups.setdefault(row[key], {"record_id": [], name: []})
        group["record_id"].append(row["record_id"])
        group[name].append(row[name])
    return repeated, list(groups.values())
