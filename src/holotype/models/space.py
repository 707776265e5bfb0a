"""The shared space: how a tower's features enter it, and the temperature that it starts with."""

import math
from collections.abc import Mapping

from torch import nn

from holotype.errors import RecipeError
from holotype.models.settings import Projection

LOG_SCALE = math.log(1 / 0.07)
"""Where the logarithm of the inverse temperature starts, as in CLIP (Radford et al. 2021)."""


def into_space(name: str, width: int, shared: int | None, kind: Projection) -> nn.Module:
    """Returns what takes a tower's features into the shared space; nothing is done where there is none.

    Args:
        name: the tower's modality, for errors.
        width: of its features.
        shared: width of the space; None for a model of one tower without one.
        kind: whether a map is learnt.

    Raises:
        RecipeError: when no map is wanted and the widths differ.
    """
    if shared is None:
        return nn.Identity()
    if kind is Projection.LINEAR:
        return nn.Linear(width, shared)
    if width != shared:
        raise RecipeError(
            f"model.projection = none: the {name} tower has {width} features, model.embedding_dim is "
            f"{shared}. Set embedding_dim = {width}, or projection = linear."
        )
    return nn.Identity()


def first_log_scale(published: Mapping[str, float], kind: Projection) -> float:
    """Returns the logarithm of the inverse temperature to start with; published if the space is kept.

    Args:
        published: by modality, of the towers that come with one.
        kind: whether a map is learnt; then the published space is left.

    Raises:
        RecipeError: when towers of different models are to share a space as they are.
    """
    if kind is Projection.LINEAR or not published:
        return LOG_SCALE
    first = next(iter(published.values()))
    if any(not math.isclose(first, other, abs_tol=1e-6) for other in published.values()):
        told = ", ".join(f"{name} {math.exp(value):.4g}" for name, value in published.items())
        raise RecipeError(
            f"model.projection = none: the towers come from different models (inverse temperatures {told}). "
            "Take one model's towers, or projection = linear."
        )
    return first
