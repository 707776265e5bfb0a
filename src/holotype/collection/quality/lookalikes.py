"""Pictures that were saved twice: encoded or scaled anew, so that their bytes differ.

A perceptual hash proposes pairs, the measures of the whole image throw most of them out, and the correlation
of the pixels decides: on small blurred crops the hash alone is wrong far more often than right
(docs/why/quality-checks.md).
"""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from holotype.collection.quality.agreement import (
    LABEL_COLUMNS,
    exclude_each_other,
    written_name,
)
from holotype.collection.quality.finding import Check, Finding, Severity
from holotype.collection.quality.pictures import likeness, pictures, small_grey
from holotype.collection.store import Collection
from holotype.media.likeness import near_values, parse_hashes

MAX_BITS = ((50_000, 6), (500_000, 4), (5_000_000, 2))
"""How many bits may differ, by the number of images: chance pairs grow with its square."""
LEAST_LIKENESS = 0.985
COMPARED_SIDE_PX = 96
PAIRS_AT_ONCE = 20_000
MOST_PER_HASH = 40
"""Of more images with one hash each is compared with so many, those of the nearest mean grey."""
GREY_TOLERANCE = 6.0
SPREAD_TOLERANCE = 0.2
SIZE_TOLERANCE = 0.25
RATIO_TOLERANCE = 0.06
_MEASURES = ["image_width_px", "image_height_px", "grey_mean", "grey_sd", "object_esd_px"]


def similar_images(collection: Collection) -> Iterator[Finding]:
    """Yields a finding for each pair of pictures that look the same although their bytes differ."""
    table = collection.columns(["image_sha256", "image_phash", *_MEASURES])
    row_M, hash_M = _first_of_each(table)
    pair_P2 = _plausible(table.select(_MEASURES), row_M, _candidates(hash_M, table, row_M))
    found: dict[tuple[int, int], float] = {}
    for start in range(0, len(pair_P2), PAIRS_AT_ONCE):
        found |= _likenesses(collection, pair_P2[start : start + PAIRS_AT_ONCE])
    alike = {pair: value for pair, value in found.items() if value >= LEAST_LIKENESS}
    rows = sorted({row for pair in alike for row in pair})
    labels = collection.columns(["record_id", "source", *LABEL_COLUMNS])
    label_of = dict(zip(rows, labels.take(pa.array(rows, pa.int64())).to_pylist(), strict=True))
    for (first, second), value in sorted(alike.items()):
        one, other = label_of[first], label_of[second]
        check, severity = _verdict(
            at_odds=exclude_each_other(one, other), across=one["source"] != other["source"]
        )
        yield Finding(
            check,
            severity,
            other["source"],
            f"'{written_name(other)}' looks like '{written_name(one)}' in {one['source']} "
            f"(correlation {value:.3f}).",
            other["record_id"],
            one["record_id"],
            value,
        )


def _likenesses(collection: Collection, pair_P2: NDArray[np.int64]) -> dict[tuple[int, int], float]:
    """Returns the correlation of the pixels of each pair of rows."""
    small = {
        row: small_grey(pixels, side_px=COMPARED_SIDE_PX)
        for row, pixels in pictures(collection, np.unique(pair_P2).tolist())
    }
    return {
        (first, second): likeness(small[first], small[second])
        for first, second in pair_P2.tolist()
        if first in small and second in small
    }


def _verdict(*, at_odds: bool, across: bool) -> tuple[Check, Severity]:
    if at_odds:
        return Check.CONFLICTING_SIMILAR_IMAGES, Severity.WARNING
    if across:
        return Check.SIMILAR_ACROSS_SOURCES, Severity.WARNING
    return Check.SIMILAR_IMAGES, Severity.REMARK


def _first_of_each(table: pa.Table) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """Returns row and hash of the first record of each image file that has a hash."""
    codes = table["image_sha256"].combine_chunks().dictionary_encode().indices
    code_N = pc.fill_null(codes, -1).to_numpy()
    _, first = np.unique(code_N, return_index=True)
    first = np.sort(first[code_N[first] >= 0])
    hashes = table["image_phash"].take(pa.array(first)).to_pylist()
    present, hash_M = parse_hashes(hashes)
    return first[present].astype(np.int64), hash_M


def _candidates(
    hash_M: NDArray[np.uint64], table: pa.Table, row_M: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Returns pairs of places in ``row_M`` whose hashes are alike, int64 (P, 2)."""
    value_V, inverse_M = np.unique(hash_M, return_inverse=True)
    bits = next((bits for most, bits in MAX_BITS if len(hash_M) <= most), 0)
    grey_M = table["grey_mean"].to_numpy()[row_M]
    order = np.lexsort((grey_M, inverse_M))
    edges = np.searchsorted(inverse_M[order], np.arange(len(value_V) + 1))
    pairs = [np.empty((0, 2), np.int64)]
    for value in np.flatnonzero(np.diff(edges) > 1).tolist():
        members = order[edges[value] : edges[value + 1]]
        close = _neighbours(len(members))
        pairs.append(members[np.array(close, np.int64)])
    for first, second in near_values(value_V, max_bits=bits).tolist():
        left = order[edges[first] : edges[first + 1]][:MOST_PER_HASH]
        right = order[edges[second] : edges[second + 1]][:MOST_PER_HASH]
        grid = np.stack(np.meshgrid(left, right, indexing="ij"), axis=-1).reshape(-1, 2)
        pairs.append(grid)
    return np.unique(np.sort(np.concatenate(pairs), axis=1), axis=0)


def _neighbours(count: int) -> list[tuple[int, int]]:
    return [
        (place, other)
        for place in range(count)
        for other in range(place + 1, min(count, place + 1 + MOST_PER_HASH))
    ]


def _plausible(
    measures: pa.Table, row_M: NDArray[np.int64], pair_P2: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Returns those pairs, as rows of the collection, whose greys, shapes and object sizes agree."""
    width, height, mean, spread, size = (
        measures[name].to_numpy().astype(np.float64)[row_M] for name in _MEASURES
    )
    relative, ratio = size / width, np.log(width / height)
    a, b = pair_P2[:, 0], pair_P2[:, 1]
    agree = np.abs(mean[a] - mean[b]) <= GREY_TOLERANCE
    agree &= (
        np.abs(spread[a] - spread[b]) <= SPREAD_TOLERANCE * np.maximum(spread[a], spread[b]) + 1
    )
    agree &= np.abs(np.log(relative[a] / relative[b])) <= SIZE_TOLERANCE
    agree &= np.abs(ratio[a] - ratio[b]) <= RATIO_TOLERANCE
    rows_P2: NDArray[np.int64] = row_M[pair_P2[agree]].reshape(-1, 2)
    return rows_P2
