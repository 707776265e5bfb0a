"""Any image model of timm without its head, beside features of the original size.

Shapes: B images, C channels, H height, W width, D features.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from holotype.errors import RecipeError, did_you_mean
from holotype.models.pretrained.checkpoints import read_checkpoint, read_json
from holotype.models.pretrained.places import beside, place_of, weights_in
from holotype.models.pretrained.preprocessing import check_pixels, timm_pixels
from holotype.models.settings import ImageSettings
from holotype.models.sizes import size_features
from holotype.progress import note

SIZE_FEATURES = 16


class TimmTower(nn.Module):
    """Any image model of timm without its head, beside 16 features for the original size.

    Reference: Wightman 2019, PyTorch Image Models, doi:10.5281/zenodo.4414861.

    Attributes:
        feature_dim: the model's features, and 16 more unless the size is not read.
        layout: the publisher's configuration, as JSON.
    """

    def __init__(self, settings: ImageSettings) -> None:
        super().__init__()
        place, config = _published(settings)
        name = _architecture(settings, config)
        weights: dict[str, Any] = {}
        if place is not None:
            checkpoint = read_checkpoint(weights_in(place))
            weights = _weights(name, checkpoint.tensors)
            if "pretrained_cfg" in config:
                said = {"input_size": (3, 224, 224), **config["pretrained_cfg"]}
                check_pixels(settings, timm_pixels(said, source=str(settings.weights)))
            else:
                note(
                    f"images: {place} says nothing of how images are made ready; the recipe's way it is"
                )
        elif settings.layout is None:
            note(f"images: no weights named, so the tower {name} starts at random")
        self.layout = json.dumps({**config, "architecture": name})
        self.model = _created(name, settings, config.get("model_args", {}), weights)
        self.reading = settings.size
        self.feature_dim = int(self.model.num_features)  # type: ignore[arg-type]
        self.size: nn.Module | None = None
        if self.reading.num_features:
            self.size = nn.Sequential(
                nn.Linear(self.reading.num_features, SIZE_FEATURES), nn.GELU()
            )
            self.feature_dim += SIZE_FEATURES

    def forward(self, image_BCHW: Tensor, size_B4: Tensor) -> Tensor:
        """Returns features, float32 (B, D), of images and their sizes in px and um (NaN: unknown)."""
        features_BD: Tensor = self.model(image_BCHW)
        if self.size is None:
            return features_BD
        size_BF = size_features(size_B4, self.reading)
        return torch.cat([features_BD, self.size(size_BF)], dim=1)


def _published(settings: ImageSettings) -> tuple[Path | None, dict[str, Any]]:
    """Returns where the weights are, if they are to be read, and what ``config.json`` says."""
    if settings.layout is not None:
        config: dict[str, Any] = json.loads(settings.layout)
        return None, config
    if settings.weights is None:
        return None, {}
    place = place_of(settings.weights, key="images.weights")
    described = beside(place, "config.json")
    config = read_json(described) if described is not None else {}
    kept = ("architecture", "pretrained_cfg", "model_args")
    return place, {key: config[key] for key in kept if key in config}


def _architecture(settings: ImageSettings, config: dict[str, Any]) -> str:
    import timm

    name, said = settings.architecture, config.get("architecture")
    if name and said and name.partition(".")[0] != str(said).partition(".")[0]:
        raise RecipeError(f"images.architecture = '{name}', but {settings.weights} is a '{said}'.")
    chosen = name or said
    if chosen is None or not timm.is_model(chosen):
        nearest = did_you_mean(chosen or "", timm.list_models())
        raise RecipeError(f"images.architecture: timm has no '{chosen}'.{nearest}")
    return str(chosen)


def _weights(name: str, tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    """Returns the arguments with which timm loads tensors: all of them but the classifier's, or none.

    Left to itself timm drops the classifier and then no longer minds what else is missing.
    """
    import timm

    described = timm.get_pretrained_cfg(name)
    heads = getattr(described, "classifier", None) or ()
    beginnings = tuple(f"{head}." for head in ((heads,) if isinstance(heads, str) else heads))
    kept = {k: v for k, v in tensors.items() if not k.startswith(beginnings or ("\0",))}
    overlay = {"state_dict": kept, "num_classes": 0, "label_offset": 0}
    return {"pretrained": True, "pretrained_cfg_overlay": overlay}


def _created(
    name: str, settings: ImageSettings, arguments: dict[str, Any], weights: dict[str, Any]
) -> nn.Module:
    """Returns the model; one that reads one size only is built for the recipe's side."""
    import timm

    described = timm.get_pretrained_cfg(name)
    fixed = described is not None and described.fixed_input_size
    sized = {"img_size": settings.side_px} if fixed else {}
    try:
        model: nn.Module = timm.create_model(
            name, num_classes=0, in_chans=settings.channels, **{**arguments, **sized, **weights}
        )
    except (RuntimeError, KeyError) as reason:
        if not weights:
            raise
        raise RecipeError(
            f"images.weights = '{settings.weights}': not the weights of '{name}' ({reason})."
        ) from reason
    return model
