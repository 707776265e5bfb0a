"""What the records are called: classes and their instruments, lineages, the long tail, flows of names."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from holotype.collection.summary.keys import RANKS
from holotype.collection.summary.tally import RECORDS, by
from holotype.taxonomy.labels import Kind

CLASSES_LISTED = 20_000
TAIL_POINTS = 400
MOST_NODES = 1_500
COMMON = 10


def classes(taxa: pa.Table) -> dict[str, Any]:
    """Returns every class with its records, sources and instruments, and how many are confounded.

    Where there are several instruments, a class that one alone shows can be told from the background.
    """
    named = taxa.filter(pc.is_valid(taxa["label"]))
    key = ("label_rank", "label")
    totals = by(named, *key)
    images, barcodes = by(named, *key, counted="images"), by(named, *key, counted="barcodes")
    kinds: dict[tuple[object, ...], str] = {}
    for rank, label, kind in by(named, *key, "kind"):
        kinds.setdefault((rank, label), str(kind or Kind.LIVING))
    sources, instruments = _held(named, key, "source"), _held(named, key, "instrument")
    several = len({name for held in instruments.values() for name in held}) > 1
    rows: list[dict[str, Any]] = [
        {
            "label": str(one[1]),
            "rank": one[0],
            "kind": kinds[one],
            "records": records,
            "images": images[one],
            "barcodes": barcodes[one],
            "sources": sources.get(one, {}),
            "instruments": instruments.get(one, {}),
        }
        for one, records in totals.items()
    ]
    rows.sort(key=lambda row: (-row["records"], row["label"], row["rank"] or ""))
    shown = [row for row in rows if row["instruments"]]
    alone = [row for row in shown if len(row["instruments"]) == 1]
    return {
        "total": len(rows),
        "unnamed_records": taxa.num_rows and _sum(taxa) - _sum(named),
        "instruments": _names_by_size(shown, "instruments"),
        "with_written_label": len(by(named.filter(pc.is_valid(named["written_label"])), *key)),
        "with_instrument": len(shown),
        "with_instrument_records": sum(sum(row["instruments"].values()) for row in shown),
        "on_one_instrument": len(alone) if several else None,
        "on_one_instrument_records": sum(sum(row["instruments"].values()) for row in alone)
        if several
        else None,
        "on_one_source": sum(len(row["sources"]) == 1 for row in rows)
        if len({name for row in rows for name in row["sources"]}) > 1
        else None,
        "rows": rows[:CLASSES_LISTED],
    }


def _sum(table: pa.Table) -> int:
    return int(pc.sum(table[RECORDS]).as_py() or 0)


def _held(
    named: pa.Table, key: tuple[str, ...], column: str
) -> dict[tuple[object, ...], dict[str, int]]:
    known = named.filter(pc.is_valid(named[column]))
    found: dict[tuple[object, ...], dict[str, int]] = {}
    for (*one, value), count in by(known, *key, column).items():
        found.setdefault(tuple(one), {})[str(value)] = count
    return found


def _names_by_size(rows: Sequence[Mapping[str, Any]], column: str) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for row in rows:
        for name, count in row[column].items():
            sizes[name] = sizes.get(name, 0) + count
    return dict(sorted(sizes.items(), key=lambda pair: (-pair[1], pair[0])))


def long_tail(taxa: pa.Table) -> dict[str, Any]:
    """Returns the records per class from the commonest on, and how uneven that is."""
    sizes = by(taxa.filter(pc.is_valid(taxa["label"])), "label_rank", "label")
    labels, counts = [label for _, label in sizes], list(sizes.values())
    total, reached, half = sum(counts), 0, 0
    for half, count in enumerate(counts, start=1):  # noqa: B007 - the place where it stops is wanted
        reached += count
        if 2 * reached >= total:
            break
    step = 1.0
    places, at = [], 1.0
    if len(counts) > TAIL_POINTS:
        step = len(counts) ** (1 / TAIL_POINTS)
    while round(at) <= len(counts):
        places.append(round(at))
        at = max(at * step, at + 1)
    if counts and places[-1] != len(counts):
        places.append(len(counts))
    return {
        "classes": len(counts),
        "half_of_records_in": half,
        "one_record": sum(count == 1 for count in counts),
        f"below_{COMMON}_records": sum(count < COMMON for count in counts),
        "curve": [[place, counts[place - 1], labels[place - 1]] for place in places],
    }


def ranks(taxa: pa.Table) -> dict[str, Any]:
    """Returns for each rank the different names and, by source, how many living records have one."""
    living = taxa.filter(
        pc.and_(
            pc.equal(pc.fill_null(taxa["kind"], Kind.LIVING.value), Kind.LIVING.value),
            pc.is_valid(taxa["label"]),
        )
    )
    held = {
        rank: {
            str(source): count
            for (source,), count in by(living.filter(pc.is_valid(living[rank])), "source").items()
        }
        for rank in RANKS
    }
    return {
        "living": {str(source): count for (source,), count in by(living, "source").items()},
        "names": {
            rank: len(pc.unique(taxa[rank].drop_null())) if taxa.num_rows else 0 for rank in RANKS
        },
        "named": held,
    }


def lineages(taxa: pa.Table) -> dict[str, Any]:
    """Returns the records under each lineage, down to the rank that a figure can hold."""
    depth = len(RANKS)
    found = by(taxa, *RANKS)
    while depth > 2 and len(_nodes(found)) > MOST_NODES:
        depth -= 1
        found = by(taxa, *RANKS[:depth])
    rows = [
        [[*path, *[None] * (len(RANKS) - len(path))], count]
        for path, count in sorted(found.items(), key=lambda pair: [str(v) for v in pair[0]])
    ]
    return {"down_to": RANKS[depth - 1], "rows": rows}


def _nodes(found: Mapping[tuple[object, ...], int]) -> set[tuple[object, ...]]:
    return {path[:end] for path in found for end in range(1, len(path) + 1)}
