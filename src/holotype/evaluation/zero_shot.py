"""Naming by captions alone: the nearest caption, among those of every taxon in question.

At each rank the candidates are all its taxa among the test records and keys, whether training named them or
not (Radford et al. 2021, arXiv 2103.00020). The texts are those that the model was trained on; an ensemble of
templates is averaged as CLIP's is. Shapes: U candidates, T templates, D dimensions.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holotype.evaluation.baselines import commonest_first
from holotype.evaluation.evidence import Answers, Score, score_answers
from holotype.evaluation.exam import Exam, present_ranks
from holotype.evaluation.metrics import nearest
from holotype.inputs.captions.templates import fill
from holotype.inputs.captions.text_choice import TextSettings
from holotype.inputs.captions.text_types import TextType, common_names, phrase, written_or_next
from holotype.media.kmers import unit_rows
from holotype.models.aligned import AlignedModel
from holotype.models.bundle import Bundle
from holotype.models.encode import encode_captions
from holotype.models.towers import Modality
from holotype.splits.plan import Role
from holotype.taxonomy.label_table import Concept
from holotype.taxonomy.lineage import Lineage, Rank

KEPT = 10
BLOCK = 512
"""Candidates whose texts are embedded at a time."""


@dataclass(frozen=True)
class Wording:
    """One way to put the candidates into words.

    Attributes:
        method: its name among the scores.
        text_type: of the texts.
        templates: sentences to average over; none leaves the type's own text.
    """

    method: str
    text_type: TextType
    templates: tuple[str, ...] = ()


def wordings(settings: TextSettings) -> tuple[Wording, ...]:
    """Returns the ways to word the candidates: the first text type, then the others and the ensemble."""
    first, *others = dict.fromkeys(settings.types)
    found = [Wording("model", first)]
    found += [Wording(f"model, {other} text", other) for other in others]
    if settings.templates:
        count = len(settings.templates)
        found.append(Wording(f"model, {first} text, {count} templates", first, settings.templates))
    return tuple(found)


def zero_shot_scores(bundle: Bundle, exam: Exam) -> list[Score]:
    """Returns how well captions name the test records, seen and unseen.

    ``model`` is the first text type of training, at every rank. The other text types and the ensemble of
    templates, where training named some, are asked at the narrowest rank only, each as a method of its own.
    """
    if Modality.CAPTION not in bundle.model.modalities:
        return []
    scores: list[Score] = []
    space = _CaptionSpace(bundle.model, exam)
    ways = wordings(bundle.texts)
    searched = np.flatnonzero(np.isin(exam.role_N, exam.key_roles))
    for modality, encoded in exam.encoded.items():
        tested = exam.among(encoded, Role.TEST)
        rows = encoded.row_R[tested]
        if not len(rows):
            continue
        ranks = present_ranks(exam, rows, with_label=False)
        answerable = {rank: set(filter(None, space.names(rank))) for rank in ranks}
        questions = exam.questions(rows, answerable)
        pair = f"{modality}-caption"
        for way in ways:
            found: dict[str, list[list[str | None]]] = {}
            for rank in ranks if way is ways[0] else ranks[-1:]:
                names = space.names(rank)
                z_UD = space.embeddings(rank, way)
                index_QK, _ = nearest(encoded.z_RD[tested], z_UD, k=KEPT)
                found[rank] = [[names[key] for key in row] for row in index_QK.tolist()]
            scores += score_answers(Answers("zero_shot", way.method, pair, found), questions)
        commonest: dict[str, list[list[str | None]]] = {
            rank: [[*commonest_first(exam.names_of(rank, searched))[:KEPT]]] * len(rows)
            for rank in ranks
        }
        scores += score_answers(Answers("zero_shot", "commonest name", pair, commonest), questions)
    return scores


class _CaptionSpace:
    """The candidates of each rank and their embeddings, each made once for all modalities."""

    def __init__(self, model: AlignedModel, exam: Exam) -> None:
        self._model = model
        self._concepts = [
            concept
            for concept, role in zip(exam.materials.concept_N, exam.role_N.tolist(), strict=True)
            if concept is not None and role in (Role.TEST, *exam.key_roles)
        ]
        self._common = vernaculars(exam)
        self._lineages: dict[str, list[Lineage]] = {}
        self._embedded: dict[tuple[str, Wording], NDArray[np.float32]] = {}

    def lineages(self, rank: str) -> list[Lineage]:
        """Returns all taxa of a rank among the records in question, by their text."""
        if rank not in self._lineages:
            at = Rank(rank)
            found = {c.lineage.truncate(at) for c in self._concepts if c.lineage.name_at(at)}
            self._lineages[rank] = sorted(found, key=lambda lineage: lineage.text())
        return self._lineages[rank]

    def names(self, rank: str) -> list[str | None]:
        """Returns the names of the candidates of a rank."""
        return [lineage.name for lineage in self.lineages(rank)]

    def embeddings(self, rank: str, way: Wording) -> NDArray[np.float32]:
        """Returns the unit embeddings of the candidates of a rank, float32 (U, D)."""
        if (rank, way) not in self._embedded:
            texts = [candidate_texts(one, way, self._common) for one in self.lineages(rank)]
            self._embedded[rank, way] = embed_texts(self._model, texts)
        return self._embedded[rank, way]


def vernaculars(exam: Exam) -> dict[Lineage, str]:
    """Returns the common names of the taxa of an exam, where its collection has any."""
    if "vernacular_name" not in exam.table.column_names:
        return {}
    written = exam.table["vernacular_name"].to_pylist()
    return common_names(zip(exam.materials.concept_N, written, strict=True))


def candidate_texts(lineage: Lineage, way: Wording, common: dict[Lineage, str]) -> tuple[str, ...]:
    """Returns the texts of one candidate: one, or one a template.

    A type that the taxon cannot have (no common name) falls back as ``written_or_next`` says.
    """
    concept, name = Concept(lineage), common.get(lineage)
    text, had = written_or_next(concept, way.text_type, vernacular=name)
    if not way.templates:
        return (text,)
    words = phrase(concept, had, vernacular=name) or text
    return tuple(fill(template, words) for template in way.templates)


def embed_texts(model: AlignedModel, texts: Sequence[tuple[str, ...]]) -> NDArray[np.float32]:
    """Returns one unit embedding for each candidate, float32 (U, D), of as many texts for each."""
    parts = []
    for start in range(0, len(texts), BLOCK):
        some = texts[start : start + BLOCK]
        z_BD = encode_captions(model, [text for one in some for text in one])
        parts.append(ensemble(z_BD.reshape(len(some), len(some[0]), -1)))
    return np.concatenate(parts)


def ensemble(z_UTD: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns the mean of each candidate's unit embeddings, made unit again; float32 (U, D).

    A single text keeps its embedding to the bit. As in CLIP's zero-shot classifier (Radford et al. 2021).
    """
    if z_UTD.shape[1] == 1:
        return z_UTD[:, 0]
    return unit_rows(z_UTD.mean(axis=1))
