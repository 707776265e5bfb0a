"""Exact nearest vectors by inner product: blocked products find candidates, float64 settles them.

A product in float32 depends in its last bits on which queries and keys it is computed with. So it only
proposes: every key within its error bound of the k-th best is computed again in float64, each pair by itself.
The answer is the same whatever the batch, and equal similarities go by the order of the keys.

Shape legend: Q queries, V keys, D numbers each, K nearest.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

BLOCK_KEYS = 8192
BLOCK_QUERIES = 256
PAIRS = 1 << 15
NEARLY_UNIT = 1.01
NOTHING = -1
"""The row of a neighbour that is not there; its similarity is minus infinity."""

Floats = NDArray[np.float32] | NDArray[np.float16]


def nearest_exact(
    query_QD: NDArray[np.float32],
    key_VD: Floats,
    *,
    k: int,
    allowed_V: NDArray[np.bool_] | None = None,
    longest: float = NEARLY_UNIT,
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Returns the places of the k keys of largest inner product, best first, and these products.

    Args:
        query_QD: finite; its rows need no norm.
        key_VD: in memory or memory-mapped; a block of it is read at a time.
        k: how many, at least 1.
        allowed_V: keys that may be found; all by default.
        longest: no key has a larger norm.

    Returns:
        int64 and float32, both (Q, K). Where fewer than k keys are allowed the rest is -1 and minus infinity.
    """
    found = [
        _nearest(query_QD[start : start + BLOCK_QUERIES], key_VD, k, allowed_V, longest)
        for start in range(0, len(query_QD), BLOCK_QUERIES)
    ]
    if not found:
        return np.empty((0, k), np.int64), np.empty((0, k), np.float32)
    return np.concatenate([at for at, _ in found]), np.concatenate([value for _, value in found])


def products(
    query_QD: NDArray[np.float32],
    key_VD: Floats,
    query_P: NDArray[np.int64],
    key_P: NDArray[np.int64],
) -> NDArray[np.float32]:
    """Returns the inner products of pairs of a query and a key, computed in float64 one by one."""
    value_P = np.empty(len(query_P), dtype=np.float32)
    for start in range(0, len(query_P), PAIRS):
        part = slice(start, start + PAIRS)
        query_PD = query_QD[query_P[part]].astype(np.float64)
        value_P[part] = (query_PD * key_VD[key_P[part]]).sum(axis=1)
    return value_P


def promising(
    query_QD: NDArray[np.float32],
    key_VD: Floats,
    at_QC: NDArray[np.int64],
    *,
    k: int,
    longest: float = NEARLY_UNIT,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Returns the pairs of a query and a candidate of its own that may be among its k best, by query.

    Args:
        query_QD: finite.
        key_VD: in memory or memory-mapped.
        at_QC: places of the candidates of each query; -1 for none.
        k: how many are wanted.
        longest: no key has a larger norm.
    """
    queries, candidates = at_QC.shape
    few = max(1, PAIRS // max(1, candidates) // 8)
    key_FCD = np.empty((few, candidates, query_QD.shape[1]), dtype=np.float32)
    product_QC = np.empty(at_QC.shape, dtype=np.float32)
    for start in range(0, queries, few):
        at_FC = at_QC[start : start + few]
        part_FCD = key_FCD[: len(at_FC)]
        part_FCD[...] = key_VD[at_FC.ravel()].reshape(part_FCD.shape)
        product_QC[start : start + few] = (part_FCD @ query_QD[start : start + few, :, None])[
            ..., 0
        ]
    product_QC[at_QC == NOTHING] = -np.inf
    if k < candidates:
        kth_Q = np.partition(product_QC, candidates - k, axis=1)[:, candidates - k]
        least_Q = kth_Q - 2 * _error_bound(query_QD, longest)
        is_near_QC = (product_QC >= least_Q[:, None]) & (at_QC != NOTHING)
    else:
        is_near_QC = at_QC != NOTHING
    query_P, place_P = np.nonzero(is_near_QC)
    return query_P, at_QC[query_P, place_P]


def best_of(
    query_P: NDArray[np.int64],
    key_P: NDArray[np.int64],
    value_P: NDArray[np.float32],
    *,
    queries: int,
    k: int,
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Returns the k best keys of each query among pairs, in the form of ``nearest_exact``."""
    at_QK = np.full((queries, k), NOTHING, dtype=np.int64)
    value_QK = np.full((queries, k), -np.inf, dtype=np.float32)
    order = np.lexsort((key_P, -value_P, query_P))
    query_P = query_P[order]
    place_P = np.arange(len(order)) - np.searchsorted(query_P, query_P)
    kept = place_P < k
    at_QK[query_P[kept], place_P[kept]] = key_P[order][kept]
    value_QK[query_P[kept], place_P[kept]] = value_P[order][kept]
    return at_QK, value_QK


def _nearest(
    query_QD: NDArray[np.float32],
    key_VD: Floats,
    k: int,
    allowed_V: NDArray[np.bool_] | None,
    longest: float,
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    queries = len(query_QD)
    at_QK = np.full((queries, k), NOTHING, dtype=np.int64)
    value_QK = np.full((queries, k), -np.inf, dtype=np.float32)
    error_Q = _error_bound(query_QD, longest)
    for place_B, block_BD in _blocks(key_VD, allowed_V):
        product_QB = query_QD @ block_BD.T
        least_Q = value_QK[:, -1] - error_Q
        if len(place_B) >= k and np.isneginf(least_Q).any():
            kth_Q = np.partition(product_QB, len(place_B) - k, axis=1)[:, len(place_B) - k]
            least_Q = np.maximum(least_Q, kth_Q - 2 * error_Q)
        near_P = np.flatnonzero(product_QB >= least_Q[:, None])
        if not len(near_P):
            continue
        query_P, inner_P = np.divmod(near_P, len(place_B))
        key_P = place_B[inner_P]
        old_Q, old_K = np.nonzero(at_QK != NOTHING)
        at_QK, value_QK = best_of(
            np.concatenate([old_Q, query_P]),
            np.concatenate([at_QK[old_Q, old_K], key_P]),
            np.concatenate([value_QK[old_Q, old_K], products(query_QD, key_VD, query_P, key_P)]),
            queries=queries,
            k=k,
        )
    return at_QK, value_QK


def _blocks(
    key_VD: Floats, allowed_V: NDArray[np.bool_] | None
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """Yields places and float32 rows of the allowed keys, about ``BLOCK_KEYS`` at a time."""
    if allowed_V is not None:
        place_A = np.flatnonzero(allowed_V)
        for start in range(0, len(place_A), BLOCK_KEYS):
            place_B = place_A[start : start + BLOCK_KEYS]
            yield place_B, np.asarray(key_VD[place_B], dtype=np.float32)
        return
    for start in range(0, len(key_VD), BLOCK_KEYS):
        block_BD = np.asarray(key_VD[start : start + BLOCK_KEYS], dtype=np.float32)
        yield np.arange(start, start + len(block_BD), dtype=np.int64), block_BD


def _error_bound(query_QD: NDArray[np.float32], longest: float) -> NDArray[np.float32]:
    """Returns by how much a float32 product with a key can be wrong, in any order of adding.

    Higham 2002, Accuracy and Stability of Numerical Algorithms, equation 3.5, with room for rounding.
    """
    norm_Q = np.linalg.norm(query_QD, axis=1)
    bound_Q: NDArray[np.float32] = norm_Q * np.float32(longest * (query_QD.shape[1] + 4) * 2.0**-23)
    return bound_Q
