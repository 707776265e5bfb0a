"""A collection and settings -> a split, audited."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from holotype.collection.licensing import rows_allowed
from holotype.collection.schema import COLUMN_NAMES
from holotype.collection.store import Collection
from holotype.errors import SplitError, did_you_mean, first_few
from holotype.splits import methods
from holotype.splits.audit import audit_split
from holotype.splits.columns import SPLIT_COLUMNS
from holotype.splits.groups import TYING_COLUMNS, group_records, tell_of_giants
from holotype.splits.held_out_taxa import held_out_taxa
from holotype.splits.leave_out import leave_out
from holotype.splits.plan import Split
from holotype.splits.roles import Roles, classes_of, thin_training
from holotype.splits.settings import Method, Settings, check_settings
from holotype.splits.upstream import UPSTREAM_NAMES, upstream

Parting = Callable[[pa.Table, NDArray[np.int64], Settings], Roles]

PARTINGS: dict[Method, Parting] = {
    Method.STRATIFIED: lambda table, group_N, s: methods.stratified(
        table, group_N, seed=s.seed, fractions=s.fractions, min_class=s.min_class
    ),
    Method.SEEN_UNSEEN: lambda table, group_N, s: methods.seen_unseen(table, group_N, seed=s.seed),
    Method.HELD_OUT_TAXA: lambda table, group_N, s: held_out_taxa(
        table, group_N, seed=s.seed, rank=s.rank or "", held_out=s.held_out, coarse=s.coarse
    ),
    Method.LEAVE_OUT: lambda table, group_N, s: leave_out(
        table, group_N, seed=s.seed, fractions=s.fractions, by=s.by or "", held_out=s.held_out,
        blank=s.blank, min_class=s.min_class,
    ),
    Method.UPSTREAM: lambda table, group_N, _: upstream(table, group_N, names=UPSTREAM_NAMES),
    Method.BY_RECORD: lambda table, _, s: methods.by_record(
        table, seed=s.seed, fractions=s.fractions, min_class=s.min_class
    ),
}  # fmt: skip
"""Each method that makes one split; ``leave-one-out`` is many of ``leave-out``."""


@dataclass(frozen=True)
class Prepared:
    """A collection read and grouped, ready to be parted once or many times.

    Attributes:
        collection: where it comes from.
        table: its columns, N records.
        group_N: int64, the group of each record.
        rows: int64, the records that have all that is required.
        reason_N: what the others lack.
    """

    collection: Collection
    table: pa.Table
    group_N: NDArray[np.int64]
    rows: NDArray[np.int64]
    reason_N: tuple[str | None, ...]


def prepare(collection: Collection, settings: Settings) -> Prepared:
    """Returns the collection with its groups, and which records may be used.

    Raises:
        SplitError: when no record has what is required, or one group of those asked for is too large.
    """
    required = _required(settings.require)
    names = {*SPLIT_COLUMNS, "licence", *(name for name, _ in required.values())}
    table = collection.columns([name for name in COLUMN_NAMES if name in names])
    usable, reasons = _usable(table, required)
    if settings.allow_licence:
        allowed = rows_allowed(table["licence"].to_pylist(), settings.allow_licence)
        for row in np.flatnonzero(usable & ~allowed).tolist():
            reasons[row] = f"licence is none of {', '.join(settings.allow_licence)}"
        usable &= allowed
    rows = np.flatnonzero(usable)
    if not len(rows):
        asked = [*settings.require, *(f"licence {name}" for name in settings.allow_licence)]
        raise SplitError(f"no record has what is required: {first_few(asked)}.")
    kept, near_bits = settings.keep_together, settings.near_duplicates
    group_N = group_records(table, (*TYING_COLUMNS, *kept), near_bits=near_bits)
    tell_of_giants(table.take(rows), group_N[rows], kept, near_bits)
    return Prepared(collection, table, group_N, rows, tuple(reasons))


def make_split(collection: Collection, settings: Settings) -> Split:
    """Returns a split of an open collection, audited; see ``holotype.split``."""
    check_settings(settings)
    return part(prepare(collection, settings), settings)


def part(prepared: Prepared, settings: Settings) -> Split:
    """Returns a split of a prepared collection, audited."""
    rows, table = prepared.rows, prepared.table
    used = table.take(rows)
    roles = PARTINGS[settings.method](used, prepared.group_N[rows], settings)
    if settings.per_class is not None:
        ids = used["record_id"].to_pylist()
        thin_training(
            roles, classes_of(used), ids, per_class=settings.per_class, seed=settings.seed
        )
    whole = Roles.unused(table.num_rows)
    whole.role_N[rows], whole.status_N[rows] = roles.role_N, roles.status_N
    reasons = list(prepared.reason_N)
    for row, reason in zip(rows.tolist(), roles.reason_N, strict=True):
        reasons[row] = reason
    made = Split(
        record_id=tuple(table["record_id"].to_pylist()),
        role_N=whole.role_N,
        status_N=whole.status_N,
        group_N=prepared.group_N,
        reason_N=tuple(reasons),
        made_by={
            **_plain(settings),
            "collection": prepared.collection.name,
            "fingerprint": prepared.collection.fingerprint,
        },
    )
    return replace(made, audit=audit_split(made, table))


def _plain(settings: Settings) -> dict[str, Any]:
    """Returns settings as JSON has them."""
    plain = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in asdict(settings).items()
    }
    return {name: v.value if isinstance(v, StrEnum) else v for name, v in plain.items()}


def _required(require: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Returns for each requirement its column and the value it must have, "" for any."""
    found = {}
    for wanted in require:
        word, _, value = wanted.partition("=")
        name = "image_sha256" if word == "image" else word
        if name not in COLUMN_NAMES:
            raise SplitError(
                f"--require {wanted}: a collection has no column '{word}'."
                f"{did_you_mean(word, COLUMN_NAMES)}"
            )
        found[wanted] = (name, value)
    return found


def _usable(
    table: pa.Table, required: dict[str, tuple[str, str]]
) -> tuple[NDArray[np.bool_], list[str | None]]:
    """Returns which records have all that is required, and for the others what they lack."""
    usable = np.ones(table.num_rows, dtype=np.bool_)
    reasons: list[str | None] = [None] * table.num_rows
    for wanted, (name, value) in required.items():
        for row, found in enumerate(table[name].to_pylist()):
            if found is None or (value and str(found) != value):
                usable[row] = False
                reasons[row] = f"{wanted} is required"
    return usable, reasons
