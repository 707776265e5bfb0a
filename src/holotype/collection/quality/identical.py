"""What is doubtful in a collection: identical images or barcodes that bear different names."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray


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

    Memory: 8 bytes for each image and barcode, and the records of those that come again.
    """
    images, of_images = _repeated(shards, "image_sha256", _LABELS)
    barcodes, of_barcodes = _repeated(shards, "haplotype", ("species",))
    return Findings(
        identical_images=images,
        conflicting_images=sorted(sorted(group["record_id"]) for group in of_images),
        shared_barcodes=barcodes,
        conflicting_barcodes=sorted(sorted(set(group["name"])) for group in of_barcodes),
    )


_LABELS = (
    "written_label", "group", "species", "genus", "family", "order", "class", "phylum", "kingdom",
    "qualifier",
)  # fmt: skip


def _repeated(
    shards: Sequence[Path], key: str, labels: Sequence[str]
) -> tuple[int, list[dict[str, list[str]]]]:
    """Returns how many values of a key come again, and the records of those with several names."""
    twice = _values_that_come_again(shards, key)
    if not len(twice):
        return 0, []
    tables = []
    for shard in shards:
        table = pq.read_table(shard, columns=["record_id", key, *labels])
        mask = np.isin(_first_64_bits(table[key].fill_null("")), twice)
        tables.append(table.filter(pa.array(mask & table[key].is_valid().to_numpy())))
    found = pa.concat_tables(tables)
    names = found[labels[0]] if len(labels) == 1 else _joined(found, labels)
    found = found.select([key, "record_id"]).append_column("name", names)
    return _at_odds(found, key)


def _joined(table: pa.Table, labels: Sequence[str]) -> pa.ChunkedArray:
    return pc.binary_join_element_wise(
        *(table[name].cast(pa.string()) for name in labels),
        "\x1f",
        null_handling="replace",
        null_replacement="\x00",
    )


def _values_that_come_again(shards: Sequence[Path], key: str) -> NDArray[np.uint64]:
    """Returns the first 64 bits of the values that more than one record has, sorted."""
    parts = [
        _first_64_bits(pq.read_table(shard, columns=[key])[key].drop_null()) for shard in shards
    ]
    values = np.concatenate(parts) if parts else np.empty(0, np.uint64)
    values.sort()
    return np.unique(values[1:][values[1:] == values[:-1]])


def _first_64_bits(digests: pa.ChunkedArray) -> NDArray[np.uint64]:
    """Returns the first 16 hexadecimal digits of each text as a number; 0 for a shorter text."""
    starts = pc.utf8_rpad(pc.utf8_slice_codeunits(digests, 0, 16), 16, "0")
    digits = "".join(starts.to_pylist())
    return np.frombuffer(bytes.fromhex(digits), dtype=">u8").astype(np.uint64)


def _at_odds(found: pa.Table, key: str) -> tuple[int, list[dict[str, list[str]]]]:
    counts = found.group_by(key).aggregate([([], "count_all"), ("name", "count_distinct")])
    repeated = pc.sum(pc.greater(counts["count_all"], 1)).as_py() or 0
    several = counts[key].filter(pc.greater(counts["name_count_distinct"], 1))
    groups: dict[str, dict[str, list[str]]] = {}
    named = pc.and_(pc.is_in(found[key], several.combine_chunks()), pc.is_valid(found["name"]))
    for row in found.filter(named).to_pylist():
        group = groups.setdefault(row[key], {"record_id": [], "name": []})
        group["record_id"].append(row["record_id"])
        group["name"].append(row["name"])
    return repeated, list(groups.values())
