"""Rates, groups and running means, by hand."""

import math

import pytest
import torch
from torch import nn

from holotype.models.aligned import AlignedModel
from holotype.training.optimizer import build_optimizer, learning_rate, updated_average
from holotype.training.recipe import Schedule


def test_matrices_decay_and_vectors_do_not(recipe_with) -> None:
    model = AlignedModel(recipe_with().model, num_labels=7)
    frozen = model.towers["caption"].grams.weight
    frozen.requires_grad_(requires_grad=False)
    schedule = Schedule(weight_decay=0.3, peak_lr=0.01)
    decayed, plain, numbers = build_optimizer(model, schedule).param_groups
    assert decayed["weight_decay"] == 0.3
    assert plain["weight_decay"] == 0.0
    assert numbers["weight_decay"] == 0.0
    assert {p.ndim for p in plain["params"]} == {1}
    assert {p.ndim for p in numbers["params"]} == {0}
    assert min(p.ndim for p in decayed["params"]) >= 2
    held = {id(p) for group in (decayed, plain, numbers) for p in group["params"]}
    assert held == {id(p) for p in model.parameters() if p is not frozen}
    assert {id(model.log_scale), id(model.log_head_scale)} <= {id(p) for p in numbers["params"]}


def test_learning_rate_by_hand() -> None:
    schedule = Schedule(peak_lr=2.0, warmup=0.2)
    # 20 steps: 4 of warm-up at 1/4, 2/4, 3/4, 1; then half a cosine over 16.
    rates = [learning_rate(schedule, step=step, total=20) for step in range(20)]
    assert rates[:4] == pytest.approx([0.5, 1.0, 1.5, 2.0])
    assert rates[4] == pytest.approx(2.0)
    assert rates[12] == pytest.approx(1.0)  # half way down
    assert rates[19] == pytest.approx(1 + math.cos(math.pi * 15 / 16))
    assert rates[4:] == sorted(rates[4:], reverse=True)


@pytest.mark.parametrize("total", [1, 2, 7])
def test_learning_rate_of_a_short_run_is_positive_and_below_the_peak(total: int) -> None:
    schedule = Schedule(peak_lr=1.0, warmup=0.08)
    rates = [learning_rate(schedule, step=step, total=total) for step in range(total + 3)]
    assert min(rates) >= 1e-3
    assert max(rates) <= 1.0


def test_running_mean_by_hand() -> None:
    average = {"w": torch.tensor([1.0, 2.0]), "n": torch.tensor(3)}
    # Step 8: (1 + 8) / (10 + 8) = 0.5 is below the decay; 0.5 * 1 + 0.5 * 5 = 3.
    updated_average(
        average, {"w": torch.tensor([5.0, 2.0]), "n": torch.tensor(9)}, decay=0.9, step=8
    )
    assert average["w"].tolist() == [3.0, 2.0]
    assert average["n"].item() == 9  # counters are copied
    # Late steps use the decay itself: 0.9 * 3 + 0.1 * 13 = 4.
    updated_average(average, {"w": torch.tensor([13.0, 2.0])}, decay=0.9, step=10_000)
    assert average["w"].tolist() == pytest.approx([4.0, 2.0])


def test_the_first_weights_leave_little_trace() -> None:
    average = {"w": torch.tensor([1e6])}
    for step in range(60):
        updated_average(average, {"w": torch.tensor([1.0])}, decay=0.9, step=step)
    assert average["w"].item() == pytest.approx(1.0, abs=0.01)


def test_the_mean_of_a_constant_is_the_constant() -> None:
    model = nn.Linear(3, 2)
    average = {name: value.clone() for name, value in model.state_dict().items()}
    for step in (0, 5, 500):
        updated_average(average, model.state_dict(), decay=0.99, step=step)
    for name, value in model.state_dict().items():
        assert torch.allclose(average[name], value)
