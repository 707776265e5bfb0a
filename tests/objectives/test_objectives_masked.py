"""Cross-entropy of hidden tokens, against slow loops, hand-made numbers and the laws it keeps."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from holotype.objectives.masked import masked_token_loss, masked_token_sums

seeds = st.integers(0, 2**31)


def draw(seed: int, *, tokens: int = 11, words: int = 7, count: int = 4) -> tuple[Tensor, ...]:
    generator = torch.Generator().manual_seed(seed)
    return (
        2 * torch.randn(tokens, words, generator=generator),
        torch.randint(0, words, (tokens,), generator=generator),
        torch.randint(0, count, (tokens,), generator=generator),
    )


def slow_sums(logit_MV: Tensor, target_M: Tensor, barcode_M: Tensor, count: int) -> Tensor:
    found = torch.zeros(count, 3)
    for logits, target, barcode in zip(
        logit_MV.tolist(), target_M.tolist(), barcode_M.tolist(), strict=True
    ):
        whole = math.fsum(math.exp(value) for value in logits)
        found[barcode, 0] += math.log(whole) - logits[target]
        found[barcode, 1] += 1
        found[barcode, 2] += max(logits) == logits[target]
    return found


@settings(max_examples=20)
@given(seeds)
def test_the_sums_are_those_of_a_loop(seed: int) -> None:
    logit_MV, target_M, barcode_M = draw(seed)
    found = masked_token_sums(logit_MV, target_M, barcode_M, count=4)
    torch.testing.assert_close(found, slow_sums(logit_MV, target_M, barcode_M, 4))


@settings(max_examples=20)
@given(seeds)
def test_the_loss_is_the_mean_over_tokens_in_value_and_gradient(seed: int) -> None:
    logit_MV, target_M, barcode_M = draw(seed)
    own, other = logit_MV.clone().requires_grad_(), logit_MV.clone().requires_grad_()
    loss = masked_token_loss(masked_token_sums(own, target_M, barcode_M, count=4))
    assert loss is not None
    plain = functional.cross_entropy(other, target_M)
    torch.testing.assert_close(loss, plain)
    loss.backward(), plain.backward()
    torch.testing.assert_close(own.grad, other.grad)


@settings(max_examples=20)
@given(seeds, st.integers(0, 4))
def test_barcodes_in_two_parts_have_the_loss_of_all(seed: int, first: int) -> None:
    logit_MV, target_M, barcode_M = draw(seed)
    parts = []
    for inside, start, count in (
        (barcode_M < first, 0, first),
        (barcode_M >= first, first, 4 - first),
    ):
        own = logit_MV[inside], target_M[inside], barcode_M[inside] - start
        parts.append(masked_token_sums(*own, count=count))
    joined, whole = torch.cat(parts), masked_token_sums(logit_MV, target_M, barcode_M, count=4)
    torch.testing.assert_close(joined, whole)


def test_hand_made_numbers() -> None:
    even_MV = torch.zeros(3, 256)
    sums = masked_token_sums(even_MV, torch.tensor([0, 9, 9]), torch.tensor([1, 1, 1]), count=2)
    assert sums[0].tolist() == [0, 0, 0]  # nothing of it was hidden
    assert sums[1].tolist() == pytest.approx([3 * math.log(256), 3, 1])
    loss = masked_token_loss(sums)
    assert loss is not None
    assert float(loss) == pytest.approx(math.log(256))


def test_nothing_hidden_is_no_loss() -> None:
    none = torch.zeros(0, dtype=torch.int64)
    sums = masked_token_sums(torch.zeros(0, 256), none, none, count=3)
    assert sums.shape == (3, 3)
    assert masked_token_loss(sums) is None
