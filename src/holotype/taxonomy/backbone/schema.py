"""The columns of a backbone file and of its readers' rows; format: docs/formats/backbone.md."""

from dataclasses import dataclass
from enum import StrEnum

import pyarrow as pa
import pyarrow.compute as pc

from holotype.taxonomy.lineage import LINNAEAN_RANKS, Rank

FORMAT = "holotype-backbone"
VERSION = 1

RANK_COLUMNS = tuple(rank.value for rank in LINNAEAN_RANKS)
ID_COLUMNS = ("aphia_id", "gbif_id", "ncbi_id", "bold_id")

_TEXT = pa.string()


@dataclass(frozen=True)
class Column:
    """One column: its Arrow type and what it means."""

    name: str
    type: pa.DataType
    meaning: str


COLUMNS: tuple[Column, ...] = (
    Column(
        "key", _TEXT, "the name in the form in which names are compared; the rows are in its order"
    ),
    Column("key_hash", pa.uint64(), "first 8 bytes of the BLAKE2b hash of `key`, for the look-up"),
    Column("taxon_id", _TEXT, "MUST be present and unique"),
    Column(
        "accepted_id", _TEXT, "the taxon that the name stands for; its own id where it is accepted"
    ),
    Column("parent_id", _TEXT, "the next wider taxon, as the source has it"),
    Column("name", _TEXT, "canonical name without authorship; MUST be present"),
    Column("authorship", _TEXT, "who gave the name, and when"),
    Column("rank", _TEXT, "one of Holotype's ranks, null where the source's word is none of them"),
    Column("rank_written", _TEXT, "the rank as the source has it"),
    Column("status", _TEXT, "accepted, synonym, doubtful or unaccepted"),
    Column("status_written", _TEXT, "the status as the source has it"),
    *(Column(rank, _TEXT, f"{rank} of the accepted taxon") for rank in RANK_COLUMNS),
    Column("aphia_id", _TEXT, "WoRMS"),
    Column("gbif_id", _TEXT, "GBIF"),
    Column("ncbi_id", _TEXT, "NCBI Taxonomy"),
    Column("bold_id", _TEXT, "BOLD"),
    Column("is_extinct", pa.bool_(), "null where the source does not say"),
    Column("environment", _TEXT, "of marine, brackish, freshwater, terrestrial; ';' between them"),
    Column(
        "accepted_row",
        pa.int32(),
        "the row of the accepted taxon in this file, -1 where it has none",
    ),
    Column(
        "parent_row",
        pa.int32(),
        "the row of the next wider taxon in this file, -1 where it has none",
    ),
)

SCHEMA = pa.schema([pa.field(column.name, column.type) for column in COLUMNS])

RAW_COLUMNS = ("taxon_id", "accepted_id", "parent_id", "written_name", "authorship", "rank_written",
               "status_written", *RANK_COLUMNS, *ID_COLUMNS, "is_extinct", "environment")  # fmt: skip
RAW_SCHEMA = pa.schema([pa.field(name, _TEXT) for name in RAW_COLUMNS])
"""What a reader yields: all text, as the source has it; missing is null."""


class NameStatus(StrEnum):
    """What a name is in its source."""

    ACCEPTED = "accepted"
    SYNONYM = "synonym"
    DOUBTFUL = "doubtful"
    UNACCEPTED = "unaccepted"


_WRITTEN_STATUS: dict[str, NameStatus] = {
    **dict.fromkeys(
        ("accepted", "valid", "provisionally accepted", "scientific name"), NameStatus.ACCEPTED
    ),
    **dict.fromkeys(
        ("alternate representation", "alternative representation"), NameStatus.ACCEPTED
    ),
    **dict.fromkeys(("doubtful", "uncertain", "unassessed", "nomen dubium"), NameStatus.DOUBTFUL),
    **dict.fromkeys(
        ("taxon inquirendum", "temporary name", "interim unpublished"), NameStatus.DOUBTFUL
    ),
    **dict.fromkeys(("nomen nudum", "unaccepted", "deleted", "invalid"), NameStatus.UNACCEPTED),
    **dict.fromkeys(("quarantined", "unavailable name", "bare name"), NameStatus.UNACCEPTED),
}


def status_of(written: str | None, *, has_other_accepted: bool) -> NameStatus:
    """Returns the status of a name: what the source says, made one of four.

    A name that points to another accepted taxon is a synonym whatever it is called.
    """
    word = (written or "").strip().lower().replace("_", " ")
    if has_other_accepted or "synonym" in word or "misapplied" in word or "superseded" in word:
        return NameStatus.SYNONYM
    if not word:
        return NameStatus.ACCEPTED
    return _WRITTEN_STATUS.get(word, NameStatus.DOUBTFUL)


_PRESENT = ("key", "key_hash", "taxon_id", "name", "status", "accepted_row", "parent_row")
"""Columns that have a value in every row."""


def misfit(table: pa.Table) -> str | None:
    """Returns what in a table of some of these columns cannot be; None where nothing is wrong."""
    for name in table.column_names:
        kind, wanted = table.schema.field(name).type, SCHEMA.field(name).type
        if wanted not in (kind, getattr(kind, "value_type", None)):
            return f"column {name} is {kind}, not {wanted}"
    for name in _PRESENT:
        if table[name].null_count:
            return f"column {name} has no value in {table[name].null_count:,} rows"
    for name in ("accepted_row", "parent_row"):
        ends = pc.min_max(table[name]).as_py()
        if table.num_rows and not -1 <= ends["min"] <= ends["max"] < table.num_rows:
            return f"column {name} has {ends['min']} to {ends['max']} for {table.num_rows:,} rows"
    for name, words in (("rank", {None, *Rank}), ("status", {*NameStatus})):
        if strange := set(pc.unique(table[name]).to_pylist()) - words:
            return f"column {name} has {min(map(str, strange))[:40]!r}"
    return None
