"""Whole genera, families or orders that training never saw: CLIBD's keys and queries at a higher rank.

Seen and unseen species share genera, so a model may name the genus of an unseen species from its sisters.
Here every record of a held-out taxon is a key or a query. A record that only says the family, of which a
genus is held out, might be of that genus; it is left out, or trains if the user says so, and is counted.
"""

from collections import defaultdict
from collections.abc import Sequence
from enum import StrEnum

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from holotype.errors import SplitError, did_you_mean, first_few
from holotype.splits.methods import COMMON_RECORDS, SEEN_FRACTION, SEEN_PARTS
from holotype.splits.plan import Role, Status
from holotype.splits.ranks import Taxa, taxa_at
from holotype.splits.roles import (
    Parts,
    Roles,
    classes_of,
    deal,
    groups_by,
    in_hash_order,
    names_in_hash_order,
)

Keyed = dict[object, list[list[int]]]
"""Groups, as lists of rows, by species or class."""


class Coarse(StrEnum):
    """What becomes of records that might be of a held-out taxon although their label does not say so."""

    LEAVE_OUT = "leave-out"
    TRAIN = "train"


def held_out_taxa(
    table: pa.Table,
    group_N: NDArray[np.int64],
    *,
    seed: int,
    rank: str,
    held_out: Sequence[str] = (),
    coarse: Coarse = Coarse.LEAVE_OUT,
) -> Roles:
    """Holds whole taxa of a rank out; half of each of their species are keys, the other half queries.

    Records of other taxa are dealt to train, key, test and val by species, as those of seen species.

    Args:
        table: the records.
        group_N: int64, their groups.
        seed: of the choice and the shuffling.
        rank: ``kingdom`` to ``species``, or ``written_label``.
        held_out: the taxa; without any, a fifth of those with at least ten records is chosen. They are
            queries of test and val in turn, test first.
        coarse: what becomes of records that might be of them.

    Raises:
        SplitError: for a taxon that is not there, or when none or all would be held out.
    """
    taxa = taxa_at(table, rank)
    chosen = _chosen(taxa, held_out, seed)
    ids = table["record_id"].to_pylist()
    species, classes = table["species"].to_pylist(), classes_of(table)
    key_N = [name or pair for name, pair in zip(species, classes, strict=True)]
    taxon_N, possible_N = taxa.taxon_N.tolist(), taxa.may_be(chosen).tolist()
    roles = Roles.unused(table.num_rows)
    unseen: dict[str, Keyed] = {name: defaultdict(list) for name in chosen}
    seen: Keyed = defaultdict(list)
    for key, groups in groups_by(group_N, key_N).items():
        for rows in groups:
            names = {taxa.names[taxon_N[row]] for row in rows if taxon_N[row] >= 0}
            if len(names) > 1 and names & unseen.keys():
                roles.leave_out(rows, f"one group bears a held-out {rank} and another one")
            elif names & unseen.keys():
                unseen[names.pop()][key].append(rows)
            elif names or not any(possible_N[row] for row in rows):
                seen[key].append(rows)
            elif coarse is Coarse.TRAIN:
                roles.give(rows, Role.TRAIN, Status.UNNAMED)
            else:
                roles.leave_out(rows, f"might be of a held-out {rank}")

    def deal_out(keyed: Keyed, parts: Parts, status: Status) -> None:
        for key, groups in keyed.items():
            ordered = in_hash_order(groups, ids, seed, status, str(key))
            for role, rows in deal(ordered, parts).items():
                roles.give(rows, role, status)

    nameless: Keyed = {None: seen.pop(None, [])}
    deal_out(nameless, ((Role.TRAIN, 1.0),), Status.UNNAMED)
    deal_out(seen, SEEN_PARTS, Status.SEEN)
    for position, name in enumerate(chosen):
        query = Role.TEST if position % 2 == 0 else Role.VAL
        deal_out(unseen[name], ((Role.KEY, 0.5), (query, 0.5)), Status.UNSEEN)
    if not (roles.role_N == Role.TRAIN.value).any():
        raise SplitError(f"with {first_few(chosen)} held out, no record is left to train on.")
    return roles


def _chosen(taxa: Taxa, held_out: Sequence[str], seed: int) -> list[str]:
    """Returns the taxa to hold out: those named, or a fifth of the common ones."""
    for name in held_out:
        if name not in taxa.names:
            raise SplitError(
                f"no {taxa.rank} '{name}' in the collection.{did_you_mean(name, taxa.names)}"
            )
    if held_out:
        return names_in_hash_order(sorted(set(held_out)), seed, "taxa", taxa.rank)
    size_V = np.bincount(taxa.taxon_N[taxa.taxon_N >= 0], minlength=len(taxa.names))
    common = [n for n, size in zip(taxa.names, size_V, strict=True) if size >= COMMON_RECORDS]
    chosen = names_in_hash_order(common, seed, "taxa", taxa.rank)[
        round(SEEN_FRACTION * len(common)) :
    ]
    if not chosen:
        raise SplitError(
            f"too few {taxa.rank} names with {COMMON_RECORDS} records to choose from ({len(common)}). "
            "Name those to hold out with --held-out."
        )
    return chosen
