"""What tells one name of a collection from another: source, written label, and the lineage in the records."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from holotype.collection.names_review import row_key
from holotype.collection.store import Collection
from holotype.taxonomy.lineage import LINNAEAN_RANKS, Lineage

RANKS = tuple(rank.value for rank in LINNAEAN_RANKS)
KEY_COLUMNS = ("source", "written_label", *RANKS)

NameKey = tuple[str | None, ...]
"""The values of ``KEY_COLUMNS``."""


@dataclass(frozen=True)
class Counted:
    """One name of a collection.

    Attributes:
        key: what tells it from others.
        records: how many records have it.
        is_applied: whether its lineage is what an earlier match wrote, not what the source says.
    """

    key: NameKey
    records: int
    is_applied: bool


def count_names(collection: Collection) -> list[Counted]:
    """Returns the different names of a collection in order; records without label and lineage have none."""
    records: dict[NameKey, int] = {}
    applied: dict[NameKey, bool] = {}
    for path in collection.shard_paths():
        table = pq.read_table(path, columns=[*KEY_COLUMNS, "backbone"])
        table = table.set_column(table.num_columns - 1, "applied", pc.is_valid(table["backbone"]))
        grouped = (
            table.group_by([*KEY_COLUMNS, "applied"]).aggregate([([], "count_all")]).to_pydict()
        )
        names = zip(*(grouped[column] for column in KEY_COLUMNS), strict=True)
        for key, was_applied, count in zip(
            names, grouped["applied"], grouped["count_all"], strict=True
        ):
            if has_name(key):
                records[key] = records.get(key, 0) + count
                applied[key] = applied.get(key, True) and was_applied
    ordered = sorted(records, key=lambda key: tuple(value or "" for value in key))
    return [Counted(key, records[key], applied[key]) for key in ordered]


def has_name(key: NameKey) -> bool:
    """Returns whether a key has a label or any rank."""
    return any(key[1:])


def keys_of(table: pa.Table) -> list[NameKey]:
    """Returns the key of each record."""
    return list(zip(*(table[column].to_pylist() for column in KEY_COLUMNS), strict=True))


def lineage_of(key: NameKey) -> Lineage:
    """Returns the lineage in a key."""
    return Lineage.from_names(dict(zip(RANKS, key[2:], strict=True)))


def given_text(key: NameKey) -> str:
    """Returns the lineage of a key as a review shows it."""
    return " > ".join(f"{rank}: {name}" for rank, name in zip(RANKS, key[2:], strict=True) if name)


def text_key(key: NameKey) -> str:
    """Returns the key as a review has it."""
    return row_key(key[0] or "", key[1] or "", given_text(key))


def nameless(total: int, names: Sequence[Counted]) -> dict[str, int]:
    """Returns how many of the records have no name, as an entry of a count; {} for none."""
    left = total - sum(name.records for name in names)
    return {NO_NAME: left} if left else {}


NO_NAME = "no_name"
