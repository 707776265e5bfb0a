"""The parts that a source published, kept as they are but for copies of tested records in training."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from holotype.errors import SplitError, first_few
from holotype.splits.plan import Role, Status
from holotype.splits.roles import Roles


def upstream(table: pa.Table, group_N: NDArray[np.int64], *, names: Mapping[str, str]) -> Roles:
    """Keeps the parts that the source published; ``names`` maps its words to roles.

    Of a group that the source put in several parts, only the records of one stay: those to be tested, else
    to validate, else the keys; the others are left out, with the reason.
    """
    written = table["upstream_split"].to_pylist()
    unknown = sorted({word for word in written if word is not None and word.lower() not in names})
    if unknown:
        raise SplitError(
            f"the source's parts {first_few(unknown)} are no roles. Known: {first_few([*names], limit=20)}."
        )
    if all(word is None for word in written):
        raise SplitError("no record says which part its source put it in (upstream_split is null).")
    species = table["species"].to_pylist()
    roles = Roles.unused(table.num_rows)
    words = [names.get(word.lower()) if word else None for word in written]
    for row, word in enumerate(words):
        if word is None:
            roles.leave_out([row], "the source puts it in no part")
            continue
        role, status = word.split()
        named = species[row] is not None or status == Status.UNSEEN.value
        roles.give([row], Role(role), Status(status) if named else Status.UNNAMED)
    kept: dict[int, str] = {}
    for group, role in zip(group_N.tolist(), roles.role_N.tolist(), strict=True):
        if role in _PRECEDENCE:
            kept[group] = max(role, kept.get(group, role), key=_PRECEDENCE.index)
    for row, (group, role) in enumerate(zip(group_N.tolist(), roles.role_N.tolist(), strict=True)):
        if role in _PRECEDENCE and role != kept[group]:
            roles.leave_out([row], f"tied to a record that the source puts in {kept[group]}")
    return roles


_PRECEDENCE = (Role.TRAIN.value, Role.KEY.value, Role.VAL.value, Role.TEST.value)

UPSTREAM_NAMES: dict[str, str] = {
    "train": "train seen",
    "training": "train seen",
    "pretrain": "train unnamed",
    "val": "val seen",
    "valid": "val seen",
    "validation": "val seen",
    "test": "test seen",
    "key_unseen": "key unseen",
    "val_unseen": "val unseen",
    "test_unseen": "test unseen",
    "no_split": "train unnamed",
    "train_seen": "train seen",
    "val_seen": "val seen",
    "test_seen": "test seen",
    "seen_keys": "key seen",
    "val_unseen_keys": "key unseen",
    "test_unseen_keys": "key unseen",
    "other_heldout": "unused unseen",
    "single_species": "unused unseen",
}
"""The parts of BIOSCAN-5M, of CLIBD's BIOSCAN-1M, and plain ones, as "role status"."""
