"""Objectives as pure functions of embeddings and masks.

Shapes: B records, L labels, P rows and Q columns of a pair of modalities, D features.
"""

import torch
from torch import Tensor
from torch.nn import functional


def agreeing_labels_loss(logit_BL: Tensor, agrees_BL: Tensor, *, smoothing: float = 0.0) -> Tensor:
    """Returns minus the log probability of "any label that agrees with the record", averaged.

    With one agreeing label this is cross-entropy. A record known only to family agrees with every label of
    that family: it trains the family's node, and its children are no rivals of each other.

    Args:
        logit_BL: float.
        agrees_BL: bool, at least one true in each row.
        smoothing: share of the target spread evenly over all labels (Szegedy et al. 2016,
            arXiv 1512.00567).
    """
    log_p_BL = functional.log_softmax(logit_BL, dim=1)
    masked_BL = log_p_BL.masked_fill(~agrees_BL, float("-inf"))
    loss_B = -torch.logsumexp(masked_BL, dim=1)
    if smoothing:
        loss_B = (1 - smoothing) * loss_B - smoothing * log_p_BL.mean(dim=1)
    return loss_B.mean()


def alignment_loss(
    z_PD: Tensor, z_QD: Tensor, positive_PQ: Tensor, ignored_PQ: Tensor, scale: Tensor
) -> Tensor:
    """Returns the symmetric multi-positive InfoNCE of two sets of unit vectors.

    In each row the target is spread evenly over its positives; ignored pairs (they may or may not be of
    the same taxon) count neither for nor against. With the diagonal alone as positives and nothing ignored
    this is CLIP's loss (Radford et al. 2021, arXiv 2103.00020); with several positives it is the form that
    averages log probabilities over them (Khosla et al. 2020, arXiv 2004.11362). Rows or columns without a
    positive are left out.

    Args:
        z_PD: unit rows of one modality.
        z_QD: unit rows of the other.
        positive_PQ: bool, the pairs that belong together.
        ignored_PQ: bool, the pairs that say nothing; never both true.
        scale: the inverse temperature, a scalar.
    """
    logit_PQ = (scale * z_PD @ z_QD.T).masked_fill(ignored_PQ, float("-inf"))
    return (_one_way(logit_PQ, positive_PQ) + _one_way(logit_PQ.T, positive_PQ.T)) / 2


def _one_way(logit_PQ: Tensor, positive_PQ: Tensor) -> Tensor:
    count_P = positive_PQ.sum(dim=1)
    has_P = count_P > 0
    if not bool(has_P.any()):
        return logit_PQ.new_zeros(())
    log_p_PQ = functional.log_softmax(logit_PQ, dim=1)
    summed_P = torch.where(positive_PQ, log_p_PQ, torch.zeros_like(log_p_PQ)).sum(dim=1)
    return -(summed_P[has_P] / count_P[has_P]).mean()
