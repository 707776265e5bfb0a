"""The optimiser of a run and its learning rate at each step."""

import math

import torch
from torch import nn

from holotype.training.schedule import Schedule


def build_optimizer(model: nn.Module, schedule: Schedule) -> torch.optim.AdamW:
    """Returns AdamW (Loshchilov & Hutter 2019, arXiv 1711.05101); vectors are not decayed."""
    trained = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": schedule.weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=schedule.peak_lr)


def learning_rate(schedule: Schedule, *, step: int, total: int) -> float:
    """Returns the rate of a step: a straight warm-up, then a cosine to a thousandth of the peak."""
    warm = max(1, int(schedule.warmup * total))
    if step < warm:
        return schedule.peak_lr * (step + 1) / warm
    done = (step - warm) / max(1, total - warm)
    return schedule.peak_lr * max(1e-3, (1 + math.cos(math.pi * done)) / 2)


def updated_average(
    average: dict[str, torch.Tensor], current: dict[str, torch.Tensor], *, decay: float, step: int
) -> None:
    """Moves the running mean of weights towards the current ones, in place.

    The decay grows from 0 with the steps, so the first weights leave no trace (Tarvainen & Valpola 2017,
    arXiv 1703.01780).
    """
    now = min(decay, (1 + step) / (10 + step))
    for name, value in current.items():
        if value.is_floating_point():
            average[name].lerp_(value, 1 - now)
        else:
            average[name].copy_(value)
