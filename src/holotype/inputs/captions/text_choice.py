"""Which text type each record of a batch is given."""

from enum import StrEnum
from typing import Annotated

import numpy as np
from pydantic import BeforeValidator, Field, field_validator

from holotype.config import Settings
from holotype.inputs.captions.templates import check_templates, templates_of
from holotype.inputs.captions.text_types import TextType


class Mixing(StrEnum):
    """Who shares a text type where there are several."""

    RECORD = "record"
    BATCH = "batch"


class TextSettings(Settings):
    """How taxa are put into words."""

    types: tuple[TextType, ...] = Field((TextType.LINEAGE,), min_length=1)
    """Text types, each as likely as the others; one named twice is twice as likely. The first is the one
    that zero-shot classification is judged by."""
    mixing: Mixing = Mixing.RECORD
    """record: a type is drawn for each record; batch: one for the whole batch, as BioCLIP does."""
    templates: Annotated[tuple[str, ...], BeforeValidator(templates_of)] = ()
    """Sentences with {} that zero-shot classification averages over, beside the plain text: a list, a text
    file with one a line, or "specimens" for the shipped ones. What is kept is the sentences."""

    @field_validator("templates")
    @classmethod
    def _have_a_place(cls, templates: tuple[str, ...]) -> tuple[str, ...]:
        check_templates(templates)
        return templates


def choose_types(settings: TextSettings, count: int, rng: np.random.Generator) -> list[TextType]:
    """Returns the text type of each of ``count`` records.

    A single type is chosen without drawing, so that it leaves the generator as it was.
    """
    if len(settings.types) == 1:
        return [settings.types[0]] * count
    draws = 1 if settings.mixing is Mixing.BATCH else count
    chosen = [settings.types[place] for place in rng.integers(len(settings.types), size=draws)]
    return chosen * count if settings.mixing is Mixing.BATCH else chosen
