"""A lesson of few records, and the weights that a recipe starts from."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from lightning_fabric import Fabric
from torch import Tensor

from holotype.collection.store import open_collection
from holotype.inputs.materials import prepare_collection
from holotype.media.preparation import PixelPreparation, PreparationKind
from holotype.models.aligned import AlignedModel
from holotype.models.labels import LabelSpace, build_label_space, label_names
from holotype.randomness import stream_seed
from holotype.splits.plan import Role, read_split
from holotype.training.lesson import Lesson
from holotype.training.recipe import Recipe, read_recipe
from holotype.training.teaching import teaching_of


@pytest.fixture(scope="session")
def recipe_with(tiny_recipe: Path) -> Callable[..., Recipe]:
    """The tiny recipe with changes."""
    return lambda *overrides: read_recipe(tiny_recipe, overrides)


@pytest.fixture(scope="session")
def lesson_of(
    tiny_collection: Path, tiny_split: Path
) -> Callable[[Recipe], tuple[Lesson, LabelSpace]]:
    """The training part of the tiny collection as a lesson of a recipe."""
    rows = read_split(tiny_split).rows(Role.TRAIN)
    pixels = PixelPreparation(PreparationKind.PADDED, side_px=32, channels=1)
    materials = prepare_collection(open_collection(tiny_collection), pixels=pixels, rows=rows)

    def lesson(recipe: Recipe) -> tuple[Lesson, LabelSpace]:
        names = label_names(recipe.target, [None] * len(rows), materials.concept_N)
        labels = build_label_space(recipe.target, names, materials.concept_N)
        teaching = teaching_of(materials, labels, names)
        taught = torch.arange(len(rows)).numpy()
        return Lesson(recipe, materials, teaching, taught, "test"), labels

    return lesson


def fresh_model(recipe: Recipe, num_labels: int) -> AlignedModel:
    """The model that a run of a recipe starts from."""
    torch.manual_seed(stream_seed(recipe.seed, "weights"))
    return AlignedModel(recipe.model, num_labels=num_labels, seed=recipe.seed)


@pytest.fixture(scope="session")
def start_of() -> Callable[[Recipe, int], AlignedModel]:
    """Builds the model that a run of a recipe starts from."""
    return fresh_model


@pytest.fixture(scope="session")
def fabric() -> Fabric:
    """One CPU."""
    return Fabric(accelerator="cpu", devices=1)


@pytest.fixture(scope="session")
def trained(
    tiny_collection: Path, tiny_split: Path, tiny_recipe: Path
) -> Callable[..., tuple[dict[str, Tensor], list[dict[str, float]]]]:
    """Trains with changes of the tiny recipe; returns the final weights and the history."""
    import json

    from safetensors.torch import load_file

    import holotype

    def run(out: Path, *overrides: str) -> tuple[dict[str, Tensor], list[dict[str, float]]]:
        holotype.train(
            tiny_recipe,
            collection=tiny_collection,
            split=tiny_split,
            out=out,
            overrides=overrides,
            accelerator="cpu",
        )
        manifest = json.loads((out / "bundle.json").read_text())
        return load_file(out / "model.safetensors"), manifest["training"]["history"]

    return run
