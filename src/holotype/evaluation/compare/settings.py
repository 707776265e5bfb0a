"""What is to be compared: arms, seeds, splits and claims, as one frozen value; its written form is TOML."""

import tomllib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from holotype.config import Settings, read_settings
from holotype.errors import RecipeError, did_you_mean
from holotype.training.recipe import Recipe, read_recipe


class ArmSettings(Settings):
    """One school: a recipe, and what is changed in it."""

    recipe: str = Field(min_length=1)
    """A shipped recipe's name, or a TOML file (from here, or from the comparison's folder)."""
    name: str | None = Field(None, pattern=r"^[\w.+-]+$")
    """What it is called in the report and in claims; the recipe's file name by default."""
    school: str = ""
    """Whose way of training it is, for the report."""
    set: tuple[str, ...] = ()
    """``a.b=c`` changes of this recipe alone."""


class ClaimSettings(Settings):
    """A sentence that the comparison tests: the first arm beats the second by at least so much."""

    says: str = Field(min_length=1)
    """The claim in words."""
    first: str
    """The arm that is said to be better."""
    second: tuple[str, ...] = Field(min_length=1)
    """The arms that it is set against; the claim must hold against each of them."""
    figures: tuple[str, ...] = Field(min_length=1)
    """Names of headline figures, ``tasks`` for all tasks, or five words: task pair rank part metric. The
    claim must hold for each of them."""
    at_least: float = 0.0
    """Points (of per cent) that first minus second must reach; below 0 it is a margin: not worse by more."""
    split: str | None = None
    """Name of the split; by default the mean over all."""


class ComparisonSettings(Settings):
    """A whole comparison."""

    name: str = Field("comparison", min_length=1)
    """A short name, for the report."""
    about: str = ""
    """What is asked, and of what."""
    collection: str | None = None
    """Folder of the collection; the command line's goes before it."""
    splits: tuple[str, ...] = ()
    """Split files; the command line's go before them."""
    seeds: tuple[int, ...] = Field((0, 1, 2), min_length=1)
    """Every arm is trained from each of them."""
    set: tuple[str, ...] = ()
    """``a.b=c`` changes of every recipe."""
    may_differ: tuple[str, ...] = ()
    """Keys of recipes (or the beginning of some) that may differ though the budget should be one."""
    arm: tuple[ArmSettings, ...] = Field(min_length=1)
    """The arms."""
    claim: tuple[ClaimSettings, ...] = ()
    """The claims."""


@dataclass(frozen=True)
class Arm:
    """A school as it will be trained, but for the seed."""

    name: str
    school: str
    recipe: Recipe


def shipped_comparisons() -> dict[str, Path]:
    """Returns the comparisons that come with Holotype, by name."""
    package = Path(__file__).parents[2]
    places = [package / "recipes" / "comparisons", package.parents[1] / "recipes" / "comparisons"]
    return {path.stem: path for place in places for path in sorted(place.glob("*.toml"))}


def read_comparison(
    recipes: Sequence[str | Path], overrides: Sequence[str] = ()
) -> tuple[ComparisonSettings, tuple[Arm, ...]]:
    """Returns what is to be compared, and its arms with their recipes read and changed.

    Args:
        recipes: one comparison (a file with ``[[arm]]``, or a shipped one's name), or recipes.
        overrides: ``a.b=c`` changes of every recipe, after those of the file.

    Raises:
        RecipeError: when a file, name or key is wrong, two arms share a name, or a claim names no arm.
    """
    chosen = [str(recipe) for recipe in recipes]
    place = _comparison_file(chosen[0]) if len(chosen) == 1 else None
    if place is not None:
        settings = read_settings(place, ComparisonSettings)
    elif len(chosen) > 1:
        settings = ComparisonSettings(arm=tuple(ArmSettings(recipe=recipe) for recipe in chosen))
    else:
        raise RecipeError(
            f"{chosen[0] if chosen else 'nothing'}: give two recipes or more, or a comparison file "
            "with [[arm]] tables."
        )
    folder = place.parent if place is not None else Path()
    arms = tuple(_arm(one, settings, folder, tuple(overrides)) for one in settings.arm)
    twice = [name for name, count in Counter(arm.name for arm in arms).items() if count > 1]
    if twice:
        raise RecipeError(f"two arms are called '{twice[0]}': give each [[arm]] a name.")
    if len(set(settings.seeds)) < len(settings.seeds):
        raise RecipeError(f"seeds {list(settings.seeds)}: each once.")
    names = [arm.name for arm in arms]
    for claim in settings.claim:
        for arm in (claim.first, *claim.second):
            if arm not in names:
                raise RecipeError(
                    f"claim '{claim.says}': no arm '{arm}'.{did_you_mean(arm, names)}"
                )
    return settings, arms


def _comparison_file(written: str) -> Path | None:
    path = Path(written)
    if not path.is_file():
        return shipped_comparisons().get(written)
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as reason:
        raise RecipeError(f"{path}: not TOML: {reason}.") from reason
    return path if "arm" in content else None


def _arm(
    one: ArmSettings, settings: ComparisonSettings, folder: Path, overrides: tuple[str, ...]
) -> Arm:
    beside = folder / one.recipe
    where = str(beside) if not Path(one.recipe).is_file() and beside.is_file() else one.recipe
    recipe = read_recipe(where, (*settings.set, *one.set, *overrides))
    return Arm(one.name or Path(one.recipe).stem, one.school, recipe)
