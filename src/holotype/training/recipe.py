"""A whole run as one typed, complete, frozen value; its written form is one TOML file."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from holotype.config import Settings, read_settings
from holotype.errors import RecipeError, did_you_mean
from holotype.inputs.augment import Augmentation
from holotype.inputs.captions import TextSettings
from holotype.inputs.dna import BarcodeDamage
from holotype.models.aligned import ModelSettings
from holotype.models.labels import Target
from holotype.models.towers import Modality
from holotype.objectives.settings import LabelLossSettings
from holotype.training.schedule import Schedule


class ClassifySettings(LabelLossSettings):
    """Learning labels: which loss, with its options, and how much it weighs."""

    weight: float = Field(1.0, ge=0)
    """Weight of this loss."""
    probe: bool = False
    """The towers do not feel this loss: the head learns to read a space made by the other losses alone."""


class Targets(StrEnum):
    """What belongs together in an alignment."""

    IDENTITY = "identity"
    TAXON = "taxon"
    CONCEPT = "concept"
    RANKS = "ranks"


class Contrast(StrEnum):
    """How pairs are judged against one another."""

    SOFTMAX = "softmax"
    SIGMOID = "sigmoid"


class AlignSettings(Settings):
    """Bringing modalities together."""

    weight: float = Field(1.0, ge=0)
    """Weight of the mean loss over pairs."""
    pairs: tuple[tuple[Modality, Modality], ...] = Field((), min_length=1)
    """Which modalities are aligned; one with itself means two random views of each record."""
    targets: Targets = Targets.TAXON
    """``identity``: a record belongs to itself alone, all others are negatives (CLIP, CLIBD). ``taxon``:
    records of one species or haplotype belong together, what may be one species says nothing. ``concept``: as
    taxon, and so do records of one name at whatever rank, as crops have it, with its life stage; not if
    their barcodes tell them apart. ``ranks``: as taxon, and records of one genus, family ... belong together
    a little."""
    rank_decay: float | None = Field(None, gt=0, lt=1)
    """For targets = "ranks": by how much each wider of the seven ranks counts less; 0.3 by default."""
    contrast: Contrast = Contrast.SOFTMAX
    """``softmax`` over the batch (InfoNCE), or ``sigmoid``: each pair for itself (SigLIP)."""
    temperature: float | None = Field(None, gt=0.01, le=1)
    """A fixed temperature; by default it is learnt from 0.07 on, within [0.01, 1]."""
    different_below: float | None = Field(None, ge=0, le=1)
    """Where names leave open whether two records are of one species, barcodes that share less than this of
    the shorter one's 8-mers say no; 0.75 by default (about 3.5 % divergence). Not for identity targets."""
    alike: float | None = Field(None, gt=0.9, lt=1)
    """Records whose barcodes lie in one group of like barcodes belong together, named or not; members of a
    group share so many bases with its centre, or nearly. Absent: only equal barcodes do. Not for identity
    targets."""
    truncate_probability: float = Field(0.3, ge=0, le=1)
    """Chance that a caption stops at a random rank above the record's own."""

    @property
    def has_captions(self) -> bool:
        """Whether captions are aligned with anything."""
        return any(Modality.CAPTION in pair for pair in self.pairs)

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, given: Any) -> Any:
        """Returns the settings with the defaults of their targets; refuses what would do nothing."""
        if not isinstance(given, Mapping):
            return given
        targets = given.get("targets", Targets.TAXON)
        written = {name for name, value in given.items() if value is not None}
        if "rank_decay" in written and targets != Targets.RANKS:
            raise ValueError(f"rank_decay does nothing for targets = '{targets}'")
        if "different_below" in written and targets == Targets.IDENTITY:
            raise ValueError("different_below does nothing for targets = 'identity'")
        if "alike" in written and targets == Targets.IDENTITY:
            raise ValueError("alike does nothing for targets = 'identity'")
        if given.get("contrast") == Contrast.SIGMOID and targets == Targets.RANKS:
            raise ValueError("contrast = 'sigmoid' has no targets = 'ranks': give 'taxon'")
        completed = dict(given)
        if targets == Targets.RANKS and "rank_decay" not in written:
            completed["rank_decay"] = 0.3
        if targets != Targets.IDENTITY and "different_below" not in written:
            completed["different_below"] = 0.75
        return completed


class GroupSettings(Settings):
    """Telling groups of like barcodes apart, named or not: images learn from them what barcodes know."""

    weight: float = Field(1.0, gt=0)
    """Weight of this loss."""
    alike: float = Field(0.98, gt=0.9, lt=1)
    """Share of bases that a barcode has in common with the centre of its group, or nearly."""


class TaxaSettings(Settings):
    """Contrasting every image and barcode with the captions of all taxa that training records are of.

    At each rank that a record is known to, its own taxon is told from the others of the rank; and its own
    concept (with its life stage, or a group that is no taxon) from the other concepts.
    """

    weight: float = Field(1.0, gt=0)
    """Weight of this loss."""
    most: int = Field(2_048, ge=2)
    """Taxa, and concepts, of a step at most: those of its records, filled up with others at random."""


TOKEN_TOWERS = ("barcodebert",)
"""Towers that read a barcode as tokens which can be hidden and told."""


class MaskedSettings(Settings):
    """Hiding tokens of each barcode, to be told from the rest: no names are needed.

    Other losses read the same barcodes, with what is hidden hidden.
    """

    weight: float = Field(1.0, gt=0)
    """Weight of this loss, the mean over hidden tokens."""
    share: float = Field(0.5, gt=0, lt=1)
    """Chance of each token to be hidden; those with an ambiguity code never are."""


class Recipe(Settings):
    """A complete run."""

    name: str = Field(min_length=1)
    """A short name, for reports."""
    about: str = ""
    """What it is for, its source, what it should reach and what it costs."""
    seed: int = Field(0, ge=0)
    """Feeds every random choice of the run."""
    target: Target = Target.CONCEPT
    """What a label is: written_label, concept or tree."""
    precision: Literal["32-true", "bf16-mixed", "bf16-true"] = "32-true"
    """Of the arithmetic; bf16 is for GPUs."""
    model: ModelSettings
    """Towers and head."""
    classify: ClassifySettings | None = None
    """Learning labels; needs a classifier."""
    align: AlignSettings | None = None
    """Bringing modalities together; needs a shared space."""
    taxa: TaxaSettings | None = None
    """Contrast with the captions of the whole tree; needs captions."""
    groups: GroupSettings | None = None
    """Groups of like barcodes (operational taxonomic units); needs a DNA tower."""
    masked: MaskedSettings | None = None
    """Telling hidden tokens of barcodes (masked pre-training); needs a DNA tower that reads tokens."""
    text: TextSettings = TextSettings()
    """How captions are worded."""
    augment: Augmentation | None = None
    """Random changes of training images."""
    damage: BarcodeDamage | None = None
    """Random damage to training barcodes."""
    schedule: Schedule = Schedule()
    """How long, how fast."""

    @property
    def alike(self) -> float | None:
        """How alike the barcodes of a group are; None where nothing asks for groups."""
        if self.groups is not None:
            return self.groups.alike
        return self.align.alike if self.align is not None else None

    @model_validator(mode="after")
    def _makes_sense(self) -> "Recipe":
        both = self.groups is not None and self.align is not None
        if both and self.align.alike not in (None, self.groups.alike):  # type: ignore[union-attr]
            raise ValueError("align.alike and groups.alike: groups are made once; give one figure")
        if self.groups is not None and self.model.barcodes is None:
            raise ValueError("[groups] needs [model.barcodes]: groups are of barcodes")
        given = (self.classify, self.align, self.taxa, self.masked)
        if all(part is None for part in given):
            raise ValueError("give [classify], [align], [taxa] or [masked]: nothing to learn")
        if self.masked is not None:
            tower = self.model.barcodes.tower if self.model.barcodes is not None else "none"
            if tower not in TOKEN_TOWERS:
                raise ValueError(
                    f"[masked] hides tokens of barcodes: set model.barcodes.tower = "
                    f"'{TOKEN_TOWERS[0]}' (found: {tower})"
                )
        if self.taxa is not None and self.model.captions is None:
            raise ValueError("[taxa] needs [model.captions]: it contrasts with captions")
        if (self.classify is None) != (self.model.classifier is None):
            raise ValueError("[classify] and [model.classifier] go together")
        towers = {
            Modality.IMAGE: self.model.images,
            Modality.BARCODE: self.model.barcodes,
            Modality.CAPTION: self.model.captions,
        }
        for pair in self.align.pairs if self.align else ():
            for modality in pair:
                if towers[modality] is None:
                    raise ValueError(f"align.pairs has {modality}, but the model has no such tower")
            if pair[0] == pair[1] == Modality.CAPTION:
                raise ValueError("align.pairs: captions have no two views of one record")
        return self


def shipped_recipes() -> dict[str, Path]:
    """Returns the recipes that come with Holotype, by name."""
    package = Path(__file__).parent.parent
    places = [package / "recipes", package.parent.parent / "recipes"]
    return {path.stem: path for place in places for path in sorted(place.glob("*.toml"))}


def read_recipe(recipe: str | Path, overrides: tuple[str, ...] = ()) -> Recipe:
    """Returns the recipe in a TOML file, or the shipped one of that name.

    Raises:
        RecipeError: when there is none, or something in it is wrong.
    """
    path = Path(recipe)
    shipped = shipped_recipes()
    if not path.is_file() and str(recipe) in shipped:
        path = shipped[str(recipe)]
    elif not path.is_file() and path.suffix != ".toml":
        nearest = did_you_mean(str(recipe), sorted(shipped))
        raise RecipeError(f"no recipe '{recipe}'.{nearest}")
    return read_settings(path, Recipe, overrides)
