"""Losses of labels for long tails, each for records that agree with one label or with several.

One rule carries all of them over to coarse records: the labels that agree with a record are one class,
whose probability, prior and count are the sums of theirs. With one agreeing label each loss is the
published one.

Shapes: B records, L labels.
"""

import torch
from torch import Tensor
from torch.nn import functional

from holotype.objectives.labels import agreeing_labels_loss, log_mass, weighted_mean


def agreeing_count(count_L: Tensor, agrees_BL: Tensor) -> Tensor:
    """Returns the number of training records behind the labels that agree, float (B,).

    A label without training records counts as one of a single record.
    """
    return (agrees_BL.to(count_L.dtype) * count_L.clamp(min=1)).sum(dim=1)


def focal_loss(
    logit_BL: Tensor, agrees_BL: Tensor, *, gamma: float, weight_B: Tensor | None = None
) -> Tensor:
    """Returns -(1 - p)^gamma log p, p being the probability of "any label that agrees", averaged.

    Reference: Lin et al. 2017, arXiv 1708.02002, in the softmax form, without its alpha; weights of
    classes come in through ``weight_B``. With gamma 0 it is ``agreeing_labels_loss``.
    """
    log_p_BL = functional.log_softmax(logit_BL, dim=1)
    log_p_B, log_rest_B = log_mass(log_p_BL, agrees_BL), log_mass(log_p_BL, ~agrees_BL)
    return weighted_mean(-torch.exp(gamma * log_rest_B) * log_p_B, weight_B)


def balanced_softmax_loss(
    logit_BL: Tensor,
    agrees_BL: Tensor,
    count_L: Tensor,
    *,
    smoothing: float = 0.0,
    weight_B: Tensor | None = None,
) -> Tensor:
    """Returns the cross-entropy of probabilities that have the training set's label frequencies put back.

    p of a label is its count times exp(logit), over the sum of these. So the logits themselves, as used
    after training, are those of labels that are all as frequent. Reference: Ren et al. 2020,
    arXiv 2007.10740, without the meta sampler.

    Args:
        logit_BL: float.
        agrees_BL: bool, at least one true in each row.
        count_L: float, training records of each label; less than one counts as one.
        smoothing: share of the target spread evenly over all labels.
        weight_B: float, of the records in the mean.
    """
    prior_L = count_L.clamp(min=1).log().to(logit_BL.dtype)
    return agreeing_labels_loss(
        logit_BL + prior_L, agrees_BL, smoothing=smoothing, weight_B=weight_B
    )


def ldam_margins(count_B: Tensor, count_L: Tensor, *, margin: float) -> Tensor:
    """Returns the margin of classes of the given counts, in cosine, float (B,).

    It falls with the fourth root of the count, and is ``margin`` for the rarest label (Cao et al. 2019,
    arXiv 1906.07413, equation 13).
    """
    return margin * (count_L.clamp(min=1).min() / count_B) ** 0.25


def ldam_loss(
    logit_BL: Tensor,
    agrees_BL: Tensor,
    count_L: Tensor,
    *,
    margin: float,
    head_scale: float | Tensor = 1.0,
    weight_B: Tensor | None = None,
) -> Tensor:
    """Returns the cross-entropy of logits of which the right label first loses its margin.

    Reference: Cao et al. 2019, arXiv 1906.07413 (label-distribution-aware margin). Several labels that
    agree lose the one margin of their summed count.

    Args:
        logit_BL: float, ``head_scale`` times cosines (30 in the paper).
        agrees_BL: bool, at least one true in each row.
        count_L: float, training records of each label; less than one counts as one.
        margin: of the rarest label, in cosine (0.5 in the paper).
        head_scale: what the head multiplied cosines by; 1 puts the margin on the logits themselves.
        weight_B: float, of the records in the mean; for the paper's deferred re-weighting see
            ``effective_number_weights``.
    """
    margin_B = ldam_margins(agreeing_count(count_L, agrees_BL), count_L, margin=margin)
    taken_BL = head_scale * margin_B.to(logit_BL.dtype)[:, None] * agrees_BL
    return agreeing_labels_loss(logit_BL - taken_BL, agrees_BL, weight_B=weight_B)


def effective_number_weights(count_L: Tensor, agrees_BL: Tensor, *, beta: float) -> Tensor:
    """Returns the weight of each record by how rare what it agrees with is, float (B,).

    A class of n records weighs (1 - beta) / (1 - beta^n); over the labels the mean weight is 1.
    References: Cui et al. 2019, arXiv 1901.05555; Cao et al. 2019, arXiv 1906.07413, who use it for the
    last fifth of the run with beta 0.9999.
    """
    log_beta = torch.tensor(beta, dtype=torch.float64).log().to(count_L.device)

    def weigh(count: Tensor) -> Tensor:
        return -1 / torch.expm1(count.double() * log_beta)

    weight_B = weigh(agreeing_count(count_L, agrees_BL)) / weigh(count_L.clamp(min=1)).mean()
    return weight_B.float()
