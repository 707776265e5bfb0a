"""Hiding tokens of barcodes, at random, for a tower to tell them from the rest.

Shapes: K barcodes, T tokens of a barcode.
"""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

NOT_HIDDEN = -1
"""The target of a token that is read as it is."""
Block = tuple[int, int, int]
"""Number of a block of barcodes, its first one, the one after its last."""


def drawn_masks(
    own: slice,
    blocks: Iterator[Block],
    *,
    share: float,
    length: int,
    stream: Callable[[int], np.random.Generator],
) -> NDArray[np.bool_]:
    """Returns which tokens of some barcodes of a step are to be hidden, bool (K, T).

    Each block of barcodes is drawn from a stream of its own, so that what happens to a barcode does not
    depend on who reads it.

    Args:
        own: which barcodes of the step, at least one.
        blocks: those that they lie in, in order.
        share: chance of each token.
        length: T.
        stream: the stream of a block.
    """
    drawn, first = [], None
    for block, start, stop in blocks:
        first = start if first is None else first
        drawn.append(stream(block).random((stop - start, length)) < share)
    assert first is not None
    masks_KT: NDArray[np.bool_] = np.concatenate(drawn)[own.start - first : own.stop - first]
    return masks_KT


def hidden(
    token_KT: Tensor, chosen_KT: NDArray[np.bool_], *, mask_id: int, specials: int
) -> tuple[Tensor, Tensor]:
    """Returns the tokens with the chosen ones replaced by the mask, and what was there, int64 (K, T) each.

    Special tokens (unknown k-mers and what fills a short barcode up) are never hidden: there is nothing to
    tell. Targets count from 0 for the first k-mer; they are -1 for tokens that are read as they are.

    Args:
        token_KT: int64, as a tower's tokeniser made them.
        chosen_KT: bool.
        mask_id: the id of the mask.
        specials: how many ids come before the first k-mer.
    """
    is_hidden_KT = torch.from_numpy(chosen_KT) & (token_KT >= specials)
    target_KT = (token_KT - specials).masked_fill(~is_hidden_KT, NOT_HIDDEN)
    return token_KT.masked_fill(is_hidden_KT, mask_id), target_KT
