"""On which strand a barcode lies, by its words of four bases.

Shape legend: N references, Q queries, W = 256 words, S references of a sample.
"""

import numpy as np
from numpy.typing import NDArray

from holotype.index.barcodes.alike import features

CERTAIN_REFERENCE = 0.06
"""Difference of cosines to the mean of all references; real COI on the wrong strand has 0.1 and more."""
CERTAIN_QUERY = 0.02
"""Difference of cosines to the nearest of a sample; under it both strands are searched."""
SAMPLE = 1024
_BASES = np.arange(256)[:, None] >> np.array([6, 4, 2, 0]) & 3
OTHER_STRAND_W = ((3 - _BASES[:, ::-1]) << np.array([6, 4, 2, 0])).sum(axis=1)
"""int64 (W,): the word that each word of four bases is on the other strand."""


def certainly_turned(count_NW: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Returns which references are certainly on the other strand than most, bool (N,)."""
    if not len(count_NW):
        return np.zeros(0, np.bool_)
    z_NW = features(count_NW)
    mean_W = z_NW.mean(axis=0)
    evidence_N: NDArray[np.float32] = z_NW @ (mean_W - mean_W[OTHER_STRAND_W])
    return evidence_N < -CERTAIN_REFERENCE


def evidence_of_strand(
    query_QW: NDArray[np.float32], count_NW: NDArray[np.uint8]
) -> NDArray[np.float32]:
    """Returns how much more each query is like the references as given than turned, float32 (Q,).

    Args:
        query_QW: of ``features``.
        count_NW: of the references.
    """
    rows = np.unique(np.linspace(0, len(count_NW) - 1, min(SAMPLE, len(count_NW))).astype(np.int64))
    z_WS = features(count_NW[rows]).T
    given_Q = (query_QW @ z_WS).max(axis=1)
    evidence_Q: NDArray[np.float32] = given_Q - (query_QW[:, OTHER_STRAND_W] @ z_WS).max(axis=1)
    return evidence_Q
