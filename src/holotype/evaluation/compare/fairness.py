"""Is the comparison fair? What differs between the recipes, and which of it must not."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from holotype.errors import RecipeError, first_few
from holotype.evaluation.compare.settings import Arm

MUST_AGREE = (
    "schedule", "target", "precision", "augment", "damage", "model.images", "model.barcodes",
    "model.captions",
)  # fmt: skip
"""What every arm must have in common: the budget, what is learnt, how inputs change, the towers."""

PARTS = ("damage", "model.images", "model.barcodes", "model.captions")
"""Parts that an arm may lack; those that have one must have the same."""

ABSENT = "absent"
_NO_MATTER = ("name", "about", "seed")


class Kind(StrEnum):
    """What a difference between arms is."""

    OBJECTIVE = "objective"
    PARTS = "parts present"
    ALLOWED = "allowed to differ"
    UNEQUAL = "unequal"


@dataclass(frozen=True)
class Difference:
    """A key whose value is not the same in all recipes: its value by arm."""

    key: str
    kind: Kind
    values: dict[str, Any]


def differences(arms: Sequence[Arm], may_differ: Sequence[str] = ()) -> list[Difference]:
    """Returns every key that differs between the arms' recipes, in the order of the recipe.

    Args:
        arms: with their recipes.
        may_differ: keys, or beginnings of keys, whose difference is allowed.
    """
    flat = {arm.name: _flat(arm.recipe.model_dump(mode="json")) for arm in arms}
    keys = dict.fromkeys(key for found in flat.values() for key in found)
    whole = {key for key in keys if any(other.startswith(f"{key}.") for other in keys)}
    found: list[Difference] = []
    for key in keys:
        if key in _NO_MATTER:
            continue
        part = next((p for p in PARTS if key == p or key.startswith(f"{p}.")), None)
        if key in whole:  # a table that some arms lack
            values: dict[str, Any] = {
                name: "present" if key not in one else ABSENT for name, one in flat.items()
            }
            kind = Kind.PARTS if part else _kind(key, may_differ)
        else:
            values = {name: one.get(key, ABSENT) for name, one in flat.items()}
            kind = _kind(key, may_differ)
        there = [v for v in values.values() if part is None or key in whole or v != ABSENT]
        if any(value != there[0] for value in there):
            found.append(Difference(key, kind, values))
    return found


def refuse_unequal(found: Sequence[Difference]) -> None:
    """Raises ``RecipeError`` when something differs that must be the same."""
    wrong = [one for one in found if one.kind is Kind.UNEQUAL]
    if wrong:
        said = [
            f"{one.key} ({', '.join(f'{arm}: {value}' for arm, value in one.values.items())})"
            for one in wrong
        ]
        raise RecipeError(
            f"the arms are not equal in {first_few(said)}. Make them the same (--set), name the key in "
            "may_differ, or compare them as they are with --unequal."
        )


def _kind(key: str, may_differ: Sequence[str]) -> Kind:
    if not any(_within(key, place) for place in MUST_AGREE):
        return Kind.OBJECTIVE
    return Kind.ALLOWED if any(_within(key, place) for place in may_differ) else Kind.UNEQUAL


def _within(key: str, place: str) -> bool:
    return key == place or key.startswith(f"{place}.")


def _flat(table: dict[str, Any], above: str = "") -> dict[str, Any]:
    """Returns a nested table as dotted key -> value; a missing table is ``absent`` at its own key."""
    found: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{above}{key}.")
        else:
            found[f"{above}{key}"] = ABSENT if value is None else value
    return found
