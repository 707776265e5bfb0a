"""Images that look alike: near-duplicates, as far as numbers can tell.

A perceptual hash alone calls many small crops alike: of the pairs of PlanktonSet 1.0 with hashes within
2 bits fewer than a third bear one label (docs/why/splits.md). So two images are near-duplicates when their
hashes differ in few bits AND their sizes and grey levels agree.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from holotype.media.likeness import near_values, parse_hashes

SIZE_RATIO = 1.1
"""Width and height of near-duplicates differ at most by this factor."""
GREY_LEVELS = 3.0
"""Mean and deviation of their grey levels, in whole levels of 255, differ at most by so many."""
AUDITED_BITS = ((1_000_000, 2), (None, 0))
"""Up to so many images, an audit looks within so many bits when the split did not say how many: the pairs of
small crops grow with the square of their number."""
_AT_ONCE = 1 << 22


@dataclass(frozen=True)
class Alike:
    """The different images of a collection, and which of them are near-duplicates.

    Attributes:
        image_N: int64, the number of the image that the record shows; one number for records whose hash, size
            and grey levels are all the same; -1 for records without a hash.
        pair_P2: int64 (P, 2), pairs of numbers of different images that are alike, each once.
    """

    image_N: NDArray[np.int64]
    pair_P2: NDArray[np.int64]


def audited_bits(count: int) -> int:
    """Returns within how many bits an audit looks for near-duplicates among so many images."""
    return next(bits for most, bits in AUDITED_BITS if most is None or count <= most)


def near_images(table: pa.Table, *, max_bits: int) -> Alike:
    """Returns the different images, and all pairs of them that are near-duplicates.

    Hashes differ in at most ``max_bits`` bits, sizes by at most 10 %, grey mean and deviation by at most
    3 whole levels. What a record does not give (size, grey levels) is not compared.

    Raises:
        MediaError: for a hash that is none, or for more than 16 bits.
    """
    row_M, hash_M = parse_hashes(table["image_phash"].to_pylist())
    measure_MK = _measures(table)[row_M]
    first_I, image_M = _distinct(hash_M, measure_MK)
    image_N = np.full(table.num_rows, -1, dtype=np.int64)
    image_N[row_M] = image_M
    hash_I, measure_IK = hash_M[first_I], measure_MK[first_I]
    value_V, code_I = np.unique(hash_I, return_inverse=True)
    order_I = np.argsort(code_I, kind="stable")
    size_V = np.bincount(code_I, minlength=len(value_V))
    start_V = np.cumsum(size_V) - size_V
    itself_V = np.flatnonzero(size_V > 1)
    pairs = np.concatenate(
        [near_values(value_V, max_bits=max_bits), np.column_stack([itself_V, itself_V])]
    )
    found = [np.empty((0, 2), dtype=np.int64)]
    for part in _portions(pairs, size_V):
        a, b = _crossed(part, start_V, size_V)
        first, second = order_I[a], order_I[b]
        alike = (first != second) & _agree(measure_IK[first], measure_IK[second])
        both = np.sort(np.column_stack([first[alike], second[alike]]), axis=1)
        found.append(np.unique(both, axis=0) if len(both) else both)
    return Alike(image_N, np.concatenate(found).astype(np.int64))


def near_links(table: pa.Table, *, max_bits: int) -> NDArray[np.int64]:
    """Returns links between records whose images are near-duplicates (see ``near_images``).

    Returns:
        int64 (P, 2): rows; one link for each pair of different images that are alike, and a chain through
        the records of each image, so their connected parts are the groups of near-duplicates.
    """
    alike = near_images(table, max_bits=max_bits)
    shown = np.flatnonzero(alike.image_N >= 0)
    order = shown[np.argsort(alike.image_N[shown], kind="stable")]
    same = alike.image_N[order[:-1]] == alike.image_N[order[1:]]
    _, first_I = np.unique(alike.image_N[order], return_index=True)
    chain = np.column_stack([order[:-1][same], order[1:][same]])
    return np.concatenate([chain, order[first_I][alike.pair_P2].reshape(-1, 2)]).astype(np.int64)


def _measures(table: pa.Table) -> NDArray[np.float64]:
    """Returns log width and height, and grey levels, in units of what may differ; NaN: not given."""
    sizes = [
        np.log(_numbers(table, name)) / np.log(SIZE_RATIO)
        for name in ("image_width_px", "image_height_px")
    ]
    greys = [np.round(_numbers(table, name)) / GREY_LEVELS for name in ("grey_mean", "grey_sd")]
    return np.column_stack([*sizes, *greys])


def _numbers(table: pa.Table, column: str) -> NDArray[np.float64]:
    values: NDArray[np.float64] = table[column].cast(pa.float64()).to_numpy()
    return values


def _agree(first_PK: NDArray[np.float64], second_PK: NDArray[np.float64]) -> NDArray[np.bool_]:
    apart = np.abs(first_PK - second_PK) > 1 + 1e-9
    return np.asarray(~apart.any(axis=1), dtype=np.bool_)


def _distinct(
    hash_M: NDArray[np.uint64], measure_MK: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Returns the first place of each different image, and which image stands at each place."""
    plain_MK = np.nan_to_num(measure_MK, nan=-1e9)
    order = np.lexsort((*plain_MK.T, hash_M))
    new = np.ones(len(order), dtype=np.bool_)
    new[1:] = (hash_M[order[1:]] != hash_M[order[:-1]]) | (
        plain_MK[order[1:]] != plain_MK[order[:-1]]
    ).any(axis=1)
    image_M = np.empty(len(order), dtype=np.int64)
    image_M[order] = np.cumsum(new) - 1
    return order[new], image_M


def _portions(pairs: NDArray[np.int64], size_V: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Returns the pairs of hashes in portions of about four million pairs of images."""
    if not len(pairs):
        return []
    total = np.cumsum(size_V[pairs[:, 0]] * size_V[pairs[:, 1]])
    cuts = np.searchsorted(total, np.arange(_AT_ONCE, int(total[-1]), _AT_ONCE))
    return [part for part in np.split(pairs, np.unique(cuts)) if len(part)]


def _crossed(
    pairs: NDArray[np.int64], start_V: NDArray[np.int64], size_V: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Returns places of all images of the one hash against all of the other, for each pair of hashes."""
    left, right = pairs[:, 0], pairs[:, 1]
    count = size_V[left] * size_V[right]
    whose = np.repeat(np.arange(len(pairs)), count)
    within = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
    wide = size_V[right][whose]
    return start_V[left][whose] + within // wide, start_V[right][whose] + within % wide
