"""Answers without a model: the least that a model must beat.

Nearest image by pixels, nearest barcode by k-mers and by identity over the overlap, and the commonest name.
"""

from collections import Counter
from collections.abc import Sequence

import cv2
import edlib
import numpy as np
from numpy.typing import NDArray

from holotype.evaluation.metrics import nearest
from holotype.inputs.dna import IUPAC_BASES
from holotype.inputs.pixels import StreamedPixels
from holotype.media.kmers import kmer_counts, unit_rows

THUMBNAIL_PX = 16
CANDIDATES = 20
MIN_OVERLAP_BP = 100
_SEED_BP = 11
_EQUALITIES = [
    (code, base) for code, bases in IUPAC_BASES.items() if len(bases) > 1 for base in bases
]


def pixel_features(
    pixels_MSSC: NDArray[np.uint8] | StreamedPixels, size_M2: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Returns centred thumbnails and the logarithm of the size, unit rows, float32 (M, D)."""
    side = (THUMBNAIL_PX, THUMBNAIL_PX)
    blocks = np.array_split(np.arange(len(pixels_MSSC)), len(pixels_MSSC) // 1024 + 1)
    small = np.stack(
        [
            cv2.resize(image, side, interpolation=cv2.INTER_AREA).ravel()
            for block in blocks
            for image in pixels_MSSC[block]
        ]
    ).astype(np.float32)
    small -= small.mean(axis=1, keepdims=True)
    sizes = np.log(np.maximum(size_M2, 1)) - np.log(np.maximum(size_M2, 1)).mean(axis=0)
    return unit_rows(np.concatenate([unit_rows(small), 0.3 * sizes.astype(np.float32)], axis=1))


def kmer_features(barcodes: Sequence[str], *, k: int = 5) -> NDArray[np.float32]:
    """Returns k-mer counts as unit rows, float32 (N, 4**k)."""
    return unit_rows(kmer_counts(barcodes, k))


def nearest_by_identity(
    queries: Sequence[str], keys: Sequence[str], *, k: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Returns the k keys of highest identity, best first, among the 20 nearest by 6-mer counts.

    Identity is the share of equal columns in the alignment of the overlap of the two sequences;
    ambiguity codes equal what they stand for. Ties go to the longer overlap, then to the k-mer order.
    Aligned by edlib (Sosic & Sikic 2017, doi:10.1093/bioinformatics/btw753).
    """
    candidate_QC, cosine_QC = nearest(
        kmer_features(queries, k=6), kmer_features(keys, k=6), k=max(k, CANDIDATES)
    )
    del cosine_QC
    index_QK = np.empty((len(queries), min(k, len(keys))), dtype=np.int64)
    identity_QK = np.empty(index_QK.shape, dtype=np.float32)
    for row, query in enumerate(queries):
        judged = []
        for place, key in enumerate(candidate_QC[row].tolist()):
            identity, overlap = overlap_identity(query, keys[key])
            judged.append((-identity, -overlap, place, key))
        judged.sort()
        best = judged[: index_QK.shape[1]]
        index_QK[row] = [key for *_, key in best]
        identity_QK[row] = [-identity for identity, *_ in best]
    return index_QK, identity_QK


def overlap_identity(first: str, second: str) -> tuple[float, int]:
    """Returns the identity over the overlap of two barcodes, and the overlap in bp.

    The overlap is found from shared 11-mers (the commonest shift between them); without one the whole
    sequences are aligned. Overlaps under 100 bp count as identity 0.

    >>> overlap_identity("A" * 50 + "ACGT" * 30, "ACGT" * 30 + "C" * 40)
    (1.0, 120)
    """
    shift = _commonest_shift(first, second)
    if shift is not None:
        start = max(0, shift), max(0, -shift)
        length = min(len(first) - start[0], len(second) - start[1])
        first, second = (
            text[begin : begin + length] for text, begin in zip((first, second), start, strict=True)
        )
    overlap = min(len(first), len(second))
    if overlap < MIN_OVERLAP_BP:
        return 0.0, overlap
    found = edlib.align(first, second, mode="NW", task="distance", additionalEqualities=_EQUALITIES)
    columns = max(len(first), len(second))
    return 1 - found["editDistance"] / columns, overlap


def _commonest_shift(first: str, second: str) -> int | None:
    where: dict[str, int] = {}
    for place in range(len(second) - _SEED_BP + 1):
        where.setdefault(second[place : place + _SEED_BP], place)
    shifts = Counter(
        place - where[seed]
        for place in range(len(first) - _SEED_BP + 1)
        if (seed := first[place : place + _SEED_BP]) in where
    )
    return shifts.most_common(1)[0][0] if shifts else None


def commonest_first(names: Sequence[str | None]) -> list[str]:
    """Returns the names by how often they occur, commonest first, ties alphabetical."""
    counts = Counter(name for name in names if name is not None)
    return [name for name, _ in sorted(counts.items(), key=lambda kv: (-kv[1], kv[0]))]
