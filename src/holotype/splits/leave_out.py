"""Tests on what training never saw: an instrument, a site, a cruise, a year or a source is held out."""

from collections.abc import Sequence
from enum import StrEnum

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from holotype.errors import SplitError, did_you_mean, first_few
from holotype.splits.columns import Coded, coded, separating_or_raise
from holotype.splits.methods import stratified
from holotype.splits.plan import Role, Status, fractions_or_raise
from holotype.splits.roles import Roles


class Blank(StrEnum):
    """What becomes of records that do not say where they belong: they could be of what is held out."""

    LEAVE_OUT = "leave-out"
    TRAIN = "train"


def leave_out(
    table: pa.Table,
    group_N: NDArray[np.int64],
    *,
    seed: int,
    fractions: Sequence[float],
    by: str,
    held_out: Sequence[str],
    blank: Blank = Blank.LEAVE_OUT,
    min_class: int = 1,
) -> Roles:
    """Tests on the records with the held-out values and trains on the others; val comes from the others.

    Records of other values that are tied to tested ones (the same specimen on two instruments) are left out.
    Ids that mean something only within a source are written with it: ``uvp6/12``.

    Args:
        table: the records.
        group_N: int64, their groups.
        seed: of the shuffling.
        fractions: train, val, test; the share of test goes to train.
        by: one of ``SEPARATING_COLUMNS``.
        held_out: values of it.
        blank: what becomes of records without a value.
        min_class: classes of fewer records go whole to training.

    Raises:
        SplitError: for a column or value that is not there, or when nothing is left to train on.
    """
    separating_or_raise("--by", by)
    fractions_or_raise(fractions)
    found = coded(table, by)
    tested = np.isin(found.code_N, _places_or_raise(found, by, held_out))
    inner = (fractions[0] + fractions[2], fractions[1], 0.0)
    roles = stratified(table, group_N, seed=seed, fractions=inner, min_class=min_class)
    named = ", ".join(held_out)
    tied = np.isin(group_N, np.unique(group_N[tested])) & ~tested
    roles.leave_out(np.flatnonzero(tied).tolist(), f"tied to a record of {by} {named}, held out")
    blank_N = (found.code_N < 0) & ~tied
    if blank is Blank.LEAVE_OUT:
        roles.leave_out(np.flatnonzero(blank_N).tolist(), f"no {by} is given")
    roles.role_N[tested] = Role.TEST.value
    in_class = roles.status_N != Status.UNNAMED.value
    if not ((roles.role_N == Role.TRAIN.value) & in_class).any():
        raise SplitError(f"with {by} {named} held out, no named record is left to train on.")
    return roles


def _places_or_raise(found: Coded, by: str, held_out: Sequence[str]) -> NDArray[np.int64]:
    if not held_out:
        raise SplitError(f"name the {by} to test on with --held-out. Known: {_known(found)}.")
    place = {value: i for i, value in enumerate(found.values)}
    for value in held_out:
        if value not in place:
            known = [name for name in found.values if name.endswith(f"/{value}")] or found.values
            raise SplitError(
                f"no {by} '{value}'. The collection has: {_known(found)}.{did_you_mean(value, known)}"
            )
    return np.asarray([place[value] for value in held_out], dtype=np.int64)


def _known(found: Coded) -> str:
    return first_few(sorted(found.values), limit=12) or "none"
