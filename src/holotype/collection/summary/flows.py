"""From what was written to what it is: the flows that a Sankey diagram shows, few enough to be read."""

from collections import Counter
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from holotype.collection.summary.tally import by, by_one
from holotype.taxonomy.labels import Kind

FLOW_RANKS = ("class", "phylum", "order", "family")
MOST_SOURCES = 12
MOST_LABELS = 18
MOST_TAXA = 14
UNWRITTEN = "no label written"

Path = tuple[str, ...]


def flows(taxa: pa.Table) -> list[dict[str, Any]]:
    """Returns the flows of all sources together and of each of the largest, to each of the ranks.

    Each has ``source`` (None for all), ``rank``, ``levels`` (what its columns are), and ``paths``: one name
    for each level, and the records. What is beyond the commonest names is added up under one name.
    """
    sources = [name for name in by_one(taxa, "source") if name is not None]
    found = []
    if len(sources) > 1:
        found += [_flow(taxa, None, rank) for rank in FLOW_RANKS]
    for source in sources[:MOST_SOURCES]:
        own = taxa.filter(pc.equal(taxa["source"], source))
        found += [_flow(own, source, rank) for rank in FLOW_RANKS]
    return found


def _flow(taxa: pa.Table, source: str | None, rank: str) -> dict[str, Any]:
    first = "source" if source is None else "written_label"
    counted: Counter[Path] = Counter()
    for (start, kind, taxon, label), count in by(taxa, first, "kind", rank, "label").items():
        said = str(kind or Kind.LIVING.value)
        end = str(taxon) if taxon is not None else _without(said, rank, named=label is not None)
        counted[str(start or UNWRITTEN), said, end] += count
    rows = [(path, count) for path, count in counted.items()]
    firsts = _few(rows, 0, MOST_SOURCES if source is None else MOST_LABELS)
    taxa_kept = _few(rows, 2, MOST_TAXA)
    plural = "sources" if source is None else "labels"
    merged: Counter[Path] = Counter()
    for (start, said, end), count in rows:
        start = start if start in firsts else f"{_others(rows, 0, firsts)} other {plural}"
        end = end if end in taxa_kept else f"{_others(rows, 2, taxa_kept)} other taxa"
        merged[(start, said, end) if source is None else (start, end)] += count
    if source is not None and set(firsts) == {UNWRITTEN}:
        levels = ["kind", rank]
        again: Counter[Path] = Counter()
        for (_, said, end), count in rows:
            end = end if end in taxa_kept else f"{_others(rows, 2, taxa_kept)} other taxa"
            again[said, end] += count
        merged = again
    else:
        levels = ["source", "kind", rank] if source is None else ["written label", rank]
    paths = sorted(merged.items(), key=lambda pair: (-pair[1], pair[0]))
    return {
        "source": source,
        "rank": rank,
        "levels": levels,
        "paths": [[*path, count] for path, count in paths],
    }


def _without(kind: str, rank: str, *, named: bool) -> str:
    if kind != Kind.LIVING.value:
        return f"no taxon: {kind}"
    return f"no {rank} named" if named else "no name"


def _few(rows: list[tuple[Path, int]], level: int, most: int) -> list[str]:
    """Returns the commonest names of a level; one more than fits is no reason to leave it out."""
    sizes: Counter[str] = Counter()
    for path, count in rows:
        sizes[path[level]] += count
    ordered = sorted(sizes, key=lambda name: (-sizes[name], name))
    return ordered if len(ordered) <= most + 1 else ordered[:most]


def _others(rows: list[tuple[Path, int]], level: int, kept: list[str]) -> int:
    return len({path[level] for path, _ in rows} - set(kept))
