"""Recipes: what is refused and how it is said, and files that survive the round trip."""

import re
from pathlib import Path

import pytest

from holotype.config import as_toml, read_settings
from holotype.errors import RecipeError
from holotype.training.recipe import Recipe, read_recipe, shipped_recipes

LEAST = """
name = "least"
[model.barcodes]
[model.classifier]
[classify]
"""


@pytest.fixture
def write(tmp_path: Path):
    def written(text: str) -> Path:
        path = tmp_path / "recipe.toml"
        path.write_text(text)
        return path

    return written


@pytest.mark.parametrize("name", sorted(shipped_recipes()))
def test_a_shipped_recipe_survives_being_written_and_read(name: str, tmp_path: Path) -> None:
    recipe = read_recipe(name)
    path = tmp_path / "again.toml"
    path.write_text(as_toml(recipe))
    assert read_settings(path, Recipe) == recipe
    assert recipe.name == name
    assert recipe.about.strip()


def test_the_recipes_of_the_house_are_shipped() -> None:
    assert {"barcodes", "crops-supervised", "trimodal", "trimodal-without-dna"} <= set(
        shipped_recipes()
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (LEAST + "[schedul]\n", "unknown key 'schedul'. Did you mean 'schedule'?"),
        (LEAST + "[schedule]\nepoch = 3\n", "unknown key 'schedule.epoch'. Did you mean 'epochs'?"),
        (LEAST + "[damage]\ntrim = 3\n", "damage.trim: Unexpected"),
        (
            LEAST + "[schedule]\nepochs = 'ten'\n",
            "schedule.epochs: Input should be a valid integer",
        ),
        (LEAST + "[schedule]\nepochs = 0\n", "schedule.epochs: Input should be greater than"),
        (LEAST + "[damage]\ndeletion_rate = 2.0\n", "deletion_rate is 2.0"),
        (LEAST + "[align]\npairs = [['image', 'dna']]\n", "align.pairs.0.1"),
        (LEAST + "[align]\npairs = [['image', 'barcode']]\n", "no such tower"),
        (LEAST + "[schedule]\npatience = 3\n", "schedule.patience needs keep = 'best'"),
        (
            LEAST.replace("[classify]", ""),
            "[classify], [align], [taxa] or [masked]: nothing to learn",
        ),
        (LEAST.replace("[model.classifier]", ""), "nothing scores labels"),
        ("name = 'x'\n", "model: Field required"),
        ("name = \n", "not TOML"),
    ],
)
def test_a_wrong_key_is_named(write, text: str, said: str) -> None:
    path = write(text)
    with pytest.raises(RecipeError) as raised:
        read_recipe(path)
    assert str(raised.value).startswith(f"{path}: ")
    assert said in str(raised.value)


def test_all_wrong_keys_are_named_at_once(write) -> None:
    path = write(LEAST + "[schedule]\nepochs = 0\nclipp = 1.0\n[augmentt]\n")
    with pytest.raises(RecipeError, match=r"epochs") as raised:
        read_recipe(path)
    assert "clipp" in str(raised.value)
    assert "augmentt" in str(raised.value)


def test_captions_cannot_be_aligned_with_themselves(write) -> None:
    text = (
        LEAST.replace("[model.barcodes]", "[model]\nembedding_dim = 8\n[model.barcodes]")
        + "[model.captions]\n[align]\npairs = [['caption', 'caption']]\n"
    )
    with pytest.raises(RecipeError, match="no two views"):
        read_recipe(write(text))


def test_overrides_lie_over_the_file(write) -> None:
    path = write(LEAST)
    changes = (
        "schedule.epochs=7",
        "schedule.clip=0.5",
        "name=other name",
        "classify.probe=true",
        "schedule.small_sides=[[0.5, 24]]",
        "damage.trim_bp=3",  # a table that the file has not
    )
    recipe = read_recipe(path, changes)
    assert recipe.schedule.epochs == 7
    assert recipe.schedule.clip == 0.5
    assert recipe.name == "other name"
    assert recipe.classify is not None
    assert recipe.classify.probe is True
    assert recipe.schedule.small_sides == ((0.5, 24),)
    assert recipe.damage is not None
    assert recipe.damage.trim_bp == 3
    assert recipe.damage.window_bp == 150  # the rest stays at its default


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("schedule.epochs", "write it as a.b=value"),
        ("=3", "write it as a.b=value"),
        ("name.part=3", "'name' is a value, not a table"),
        ("schedule.epohcs=3", "Did you mean 'epochs'"),
        ("schedule.epochs=many", "schedule.epochs"),
    ],
)
def test_a_wrong_override_is_named(write, change: str, said: str) -> None:
    with pytest.raises(RecipeError, match=re.escape(said)):
        read_recipe(write(LEAST), (change,))


def test_an_unknown_recipe_is_named_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="Did you mean 'trimodal"):
        read_recipe("trimodel")
    with pytest.raises(RecipeError, match="no such recipe"):
        read_recipe(tmp_path / "none.toml")


def test_a_recipe_cannot_be_changed_in_place(write) -> None:
    recipe = read_recipe(write(LEAST))
    with pytest.raises(ValueError, match="frozen"):
        recipe.schedule.epochs = 3
