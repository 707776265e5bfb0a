"""Recipes: one complete TOML file <-> one frozen pydantic model, with errors that name the key."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from holotype.errors import RecipeError, did_you_mean


class Settings(BaseModel):
    """A part of a recipe: frozen, and closed to unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


Model = TypeVar("Model", bound=Settings)


def read_settings(path: Path, kind: type[Model], overrides: Sequence[str] = ()) -> Model:
    """Returns the settings in a TOML file, with ``a.b=c`` overrides laid over it.

    Raises:
        RecipeError: when the file is missing or no TOML, a key is unknown (names the nearest one), or a
            value is wrong (names its place and what was expected).
    """
    if not path.is_file():
        raise RecipeError(f"{path}: no such recipe. Check the path.")
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as reason:  # also a number of thousands of digits
        raise RecipeError(f"{path}: not TOML: {reason}.") from reason
    for override in overrides:
        _lay_over(content, override)
    return checked(kind, content, where=str(path))


def checked(kind: type[Model], content: Mapping[str, Any], *, where: str) -> Model:
    """Returns the settings of a mapping.

    Raises:
        RecipeError: one line for each wrong key, beginning with ``where``.
    """
    try:
        return kind.model_validate(content)
    except ValidationError as reason:
        lines = [_explain(kind, problem) for problem in reason.errors()]
        raise RecipeError(f"{where}: " + "; ".join(lines)) from None


def _explain(kind: type[BaseModel], problem: Mapping[str, Any]) -> str:
    place = [str(part) for part in problem["loc"]]
    if problem["type"] != "extra_forbidden":
        return f"{'.'.join(place)}: {problem['msg']} (found: {problem['input']!r})"
    known = list(_fields_at(kind, place[:-1]))
    return f"unknown key '{'.'.join(place)}'.{did_you_mean(place[-1], known)}"


def _fields_at(kind: type[BaseModel], place: Sequence[str]) -> Iterator[str]:
    """Yields the keys allowed at a place inside a model."""
    models = [kind]
    for part in place:
        fields = [model.model_fields[part] for model in models if part in model.model_fields]
        models = [found for field in fields for found in _models_in(field.annotation)] or models
    for model in models:
        yield from model.model_fields


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in getattr(annotation, "__args__", ()):
        yield from _models_in(inner)


def _lay_over(content: dict[str, Any], override: str) -> None:
    place, equals, written = override.partition("=")
    if not equals or not place.strip():
        raise RecipeError(f"--set {override}: write it as a.b=value.")
    try:
        value = tomllib.loads(f"value = {written}")["value"]
    except tomllib.TOMLDecodeError:
        value = written
    *folders, last = place.strip().split(".")
    for folder in folders:
        content = content.setdefault(folder, {})
        if not isinstance(content, dict):
            raise RecipeError(f"--set {override}: '{folder}' is a value, not a table.")
    content[last] = value


def as_toml(settings: BaseModel) -> str:
    """Returns the settings as TOML, complete with every default; absent values are left out."""
    import tomli_w

    return tomli_w.dumps(settings.model_dump(mode="json", exclude_none=True))
