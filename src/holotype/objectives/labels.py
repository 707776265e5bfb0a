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
