"""BOLD's public data (BCDM, tab-separated): the taxonomy in the columns of its records."""

from pathlib import Path

import pyarrow as pa

from holotype.errors import TaxonomyError
from holotype.taxonomy.backbone.lineages import Ids, rows_of_lineages
from holotype.taxonomy.backbone.tables import Dialect, open_snapshot, read_named
from holotype.taxonomy.label_table import lineage_of_columns
from holotype.taxonomy.lineage import Lineage, Rank

_RANKS = (Rank.KINGDOM, Rank.PHYLUM, Rank.CLASS, Rank.ORDER, Rank.FAMILY, Rank.SUBFAMILY, Rank.TRIBE,
          Rank.GENUS, Rank.SPECIES, Rank.SUBSPECIES)  # fmt: skip


def read_bold(path: Path) -> tuple[pa.Table, dict[str, int]]:
    """Returns the raw rows of the taxa in a BCDM table, and how many rows had each problem.

    Each different lineage counts once, however many records have it.

    Raises:
        TaxonomyError: when there is no table, or it lacks the columns of ranks.
    """
    snapshot = open_snapshot(path)
    tables = [name for name in snapshot.members if name.lower().endswith((".tsv", ".txt", ".bcdm"))]
    if not tables:
        raise TaxonomyError(f"{path}: no tab-separated table in it. Name a BCDM file of BOLD.")
    problems: dict[str, int] = {}
    wanted = {**{rank.value: [rank.value] for rank in _RANKS}, "taxid": ["taxid"]}
    columns = ["phylum", "class", "order", "family", "genus", "species"]
    parts = [
        read_named(snapshot, name, wanted, Dialect(), problems, needed=columns) for name in tables
    ]
    distinct = pa.concat_tables(parts).group_by(list(wanted)).aggregate([])
    lineages: list[tuple[Lineage, Ids]] = []
    for row in distinct.to_pylist():
        lineage = _lineage(row)
        if lineage:
            lineages.append((lineage, (("bold_id", row["taxid"]),) if row["taxid"] else ()))
        else:
            problems["no_lineage"] = problems.get("no_lineage", 0) + 1
    if not lineages:
        raise TaxonomyError(f"{path}: no row with a name at any rank. Name a BCDM file of BOLD.")
    lineages.sort(key=lambda pair: (pair[0].text(), pair[1]))
    rows, found = rows_of_lineages(lineages)
    return rows, problems | found


def _lineage(row: dict[str, str | None]) -> Lineage:
    """Returns the lineage of a record; a subspecies that only repeats its species is left out."""
    names = {rank: row[rank.value] for rank in _RANKS}
    if names[Rank.SUBSPECIES] == names[Rank.SPECIES]:
        names[Rank.SUBSPECIES] = None
    return lineage_of_columns(names)
