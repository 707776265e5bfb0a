"""NCBI's taxdump: nodes.dmp, names.dmp and merged.dmp in a folder, zip or tar.gz.

A merged id stays findable: it is a row of its own that stands for the taxon it was merged into.
"""

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from holotype.errors import TaxonomyError
from holotype.taxonomy.backbone.tables import Dialect, Snapshot, as_raw, open_snapshot, read_columns

_DMP = Dialect(delimiter="|", header_lines=0)
_SYNONYMS = pa.array(
    ["synonym", "equivalent name", "misspelling", "anamorph", "teleomorph", "genbank synonym"]
)
_FILES: dict[str, tuple[int, Mapping[str, int]]] = {
    "nodes": (14, {"taxon_id": 0, "parent_id": 1, "rank_written": 2}),
    "names": (5, {"taxon_id": 0, "written_name": 1, "name_class": 3}),
    "merged": (3, {"taxon_id": 0, "accepted_id": 1}),
}


def read_ncbi(path: Path) -> tuple[pa.Table, dict[str, int]]:
    """Returns the raw rows of a taxdump, and how many rows had each problem.

    Raises:
        TaxonomyError: when nodes.dmp or names.dmp is not there.
    """
    snapshot = open_snapshot(path)
    problems: dict[str, int] = {}
    nodes, names = (_read(snapshot, stem, problems) for stem in ("nodes", "names"))
    is_name = pc.equal(names["name_class"], "scientific name")
    scientific = names.filter(is_name)
    place = pc.index_in(
        scientific["taxon_id"], value_set=nodes["taxon_id"].combine_chunks()
    ).combine_chunks()
    if lost := int(pc.sum(pc.is_null(place)).as_py() or 0):
        problems["name_without_node"] = lost
    unnamed = pc.invert(
        pc.is_in(nodes["taxon_id"], value_set=scientific["taxon_id"].combine_chunks())
    )
    if lost := int(pc.sum(unnamed).as_py() or 0):
        problems["node_without_name"] = lost
    own = nodes.take(place)
    authors = _authorships(scientific, names.filter(pc.equal(names["name_class"], "authority")))
    taxa = pa.table(
        {
            "taxon_id": scientific["taxon_id"],
            "parent_id": own["parent_id"],
            "written_name": _without_brackets(scientific["written_name"]),
            "authorship": authors,
            "rank_written": own["rank_written"],
            "status_written": pa.array(["accepted"] * scientific.num_rows),
            "ncbi_id": scientific["taxon_id"],
        }
    )
    rows = [as_raw(taxa), as_raw(_synonyms(names))]
    if snapshot.find("merged") is not None:
        rows.append(as_raw(_merged(_read(snapshot, "merged", problems), scientific)))
    return pa.concat_tables(rows), problems


def _read(snapshot: Snapshot, stem: str, problems: dict[str, int]) -> pa.Table:
    member = snapshot.find(stem)
    if member is None:
        raise TaxonomyError(
            f"{snapshot.path}: no {stem}.dmp in it. Name taxdump.tar.gz or its folder."
        )
    with snapshot.open(member) as handle:
        first = handle.readline(1 << 20)
    width, columns = _FILES[stem]
    width = first.count(b"|") + 1 if first else width
    if first and width <= max(columns.values()):
        raise TaxonomyError(
            f"{snapshot.path}: {member}, line 1: too few columns. Fetch taxdump.tar.gz again."
        )
    return read_columns(snapshot, member, columns, _DMP, problems, width)


def _without_brackets(names: pa.ChunkedArray) -> pa.ChunkedArray:
    """NCBI brackets a genus that is known to be wrong: "[Candida] auris"."""
    return pc.replace_substring_regex(names, r"^\[([^\]]+)\]", r"\1")


def _authorships(scientific: pa.Table, authorities: pa.Table) -> pa.Array:
    """Returns the authorship of each scientific name from the authority names that begin with it."""
    known: dict[str, str] = {}
    for taxon, text in zip(
        authorities["taxon_id"].to_pylist(), authorities["written_name"].to_pylist(), strict=True
    ):
        known.setdefault(taxon, text)
    found: list[str | None] = []
    for taxon, name in zip(
        scientific["taxon_id"].to_pylist(), scientific["written_name"].to_pylist(), strict=True
    ):
        text = known.get(taxon) or ""
        found.append(text[len(name) :].strip() or None if text.startswith(f"{name} ") else None)
    return pa.array(found, pa.string())


def _synonyms(names: pa.Table) -> pa.Table:
    chosen = names.filter(pc.is_in(names["name_class"], value_set=_SYNONYMS))
    number = pa.array([f"#{place}" for place in range(chosen.num_rows)], pa.string())
    return pa.table(
        {
            "taxon_id": pc.binary_join_element_wise(chosen["taxon_id"], number, ""),
            "accepted_id": chosen["taxon_id"],
            "written_name": _without_brackets(chosen["written_name"]),
            "status_written": pc.if_else(pc.is_valid(chosen["name_class"]), "synonym", "synonym"),
            "ncbi_id": chosen["taxon_id"],
        }
    )


def _merged(merged: pa.Table, scientific: pa.Table) -> pa.Table:
    place = pc.index_in(
        merged["accepted_id"], value_set=scientific["taxon_id"].combine_chunks()
    ).combine_chunks()
    names = scientific["written_name"].combine_chunks().take(place)
    return pa.table(
        {
            "taxon_id": merged["taxon_id"],
            "accepted_id": merged["accepted_id"],
            "written_name": pc.coalesce(_without_brackets(names), "merged id"),
            "status_written": pa.array(["synonym"] * merged.num_rows, pa.string()),
            "ncbi_id": merged["taxon_id"],
        }
    )
