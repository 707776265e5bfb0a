"""Which records to label next: worth learning from, and unlike one another.

Weighted k-means (Zhdanov 2019, arXiv 1901.05954): records are clustered by their embeddings, each with a
weight of 1 to 2 by what there is to learn from it, and of each cluster the record nearest to its centre is
chosen. Records alone that the model doubts teach less than typical ones: docs/why/label-queue.md. N records.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holotype.randomness import generator

MOST_CLUSTERED = 20_000
"""Of more records, so many are drawn by their worth and clustered."""
PER_GROUP = 8


@dataclass(frozen=True)
class Choice:
    """The records chosen, K of them, look-alikes together.

    Attributes:
        row_K: int64.
        group_K: int64, from 0: the visual group of each.
        alike_K: int64, how many records each stands for (its cluster).
    """

    row_K: NDArray[np.int64]
    group_K: NDArray[np.int64]
    alike_K: NDArray[np.int64]


def choose(worth_N: NDArray[np.float64], z_ND: NDArray[np.float32], *, n: int, seed: int) -> Choice:
    """Returns n records, the same for the same seed.

    Args:
        worth_N: what there is to learn from each, 0 to 1.
        z_ND: unit rows.
        n: how many; all where there are fewer.
        seed: of the clusters.
    """
    from sklearn.cluster import KMeans

    n = min(n, len(worth_N))
    pool = _pool(worth_N, n=n, seed=seed)
    if n >= len(pool):
        chosen, alike = pool[:n], np.ones(n, dtype=np.int64)
    else:
        clusters = KMeans(n, n_init=1, max_iter=50, random_state=seed & 0x7FFFFFFF)
        number = clusters.fit_predict(z_ND[pool], sample_weight=1 + worth_N[pool])
        away = np.linalg.norm(z_ND[pool] - clusters.cluster_centers_[number], axis=1)
        order = np.lexsort((pool, away, number))
        _, first = np.unique(number[order], return_index=True)
        chosen = pool[order[first]]
        alike = np.bincount(number, minlength=n)[np.unique(number)]
        if len(chosen) < n:  # equal vectors leave clusters empty
            rest = np.setdiff1d(pool, chosen)
            more = rest[np.argsort(-worth_N[rest], kind="stable")[: n - len(chosen)]]
            chosen = np.concatenate([chosen, more])
            alike = np.concatenate([alike, np.ones(len(more), dtype=np.int64)])
    group = _groups(z_ND[chosen], seed=seed)
    best_of = {g: -worth_N[chosen[group == g]].max() for g in np.unique(group).tolist()}
    place = {g: at for at, g in enumerate(sorted(best_of, key=lambda g: (best_of[g], g)))}
    group = np.asarray([place[g] for g in group.tolist()], dtype=np.int64)
    order = np.lexsort((chosen, -worth_N[chosen], group))
    return Choice(chosen[order].astype(np.int64), group[order], alike[order].astype(np.int64))


def choose_without_vectors(worth_N: NDArray[np.float64], labels: list[str], *, n: int) -> Choice:
    """Returns n records by worth, in turn from each answer, so that one answer does not take all places."""
    order = np.argsort(-worth_N, kind="stable").tolist()
    turn: dict[str, int] = {}
    keyed = []
    for row in order:
        turn[labels[row]] = turn.get(labels[row], -1) + 1
        keyed.append((turn[labels[row]], -worth_N[row], row))
    chosen = [row for _, _, row in sorted(keyed)[:n]]
    names = {name: at for at, name in enumerate(dict.fromkeys(labels[row] for row in chosen))}
    chosen.sort(key=lambda row: (names[labels[row]], -worth_N[row]))
    return Choice(
        np.asarray(chosen, dtype=np.int64),
        np.asarray([names[labels[row]] for row in chosen], dtype=np.int64),
        np.ones(len(chosen), dtype=np.int64),
    )


def _pool(worth_N: NDArray[np.float64], *, n: int, seed: int) -> NDArray[np.int64]:
    most = max(n, MOST_CLUSTERED)
    if len(worth_N) <= most:
        return np.arange(len(worth_N), dtype=np.int64)
    chance = (1 + worth_N) / (1 + worth_N).sum()
    drawn = generator(seed, "queue").choice(
        len(worth_N), most, replace=False, p=chance, shuffle=False
    )
    return np.sort(drawn).astype(np.int64)


def _groups(z_KD: NDArray[np.float32], *, seed: int) -> NDArray[np.int64]:
    from sklearn.cluster import KMeans

    count = max(1, len(z_KD) // PER_GROUP)
    if count == 1 or len(np.unique(z_KD, axis=0)) < count:
        return np.zeros(len(z_KD), dtype=np.int64)
    found = KMeans(count, n_init=1, random_state=seed & 0x7FFFFFFF).fit_predict(z_KD)
    return np.asarray(found, dtype=np.int64)
