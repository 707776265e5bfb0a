"""What a settled decision writes into the columns of a record, and how that is given back.

The ``extra`` of a record keeps, under ``before_review``, a stack of what reviews wrote: session, label,
reviewers, the columns as they were before, and what was written into them. Format: docs/formats/review.md.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from holotype.collection.schema import RECORDS_SCHEMA
from holotype.collection.store import concepts_of
from holotype.identify.columns import RANKS
from holotype.reviewing.book import ID_COLUMNS
from holotype.reviewing.labels import LabelBook
from holotype.reviewing.session import Session
from holotype.reviewing.settle import Settled
from holotype.taxonomy.label_table import Concept
from holotype.taxonomy.lineage import LINNAEAN_RANKS

VALIDATED, BEFORE = "validated", "before_review"
NAMING = (
    "written_label", *RANKS, "other_ranks", "qualifier", "kind", "group", *ID_COLUMNS, "vernacular_name",
    "name_status", "name_match", "given_lineage", "backbone",
)  # fmt: skip
SIGNING = ("label_status", "labelled_by")
WRITTEN = (*NAMING, *SIGNING)
READ = ("record_id", "content_hash", "extra", *WRITTEN)
_NAMING_SCHEMA = pa.schema([RECORDS_SCHEMA.field(name) for name in NAMING])

Row = dict[str, Any]


def has_lineage(row: Row) -> bool:
    """Returns whether a record says what it is, not only what it is called."""
    return bool(row["group"] or row["other_ranks"] or any(row[rank] for rank in RANKS))


def written(before: Row, one: Settled, session: Session) -> Row:
    """Returns a record with a decision written into it, and what was there before kept."""
    after = {**before, **_columns(one, session.book, before)}
    is_renamed = any(after[name] != before[name] for name in NAMING)
    names = WRITTEN if is_renamed else SIGNING
    kept = {
        "session": session.id, "label": one.label, "by": list(one.by),
        "columns": {name: before[name] for name in names},
        "wrote": {name: after[name] for name in names},
    }  # fmt: skip
    return after | {"extra": with_stack(before["extra"], [*stack_of(before["extra"]), kept])}


def signed_anew(row: Row, one: Settled) -> Row | None:
    """Returns a record whose label stands with the reviewers who say so now.

    None where these are the same, or somebody else has signed since.
    """
    *older, kept = stack_of(row["extra"])
    if kept["by"] == list(one.by) or row["labelled_by"] != kept["wrote"]["labelled_by"]:
        return None
    signed = "; ".join(one.by)
    fresh = {**kept, "by": list(one.by), "wrote": {**kept["wrote"], "labelled_by": signed}}
    return {**row, "labelled_by": signed, "extra": with_stack(row["extra"], [*older, fresh])}


def given_back(row: Row) -> Row:
    """Returns a record as it was before the newest review, where it still holds what that wrote.

    The columns of the name go together, by the written label: a lineage that was matched to the label of
    the review goes with it, and a name that somebody gave since stays.
    """
    *older, kept = stack_of(row["extra"])
    was = kept["columns"]
    wrote = kept.get("wrote", row)
    held = {name for name in was if row[name] == wrote[name]}
    if "written_label" in held:
        held.update(NAMING)
    else:
        held.difference_update(NAMING)
    back = {name: was[name] for name in held}
    return {**row, **back, "extra": with_stack(row["extra"], older)}


def stack_of(extra: str | None) -> list[dict[str, Any]]:
    """Returns what reviews have written over, oldest first."""
    kept = (json.loads(extra) if extra else {}).get(BEFORE)
    return json.loads(kept) if kept else []


def with_stack(extra: str | None, stack: Sequence[Mapping[str, Any]]) -> str | None:
    """Returns ``extra`` with what reviews have written over."""
    held = json.loads(extra) if extra else {}
    held.pop(BEFORE, None)
    if stack:
        held[BEFORE] = json.dumps(stack, ensure_ascii=False)
    return json.dumps(held, ensure_ascii=False) if held else None


def _columns(one: Settled, book: LabelBook, before: Row) -> Row:
    """Returns the columns that a decision writes; names stay as they are where they mean the same."""
    signed: Row = {"label_status": VALIDATED, "labelled_by": "; ".join(one.by)}
    if one.label is None:
        return {**dict.fromkeys(NAMING), **signed, "label_status": None}
    known = book.known(one.label)
    concept = known.concept if known is not None else None
    table = pa.Table.from_pylist([{name: before[name] for name in NAMING}], schema=_NAMING_SCHEMA)
    has = concepts_of(table)[0]
    is_written_so = before["written_label"] == one.label and (has is not None or concept is None)
    if is_written_so or _means_same(has, concept):
        return signed
    columns: Row = {**dict.fromkeys(NAMING), "written_label": one.label, **signed}
    if concept is None or known is None:
        return columns
    names = {rank.value: name for rank, name in concept.lineage}
    others = [
        {"rank": rank.value, "name": name}
        for rank, name in concept.lineage
        if rank not in LINNAEAN_RANKS
    ]
    columns |= {rank: names.get(rank) for rank in RANKS} | dict(known.ids)
    columns |= {"other_ranks": others or None, "qualifier": concept.qualifier}
    return columns | {"kind": concept.kind.value, "group": concept.group}


def _means_same(has: Concept | None, concept: Concept | None) -> bool:
    """Returns whether a record is that taxon already, with all names above it, perhaps with more."""
    if has is None or concept is None:
        return False
    if (has.qualifier, has.kind, has.group) != (concept.qualifier, concept.kind, concept.group):
        return False
    mine, said = tuple(has.lineage), tuple(concept.lineage)
    return mine[-1:] == said[-1:] and set(said) <= set(mine)
