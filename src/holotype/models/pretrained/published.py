"""The published models that have a name here, as the table ``published.toml`` states them."""

import tomllib
from enum import StrEnum
from functools import cache
from importlib import resources

from pydantic import ValidationError

from holotype.config import Settings
from holotype.errors import RecipeError, did_you_mean


class Access(StrEnum):
    """Who may fetch the files."""

    OPEN = "open"
    TERMS = "terms"
    """Only an account that accepted the publisher's terms: by hand."""


class PublishedModel(Settings):
    """What is known of a published model."""

    name: str
    """What recipes call it, after ``published:``."""
    title: str
    """What its publisher calls it."""
    hub: str
    """Repository, as ORG/NAME."""
    revision: str = "main"
    """Branch, tag or commit."""
    file: str | None = None
    """The weights inside the repository, where there are several models in it."""
    access: Access = Access.OPEN
    """Who may fetch the files."""
    towers: tuple[str, ...]
    """Modality and tower that read it, as ``images: open_clip``."""
    architecture: str
    """In the words of the library that builds it."""
    embedding_dim: int
    """Width of the embedding; of the features where it has no shared space."""
    images: str
    """How images are made ready, in words; the repository's own configuration decides."""
    texts: tuple[str, ...]
    """What texts it was trained on."""
    licence: str
    """SPDX identifier, or what is known of it."""
    licence_stated_at: str
    """Where the licence is stated."""
    paper: str
    """What to cite."""
    notes: tuple[str, ...] = ()
    """Traps."""

    @property
    def weights(self) -> str:
        """What a recipe says to use it."""
        return f"published:{self.name}"


@cache
def published_models() -> dict[str, PublishedModel]:
    """Returns every published model by its name, in the order of the table."""
    text = resources.files(__package__).joinpath("published.toml").read_text(encoding="utf-8")
    try:
        rows = [PublishedModel.model_validate(row) for row in tomllib.loads(text)["model"]]
    except ValidationError as reason:
        raise RecipeError(f"published.toml: {reason}") from reason
    return {row.name: row for row in rows}


def published_model(name: str) -> PublishedModel:
    """Returns one published model.

    Raises:
        RecipeError: for a name that is not in the table; names the nearest.
    """
    known = published_models()
    if name not in known:
        raise RecipeError(f"no published model '{name}'.{did_you_mean(name, list(known))}")
    return known[name]
