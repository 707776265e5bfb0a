"""Batch normalisation over the batches of all processes: two processes see what one would.

Shapes: B batch, K channels.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm


class JointBatchNorm(_BatchNorm):
    """Batch normalisation (Ioffe & Szegedy 2015, arXiv 1502.03167) with the statistics of all processes.

    Unlike ``torch.nn.SyncBatchNorm`` it also runs on CPUs, and with processes that have no rows. The means
    are summed first, then the squared deviations from them: no two large numbers are subtracted.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Returns the normalised input, of the same shape; channels are its second axis."""
        if not self.training or self.running_mean is None or self.running_var is None:
            return functional.batch_norm(
                input, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps
            )
        axes = [axis for axis in range(input.ndim) if axis != 1]
        shape = [1, -1, *[1] * (input.ndim - 2)]
        x = input.float()
        count = input.numel() // input.shape[1]
        sums_K = torch.cat([x.sum(dim=axes), x.new_tensor([float(count)])])
        sums_K = _summed(sums_K)
        total = sums_K[-1].detach()
        mean_K = sums_K[:-1] / total
        centred = x - mean_K.view(shape)
        var_K = _summed(centred.square().sum(dim=axes)) / total
        with torch.no_grad():
            assert self.num_batches_tracked is not None
            self.num_batches_tracked += 1
            factor = self.momentum
            if factor is None:
                factor = 1.0 / float(self.num_batches_tracked)
            self.running_mean.lerp_(mean_K.to(self.running_mean.dtype), factor)
            unbiased_K = var_K * (total / (total - 1).clamp(min=1))
            self.running_var.lerp_(unbiased_K.to(self.running_var.dtype), factor)
        normal = centred * torch.rsqrt(var_K + self.eps).view(shape)
        if self.affine:
            normal = normal * self.weight.view(shape) + self.bias.view(shape)
        return normal.to(input.dtype)

    def _check_input_dim(self, input: Tensor) -> None:
        """Any number of axes from two on."""


class _Summed(torch.autograd.Function):
    """The sum over processes; what each makes of it flows back to all."""

    @staticmethod
    def forward(ctx: Any, own: Tensor) -> Tensor:
        joined = own.clone()
        distributed.all_reduce(joined)
        return joined

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        joined = grads[0].contiguous().clone()
        distributed.all_reduce(joined)
        return joined


def _summed(own: Tensor) -> Tensor:
    joined: Tensor = _Summed.apply(own)
    return joined


_PLAIN = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


def join_norms(model: nn.Module) -> None:
    """Exchanges, in place, every batch normalisation of a model for a joint one of the same weights.

    Normalisations of libraries that do more than normalise are left: their statistics stay those of one
    process.
    """
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if not isinstance(child, _BatchNorm) or type(child) not in _PLAIN:
                continue
            joint = JointBatchNorm(
                child.num_features,
                child.eps,
                child.momentum,
                child.affine,
                child.track_running_stats,
            )
            joint._parameters, joint._buffers = child._parameters, child._buffers
            joint.train(child.training)
            setattr(parent, name, joint)


@contextmanager
def kept_statistics(model: nn.Module) -> Iterator[None]:
    """Lets a model read batches in training mode, and puts its running statistics back afterwards."""
    norms = [m for m in model.modules() if isinstance(m, _BatchNorm)]
    before = [{name: value.clone() for name, value in norm.named_buffers()} for norm in norms]
    try:
        yield
    finally:
        with torch.no_grad():
            for norm, kept in zip(norms, before, strict=True):
                for name, value in norm.named_buffers():
                    value.copy_(kept[name])
