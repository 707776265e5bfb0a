"""The command ``split``: a collection -> a split file with its audit."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from holotype.collection.store import Collection, open_collection
from holotype.errors import SplitError, did_you_mean, first_few
from holotype.progress import note
from holotype.splits import methods
from holotype.splits.audit import audit_split
from holotype.splits.groups import group_records
from holotype.splits.plan import Role, Split, write_split


class Method(StrEnum):
    """How to part a collection."""

    STRATIFIED = "stratified"
    SEEN_UNSEEN = "seen-unseen"
    UPSTREAM = "upstream"
    INSTRUMENT = "instrument"


@dataclass(frozen=True)
class SplitReport:
    """What a split holds.

    Attributes:
        split: its file.
        counts: records by "role status".
        audit: what crosses its lines; ``audit["clean"]`` says whether nothing does.
    """

    split: str
    counts: dict[str, int]
    audit: dict[str, Any]


def split(
    collection: Path | str,
    *,
    out: Path | str,
    method: Method | str = Method.STRATIFIED,
    seed: int = 0,
    fractions: Sequence[float] = (0.7, 0.1, 0.2),
    held_out: str | None = None,
    require: Sequence[str] = (),
) -> SplitReport:
    """Parts a collection and writes the split with its audit.

    Records of one specimen, with identical image bytes or with identical barcodes never cross.

    Args:
        collection: its folder.
        out: the file to write.
        method: ``stratified`` (same shares of every class), ``seen-unseen`` (CLIBD's keys and queries by
            species), ``upstream`` (as the source published), ``instrument`` (test on one, train on others).
        seed: of the shuffling.
        fractions: train, val and test, for ``stratified`` and ``instrument``.
        held_out: the instrument to test on.
        require: what a record must have to be used: ``barcode``, ``image``, ``marker=COI-5P``.

    Raises:
        SplitError, CollectionError: when the collection or the settings do not allow it.
    """
    if method not in set(Method):
        raise SplitError(f"no method '{method}'.{did_you_mean(str(method), [*Method])}")
    opened = open_collection(Path(collection))
    made = make_split(
        opened, Method(method), seed=seed, fractions=fractions, held_out=held_out, require=require
    )
    write_split(made, Path(out))
    _tell_markers(opened, made)
    return SplitReport(str(out), made.counts(), made.audit)


def _tell_markers(collection: Collection, made: Split) -> None:
    """Notes on stderr when barcodes of several markers would be compared with one another."""
    used = pa.array(made.role_N != Role.UNUSED.value)
    found = set(collection.columns(["marker"])["marker"].filter(used).to_pylist()) - {None}
    if len(found) > 1:
        note(
            f"the split holds barcodes of several markers ({first_few(sorted(found))}), which cannot be "
            f"compared; keep one with --require marker={sorted(found)[0]}"
        )


def make_split(
    collection: Collection,
    method: Method,
    *,
    seed: int,
    fractions: Sequence[float],
    held_out: str | None = None,
    require: Sequence[str] = (),
) -> Split:
    """Returns a split of an open collection, audited; see ``split``."""
    table = collection.columns()
    usable, reasons = _usable(table, require)
    rows = np.flatnonzero(usable)
    part = table.take(rows)
    group_N = group_records(table)
    groups = group_N[rows]
    if not len(rows):
        raise SplitError(f"no record has what is required: {first_few(list(require))}.")
    if method is Method.STRATIFIED:
        roles = methods.stratified(part, groups, seed=seed, fractions=fractions)
    elif method is Method.SEEN_UNSEEN:
        roles = methods.seen_unseen(part, groups, seed=seed)
    elif method is Method.UPSTREAM:
        roles = methods.upstream(part, groups, names=methods.UPSTREAM_NAMES)
    elif held_out is None:
        raise SplitError("--method instrument: name the instrument to test on with --held-out.")
    else:
        roles = methods.held_out_instrument(
            part, groups, seed=seed, fractions=fractions, held_out=held_out
        )
    whole = methods.Roles.unused(table.num_rows)
    whole.role_N[rows], whole.status_N[rows] = roles.role_N, roles.status_N
    for row, reason in zip(rows.tolist(), roles.reason_N, strict=True):
        reasons[row] = reason
    made = Split(
        record_id=tuple(table["record_id"].to_pylist()),
        role_N=whole.role_N,
        status_N=whole.status_N,
        group_N=group_N,
        reason_N=tuple(reasons),
        made_by={
            "method": method.value,
            "seed": seed,
            "fractions": list(fractions),
            "held_out": held_out,
            "require": list(require),
            "collection": collection.name,
            "fingerprint": collection.fingerprint,
        },
    )
    return Split(**{**vars(made), "audit": audit_split(made, table)})


def _usable(table: pa.Table, require: Sequence[str]) -> tuple[NDArray[np.bool_], list[str | None]]:
    """Returns which records have all that is required, and for the others what they lack."""
    usable = np.ones(table.num_rows, dtype=np.bool_)
    reasons: list[str | None] = [None] * table.num_rows
    for wanted in require:
        column, _, value = wanted.partition("=")
        name = "image_sha256" if column == "image" else column
        if name not in table.column_names:
            raise SplitError(
                f"--require {wanted}: a collection has no column '{column}'."
                f"{did_you_mean(column, ['image', *table.column_names])}"
            )
        for row, found in enumerate(table[name].to_pylist()):
            if found is None or (value and str(found) != value):
                usable[row] = False
                reasons[row] = f"{wanted} is required"
    return usable, reasons
