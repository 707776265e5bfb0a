"""The embeddings of all processes, joined: the contrast is over the batch of all of them.

Shapes: R rows of one process, G rows of all, D features.
"""

from itertools import pairwise
from typing import Any, NamedTuple

import torch
from torch import Tensor, distributed


class Share(NamedTuple):
    """Which part of a step is one process's: an even, contiguous one of each modality."""

    rank: int = 0
    world: int = 1

    def of(self, count: int) -> slice:
        """Returns the part of ``count`` rows that this process reads; the parts differ by one at most."""
        return slice(self.rank * count // self.world, (self.rank + 1) * count // self.world)

    def counts(self, count: int) -> tuple[int, ...]:
        """Returns how many of ``count`` rows each process reads."""
        edges = [rank * count // self.world for rank in range(self.world + 1)]
        return tuple(after - before for before, after in pairwise(edges))


def gathered(own_RD: Tensor, *, count: int, share: Share) -> Tensor:
    """Returns the rows of all processes, in their order; gradients flow into the own rows alone.

    Every process works out the same loss over all rows. What a process adds to the gradient of the shared
    weights comes through its own rows, so the sum over processes is the gradient of the joined batch. As
    DDP and FSDP take the mean instead of the sum, gradients of the own rows are multiplied by the number of
    processes; those of weights used after this (head, temperatures) are equal everywhere and need nothing.

    Args:
        own_RD: float32, this process's part.
        count: G, the rows of all processes together.
        share: which part it is.
    """
    if share.world == 1:
        return own_RD
    joined: Tensor = _Gathered.apply(own_RD, count, share)
    return joined


class _Gathered(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, own_RD: Tensor, count: int, share: Share) -> Tensor:
        counts = share.counts(count)
        room = own_RD.new_zeros(max(counts), *own_RD.shape[1:])
        room[: len(own_RD)] = own_RD
        parts = [torch.empty_like(room) for _ in counts]
        distributed.all_gather(parts, room)
        ctx.own, ctx.world = share.of(count), share.world
        return torch.cat([part[:rows] for part, rows in zip(parts, counts, strict=True)])

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        return ctx.world * grads[0][ctx.own], None, None
