"""Losses for long tails: published formulas on hand-made counts, and one rule for coarse records."""

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from timm.loss import AsymmetricLossMultiLabel, AsymmetricLossSingleLabel
from torch import Tensor
from torch.nn import functional

from holotype.objectives.asymmetric import (
    asymmetric_loss,
    asymmetric_sigmoid_loss,
    log_odds_of_any,
)
from holotype.objectives.imbalance import (
    agreeing_count,
    balanced_softmax_loss,
    effective_number_weights,
    focal_loss,
    ldam_loss,
    ldam_margins,
)
from holotype.objectives.labels import agreeing_labels_loss

seeds = st.integers(0, 2**31)
COUNT_L = torch.tensor([1000.0, 100, 10, 1], dtype=torch.float64)
P_L = (0.4, 0.3, 0.2, 0.1)
LOGIT_1L = torch.tensor([P_L], dtype=torch.float64).log()
COARSE_1L = torch.tensor([[False, True, True, False]])


def draw(seed: int, *shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def one_hot(label_B: Tensor, labels: int = 4) -> Tensor:
    return functional.one_hot(label_B, labels).bool()


def asymmetric_with(smoothing: float) -> Callable[..., Tensor]:
    def loss(logit_BL: Tensor, agrees_BL: Tensor) -> Tensor:
        return asymmetric_loss(
            logit_BL, agrees_BL, gamma=1.0, gamma_negative=4.0, smoothing=smoothing
        )

    return loss


def sigmoid_with(gamma: float, gamma_negative: float, shift: float) -> Callable[..., Tensor]:
    def loss(logit_BL: Tensor, agrees_BL: Tensor) -> Tensor:
        return asymmetric_sigmoid_loss(
            logit_BL, agrees_BL, gamma=gamma, gamma_negative=gamma_negative, shift=shift
        )

    return loss


LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "focal": lambda logit, agrees: focal_loss(logit, agrees, gamma=2.0),
    "focal below 1": lambda logit, agrees: focal_loss(logit, agrees, gamma=0.5),
    "balanced": lambda logit, agrees: balanced_softmax_loss(logit, agrees, COUNT_L),
    "ldam": lambda logit, agrees: ldam_loss(logit, agrees, COUNT_L, margin=0.5, head_scale=30.0),
    "asymmetric": asymmetric_with(0.1),
    "sigmoid": sigmoid_with(1.0, 4.0, 0.05),
    "sigmoid below 1": sigmoid_with(0.5, 0.5, 0.05),
    "sigmoid without shift": sigmoid_with(0.0, 0.5, 0.0),
}


def test_focal_by_hand() -> None:
    agrees_BL = torch.tensor([[True, False, False, False]])
    found = focal_loss(LOGIT_1L, agrees_BL, gamma=2.0)
    assert float(found) == pytest.approx(-(0.6**2) * math.log(0.4))
    # Known to the two in the middle only: p is their sum, 0.5.
    coarse = focal_loss(LOGIT_1L, COARSE_1L, gamma=3.0)
    assert float(coarse) == pytest.approx(-(0.5**3) * math.log(0.5))


def test_focal_without_focus_is_cross_entropy() -> None:
    logit_BL, agrees_BL = draw(0, 5, 4), one_hot(torch.tensor([0, 1, 2, 3, 3])) | COARSE_1L
    expected = agreeing_labels_loss(logit_BL, agrees_BL)
    assert float(focal_loss(logit_BL, agrees_BL, gamma=0.0)) == pytest.approx(float(expected))


def test_counts_of_what_agrees_add_up() -> None:
    agrees_BL = torch.cat([one_hot(torch.tensor([0, 3])), COARSE_1L])
    assert agreeing_count(COUNT_L, agrees_BL).tolist() == [1000.0, 1.0, 110.0]
    assert agreeing_count(torch.zeros(4), agrees_BL).tolist() == [1.0, 1.0, 2.0]


def test_balanced_softmax_by_hand() -> None:
    # n * p = 400, 30, 2, 0.1; the sum is 432.1.
    found = balanced_softmax_loss(LOGIT_1L, one_hot(torch.tensor([2])), COUNT_L)
    assert float(found) == pytest.approx(-math.log(2 / 432.1))
    coarse = balanced_softmax_loss(LOGIT_1L, COARSE_1L, COUNT_L)
    assert float(coarse) == pytest.approx(-math.log(32 / 432.1))


def test_equal_counts_balance_nothing() -> None:
    logit_BL, agrees_BL = draw(1, 6, 4), one_hot(torch.arange(6) % 4) | COARSE_1L
    found = balanced_softmax_loss(logit_BL, agrees_BL, torch.full((4,), 7.0), smoothing=0.1)
    expected = agreeing_labels_loss(logit_BL, agrees_BL, smoothing=0.1)
    assert float(found) == pytest.approx(float(expected), abs=1e-6)


def test_margins_fall_with_the_fourth_root() -> None:
    counts = torch.tensor([16.0, 1.0, 81.0])
    assert ldam_margins(counts, counts, margin=0.5).tolist() == pytest.approx([0.25, 0.5, 1 / 6])


def test_ldam_by_hand() -> None:
    # Cosines 0.2 and 0.6 of labels with 16 and 1 records: the record is of the first, whose margin is
    # 0.5 / 16^(1/4) = 0.25. At scale 30: 30 * (0.2 - 0.25) = -1.5 against 18.
    cosine_BL, count_L = torch.tensor([[0.2, 0.6]]).double(), torch.tensor([16.0, 1.0]).double()
    agrees_BL = torch.tensor([[True, False]])
    found = ldam_loss(30 * cosine_BL, agrees_BL, count_L, margin=0.5, head_scale=30.0)
    assert float(found) == pytest.approx(math.log1p(math.exp(19.5)))


def test_ldam_takes_one_margin_off_a_coarse_record() -> None:
    # Counts 100 and 10 add up to 110 beside a least count of 1.
    taken = 0.5 / 110**0.25
    shifted_BL = LOGIT_1L - taken * COARSE_1L
    found = ldam_loss(LOGIT_1L, COARSE_1L, COUNT_L, margin=0.5)
    assert float(found) == pytest.approx(float(agreeing_labels_loss(shifted_BL, COARSE_1L)))


def test_deferred_weights_by_hand() -> None:
    # beta 0.5: counts 1 and 2 have effective numbers 1 and 1.5, weights 1 and 2/3 of mean 5/6.
    count_L = torch.tensor([1.0, 2.0])
    agrees_BL = torch.tensor([[True, False], [False, True], [True, True]])
    found = effective_number_weights(count_L, agrees_BL, beta=0.5)
    # Both agree: three records, effective number 1.75.
    assert found.tolist() == pytest.approx([6 / 5, 4 / 5, 1 / 1.75 / (5 / 6)])


def test_deferred_weights_of_the_paper() -> None:
    count_L = torch.tensor([5000.0, 500, 50, 5])
    found = effective_number_weights(count_L, torch.eye(4, dtype=torch.bool), beta=0.9999)
    weights = [(1 - 0.9999) / (1 - 0.9999**n) for n in (5000, 500, 50, 5)]
    expected = [4 * weight / sum(weights) for weight in weights]
    assert found.tolist() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("gammas", [(0.0, 4.0), (1.0, 4.0), (2.0, 1.0)])
def test_asymmetric_is_the_published_single_label_form(
    gammas: tuple[float, float], smoothing: float
) -> None:
    logit_BL, label_B = draw(2, 8, 6), torch.arange(8) % 6
    gamma, gamma_negative = gammas
    found = asymmetric_loss(
        logit_BL, one_hot(label_B, 6),
        gamma=gamma, gamma_negative=gamma_negative, smoothing=smoothing,
    )  # fmt: skip
    published = AsymmetricLossSingleLabel(gamma, gamma_negative, eps=smoothing)
    assert float(found) == pytest.approx(float(published(logit_BL, label_B)), abs=1e-12)


def test_asymmetric_of_a_coarse_record_by_hand() -> None:
    # P = 0.5: (1 - P)^1 = 0.5 for the two that agree, 0.4^2 and 0.1^2 for the others.
    found = asymmetric_loss(LOGIT_1L, COARSE_1L, gamma=1.0, gamma_negative=2.0, smoothing=0.2)
    spread = 0.16 * math.log(0.4) + 0.5 * math.log(0.3 * 0.2) + 0.01 * math.log(0.1)
    expected = -0.8 * 0.5 * math.log(0.5) - 0.2 * spread / 4
    assert float(found) == pytest.approx(expected)


@pytest.mark.parametrize(
    "settings_of", [(0.0, 4.0, 0.05), (1.0, 4.0, 0.0), (2.0, 1.0, 0.2), (1.0, 0.0, 0.1)]
)
def test_asymmetric_by_sigmoids_is_the_published_form(
    settings_of: tuple[float, float, float],
) -> None:
    gamma, gamma_negative, shift = settings_of
    logit_BL = draw(3, 7, 5).float()
    published = AsymmetricLossMultiLabel(gamma_negative, gamma, clip=shift)
    one_BL = one_hot(torch.arange(7) % 5, 5)
    single = sigmoid_with(gamma, gamma_negative, shift)(logit_BL, one_BL)
    assert float(single) == pytest.approx(float(published(logit_BL, one_BL)), rel=1e-5)


@settings(deadline=None)
@given(seeds, st.integers(1, 9))
def test_odds_of_any_are_those_of_none_the_other_way(seed: int, labels: int) -> None:
    logit_BL = 3 * draw(seed, 4, labels)
    agrees_BL = (draw(seed + 1, 4, labels) > 0) | one_hot(torch.arange(4) % labels, labels)
    none_B = torch.where(agrees_BL, 1 - torch.sigmoid(logit_BL), torch.ones(())).prod(dim=1)
    found = torch.sigmoid(-log_odds_of_any(logit_BL, agrees_BL))
    assert found.tolist() == pytest.approx(none_B.tolist(), rel=1e-9)


def test_odds_of_improbable_labels_do_not_vanish() -> None:
    # Two labels of odds e^-200 each: together 2 e^-200, in float32.
    found = log_odds_of_any(torch.full((1, 3), -200.0), torch.tensor([[True, False, True]]))
    assert float(found) == pytest.approx(-200 + math.log(2), abs=1e-4)


@pytest.mark.parametrize("name", LOSSES)
@settings(deadline=None, max_examples=15)
@given(seed=seeds)
def test_every_loss_follows_permutations(name: str, seed: int) -> None:
    logit_BL, agrees_BL = draw(seed, 6, 4), one_hot(torch.arange(6) % 4) | (draw(seed, 6, 4) > 1)
    rows = torch.randperm(6, generator=torch.Generator().manual_seed(seed))
    before = float(LOSSES[name](logit_BL, agrees_BL))
    assert float(LOSSES[name](logit_BL[rows], agrees_BL[rows])) == pytest.approx(before, abs=1e-10)
    if name not in ("balanced", "ldam"):  # these know their labels by their counts
        columns = torch.randperm(4, generator=torch.Generator().manual_seed(seed))
        after = LOSSES[name](logit_BL[:, columns], agrees_BL[:, columns])
        assert float(after) == pytest.approx(before, abs=1e-10)


@settings(deadline=None, max_examples=15)
@given(seeds)
def test_counts_move_with_their_labels(seed: int) -> None:
    logit_BL, agrees_BL = draw(seed, 6, 4), one_hot(torch.arange(6) % 4) | (draw(seed, 6, 4) > 1)
    columns = torch.randperm(4, generator=torch.Generator().manual_seed(seed))
    moved = logit_BL[:, columns], agrees_BL[:, columns], COUNT_L[columns]
    balanced = balanced_softmax_loss(logit_BL, agrees_BL, COUNT_L)
    assert float(balanced_softmax_loss(*moved)) == pytest.approx(float(balanced), abs=1e-10)
    margins = ldam_loss(logit_BL, agrees_BL, COUNT_L, margin=0.3)
    assert float(ldam_loss(*moved, margin=0.3)) == pytest.approx(float(margins), abs=1e-10)


@pytest.mark.parametrize("name", LOSSES)
def test_gradients_are_right(name: str) -> None:
    agrees_BL = one_hot(torch.arange(3)) | COARSE_1L
    starts = (0.5 * draw(7, 3, 4)).requires_grad_()
    assert torch.autograd.gradcheck(lambda logit_BL: LOSSES[name](logit_BL, agrees_BL), (starts,))


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("size", [1e2, 1e4])
def test_extreme_logits_give_finite_losses_and_gradients(name: str, size: float) -> None:
    logit_BL = (size * draw(8, 12, 4).sign()).float().requires_grad_()
    agrees_BL = one_hot(torch.arange(12) % 4)
    agrees_BL[:3] |= COARSE_1L
    agrees_BL[3] = True  # agrees with all: nothing disagrees
    loss = LOSSES[name](logit_BL, agrees_BL)
    (gradient,) = torch.autograd.grad(loss, logit_BL)
    assert torch.isfinite(loss)
    assert torch.isfinite(gradient).all()
