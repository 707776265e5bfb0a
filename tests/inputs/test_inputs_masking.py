"""Hidden tokens: what may be hidden, how much is, and that it does not matter who reads a barcode."""

import numpy as np
import pytest
import torch

from holotype.inputs.masking import drawn_masks, hidden
from holotype.models.pretrained.kmers import BARCODEBERT_SPECIALS, KmerTokens
from holotype.randomness import generator

KMERS = KmerTokens(4, BARCODEBERT_SPECIALS, 40)
BARCODES = ["ACGTACGTTTTTNCGTACGTACGTACGTACGTACGTACGT", "ACGTAA", "AAAACCCC" * 5]


def test_only_kmers_are_hidden_and_targets_say_what_was_there() -> None:
    token_KT = torch.from_numpy(KMERS.tokenise(BARCODES)[0])
    everything = np.ones(token_KT.shape, dtype=np.bool_)
    masked_KT, target_KT = hidden(token_KT, everything, mask_id=KMERS.mask, specials=2)
    assert masked_KT[0].tolist() == [0, 0, 0, 1, 0, 0, 0, 0, 0, 0]  # the fourth has an N
    assert masked_KT[1].tolist() == [0] + 9 * [1]  # half a k-mer and what fills it up
    assert target_KT[1].tolist() == [0 * 64 + 1 * 16 + 2 * 4 + 3] + 9 * [-1]  # ACGT in base 4
    assert target_KT[2].tolist() == 5 * [0, 85]
    hid = target_KT >= 0
    assert torch.equal(torch.where(hid, target_KT + 2, masked_KT), token_KT)


def test_what_is_not_chosen_is_left_alone() -> None:
    token_KT = torch.from_numpy(KMERS.tokenise(BARCODES)[0])
    chosen = np.zeros(token_KT.shape, dtype=np.bool_)
    chosen[2, 4] = True
    masked_KT, target_KT = hidden(token_KT, chosen, mask_id=KMERS.mask, specials=2)
    assert (masked_KT != token_KT).nonzero().tolist() == [[2, 4]]
    assert (target_KT >= 0).nonzero().tolist() == [[2, 4]]


def draw(own: slice, *, share: float = 0.5, seed: int = 0) -> np.ndarray:
    """The masks of some of 70 barcodes in blocks of 32."""
    blocks = [(0, 0, 32), (1, 32, 64), (2, 64, 70)]
    touched = [one for one in blocks if one[1] < own.stop and one[2] > own.start]
    return drawn_masks(
        own,
        iter(touched),
        share=share,
        length=165,
        stream=lambda block: generator(seed, "m", block),
    )


def test_a_part_is_masked_as_it_is_in_the_whole() -> None:
    whole = draw(slice(0, 70))
    assert whole.shape == (70, 165)
    for own in (slice(0, 35), slice(35, 70), slice(40, 41), slice(66, 70)):
        np.testing.assert_array_equal(draw(own), whole[own])
    assert not np.array_equal(draw(slice(0, 70), seed=1), whole)
    assert not np.array_equal(whole[:6], whole[64:])  # blocks have streams of their own


@pytest.mark.parametrize("share", [0.15, 0.5])
def test_as_many_are_chosen_as_was_asked(share: float) -> None:
    masks = draw(slice(0, 70), share=share)
    spread = (share * (1 - share) / masks.size) ** 0.5
    assert abs(masks.mean() - share) < 5 * spread
