"""Names that contradict each other: a barcode or a BIN with several taxa, a species with several BINs."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow.compute as pc

from holotype.collection.quality.agreement import RANK_COLUMNS
from holotype.collection.quality.copies import repeated
from holotype.collection.quality.finding import Check, Finding, Severity
from holotype.collection.store import Collection


def shared_barcodes(collection: Collection) -> Iterator[Finding]:
    """Yields a finding for each further taxon that bears a barcode, at the widest rank that differs."""
    for rows in repeated(collection, "haplotype"):
        if (rank := _widest_conflict(rows)) is None:
            continue
        counts = Counter(row[rank] for row in rows if row[rank])
        first_of = {name: next(row for row in rows if row[rank] == name) for name in counts}
        usual = counts.most_common(1)[0][0]
        written = ", ".join(f"{name} ({count})" for name, count in sorted(counts.items()))
        for name, row in sorted(first_of.items()):
            if name != usual:
                yield Finding(
                    Check.SHARED_BARCODE,
                    _severity(rank),
                    row["source"],
                    f"One sequence of {len(row['barcode'])} bp, several {_plural(rank)}: {written}.",
                    row["record_id"],
                    first_of[usual]["record_id"],
                    float(len(rows)),
                )


def _widest_conflict(rows: Sequence[dict[str, Any]]) -> str | None:
    for rank in RANK_COLUMNS:
        if len({row[rank] for row in rows if row[rank]}) > 1:
            return rank
    return None


def _severity(rank: str) -> Severity:
    return {"species": Severity.REMARK, "genus": Severity.WARNING}.get(rank, Severity.ERROR)


def _plural(rank: str) -> str:
    return {
        "species": "species", "genus": "genera", "family": "families", "order": "orders",
        "class": "classes", "phylum": "phyla", "kingdom": "kingdoms",
    }[rank]  # fmt: skip


def bin_conflicts(collection: Collection) -> Iterator[Finding]:
    """Yields a finding for each BIN with several species and for each species with several BINs."""
    table = collection.columns(["record_id", "source", "bin_uri", "species"])
    table = table.filter(pc.and_(pc.is_valid(table["bin_uri"]), pc.is_valid(table["species"])))
    for key, of, check, severity, what in (
        ("bin_uri", "species", Check.BIN_WITH_SEVERAL_SPECIES, Severity.WARNING, "species"),
        ("species", "bin_uri", Check.SPECIES_WITH_SEVERAL_BINS, Severity.REMARK, "BINs"),
    ):
        sets: defaultdict[str, dict[str, list[dict[str, Any]]]] = defaultdict(dict)
        for row in table.to_pylist():
            sets[row[key]].setdefault(row[of], []).append(row)
        for value, members in sorted(sets.items()):
            if len(members) < 2:
                continue
            ordered = sorted(members.values(), key=len)
            counts = ", ".join(f"{name} ({len(rows)})" for name, rows in sorted(members.items()))
            few, many = ordered[0][0], ordered[-1][0]
            yield Finding(
                check,
                severity,
                few["source"],
                f"{value} has {len(members)} {what}: {counts}.",
                few["record_id"],
                many["record_id"],
                float(len(members)),
            )
