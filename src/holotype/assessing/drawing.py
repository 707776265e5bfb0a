"""Which records to label: a random draw within each answer, so that rare answers are seen.

N records, H strata, S drawn. Each drawn record stands for ``weight`` records (Horvitz and Thompson 1952,
doi:10.1080/01621459.1952.10483446), so figures are of all records, not of the draw.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holotype.errors import SourceError
from holotype.randomness import generator

LEAST = 2
"""Records drawn of each stratum, where it has so many: one alone says nothing of its spread."""
POOLED = "rare answers"


@dataclass(frozen=True)
class Draw:
    """What was drawn.

    Attributes:
        row_S: int64, the rows, in a random order.
        stratum_S: the stratum of each.
        weight_S: float64, how many records each stands for; they add up to the records that could be drawn.
        sizes: records by stratum.
    """

    row_S: NDArray[np.int64]
    stratum_S: tuple[str, ...]
    weight_S: NDArray[np.float64]
    sizes: dict[str, int]


def draw(stratum_N: Sequence[str | None], *, n: int, seed: int) -> Draw:
    """Returns about n records: at least two of each stratum, the rest by the square root of its size.

    Strata that are too many for n records are pooled, the smallest first. The square root is the compromise
    between one good figure for everything and a figure for each answer (Bankier 1988,
    doi:10.1080/00031305.1988.10475556).

    Args:
        stratum_N: of each record; None leaves it out (it has no answer).
        n: how many; all where there are fewer.
        seed: of the draw.

    Raises:
        SourceError: for n below 2 or when no record has an answer.
    """
    counts = Counter(name for name in stratum_N if name is not None)
    if n < LEAST:
        raise SourceError(f"--n {n}: draw at least {LEAST} records.")
    if not counts:
        raise SourceError("no input has an answer, so there is nothing to draw from. See answers.")
    pooled = _pooled(counts, n)
    name_N = [None if one is None else POOLED if one in pooled else one for one in stratum_N]
    sizes = Counter(name for name in name_N if name is not None)
    share = _allocated(sizes, min(n, sum(sizes.values())))
    row_parts, weight_parts, names = [], [], []
    row_of: dict[str, list[int]] = {}
    for row, name in enumerate(name_N):
        if name is not None:
            row_of.setdefault(name, []).append(row)
    for name in sorted(row_of):
        chosen = generator(seed, "assess", name).choice(row_of[name], share[name], replace=False)
        row_parts.append(chosen)
        weight_parts.append(np.full(len(chosen), sizes[name] / share[name]))
        names += [name] * len(chosen)
    order = generator(seed, "assess order").permutation(len(names))
    row_S = np.concatenate(row_parts).astype(np.int64)[order]
    return Draw(
        row_S,
        tuple(names[at] for at in order.tolist()),
        np.concatenate(weight_parts)[order],
        dict(sizes),
    )


def _pooled(counts: Counter[str], n: int) -> frozenset[str]:
    """Returns the smallest strata, so many that the others and their pool fit into n."""
    by_size = sorted(counts, key=lambda name: (counts[name], name))
    for cut in range(len(by_size) + 1):
        kept = by_size[cut:]
        needed = sum(min(LEAST, counts[name]) for name in kept) + (LEAST if cut else 0)
        if needed <= n and cut != 1:
            return frozenset(by_size[:cut])
    return frozenset(by_size)


def _allocated(sizes: Counter[str], n: int) -> dict[str, int]:
    """Returns how many to draw of each stratum, n in all, none more than it has."""
    share = {name: min(LEAST, size) for name, size in sizes.items()}
    while sum(share.values()) < n:
        open_ = [name for name in sorted(sizes) if share[name] < sizes[name]]
        # the next record goes where the square-root share is missed by most (Jefferson's divisors)
        best = max(open_, key=lambda name: np.sqrt(sizes[name]) / (share[name] + 1))
        share[best] += 1
    return share
