"""Stratified parts, and parts by seen and unseen species. Roles are given to groups, not to single records.

``seen_unseen`` follows CLIBD's partition (Gong et al. 2024, arXiv 2405.17537) with two deviations: what is
dealt out are groups (specimen, identical image, identical haplotype), not records; and a group that bears
several species names is left out, with the reason, because it would tie a seen to an unseen species.
"""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from holotype.errors import SplitError
from holotype.splits.plan import Role, Status, fractions_or_raise
from holotype.splits.roles import (
    Roles,
    classes_of,
    deal,
    groups_by,
    in_hash_order,
    names_in_hash_order,
)

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


def stratified(
    table: pa.Table,
    group_N: NDArray[np.int64],
    *,
    seed: int,
    fractions: Sequence[float],
    min_class: int = 1,
) -> Roles:
    """Parts every class (source with written label, else with taxon) in the same proportions.

    Classes of fewer than ``min_class`` records go whole to training.
    """
    fractions_or_raise(fractions)
    ids = table["record_id"].to_pylist()
    parts = list(zip((Role.TRAIN, Role.VAL, Role.TEST), fractions, strict=True))
    roles = Roles.unused(table.num_rows)
    for name, groups in groups_by(group_N, classes_of(table)).items():
        status = Status.SEEN if name is not None else Status.UNNAMED
        if sum(map(len, groups)) < min_class:
            roles.give([row for rows in groups for row in rows], Role.TRAIN, status)
            continue
        ordered = in_hash_order(groups, ids, seed, "stratified", str(name))
        for role, rows in deal(ordered, parts).items():
            roles.give(rows, role, status)
    return roles


def by_record(
    table: pa.Table, *, seed: int, fractions: Sequence[float], min_class: int = 1
) -> Roles:
    """Parts every class in the same proportions, record by record, as most published splits were made.

    Nothing is kept together, so the split leaks wherever the collection has copies; the audit counts them.
    It is for repeating published protocols, and for measuring what their leaks are worth.
    """
    alone = np.arange(table.num_rows, dtype=np.int64)
    return stratified(table, alone, seed=seed, fractions=fractions, min_class=min_class)


def seen_unseen(table: pa.Table, group_N: NDArray[np.int64], *, seed: int) -> Roles:
    """Parts species into seen and unseen, with keys and queries, as CLIBD does but by group."""
    species, ids = table["species"].to_pylist(), table["record_id"].to_pylist()
    roles = Roles.unused(table.num_rows)
    by_species: dict[str, list[list[int]]] = defaultdict(list)
    for rows in (rows for groups in groups_by(group_N, species).values() for rows in groups):
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
    common = [name for name in size if size[name] >= COMMON_RECORDS]
    tail = [name for name in size if 2 <= size[name] < COMMON_RECORDS]
    shuffled = names_in_hash_order(common, seed, "species")
    num_seen = round(SEEN_FRACTION * len(shuffled))
    for name in (name for name in size if size[name] == 1):
        roles.give(by_species[name][0], Role.UNUSED, Status.UNSEEN)
        roles.leave_out(by_species[name][0], "the species has one record")
    for name in shuffled[:num_seen]:
        groups = in_hash_order(by_species[name], ids, seed, "seen", name)
        for role, rows in deal(groups, SEEN_PARTS).items():
            roles.give(rows, role, Status.SEEN)
    for unseen in (shuffled[num_seen:], names_in_hash_order(tail, seed, "species")):
        for position, name in enumerate(unseen):
            query = Role.VAL if position % 2 == 0 else Role.TEST
            groups = in_hash_order(by_species[name], ids, seed, "unseen", name)
            for role, rows in deal(groups, ((Role.KEY, 0.5), (query, 0.5))).items():
                roles.give(rows, role, Status.UNSEEN)
    return roles
