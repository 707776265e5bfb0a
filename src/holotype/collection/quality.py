"""What is doubtful in a collection: identical images or barcodes that bear different names."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
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
    """Returns the findings of a whole collection, read from its shards without the images."""
    if not shards:
        return Findings()
    names = ["record_id", "image_sha256", "haplotype", "written_label", "group", "species"]
    names += ["source", "genus", "family", "order", "class", "phylum", "kingdom", "qualifier"]
    table = pads.dataset(shards).to_table(columns=names)
    images = _groups(table, "image_sha256")
    barcodes = _groups(table, "haplotype")
    ids = {"record_id", "source", "image_sha256", "haplotype"}
    label_columns = [n for n in names if n not in ids]
    conflicting_images = [
        sorted(group["record_id"].to_pylist())
        for group in images
        if len(set(zip(*(group[n].to_pylist() for n in label_columns), strict=True))) > 1
    ]
    species_sets = [sorted(set(filter(None, g["species"].to_pylist()))) for g in barcodes]
    return Findings(
        identical_images=len(images),
        conflicting_images=sorted(conflicting_images),
        shared_barcodes=len(barcodes),
        conflicting_barcodes=sorted(found for found in species_sets if len(found) > 1),
    )


def _groups(table: pa.Table, key: str) -> list[pa.Table]:
    """Returns the sets of two or more records with an equal key, smallest key first."""
    present = table.filter(pc.is_valid(table[key]))
    counts = present.group_by(key).aggregate([([], "count_all")])
    repeated = counts.filter(pc.greater(counts["count_all"], 1))[key]
    several = present.filter(pc.is_in(present[key], repeated.combine_chunks())).sort_by(key)
    edges = [0]
    keys = several[key].to_pylist()
    edges += [i for i in range(1, len(keys)) if keys[i] != keys[i - 1]]
    edges.append(len(keys))
    return [several.slice(a, b - a) for a, b in pairwise(edges) if b > a]
