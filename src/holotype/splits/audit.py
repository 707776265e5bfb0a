"""The proof that a split does not leak: counted, not assumed."""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from holotype.splits.groups import TYING_COLUMNS, tying_values
from holotype.splits.plan import Role, Split, Status

JUDGED_ON = (Role.VAL.value, Role.TEST.value)


def audit_split(split: Split, table: pa.Table) -> dict[str, Any]:
    """Returns what crosses the lines of a split, from the records themselves, not from its groups.

    Returns:
        ``crossing``: for each tying column, how many values occur in more than one role that matters
        (train, val, test, key); ``unseen_in_train``: species called unseen that training names;
        ``seen_not_in_train``: species called seen that training lacks; ``without_key``: queries whose
        species has no key; ``unused``: records left out, by reason; ``counts`` by role and status; and
        ``clean``: whether nothing crosses.
    """
    role_N = split.role_N
    used_N = role_N != Role.UNUSED.value
    crossing = {column: _crossing(tying_values(table, column), role_N) for column in TYING_COLUMNS}
    species_N = np.asarray(table["species"].to_pylist(), dtype=object)
    in_train = set(species_N[role_N == Role.TRAIN.value].tolist()) - {None}
    in_keys = set(species_N[role_N == Role.KEY.value].tolist()) - {None}
    status_N = split.status_N
    unseen = set(species_N[used_N & (status_N == Status.UNSEEN.value)].tolist()) - {None}
    seen = set(species_N[used_N & (status_N == Status.SEEN.value)].tolist()) - {None}
    queries = np.isin(role_N, JUDGED_ON)
    without_key = sum(name is not None and name not in in_keys for name in species_N[queries])
    reasons: dict[str, int] = {}
    for row in np.flatnonzero(~used_N).tolist():
        reason = split.reason_N[row] or "no part asked for it"
        reasons[reason] = reasons.get(reason, 0) + 1
    return {
        "clean": not any(crossing.values()) and not (unseen & in_train),
        "crossing": crossing,
        "unseen_in_train": sorted(unseen & in_train),
        "seen_not_in_train": len(seen - in_train),
        "without_key": int(without_key) if split.has_keys else None,
        "unused": dict(sorted(reasons.items())),
        "counts": split.counts(),
    }


def _crossing(value_N: list[object], role_N: NDArray[np.str_]) -> int:
    """Returns how many values occur in more than one role, unused records aside."""
    roles: dict[object, set[str]] = {}
    for value, role in zip(value_N, role_N.tolist(), strict=True):
        if value is not None and role != Role.UNUSED.value:
            roles.setdefault(value, set()).add(role)
    return sum(len(found) > 1 for found in roles.values())
