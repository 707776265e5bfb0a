"""Hits of unlike length in one fair order: what a short one did not compare is charged as others have it.

A reference that lacks the part of a barcode that varies most would look nearer than it is, and a very short
one may agree by luck. So bases of the query that a hit does not compare, but others do, count for it with the
share of these others that differ there; bases that an alignment left over at its ends, with the share of all
that differ. All hits are then judged over the same bases. One difference is
added (the rule of succession), so that few bases never say "certainly equal".

Shape legend: K hits of one query, L bases of the query.
"""

import numpy as np
from numpy.typing import NDArray


def fair_distances(
    different_K: NDArray[np.int64],
    compared_K: NDArray[np.int64],
    *,
    different_KL: NDArray[np.bool_],
    compared_KL: NDArray[np.bool_],
    gapped_K: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Returns the expected share of differing bases of each hit over all bases that any hit compares.

    Args:
        different_K: columns that differ, gaps among them.
        compared_K: columns that are compared.
        different_KL: which bases differ, at one shift.
        compared_KL: which bases are compared, at one shift.
        gapped_K: hits whose shift does not hold throughout; they are no witnesses of where bases differ.
    """
    if (compared_K == compared_K[:1]).all():
        return (different_K + 1) / (compared_K + 2)
    witnesses_L = compared_KL[~gapped_K].sum(axis=0)
    differing_L = different_KL[~gapped_K].sum(axis=0)
    share = different_K.sum() / compared_K.sum()
    share_L = np.where(witnesses_L > 0, differing_L / np.maximum(witnesses_L, 1), share)
    any_L = compared_KL.any(axis=0)
    lost_K = np.maximum(np.count_nonzero(compared_KL, axis=1) - compared_K, 0)
    charged_K = (~compared_KL & any_L) @ share_L + lost_K * share
    distance_K: NDArray[np.float64] = (different_K + charged_K + 1) / (int(any_L.sum()) + 2)
    return distance_K
