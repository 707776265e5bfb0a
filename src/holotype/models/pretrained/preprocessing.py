"""How a publisher makes images ready, against what a recipe says. They agree, or the recipe says so."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from holotype.errors import RecipeError
from holotype.media.preparation import PreparationKind
from holotype.models.settings import ImageSettings, Preprocessing

CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)
"""Of OpenAI's CLIP; what open_clip takes where a configuration says nothing."""
_TOLERANCE = 1e-7


@dataclass(frozen=True)
class PublishedPixels:
    """How a publisher makes images ready.

    Attributes:
        side_px: side of the square that comes out.
        mean: one a channel, subtracted from values in [0, 1].
        std: one a channel.
        preparation: ours that gives the same bytes, None where none does.
        told: the publisher's way in words, for errors.
        source: where it is stated.
    """

    side_px: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    preparation: PreparationKind | None
    told: str
    source: str

    def recipe_lines(self) -> str:
        """Returns the keys of ``[model.images]`` that say the same."""
        values = {
            "side_px": self.side_px,
            "channels": len(self.mean),
            "preparation": f'"{self.preparation}"',
            "mean": list(self.mean),
            "std": list(self.std),
        }
        return "\n".join(f"{key} = {value}" for key, value in values.items())


def open_clip_pixels(config: Mapping[str, Any], *, source: str) -> PublishedPixels:
    """Returns what an ``open_clip_config.json`` says; what it leaves out is open_clip's default.

    Raises:
        RecipeError: for images that are not square.
    """
    said = {k: v for k, v in config.get("preprocess_cfg", {}).items() if v is not None}
    size = config["model_cfg"]["vision_cfg"].get("image_size", 224)
    sides = size if isinstance(size, list | tuple) else (size, size)
    if sides[0] != sides[1]:
        raise RecipeError(f"{source}: reads images of {sides}; only squares are supported.")
    resize = said.get("resize_mode", "shortest")
    interpolation = said.get("interpolation", "bicubic")
    kinds = {"squash": PreparationKind.SQUASHED, "shortest": PreparationKind.CENTRE_CROP}
    return PublishedPixels(
        side_px=int(sides[0]),
        mean=_channels(said.get("mean", CLIP_MEAN)),
        std=_channels(said.get("std", CLIP_STD)),
        preparation=kinds.get(resize) if interpolation in {"bicubic", "random"} else None,
        told=f"resize_mode {resize}, interpolation {interpolation}",
        source=source,
    )


def timm_pixels(config: Mapping[str, Any], *, source: str) -> PublishedPixels:
    """Returns what the ``pretrained_cfg`` of timm says."""
    share, mode = float(config.get("crop_pct", 0.875)), config.get("crop_mode", "center")
    interpolation = config.get("interpolation", "bicubic")
    whole = {"center": PreparationKind.CENTRE_CROP, "squash": PreparationKind.SQUASHED}
    same = interpolation == "bicubic" and share == 1.0
    return PublishedPixels(
        side_px=int(config.get("input_size", (3, 224, 224))[-1]),
        mean=_channels(config.get("mean", (0.485, 0.456, 0.406))),
        std=_channels(config.get("std", (0.229, 0.224, 0.225))),
        preparation=whole.get(mode) if same else None,
        told=f"crop_mode {mode}, crop_pct {share:g}, interpolation {interpolation}",
        source=source,
    )


def _channels(value: Any) -> tuple[float, ...]:
    return tuple(map(float, value)) if isinstance(value, list | tuple) else (float(value),) * 3


def check_pixels(settings: ImageSettings, published: PublishedPixels) -> None:
    """Refuses a recipe that makes images ready in another way, unless it says ``preprocessing = "own"``.

    Raises:
        RecipeError: names each value that differs, and the lines that agree.
    """
    if settings.preprocessing is Preprocessing.OWN:
        return
    if published.preparation is None:
        raise RecipeError(
            f"{published.source}: its publisher makes images ready in a way that Holotype does not have "
            f"({published.told}). To use it with the recipe's own way, say images.preprocessing = 'own'."
        )
    differs = []
    for key, expected in (
        ("side_px", published.side_px),
        ("channels", len(published.mean)),
        ("preparation", published.preparation),
    ):
        found = getattr(settings, key)
        if found != expected:
            differs.append(f"{key} is {found}, published {expected}")
    for key in ("mean", "std"):
        expected_C: tuple[float, ...] = getattr(published, key)
        found_C = _channels(getattr(settings, key))
        if len(found_C) != len(expected_C) or any(
            abs(a - b) > _TOLERANCE for a, b in zip(found_C, expected_C, strict=True)
        ):
            differs.append(f"{key} is {getattr(settings, key)}, published {expected_C}")
    if differs:
        raise RecipeError(
            f"[model.images] contradicts how {published.source} makes images ready: {'; '.join(differs)}. "
            f"Write:\n{published.recipe_lines()}\nor images.preprocessing = 'own' to depart from it."
        )
