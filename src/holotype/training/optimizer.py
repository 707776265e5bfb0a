"""The optimiser of a run, its learning rate at each step, the clipping of gradients and the running mean."""

import math
from collections.abc import Iterable

import torch
from torch import Tensor, distributed, nn

from holotype.training.schedule import Schedule


def build_optimizer(model: nn.Module, schedule: Schedule) -> torch.optim.AdamW:
    """Returns AdamW (Loshchilov & Hutter 2019, arXiv 1711.05101); vectors and numbers are not decayed."""
    trained = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": schedule.weight_decay},
        {"params": [p for p in trained if p.ndim == 1], "weight_decay": 0.0},
        {"params": [p for p in trained if p.ndim == 0], "weight_decay": 0.0},
    ]
    kinds = {p.device.type for p in trained}
    return torch.optim.AdamW(
        [group for group in groups if group["params"]],
        lr=schedule.peak_lr,
        fused=kinds <= {"cpu", "cuda"},
    )


def learning_rate(schedule: Schedule, *, step: int, total: int) -> float:
    """Returns the rate of a step: a straight warm-up, then a cosine to a thousandth of the peak."""
    warm = max(1, int(schedule.warmup * total))
    if step < warm:
        return schedule.peak_lr * (step + 1) / warm
    done = (step - warm) / max(1, total - warm)
    return schedule.peak_lr * max(1e-3, (1 + math.cos(math.pi * done)) / 2)


def clip_gradients(weights: Iterable[nn.Parameter], *, largest: float) -> None:
    """Shortens the gradient of all weights together to a norm, also where they are parted over processes."""
    from torch.distributed.tensor import DTensor

    grads = [weight.grad for weight in weights if weight.grad is not None]
    own = [grad.to_local() for grad in grads if isinstance(grad, DTensor)]
    common = [grad for grad in grads if not isinstance(grad, DTensor)]
    squared = _squared(common, grads[0].device)
    if own:
        parts = _squared(own, grads[0].device)
        distributed.all_reduce(parts)
        squared = squared + parts
    factor = (largest / (squared.sqrt() + 1e-6)).clamp(max=1.0)
    for grad in [*own, *common]:
        grad.mul_(factor.to(grad.dtype))


def _squared(grads: list[Tensor], device: torch.device) -> Tensor:
    if not grads:
        return torch.zeros((), device=device)
    norms = torch.stack([torch.linalg.vector_norm(grad, dtype=torch.float32) for grad in grads])
    return norms.square().sum()


def updated_average(
    average: dict[str, Tensor], current: dict[str, Tensor], *, decay: float, step: int
) -> None:
    """Moves the running mean of weights towards the current ones, in place.

    The decay grows from 0 with the steps, so the first weights leave no trace (Tarvainen & Valpola 2017,
    arXiv 1703.01780).
    """
    now = min(decay, (1 + step) / (10 + step))
    for name, value in current.items():
        if value.is_floating_point():
            average[name].lerp_(value.to(average[name].dtype), 1 - now)
        else:
            average[name].copy_(value)
