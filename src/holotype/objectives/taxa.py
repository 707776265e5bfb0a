"""Contrast of records with the captions of all taxa of a tree, at every rank.

Place in the path: unit rows of images or barcodes, and of the captions of taxa -> one number. Supervised
learning and learning from captions are one loss here: the captions are the classifier's weights.

Shapes: B records, T taxa, K taxa of one rank, R ranks from the widest to the narrowest, D features.
"""

import torch
from torch import Tensor
from torch.nn import functional

from holotype.errors import TaxonomyError


def taxon_loss(
    z_BD: Tensor,
    z_TD: Tensor,
    taxon_BR: Tensor,
    rank_T: Tensor,
    *,
    scale: Tensor,
    weight_R: Tensor,
) -> Tensor:
    """Returns the cross-entropy of each record's own taxon among the taxa of each rank, averaged.

    At every rank that a record is known to, a softmax runs over the captions of that rank alone: a taxon is
    no rival of its children, records of one taxon are none of each other, and the batch plays no part.
    A record's loss is the mean over these ranks by their weights; the loss is the mean over the records
    that are known to a weighted rank, 0 where there is none.

    A cheaper form takes a sample of the taxa, among them all that the records are of.

    Args:
        z_BD: unit rows of images or barcodes.
        z_TD: unit rows of the taxa's captions.
        taxon_BR: int64, the row of ``z_TD`` of each record's taxon at each rank, -1 where it is not known.
        rank_T: int64, the rank of each taxon, an index into R.
        scale: the inverse temperature, a scalar.
        weight_R: float, not negative. A rank with one taxon teaches nothing, yet counts in the mean.

    Raises:
        TaxonomyError: when a record's taxon at a rank is of another rank.
    """
    known_BR = taxon_BR >= 0
    target_BR = taxon_BR.clamp(min=0)
    num_ranks = taxon_BR.shape[1]
    own_rank_R = torch.arange(num_ranks, device=taxon_BR.device)
    if bool((known_BR & (rank_T[target_BR] != own_rank_R)).any()):
        raise TaxonomyError("taxon_BR names a taxon of another rank than its column; check rank_T.")
    total_B, weight_B = z_BD.new_zeros(len(z_BD)), z_BD.new_zeros(len(z_BD))
    for rank in range(num_ranks):
        of_rank_T = rank_T == rank
        if not bool(known_BR[:, rank].any()):
            continue
        column_T = torch.cumsum(of_rank_T, dim=0) - 1
        column_B = torch.where(known_BR[:, rank], column_T[target_BR[:, rank]], -100)
        logit_BK = scale * z_BD @ z_TD[of_rank_T].T
        loss_B = functional.cross_entropy(logit_BK, column_B, ignore_index=-100, reduction="none")
        total_B = total_B + weight_R[rank] * loss_B
        weight_B = weight_B + weight_R[rank] * known_BR[:, rank]
    taught_B = weight_B > 0
    loss_B = total_B / torch.where(taught_B, weight_B, torch.ones_like(weight_B))
    return loss_B.sum() / taught_B.sum().clamp(min=1)
