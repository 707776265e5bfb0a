"""The texts of a step: captions of its records, and of the taxa that they are contrasted with.

All processes choose the same texts from the same stream, so that each may embed a share of them.

Shapes: B records of a step, U texts, V captions, T taxa, C concepts.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holotype.inputs.captions import Mixing, TextSettings, choose_types, written_or_next
from holotype.inputs.captions.text_types import WITHOUT_QUALIFIER
from holotype.taxonomy.label_table import Concept
from holotype.taxonomy.labels import WHOLE
from holotype.training.recipe import Recipe, TaxaSettings
from holotype.training.teaching import Teaching


@dataclass(frozen=True)
class StepTexts:
    """The texts of a step, each once, and what they are of.

    Attributes:
        texts: U texts.
        row_B: int64, the records of the step.
        caption_V: int64, places of the records' captions among the texts, each once.
        concept_V: int64, the concept that each of these describes.
        whole_V: bool, captions that say no life stage or part: they are true of all.
        own_B: int64, the place of each record's own caption among ``caption_V``, -1 for none.
        taxon_T: int64, the taxa to contrast with, by the numbers of the teaching's paths.
        taxon_at_T: int64, their places among the texts.
        concept_C: int64, the concepts to contrast with.
        concept_at_C: int64, their places among the texts.
    """

    texts: tuple[str, ...]
    row_B: NDArray[np.int64]
    caption_V: NDArray[np.int64]
    concept_V: NDArray[np.int64]
    whole_V: NDArray[np.bool_]
    own_B: NDArray[np.int64]
    taxon_T: NDArray[np.int64]
    taxon_at_T: NDArray[np.int64]
    concept_C: NDArray[np.int64]
    concept_at_C: NDArray[np.int64]

    def own_of(self, row_P: NDArray[np.int64]) -> NDArray[np.int64]:
        """Returns the place of each record's own caption among ``caption_V``, -1 for none."""
        own = dict(zip(self.row_B.tolist(), self.own_B.tolist(), strict=True))
        return np.asarray([own[row] for row in row_P.tolist()], dtype=np.int64)


def step_texts(
    recipe: Recipe, teaching: Teaching, row_B: NDArray[np.int64], rng: np.random.Generator
) -> StepTexts | None:
    """Returns the texts of a step, None where nothing needs one.

    Args:
        recipe: what is contrasted with captions, and how they are worded.
        teaching: what the records are.
        row_B: the records of the step, of all processes.
        rng: the step's own stream.
    """
    book = _Book(teaching, recipe.text, rng)
    own_B = np.full(len(row_B), -1, dtype=np.int64)
    captions: dict[tuple[int, int, bool], int] = {}
    if recipe.align is not None and recipe.align.has_captions:
        for at, concept in enumerate(teaching.concept_N[row_B].tolist()):
            cut, place = rng.random(2)
            if concept < 0:
                continue
            wider = teaching.above_C[concept]
            is_cut = cut < recipe.align.truncate_probability and wider
            told = wider[int(place * len(wider))] if is_cut else concept
            place_of_text, whole = book.place(teaching.concepts[told])
            own_B[at] = captions.setdefault((place_of_text, told, whole), len(captions))
    empty = np.zeros(0, dtype=np.int64)
    taxon_T, concept_C = empty, empty
    if recipe.taxa is not None:
        taxon_T, concept_C = _contrasted(recipe.taxa, teaching, row_B, rng)
    taxa = [Concept(teaching.paths.lineage_T[taxon]) for taxon in taxon_T.tolist()]
    taxon_at_T = [book.place(taxon)[0] for taxon in taxa]
    concept_at_C = [book.place(teaching.concepts[concept])[0] for concept in concept_C.tolist()]
    if not book.texts:
        return None
    return StepTexts(
        texts=tuple(book.texts),
        row_B=row_B,
        caption_V=np.asarray([place for place, _, _ in captions], dtype=np.int64),
        concept_V=np.asarray([concept for _, concept, _ in captions], dtype=np.int64),
        whole_V=np.asarray([whole for _, _, whole in captions], dtype=np.bool_),
        own_B=own_B,
        taxon_T=taxon_T,
        taxon_at_T=np.asarray(taxon_at_T, dtype=np.int64),
        concept_C=concept_C,
        concept_at_C=np.asarray(concept_at_C, dtype=np.int64),
    )


class _Book:
    """The texts that a step has written so far; a text that is written twice has one place."""

    def __init__(
        self, teaching: Teaching, settings: TextSettings, rng: np.random.Generator
    ) -> None:
        self.texts: dict[str, int] = {}
        self._teaching = teaching
        self._settings = settings
        self._rng = rng
        of_batch = settings.mixing is Mixing.BATCH
        self._type = choose_types(settings, 1, rng)[0] if of_batch else None

    def place(self, concept: Concept) -> tuple[int, bool]:
        """Returns the place of a concept's text, and whether the text says no life stage or part."""
        wanted = self._type or choose_types(self._settings, 1, self._rng)[0]
        vernacular = self._teaching.vernaculars.get(concept.lineage)
        text, had = written_or_next(concept, wanted, vernacular=vernacular)
        whole = concept.qualifier == WHOLE or had in WITHOUT_QUALIFIER
        return self.texts.setdefault(text, len(self.texts)), whole


def _contrasted(
    settings: TaxaSettings, teaching: Teaching, row_B: NDArray[np.int64], rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Returns the taxa and the concepts of a step: those of its records, and others up to the most."""
    concept_B = np.unique(teaching.concept_N[row_B])
    own_C = concept_B[concept_B >= 0]
    on_path = np.unique(teaching.paths.path_CR[own_C]).astype(np.int64)
    taxon_T = _filled_up(on_path[on_path >= 0], teaching.taught_T, settings.most, rng)
    return taxon_T, _filled_up(own_C, teaching.taught_C, settings.most, rng)


def _filled_up(
    own: NDArray[np.int64], taught: NDArray[np.bool_], most: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    known = np.flatnonzero(taught)
    if len(known) <= most:
        return known
    others = np.setdiff1d(known, own)
    count = max(0, min(len(others), most - len(own)))
    return np.sort(np.concatenate([own, rng.choice(others, size=count, replace=False)]))
