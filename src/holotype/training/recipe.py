"""A whole run as one typed, complete, frozen value; its written form is one TOML file."""

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from holotype.config import Settings, read_settings
from holotype.errors import RecipeError, did_you_mean
from holotype.inputs.augment import Augmentation
from holotype.inputs.dna import BarcodeDamage
from holotype.models.aligned import ModelSettings
from holotype.models.labels import Target
from holotype.models.towers import Modality
from holotype.training.schedule import Schedule


class ClassifySettings(Settings):
    """Learning labels."""

    weight: float = Field(1.0, ge=0)
    """Weight of this loss."""
    smoothing: float = Field(0.0, ge=0, lt=1)
    """Share of the target spread over all labels (Szegedy et al. 2016, arXiv 1512.00567)."""
    probe: bool = False
    """The towers do not feel this loss: the head learns to read a space made by the alignment alone."""
    margin: float = Field(0.0, ge=0, lt=1)
    """For a cosine head: taken off the right label's cosine (CosFace, arXiv 1801.09414)."""


class AlignSettings(Settings):
    """Bringing modalities together."""

    weight: float = Field(1.0, ge=0)
    """Weight of the mean loss over pairs."""
    pairs: tuple[tuple[Modality, Modality], ...] = ()
    """Which modalities are aligned; one with itself means two random views of each record."""
    temperature: float | None = Field(None, gt=0.01, le=1)
    """A fixed temperature; by default it is learnt from 0.07 on, within [0.01, 1]."""
    different_below: float = Field(0.75, ge=0, le=1)
    """Where names leave open whether two records are of one species, barcodes that share less than this of
    the shorter one's 8-mers say no (0.75 is about 3.5 % divergence)."""
    truncate_probability: float = Field(0.3, ge=0, le=1)
    """Chance that a caption stops at a random rank above the record's own."""


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
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    """Of the arithmetic; bf16 is for GPUs."""
    model: ModelSettings
    """Towers and head."""
    classify: ClassifySettings | None = None
    """Learning labels; needs a classifier."""
    align: AlignSettings | None = None
    """Bringing modalities together; needs a shared space."""
    augment: Augmentation | None = None
    """Random changes of training images."""
    damage: BarcodeDamage | None = None
    """Random damage to training barcodes."""
    schedule: Schedule = Schedule()
    """How long, how fast."""

    @model_validator(mode="after")
    def _makes_sense(self) -> "Recipe":
        if self.classify is None and self.align is None:
            raise ValueError("give [classify] or [align]: nothing to learn")
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
