"""A batch and a model's outputs -> losses by name.

Shapes: B records, I images, K barcodes, U captions, L labels; P and Q the two sides of a pair.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from holotype.inputs.captions import caption
from holotype.inputs.materials import Materials
from holotype.inputs.relations import ConceptPaths, concept_paths, is_within, same_taxon
from holotype.media.kmers import shared_words
from holotype.models.aligned import Outputs
from holotype.models.labels import LabelSpace
from holotype.models.losses import agreeing_labels_loss, alignment_loss
from holotype.models.towers import Modality
from holotype.taxonomy.label_table import Concept
from holotype.taxonomy.labels import WHOLE
from holotype.training.recipe import AlignSettings, ClassifySettings

_WORD_BP = 8
_LEAST_WORDS = 60
"""Reads with fewer certain 8-mers are too short to tell species apart."""


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


def classification_loss(
    outputs: Outputs,
    teaching: Teaching,
    row_of: dict[Modality, NDArray[np.int64]],
    settings: ClassifySettings,
) -> Tensor | None:
    """Returns the mean over images and barcodes of the loss of their labels; None without labels."""
    losses = []
    for modality, logit_BL in outputs.logit.items():
        label_B = teaching.label_N[row_of[modality]]
        taught = torch.from_numpy(np.flatnonzero(label_B >= 0)).to(logit_BL.device)
        if not len(taught):
            continue
        label_T = torch.from_numpy(label_B).to(logit_BL.device)[taught]
        agrees_TL = teaching.agrees_LL.to(logit_BL.device)[label_T]
        logit_TL = logit_BL[taught]
        if settings.margin:
            logit_TL = logit_TL - settings.margin * outputs.head_scale * agrees_TL
        losses.append(agreeing_labels_loss(logit_TL, agrees_TL, smoothing=settings.smoothing))
    return torch.stack(losses).mean() if losses else None


def alignment_losses(
    outputs: Outputs,
    views: Outputs | None,
    teaching: Teaching,
    materials: Materials,
    row_of: dict[Modality, NDArray[np.int64]],
    captions: ChosenCaptions | None,
    settings: AlignSettings,
) -> dict[str, Tensor]:
    """Returns the loss of each pair that the batch has, by "image-barcode" and so on."""
    losses: dict[str, Tensor] = {}
    for first, second in settings.pairs:
        other = views if first == second else outputs
        if other is None or first not in outputs.embedding or second not in other.embedding:
            continue
        z_PD = functional.normalize(outputs.embedding[first], dim=1)
        z_QD = functional.normalize(other.embedding[second], dim=1)
        if first == second:
            z_PD = z_QD = torch.cat([z_PD, z_QD])
        if Modality.CAPTION in (first, second):
            assert captions is not None
            positive, ignored = _caption_masks(first, second, teaching, row_of, captions)
        else:
            rows = row_of[first], row_of[second]
            positive, ignored = _record_masks(teaching, materials, *rows, settings)
            if first == second:
                positive, ignored = _of_two_views(positive, ignored)
        losses[f"{first}-{second}"] = alignment_loss(
            z_PD,
            z_QD,
            torch.from_numpy(positive).to(z_PD.device),
            torch.from_numpy(ignored).to(z_PD.device),
            outputs.scale,
        )
    return losses


def _caption_masks(
    first: Modality,
    second: Modality,
    teaching: Teaching,
    row_of: dict[Modality, NDArray[np.int64]],
    captions: ChosenCaptions,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """A caption is true of every record below its taxon; of a record above it, nobody knows.

    A caption that names a life stage or part is true of that one only.
    """
    row_P = row_of[first if second is Modality.CAPTION else second]
    named_P1 = (teaching.concept_N[row_P] >= 0)[:, None]
    concept_P = np.maximum(teaching.concept_N[row_P], 0)
    below = is_within(teaching.paths, concept_P, captions.concept_U)
    above = is_within(teaching.paths, captions.concept_U, concept_P).T
    qualifier_P1 = teaching.qualifier_C[concept_P][:, None]
    qualifier_U = teaching.qualifier_C[captions.concept_U][None, :]
    true_of_it = (qualifier_U == WHOLE) | (qualifier_U == qualifier_P1)
    positive = below & named_P1 & true_of_it
    ignored = (above & ~below) | ~np.broadcast_to(named_P1, below.shape)
    return (positive, ignored) if second is Modality.CAPTION else (positive.T, ignored.T)


def _record_masks(
    teaching: Teaching,
    materials: Materials,
    row_P: NDArray[np.int64],
    row_Q: NDArray[np.int64],
    settings: AlignSettings,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """One record, haplotype or species is positive; what may be one species says nothing.

    Where the names leave it open, barcodes that differ enough settle it.
    """
    concept_P, concept_Q = teaching.concept_N[row_P], teaching.concept_N[row_Q]
    both_named = (concept_P >= 0)[:, None] & (concept_Q >= 0)[None, :]
    surely, maybe = same_taxon(teaching.paths, np.maximum(concept_P, 0), np.maximum(concept_Q, 0))
    haplotype_P, haplotype_Q = materials.haplotype_N[row_P], materials.haplotype_N[row_Q]
    same = (row_P[:, None] == row_Q[None, :]) | (
        (haplotype_P[:, None] == haplotype_Q[None, :]) & (haplotype_P >= 0)[:, None]
    )
    positive = (surely & both_named) | same
    open_pairs = (maybe | ~both_named) & ~positive
    if open_pairs.any():
        open_pairs &= ~_surely_different(materials, row_P, row_Q, settings.different_below)
    return positive, open_pairs


def _of_two_views(
    positive_PP: NDArray[np.bool_], ignored_PP: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Returns the masks of both views of P records beside each other; a view is not its own positive."""
    positive, ignored = np.tile(positive_PP, (2, 2)), np.tile(ignored_PP, (2, 2))
    np.fill_diagonal(positive, val=False)
    np.fill_diagonal(ignored, val=True)
    return positive, ignored


def _surely_different(
    materials: Materials, row_P: NDArray[np.int64], row_Q: NDArray[np.int64], bound: float
) -> NDArray[np.bool_]:
    """Returns which pairs of records have barcodes too different for one species, bool (P, Q).

    By containment (Broder 1997, doi:10.1109/SEQUEN.1997.666900): the share of the shorter read's 8-mers
    that the other has, so that a mini-barcode is not different from the sequence it is of. Different
    markers say nothing.
    """
    read_P, read_Q = (
        [materials.barcode_N[row] or "" for row in rows]
        for rows in (row_P.tolist(), row_Q.tolist())
    )
    shared_PQ, words_P, words_Q = shared_words(read_P, read_Q, _WORD_BP)
    shorter_PQ = np.minimum(words_P[:, None], words_Q[None, :])
    comparable_PQ = shorter_PQ >= _LEAST_WORDS
    marker_P, marker_Q = materials.marker_N[row_P], materials.marker_N[row_Q]
    comparable_PQ &= marker_P[:, None] == marker_Q[None, :]
    different: NDArray[np.bool_] = np.logical_and(shared_PQ < bound * shorter_PQ, comparable_PQ)
    return different
