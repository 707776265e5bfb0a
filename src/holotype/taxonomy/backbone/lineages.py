"""A backbone from lineages that are there already: those of a label table, or of a collection's records.

A taxon is a rank and a name inside a kingdom and phylum. Where two lineages place it differently, the
commoner placement holds, and the other is counted: the same genus under two orders is one genus.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as pads

from holotype.errors import TaxonomyError
from holotype.taxonomy.backbone.schema import ID_COLUMNS, RAW_COLUMNS, RAW_SCHEMA
from holotype.taxonomy.label_table import read_label_table
from holotype.taxonomy.lineage import LINNAEAN_RANKS, Lineage, Rank, completed

Ids = tuple[tuple[str, str], ...]
_Taxon = tuple[Rank, str, str | None, str | None]


def rows_of_lineages(lineages: Sequence[tuple[Lineage, Ids]]) -> tuple[pa.Table, dict[str, int]]:
    """Returns the raw rows of the taxa in many lineages, and how many taxa had two parents.

    Args:
        lineages: with the identifiers of the narrowest taxon of each; repeats count as votes.
    """
    whole = completed([lineage for lineage, _ in lineages])
    parents: dict[_Taxon, Counter[_Taxon | None]] = {}
    ids: dict[_Taxon, dict[str, Counter[str]]] = {}
    for lineage, (_, known) in zip(whole, lineages, strict=True):
        above: _Taxon | None = None
        for rank, name in lineage:
            taxon = _taxon(lineage, rank, name)
            parents.setdefault(taxon, Counter())[above] += 1
            above = taxon
        if above is not None:
            counters = ids.setdefault(above, {})
            for authority, value in known:
                counters.setdefault(authority, Counter())[value] += 1
    number = {
        taxon: f"T{place}" for place, taxon in enumerate(sorted(parents, key=_order), start=1)
    }
    rows: list[dict[str, str | None]] = []
    for taxon, text in number.items():
        row: dict[str, str | None] = dict.fromkeys(RAW_COLUMNS)
        parent = min(parents[taxon].items(), key=lambda pair: (-pair[1], _order(pair[0])))[0]
        row |= {
            "taxon_id": text,
            "accepted_id": text,
            "written_name": taxon[1],
            "rank_written": taxon[0].value,
        }
        row["parent_id"] = number[parent] if parent else None
        for authority, counted in ids.get(taxon, {}).items():
            if authority in ID_COLUMNS and len(counted) == 1:
                row[authority] = next(iter(counted))
        rows.append(row)
    several = sum(len(counted) > 1 for counted in parents.values())
    table = pa.Table.from_pylist(rows, schema=RAW_SCHEMA)
    return table, {"two_parents": several} if several else {}


def _taxon(lineage: Lineage, rank: Rank, name: str) -> _Taxon:
    kingdom = lineage.name_at(Rank.KINGDOM) if Rank.KINGDOM.is_above(rank) else None
    phylum = lineage.name_at(Rank.PHYLUM) if Rank.PHYLUM.is_above(rank) else None
    return rank, name, kingdom, phylum


def _order(taxon: _Taxon | None) -> tuple[int, str, str, str]:
    if taxon is None:
        return (-1, "", "", "")
    return taxon[0].depth, taxon[1], taxon[2] or "", taxon[3] or ""


def read_lineages(
    path: Path, *, leave_out: frozenset[str] = frozenset()
) -> list[tuple[Lineage, Ids]]:
    """Returns the lineages of a label table (CSV) or of a collection (folder), with their identifiers.

    Args:
        path: the table's file or the collection's folder.
        leave_out: sources whose rows do not count.

    Raises:
        TaxonomyError: when it is neither, or holds no lineage.
    """
    if path.is_dir():
        found = list(_of_collection(path, leave_out))
    else:
        concepts = read_label_table(path).concepts.items()
        found = [
            (c.lineage, c.taxon_ids)
            for (source, _), c in concepts
            if c.lineage and source not in leave_out
        ]
    if not found:
        raise TaxonomyError(
            f"{path}: no lineage in it. Name a label table or a collection with names."
        )
    return found


def _of_collection(path: Path, leave_out: frozenset[str]) -> Iterator[tuple[Lineage, Ids]]:
    """Yields each different lineage of a collection's records once for each source that has it."""
    shards = _shards(path)
    ranks = [rank.value for rank in LINNAEAN_RANKS]
    wanted = ["source", *ranks, *ID_COLUMNS]
    seen: set[tuple[str | None, ...]] = set()
    for batch in pads.dataset(shards).to_batches(columns=wanted):
        seen |= set(_rows(batch.to_pydict(), wanted))
    for row in sorted(seen, key=lambda row: tuple(value or "" for value in row)):
        names: Mapping[str, str | None] = dict(zip(wanted, row, strict=True))
        lineage = Lineage.from_names({rank: names[rank] for rank in ranks})
        if lineage and names["source"] not in leave_out:
            yield lineage, tuple((key, value) for key in ID_COLUMNS if (value := names[key]))


def _shards(folder: Path) -> list[Path]:
    """Returns the record shards that a collection's manifest names; others are of no finished import."""
    manifest = folder / "collection.json"
    if not manifest.is_file():
        raise TaxonomyError(f"{folder}: no collection.json here. Name the folder of a collection.")
    try:
        imports = json.loads(manifest.read_text(encoding="utf-8"))["imports"]
        shards = [folder / shard["path"] for one in imports for shard in one["shards"]]
    except (ValueError, KeyError, TypeError) as reason:
        raise TaxonomyError(f"{manifest}: not a manifest ({reason}). Import again.") from None
    if not shards:
        raise TaxonomyError(f"{folder}: no records in it. Import something first.")
    return shards


def _rows(
    columns: Mapping[str, Sequence[str | None]], wanted: Sequence[str]
) -> Iterable[tuple[str | None, ...]]:
    return zip(*(columns[name] for name in wanted), strict=True)
