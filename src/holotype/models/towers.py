"""The towers that a recipe may ask for, and the settings of each modality.

A tower turns the inputs of one modality into features and says how wide they are (``feature_dim``).
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, Literal

import torch
from pydantic import Field, field_validator
from torch import Tensor, nn

from holotype.config import Settings
from holotype.errors import RecipeError, did_you_mean
from holotype.media.marks import Marks
from holotype.media.preparation import PixelPreparation, PreparationKind
from holotype.models.sizes import SizeReading, size_features


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
    preparation: PreparationKind = PreparationKind.PADDED
    """How an image becomes a square: ``padded``; ``subject``: bright on black whatever the instrument; or as
    open_clip does it: ``squashed``, ``centre_crop``."""
    marks: Marks = Marks.KEEP
    """Whether scale bars, text and frames that software burnt in are kept or removed."""
    size: SizeReading = SizeReading.PX
    """What the tower is told of a crop's original size: ``px``, ``um``, ``both`` or ``none``."""
    mean: float | tuple[float, ...] = 0.5
    """Subtracted from pixels in [0, 1]; one number, or one a channel."""
    std: float | tuple[float, ...] = 0.25
    """Pixels are divided by it; one number, or one a channel."""
    tower: str = "crops"
    """One of IMAGE_TOWERS: ``crops`` (ours, small) or ``timm`` (any model of timm)."""
    architecture: str | None = None
    """For ``timm``: the model's name there."""
    width: int = Field(48, ge=4, le=512)
    """For ``crops``: channels of the first stage."""
    depth: int = Field(2, ge=1, le=12)
    """For ``crops``: blocks a stage."""

    @property
    def pixels(self) -> PixelPreparation:
        """How images are made ready."""
        return PixelPreparation(self.preparation, self.side_px, self.channels, self.marks)

    @field_validator("mean", "std")
    @classmethod
    def _one_a_channel(cls, value: float | tuple[float, ...]) -> float | tuple[float, ...]:
        if isinstance(value, tuple) and len(value) not in (1, 3):
            raise ValueError("give one number, or one a channel")
        return value


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
    """Any image model of timm without its head, beside 16 features for the original size.

    Attributes:
        feature_dim: the model's features, and 16 more unless the size is not read.
    """

    def __init__(self, settings: ImageSettings) -> None:
        super().__init__()
        import timm

        name = settings.architecture
        if name is None or not timm.is_model(name):
            known = timm.list_models()
            raise RecipeError(f"images.architecture: no '{name}'.{did_you_mean(name or '', known)}")
        described = timm.get_pretrained_cfg(name)
        fixed = described is not None and described.fixed_input_size
        sized: dict[str, Any] = {"img_size": settings.side_px} if fixed else {}
        self.model = timm.create_model(
            name, pretrained=False, num_classes=0, in_chans=settings.channels, **sized
        )
        self.reading = settings.size
        self.feature_dim = int(self.model.num_features)  # type: ignore[arg-type]
        self.size: nn.Module | None = None
        if self.reading.num_features:
            self.size = nn.Sequential(nn.Linear(self.reading.num_features, 16), nn.GELU())
            self.feature_dim += 16

    def forward(self, image_BCHW: Tensor, size_B4: Tensor) -> Tensor:
        """Returns features, float32 (B, D), of images and their sizes in px and um (NaN: unknown)."""
        features_BD: Tensor = self.model(image_BCHW)
        if self.size is None:
            return features_BD
        size_BF = size_features(size_B4, self.reading)
        return torch.cat([features_BD, self.size(size_BF)], dim=1)


def _crops(settings: ImageSettings) -> nn.Module:
    from holotype.models.crop_tower import CropTower

    return CropTower(
        channels=settings.channels,
        width=settings.width,
        depth=settings.depth,
        size=settings.size,
    )


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
        max_bp=settings.max_bp,
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
