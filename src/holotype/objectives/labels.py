"""Cross-entropy of labels that may lie at any rank of a tree.

Place in the path: a head's logits and what each record agrees with -> one number. The losses here are the
ground that ``objectives.imbalance`` builds on.

Shapes: B records, L labels, R ranks from the widest to the narrowest.
"""

import torch
from torch import Tensor
from torch.nn import functional


def weighted_mean(loss_B: Tensor, weight_B: Tensor | None = None) -> Tensor:
    """Returns the mean of the records' losses, or their weighted mean; 0 where all weights are 0."""
    if weight_B is None:
        return loss_B.mean()
    total = weight_B.sum()
    return (loss_B * weight_B).sum() / torch.where(total > 0, total, torch.ones_like(total))


def log_mass(log_p_BL: Tensor, in_BL: Tensor) -> Tensor:
    """Returns the log of the probability that falls on some of the labels, float (B,).

    Where it falls on none, the answer is a very low finite number, so that gradients stay finite.

    Args:
        log_p_BL: log probabilities of the labels.
        in_BL: bool, the labels that count.
    """
    lowest = torch.finfo(log_p_BL.dtype).min / 8
    return torch.logsumexp(log_p_BL.masked_fill(~in_BL, lowest), dim=1)


def agreeing_labels_loss(
    logit_BL: Tensor,
    agrees_BL: Tensor,
    *,
    smoothing: float = 0.0,
    weight_B: Tensor | None = None,
) -> Tensor:
    """Returns minus the log probability of "any label that agrees with the record", averaged.

    With one agreeing label this is cross-entropy. A record known only to family agrees with every label of
    that family: it trains the family's node, whose probability is the sum of its leaves, and its children
    are no rivals of each other. So this is the cross-entropy of a tree whose coarse labels are internal
    nodes.

    Args:
        logit_BL: float.
        agrees_BL: bool, at least one true in each row.
        smoothing: share of the target spread evenly over all labels (Szegedy et al. 2016,
            arXiv 1512.00567).
        weight_B: float, of the records in the mean; none gives all the same.
    """
    log_p_BL = functional.log_softmax(logit_BL, dim=1)
    masked_BL = log_p_BL.masked_fill(~agrees_BL, float("-inf"))
    loss_B = -torch.logsumexp(masked_BL, dim=1)
    if smoothing:
        loss_B = (1 - smoothing) * loss_B - smoothing * log_p_BL.mean(dim=1)
    return weighted_mean(loss_B, weight_B)


def rank_softmax_loss(
    logit_BL: Tensor, node_LR: Tensor, node_BR: Tensor, *, weight_R: Tensor
) -> Tensor:
    """Returns the cross-entropy at every rank that a record is known to, averaged.

    The probability of a taxon is the sum over the labels at and below it. Each record's loss is the mean
    over its known ranks by their weights; the loss is the mean over records. Weight on the narrowest
    known rank alone gives ``agreeing_labels_loss``. Weights that fall from rank to rank are a weighting of
    conditional probabilities, child given parent (Bertinetto et al. 2020, arXiv 1912.09393), summed by
    parts. A record that is known to no weighted rank is left out.

    Args:
        logit_BL: float.
        node_LR: int64, the taxon of each label at each rank, -1 where it has none. A coarse label has none
            at the narrower ranks: its probability counts against every taxon there.
        node_BR: int64, the taxon of each record at each rank, -1 where it is not known. A taxon that no
            label has counts as not known.
        weight_R: float, not negative.
    """
    log_p_BL = functional.log_softmax(logit_BL, dim=1)
    total_B = log_p_BL.new_zeros(len(log_p_BL))
    weight_B = log_p_BL.new_zeros(len(log_p_BL))
    for rank in range(node_LR.shape[1]):
        node_B1 = node_BR[:, rank, None]
        under_BL = (node_LR[None, :, rank] == node_B1) & (node_B1 >= 0)
        known_B = under_BL.any(dim=1)
        loss_B = -log_mass(log_p_BL, under_BL)
        total_B = total_B + weight_R[rank] * known_B * loss_B
        weight_B = weight_B + weight_R[rank] * known_B
    taught_B = weight_B > 0
    mean_B = total_B / torch.where(taught_B, weight_B, torch.ones_like(weight_B))
    return weighted_mean(mean_B, taught_B.to(mean_B.dtype))
