"""What is compared, and whether it may be: files, names, and recipes that are not equal."""

from pathlib import Path

import pytest
from small_schools import CLIP, SUPERVISED

from holotype.errors import RecipeError
from holotype.evaluation.compare.compare import compare
from holotype.evaluation.compare.fairness import Kind, differences, refuse_unequal
from holotype.evaluation.compare.settings import read_comparison

FILE = """
name = "schools"
seeds = [0, 1]
[[arm]]
recipe = "supervised.toml"
school = "Planktonzilla"
[[arm]]
recipe = "clip.toml"
name = "lineage-clip"
set = ["align.weight=2"]
[[claim]]
says = "A classifier is as good as captions."
first = "supervised"
second = ["lineage-clip"]
figures = ["naming-f1"]
at_least = -1
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in (("supervised", SUPERVISED), ("clip", CLIP), ("schools", FILE)):
        (tmp_path / f"{name}.toml").write_text(text)
    return tmp_path


def changed(folder: Path, name: str, old: str, new: str) -> Path:
    path = folder / f"{name}.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return path


def test_a_file_names_arms_beside_it_and_what_is_changed_in_them(folder: Path) -> None:
    settings, arms = read_comparison([folder / "schools.toml"], ["schedule.epochs=5"])
    assert [(arm.name, arm.school, arm.recipe.name) for arm in arms] == [
        ("supervised", "Planktonzilla", "supervised"),
        ("lineage-clip", "", "clip"),
    ]
    assert [arm.recipe.schedule.epochs for arm in arms] == [5, 5]
    assert arms[1].recipe.align is not None
    assert arms[1].recipe.align.weight == 2
    assert (settings.seeds, settings.claim[0].at_least) == ((0, 1), -1)


def test_recipes_alone_are_a_comparison(folder: Path) -> None:
    settings, arms = read_comparison([folder / "supervised.toml", folder / "clip.toml"])
    assert [arm.name for arm in arms] == ["supervised", "clip"]
    assert settings.seeds == (0, 1, 2)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('second = ["lineage-clip"]', 'second = ["lineage"]', "no arm 'lineage'.*'lineage-clip'"),
        ('name = "lineage-clip"', 'name = "supervised"', "two arms are called 'supervised'"),
        ("at_least = -1", "atleast = -1", "unknown key 'claim.0.atleast'.*'at_least'"),
        ("seeds = [0, 1]", "seeds = [1, 1]", "each once"),
        ('recipe = "clip.toml"', 'recipe = "clap.toml"', "clap.toml"),
        ('set = ["align.weight=2"]', 'set = ["align.wait=2"]', "unknown key 'align.wait'"),
    ],
)
def test_mistakes_are_named(folder: Path, old: str, new: str, said: str) -> None:
    path = changed(folder, "schools", old, new)
    with pytest.raises(RecipeError, match=said):
        read_comparison([path])


def test_one_recipe_is_no_comparison(folder: Path) -> None:
    with pytest.raises(RecipeError, match="two recipes or more"):
        read_comparison([folder / "clip.toml"])


def test_objectives_and_towers_may_differ(folder: Path) -> None:
    _, arms = read_comparison([folder / "schools.toml"])
    found = differences(arms)
    refuse_unequal(found)
    kinds = {one.key: one.kind for one in found}
    assert kinds["model.captions"] is Kind.PARTS
    assert {kinds[key] for key in ("classify", "align", "model.classifier")} == {Kind.OBJECTIVE}
    captions = next(one for one in found if one.key == "model.captions")
    assert captions.values == {"supervised": "absent", "lineage-clip": "present"}
    assert not [key for key in kinds if key.startswith("model.captions.")]


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("epochs = 3", "epochs = 4", "schedule.epochs"),
        ("batch_size = 32", "batch_size = 16", "schedule.batch_size"),
        ("[augment]", "", "augment"),
        ("[augment]", "[augment]\nrotation_deg = 90", "augment.rotation_deg"),
        ('target = "tree"', 'target = "concept"', "target"),
        ("width = 8", "width = 16", "model.images.width"),
    ],
)
def test_unequal_budgets_are_refused_unless_allowed(
    folder: Path, old: str, new: str, key: str
) -> None:
    changed(folder, "supervised", old, new)
    _, arms = read_comparison([folder / "schools.toml"])
    with pytest.raises(RecipeError, match=rf"not equal in {key} .*--unequal"):
        refuse_unequal(differences(arms))
    refuse_unequal(differences(arms, [key]))
    refuse_unequal(differences(arms, [key.partition(".")[0]]))
    assert next(o for o in differences(arms, [key]) if o.key == key).kind is Kind.ALLOWED


def test_nothing_is_trained_before_all_is_checked(folder: Path, tiny_collection: Path) -> None:
    changed(folder, "supervised", "epochs = 3", "epochs = 4")
    given = {"collection": tiny_collection, "out": folder / "out"}
    with pytest.raises(RecipeError, match=r"schedule\.epochs"):
        compare(folder / "schools.toml", splits=["a.parquet"], **given)
    with pytest.raises(RecipeError, match="no split"):
        compare(folder / "schools.toml", unequal=True, **given)
    assert not (folder / "out").exists()
