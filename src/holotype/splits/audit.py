"""The proof that a split does not leak: counted from the records, not assumed from its groups.

What each figure means, and which of them are leaks: ``holotype.splits.findings``.
"""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from holotype.splits.columns import Coded, coded
from holotype.splits.groups import NEAR_DUPLICATES, TYING_COLUMNS
from holotype.splits.near import audited_bits, near_images
from holotype.splits.plan import Role, Split, Status
from holotype.splits.ranks import LABEL, taxa_at
from holotype.splits.upstream import UPSTREAM_NAMES
from holotype.taxonomy.lineage import LINNAEAN_RANKS

JUDGED_ON = (Role.VAL.value, Role.TEST.value)
LEARNT_FROM = (Role.TRAIN.value, Role.VAL.value)
SHARED_COLUMNS = ("acquisition_id", "sample_id", "site", "cruise", "date")
"""What records in two roles may have in common although the split did not promise to part it."""
_ROLES = (Role.TRAIN.value, Role.VAL.value, Role.TEST.value, Role.KEY.value)
_EXAMPLES = 3

Examples = dict[str, list[list[str]]]


def audit_split(split: Split, table: pa.Table) -> dict[str, Any]:
    """Returns what crosses the lines of a split, from the records themselves, not from its groups.

    Memory: about 500 bytes a record beside the table. Time: some 10 s for a million records.

    Args:
        split: rows in the order of the table.
        table: the collection's columns.

    Returns:
        The keys that docs/formats/split.md lists: ``clean``; ``crossing`` (what the split must part and does
        not, by column); ``shared`` (what it did not promise to part); unseen taxa in training; copies with
        conflicting labels; and ``examples``, ids of records for each figure that is not 0.
    """
    made_by, ids = split.made_by, split.record_id
    side_N = np.full(len(split.role_N), -1, dtype=np.int64)
    for place, role in enumerate(_ROLES):
        side_N[split.role_N == role] = place
    examples: Examples = {}
    crossing: dict[str, int] = {}
    shared: dict[str, int] = {}
    claimed = [*TYING_COLUMNS, *made_by.get("keep_together", ())]
    by = made_by.get("by")
    for column in [*claimed, *(c for c in SHARED_COLUMNS if c not in (*claimed, by))]:
        found = coded(table, column)
        places = _crossing(found.code_N, side_N, len(found.values))
        (crossing if column in claimed else shared)[column] = len(places)
        _give_examples(examples, column, ids, found.code_N, side_N, places)
    if by is not None and by not in claimed:
        found = coded(table, by)
        tested_N = np.where(side_N < 0, -1, ~np.isin(split.role_N, LEARNT_FROM))
        places = _crossing(found.code_N, tested_N, len(found.values))
        crossing[by] = len(places)
        _give_examples(examples, by, ids, found.code_N, tested_N, places)
    asked_bits = made_by.get("near_duplicates")
    near_bits = audited_bits(table.num_rows) if asked_bits is None else int(asked_bits)
    near = _near_duplicates(table, side_N, ids, near_bits, examples)
    (shared if asked_bits is None else crossing)[NEAR_DUPLICATES] = near
    taxa = _taxa_found(split, table)
    copies = _conflicting(table, side_N, ids, examples)
    upstream = _tested_upstream(split, table, examples)
    promised = made_by.get("method") == "upstream"
    twice = int(made_by.get("listed_twice", 0))
    leaks = [*crossing.values(), len(taxa["unseen_in_train"]), twice, upstream if promised else 0]
    return {
        "clean": not any(leaks),
        "crossing": crossing,
        "shared": shared,
        "near_bits": near_bits,
        **taxa,
        "conflicting_labels": copies,
        "tested_upstream_in_train": upstream,
        "listed_twice": twice,
        **_classes_found(split, table),
        "unused": _unused(split),
        "counts": split.counts(),
        "examples": examples,
    }


def _crossing(
    code_N: NDArray[np.int64], side_N: NDArray[np.int64], count: int
) -> NDArray[np.int64]:
    """Returns the values (as numbers) that occur on more than one side; -1 is no value or no side."""
    used = (code_N >= 0) & (side_N >= 0)
    present = np.zeros((len(_ROLES), count), dtype=np.bool_)
    present[side_N[used], code_N[used]] = True
    return np.flatnonzero(present.sum(axis=0) > 1)


def _give_examples(
    examples: Examples,
    line: str,
    ids: tuple[str, ...],
    code_N: NDArray[np.int64],
    side_N: NDArray[np.int64],
    places: NDArray[np.int64],
) -> None:
    """Notes, for the first values that cross, two records on different sides."""
    for place in places[:_EXAMPLES].tolist():
        rows = np.flatnonzero((code_N == place) & (side_N >= 0))
        other = rows[side_N[rows] != side_N[rows[0]]][0]
        examples.setdefault(line, []).append([ids[rows[0]], ids[other]])


def _near_duplicates(
    table: pa.Table,
    side_N: NDArray[np.int64],
    ids: tuple[str, ...],
    near_bits: int,
    examples: Examples,
) -> int:
    """Returns how many records of val, test and key look like a record in another role."""
    used = np.flatnonzero(side_N >= 0)
    part = table.select([c for c in table.column_names if c.startswith(("image_", "grey_"))])
    alike = near_images(part.take(used), max_bits=near_bits)
    side_M, pairs = side_N[used], alike.pair_P2
    present = np.zeros((len(_ROLES), int(alike.image_N.max(initial=-1)) + 1), dtype=np.bool_)
    shown = alike.image_N >= 0
    present[side_M[shown], alike.image_N[shown]] = True
    crosses_I = present.sum(axis=0) > 1
    between = pairs[(present[:, pairs[:, 0]] | present[:, pairs[:, 1]]).sum(axis=0) > 1]
    for first, second in _different_sides(between, alike.image_N, side_M):
        examples.setdefault(NEAR_DUPLICATES, []).append([ids[used[first]], ids[used[second]]])
    if not len(between):
        places = np.flatnonzero(crosses_I)
        _give_examples(
            examples, NEAR_DUPLICATES, tuple(ids[i] for i in used), alike.image_N, side_M, places
        )
    crosses_I[between.ravel()] = True
    judged = shown & (side_M > 0)
    return int(crosses_I[alike.image_N[judged]].sum())


def _different_sides(
    between: NDArray[np.int64], image_M: NDArray[np.int64], side_M: NDArray[np.int64]
) -> list[tuple[int, int]]:
    """Returns two rows on different sides for the first pairs of images."""
    found = []
    for pair in between[:_EXAMPLES]:
        rows = np.flatnonzero(np.isin(image_M, pair))
        other = rows[side_M[rows] != side_M[rows[0]]][0]
        found.append((int(rows[0]), int(other)))
    return found


def _taxa_found(split: Split, table: pa.Table) -> dict[str, Any]:
    """Returns unseen taxa that training names or might hold, seen species it lacks, queries without key."""
    rank = split.made_by.get("rank") or "species"
    taxa = taxa_at(table, rank)
    train = split.role_N == Role.TRAIN.value
    used = split.role_N != Role.UNUSED.value
    unseen = _named(taxa.taxon_N[used & (split.status_N == Status.UNSEEN.value)])
    wanted = [taxa.names[place] for place in unseen]
    both = np.intersect1d(unseen, _named(taxa.taxon_N[train]))
    possible = int((taxa.may_be(wanted) & train).sum()) if wanted else 0
    species_N = coded(table, "species").code_N
    seen = _named(species_N[used & (split.status_N == Status.SEEN.value)])
    queries_N = species_N[np.isin(split.role_N, JUDGED_ON)]
    keys = _named(species_N[split.role_N == Role.KEY.value])
    without_key = int((~np.isin(queries_N[queries_N >= 0], keys)).sum())
    return {
        "unseen_rank": rank,
        "unseen_in_train": [taxa.names[place] for place in both],
        "may_be_unseen_in_train": possible,
        "seen_not_in_train": len(np.setdiff1d(seen, _named(species_N[train]))),
        "without_key": without_key if split.has_keys else None,
    }


def _named(code_N: NDArray[np.int64]) -> NDArray[np.int64]:
    """Returns the different values among numbers, without the missing one."""
    return np.unique(code_N[code_N >= 0])


def _label(table: pa.Table) -> Coded:
    """Returns what each record is called: all its names, or its written label where it has no names."""
    columns = [*(rank.value for rank in LINNAEAN_RANKS), "group", "qualifier", "kind"]
    found = [coded(table, column).code_N for column in columns]
    nameless = np.all([code_N < 0 for code_N in found[:8]], axis=0)
    written_N = coded(table, LABEL).code_N
    found.append(np.where(nameless, written_N, -1))
    code_N = np.zeros(table.num_rows, dtype=np.int64)
    for next_N in found:
        _, code_N = np.unique(
            code_N * (int(next_N.max(initial=-1)) + 2) + next_N + 1, return_inverse=True
        )
    values = tuple(map(str, range(int(code_N.max(initial=-1)) + 1)))
    return Coded(np.where(nameless & (written_N < 0), -1, code_N).astype(np.int64), values)


def _conflicting(
    table: pa.Table, side_N: NDArray[np.int64], ids: tuple[str, ...], examples: Examples
) -> int:
    """Returns how many images stand in two roles under different labels."""
    images, labels = coded(table, "image_sha256"), _label(table)
    place_N = np.where(labels.code_N < 0, -1, images.code_N)
    crossing = _crossing(place_N, side_N, len(images.values))
    rows = np.flatnonzero(np.isin(place_N, crossing) & (side_N >= 0))
    pairs = np.unique(np.column_stack([place_N[rows], labels.code_N[rows]]), axis=0)
    image, labelled = np.unique(pairs[:, 0], return_counts=True)
    _give_examples(examples, "conflicting_labels", ids, place_N, side_N, image[labelled > 1])
    return int((labelled > 1).sum())


def _tested_upstream(split: Split, table: pa.Table, examples: Examples) -> int:
    """Returns how many training records the source published to validate or test on."""
    found = coded(table, "upstream_split")
    judged = [
        UPSTREAM_NAMES.get(word.lower(), "").split(" ")[0] in JUDGED_ON for word in found.values
    ]
    rows = np.flatnonzero(
        np.asarray([*judged, False])[found.code_N] & (split.role_N == Role.TRAIN.value)
    )
    if len(rows):
        examples["tested_upstream_in_train"] = [[split.record_id[r]] for r in rows[:_EXAMPLES]]
    return len(rows)


def _classes_found(split: Split, table: pa.Table) -> dict[str, int | None]:
    """Returns tested classes that training lacks, and tested classes that only one instrument shows."""
    label_N, used = _label(table).code_N, split.role_N != Role.UNUSED.value
    seen = split.status_N != Status.UNSEEN.value
    tested = _named(label_N[np.isin(split.role_N, JUDGED_ON) & seen])
    trained = _named(label_N[split.role_N == Role.TRAIN.value])
    instrument_N = coded(table, "instrument").code_N
    known = used & (instrument_N >= 0) & (label_N >= 0)
    pairs = np.unique(np.column_stack([label_N[known], instrument_N[known]]), axis=0)
    label, instruments = np.unique(pairs[:, 0], return_counts=True)
    alone = np.intersect1d(label[instruments == 1], tested)
    several = len(np.unique(pairs[:, 1])) > 1
    return {
        "classes_not_in_train": len(np.setdiff1d(tested, trained)),
        "on_one_instrument": len(alone) if several else None,
    }


def _unused(split: Split) -> dict[str, int]:
    """Returns how many records are left out, by reason."""
    reasons: dict[str, int] = {}
    for row in np.flatnonzero(split.role_N == Role.UNUSED.value).tolist():
        reason = split.reason_N[row] or "no part asked for it"
        reasons[reason] = reasons.get(reason, 0) + 1
    return dict(sorted(reasons.items()))
