"""Asymmetric losses: many wrong labels, each of little weight, beside the right one.

As in ``objectives.imbalance``, the labels that agree with a record are one class.

Shapes: B records, L labels.
"""

import torch
from torch import Tensor
from torch.nn import functional

from holotype.objectives.labels import log_mass, weighted_mean


def asymmetric_loss(
    logit_BL: Tensor,
    agrees_BL: Tensor,
    *,
    gamma: float,
    gamma_negative: float,
    smoothing: float,
    weight_B: Tensor | None = None,
) -> Tensor:
    """Returns the asymmetric loss of one right answer among many, averaged.

    Over a softmax, the right class weighs (1 - p)^gamma and each other label p^gamma_negative; the others
    enter through the smoothed target alone. Reference: the single-label form that Ridnik et al. 2021,
    arXiv 2009.14119, publish with their code.
    """
    log_p_BL = functional.log_softmax(logit_BL, dim=1)
    log_p_B, log_rest_B = log_mass(log_p_BL, agrees_BL), log_mass(log_p_BL, ~agrees_BL)
    right_B = torch.exp(gamma * log_rest_B)
    weight_BL = torch.where(agrees_BL, right_B[:, None], torch.exp(gamma_negative * log_p_BL))
    spread_B = (weight_BL * log_p_BL).mean(dim=1)
    return weighted_mean(-(1 - smoothing) * right_B * log_p_B - smoothing * spread_B, weight_B)


def log_odds_of_any(logit_BL: Tensor, agrees_BL: Tensor) -> Tensor:
    """Returns the log odds that one or more of the labels that agree hold, float (B,).

    Each label holds by its own sigmoid, independently. Pairs of labels are joined until one is left:
    1 + odds multiply, so the odds of two together are a + b + ab; all of it in logarithms.
    """
    lowest = torch.finfo(logit_BL.dtype).min / 8
    odds_BL = logit_BL.masked_fill(~agrees_BL, lowest)
    while odds_BL.shape[1] > 1:
        half = odds_BL.shape[1] // 2
        first, second, left = odds_BL[:, :half], odds_BL[:, half : 2 * half], odds_BL[:, 2 * half :]
        joined = torch.logsumexp(torch.stack([first, second, first + second]), dim=0)
        odds_BL = torch.cat([joined, left], dim=1)
    return odds_BL[:, 0]


def asymmetric_sigmoid_loss(
    logit_BL: Tensor,
    agrees_BL: Tensor,
    *,
    gamma: float,
    gamma_negative: float,
    shift: float,
    weight_B: Tensor | None = None,
) -> Tensor:
    """Returns the asymmetric loss of labels that are each judged by their own sigmoid, averaged.

    Reference: Ridnik et al. 2021, arXiv 2009.14119, for records of one true label. Several labels that
    agree are one class: any of them holds. Summed over labels and averaged over records.
    """
    loss_BL = _negative_terms(logit_BL, gamma_negative=gamma_negative, shift=shift)
    right_B = _positive_terms(log_odds_of_any(logit_BL, agrees_BL), gamma=gamma)
    wrong_B = torch.where(agrees_BL, torch.zeros_like(loss_BL), loss_BL).sum(dim=1)
    return weighted_mean(right_B + wrong_B, weight_B)


def _positive_terms(logit: Tensor, *, gamma: float) -> Tensor:
    return -torch.exp(gamma * functional.logsigmoid(-logit)) * functional.logsigmoid(logit)


def _negative_terms(logit: Tensor, *, gamma_negative: float, shift: float) -> Tensor:
    if not shift:
        log_p, log_other = functional.logsigmoid(logit), functional.logsigmoid(-logit)
    else:
        p = torch.sigmoid(logit)
        log_p = (p - shift).clamp(min=torch.finfo(p.dtype).tiny).log()
        log_other = (1 - p + shift).clamp(max=1).log()
    return -torch.exp(gamma_negative * log_p) * log_other
