"""Which of many perceptual hashes are alike: exact, without comparing all with all.

Two hashes of 64 bits are alike when at most ``max_bits`` of their bits differ. The bits are dealt into
blocks, more of them than may differ; two hashes that are alike then agree in all but ``max_bits`` blocks, so
they stand in one bucket of at least one of the tables "all blocks but these" (Manku, Jain and Das Sarma 2007,
doi:10.1145/1242572.1242592). No pair is missed; every candidate's distance is counted before it is returned.
Deviation: the number of blocks is chosen from the number of hashes, and bits go to blocks in turn, because
neighbouring bits of a perceptual hash go together.
"""

from collections.abc import Sequence
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

from holotype.errors import MediaError

HASH_BITS = 64
MOST_BITS = 16
"""More differing bits than these are chance: two random hashes differ in 32 bits, one in 10,000 in 16."""
MOST_TABLES = 4_000
_SORT_COST = 12.0
"""Sorting one hash costs about as much as looking at so many candidates."""


def parse_hashes(text_N: Sequence[str | None]) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """Returns the rows that have a hash, int64 (M,), and the hashes, uint64 (M,).

    Args:
        text_N: 16 hexadecimal digits each, or None.

    Raises:
        MediaError: for anything else, with its row (from 0).
    """
    present = [row for row, text in enumerate(text_N) if text is not None]
    texts = [text for text in text_N if text is not None]
    try:
        content = bytes.fromhex("".join(texts))
        whole = all(len(text) == HASH_BITS // 4 for text in texts)
    except ValueError:
        whole = False
    if not whole:
        row = next(r for r, text in zip(present, texts, strict=True) if not _is_hash(text))
        raise MediaError(
            f"row {row}: image_phash '{text_N[row]}' is not 16 hexadecimal digits. Import the images again."
        )
    hash_M = np.frombuffer(content, dtype=">u8").astype(np.uint64)
    return np.asarray(present, dtype=np.int64), hash_M


def _is_hash(text: str) -> bool:
    digits = set("0123456789abcdefABCDEF")
    return len(text) == HASH_BITS // 4 and set(text) <= digits


def near_pairs(hash_N: NDArray[np.uint64], *, max_bits: int) -> NDArray[np.int64]:
    """Returns the links between hashes that differ in at most so many bits.

    Of each different value only the first row is compared, so that a thousand blank images cost nothing:
    two rows are linked when they are the first rows of two values that are alike; rows of one value are
    linked in a chain, each to the next. Without repeated values these are all pairs that are alike.

    Memory: about 70 bytes a hash and some 50 a link. Time on one core, hashes that are mostly far apart: a
    million in 1 s at 4 bits, 3 s at 6, 10 s at 8, 45 s at 10; ten million in 25 s at 4.

    Args:
        hash_N: uint64 (N,).
        max_bits: 0 to 16.

    Returns:
        int64 (P, 2): rows i < j, sorted, each pair once.

    Raises:
        MediaError: for another number of bits.
    """
    value_V, first_V, inverse_N = np.unique(
        np.asarray(hash_N, dtype=np.uint64), return_index=True, return_inverse=True
    )
    alike = first_V[near_values(value_V, max_bits=max_bits)].reshape(-1, 2)
    order = np.argsort(inverse_N, kind="stable")
    same = inverse_N[order[:-1]] == inverse_N[order[1:]]
    chain = np.column_stack([order[:-1][same], order[1:][same]])
    found = np.sort(np.concatenate([alike, chain]).astype(np.int64), axis=1)
    return found[np.lexsort((found[:, 1], found[:, 0]))]


def near_values(value_V: NDArray[np.uint64], *, max_bits: int) -> NDArray[np.int64]:
    """Returns all pairs of different values that differ in at most so many bits.

    Args:
        value_V: uint64 (V,), no value twice.
        max_bits: 0 to 16.

    Returns:
        int64 (P, 2): places i < j, each pair once, in no particular order.
    """
    if not 0 <= max_bits <= MOST_BITS:
        raise MediaError(f"{max_bits} differing bits: give 0 to {MOST_BITS}.")
    empty = np.empty((0, 2), dtype=np.int64)
    if max_bits == 0 or len(value_V) < 2:
        return empty
    masks = _table_masks(len(value_V), max_bits)
    found = [empty]
    for number, mask in enumerate(masks):
        pairs = _near_in_table(value_V, mask, max_bits)
        differing = value_V[pairs[:, 0]] ^ value_V[pairs[:, 1]]
        new = np.ones(len(pairs), dtype=np.bool_)
        for earlier in masks[:number]:
            if not new.any():
                break
            new &= (differing & earlier) != 0
        found.append(pairs[new])
    return np.concatenate(found)


def _table_masks(count: int, max_bits: int) -> list[np.uint64]:
    """Returns for each table the bits in which two hashes must agree to be compared."""

    def cost(blocks: int) -> float:
        tables = comb(blocks, max_bits)
        kept_bits = HASH_BITS * (blocks - max_bits) / blocks
        return tables * (count * _SORT_COST + count * count / 2 / 2**kept_bits)

    choices = [n for n in range(max_bits, max_bits + 9) if comb(n, max_bits) <= MOST_TABLES]
    blocks = min(choices, key=cost)
    block = [sum(1 << bit for bit in range(start, HASH_BITS, blocks)) for start in range(blocks)]
    kept = combinations(range(blocks), blocks - max_bits)
    return [np.uint64(sum(block[i] for i in chosen)) for chosen in kept]


def _near_in_table(
    value_V: NDArray[np.uint64], mask: np.uint64, max_bits: int
) -> NDArray[np.int64]:
    """Returns pairs i < j of values that agree under the mask and are alike.

    Values are sorted by what the mask leaves; each is compared with the next, then with the one after it,
    for as long as they stand in one bucket, so no more than a few numbers a value are held at once.
    """
    kept_V = value_V & mask
    order = np.argsort(kept_V)
    kept_V, sorted_V = kept_V[order], value_V[order]
    found = [np.empty((0, 2), dtype=np.int64)]
    place = np.flatnonzero(kept_V[:-1] == kept_V[1:])
    step = 1
    while place.size:
        bits = np.bitwise_count(sorted_V[place] ^ sorted_V[place + step])
        near = place[bits <= max_bits]
        if near.size:
            found.append(np.column_stack([order[near], order[near + step]]))
        step += 1
        place = place[: np.searchsorted(place, len(kept_V) - step)]
        place = place[kept_V[place] == kept_V[place + step]]
    return np.sort(np.concatenate(found), axis=1)


def near_groups(hash_N: NDArray[np.uint64], *, max_bits: int) -> NDArray[np.int64]:
    """Returns the group of each hash: the connected parts of "differs in at most so many bits".

    Groups chain: A is like B and B is like C, so all three are one group although A and C may differ in
    twice as many bits. With few bits groups stay small; look at the largest one before trusting them.

    Args:
        hash_N: uint64 (N,).
        max_bits: 0 to 16.

    Returns:
        int64 (N,): the row of the group's first hash.
    """
    return connected(len(hash_N), near_pairs(hash_N, max_bits=max_bits))


def connected(count: int, pair_P2: NDArray[np.int64]) -> NDArray[np.int64]:
    """Returns the connected part of each of so many things, named by its first member, int64 (count,)."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ones = np.ones(len(pair_P2), dtype=np.bool_)
    links = coo_array((ones, (pair_P2[:, 0], pair_P2[:, 1])), shape=(count, count))
    _, part_N = connected_components(links, directed=False)
    if not count:
        return np.empty(0, dtype=np.int64)
    _, first_G = np.unique(part_N, return_index=True)
    named: NDArray[np.int64] = first_G[part_N].astype(np.int64)
    return named
