"""What a recipe says of a model: which towers, the space that they share, the head over it."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from holotype.config import Settings
from holotype.models.settings import (
    BarcodeSettings,
    CaptionSettings,
    ImageSettings,
    Modality,
    Projection,
)

MAX_SCALE = 100.0
"""The inverse temperature stays between 1 and this, as in CLIP (Radford et al. 2021)."""


class ClassifierSettings(Settings):
    """The head that scores labels."""

    kind: Literal["linear", "cosine"] = "linear"
    """``cosine`` compares directions (Wang et al. 2018, arXiv 1801.09414); its classes live in the
    shared space, so one head serves images and barcodes alike."""
    dropout: float = Field(0.0, ge=0.0, lt=1.0)
    """Share of the embedding's units dropped before the head while training."""
    scale: float = Field(16.0, gt=0, le=MAX_SCALE)
    """For ``cosine``: the inverse temperature that training starts from."""


class ModelSettings(Settings):
    """The parts of a model; a modality that is absent has no tower."""

    images: ImageSettings | None = None
    """Images and their tower."""
    barcodes: BarcodeSettings | None = None
    """Barcodes and their tower."""
    captions: CaptionSettings | None = None
    """Captions and their tower."""
    embedding_dim: int | None = Field(None, ge=8, le=4096)
    """Width of the shared space; needed for more than one tower."""
    projection: Projection = Projection.LINEAR
    """``linear``: a map of each tower's features into the shared space; ``none``: the features are in it
    already, as those of a published CLIP; its temperature is taken over too."""
    classifier: ClassifierSettings | None = None
    """The head; without one, labels are scored by their captions."""

    @model_validator(mode="after")
    def _makes_sense(self) -> "ModelSettings":
        present = [self.images, self.barcodes, self.captions]
        if self.images is None and self.barcodes is None:
            raise ValueError("give [model.images] or [model.barcodes]: nothing to identify from")
        if sum(part is not None for part in present) > 1 and self.embedding_dim is None:
            raise ValueError("several towers need model.embedding_dim, the width they share")
        if self.classifier is None and self.captions is None:
            raise ValueError("give [model.classifier] or [model.captions]: nothing scores labels")
        return self

    def part(self, modality: Modality) -> ImageSettings | BarcodeSettings | CaptionSettings | None:
        """Returns what is said of a modality."""
        found: ImageSettings | BarcodeSettings | CaptionSettings | None = getattr(
            self, f"{modality}s"
        )
        return found

    def with_parts(self, changes: Mapping[Modality, Mapping[str, Any]]) -> "ModelSettings":
        """Returns the settings with some keys of some modalities changed."""
        parts = {
            f"{modality}s": part.model_copy(update=dict(keys))
            for modality, keys in changes.items()
            if (part := self.part(modality)) is not None
        }
        return self.model_copy(update=parts)
