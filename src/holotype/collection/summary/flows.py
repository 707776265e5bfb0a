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
    plural = "sources" if source is None else "labels"
    start_of = _few(counted, 0, MOST_SOURCES if source is None else MOST_LABELS, plural)
    end_of = _few(counted, 2, MOST_TAXA, "taxa")
    if source is None:
        kept, levels = [0, 1, 2], ["source", "kind", rank]
    elif set(start_of) == {UNWRITTEN}:
        kept, levels = [1, 2], ["kind", rank]
    else:
        kept, levels = [0, 2], ["written label", rank]
    merged: Counter[Path] = Counter()
    for (start, said, end), count in counted.items():
        whole = (start_of[start], said, end_of[end])
        merged[tuple(whole[at] for at in kept)] += count
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


def _few(counted: Counter[Path], level: int, most: int, plural: str) -> dict[str, str]:
    """Returns each name of a level as it is shown: the commonest as they are, the others under one name.

    One more than fits is no reason to leave it out.
    """
    sizes: Counter[str] = Counter()
    for path, count in counted.items():
        sizes[path[level]] += count
    ordered = sorted(sizes, key=lambda name: (-sizes[name], name))
    kept = ordered if len(ordered) <= most + 1 else ordered[:most]
    others = f"{len(ordered) - len(kept)} other {plural}"
    return dict.fromkeys(ordered, others) | {name: name for name in kept}
