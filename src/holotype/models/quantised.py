"""Weights in 8 bits: matrices and kernels as whole numbers with one scale for each output channel.

Place in the path: between a model's weights and the file that holds them. Nothing computes in 8 bits here:
a reader multiplies the numbers out and runs the model in float32, on any machine.
"""

from collections.abc import Mapping
from enum import StrEnum

import torch
from torch import Tensor

from holotype.errors import BundleError

SCALE = ".int8_scale"
"""Ending of the name of a tensor's scales."""
LEVELS = 127
"""Whole numbers run from -127 to 127: the range is symmetrical, and zero stays zero."""
SMALL = 1 << 16
"""Smaller tensors stay as they are: first layers and heads are little of the size, and most of the error."""


class WeightKind(StrEnum):
    """How the weights of a bundle are stored."""

    FLOAT32 = "float32"
    INT8 = "int8"


def stored_weights(weights: Mapping[str, Tensor], kind: WeightKind) -> dict[str, Tensor]:
    """Returns the tensors to write for a model's weights, contiguous.

    ``int8``: a large tensor with two axes or more becomes int8 beside ``NAME.int8_scale``, float32 (rows,),
    so that a value is the whole number times the scale of its row on the first axis (the output channel). The
    error of a value is at most half a scale. Vectors (biases, norms, running means) and small tensors stay.

    Reference:
        Krishnamoorthi, 2018, "Quantizing deep convolutional networks for efficient inference",
        arXiv:1806.08342 (symmetric, one scale a channel). Weights only; activations stay float32.

    Raises:
        BundleError: for a weight that is not finite, or whose name ends as a scale's does.
    """
    found: dict[str, Tensor] = {}
    for name, value in weights.items():
        if kind is WeightKind.FLOAT32 or not _is_shrunk(value):
            found[name] = value.contiguous()
            continue
        if name.endswith(SCALE) or not bool(torch.isfinite(value).all()):
            raise BundleError(f"weights '{name}': not finite numbers, or a name that is taken.")
        row_RK = value.detach().float().reshape(len(value), -1)
        scale_R = row_RK.abs().amax(dim=1) / LEVELS
        scale_R = torch.where(scale_R > 0, scale_R, torch.ones_like(scale_R))
        whole_RK = (row_RK / scale_R[:, None]).round().clamp(-LEVELS, LEVELS).to(torch.int8)
        found[name] = whole_RK.reshape(value.shape).contiguous()
        found[name + SCALE] = scale_R
    return found


def model_weights(stored: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Returns the weights that a model loads from tensors as stored, of either kind."""
    found: dict[str, Tensor] = {}
    for name, value in stored.items():
        if name.endswith(SCALE):
            continue
        scale_R = stored.get(name + SCALE)
        if scale_R is None:
            found[name] = value
        else:
            found[name] = value.float() * scale_R.reshape(-1, *[1] * (value.ndim - 1))
    return found


def _is_shrunk(value: Tensor) -> bool:
    """Returns whether a tensor is large and has rows that share a scale: no vectors or whole numbers."""
    return (
        value.is_floating_point() and value.ndim > 1 and len(value) > 1 and value.numel() >= SMALL
    )
