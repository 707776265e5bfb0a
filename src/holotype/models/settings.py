"""What a recipe says of each modality: how it is made ready, which tower reads it, what of it learns."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from holotype.config import Settings
from holotype.media.marks import Marks
from holotype.media.preparation import PixelPreparation, PreparationKind
from holotype.models.sizes import SizeReading


class Modality(StrEnum):
    """What a record may have."""

    IMAGE = "image"
    BARCODE = "barcode"
    CAPTION = "caption"


class TuningKind(StrEnum):
    """What of a tower learns."""

    ALL = "all"
    FROZEN = "frozen"
    LAST_BLOCKS = "last_blocks"
    LORA = "lora"


def _refuse_strangers(
    settings: Settings, owners: Mapping[str, set[str]], *, key: str = "tower"
) -> None:
    """Raises for a setting that the chosen tower (or kind) does not have.

    A value that is the default's says nothing, so that a complete file with every default is accepted.
    """
    chosen = str(getattr(settings, key))
    if not any(chosen in names for names in owners.values()) and key == "tower":
        return  # no tower of ours: building it says so, and names the nearest
    for name in (name for name, names in owners.items() if chosen not in names):
        names = " or ".join(sorted(owners[name]))
        _refuse_changed(settings, (name,), why=f"it is for {key} {names}, not {chosen}")


def _refuse_changed(settings: Settings, names: tuple[str, ...], *, why: str) -> None:
    for name in names:
        found: Any = getattr(settings, name)
        if found != type(settings).model_fields[name].default:
            raise ValueError(f"{name} = {found}: {why}; leave it out")


class TuningSettings(Settings):
    """What of a tower learns; its projection and the head always do."""

    kind: TuningKind = TuningKind.ALL
    """``all``; ``frozen``: nothing (a linear probe); ``last_blocks``: the last blocks and what follows them;
    ``lora``: a low-rank change of the queries and values of every attention (Hu et al. 2021)."""
    rank: int = Field(4, ge=1, le=256)
    """For ``lora``: rank of the change."""
    alpha: float | None = Field(None, gt=0)
    """For ``lora``: the change is multiplied by ``alpha / rank``; absent: by 1."""
    last_blocks: int = Field(1, ge=1, le=64)
    """For ``last_blocks``: how many blocks learn."""

    @property
    def lora_scale(self) -> float:
        """What the low-rank change is multiplied by."""
        return 1.0 if self.alpha is None else self.alpha / self.rank

    @model_validator(mode="after")
    def _belongs(self) -> "TuningSettings":
        owners = {"rank": {"lora"}, "alpha": {"lora"}, "last_blocks": {"last_blocks"}}
        _refuse_strangers(self, owners, key="kind")
        return self


class Projection(StrEnum):
    """How features enter the shared space."""

    LINEAR = "linear"
    NONE = "none"


class Preprocessing(StrEnum):
    """Whose way of making images ready a pretrained tower gets."""

    PUBLISHED = "published"
    OWN = "own"


class ImageSettings(Settings):
    """How images are made ready, and the tower that reads them."""

    side_px: int = Field(64, ge=16, le=1024)
    """Images are made into a square of this side."""
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
    """``crops`` (ours, small), ``timm`` (any model of timm), ``open_clip`` or ``clibd``."""
    architecture: str | None = None
    """For ``timm``, ``open_clip`` and ``clibd``: the model's name there."""
    weights: str | None = None
    """For ``timm``, ``open_clip`` and ``clibd``: a file or folder, ``hf-hub:ORG/NAME`` or ``published:NAME``.
    Absent: the tower starts at random."""
    preprocessing: Preprocessing = Preprocessing.PUBLISHED
    """For pretrained weights: ``published`` refuses a recipe that makes images ready in another way than
    their publisher; ``own`` takes the recipe's way."""
    layout: str | None = None
    """Written by Holotype into a bundle, never into a recipe: the publisher's configuration, as JSON. A tower
    that has it reads no weights, because the bundle holds them."""
    width: int = Field(48, ge=4, le=512)
    """For ``crops``: channels of the first stage."""
    depth: int = Field(2, ge=1, le=12)
    """For ``crops``: blocks a stage."""
    tuning: TuningSettings = TuningSettings()
    """What of the tower learns."""

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

    @model_validator(mode="after")
    def _belongs(self) -> "ImageSettings":
        foreign = {"timm", "open_clip", "clibd"}
        owners = {"width": {"crops"}, "depth": {"crops"}}
        owners |= dict.fromkeys(("architecture", "weights", "preprocessing", "layout"), foreign)
        if self.size is not SizeReading.NONE:
            owners["size"] = {"crops", "timm"}
        _refuse_strangers(self, owners)
        return self


class BarcodeSettings(Settings):
    """How barcodes are made ready, and the tower that reads them."""

    max_bp: int = Field(700, ge=50, le=5000)
    """Longer barcodes are cut at their end."""
    tower: str = "spectrum"
    """``spectrum`` (ours), ``barcodebert`` or ``clibd``."""
    weights: str | None = None
    """For ``barcodebert`` and ``clibd``: a file or folder, ``hf-hub:ORG/NAME`` or ``published:NAME``; for
    ``barcodebert`` also a bundle with such a tower. Absent: the tower starts at random."""
    layout: str | None = None
    """Written by Holotype into a bundle, never into a recipe: the publisher's configuration, as JSON. A tower
    that has it reads no weights, because the bundle holds them."""
    feature_dim: int = Field(1024, ge=8, le=4096)
    """For ``spectrum``: width of the features; 4 to the power of ``kmer_bp`` keeps all that it tells."""
    kmer_bp: int = Field(5, ge=2, le=7)
    """Length of the k-mers: counted by ``spectrum``, tokens of a ``barcodebert`` without weights."""
    width: int = Field(96, ge=8, le=1024)
    """Width of the transformer; a multiple of 8."""
    depth: int = Field(2, ge=0, le=24)
    """Blocks of the transformer; 0 leaves a bag of patches (``spectrum``)."""
    heads: int | None = Field(None, ge=1, le=64)
    """For a ``barcodebert`` without weights: heads of each attention, a divisor of ``width``. Absent: the
    first of 12, 8, 4 and 2 that divides it into parts of 8 or more."""
    tuning: TuningSettings = TuningSettings()
    """What of the tower learns."""

    @model_validator(mode="after")
    def _belongs(self) -> "BarcodeSettings":
        foreign, sized = {"barcodebert", "clibd"}, {"spectrum", "barcodebert"}
        owners = {"weights": foreign, "layout": foreign, "feature_dim": {"spectrum"}}
        owners |= {"kmer_bp": sized, "width": sized, "depth": sized, "heads": {"barcodebert"}}
        _refuse_strangers(self, owners)
        if self.weights is not None:
            _refuse_changed(self, ("kmer_bp", "width", "depth", "heads"), why="the weights say it")
        if self.heads is not None and self.width % self.heads:
            raise ValueError(f"heads = {self.heads} does not divide width = {self.width}")
        return self


class CaptionSettings(Settings):
    """The tower that reads captions."""

    tower: str = "ngrams"
    """``ngrams`` (ours), ``open_clip``, ``bert`` or ``clibd``."""
    architecture: str | None = None
    """For ``open_clip``: the model's name there."""
    weights: str | None = None
    """For ``open_clip``, ``bert`` and ``clibd``: a file or folder, ``hf-hub:ORG/NAME`` or ``published:NAME``.
    Absent: the tower starts at random."""
    vocabulary: str | None = None
    """For ``bert`` and ``clibd``: ``vocab.txt`` or its folder, where the weights have none beside them."""
    layout: str | None = None
    """Written by Holotype into a bundle, never into a recipe: the publisher's configuration, as JSON. A tower
    that has it reads no weights, because the bundle holds them."""
    max_tokens: int = Field(64, ge=8, le=512)
    """For ``bert``: word pieces that are read of one caption, the two at its ends among them."""
    width: int = Field(128, ge=8, le=1024)
    """For ``ngrams``: width of words and features."""
    depth: int = Field(2, ge=1, le=24)
    """For ``ngrams``: blocks of the transformer over words."""
    tuning: TuningSettings = TuningSettings()
    """What of the tower learns."""

    @model_validator(mode="after")
    def _belongs(self) -> "CaptionSettings":
        foreign = {"open_clip", "bert", "clibd"}
        owners = {"weights": foreign, "layout": foreign}
        owners |= {"width": {"ngrams"}, "depth": {"ngrams"}, "architecture": {"open_clip"}}
        owners |= {"vocabulary": {"bert", "clibd"}, "max_tokens": {"bert"}}
        _refuse_strangers(self, owners)
        return self
