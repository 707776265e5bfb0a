"""Darwin Core Archives whose core is Taxon: WoRMS, GBIF, and any other checklist.

The columns are those that meta.xml says, by term; a folder, a zip or a tar.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from xml.etree import ElementTree

import pyarrow as pa
import pyarrow.compute as pc

from holotype.errors import TaxonomyError
from holotype.taxonomy.backbone.lineages import rows_of_lineages
from holotype.taxonomy.backbone.schema import RANK_COLUMNS
from holotype.taxonomy.backbone.tables import (
    Dialect,
    Snapshot,
    as_raw,
    header_of,
    joined,
    open_snapshot,
    read_columns,
)
from holotype.taxonomy.label_table import lineage_of_columns
from holotype.taxonomy.lineage import Rank

_TERMS = {
    "accepted_id": "acceptedNameUsageID",
    "parent_id": "parentNameUsageID",
    "written_name": "scientificName",
    "canonical": "canonicalName",
    "authorship": "scientificNameAuthorship",
    "rank_written": "taxonRank",
    "status_written": "taxonomicStatus",
    **{rank: rank for rank in RANK_COLUMNS if rank != "species"},
}
_PROFILE = {
    "marine": "isMarine",
    "brackish": "isBrackish",
    "freshwater": "isFreshwater",
    "terrestrial": "isTerrestrial",
    "is_extinct": "isExtinct",
}
_LSID = "^urn:lsid:marinespecies.org:taxname:"
MAX_META_BYTES = 1 << 20


@dataclass(frozen=True)
class _Part:
    """A core or an extension, as meta.xml describes it."""

    row_type: str
    member: str
    dialect: Dialect
    id_position: int
    positions: Mapping[str, int]
    constants: Mapping[str, str]

    def checked(self, wanted: Mapping[str, int], width: int, path: Path) -> None:
        """Raises a TaxonomyError when meta.xml asks for a column that the table has not."""
        beyond = [position for position in wanted.values() if position >= width]
        if beyond:
            raise TaxonomyError(
                f"{path}: meta.xml, {self.member}: index {beyond[0]}, but the table has {width} columns "
                "(0 is the first). Correct the index, or fetch the archive again."
            )


def read_dwca(path: Path, *, authority: str | None) -> tuple[pa.Table, dict[str, int]]:
    """Returns the raw rows of a checklist archive, and how many rows had each problem.

    Args:
        path: folder, zip or tar.
        authority: the identifier column that the taxon ids are ("aphia_id", "gbif_id"), None for neither.

    Raises:
        TaxonomyError: when there is no readable meta.xml, or the core is not Taxon.
    """
    snapshot = open_snapshot(path)
    core, extensions = _parts(snapshot)
    if not core.row_type.endswith("/Taxon"):
        kind = core.row_type.rpartition("/")[2]
        raise TaxonomyError(
            f"{path}: the core is {kind}, not Taxon, so this is no checklist. Name a checklist archive."
        )
    problems: dict[str, int] = {}
    ids = core.positions.get("taxonID", core.id_position)
    wanted = {"taxon_id": ids, "core_id": core.id_position}
    wanted |= {new: core.positions[term] for new, term in _TERMS.items() if term in core.positions}
    table = _read(snapshot, core, wanted, problems)
    for new, term in _TERMS.items():
        if new not in table.column_names:
            constant = core.constants.get(term)
            table = table.append_column(new, pa.array([constant] * table.num_rows, pa.string()))
    if "scientificName" not in core.positions and "canonicalName" not in core.positions:
        return _of_ranks(path, table, problems)
    columns = {name: table[name] for name in table.column_names}
    columns["written_name"] = pc.coalesce(table["canonical"], table["written_name"])
    for name in ("taxon_id", "accepted_id", "parent_id"):
        columns[name] = pc.replace_substring_regex(columns[name], _LSID, "")
    if authority is not None:
        columns[authority] = columns["taxon_id"]
    for extension in extensions:
        if extension.row_type.endswith("/SpeciesProfile"):
            columns |= _profile(snapshot, extension, table["core_id"], problems)
    return as_raw(pa.table(columns)), problems


def _of_ranks(
    path: Path, table: pa.Table, problems: dict[str, int]
) -> tuple[pa.Table, dict[str, int]]:
    """Returns the taxa of a checklist that has rank columns and no names of its own."""
    rows = table.select([rank for rank in RANK_COLUMNS if rank in table.column_names]).to_pylist()
    lineages = [
        lineage_of_columns({Rank(rank): name for rank, name in row.items()}) for row in rows
    ]
    if not any(lineages):
        raise TaxonomyError(
            f"{path}: neither scientificName nor a rank column. Name a checklist archive."
        )
    found, more = rows_of_lineages([(lineage, ()) for lineage in lineages if lineage])
    return found, problems | more | {"no_scientific_name": len(rows)}


def _read(
    snapshot: Snapshot, part: _Part, wanted: Mapping[str, int], problems: dict[str, int]
) -> pa.Table:
    """Returns columns of a part; its width is looked up, as meta.xml may leave out the last columns."""
    with snapshot.open(part.member) as handle:
        if not handle.readline(1):
            return pa.table({name: pa.array([], pa.string()) for name in wanted})
    width = len(header_of(snapshot, part.member, part.dialect))
    part.checked(wanted, width, snapshot.path)
    return read_columns(snapshot, part.member, wanted, part.dialect, problems, width)


def _profile(
    snapshot: Snapshot, part: _Part, core_ids: pa.ChunkedArray, problems: dict[str, int]
) -> dict[str, pa.Array]:
    """Returns environment and extinction of each taxon; of several profiles the first row counts."""
    wanted = {new: part.positions[term] for new, term in _PROFILE.items() if term in part.positions}
    if not wanted:
        return {}
    table = _read(snapshot, part, {"id": part.id_position, **wanted}, problems)
    place = pc.index_in(core_ids, value_set=table["id"].combine_chunks()).combine_chunks()
    profile = {name: table[name].combine_chunks().take(place) for name in wanted}
    found: dict[str, pa.Array] = {}
    if "is_extinct" in profile:
        found["is_extinct"] = profile.pop("is_extinct")
    words = [
        pc.if_else(
            pc.is_in(pc.utf8_lower(profile[name]), value_set=pa.array(["1", "true", "yes"])),
            name,
            pa.scalar(None, pa.string()),
        )
        for name in profile
    ]
    if words:
        found["environment"] = joined(words, ";")
    return found


def _parts(snapshot: Snapshot) -> tuple[_Part, list[_Part]]:
    member = snapshot.find("meta")
    if member is None or not member.lower().endswith(".xml"):
        raise TaxonomyError(
            f"{snapshot.path}: no meta.xml in it. Name the archive as it was downloaded."
        )
    with snapshot.open(member) as handle:
        content = handle.read(MAX_META_BYTES + 1)
    if len(content) > MAX_META_BYTES or b"<!ENTITY" in content.replace(b"\0", b""):
        raise TaxonomyError(
            f"{snapshot.path}: {member} is not a plain archive description. Fetch the archive again."
        )
    try:
        root = ElementTree.fromstring(content.strip())  # noqa: S314 - entities are refused above
    except ElementTree.ParseError as reason:
        raise TaxonomyError(
            f"{snapshot.path}: {member}: {reason}. Fetch the archive again."
        ) from None
    folder = PurePosixPath(member).parent
    parts = [
        (_tag(node), _part(snapshot, node, folder))
        for node in root
        if _tag(node) in ("core", "extension")
    ]
    cores = [part for tag, part in parts if tag == "core" and part is not None]
    if not cores:
        raise TaxonomyError(
            f"{snapshot.path}: {member} names no core file that is there. Fetch the archive again."
        )
    return cores[0], [part for tag, part in parts if tag == "extension" and part is not None]


def _tag(node: ElementTree.Element) -> str:
    return node.tag.rpartition("}")[2]


def _part(snapshot: Snapshot, node: ElementTree.Element, folder: PurePosixPath) -> _Part | None:
    location = next(
        (inner.text or "" for inner in node.iter() if _tag(inner) == "location"), ""
    ).strip()
    member = (folder / location).as_posix() if location else ""
    if member not in snapshot.members:
        return None
    ids = [inner for inner in node if _tag(inner) in ("id", "coreid")]
    fields = [inner for inner in node if _tag(inner) == "field"]
    named = [(inner.get("term", "").rpartition("/")[2], inner) for inner in fields]
    return _Part(
        row_type=node.get("rowType", ""),
        member=member,
        dialect=Dialect(
            delimiter=_escaped(node.get("fieldsTerminatedBy", ",")),
            quote=_escaped(node.get("fieldsEnclosedBy", '"'))[:1],
            encoding=(node.get("encoding") or "utf-8").lower(),
            header_lines=_whole(
                node.get("ignoreHeaderLines") or "0", "ignoreHeaderLines", snapshot
            ),
        ),
        id_position=_whole(ids[0].get("index") or "0", "id index", snapshot) if ids else 0,
        positions={
            term: _whole(text, f"index of {term}", snapshot)
            for term, inner in named
            if (text := inner.get("index"))
        },
        constants={
            term: inner.get("default", "")
            for term, inner in named
            if inner.get("default") and not inner.get("index")
        },
    )


def _whole(text: str, what: str, snapshot: Snapshot) -> int:
    """Returns a number of meta.xml, of ASCII digits."""
    if re.fullmatch("[0-9]{1,9}", text.strip()) is None:
        raise TaxonomyError(
            f"{snapshot.path}: meta.xml: {what} is '{text[:40]}', no whole number. "
            "Write 0, 1, 2 ..., or fetch the archive again."
        )
    return int(text)


def _escaped(text: str) -> str:
    return text.replace("\\t", "\t").replace("\\n", "\n").replace("\\\\", "\\") or ""
