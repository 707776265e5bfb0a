"""The devices of a run: one, several of one machine, or those that torchrun started.

``fsdp`` parts weights, gradients and the optimiser's state over the processes (Zhao et al. 2023,
arXiv 2304.11277; FSDP2, which does it weight by weight). ``ddp`` keeps a whole copy on each (Li et al. 2020,
arXiv 2006.15704).
"""

import os
from contextlib import AbstractContextManager, nullcontext
from enum import StrEnum
from typing import Any, Literal

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.precision import HalfPrecision
from lightning_fabric.strategies.ddp import DDPStrategy
from lightning_fabric.strategies.model_parallel import ModelParallelStrategy
from torch import nn

from holotype.errors import RecipeError
from holotype.models.towers import Modality
from holotype.training.learner import Learner

LARGE = 1_000_000
"""A block with so many weights is parted by itself, so that one block at a time is whole in memory."""


class Strategy(StrEnum):
    """How several processes share a model."""

    AUTO = "auto"
    DDP = "ddp"
    FSDP = "fsdp"


def fabric_of(
    accelerator: str,
    devices: int | str,
    *,
    strategy: Strategy | str = Strategy.AUTO,
    precision: Literal["32-true", "bf16-mixed", "bf16-true"] = "32-true",
) -> Fabric:
    """Returns the devices asked for, ready to launch.

    Args:
        accelerator: ``cpu``, ``cuda``, ``mps`` or ``auto``.
        devices: how many on this machine; ``auto`` is one on a CPU, all GPUs, or what torchrun started.
        strategy: ``auto`` is ``ddp`` for several processes.
        precision: of the arithmetic of the towers; losses are float32 always.

    Raises:
        RecipeError: when they are not there.
    """
    asked = f"--accelerator {accelerator} --devices {devices} --strategy {strategy}"
    if strategy not in set(Strategy):
        raise RecipeError(f"{asked}: a strategy is one of {', '.join(Strategy)}.")
    if strategy == Strategy.FSDP and precision == "bf16-true":
        raise RecipeError(f"{asked}: fsdp parts weights of one type; set precision = 'bf16-mixed'.")
    nodes = 1
    if "TORCHELASTIC_RUN_ID" in os.environ:
        here = int(os.environ["LOCAL_WORLD_SIZE"])
        nodes = int(os.environ["WORLD_SIZE"]) // here
        if devices not in ("auto", here):
            raise RecipeError(
                f"{asked}: torchrun started {here} processes here; leave --devices out."
            )
        devices = here
    elif devices == "auto":
        on_gpu = accelerator != "cpu" and torch.cuda.is_available()
        devices = torch.cuda.device_count() if on_gpu else 1
    try:
        count = int(devices) * nodes
        chosen: Any = "auto"
        if count > 1 and strategy == Strategy.FSDP:
            chosen = ModelParallelStrategy(
                parallelize_fn=parted, data_parallel_size=count, tensor_parallel_size=1
            )
        elif count > 1:
            chosen = DDPStrategy(find_unused_parameters=True)
        how: dict[str, Any] = {"precision": precision}
        if precision == "bf16-true":
            how = {"plugins": [TowersInBf16()]}
        return Fabric(
            accelerator=accelerator, devices=int(devices), num_nodes=nodes, strategy=chosen, **how
        )
    except (ValueError, TypeError, RuntimeError) as reason:
        raise RecipeError(f"{asked}: {reason}") from reason


class TowersInBf16(HalfPrecision):
    """bfloat16 matrices in the towers of images and captions, and bfloat16 arithmetic in all towers.

    Vectors (biases, norms) stay float32, and all weights of the DNA tower, as near neighbours differ in the
    third decimal of the cosine; so do those of head and temperatures. The default type of new tensors is not
    touched: other threads make some.
    """

    def __init__(self) -> None:
        super().__init__("bf16-true")

    def convert_module(self, module: nn.Module) -> nn.Module:
        """Lowers the weights of a ``Learner``, in place."""
        assert isinstance(module, Learner)
        for part in (module.model.towers, module.model.projections):
            for name, one in part.items():
                for weight in one.parameters() if name != Modality.BARCODE else ():
                    if weight.ndim > 1:
                        weight.data = weight.data.to(torch.bfloat16)
        return module

    def forward_context(self) -> AbstractContextManager[None]:
        """Nothing: the learner says where arithmetic is bfloat16."""
        return nullcontext()


def parted(learner: Learner, mesh: Any) -> Learner:
    """Parts a learner's weights over the processes of a mesh, in place: FSDP2.

    Single numbers (temperatures) stay whole: they are used after the gathering, so their gradients are equal
    on all processes.

    Raises:
        RecipeError: for a tower with single numbers among its weights.
    """
    from torch.distributed.fsdp import fully_shard

    over = mesh["data_parallel"]
    model = learner.model
    for name, weight in model.towers.named_parameters():
        if weight.ndim == 0:
            raise RecipeError(f"--strategy fsdp: tower weight {name} is a single number; use ddp.")
    for tower in model.towers.values():
        for blocks in list(tower.modules()):
            if isinstance(blocks, nn.ModuleList | nn.Sequential):
                for block in blocks:
                    if sum(p.numel() for p in block.parameters()) >= LARGE:
                        fully_shard(block, mesh=over)
        fully_shard(tower, mesh=over)
    for projection in model.projections.values():
        if next(projection.parameters(), None) is not None:
            fully_shard(projection, mesh=over)
    numbers = {weight for weight in model.parameters() if weight.ndim == 0}
    fully_shard(learner, mesh=over, ignored_params=numbers)
    return learner
