"""The labels of a review -> the records of the collection, as one atomic rewrite that can be repeated.

What a record was called before is kept in its ``extra``, under ``before_review``: so a decision that is
taken back later gives that back at the next write, and a second write of the same decisions changes
nothing.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from holotype.collection.rewrite import rewrite_records
from holotype.collection.schema import LEDGER_SCHEMA, RECORDS_SCHEMA
from holotype.collection.store import Collection, concepts_of, open_collection
from holotype.identify.columns import RANKS
from holotype.reviewing.labels import ID_COLUMNS, LabelBook, key_of
from holotype.reviewing.review import Review
from holotype.reviewing.session import Session
from holotype.reviewing.settle import Settle, Settled, all_settled
from holotype.taxonomy.lineage import LINNAEAN_RANKS

VALIDATED, BEFORE, REVIEWED = "validated", "before_review", "reviewed"
_NAMING = (
    "written_label", *RANKS, "other_ranks", "qualifier", "kind", "group", *ID_COLUMNS, "vernacular_name",
    "name_status", "name_match", "given_lineage", "backbone",
)  # fmt: skip
_WRITTEN = (*_NAMING, "label_status", "labelled_by")
_READ = ("record_id", "content_hash", "extra", *_WRITTEN)

Row = dict[str, Any]


@dataclass(frozen=True)
class ReviewApplyReport:
    """What was written into the collection.

    Attributes:
        collection: its folder.
        outcomes: records of the session by what became of them; they add up to its records.
        changed: records that are now other than before this write.
        new_labels: labels without a lineage that were written.
        disputed: records that were left because reviewers differ.
    """

    collection: str
    outcomes: dict[str, int]
    changed: int
    new_labels: list[str] = field(default_factory=list)
    disputed: list[str] = field(default_factory=list)


def apply_review(
    session: Path | str,
    *,
    collection: Path | str | None = None,
    settle: Settle | str = Settle.AGREED,
    reviewers: Sequence[str] = (),
) -> ReviewApplyReport:
    """Writes what the reviewers decided into the records of the collection.

    Args:
        session: folder of the session.
        collection: the collection's folder, where it has moved since.
        settle: whose word counts where reviewers differ.
        reviewers: whose decisions count; everybody's by default.

    Raises:
        ReviewError, CollectionError: when one cannot be opened.
    """
    review = Review.open(session)
    folder = Path(collection) if collection is not None else review.session.collection
    found, open_ = all_settled(review.state, Settle(settle), reviewers=reviewers)
    plan = _Plan(review.session, found, set(open_))
    outcomes: Counter[str] = Counter()
    ledger: list[Row] = []
    there: set[str] = set()
    for row in _rows_in(open_collection(folder), plan.session):
        there.add(row["record_id"])
        outcome, after = plan.of(row)
        outcomes[outcome] += 1
        if after is not None and after != row:
            ledger.append(_entry(row, after, plan.session.name))
    if missing := len(plan.session) - len(there):
        outcomes["no longer in the collection"] = missing
    if ledger:
        step = {
            "step": "review", "session": plan.session.name, "session_id": plan.session.id,
            "settle": Settle(settle).value,
            "reviewers": sorted({name for one in found.values() for name in one.by}),
            "records": len(ledger),
        }  # fmt: skip
        entries = pa.Table.from_pylist(ledger, schema=LEDGER_SCHEMA)
        rewrite_records(folder, plan.change, step=step, ledger=entries)
    new = sorted({one.label for one in found.values() if one.is_new and one.label})
    return ReviewApplyReport(
        str(folder), dict(sorted(outcomes.items())), len(ledger), new, sorted(open_)
    )


@dataclass(frozen=True)
class _Plan:
    """What becomes of each record."""

    session: Session
    settled: Mapping[str, Settled]
    disputed: set[str]

    def of(self, row: Row) -> tuple[str, Row | None]:
        """Returns what becomes of a record in words, and its columns then; None where it stays as it is."""
        record = row["record_id"]
        if row["content_hash"] != self._hashes[record]:
            return "left: another record has this id now", None
        stack = _stack(row["extra"])
        if any(one["session"] == self.session.id for one in stack[:-1]):
            return "left: another review wrote since", None
        before = row
        if stack and stack[-1]["session"] == self.session.id:
            before = {**row, **stack[-1]["columns"], "extra": _with_stack(row["extra"], stack[:-1])}
        one = self.settled.get(record)
        if one is None:
            if record in self.disputed:
                return "left: reviewers differ", before
            return ("taken back" if before is not row else "not decided"), before
        after = {**before, **_columns(one, self.session.book, before)}
        kept = {"session": self.session.id, "columns": {name: before[name] for name in _WRITTEN}}
        after["extra"] = _with_stack(before["extra"], [*_stack(before["extra"]), kept])
        return ("unclassified" if one.label is None else VALIDATED), after

    @cached_property
    def _hashes(self) -> dict[str, str | None]:
        hashes = self.session.items["content_hash"].to_pylist()
        return dict(zip(self.session.record_ids, hashes, strict=True))

    def change(self, table: pa.Table) -> pa.Table:
        """Returns the records of a shard as they become."""
        known = pa.array(self.session.record_ids, pa.string())
        if not pc.any(pc.is_in(table["record_id"], value_set=known)).as_py():
            return table
        rows = table.select(list(_READ)).to_pylist()
        changed: list[Row] = []
        for row in rows:
            after = self.of(row)[1] if row["record_id"] in self.session.row_of else None
            changed.append(after or row)
        for name in (*_WRITTEN, "extra"):
            kind = RECORDS_SCHEMA.field(name)
            values = pa.array([row[name] for row in changed], kind.type)
            table = table.set_column(RECORDS_SCHEMA.get_field_index(name), kind, values)
        return table


def _rows_in(opened: Collection, session: Session) -> list[Row]:
    """Returns the columns of the session's records, in the order of the collection."""
    table = opened.columns(list(_READ))
    known = pa.array(session.record_ids, pa.string())
    found: list[Row] = table.filter(pc.is_in(table["record_id"], value_set=known)).to_pylist()
    return found


def _columns(one: Settled, book: LabelBook, before: Row) -> Row:
    """Returns the columns that a decision writes; names stay as they are where they mean the same."""
    signed: Row = {"label_status": VALIDATED, "labelled_by": "; ".join(one.by)}
    if one.label is None:
        return {
            **dict.fromkeys(_NAMING),
            "label_status": None,
            "labelled_by": signed["labelled_by"],
        }
    known = book.by_name.get(one.label)
    concept = known.concept if known is not None else None
    table = pa.Table.from_pylist([{name: before[name] for name in _NAMING}], schema=_NAMING_SCHEMA)
    has = concepts_of(table)[0]
    is_same = concept is not None and key_of(has) == key_of(concept)
    is_written_so = before["written_label"] == one.label and (has is not None or concept is None)
    if is_same or is_written_so:
        return signed
    columns: Row = {**dict.fromkeys(_NAMING), "written_label": one.label, **signed}
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


_NAMING_SCHEMA = pa.schema([RECORDS_SCHEMA.field(name) for name in _NAMING])


def _stack(extra: str | None) -> list[dict[str, Any]]:
    """Returns what reviews have written over, oldest first."""
    kept = (json.loads(extra) if extra else {}).get(BEFORE)
    return json.loads(kept) if kept else []


def _with_stack(extra: str | None, stack: Sequence[Mapping[str, Any]]) -> str | None:
    """Returns ``extra`` with what reviews have written over."""
    held = json.loads(extra) if extra else {}
    held.pop(BEFORE, None)
    if stack:
        held[BEFORE] = json.dumps(stack, ensure_ascii=False)
    return json.dumps(held, ensure_ascii=False) if held else None


def _entry(before: Row, after: Row, session: str) -> Row:
    """Returns what the ledger says of a record that changes."""
    if after["labelled_by"] is None or BEFORE not in (after["extra"] or ""):
        said = "review taken back"
    else:
        name = after["written_label"] or next((after[r] for r in reversed(RANKS) if after[r]), None)
        said = f"{name or 'unclassified'} by {after['labelled_by']}"
    was = before["written_label"] or next((before[r] for r in reversed(RANKS) if before[r]), None)
    return {
        "record_id": before["record_id"], "reason": REVIEWED,
        "detail": f"review {session}: {said}, was {was or 'without a name'}",
    }  # fmt: skip
