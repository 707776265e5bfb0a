"""Contrast of two modalities against closed forms, slow loops and the laws that it must keep."""

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from holotype.objectives.contrast import (
    alignment_loss,
    identity_loss,
    row_losses,
    sigmoid_loss,
    soft_target_loss,
)

seeds = st.integers(0, 2**31)
SCALE = torch.tensor(4.0, dtype=torch.float64)
BIAS = torch.tensor(-1.5, dtype=torch.float64)


def draw(seed: int, *shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def unit(seed: int, *shape: int) -> Tensor:
    return functional.normalize(draw(seed, *shape), dim=1)


def masks(seed: int, rows: int, columns: int) -> tuple[Tensor, Tensor]:
    """Positive, ignored and negative pairs at random; some rows have no positive."""
    kind = torch.randint(0, 4, (rows, columns), generator=torch.Generator().manual_seed(seed))
    return kind == 0, kind == 1


def weights(seed: int, rows: int, columns: int) -> tuple[Tensor, Tensor]:
    """Weights of pairs at random, a third of them 0, and ignored pairs, some with a weight."""
    weight_PQ = draw(seed, rows, columns).exp() * (draw(seed + 1, rows, columns) > -0.4)
    return weight_PQ, draw(seed + 2, rows, columns) > 0.7


def slow_contrast(
    z_PD: Tensor, z_QD: Tensor, weight_PQ: Tensor, ignored_PQ: Tensor, scale: float
) -> float:
    """The loss as its docstring tells it, one pair at a time."""

    def one_way(first: Tensor, second: Tensor, weight: Tensor, ignored: Tensor) -> float:
        rows = []
        for p in range(len(first)):
            cosines = {
                q: scale * float(first[p] @ second[q])
                for q in range(len(second))
                if not ignored[p, q]
            }
            share = {q: float(weight[p, q]) for q in cosines}
            if sum(share.values()):
                total = math.log(sum(math.exp(c) for c in cosines.values()))
                terms = [share[q] * (total - cosines[q]) for q in cosines]
                rows.append(sum(terms) / sum(share.values()))
        return sum(rows) / len(rows) if rows else 0.0

    forth = one_way(z_PD, z_QD, weight_PQ, ignored_PQ)
    return (forth + one_way(z_QD, z_PD, weight_PQ.T, ignored_PQ.T)) / 2


def slow_sigmoid(
    z_PD: Tensor, z_QD: Tensor, positive_PQ: Tensor, ignored_PQ: Tensor, scale: float, bias: float
) -> float:
    total, rows = 0.0, 0
    for p in range(len(z_PD)):
        judged = [q for q in range(len(z_QD)) if not ignored_PQ[p, q]]
        rows += bool(judged)
        for q in judged:
            logit = scale * float(z_PD[p] @ z_QD[q]) + bias
            total += math.log1p(math.exp(-logit if positive_PQ[p, q] else logit))
    return total / max(rows, 1)


def test_with_the_diagonal_alone_it_is_the_loss_of_clip() -> None:
    z_BD, y_BD, scale = unit(0, 7, 4), unit(1, 7, 4), torch.tensor(9.0, dtype=torch.float64)
    logit_BB, target_B = scale * z_BD @ y_BD.T, torch.arange(7)
    expected = (
        functional.cross_entropy(logit_BB, target_B)
        + functional.cross_entropy(logit_BB.T, target_B)
    ) / 2
    diagonal = torch.eye(7, dtype=torch.bool)
    found = alignment_loss(z_BD, y_BD, diagonal, torch.zeros_like(diagonal), scale)
    assert float(found) == pytest.approx(float(expected), abs=1e-12)
    assert float(identity_loss(z_BD, y_BD, scale)) == pytest.approx(float(expected), abs=1e-12)


def test_two_pairs_by_hand() -> None:
    # Cosines 1, 0 / 0, 1 at scale log 3: each row's softmax is 3/4, 1/4.
    z_BD, scale = torch.eye(2, dtype=torch.float64), torch.tensor(3.0, dtype=torch.float64).log()
    assert float(identity_loss(z_BD, z_BD, scale)) == pytest.approx(-math.log(3 / 4))
    # The first row belongs to both columns, three parts to one: 3/4 and 1/4; the second to none.
    weight_PQ = torch.tensor([[3.0, 1.0], [0.0, 0.0]], dtype=torch.float64)
    nothing = torch.zeros(2, 2, dtype=torch.bool)
    row = -(0.75 * math.log(3 / 4) + 0.25 * math.log(1 / 4))
    columns = (-math.log(3 / 4) - math.log(1 / 4)) / 2
    found = soft_target_loss(z_BD, z_BD, weight_PQ, nothing, scale)
    assert float(found) == pytest.approx((row + columns) / 2)


@settings(deadline=None, max_examples=60)
@given(seeds, st.integers(1, 7), st.integers(1, 7))
def test_alignment_agrees_with_a_slow_loop(seed: int, rows: int, columns: int) -> None:
    z_PD, z_QD = unit(seed, rows, 3), unit(seed + 1, columns, 3)
    positive_PQ, ignored_PQ = masks(seed, rows, columns)
    found = alignment_loss(z_PD, z_QD, positive_PQ, ignored_PQ, SCALE)
    expected = slow_contrast(z_PD, z_QD, positive_PQ, ignored_PQ, 4.0)
    assert float(found) == pytest.approx(expected, abs=1e-10)
    soft = soft_target_loss(z_PD, z_QD, positive_PQ.double(), ignored_PQ, SCALE)
    assert float(soft) == float(found)


@settings(deadline=None, max_examples=60)
@given(seeds, st.integers(1, 7), st.integers(1, 7))
def test_soft_targets_agree_with_a_slow_loop(seed: int, rows: int, columns: int) -> None:
    z_PD, z_QD = unit(seed, rows, 3), unit(seed + 1, columns, 3)
    weight_PQ, ignored_PQ = weights(seed, rows, columns)
    found = soft_target_loss(z_PD, z_QD, weight_PQ, ignored_PQ, SCALE)
    expected = slow_contrast(z_PD, z_QD, weight_PQ, ignored_PQ, 4.0)
    assert float(found) == pytest.approx(expected, abs=1e-10)
    doubled = soft_target_loss(z_PD, z_QD, 2 * weight_PQ, ignored_PQ, SCALE)
    assert float(doubled) == pytest.approx(float(found), abs=1e-10)


@settings(deadline=None, max_examples=60)
@given(seeds, st.integers(1, 7), st.integers(1, 7))
def test_sigmoid_agrees_with_a_slow_loop(seed: int, rows: int, columns: int) -> None:
    z_PD, z_QD = unit(seed, rows, 3), unit(seed + 1, columns, 3)
    positive_PQ, ignored_PQ = masks(seed, rows, columns)
    found = sigmoid_loss(z_PD, z_QD, positive_PQ, ignored_PQ, SCALE, BIAS)
    expected = slow_sigmoid(z_PD, z_QD, positive_PQ, ignored_PQ, 4.0, -1.5)
    assert float(found) == pytest.approx(expected, abs=1e-10)


@settings(deadline=None, max_examples=30)
@given(seeds)
def test_contrasts_follow_permutations_and_are_symmetric(seed: int) -> None:
    z_PD, z_QD = unit(seed, 6, 3), unit(seed + 1, 5, 3)
    (weight_PQ, ignored_PQ), (positive_PQ, open_PQ) = weights(seed, 6, 5), masks(seed, 6, 5)
    rows = torch.randperm(6, generator=torch.Generator().manual_seed(seed))
    columns = torch.randperm(5, generator=torch.Generator().manual_seed(seed + 1))

    def moved(pairs_PQ: Tensor) -> Tensor:
        return pairs_PQ[rows][:, columns]

    before = float(soft_target_loss(z_PD, z_QD, weight_PQ, ignored_PQ, SCALE))
    permuted = soft_target_loss(
        z_PD[rows], z_QD[columns], moved(weight_PQ), moved(ignored_PQ), SCALE
    )
    swapped = soft_target_loss(z_QD, z_PD, weight_PQ.T, ignored_PQ.T, SCALE)
    assert float(permuted) == pytest.approx(before, abs=1e-10)
    assert float(swapped) == pytest.approx(before, abs=1e-10)
    judged = float(sigmoid_loss(z_PD, z_QD, positive_PQ, open_PQ, SCALE, BIAS))
    again = sigmoid_loss(z_PD[rows], z_QD[columns], moved(positive_PQ), moved(open_PQ), SCALE, BIAS)
    assert float(again) == pytest.approx(judged, abs=1e-10)


def contrasts(
    weight_PQ: Tensor, ignored_PQ: Tensor
) -> dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]]:
    """Every contrast of these pairs, as a function of two sets of rows and the scale."""
    positive_PQ = (weight_PQ > 0) & ~ignored_PQ
    return {
        "alignment": lambda z, y, scale: alignment_loss(z, y, positive_PQ, ignored_PQ, scale),
        "soft": lambda z, y, scale: soft_target_loss(z, y, weight_PQ, ignored_PQ, scale),
        "sigmoid": lambda z, y, scale: sigmoid_loss(z, y, positive_PQ, ignored_PQ, scale, BIAS),
    }


NAMES = tuple(contrasts(torch.ones(1, 1), torch.zeros(1, 1).bool()))


@pytest.mark.parametrize("name", NAMES)
def test_an_ignored_pair_has_no_say_and_no_gradient(name: str) -> None:
    z_PD, z_QD = unit(0, 3, 4).requires_grad_(), unit(1, 3, 4).requires_grad_()
    weight_PQ, ignored_PQ = torch.eye(3).double() + 0.5, torch.zeros(3, 3, dtype=torch.bool)
    ignored_PQ[:, 2] = ignored_PQ[2, :] = True
    whole = contrasts(weight_PQ, ignored_PQ)[name](z_PD, z_QD, SCALE)
    parts = contrasts(weight_PQ[:2, :2], ignored_PQ[:2, :2])
    part = parts[name](z_PD[:2], z_QD[:2], SCALE)
    assert float(whole.detach()) == pytest.approx(float(part.detach()), abs=1e-12)
    for gradient in torch.autograd.grad(whole, (z_PD, z_QD)):
        assert float(gradient[2].abs().max()) == 0.0
        assert float(gradient[:2].abs().min(dim=1).values.max()) > 0.0


@pytest.mark.parametrize("name", NAMES)
def test_nothing_to_contrast_is_no_loss_and_no_gradient(name: str) -> None:
    z_PD = unit(0, 3, 4).requires_grad_()
    nothing = torch.zeros(3, 2, dtype=torch.bool)
    loss = contrasts(nothing.double(), ~nothing)[name](z_PD, unit(1, 2, 4), SCALE)
    assert float(loss.detach()) == 0.0
    (gradient,) = torch.autograd.grad(loss, z_PD)
    assert float(gradient.abs().max()) == 0.0


@pytest.mark.parametrize("name", NAMES)
def test_gradients_are_right_with_wholly_ignored_rows_too(name: str) -> None:
    weight_PQ, ignored_PQ = weights(3, 4, 5)
    ignored_PQ[1] = True  # a row without any pair
    weight_PQ[0, 0], ignored_PQ[0, 0] = 1.0, False
    contrast = contrasts(weight_PQ, ignored_PQ)[name]

    def loss(z_PD: Tensor, z_QD: Tensor, log_scale: Tensor) -> Tensor:
        return contrast(z_PD, z_QD, log_scale.exp())

    starts = (unit(0, 4, 3), unit(1, 5, 3), torch.tensor(1.0).double())
    leaves = tuple(tensor.requires_grad_() for tensor in starts)
    assert torch.autograd.gradcheck(loss, leaves)
    for gradient in torch.autograd.grad(loss(*leaves), leaves):
        assert torch.isfinite(gradient).all()


@pytest.mark.parametrize("name", NAMES)
def test_extreme_scales_give_finite_gradients(name: str) -> None:
    weight_PQ, ignored_PQ = weights(5, 4, 5)
    leaves = (unit(0, 4, 3).float().requires_grad_(), unit(1, 5, 3).float().requires_grad_())
    loss = contrasts(weight_PQ.float(), ignored_PQ)[name](*leaves, torch.tensor(1e6))
    assert torch.isfinite(loss)
    for gradient in torch.autograd.grad(loss, leaves):
        assert torch.isfinite(gradient).all()


@settings(deadline=None, max_examples=25)
@given(seeds, st.integers(1, 5))
def test_blocks_of_rows_join_to_the_whole(seed: int, cut: int) -> None:
    """Two processes, each with rows of its own against all columns, have the loss of one."""
    z_PD, z_QD = unit(seed, 6, 3).requires_grad_(), unit(seed + 1, 5, 3)
    weight_PQ, ignored_PQ = weights(seed, 6, 5)
    whole = row_losses(z_PD, z_QD, weight_PQ, ignored_PQ, SCALE)
    blocks = [
        row_losses(z_PD[part], z_QD, weight_PQ[part], ignored_PQ[part], SCALE)
        for part in (slice(0, cut), slice(cut, 6))
    ]
    counted = sum(int(block.counts_P.sum()) for block in blocks)
    joined = sum(block.loss_P.sum() for block in blocks) / max(counted, 1)
    assert float(joined.detach()) == pytest.approx(float(whole.mean().detach()), abs=1e-12)
    (expected,) = torch.autograd.grad(whole.mean(), z_PD, retain_graph=True)
    (found,) = torch.autograd.grad(joined, z_PD)
    assert torch.allclose(found, expected, atol=1e-12)


def test_row_losses_in_both_directions_are_the_symmetric_loss() -> None:
    z_PD, z_QD, (weight_PQ, ignored_PQ) = unit(0, 6, 3), unit(1, 5, 3), weights(9, 6, 5)
    forth = row_losses(z_PD, z_QD, weight_PQ, ignored_PQ, SCALE).mean()
    back = row_losses(z_QD, z_PD, weight_PQ.T, ignored_PQ.T, SCALE).mean()
    whole = soft_target_loss(z_PD, z_QD, weight_PQ, ignored_PQ, SCALE)
    assert float((forth + back) / 2) == pytest.approx(float(whole), abs=1e-12)
