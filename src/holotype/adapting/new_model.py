"""A model with another head: the parts that read images stay, the labels change.

Shapes: N images, L labels, D embedding.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from holotype.adapting.choice import COSINE_SCALE
from holotype.adapting.heads import Head
from holotype.inputs.batches import Batch, image_batch, in_order
from holotype.inputs.materials import Materials
from holotype.models.aligned import AlignedModel, ClassifierSettings, ModelSettings, evaluating
from holotype.models.settings import Projection
from holotype.models.towers import Modality

_KEPT = ("towers.image.", "projections.image.")


@dataclass(frozen=True)
class NewModel:
    """A model of other labels, as a bundle holds it.

    Attributes:
        settings: its parts.
        weights: of all of them, float32.
    """

    settings: ModelSettings
    weights: dict[str, Tensor]

    def built(self, num_labels: int) -> AlignedModel:
        """Returns the model itself; what only losses read is as in a new one."""
        model = AlignedModel(self.settings, num_labels=num_labels)
        own = model.state_dict()
        found = {name: self.weights.get(_plain(name), value) for name, value in own.items()}
        model.load_state_dict(found)
        return model


def _plain(name: str) -> str:
    """Returns a weight's name in a model without low-rank changes, where the weight stands beside one."""
    stem, mark, rest = name.partition(".parametrizations.")
    leaf, _, kind = rest.partition(".")
    return f"{stem}.{leaf}" if mark and kind == "original" else name


@torch.inference_mode()
def image_embeddings(
    model: AlignedModel, materials: Materials, *, batch_size: int = 128
) -> NDArray[np.float32]:
    """Returns the embedding of each record's image before it is brought to length one, float32 (N, D).

    Every record must have an image.
    """
    device = model.log_scale.device
    with evaluating(model):
        parts = []
        for rows in in_order(len(materials), batch_size=batch_size):
            batch = Batch(rows, images=image_batch(materials, rows))
            parts.append(model(batch.to(device))[Modality.IMAGE].float().cpu())
    z_ND: NDArray[np.float32] = torch.cat(parts).numpy()
    return z_ND


def with_head(parent: AlignedModel, head: Head) -> NewModel:
    """Returns the image tower of a model under a new head.

    The centre of a cosine head goes into the projection, so the model's embeddings are centred too; that
    of a linear head goes into its bias, and the embeddings stay those of the parent.
    """
    old, theirs = parent.settings, parent.state_dict()
    kind = "cosine" if head.is_cosine else "linear"
    width = parent.embedding_dim if head.is_cosine else old.embedding_dim
    settings = ModelSettings(
        images=old.images,
        embedding_dim=width,
        projection=Projection.LINEAR if head.is_cosine else old.projection,
        classifier=ClassifierSettings(kind=kind, scale=COSINE_SCALE),
    )
    weights = {n: v.detach().clone() for n, v in theirs.items() if n.startswith(_KEPT)}
    weights["log_scale"] = theirs["log_scale"].detach().clone()
    weights["log_head_scale"] = torch.tensor(math.log(COSINE_SCALE))
    centre_D, weight_LD = torch.from_numpy(head.centre_D), torch.from_numpy(head.weight_LD)
    if head.is_cosine:
        same_DD, none_D = torch.eye(parent.embedding_dim), torch.zeros(parent.embedding_dim)
        weights.setdefault("projections.image.weight", same_DD)
        bias_D = weights.get("projections.image.bias", none_D)
        weights["projections.image.bias"] = bias_D - centre_D
    else:
        weights["head.bias"] = torch.from_numpy(head.bias_L) - weight_LD @ centre_D
    weights["head.weight"] = weight_LD
    return NewModel(settings, weights)
