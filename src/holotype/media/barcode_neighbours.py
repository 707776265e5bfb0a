"""Which barcode of the own taxon, and which of another taxon, is nearest: for mislabels and contaminants.

Place in the path: ``nearest`` ranks by words of five bases, every barcode against a bounded number of
references, a block at a time; ``differing_share`` aligns the few pairs that matter.

Shape legend: N barcodes, M references, R ranks, B barcodes of a block.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from holotype.media.kmers import kmer_counts, unit_rows

WORD_BASES = 5
BLOCK = 512
NONE = -1
_LETTERS = {
    "R": "AG", "Y": "CT", "S": "CG", "W": "AT", "K": "GT", "M": "AC",
    "B": "CGT", "D": "AGT", "H": "ACT", "V": "ACG", "N": "ACGT",
}  # fmt: skip
_MATCHES = [(code, base) for code, bases in _LETTERS.items() for base in bases]
_MATCHES += [(a, b) for a, b in combinations(_LETTERS, 2) if set(_LETTERS[a]) & set(_LETTERS[b])]


@dataclass(frozen=True)
class Nearest:
    """The nearest references of each barcode, at each rank; -1 where there is none.

    Attributes:
        inside_NR: int64, the reference (row) of the own taxon, another sequence than the barcode itself.
        outside_NR: int64, the reference of another taxon of that rank.
        inside_likeness_NR: float32, cosine of the word counts, -1 to 1.
        outside_likeness_NR: float32, the same.
    """

    inside_NR: npt.NDArray[np.int64]
    outside_NR: npt.NDArray[np.int64]
    inside_likeness_NR: npt.NDArray[np.float32]
    outside_likeness_NR: npt.NDArray[np.float32]


def choose_references(taxon_NR: npt.NDArray[np.int64], *, most: int) -> npt.NDArray[np.int64]:
    """Returns rows of at most so many references, the first of every taxon before the second of any.

    Args:
        taxon_NR: number of the taxon at each rank, narrow to wide; -1 where it is not known.
        most: how many.
    """
    if len(taxon_NR) <= most:
        return np.arange(len(taxon_NR))
    narrowest_N = taxon_NR[np.arange(len(taxon_NR)), (taxon_NR >= 0).argmax(axis=1)]
    order = np.argsort(narrowest_N, kind="stable")
    _, start, count = np.unique(narrowest_N[order], return_index=True, return_counts=True)
    place_in_taxon = np.arange(len(order)) - np.repeat(start, count)
    chosen = order[np.argsort(place_in_taxon, kind="stable")][:most]
    return np.sort(chosen)


def nearest(
    texts: Callable[[npt.NDArray[np.int64]], Sequence[str]],
    taxon_NR: npt.NDArray[np.int64],
    reference_M: npt.NDArray[np.int64],
) -> Iterator[tuple[slice, Nearest]]:
    """Yields the nearest references of a block of barcodes after the other.

    Args:
        texts: rows -> their barcodes, all on one strand.
        taxon_NR: number of the taxon at each rank; -1 where it is not known.
        reference_M: rows of the barcodes to compare with.
    """
    order, start_G, taxon_GR = _grouped(taxon_NR, reference_M)
    z_SM = unit_rows(kmer_counts(texts(order), WORD_BASES)).T
    place_of = np.full(len(taxon_NR), NONE, np.int64)
    place_of[order] = np.arange(len(order))
    for start in range(0, len(taxon_NR), BLOCK):
        block = slice(start, min(start + BLOCK, len(taxon_NR)))
        likeness_BM = (
            unit_rows(kmer_counts(texts(np.arange(block.start, block.stop)), WORD_BASES)) @ z_SM
        )
        own = place_of[block]
        likeness_BM[np.flatnonzero(own >= 0), own[own >= 0]] = NONE
        best_BG = np.maximum.reduceat(likeness_BM, start_G, axis=1)
        shape = (block.stop - block.start, taxon_NR.shape[1])
        inside, outside = np.full(shape, NONE, np.int64), np.full(shape, NONE, np.int64)
        inside_like, outside_like = (
            np.full(shape, NONE, np.float32),
            np.full(shape, NONE, np.float32),
        )
        for rank in range(shape[1]):
            own_B1, taxon_G = taxon_NR[block, rank][:, None], taxon_GR[:, rank]
            known_BG = (own_B1 >= 0) & (taxon_G >= 0)
            same_BG = own_B1 == taxon_G
            for wanted_BG, rows, likes in (
                (known_BG & same_BG, inside, inside_like),
                (known_BG & ~same_BG, outside, outside_like),
            ):
                rows[:, rank], likes[:, rank] = _best(
                    np.where(wanted_BG, best_BG, np.float32(NONE)), likeness_BM, start_G, order
                )
        yield block, Nearest(inside, outside, inside_like, outside_like)


def _grouped(
    taxon_NR: npt.NDArray[np.int64], reference_M: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Returns the references ordered by lineage, where each group of one lineage starts, and its taxa."""
    taxon_GR, group_M = np.unique(taxon_NR[reference_M], axis=0, return_inverse=True)
    order = np.argsort(group_M.ravel(), kind="stable")
    start_G = np.searchsorted(group_M.ravel()[order], np.arange(len(taxon_GR)))
    return reference_M[order], start_G, taxon_GR


def _best(
    best_BG: npt.NDArray[np.float32],
    likeness_BM: npt.NDArray[np.float32],
    start_G: npt.NDArray[np.int64],
    order: npt.NDArray[np.int64],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Returns the best reference of each barcode among the groups that count, and how like it is."""
    group_B = best_BG.argmax(axis=1)
    like_B = best_BG[np.arange(len(group_B)), group_B]
    end_G = np.append(start_G[1:], likeness_BM.shape[1])
    row_B = np.full(len(group_B), NONE, np.int64)
    for at in np.flatnonzero(like_B > NONE).tolist():
        start, end = start_G[group_B[at]], end_G[group_B[at]]
        row_B[at] = order[start + int(likeness_BM[at, start:end].argmax())]
    return row_B, like_B


def differing_share(first: str, second: str) -> float:
    """Returns the share of differing bases where two barcodes overlap, 0 to 1.

    The shorter one is aligned whole inside the longer one; ambiguity codes match what they may stand for.

    >>> differing_share("ACGTACGTAC", "TTACGTNCGTAGTT")
    0.1
    """
    import edlib

    short, long = sorted((first, second), key=len)
    edits = edlib.align(short, long, mode="HW", task="distance", additionalEqualities=_MATCHES)[
        "editDistance"
    ]
    return float(edits) / max(1, len(short))
