"""What the records of a run teach: their labels, the captions they may have, and the tree above them.

Shapes: N records of the materials, B records of a step, L labels, C concepts, U captions.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from holotype.inputs.captions import caption
from holotype.inputs.materials import Materials
from holotype.inputs.relations import ConceptPaths, concept_paths
from holotype.models.labels import LabelSpace
from holotype.taxonomy.label_table import Concept


@dataclass(frozen=True)
class Teaching:
    """What the records of a run teach.

    Attributes:
        label_N: int64, the label of each record of the materials, -1 for none.
        agrees_LL: bool, for a record of each label, the labels that agree with it.
        concept_N: int64, the concept of each record, -1 for none.
        concepts: the different concepts, and the captions above them.
        paths: their paths in the tree.
        qualifier_C: the qualifier of each concept.
        caption_of: by concept, the captions it may have: (text, index of the truncated concept).
    """

    label_N: NDArray[np.int64]
    agrees_LL: Tensor
    concept_N: NDArray[np.int64]
    concepts: tuple[Concept, ...]
    paths: ConceptPaths
    qualifier_C: NDArray[np.str_]
    caption_of: tuple[tuple[tuple[str, int], ...], ...]


def teaching_of(materials: Materials, labels: LabelSpace, names: list[str | None]) -> Teaching:
    """Returns what the records teach."""
    index: dict[Concept, int] = {}
    for concept in materials.concept_N:
        if concept is not None:
            index.setdefault(concept, len(index))
    own = len(index)
    choices: list[tuple[tuple[str, int], ...]] = []
    for concept in list(index)[:own]:
        found = [(caption(concept), index[concept])]
        for rank, _ in list(concept.lineage)[:-1]:
            wider = Concept(concept.lineage.truncate(rank))
            found.append((caption(wider), index.setdefault(wider, len(index))))
        choices.append(tuple(found))
    concepts = tuple(index)
    return Teaching(
        label_N=labels.index_of(names),
        agrees_LL=torch.from_numpy(labels.agrees_LL),
        concept_N=np.asarray([-1 if c is None else index[c] for c in materials.concept_N]),
        concepts=concepts,
        paths=concept_paths(concepts),
        qualifier_C=np.asarray([concept.qualifier for concept in concepts], dtype=np.str_),
        caption_of=tuple(choices),
    )


@dataclass(frozen=True)
class ChosenCaptions:
    """The captions of one batch: U different texts and the concept that each describes."""

    texts: tuple[str, ...]
    concept_U: NDArray[np.int64]


def choose_captions(
    teaching: Teaching,
    row_B: NDArray[np.int64],
    *,
    truncate_probability: float,
    rng: np.random.Generator,
) -> ChosenCaptions | None:
    """Returns one caption for each named record, some cut at a random higher rank, each text once."""
    chosen: dict[tuple[str, int], None] = {}
    for concept in teaching.concept_N[row_B].tolist():
        cut, place = rng.random(2)
        if concept < 0:
            continue
        choices = teaching.caption_of[concept]
        if cut < truncate_probability and len(choices) > 1:
            chosen[choices[1 + int(place * (len(choices) - 1))]] = None
        else:
            chosen[choices[0]] = None
    if not chosen:
        return None
    texts, concepts = zip(*chosen, strict=True)
    return ChosenCaptions(texts, np.asarray(concepts, dtype=np.int64))
