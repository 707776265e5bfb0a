"""Contrast of two sets of embeddings: what belongs together comes near, the rest keeps away.

Place in the path: unit rows of two modalities, and which pairs belong together -> one number. Which pairs
those are is not decided here. The losses in both directions want the whole block of a batch. Where the rows
are one process's own and the columns are gathered from all, take ``row_losses`` in each direction.

Shapes: P rows and Q columns of a pair of modalities, B records that have both, D features, R ranks.
"""

from collections.abc import Mapping
from itertools import combinations
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from holotype.errors import RecipeError


class RowLosses(NamedTuple):
    """The loss of each row of a block.

    Attributes:
        loss_P: float, 0 for rows that do not count.
        counts_P: bool, whether the row has anything to be near to.
    """

    loss_P: Tensor
    counts_P: Tensor

    def mean(self) -> Tensor:
        """Returns the mean over the rows that count; 0 where none does."""
        return self.loss_P.sum() / self.counts_P.sum().clamp(min=1)


def row_losses(
    z_PD: Tensor, z_QD: Tensor, weight_PQ: Tensor, ignored_PQ: Tensor, scale: Tensor
) -> RowLosses:
    """Returns the cross-entropy of each row's softmax over the columns, against its weights as target.

    A mean over several blocks of rows is the sum of all losses over the number of all rows that count.

    Args:
        z_PD: unit rows of one modality.
        z_QD: unit rows of the other; all that a row is contrasted with.
        weight_PQ: float, not negative, how much a pair belongs together; scaled to sum 1 in each row.
        ignored_PQ: bool, the pairs that count neither for nor against.
        scale: the inverse temperature, a scalar.
    """
    return _rows(*_contrasted(z_PD, z_QD, weight_PQ, ignored_PQ, scale))


def soft_target_loss(
    z_PD: Tensor, z_QD: Tensor, weight_PQ: Tensor, ignored_PQ: Tensor, scale: Tensor
) -> Tensor:
    """Returns the symmetric InfoNCE of two sets of unit vectors with weights as targets.

    In each row, and in each column, the target is the weights scaled to sum 1. With weights of 0 and 1 this
    is ``alignment_loss``. Rows or columns without a weight are left out; ignored pairs count neither for
    nor against, whatever their weight.

    Args:
        z_PD: unit rows of one modality.
        z_QD: unit rows of the other.
        weight_PQ: float, not negative; for weights by shared taxon see ``rank_weights``.
        ignored_PQ: bool, the pairs that say nothing.
        scale: the inverse temperature, a scalar.
    """
    logit_PQ, weight_PQ = _contrasted(z_PD, z_QD, weight_PQ, ignored_PQ, scale)
    return (_rows(logit_PQ, weight_PQ).mean() + _rows(logit_PQ.T, weight_PQ.T).mean()) / 2


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
    weight_PQ = positive_PQ.to(torch.promote_types(z_PD.dtype, torch.float32))
    return soft_target_loss(z_PD, z_QD, weight_PQ, ignored_PQ, scale)


def identity_loss(z_BD: Tensor, y_BD: Tensor, scale: Tensor) -> Tensor:
    """Returns CLIP's loss: row b of one modality belongs to row b of the other, and to no other row.

    Reference: Radford et al. 2021, arXiv 2103.00020.

    Args:
        z_BD: unit rows of one modality.
        y_BD: unit rows of the other, of the same records in the same order.
        scale: the inverse temperature, a scalar.
    """
    logit_BB = scale * z_BD @ y_BD.T
    target_B = torch.arange(len(z_BD), device=z_BD.device)
    forth = functional.cross_entropy(logit_BB, target_B)
    return (forth + functional.cross_entropy(logit_BB.T, target_B)) / 2


def clibd_loss(z_by_modality: Mapping[str, Tensor], scale: Tensor) -> Tensor:
    """Returns CLIBD's loss: the mean over ordered pairs of the modalities given, with identity targets.

    Reference: Gong et al. 2024, arXiv 2405.17537; the mean is that of the published code, the paper sums.

    Args:
        z_by_modality: unit rows (B, D) of the same B records in each modality.
        scale: the inverse temperature, a scalar.

    Raises:
        RecipeError: with fewer than two modalities.
    """
    if len(z_by_modality) < 2:
        found = ", ".join(z_by_modality) or "none"
        raise RecipeError(f"a contrast needs two modalities of the same records; found: {found}.")
    pairs = combinations(z_by_modality.values(), 2)
    return torch.stack([identity_loss(first, second, scale) for first, second in pairs]).mean()


def sigmoid_loss(
    z_PD: Tensor,
    z_QD: Tensor,
    positive_PQ: Tensor,
    ignored_PQ: Tensor,
    scale: Tensor,
    bias: Tensor,
) -> Tensor:
    """Returns the sigmoid loss: every pair is judged for itself, belongs together or not.

    Summed over the pairs of a row and averaged over the rows that have a pair. With the diagonal alone as
    positives and nothing ignored this is SigLIP's loss (Zhai et al. 2023, arXiv 2303.15343).

    Args:
        z_PD: unit rows of one modality.
        z_QD: unit rows of the other.
        positive_PQ: bool, the pairs that belong together.
        ignored_PQ: bool, the pairs that are left out.
        scale: the inverse temperature, a scalar; the paper starts from 10.
        bias: added to every logit, a scalar; the paper starts from -10.
    """
    logit_PQ = scale * z_PD @ z_QD.T + bias
    loss_PQ = -functional.logsigmoid(torch.where(positive_PQ, logit_PQ, -logit_PQ))
    judged_P = (~ignored_PQ).any(dim=1).sum().clamp(min=1)
    return loss_PQ.masked_fill(ignored_PQ, 0.0).sum() / judged_P


def rank_weights(path_PR: Tensor, path_QR: Tensor, weight_R: Tensor) -> tuple[Tensor, Tensor]:
    """Returns how much each pair of records belongs together, by the narrowest rank that they share.

    A pair is settled where both records are known at the last rank, or are known to differ at some rank.
    Otherwise one of them is coarse, and they may share more than is known: such a pair is ignored, unless
    its weight is the same whatever the narrower ranks turn out to be. The same record, or one haplotype,
    belongs together however coarse its name: that is the caller's to add.

    Args:
        path_PR: integer, the taxon of each record at each rank, widest first, -1 where it is not known. Let
            the last be the narrowest rank at which records are told apart, as species.
        path_QR: integer, as well.
        weight_R: float, the weight of a pair whose narrowest shared rank is this.

    Returns:
        the weights, float (P, Q), 0 for pairs that are ignored or share no rank; and the pairs to be
        ignored, bool (P, Q).
    """
    shape, num_ranks = (len(path_PR), len(path_QR)), path_PR.shape[1]
    narrowest_PQ = torch.full(shape, -1, dtype=torch.int64, device=path_PR.device)
    differ_PQ = torch.zeros(shape, dtype=torch.bool, device=path_PR.device)
    for rank in range(num_ranks):
        taxon_P1, taxon_1Q = path_PR[:, rank, None], path_QR[None, :, rank]
        both_PQ = (taxon_P1 != -1) & (taxon_1Q != -1)
        same_PQ = both_PQ & (taxon_P1 == taxon_1Q)
        narrowest_PQ = torch.where(same_PQ, rank, narrowest_PQ)
        differ_PQ |= both_PQ & ~same_PQ
    of_rank = torch.cat([weight_R, weight_R.new_zeros(1)])  # the last is that of no shared rank, -1
    narrower_alike = torch.stack(
        [(weight_R[rank:] == weight_R[rank]).all() for rank in range(num_ranks)]
        + [(weight_R == 0).all()]
    )
    ignored_PQ = ~differ_PQ & ~narrower_alike[narrowest_PQ]
    return of_rank[narrowest_PQ].masked_fill(ignored_PQ, 0.0), ignored_PQ


def _contrasted(
    z_PD: Tensor, z_QD: Tensor, weight_PQ: Tensor, ignored_PQ: Tensor, scale: Tensor
) -> tuple[Tensor, Tensor]:
    """Returns logits and weights; those of ignored pairs have no probability and no weight.

    Their logit is very low yet finite, so that a row of ignored pairs alone has finite gradients.
    """
    logit_PQ = scale * z_PD @ z_QD.T
    lowest = torch.finfo(logit_PQ.dtype).min / 2
    return logit_PQ.masked_fill(ignored_PQ, lowest), weight_PQ.masked_fill(ignored_PQ, 0.0)


def _rows(logit_PQ: Tensor, weight_PQ: Tensor) -> RowLosses:
    total_P = weight_PQ.sum(dim=1)
    counts_P = total_P > 0
    summed_P = (weight_PQ * functional.log_softmax(logit_PQ, dim=1)).sum(dim=1)
    return RowLosses(-summed_P / torch.where(counts_P, total_P, torch.ones_like(total_P)), counts_P)
