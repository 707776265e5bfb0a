"""Roles under construction, and how groups of records are dealt to them.

Groups stand in the order of a hash of the seed and of their first record's id, not in the order of the
collection: another order of the records, or another source beside them, changes no role.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from holotype.collection.store import concepts_of
from holotype.errors import SplitError
from holotype.randomness import stream_seed
from holotype.splits.plan import Role, Status

Parts = Sequence[tuple[Role, float]]
ClassKey = tuple[str, str] | None
"""Source and label or taxon; None for records that bear neither."""


@dataclass
class Roles:
    """Roles under construction: everything is unused until it is given a role."""

    role_N: NDArray[np.str_]
    status_N: NDArray[np.str_]
    reason_N: list[str | None]

    @classmethod
    def unused(cls, count: int) -> "Roles":
        """Returns roles of so many records, all unused."""
        return cls(
            np.full(count, Role.UNUSED.value, dtype="<U8"),
            np.full(count, Status.UNNAMED.value, dtype="<U8"),
            [None] * count,
        )

    def give(self, rows: Sequence[int], role: Role, status: Status) -> None:
        """Gives records a role and a status."""
        self.role_N[rows], self.status_N[rows] = role.value, status.value

    def leave_out(self, rows: Sequence[int], reason: str) -> None:
        """Takes the role of records away and notes why."""
        self.role_N[rows] = Role.UNUSED.value
        for row in rows:
            self.reason_N[row] = reason


def classes_of(table: pa.Table) -> list[ClassKey]:
    """Returns the class of each record within its source: the written label, else the taxon."""
    names, sources = table["written_label"].to_pylist(), table["source"].to_pylist()
    unlabelled = np.flatnonzero([name is None for name in names]).astype(np.int64)
    concepts = concepts_of(table.take(unlabelled))
    for row, concept in zip(unlabelled.tolist(), concepts, strict=True):
        names[row] = concept.name if concept else None
    return [
        None if name is None else (source, name)
        for source, name in zip(sources, names, strict=True)
    ]


def groups_by(group_N: NDArray[np.int64], key_N: Sequence[object]) -> dict[object, list[list[int]]]:
    """Returns for each key its groups as lists of rows; a group goes with its commonest key."""
    rows_of_group: dict[int, list[int]] = defaultdict(list)
    for row, group in enumerate(group_N.tolist()):
        rows_of_group[group].append(row)
    by_key: dict[object, list[list[int]]] = defaultdict(list)
    for rows in rows_of_group.values():
        key = key_N[rows[0]]
        if len(rows) > 1:
            counts = Counter(key_N[row] for row in rows)
            key = min(counts, key=lambda k: (-counts[k], str(k)))
        by_key[key].append(rows)
    return by_key


def in_hash_order(
    groups: Sequence[list[int]], id_N: Sequence[str], seed: int, *stream: str
) -> list[list[int]]:
    """Returns the groups in the order of a hash of the seed, the stream and each group's smallest id."""

    def place(rows: list[int]) -> tuple[int, str]:
        name = id_N[rows[0]] if len(rows) == 1 else min(id_N[row] for row in rows)
        return stream_seed(seed, *stream, name), name

    return sorted(groups, key=place)


def names_in_hash_order(names: Sequence[str], seed: int, *stream: str) -> list[str]:
    """Returns names in the order of a hash of the seed, the stream and each name."""
    return sorted(names, key=lambda name: (stream_seed(seed, *stream, name), name))


def deal(groups: Sequence[list[int]], parts: Parts) -> dict[Role, list[int]]:
    """Returns rows by role: groups go, one by one, to the part that lacks most records; large ones first.

    A part's lack is its share of all records less what it has; parts named first win ties, so one
    group alone goes to the first part. Groups of one size keep their order.
    """
    total = sum(map(len, groups))
    dealt: dict[Role, list[int]] = {role: [] for role, _ in parts}
    lacking = [share * total for _, share in parts]
    for rows in sorted(groups, key=lambda rows: -len(rows)):
        most = lacking.index(max(lacking))
        dealt[parts[most][0]] += rows
        lacking[most] -= len(rows)
    return dealt


def thin_training(
    roles: Roles, key_N: Sequence[object], id_N: Sequence[str], *, per_class: int, seed: int
) -> None:
    """Leaves at most so many training records in each class; the others are unused, with the reason.

    Records of no class stay. With one seed, the records of a smaller number are among those of a larger one.
    """
    if per_class < 1:
        raise SplitError(f"--per-class {per_class}: give 1 or more.")
    by_key: dict[object, list[int]] = defaultdict(list)
    for row in np.flatnonzero(roles.role_N == Role.TRAIN.value).tolist():
        if key_N[row] is not None:
            by_key[key_N[row]].append(row)
    for rows in by_key.values():
        ordered = sorted(rows, key=lambda row: stream_seed(seed, "per-class", id_N[row]))
        roles.leave_out(ordered[per_class:], f"training keeps {per_class} records of each class")
