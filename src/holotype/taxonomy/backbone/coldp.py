"""Catalogue of Life Data Packages (ColDP): one NameUsage table, or Name, Taxon and Synonym tables."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from holotype.errors import TaxonomyError
from holotype.taxonomy.backbone.schema import RANK_COLUMNS
from holotype.taxonomy.backbone.tables import (
    Dialect,
    Snapshot,
    as_raw,
    joined,
    open_snapshot,
    read_named,
)

_USAGE: dict[str, Sequence[str]] = {
    "taxon_id": ["ID"],
    "parent_id": ["parentID"],
    "status_written": ["status"],
    "written_name": ["scientificName"],
    "authorship": ["authorship"],
    "rank_written": ["rank"],
    "is_extinct": ["extinct"],
    "environment": ["environment", "lifezone"],
    **{rank: [rank] for rank in RANK_COLUMNS},
}
_NAME: dict[str, Sequence[str]] = {
    "ID": ["ID"],
    "written_name": ["scientificName"],
    "authorship": ["authorship"],
    "rank_written": ["rank"],
    "uninomial": ["uninomial"],
    "genus": ["genus"],
    "epithet": ["specificEpithet"],
    "infra": ["infraspecificEpithet"],
}
_TAXON: dict[str, Sequence[str]] = {
    "taxon_id": ["ID"],
    "parent_id": ["parentID"],
    "name_id": ["nameID"],
    "provisional": ["provisional"],
    "is_extinct": ["extinct"],
    "environment": ["environment", "lifezone"],
}
_SYNONYM: dict[str, Sequence[str]] = {
    "accepted_id": ["taxonID"],
    "name_id": ["nameID"],
    "status_written": ["status"],
}


def read_coldp(path: Path) -> tuple[pa.Table, dict[str, int]]:
    """Returns the raw rows of a ColDP folder or zip, and how many rows had each problem.

    Raises:
        TaxonomyError: when neither NameUsage nor Name and Taxon tables are there.
    """
    snapshot = open_snapshot(path)
    problems: dict[str, int] = {}
    usage = snapshot.find("NameUsage")
    if usage is not None:
        return _of_usages(
            _read(snapshot, usage, _USAGE, problems, ["taxon_id", "written_name"])
        ), problems
    name, taxon, synonym = (snapshot.find(stem) for stem in ("Name", "Taxon", "Synonym"))
    if name is None or taxon is None:
        raise TaxonomyError(
            f"{path}: neither a NameUsage table nor Name and Taxon tables. Name a ColDP archive."
        )
    names = _read(snapshot, name, _NAME, problems, ["ID"])
    taxa = _read(snapshot, taxon, _TAXON, problems, ["taxon_id", "name_id"])
    rows = [_named(taxa, names, problems, "taxon_without_name")]
    if synonym is not None:
        known = _read(snapshot, synonym, _SYNONYM, problems, ["accepted_id", "name_id"])
        ids = pc.binary_join_element_wise(
            pa.scalar("name"),
            known["name_id"].combine_chunks(),
            known["accepted_id"].combine_chunks(),
            ":",
        )
        rows.append(
            _named(known.append_column("taxon_id", ids), names, problems, "synonym_without_name")
        )
    return pa.concat_tables([as_raw(part) for part in rows]), problems


def _read(
    snapshot: Snapshot,
    member: str,
    wanted: Mapping[str, Sequence[str]],
    problems: dict[str, int],
    needed: Sequence[str],
) -> pa.Table:
    comma = member.lower().endswith(".csv")
    dialect = Dialect(delimiter="," if comma else "\t", quote='"' if comma else "")
    return read_named(snapshot, member, wanted, dialect, problems, needed=needed)


def _of_usages(table: pa.Table) -> pa.Table:
    """A usage that is a synonym has its accepted taxon as parent."""
    words = pc.utf8_lower(pc.fill_null(table["status_written"], ""))
    stands_for = pc.or_(
        pc.match_substring(words, "synonym"), pc.match_substring(words, "misapplied")
    )
    none = pa.scalar(None, pa.string())
    columns = {name: table[name] for name in table.column_names}
    columns["accepted_id"] = pc.if_else(stands_for, table["parent_id"], none)
    columns["parent_id"] = pc.if_else(stands_for, none, table["parent_id"])
    return as_raw(pa.table(columns))


def _named(table: pa.Table, names: pa.Table, problems: dict[str, int], problem: str) -> pa.Table:
    """Returns the rows with name, authorship and rank of their name id; those without a name are counted."""
    place = pc.index_in(table["name_id"], value_set=names["ID"].combine_chunks()).combine_chunks()
    if lost := int(pc.sum(pc.is_null(place)).as_py() or 0):
        problems[problem] = lost
    found = names.combine_chunks().take(place)
    parts = [found[part].combine_chunks() for part in ("genus", "epithet", "infra")]
    binomial = joined(parts, " ")
    binomial = pc.if_else(pc.is_valid(parts[0]), binomial, pa.scalar(None, pa.string()))
    columns = {name: table[name] for name in table.column_names}
    columns["written_name"] = pc.coalesce(found["written_name"], found["uninomial"], binomial)
    columns["authorship"], columns["rank_written"] = found["authorship"], found["rank_written"]
    return pa.table(columns)
