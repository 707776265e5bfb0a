"""Which species the hits of a barcode speak for: near hits vote, each further difference costs most of it.

The nearest hit alone is at the mercy of one wrong label, and of chance where species tie. So each hit votes
for its species. A hit with one difference more than one that is equal to the query has a twelfth of its vote;
the further the best hit is, the less a difference costs. Records of one haplotype add half a vote for each
e-fold. Hits without a species do not vote.

Shape legend: Q queries, K hits.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holotype.index.barcodes.hits import BarcodeHits

COST_OF_A_DIFFERENCE = 2.5
"""Natural logarithm of what one difference more divides the vote of a near hit by."""
CHANCE = 0.25
"""How much less a difference costs for each of the square root of the best hit's differences: far from a
query, which reference has one difference less is chance."""
WORTH_OF_RECORDS = 0.5
"""What a haplotype's vote gains for each e-fold of records."""
NONE = -1


@dataclass(frozen=True)
class Votes:
    """What the hits of each query speak for.

    Attributes:
        taxon_Q: int64, the code of the species, or other taxon; -1 where no hit has one.
        place_Q: int64, the nearest hit of that taxon; -1 for none.
        share_Q: float64, its share of the votes, 0 to 1; NaN for none.
    """

    taxon_Q: NDArray[np.int64]
    place_Q: NDArray[np.int64]
    share_Q: NDArray[np.float64]


def species_by_votes(hits: BarcodeHits) -> Votes:
    """Returns the species that the hits of each query speak for; of equal ones that of the nearer hit."""
    return taxon_by_votes(hits, hits.species_QK)


def taxon_by_votes(hits: BarcodeHits, taxon_QK: NDArray[np.int64]) -> Votes:
    """Returns the taxon that the hits of each query speak for; of equal ones that of the nearer hit.

    Args:
        hits: of a search.
        taxon_QK: int64, the code of each hit's taxon at some rank; -1 where it has none.
    """
    queries, k = taxon_QK.shape
    if not queries or not k:
        none = np.full(queries, NONE, np.int64)
        return Votes(none, none.copy(), np.full(queries, np.nan))
    distance_QK = hits.distance_QK
    length_Q1 = hits.overlap_QK.max(axis=1, keepdims=True)
    best_Q1 = np.nan_to_num(distance_QK[:, :1], nan=1.0)
    more_QK = np.nan_to_num((distance_QK - best_Q1) * length_Q1, nan=np.inf)
    # One difference was added to those found (``fairness``).
    differences_Q1 = np.maximum(best_Q1 * (length_Q1 + 2) - 1, 0)
    cost_Q1 = COST_OF_A_DIFFERENCE / (1 + CHANCE * np.sqrt(differences_Q1))
    records_QK = np.log(np.maximum(hits.records_QK, 1))
    vote_QK = np.exp(-cost_Q1 * more_QK) * (1 + WORTH_OF_RECORDS * records_QK)
    vote_QK = np.where(taxon_QK >= 0, vote_QK, 0.0)
    same_QKK = taxon_QK[:, :, None] == taxon_QK[:, None, :]
    for_QK = np.where(taxon_QK >= 0, (same_QKK * vote_QK[:, None, :]).sum(axis=2), -1.0)
    place_Q = for_QK.argmax(axis=1)
    row_Q = np.arange(queries)
    named_Q = for_QK[row_Q, place_Q] >= 0
    all_Q = np.maximum(vote_QK.sum(axis=1), np.finfo(np.float64).tiny)
    return Votes(
        taxon_Q=np.where(named_Q, taxon_QK[row_Q, place_Q], NONE),
        place_Q=np.where(named_Q, place_Q, NONE),
        share_Q=np.where(named_Q, for_QK[row_Q, place_Q] / all_Q, np.nan),
    )
