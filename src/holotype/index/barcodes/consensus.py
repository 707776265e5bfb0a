"""The deepest rank at which the near hits of a barcode agree, by identity thresholds for each rank.

The thresholds are BOLDigger3's (Buchner & Leese 2020, doi:10.3897/mbmg.4.53535): 97 per cent for a species,
95 for a genus, 90 for a family, 85 for an order, 75 for a class. Deviations: the hits above the threshold
must agree by a share that the caller sets; hits without a name at a rank have no vote there, and a rank
without any vote is passed over for the next wider one.

Shape legend: Q queries, K hits, R ranks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from holotype.taxonomy.lineage import Rank

THRESHOLDS_PCT: Mapping[Rank, float] = MappingProxyType(
    {
        Rank.SPECIES: 97.0,
        Rank.GENUS: 95.0,
        Rank.FAMILY: 90.0,
        Rank.ORDER: 85.0,
        Rank.CLASS: 75.0,
    }
)
"""Least identity of a hit that may vote at a rank, per cent; the narrowest rank first."""
MAJORITY = 0.9
"""Share of the votes that a taxon needs; BOLDigger3 flags answers that have less."""
NONE = -1


@dataclass(frozen=True)
class Consensus:
    """What the hits of each query agree on.

    Attributes:
        rank_Q: int64, the place of the rank among those asked for; -1 where the hits agree at none.
        taxon_Q: int64, the code of the taxon at that rank; -1 for none.
        share_Q: float64, its share of the votes, 0 to 1; NaN for none.
        votes_Q: float64, the weight of all votes at that rank; 0 for none.
        place_Q: int64, the best hit of the taxon, from which the wider lineage can be read; -1 for none.
    """

    rank_Q: NDArray[np.int64]
    taxon_Q: NDArray[np.int64]
    share_Q: NDArray[np.float64]
    votes_Q: NDArray[np.float64]
    place_Q: NDArray[np.int64]


def consensus(
    identity_QK: NDArray[np.float64],
    taxon_QKR: NDArray[np.int64],
    *,
    ranks: tuple[Rank, ...] = tuple(THRESHOLDS_PCT),
    thresholds_pct: Mapping[Rank, float] = THRESHOLDS_PCT,
    majority: float = MAJORITY,
    weight_QK: NDArray[np.float64] | None = None,
) -> Consensus:
    """Returns the deepest rank at which the hits above the rank's threshold agree, for each query.

    Args:
        identity_QK: per cent, best hit first; NaN where there is none.
        taxon_QKR: code of each hit's taxon at each of the ranks; -1 where it has none.
        ranks: of the last axis, the narrowest first.
        thresholds_pct: least identity of a hit that may vote at a rank.
        majority: share of the votes that a taxon needs, above 0.5 and up to 1.
        weight_QK: votes of each hit, as its number of records; one each by default.

    Raises:
        ValueError: for a majority that is none, a rank without a threshold, or shapes that do not fit.
    """
    if not 0.5 < majority <= 1:
        raise ValueError(f"majority is {majority}; must be above 0.5 and up to 1.")
    if missing := [rank.value for rank in ranks if rank not in thresholds_pct]:
        raise ValueError(f"no threshold for {', '.join(missing)}.")
    if taxon_QKR.shape != (*identity_QK.shape, len(ranks)):
        raise ValueError(f"taxa {taxon_QKR.shape} do not fit identities {identity_QK.shape}.")
    weight = np.ones(identity_QK.shape) if weight_QK is None else weight_QK
    queries = len(identity_QK)
    answer = Consensus(
        np.full(queries, NONE, np.int64),
        np.full(queries, NONE, np.int64),
        np.full(queries, np.nan),
        np.zeros(queries),
        np.full(queries, NONE, np.int64),
    )
    for number, rank in enumerate(ranks):
        taxon_QK = taxon_QKR[:, :, number]
        may_QK = (identity_QK >= thresholds_pct[rank]) & (taxon_QK >= 0)
        vote_QK = np.where(may_QK, weight, 0.0)
        same_QKK = (taxon_QK[:, :, None] == taxon_QK[:, None, :]) & may_QK[:, :, None]
        for_QK = (same_QKK * vote_QK[:, None, :]).sum(axis=2)
        place_Q = for_QK.argmax(axis=1)
        most_Q = np.take_along_axis(for_QK, place_Q[:, None], axis=1)[:, 0]
        all_Q = vote_QK.sum(axis=1)
        agreed = (answer.rank_Q < 0) & (all_Q > 0) & (most_Q >= majority * all_Q - 1e-9)
        answer.rank_Q[agreed] = number
        answer.taxon_Q[agreed] = taxon_QK[agreed, place_Q[agreed]]
        answer.share_Q[agreed] = most_Q[agreed] / all_Q[agreed]
        answer.votes_Q[agreed] = all_Q[agreed]
        answer.place_Q[agreed] = place_Q[agreed]
    return answer
