"""The towers that a recipe may ask for, and the settings of each modality.

A tower turns the inputs of one modality into features and says how wide they are (``feature_dim``).
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from holotype.config import Settings
from holotype.errors import RecipeError, did_you_mean


class Modality(StrEnum):
    """What a record may have."""

    IMAGE = "image"
    BARCODE = "barcode"
    CAPTION = "caption"


class ImageSettings(Settings):
    """How images are made ready, and the tower that reads them."""

    side_px: int = Field(64, ge=16, le=1024)
    """Images are padded to a square and resized to this side."""
    channels: Literal[1, 3] = 1
    """1 reads luma, 3 reads colour."""
    mean: float = Field(0.5, ge=0, le=1)
    """Subtracted from pixels in [0, 1]."""
    std: float = Field(0.25, gt=0)
    """Pixels are divided by it."""
    tower: str = "crops"
    """One of IMAGE_TOWERS: ``crops`` (ours, small) or ``timm`` (any model of timm)."""
    timm_model: str | None = None
    """For ``timm``: the model's name there."""
    width: int = Field(48, ge=4, le=512)
    """For ``crops``: channels of the first stage."""
    depth: int = Field(2, ge=1, le=12)
    """For ``crops``: blocks a stage."""


class BarcodeSettings(Settings):
    """How barcodes are made ready, and the tower that reads them."""

    max_bp: int = Field(700, ge=50, le=5000)
    """Longer barcodes are cut at their end."""
    feature_dim: int = Field(1024, ge=8, le=4096)
    """Width of the features; 4 to the power of ``kmer_bp`` keeps all that the spectrum tells."""
    kmer_bp: int = Field(5, ge=2, le=7)
    """Length of the k-mers of the spectrum path."""
    width: int = Field(96, ge=8, le=1024)
    """Width of the transformer over patches; a multiple of 8."""
    depth: int = Field(2, ge=0, le=24)
    """Blocks of the transformer; 0 leaves a bag of patches."""


class CaptionSettings(Settings):
    """The tower that reads captions."""

    width: int = Field(128, ge=8, le=1024)
    """Width of words and features."""
    depth: int = Field(2, ge=1, le=24)
    """Blocks of the transformer over words."""


class TimmTower(nn.Module):
    """Any image model of timm without its head, beside two features for the original size.

    Attributes:
        feature_dim: the model's features plus 16.
    """

    def __init__(self, settings: ImageSettings) -> None:
        super().__init__()
        import timm

        name = settings.timm_model
        if name is None or not timm.is_model(name):
            known = timm.list_models()
            raise RecipeError(f"images.timm_model: no '{name}'.{did_you_mean(name or '', known)}")
        described = timm.get_pretrained_cfg(name)
        fixed = described is not None and described.fixed_input_size
        sized: dict[str, Any] = {"img_size": settings.side_px} if fixed else {}
        self.model = timm.create_model(
            name, pretrained=False, num_classes=0, in_chans=settings.channels, **sized
        )
        self.size = nn.Sequential(nn.Linear(2, 16), nn.GELU())
        self.feature_dim = int(self.model.num_features) + 16  # type: ignore[arg-type]

    def forward(self, image_BCHW: Tensor, size_B2: Tensor) -> Tensor:
        """Returns features, float32 (B, D); an unknown size (NaN) counts as e**4 = 55 px."""
        log_size_B2 = torch.nan_to_num(torch.log(size_B2.clamp(min=1)) - 4, nan=0.0)
        features_BD = torch.cat([self.model(image_BCHW), self.size(log_size_B2)], dim=1)
        return features_BD


def _crops(settings: ImageSettings) -> nn.Module:
    from holotype.models.crop_tower import CropTower

    return CropTower(channels=settings.channels, width=settings.width, depth=settings.depth)


IMAGE_TOWERS: dict[str, Callable[[ImageSettings], nn.Module]] = {"crops": _crops, "timm": TimmTower}
"""Image towers by the name that a recipe gives."""


def image_tower(settings: ImageSettings) -> nn.Module:
    """Returns a new image tower.

    Raises:
        RecipeError: for a name that is no tower.
    """
    if settings.tower not in IMAGE_TOWERS:
        nearest = did_you_mean(settings.tower, sorted(IMAGE_TOWERS))
        raise RecipeError(f"images.tower: no '{settings.tower}'.{nearest}")
    return IMAGE_TOWERS[settings.tower](settings)


def barcode_tower(settings: BarcodeSettings, *, seed: int) -> nn.Module:
    """Returns a new DNA tower."""
    from holotype.models.barcode_tower import BarcodeTower

    return BarcodeTower(
        feature_dim=settings.feature_dim,
        kmer_bp=settings.kmer_bp,
        width=settings.width,
        depth=settings.depth,
        seed=seed,
    )


def caption_tower(settings: CaptionSettings) -> nn.Module:
    """Returns a new text tower."""
    from holotype.models.caption_tower import CaptionTower

    return CaptionTower(width=settings.width, depth=settings.depth)
