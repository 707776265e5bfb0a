"""Objectives against closed forms, slow loops and the laws that they must keep."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from holotype.models.losses import agreeing_labels_loss, alignment_loss

seeds = st.integers(0, 2**31)


def draw(seed: int, *shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def unit(seed: int, *shape: int) -> Tensor:
    return functional.normalize(draw(seed, *shape), dim=1)


def masks(seed: int, rows: int, columns: int) -> tuple[Tensor, Tensor]:
    """Positive, ignored and negative pairs at random; some rows have no positive."""
    kind = torch.randint(0, 4, (rows, columns), generator=torch.Generator().manual_seed(seed))
    return kind == 0, kind == 1


def slow_alignment(
    z_PD: Tensor, z_QD: Tensor, positive_PQ: Tensor, ignored_PQ: Tensor, scale: float
) -> float:
    """The loss as its docstring tells it, one pair at a time."""

    def one_way(first: Tensor, second: Tensor, positive: Tensor, ignored: Tensor) -> float:
        rows = []
        for p in range(len(first)):
            cosines = {
                q: scale * float(first[p] @ second[q])
                for q in range(len(second))
                if not ignored[p, q]
            }
            right = [q for q in cosines if positive[p, q]]
            if right:
                total = math.log(sum(math.exp(c) for c in cosines.values()))
                rows.append(-sum(cosines[q] - total for q in right) / len(right))
        return sum(rows) / len(rows) if rows else 0.0

    forth = one_way(z_PD, z_QD, positive_PQ, ignored_PQ)
    return (forth + one_way(z_QD, z_PD, positive_PQ.T, ignored_PQ.T)) / 2


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
def test_one_agreeing_label_is_cross_entropy(smoothing: float) -> None:
    logit_BL, label_B = draw(0, 9, 5), torch.arange(9) % 5
    agrees_BL = functional.one_hot(label_B, 5).bool()
    found = agreeing_labels_loss(logit_BL, agrees_BL, smoothing=smoothing)
    expected = functional.cross_entropy(logit_BL, label_B, label_smoothing=smoothing)
    assert float(found) == pytest.approx(float(expected), abs=1e-12)


def test_a_coarse_record_is_judged_by_the_sum_of_its_leaves() -> None:
    # Probabilities 0.1, 0.2, 0.3, 0.4; the record agrees with the first two: -log 0.3.
    logit_BL = torch.tensor([[0.1, 0.2, 0.3, 0.4]], dtype=torch.float64).log()
    agrees_BL = torch.tensor([[True, True, False, False]])
    assert float(agreeing_labels_loss(logit_BL, agrees_BL)) == pytest.approx(-math.log(0.3))


def test_a_record_that_agrees_with_all_teaches_nothing() -> None:
    logit_BL = draw(1, 3, 4).requires_grad_()
    loss = agreeing_labels_loss(logit_BL, torch.ones(3, 4, dtype=torch.bool))
    (gradient,) = torch.autograd.grad(loss, logit_BL)
    assert float(loss.detach()) == pytest.approx(0.0, abs=1e-12)
    assert float(gradient.abs().max()) < 1e-12


def test_children_of_a_coarse_record_are_no_rivals() -> None:
    # The gradient within the agreeing labels only scales them together, as they share one target.
    logit_BL = torch.zeros(1, 4, dtype=torch.float64, requires_grad=True)
    agrees_BL = torch.tensor([[True, True, False, False]])
    (gradient,) = torch.autograd.grad(agreeing_labels_loss(logit_BL, agrees_BL), logit_BL)
    # softmax - posterior over the agreeing: 1/4 - 1/2 for them, 1/4 for the others.
    assert gradient.flatten().tolist() == pytest.approx([-0.25, -0.25, 0.25, 0.25])


@settings(deadline=None)
@given(seeds)
def test_labels_loss_follows_permutations(seed: int) -> None:
    logit_BL = draw(seed, 6, 5)
    agrees_BL = masks(seed, 6, 5)[0] | functional.one_hot(torch.arange(6) % 5, 5).bool()
    rows = torch.randperm(6, generator=torch.Generator().manual_seed(seed))
    columns = torch.randperm(5, generator=torch.Generator().manual_seed(seed))
    before = agreeing_labels_loss(logit_BL, agrees_BL, smoothing=0.2)
    after = agreeing_labels_loss(
        logit_BL[rows][:, columns], agrees_BL[rows][:, columns], smoothing=0.2
    )
    assert float(before) == pytest.approx(float(after), abs=1e-10)


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


@settings(deadline=None, max_examples=60)
@given(seeds, st.integers(1, 7), st.integers(1, 7))
def test_alignment_agrees_with_a_slow_loop(seed: int, rows: int, columns: int) -> None:
    z_PD, z_QD = unit(seed, rows, 3), unit(seed + 1, columns, 3)
    positive_PQ, ignored_PQ = masks(seed, rows, columns)
    found = alignment_loss(
        z_PD, z_QD, positive_PQ, ignored_PQ, torch.tensor(4.0, dtype=torch.float64)
    )
    expected = slow_alignment(z_PD, z_QD, positive_PQ, ignored_PQ, 4.0)
    assert float(found) == pytest.approx(expected, abs=1e-10)


@settings(deadline=None)
@given(seeds)
def test_alignment_follows_permutations_and_is_symmetric(seed: int) -> None:
    z_PD, z_QD, scale = unit(seed, 6, 3), unit(seed + 1, 5, 3), torch.tensor(4.0).double()
    positive_PQ, ignored_PQ = masks(seed, 6, 5)
    before = float(alignment_loss(z_PD, z_QD, positive_PQ, ignored_PQ, scale))
    rows = torch.randperm(6, generator=torch.Generator().manual_seed(seed))
    columns = torch.randperm(5, generator=torch.Generator().manual_seed(seed + 1))
    permuted = alignment_loss(
        z_PD[rows], z_QD[columns],
        positive_PQ[rows][:, columns], ignored_PQ[rows][:, columns], scale,
    )  # fmt: skip
    swapped = alignment_loss(z_QD, z_PD, positive_PQ.T, ignored_PQ.T, scale)
    assert float(permuted) == pytest.approx(before, abs=1e-10)
    assert float(swapped) == pytest.approx(before, abs=1e-10)


def test_an_ignored_pair_has_no_say() -> None:
    z_PD, z_QD, scale = unit(0, 3, 4), unit(1, 3, 4), torch.tensor(5.0).double()
    positive_PQ = torch.eye(3, dtype=torch.bool)
    ignored_PQ = torch.zeros(3, 3, dtype=torch.bool)
    ignored_PQ[:, 2] = ignored_PQ[2, :] = True
    positive_PQ[2, 2] = False
    whole = alignment_loss(z_PD, z_QD, positive_PQ, ignored_PQ, scale)
    part = alignment_loss(z_PD[:2], z_QD[:2], positive_PQ[:2, :2], ignored_PQ[:2, :2], scale)
    assert float(whole) == pytest.approx(float(part), abs=1e-12)


def test_no_positive_at_all_is_no_loss_and_no_gradient() -> None:
    z_PD = unit(0, 3, 4).requires_grad_()
    nothing = torch.zeros(3, 2, dtype=torch.bool)
    loss = alignment_loss(z_PD, unit(1, 2, 4), nothing, ~nothing, torch.tensor(5.0).double())
    assert float(loss.detach()) == 0.0


def test_gradients_are_right_with_wholly_ignored_rows_too() -> None:
    positive_PQ, ignored_PQ = masks(3, 4, 5)
    positive_PQ[1], ignored_PQ[1] = False, True  # a row without any pair
    positive_PQ[0, 0], ignored_PQ[0, 0] = True, False

    def loss(z_PD: Tensor, z_QD: Tensor, log_scale: Tensor) -> Tensor:
        return alignment_loss(z_PD, z_QD, positive_PQ, ignored_PQ, log_scale.exp())

    starts = (unit(0, 4, 3), unit(1, 5, 3), torch.tensor(1.0).double())
    leaves = tuple(tensor.requires_grad_() for tensor in starts)
    assert torch.autograd.gradcheck(loss, leaves)
    for gradient in torch.autograd.grad(loss(*leaves), leaves):
        assert torch.isfinite(gradient).all()


def test_labels_gradients_are_right() -> None:
    agrees_BL = masks(5, 4, 6)[0] | functional.one_hot(torch.arange(4), 6).bool()

    def loss(logit_BL: Tensor) -> Tensor:
        return agreeing_labels_loss(logit_BL, agrees_BL, smoothing=0.1)

    assert torch.autograd.gradcheck(loss, (draw(2, 4, 6).requires_grad_(),))
