"""The ways to part a collection. Each gives roles to groups, never to single records.

``seen_unseen`` follows CLIBD's partition (Gong et al. 2024, arXiv 2405.17537) with two deviations: what is
dealt out are groups (specimen, identical image, identical haplotype), not records; and a group that bears
several species names is left out, with the reason, because it would tie a seen to an unseen species.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from holotype.collection.store import concepts_of
from holotype.errors import SplitError, first_few
from holotype.randomness import generator
from holotype.splits.plan import Role, Status, fractions_or_raise

COMMON_RECORDS = 10
"""A species with at least as many records is common (CLIBD)."""
SEEN_FRACTION = 0.8
SEEN_PARTS: tuple[tuple[Role, float], ...] = (
    (Role.TRAIN, 0.7),
    (Role.KEY, 0.1),
    (Role.TEST, 0.1),
    (Role.VAL, 0.1),
)
"""In this order groups are dealt out: a species with few haplotypes gets a key before it gets a query."""


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
        """Notes why records have no role."""
        for row in rows:
            self.reason_N[row] = reason


def _groups_by(
    group_N: NDArray[np.int64], key_N: Sequence[object]
) -> dict[object, list[list[int]]]:
    """Returns for each key its groups as lists of rows; a group goes with its commonest key."""
    rows_of_group: dict[int, list[int]] = defaultdict(list)
    for row, group in enumerate(group_N.tolist()):
        rows_of_group[group].append(row)
    by_key: dict[object, list[list[int]]] = defaultdict(list)
    for rows in rows_of_group.values():
        (key, _), *_ = Counter(key_N[row] for row in rows).most_common(1)
        by_key[key].append(rows)
    return by_key


def deal(
    groups: Sequence[list[int]], parts: Sequence[tuple[Role, float]], rng: np.random.Generator
) -> dict[Role, list[int]]:
    """Returns rows by role: shuffled groups go, one by one, to the part that lacks most records.

    A part's lack is its share of all records less what it has; parts named first win ties, so one
    group alone goes to the first part.
    """
    total = sum(map(len, groups))
    dealt: dict[Role, list[int]] = {role: [] for role, _ in parts}
    order = rng.permutation(len(groups))
    for index in sorted(order.tolist(), key=lambda i: -len(groups[i]) if len(groups[i]) > 1 else 0):
        lacking = {role: share * total - len(dealt[role]) for role, share in parts}
        dealt[max(lacking, key=lambda role: lacking[role])] += groups[index]
    return dealt


def stratified(
    table: pa.Table, group_N: NDArray[np.int64], *, seed: int, fractions: Sequence[float]
) -> Roles:
    """Parts every class (written label, else concept) in the same proportions."""
    fractions_or_raise(fractions)
    labels = table["written_label"].to_pylist()
    concepts = concepts_of(table)
    classes = [
        (source, label) if label is not None else concept.name if concept else None
        for source, label, concept in zip(
            table["source"].to_pylist(), labels, concepts, strict=True
        )
    ]
    parts = list(zip((Role.TRAIN, Role.VAL, Role.TEST), fractions, strict=True))
    roles = Roles.unused(table.num_rows)
    for name, groups in sorted(_groups_by(group_N, classes).items(), key=lambda kv: str(kv[0])):
        rng = generator(seed, "stratified", str(name))
        for role, rows in deal(groups, parts, rng).items():
            roles.give(rows, role, Status.SEEN if name is not None else Status.UNNAMED)
    return roles


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
            roles.give([row], Role.UNUSED, Status(roles.status_N[row]))
            roles.leave_out([row], f"identical to a record that the source puts in {kept[group]}")
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


def seen_unseen(table: pa.Table, group_N: NDArray[np.int64], *, seed: int) -> Roles:
    """Parts species into seen and unseen, with keys and queries, as CLIBD does but by group."""
    species = table["species"].to_pylist()
    roles = Roles.unused(table.num_rows)
    by_species: dict[str, list[list[int]]] = defaultdict(list)
    for rows in (rows for groups in _groups_by(group_N, species).values() for rows in groups):
        names = {species[row] for row in rows} - {None}
        if len(names) > 1:
            roles.leave_out(rows, "one group bears several species names")
        elif not names:
            roles.give(rows, Role.TRAIN, Status.UNNAMED)
        else:
            by_species[names.pop()].append(rows)
    size = {name: sum(map(len, groups)) for name, groups in by_species.items()}
    if not size:
        raise SplitError("no record has a species name, so there are no seen or unseen species.")
    rng = generator(seed, "seen-unseen", "species")
    common = [name for name in sorted(size) if size[name] >= COMMON_RECORDS]
    tail = [name for name in sorted(size) if 2 <= size[name] < COMMON_RECORDS]
    shuffled = [common[i] for i in rng.permutation(len(common))]
    num_seen = round(SEEN_FRACTION * len(shuffled))
    for name in (name for name in sorted(size) if size[name] == 1):
        rows = by_species[name][0]
        roles.give(rows, Role.UNUSED, Status.UNSEEN)
        roles.leave_out(rows, "the species has one record")
    for name in shuffled[:num_seen]:
        dealt = deal(by_species[name], SEEN_PARTS, generator(seed, "seen", name))
        for role, rows in dealt.items():
            roles.give(rows, role, Status.SEEN)
    for unseen in (shuffled[num_seen:], [tail[i] for i in rng.permutation(len(tail))]):
        for position, name in enumerate(unseen):
            query = Role.VAL if position % 2 == 0 else Role.TEST
            halves = ((Role.KEY, 0.5), (query, 0.5))
            dealt = deal(by_species[name], halves, generator(seed, "unseen", name))
            for role, rows in dealt.items():
                roles.give(rows, role, Status.UNSEEN)
    return roles


def held_out_instrument(
    table: pa.Table,
    group_N: NDArray[np.int64],
    *,
    seed: int,
    fractions: Sequence[float],
    held_out: str,
) -> Roles:
    """Tests on one instrument and trains on the others; val comes from the others."""
    instruments = table["instrument"].to_pylist()
    known = sorted({name for name in instruments if name is not None})
    if held_out not in known:
        raise SplitError(f"no instrument '{held_out}'. The collection has: {first_few(known)}.")
    fractions_or_raise(fractions)
    inner = (fractions[0] + fractions[2], fractions[1], 0.0)
    roles = stratified(table, group_N, seed=seed, fractions=inner)
    tested = {g for g, name in zip(group_N.tolist(), instruments, strict=True) if name == held_out}
    for row, (group, name) in enumerate(zip(group_N.tolist(), instruments, strict=True)):
        if name == held_out:
            roles.give([row], Role.TEST, Status(roles.status_N[row]))
        elif group in tested:
            roles.give([row], Role.UNUSED, Status(roles.status_N[row]))
            roles.leave_out([row], f"its specimen was also imaged by {held_out}")
    return roles
