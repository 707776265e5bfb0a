"""The towers that a recipe may ask for, by modality and name.

A tower turns the inputs of one modality into features and says how wide they are (``feature_dim``). Image
towers read images and their original sizes; barcode and caption towers make their own tokens (``tokenise``)
and say the length that every text fits in (``longest``). A tower that others trained also keeps their
configuration (``layout``) and the temperature of their shared space (``log_scale``), where there is one.
"""

from collections.abc import Callable, Mapping
from typing import TypeVar

from torch import nn

from holotype.errors import RecipeError, did_you_mean
from holotype.models.settings import (
    BarcodeSettings,
    CaptionSettings,
    ImageSettings,
    Modality,
    Preprocessing,
    TuningKind,
    TuningSettings,
)

__all__ = [
    "BARCODE_TOWERS",
    "CAPTION_TOWERS",
    "IMAGE_TOWERS",
    "BarcodeSettings",
    "CaptionSettings",
    "ImageSettings",
    "Modality",
    "Preprocessing",
    "TuningKind",
    "TuningSettings",
    "barcode_tower",
    "caption_tower",
    "image_tower",
]

Made = TypeVar("Made")


def _crops(settings: ImageSettings) -> nn.Module:
    from holotype.models.crop_tower import CropTower

    return CropTower(
        channels=settings.channels,
        width=settings.width,
        depth=settings.depth,
        size=settings.size,
    )


def _timm(settings: ImageSettings) -> nn.Module:
    from holotype.models.pretrained.timm_tower import TimmTower

    return TimmTower(settings)


def _open_clip_images(settings: ImageSettings) -> nn.Module:
    from holotype.models.pretrained.open_clip_towers import OpenClipImageTower

    return OpenClipImageTower(settings)


def _clibd_images(settings: ImageSettings) -> nn.Module:
    from holotype.models.pretrained.clibd import ClibdImageTower

    return ClibdImageTower(settings)


def _spectrum(settings: BarcodeSettings, seed: int) -> nn.Module:
    from holotype.models.barcode_tower import BarcodeTower

    return BarcodeTower(
        max_bp=settings.max_bp,
        feature_dim=settings.feature_dim,
        kmer_bp=settings.kmer_bp,
        width=settings.width,
        depth=settings.depth,
        seed=seed,
    )


def _barcodebert(settings: BarcodeSettings, seed: int) -> nn.Module:
    import torch

    from holotype.models.pretrained.barcodebert import BarcodeBertTower

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return BarcodeBertTower(settings)


def _clibd_barcodes(settings: BarcodeSettings, seed: int) -> nn.Module:
    from holotype.models.pretrained.clibd import ClibdBarcodeTower

    return ClibdBarcodeTower(settings)


def _ngrams(settings: CaptionSettings) -> nn.Module:
    from holotype.models.caption_tower import CaptionTower

    return CaptionTower(width=settings.width, depth=settings.depth)


def _open_clip_captions(settings: CaptionSettings) -> nn.Module:
    from holotype.models.pretrained.open_clip_towers import OpenClipCaptionTower

    return OpenClipCaptionTower(settings)


def _bert(settings: CaptionSettings) -> nn.Module:
    from holotype.models.pretrained.bert import BertCaptionTower

    return BertCaptionTower(settings)


def _clibd_captions(settings: CaptionSettings) -> nn.Module:
    from holotype.models.pretrained.clibd import ClibdCaptionTower

    return ClibdCaptionTower(settings)


IMAGE_TOWERS: dict[str, Callable[[ImageSettings], nn.Module]] = {
    "crops": _crops,
    "timm": _timm,
    "open_clip": _open_clip_images,
    "clibd": _clibd_images,
}
"""Image towers by the name that a recipe gives."""
BARCODE_TOWERS: dict[str, Callable[[BarcodeSettings, int], nn.Module]] = {
    "spectrum": _spectrum,
    "barcodebert": _barcodebert,
    "clibd": _clibd_barcodes,
}
"""DNA towers by the name that a recipe gives; the number is the seed of weights that start at random."""
CAPTION_TOWERS: dict[str, Callable[[CaptionSettings], nn.Module]] = {
    "ngrams": _ngrams,
    "open_clip": _open_clip_captions,
    "bert": _bert,
    "clibd": _clibd_captions,
}
"""Text towers by the name that a recipe gives."""


def image_tower(settings: ImageSettings) -> nn.Module:
    """Returns a new image tower.

    Raises:
        RecipeError: for a name that is no tower, and for weights that are absent or do not fit.
    """
    return _named(IMAGE_TOWERS, settings.tower, "images")(settings)


def barcode_tower(settings: BarcodeSettings, *, seed: int) -> nn.Module:
    """Returns a new DNA tower.

    Raises:
        RecipeError: for a name that is no tower, and for weights that are absent or do not fit.
    """
    return _named(BARCODE_TOWERS, settings.tower, "barcodes")(settings, seed)


def caption_tower(settings: CaptionSettings) -> nn.Module:
    """Returns a new text tower.

    Raises:
        RecipeError: for a name that is no tower, and for weights that are absent or do not fit.
    """
    return _named(CAPTION_TOWERS, settings.tower, "captions")(settings)


def _named(towers: Mapping[str, Made], name: str, key: str) -> Made:
    if name not in towers:
        raise RecipeError(f"{key}.tower: no '{name}'.{did_you_mean(name, sorted(towers))}")
    return towers[name]
