"""Embeddings -> groups of look-alikes, near groups after one another, packed into pages.

N records, D dimensions. A cloud of records is cut in two between two means, each half again, until a
piece fits on a
page: N log N, no number of clusters to choose, and the same pages from the same embeddings.

Measured: docs/why/review-groups.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holotype.randomness import generator

PAGE_SIZE = 40
_SAMPLED = 4_096
"""Records that the two means of a large piece are found from."""
_ROUNDS, _POWER_STEPS = 8, 10

Rows = NDArray[np.int64]
Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Paged:
    """Where each record stands.

    Attributes:
        order_N: int64, the rows in the order of the pages.
        group_N: int64, the group of each place, counted from 0 in that order.
        page_N: int64, the page of each place, likewise.
    """

    order_N: Rows
    group_N: NDArray[np.int64]
    page_N: NDArray[np.int64]

    @property
    def pages(self) -> int:
        """How many pages there are."""
        return int(self.page_N[-1]) + 1 if len(self.page_N) else 0

    @property
    def groups(self) -> int:
        """How many groups there are."""
        return int(self.group_N[-1]) + 1 if len(self.group_N) else 0


def paged(
    z_ND: Vectors, label_N: Sequence[str | None], *, page_size: int = PAGE_SIZE, seed: int = 0
) -> Paged:
    """Returns pages of look-alikes, each of records with one label as far as these fill pages.

    Records of one label are grouped by their looks; labels follow one another by the nearness of their
    means. Groups that are smaller than a page share one with their neighbours.

    Args:
        z_ND: embeddings, float32; rows with NaN have none and come last.
        label_N: what the records are proposed to be; all None groups by looks alone.
        page_size: records on a page.
        seed: of the sample that large pieces are cut by.
    """
    has_z = np.isfinite(z_ND).all(axis=1)
    names = np.asarray([name or "" for name in label_N], dtype=np.str_)
    rows_Z = np.flatnonzero(has_z).astype(np.int64)
    code_Z = np.unique(names[rows_Z], return_inverse=True)[1]
    order = np.argsort(code_Z, kind="stable")
    cuts = np.flatnonzero(np.diff(code_Z[order])) + 1
    parts: list[Rows] = np.split(rows_Z[order], cuts) if len(rows_Z) else []
    means = [z_ND[part].mean(axis=0) for part in parts]
    chain = _chained(np.stack(means)) if means else []
    groups: list[Rows] = []
    for at, part in enumerate(chain):
        left = means[chain[at - 1]] if at else None
        right = means[chain[at + 1]] if at + 1 < len(chain) else None
        groups += look_alikes(z_ND, parts[part], page_size, ends=(left, right), seed=seed)
    rest = np.flatnonzero(~has_z).astype(np.int64)
    groups += [rest[start : start + page_size] for start in range(0, len(rest), page_size)]
    return _packed(groups, page_size)


def look_alikes(
    z_ND: Vectors,
    rows: Rows,
    most: int,
    *,
    ends: tuple[Vectors | None, Vectors | None] = (None, None),
    seed: int = 0,
) -> list[Rows]:
    """Returns rows in groups of at most ``most``, near groups after one another, alike rows likewise.

    Args:
        z_ND: embeddings without NaN in these rows.
        rows: which to group.
        most: the largest group.
        ends: means of what comes before and after, to begin and end near them.
        seed: of the sample that large pieces are cut by.
    """
    found: list[Rows] = []
    pending = [(rows, ends)]
    while pending:
        piece, (left, right) = pending.pop()
        if len(piece) <= most:
            found.append(_within(z_ND, piece, left, right))
            continue
        low, high, side_N = _two_means(z_ND[piece], seed)
        if _is_turned(low, high, left, right):
            low, high, side_N = high, low, -side_N
        order = np.argsort(side_N, kind="stable")
        natural = int((side_N <= 0).sum())
        cut = min(max(most, round(natural / most) * most), (len(piece) - 1) // most * most)
        pending.append((piece[order[cut:]], (low, right)))
        pending.append((piece[order[:cut]], (left, high)))
    return found


def _two_means(z_PD: Vectors, seed: int) -> tuple[Vectors, Vectors, NDArray[np.float32]]:
    """Returns two means and, for each row, its side of the plane between them: below 0, or above."""
    sample = z_PD
    if len(z_PD) > _SAMPLED:
        chosen = generator(seed, "review groups", len(z_PD)).choice(
            len(z_PD), _SAMPLED, replace=False
        )
        sample = z_PD[np.sort(chosen)]
    mean = sample.mean(axis=0)
    centred = sample - mean
    axis = centred[int((centred**2).sum(axis=1).argmax())]
    for _ in range(_POWER_STEPS):
        axis = centred.T @ (centred @ axis)
        axis = axis / (np.linalg.norm(axis) + np.float32(1e-12))
    along = centred @ axis
    above = along > np.median(along)
    low, high = mean, mean
    for _ in range(_ROUNDS):
        if above.all() or not above.any():
            break
        low, high = sample[~above].mean(axis=0), sample[above].mean(axis=0)
        again = sample @ (high - low) > (high + low) @ (high - low) / 2
        if np.array_equal(again, above):
            break
        above = again
    between = high - low
    side: NDArray[np.float32] = z_PD @ between - (high + low) @ between / 2
    return low, high, side


def _is_turned(low: Vectors, high: Vectors, left: Vectors | None, right: Vectors | None) -> bool:
    """Returns whether the upper half belongs first: nearer to what comes before, or farther from after."""
    gain = 0.0
    if left is not None:
        gain += float(((low - left) ** 2).sum() - ((high - left) ** 2).sum())
    if right is not None:
        gain += float(((high - right) ** 2).sum() - ((low - right) ** 2).sum())
    return gain > 0


def _within(z_ND: Vectors, rows: Rows, left: Vectors | None, right: Vectors | None) -> Rows:
    """Returns the rows of a group along the way from its neighbour before to the one after."""
    if len(rows) < 3:
        return rows
    z_PD = z_ND[rows]
    if left is not None and right is not None:
        axis = right - left
    elif left is not None or right is not None:
        mean = z_PD.mean(axis=0)
        axis = mean - left if left is not None else right - mean
    else:
        low, high, _ = _two_means(z_PD, 0)
        axis = high - low
    return rows[np.argsort(z_PD @ axis, kind="stable")]


def _chained(mean_LD: Vectors) -> list[int]:
    """Returns all rows, each followed by the nearest that is left; it begins far from the middle."""
    far = ((mean_LD - mean_LD.mean(axis=0)) ** 2).sum(axis=1)
    at = int(far.argmax())
    left = np.ones(len(mean_LD), dtype=np.bool_)
    chain = [at]
    left[at] = False
    while left.any():
        distance = ((mean_LD - mean_LD[at]) ** 2).sum(axis=1)
        distance[~left] = np.inf
        at = int(distance.argmin())
        left[at] = False
        chain.append(at)
    return chain


def _packed(groups: Sequence[Rows], page_size: int) -> Paged:
    """Returns groups on pages: one begins a new page where it does not fit on the one before."""
    group_parts: list[NDArray[np.int64]] = []
    page_parts: list[NDArray[np.int64]] = []
    page, free = -1, 0
    for number, rows in enumerate(groups):
        if len(rows) > free:
            page, free = page + 1, page_size
        free -= len(rows)
        group_parts.append(np.full(len(rows), number, dtype=np.int64))
        page_parts.append(np.full(len(rows), page, dtype=np.int64))
    none = np.zeros(0, dtype=np.int64)
    return Paged(
        np.concatenate([none, *groups]),
        np.concatenate([none, *group_parts]),
        np.concatenate([none, *page_parts]),
    )


@dataclass(frozen=True)
class Purity:
    """How alike the records of a page are, by labels that are known; without any, nothing is measured.

    Attributes:
        records: with a known label.
        of_pages: mean share of a page's commonest label, records weighted.
        of_random: likewise of pages drawn at random.
        of_labels: likewise of pages that hold one proposed label after the other.
        labels_a_page: mean number of known labels on a page.
        labels_a_random_page: likewise at random.
    """

    records: int
    of_pages: float
    of_random: float
    of_labels: float
    labels_a_page: float
    labels_a_random_page: float


def purity(
    found: Paged,
    known_N: Sequence[str | None],
    proposed_N: Sequence[str | None],
    *,
    page_size: int,
    seed: int = 0,
) -> Purity | None:
    """Returns how pure the pages are by labels that are known; None where fewer than two records have one."""
    rows = np.asarray([at for at, name in enumerate(known_N) if name is not None], dtype=np.int64)
    if len(rows) < 2:
        return None
    codes = np.full(len(known_N), -1, dtype=np.int64)
    codes[rows] = np.unique([str(known_N[at]) for at in rows.tolist()], return_inverse=True)[1]
    random = generator(seed, "review purity")
    shuffled = random.permutation(len(known_N))
    names = np.asarray([name or "" for name in proposed_N], dtype=np.str_)
    by_label = shuffled[np.argsort(names[shuffled], kind="stable")]
    cut_N = np.arange(len(known_N)) // page_size
    pages = _pure(codes[found.order_N], found.page_N)
    at_random, labelled = _pure(codes[shuffled], cut_N), _pure(codes[by_label], cut_N)
    return Purity(len(rows), pages[0], at_random[0], labelled[0], pages[1], at_random[1])


def _pure(code_N: NDArray[np.int64], page_N: NDArray[np.int64]) -> tuple[float, float]:
    """Returns the mean share of a page's commonest code, and the mean number of codes on a page."""
    known = code_N >= 0
    pairs, count_P = np.unique(np.stack([page_N[known], code_N[known]]), axis=1, return_counts=True)
    pages, first_G = np.unique(pairs[0], return_index=True)
    most_G = np.maximum.reduceat(count_P, first_G)
    return float(most_G.sum() / known.sum()), float(len(count_P) / len(pages))
