"""Towers of open_clip: the image and the text half of a CLIP model, as its own library builds them.

Shapes: B images or captions, S side, T tokens, D features.
"""

import json
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from holotype.errors import RecipeError, did_you_mean
from holotype.models.pretrained.checkpoints import (
    Checkpoint,
    load_exactly,
    read_checkpoint,
    read_json,
)
from holotype.models.pretrained.places import beside, place_of, weights_in
from holotype.models.pretrained.preprocessing import check_pixels, open_clip_pixels
from holotype.models.settings import CaptionSettings, ImageSettings
from holotype.progress import note

CONFIGURATION = "open_clip_config.json"
_SMALL_TEXT = {"width": 8, "heads": 1, "layers": 1, "vocab_size": 8, "context_length": 8}
_SMALL_VISION = {"width": 64, "layers": 1, "patch_size": 8, "image_size": 8}


class OpenClipImageTower(nn.Module):
    """The image half of a CLIP model of open_clip; its features lie in the model's shared space.

    Reference: Radford et al. 2021, arXiv 2103.00020; Ilharco et al. 2021, doi:10.5281/zenodo.5143773.

    Attributes:
        feature_dim: D, the width of the shared space.
        layout: the publisher's configuration, as JSON.
        log_scale: the published logarithm of the inverse temperature, None without weights.
    """

    def __init__(self, settings: ImageSettings) -> None:
        super().__init__()
        found = _found(settings, key="images")
        if settings.weights is not None:
            check_pixels(settings, open_clip_pixels(found.config, source=found.source))
        if settings.channels != 3:
            raise RecipeError("images.tower = open_clip reads colour: set images.channels = 3.")
        model_cfg = found.config["model_cfg"]
        vision = deepcopy(model_cfg["vision_cfg"])
        vision["image_size"] = settings.side_px
        whole = _built({**model_cfg, "vision_cfg": vision, "text_cfg": _SMALL_TEXT})
        self.model: nn.Module = whole.visual
        self.feature_dim = int(model_cfg["embed_dim"])
        self.layout = found.layout
        self.log_scale = found.fill(self.model, "visual.")

    def forward(self, image_BCSS: Tensor, size_B: Tensor) -> Tensor:
        """Returns features, float32 (B, D); the original sizes are not read."""
        features_BD: Tensor = self.model(image_BCSS)
        return features_BD


class OpenClipCaptionTower(nn.Module):
    """The text half of a CLIP model of open_clip, with the tokeniser that its configuration names.

    Attributes:
        feature_dim: D, the width of the shared space.
        longest: tokens of a caption; longer ones are cut and end in the end token.
        layout: the publisher's configuration, as JSON.
        log_scale: the published logarithm of the inverse temperature, None without weights.
    """

    def __init__(self, settings: CaptionSettings) -> None:
        super().__init__()
        found = _found(settings, key="captions")
        model_cfg = found.config["model_cfg"]
        text_cfg = model_cfg["text_cfg"]
        if "hf_model_name" in text_cfg:
            raise RecipeError(
                f"{found.source}: its text half is '{text_cfg['hf_model_name']}' of another library, not "
                "supported here. Use its image half, with another tower for captions."
            )
        whole = _built({**model_cfg, "vision_cfg": _SMALL_VISION})
        self.model: nn.Module = whole.text
        self.feature_dim = int(model_cfg["embed_dim"])
        self.longest = int(text_cfg.get("context_length", 77))
        self._tokeniser = _tokeniser(text_cfg, self.longest, settings)
        self.layout = found.layout
        self.log_scale = found.fill(self.model, "text.")

    def tokenise(self, texts: Sequence[str], *, at_least: int = 1) -> tuple[Tensor, ...]:
        """Returns token ids, int64 (B, T); T is always ``longest``, as published."""
        return (self._tokeniser(list(texts)),)

    def forward(self, token_BT: Tensor) -> Tensor:
        """Returns features, float32 (B, D)."""
        features_BD: Tensor = self.model(token_BT)
        return features_BD


class _Found:
    """A configuration, and the weights that go with it if any are to be read."""

    def __init__(self, config: dict[str, Any], source: str, weights: Path | None) -> None:
        self.config, self.source, self.weights = config, source, weights
        self.layout = json.dumps(config)

    def fill(self, half: nn.Module, prefix: str) -> float | None:
        """Loads the tensors of one half; returns the published log of the inverse temperature."""
        if self.weights is None:
            return None
        checkpoint = read_checkpoint(self.weights)
        tensors = _half(checkpoint, prefix)
        load_exactly(half, tensors, where=f"{self.weights} ({prefix}*)")
        scale = checkpoint.tensors.get("logit_scale")
        return None if scale is None else float(scale.reshape(()))


def _half(checkpoint: Checkpoint, prefix: str) -> dict[str, Tensor]:
    """Returns the tensors of one half; of the older layout too, in which the text half has no prefix."""
    tensors = checkpoint.part(prefix)
    if prefix == "text." and "text_projection" in checkpoint.tensors:
        beginnings = (
            "text_projection",
            "positional_",
            "token_embedding",
            "transformer",
            "ln_final",
        )
        tensors = {k: v for k, v in checkpoint.tensors.items() if k.startswith(beginnings)}
    return {k: v for k, v in tensors.items() if not k.endswith("position_ids")}


def _found(settings: ImageSettings | CaptionSettings, *, key: str) -> _Found:
    name, weights = settings.architecture, settings.weights
    if settings.layout is not None:
        return _Found(json.loads(settings.layout), name or weights or key, None)
    if weights is None:
        config = {"model_cfg": _known_architecture(name, key)}
        note(f"{key}: no weights named, so the tower {name} starts at random")
        return _Found(config, str(name), None)
    place = place_of(weights, key=f"{key}.weights")
    beside_it = beside(place, CONFIGURATION)
    if beside_it is None or (place.is_file() and name is not None):
        config = {"model_cfg": _known_architecture(name, key)}
        return _Found(config, str(place), weights_in(place))
    config = read_json(beside_it)
    if "model_cfg" not in config:
        raise RecipeError(f"{beside_it}: has no model_cfg. Fetch it again.")
    if name is not None and _known_architecture(name, key) != config["model_cfg"]:
        raise RecipeError(
            f"{key}.architecture = '{name}', but {beside_it} describes another model. Leave it out."
        )
    kept: dict[str, Any] = {
        part: config[part] for part in ("model_cfg", "preprocess_cfg") if part in config
    }
    return _Found(kept, weights, weights_in(place))


def _known_architecture(name: str | None, key: str) -> dict[str, Any]:
    import open_clip

    found: dict[str, Any] | None = open_clip.get_model_config(name) if name else None
    if found is None:
        nearest = did_you_mean(name or "", open_clip.list_models())
        raise RecipeError(f"{key}.architecture: open_clip has no '{name}'.{nearest}")
    return found


def _built(model_cfg: dict[str, Any]) -> Any:
    """Returns a model of open_clip at random; it never fetches the parts of other libraries."""
    import open_clip

    arguments = {k: deepcopy(v) for k, v in model_cfg.items() if k != "custom_text"}
    if "multimodal_cfg" in arguments:
        raise RecipeError("CoCa models of open_clip are not supported; use a CLIP model.")
    if "timm_model_name" in arguments["vision_cfg"]:
        arguments["vision_cfg"]["timm_model_pretrained"] = False
    # The halves are built as those of a model with separate text; the same modules, other names.
    return open_clip.CustomTextCLIP(**arguments)


def _tokeniser(text_cfg: dict[str, Any], longest: int, settings: CaptionSettings) -> Any:
    from open_clip.tokenizer import HFTokenizer, SimpleTokenizer

    arguments = text_cfg.get("tokenizer_kwargs", {})
    if not text_cfg.get("hf_tokenizer_name"):
        return SimpleTokenizer(context_length=longest, **arguments)
    folder = place_of(settings.weights, key="captions.weights") if settings.weights else None
    if folder is None or beside(folder, "tokenizer_config.json") is None:
        raise RecipeError(
            f"captions: the tokeniser {text_cfg['hf_tokenizer_name']} is not beside the weights. Put its "
            "files (tokenizer.json, tokenizer_config.json) into their folder."
        )
    root = folder if folder.is_dir() else folder.parent
    mode = text_cfg.get("tokenizer_mode")
    return HFTokenizer(str(root), context_length=longest, tokenizer_mode=mode, **arguments)
