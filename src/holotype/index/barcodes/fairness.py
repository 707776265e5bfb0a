"""Hits of unlike length in one fair order: what a short one did not compare is charged as others have it.

A reference that lacks the part of a barcode that varies most would look nearer than it is, and a very short
one may agree by luck. So bases of the query that a hit does not compare, but others do, count for it with the
share of these others that differ there. All hits are then judged over the same bases. One difference is
added (the rule of succession), so that few bases never say "certainly equal".

Shape legend: K hits of one query, L bases of the query.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from holotype.index.barcodes.identity import Overlap
from holotype.index.barcodes.masks import ANY


class Beside(NamedTuple):
    """A haplotype beside the query.

    Attributes:
        haplotype: its number.
        reference_M: uint8, its masks.
        shift: base ``shift + j`` of the query lies beside its base j.
        overlap: how the two agree.
        edits: how many explain the overlap with gaps, so that the shift does not hold throughout; 0 without.
    """

    haplotype: int
    reference_M: NDArray[np.uint8]
    shift: int
    overlap: Overlap
    edits: int


def fair_distances(query_L: NDArray[np.uint8], hits: Sequence[Beside]) -> list[float]:
    """Returns the expected share of differing bases of each hit over all bases that any hit compares.

    Args:
        query_L: uint8, masks of the query.
        hits: what was compared with it.
    """
    compared = {hit.overlap.compared for hit in hits}
    if len(compared) <= 1:
        return [hit.overlap.distance for hit in hits]
    compared_KL = np.zeros((len(hits), len(query_L)), np.bool_)
    different_KL = np.zeros_like(compared_KL)
    for place, hit in enumerate(hits):
        first, second = max(0, hit.shift), max(0, -hit.shift)
        columns = min(len(query_L) - first, len(hit.reference_M) - second)
        beside = slice(first, first + columns)
        reference = hit.reference_M[second : second + columns]
        compared_KL[place, beside] = (reference != ANY) & (query_L[beside] != ANY)
        if not hit.edits:
            different_KL[place, beside] = (reference & query_L[beside]) == 0
    even = np.array([hit.edits == 0 for hit in hits])
    different_K = np.array([hit.overlap.different for hit in hits], np.float64)
    share = different_K.sum() / sum(hit.overlap.compared for hit in hits)
    witnesses_L = compared_KL[even].sum(axis=0)
    share_L = np.where(
        witnesses_L > 0, different_KL.sum(axis=0) / np.maximum(witnesses_L, 1), share
    )
    any_L = compared_KL.any(axis=0)
    charged_K = np.where(compared_KL | ~any_L, 0.0, share_L).sum(axis=1)
    all_columns = int(any_L.sum())
    distances: list[float] = ((different_K + charged_K + 1) / (all_columns + 2)).tolist()
    return distances
