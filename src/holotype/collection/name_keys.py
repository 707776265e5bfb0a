"""What tells one name of a collection from another: source, written label, and the lineage as given.

Where a match wrote over that lineage, the column ``given_lineage`` keeps it: a name has one key before names
are applied and after, so a review can be corrected and applied again.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from holotype.collection.names_review import row_key
from holotype.collection.store import Collection
from holotype.errors import CollectionError
from holotype.taxonomy.lineage import LINNAEAN_RANKS, Lineage

RANKS = tuple(rank.value for rank in LINNAEAN_RANKS)
GIVEN = "given_lineage"
KEY_COLUMNS = ("source", "written_label", *RANKS)
_READ = (*KEY_COLUMNS, GIVEN)
NO_NAME = "no_name"

NameKey = tuple[str | None, ...]
"""The values of ``KEY_COLUMNS``; the ranks are those that the source gave."""


@dataclass(frozen=True)
class Counted:
    """One name of a collection: what tells it from others, and how many records have it."""

    key: NameKey
    records: int


def count_names(collection: Collection) -> list[Counted]:
    """Returns the different names of a collection in order; records without label and lineage have none."""
    records: dict[NameKey, int] = {}
    for path in collection.shard_paths():
        table = pq.read_table(path, columns=list(_READ))
        grouped = table.group_by(list(_READ)).aggregate([([], "count_all")])
        counts = grouped["count_all"].to_pylist()
        for key, count in zip(keys_of(grouped), counts, strict=True):
            if has_name(key):
                records[key] = records.get(key, 0) + count
    ordered = sorted(records, key=lambda key: tuple(value or "" for value in key))
    return [Counted(key, records[key]) for key in ordered]


def has_name(key: NameKey) -> bool:
    """Returns whether a key has a label or any rank."""
    return any(key[1:])


def keys_of(table: pa.Table) -> list[NameKey]:
    """Returns the key of each record."""
    rows = zip(*(table[column].to_pylist() for column in _READ), strict=True)
    ranks: dict[str, tuple[str | None, ...]] = {}
    keys: list[NameKey] = []
    for *names, given in rows:
        if given is not None and given not in ranks:
            kept = read_given(given)
            ranks[given] = tuple(kept.get(rank) for rank in RANKS)
        keys.append(tuple(names) if given is None else (*names[:2], *ranks[given]))
    return keys


def read_given(text: str) -> dict[str, str]:
    """Returns the names by rank that the source gave, from the column ``given_lineage``.

    Raises:
        CollectionError: when the text is no such JSON.
    """
    try:
        kept = json.loads(text)
    except (ValueError, RecursionError):
        kept = None
    if not isinstance(kept, dict) or not all(isinstance(name, str) for name in kept.values()):
        raise CollectionError(
            f"column {GIVEN}: '{text[:60]}' is no JSON of names by rank. Import the source again."
        )
    return kept


def write_given(names: Mapping[str, str | None], others: Sequence[Mapping[str, Any]] | None) -> str:
    """Returns the text of the column ``given_lineage``: the ranks that have a name, then those between.

    >>> write_given({"class": "Copepoda", "order": None}, None)
    '{"class": "Copepoda"}'
    """
    kept = {rank: name for rank, name in names.items() if name}
    kept |= {other["rank"]: other["name"] for other in others or () if other["name"]}
    return json.dumps(kept, ensure_ascii=False)


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
