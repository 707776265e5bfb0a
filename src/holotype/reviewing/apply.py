"""The labels of a review -> the records of the collection, as one atomic rewrite that can be repeated.

A record whose decision is as it was at the last write stays as it is, with whatever was done to it since.
What a record was called before is kept in its ``extra``: a decision that is taken back gives that back.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from holotype.collection.rewrite import rewrite_records
from holotype.collection.schema import LEDGER_SCHEMA, RECORDS_SCHEMA
from holotype.collection.store import open_collection
from holotype.errors import CollectionError
from holotype.identify.columns import RANKS
from holotype.page.words import some
from holotype.reviewing.errors import ReviewError
from holotype.reviewing.left import DIFFER, GONE, LOST, NOT_DECIDED, why_not_the_same
from holotype.reviewing.log import LOG
from holotype.reviewing.review import Review
from holotype.reviewing.session import Session
from holotype.reviewing.settle import Settle, Settled, all_settled
from holotype.reviewing.written import (
    READ,
    VALIDATED,
    WRITTEN,
    Row,
    given_back,
    has_lineage,
    signed_anew,
    stack_of,
    written,
)

REVIEWED = "reviewed"
TAKEN_BACK = "taken back"
_TRIES = 3


@dataclass(frozen=True)
class ReviewApplyReport:
    """What was written into the collection.

    Attributes:
        collection: its folder.
        outcomes: records of the session by what became of them; they add up to its records.
        changed: records that are now other than before this write.
        new_labels: labels of validated records that have no lineage.
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
        reviewers: whose decisions count; everybody's by default. What others said, and was written before,
            is taken back.

    Raises:
        ReviewError: when the session cannot be opened, its log has lines that are no events, or a reviewer
            has decided nothing.
        CollectionError: when the collection cannot be opened.
    """
    review = Review.open(session)
    _refuse_damage(review)
    folder = Path(collection) if collection is not None else review.session.collection
    found, open_ = all_settled(review.state, Settle(settle), reviewers=reviewers)
    plan = _Plan(review.session, found, set(open_), review.state.ever_decided())
    for _ in range(_TRIES - 1):
        with suppress(_MovedError):
            return _applied(folder, plan, Settle(settle))
    return _applied(folder, plan, Settle(settle))


def _refuse_damage(review: Review) -> None:
    """Raises where lines of the log are no events: what they said of which records nobody knows."""
    if review.damaged:
        at, reason = next(iter(review.damaged.items()))
        raise ReviewError(
            f"{review.session.path / LOG}: {some(len(review.damaged), 'line')} without an event, first "
            f"line {at} ({reason}). Nothing was written: what was decided there would be taken back. Restore "
            "the log from a copy; without one, take such lines out while nobody reviews, and decide again."
        )


class _MovedError(CollectionError):
    """Records were changed by another command between the look at them and the write."""


def _applied(folder: Path, plan: "_Plan", settle: Settle) -> ReviewApplyReport:
    """Writes the plan; nothing, where records change meanwhile."""
    outcomes: Counter[str] = Counter()
    ledger: list[Row] = []
    seen: dict[str, Row] = {}
    bare: set[str] = set()
    for row in _rows_in(folder, plan.session):
        seen[row["record_id"]] = row
        outcome, after = plan.of(row)
        outcomes[outcome] += 1
        one = plan.settled.get(row["record_id"])
        if outcome == VALIDATED and one is not None and not has_lineage(after or row):
            bare.add(one.label or "")
        if after is not None and after != row:
            ledger.append(_entry(row, after, plan.session.name, is_back=outcome == TAKEN_BACK))
    if missing := len(plan.session) - len(seen):
        outcomes[GONE] = missing
    if ledger:
        step = {
            "step": "review", "session": plan.session.name, "session_id": plan.session.id,
            "settle": settle.value,
            "reviewers": sorted({name for one in plan.settled.values() for name in one.by}),
            "records": len(ledger),
        }  # fmt: skip

        def change(table: pa.Table) -> pa.Table:
            return plan.change(table, seen, folder)

        entries = pa.Table.from_pylist(ledger, schema=LEDGER_SCHEMA)
        rewrite_records(folder, change, step=step, ledger=entries)
    return ReviewApplyReport(
        str(folder),
        dict(sorted(outcomes.items())),
        len(ledger),
        sorted(bare),
        sorted(plan.disputed),
    )


@dataclass(frozen=True)
class _Plan:
    """What becomes of each record.

    Attributes:
        session: what is written.
        settled: what the reviewers settled on, by record.
        disputed: the records on which they differ.
        ever: record and reviewer of every decision that the log has.
    """

    session: Session
    settled: Mapping[str, Settled]
    disputed: AbstractSet[str]
    ever: AbstractSet[tuple[str, str]]

    def of(self, row: Row) -> tuple[str, Row | None]:
        """Returns what becomes of a record in words, and its columns then; None where it stays as it is."""
        record = row["record_id"]
        if (why := why_not_the_same(self.session, record, row)) is not None:
            return f"left: {why}", None
        stack = stack_of(row["extra"])
        if any(one["session"] == self.session.id for one in stack[:-1]):
            return "left: another review wrote since", None
        is_mine = bool(stack) and stack[-1]["session"] == self.session.id
        one = self.settled.get(record)
        if one is None:
            if record in self.disputed:
                return f"left: {DIFFER}", None
            if not is_mine:
                return NOT_DECIDED, None
            if any((record, name) not in self.ever for name in stack[-1].get("by", ())):
                return f"left: {LOST}", None
            return TAKEN_BACK, given_back(row)
        outcome = "unclassified" if one.label is None else VALIDATED
        if is_mine and stack[-1].get("label", ...) == one.label:
            return outcome, signed_anew(row, one)
        before = given_back(row) if is_mine else row
        return outcome, written(before, one, self.session)

    def change(self, table: pa.Table, seen: Mapping[str, Row], folder: Path) -> pa.Table:
        """Returns the records of a shard as they become.

        Raises:
            _MovedError: where one is not as it was seen.
        """
        known = pa.array(self.session.record_ids, pa.string())
        if not pc.any(pc.is_in(table["record_id"], value_set=known)).as_py():
            return table
        rows = table.select(list(READ)).to_pylist()
        changed: list[Row] = []
        for row in rows:
            if row["record_id"] not in self.session.row_of:
                changed.append(row)
                continue
            if row != seen.get(row["record_id"]):
                raise _MovedError(f"{folder}: another command changes it. Run this one again.")
            changed.append(self.of(row)[1] or row)
        for name in (*WRITTEN, "extra"):
            kind = RECORDS_SCHEMA.field(name)
            values = pa.array([row[name] for row in changed], kind.type)
            table = table.set_column(RECORDS_SCHEMA.get_field_index(name), kind, values)
        return table


def _rows_in(folder: Path, session: Session) -> list[Row]:
    """Returns the columns of the session's records, in the order of the collection."""
    table = open_collection(folder).columns(list(READ))
    known = pa.array(session.record_ids, pa.string())
    found: list[Row] = table.filter(pc.is_in(table["record_id"], value_set=known)).to_pylist()
    return found


def _entry(before: Row, after: Row, session: str, *, is_back: bool) -> Row:
    """Returns what the ledger says of a record that changes."""
    said = "review taken back"
    if not is_back:
        said = f"{_called(after) or 'unclassified'} by {after['labelled_by']}"
    return {
        "record_id": before["record_id"], "reason": REVIEWED,
        "detail": f"review {session}: {said}, was {_called(before) or 'without a name'}",
    }  # fmt: skip


def _called(row: Row) -> str | None:
    return row["written_label"] or next((row[r] for r in reversed(RANKS) if row[r]), None)
