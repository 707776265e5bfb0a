"""Cross-entropy of masked tokens: telling from the rest of a barcode what was hidden of it.

Place in the path: the logits of the hidden tokens of a step -> what each barcode adds -> one number. What a
barcode adds is two sums, so processes and chunks can be joined before the mean is taken: the mean is over
hidden tokens, however many each barcode has.

Reference: Devlin et al. 2019, arXiv 1810.04805; for barcodes Millan Arias et al. 2023, arXiv 2311.02401.

Shapes: K barcodes, M hidden tokens of all of them, V tokens that may be hidden.
"""

import torch
from torch import Tensor
from torch.nn import functional

LOSS, COUNT, RIGHT = range(3)
"""Columns of the sums."""


def masked_token_sums(
    logit_MV: Tensor, target_M: Tensor, barcode_M: Tensor, *, count: int
) -> Tensor:
    """Returns what each barcode adds, float32 (K, 3): its losses, its hidden tokens, those told right.

    Gradients flow through the losses alone.

    Args:
        logit_MV: float.
        target_M: int64, what was hidden.
        barcode_M: int64, whose token it is.
        count: K; a barcode without a hidden token adds zeros.
    """
    logit_MV = logit_MV.float()
    loss_M = functional.cross_entropy(logit_MV, target_M, reduction="none")
    right_M = (logit_MV.argmax(dim=1) == target_M).to(loss_M.dtype)
    of_M3 = torch.stack([loss_M, torch.ones_like(loss_M), right_M.detach()], dim=1)
    return loss_M.new_zeros(count, 3).index_add(0, barcode_M, of_M3)


def masked_token_loss(sums_K3: Tensor) -> Tensor | None:
    """Returns the mean cross-entropy of the hidden tokens; None where none was hidden."""
    count = sums_K3[:, COUNT].detach().sum()
    if not count > 0:
        return None
    return sums_K3[:, LOSS].sum() / count
