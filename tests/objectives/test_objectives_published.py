"""The published forms: open_clip's own losses, and CLIBD's as its paper and code tell it."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from holotype.errors import RecipeError
from holotype.objectives.contrast import alignment_loss, clibd_loss, identity_loss, sigmoid_loss

open_clip_loss = pytest.importorskip("open_clip.loss")
seeds = st.integers(0, 2**31)


def unit(seed: int, *shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return functional.normalize(torch.randn(shape, generator=generator), dim=1)


@settings(deadline=None, max_examples=20)
@given(seeds, st.integers(1, 33), st.sampled_from([1.0, 14.3, 100.0]))
def test_identity_targets_are_the_loss_of_open_clip(seed: int, batch: int, scale: float) -> None:
    leaves = (unit(seed, batch, 8), unit(seed + 1, batch, 8), torch.tensor(scale))
    for leaf in leaves:
        leaf.requires_grad_()
    diagonal = torch.eye(batch, dtype=torch.bool)
    masked = alignment_loss(*leaves[:2], diagonal, torch.zeros_like(diagonal), leaves[2])
    expected = open_clip_loss.ClipLoss()(*leaves)
    expected_gradients = torch.autograd.grad(expected, leaves)
    for found in (identity_loss(*leaves), masked):
        assert torch.allclose(found, expected, rtol=1e-5, atol=1e-5)
        for ours, theirs in zip(
            torch.autograd.grad(found, leaves), expected_gradients, strict=True
        ):
            assert torch.allclose(ours, theirs, rtol=1e-4, atol=1e-4)


@settings(deadline=None, max_examples=20)
@given(seeds, st.integers(1, 33), st.sampled_from([(10.0, -10.0), (100.0, 0.0), (1.0, 3.0)]))
def test_diagonal_positives_are_the_loss_of_siglip(
    seed: int, batch: int, start: tuple[float, float]
) -> None:
    scale, bias = (torch.tensor(value).requires_grad_() for value in start)
    leaves = (unit(seed, batch, 8).requires_grad_(), unit(seed + 1, batch, 8).requires_grad_())
    expected = open_clip_loss.SigLipLoss()(*leaves, scale, bias)
    diagonal = torch.eye(batch, dtype=torch.bool)
    found = sigmoid_loss(*leaves, diagonal, torch.zeros_like(diagonal), scale, bias)
    assert torch.allclose(found, expected, rtol=1e-5, atol=1e-5)
    for ours, theirs in zip(
        torch.autograd.grad(found, (*leaves, scale, bias)),
        torch.autograd.grad(expected, (*leaves, scale, bias)),
        strict=True,
    ):
        assert torch.allclose(ours, theirs, rtol=1e-4, atol=1e-4)


def slow_clibd(z_by_modality: dict[str, Tensor], scale: float) -> float:
    """Cross-entropy of soft targets that are the identity, over every ordered pair of modalities."""
    losses = []
    for first, z_BD in z_by_modality.items():
        for second, y_BD in z_by_modality.items():
            if first != second:
                target_BB = torch.eye(len(z_BD), dtype=z_BD.dtype)
                losses.append(float(functional.cross_entropy(scale * z_BD @ y_BD.T, target_BB)))
    return sum(losses) / len(losses)


@pytest.mark.parametrize("modalities", [("image", "dna"), ("image", "dna", "text")])
def test_clibd_is_the_mean_over_ordered_pairs(modalities: tuple[str, ...]) -> None:
    rows = {name: unit(seed, 9, 6).double() for seed, name in enumerate(modalities)}
    found = clibd_loss(rows, torch.tensor(1 / 0.07, dtype=torch.float64))
    assert float(found) == pytest.approx(slow_clibd(rows, 1 / 0.07), abs=1e-10)


def test_one_modality_has_nothing_to_be_contrasted_with() -> None:
    with pytest.raises(RecipeError, match="two modalities of the same records; found: image"):
        clibd_loss({"image": unit(0, 3, 4)}, torch.tensor(1.0))
