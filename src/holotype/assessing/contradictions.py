"""Labels that contradict each other: one image file with two labels, one barcode or BIN with two taxa."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MAJORITY = 2 / 3
LEAST = 3


@dataclass(frozen=True)
class Contradiction:
    """Why a record's label cannot stand beside another one's.

    Attributes:
        row: the record.
        other: the record that it contradicts.
        suggested: the class that speaks against it.
        suspicion: 0 to 1.
        detail: in words.
    """

    row: int
    other: int
    suggested: int
    suspicion: float
    detail: str


def copies(
    hash_N: Sequence[str | None],
    class_N: NDArray[np.int64],
    excludes_CC: NDArray[np.bool_],
    probe_NC: NDArray[np.float64],
    names: Sequence[str],
) -> list[Contradiction]:
    """Returns the records whose very image has another label, the less likely of each two labels.

    Which of two labels is wrong is often the same for all copies that bear them, so the probe's
    probabilities of all such copies decide together.

    Args:
        hash_N: of the image, None without one.
        class_N: the written labels.
        excludes_CC: whether two labels cannot both be right.
        probe_NC: out-of-fold probabilities.
        names: of the classes.
    """
    found: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    for rows in _groups(hash_N).values():
        first_of = {int(class_N[row]): row for row in reversed(rows)}
        for row in rows:
            for other_class, other in first_of.items():
                mine = int(class_N[row])
                if excludes_CC[mine, other_class]:
                    found[mine, other_class].append((row, other))
    told = []
    for (mine, other_class), pairs in sorted(found.items()):
        rows = [row for row, _ in pairs]
        own, against = float(probe_NC[rows, mine].mean()), float(probe_NC[rows, other_class].mean())
        if own < against or (own == against and mine > other_class):
            told += [
                Contradiction(row, other, other_class, 0.5 + 0.5 * against / (own + against) if own + against
                              else 0.5, f"the same image is labelled {names[other_class]}")
                for row, other in pairs
            ]  # fmt: skip
    best: dict[int, Contradiction] = {}
    for one in told:
        if one.row not in best or best[one.row].suspicion < one.suspicion:
            best[one.row] = one
    return list(best.values())


def minorities(
    key_N: Sequence[str | None],
    class_N: NDArray[np.int64],
    excludes_CC: NDArray[np.bool_],
    names: Sequence[str],
    *,
    what: str,
    most: float,
) -> list[Contradiction]:
    """Returns the records whose label is that of a minority among those with one barcode or BIN.

    Two thirds of at least three records must agree on a label that excludes theirs.

    Args:
        key_N: the haplotype or BIN, None without one.
        class_N: the written labels.
        excludes_CC: whether two labels cannot both be right.
        names: of the classes.
        what: ``barcode`` or ``BIN``.
        most: the suspicion where all others agree.
    """
    found = []
    for rows in _groups(key_N).values():
        counts = Counter(int(class_N[row]) for row in rows)
        top, number = min(counts.items(), key=lambda pair: (-pair[1], pair[0]))
        if len(rows) < LEAST or number < MAJORITY * len(rows):
            continue
        first = next(row for row in rows if class_N[row] == top)
        found += [
            Contradiction(
                row, first, top, most * number / (len(rows) - 1),
                f"{number} of {len(rows) - 1} others with its {what} are {names[top]}",
            )
            for row in rows if excludes_CC[class_N[row], top]
        ]  # fmt: skip
    return found


def _groups(key_N: Sequence[str | None]) -> dict[str, list[int]]:
    groups: dict[str, list[int]] = defaultdict(list)
    for row, key in enumerate(key_N):
        if key is not None:
            groups[key].append(row)
    return {key: rows for key, rows in groups.items() if len(rows) > 1}
