"""What the source gave: kept aside before a match writes over it, given back when the match is taken back."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from holotype.collection.name_keys import GIVEN, RANKS, read_given, write_given
from holotype.collection.schema import RECORDS_SCHEMA
from holotype.taxonomy.backbone.schema import ID_COLUMNS

_GIVEN_BACK = (*RANKS, "other_ranks", *ID_COLUMNS, "group")


def keep_given(table: pa.Table, writes_ranks: Sequence[bool]) -> pa.Table:
    """Returns the records with ``given_lineage`` filled where ranks are about to be written the first time.

    Args:
        table: of ``RECORDS_SCHEMA``.
        writes_ranks: for each record whether its ranks will be written.
    """
    needed = pc.and_(pa.array(writes_ranks, pa.bool_()), pc.is_null(table[GIVEN]))
    if not pc.any(needed).as_py():
        return table
    others = table["other_ranks"]
    listed = others.to_pylist() if others.null_count < len(others) else [None] * len(others)
    names = zip(*(table[rank].to_pylist() for rank in RANKS), strict=True)
    texts: dict[tuple[str | None, ...], str] = {}
    kept: list[str | None] = []
    for lineage, other, is_needed, text in zip(
        names, listed, needed.to_pylist(), table[GIVEN].to_pylist(), strict=True
    ):
        if not is_needed:
            kept.append(text)
        elif other:
            kept.append(write_given(dict(zip(RANKS, lineage, strict=True)), other))
        else:
            if lineage not in texts:
                texts[lineage] = write_given(dict(zip(RANKS, lineage, strict=True)), None)
            kept.append(texts[lineage])
    return _with(table, GIVEN, kept)


def give_back(table: pa.Table, takes_back: Sequence[bool]) -> pa.Table:
    """Returns the records with the lineage that the source gave, where a match is taken back.

    An identifier stays only if the match was of the same taxon. ``given_lineage`` is null again.

    Args:
        table: of ``RECORDS_SCHEMA``.
        takes_back: for each record whether to do so; one without ``given_lineage`` stays as it is.
    """
    needed = pc.and_(pa.array(takes_back, pa.bool_()), pc.is_valid(table[GIVEN]))
    if not pc.any(needed).as_py():
        return table
    found = table.select([*_GIVEN_BACK, GIVEN]).to_pylist()
    rows = [
        row | _as_given(row, read_given(row[GIVEN])) if is_needed else row
        for row, is_needed in zip(found, needed.to_pylist(), strict=True)
    ]
    for name in (*_GIVEN_BACK, GIVEN):
        table = _with(table, name, [row[name] for row in rows])
    return table


def _as_given(row: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, Any]:
    had = next((row[rank] for rank in reversed(RANKS) if row[rank]), None)
    narrowest = next((given[rank] for rank in reversed(RANKS) if given.get(rank)), None)
    others = [{"rank": rank, "name": name} for rank, name in given.items() if rank not in RANKS]
    changed: dict[str, Any] = {rank: given.get(rank) for rank in RANKS}
    changed |= {"other_ranks": others or None, GIVEN: None}
    changed |= {} if had is not None and had == narrowest else dict.fromkeys(ID_COLUMNS)
    return changed | ({"group": None} if narrowest else {})


def _with(table: pa.Table, name: str, values: list[Any]) -> pa.Table:
    field = RECORDS_SCHEMA.field(name)
    return table.set_column(table.schema.get_field_index(name), field, pa.array(values, field.type))
