"""The embeddings of a step -> losses by name.

Shapes: B records, I images, K barcodes, U captions, L labels; P and Q the two sides of a pair.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from holotype.inputs.materials import Materials
from holotype.inputs.relations import is_within, same_taxon
from holotype.media.kmers import shared_words
from holotype.models.aligned import AlignedModel, Embeddings
from holotype.models.losses import agreeing_labels_loss, alignment_loss
from holotype.models.towers import Modality
from holotype.taxonomy.labels import WHOLE
from holotype.training.recipe import AlignSettings, ClassifySettings, Recipe
from holotype.training.teaching import ChosenCaptions, Teaching

_WORD_BP = 8
_LEAST_WORDS = 60
"""Reads with fewer certain 8-mers are too short to tell species apart."""


@dataclass(frozen=True)
class Seen:
    """What a model made of one step's batch, of one process or of all of them together.

    Attributes:
        embedding: by modality; captions are those of ``captions``, in their order.
        views: of the same images and barcodes, changed anew; None where no pair asks for it.
        row_of: the rows of the materials behind the embeddings of images and barcodes.
        captions: what the captions are of.
    """

    embedding: Embeddings
    views: Embeddings | None
    row_of: dict[Modality, NDArray[np.int64]]
    captions: ChosenCaptions | None


def step_losses(
    model: AlignedModel, recipe: Recipe, teaching: Teaching, materials: Materials, seen: Seen
) -> dict[str, Tensor]:
    """Returns the weighted losses of a step, by name: their sum is what the run lowers."""
    losses: dict[str, Tensor] = {}
    if recipe.classify is not None and recipe.classify.weight:
        loss = classification_loss(model, seen, teaching, recipe.classify)
        if loss is not None:
            losses["labels"] = recipe.classify.weight * loss
    if recipe.align is not None and recipe.align.weight:
        found = alignment_losses(model.scale, seen, teaching, materials, recipe.align)
        share = recipe.align.weight / max(1, len(found))
        losses |= {name: share * value for name, value in found.items()}
    return losses


def classification_loss(
    model: AlignedModel, seen: Seen, teaching: Teaching, settings: ClassifySettings
) -> Tensor | None:
    """Returns the mean over images and barcodes of the loss of their labels; None without labels."""
    losses = []
    for modality, row_B in seen.row_of.items():
        label_B = teaching.label_N[row_B]
        if not (label_B >= 0).any():
            continue
        z_BD = seen.embedding[modality]
        taught = torch.from_numpy(np.flatnonzero(label_B >= 0)).to(z_BD.device)
        label_T = torch.from_numpy(label_B).to(z_BD.device)[taught]
        agrees_TL = teaching.agrees_LL.to(z_BD.device)[label_T]
        z_TD = z_BD[taught]
        logit_TL = model.label_logits(z_TD.detach() if settings.probe else z_TD)
        if settings.margin:
            logit_TL = logit_TL - settings.margin * model.head_scale * agrees_TL
        losses.append(agreeing_labels_loss(logit_TL, agrees_TL, smoothing=settings.smoothing))
    return torch.stack(losses).mean() if losses else None


def alignment_losses(
    scale: Tensor, seen: Seen, teaching: Teaching, materials: Materials, settings: AlignSettings
) -> dict[str, Tensor]:
    """Returns the loss of each pair that the batch has, by "image-barcode" and so on."""
    losses: dict[str, Tensor] = {}
    for first, second in settings.pairs:
        other = seen.views if first == second else seen.embedding
        if other is None or first not in seen.embedding or second not in other:
            continue
        z_PD = functional.normalize(seen.embedding[first], dim=1)
        z_QD = functional.normalize(other[second], dim=1)
        if first == second:
            z_PD = z_QD = torch.cat([z_PD, z_QD])
        if Modality.CAPTION in (first, second):
            assert seen.captions is not None
            positive, ignored = _caption_masks(first, second, teaching, seen.row_of, seen.captions)
        else:
            rows = seen.row_of[first], seen.row_of[second]
            positive, ignored = _record_masks(teaching, materials, *rows, settings)
            if first == second:
                positive, ignored = _of_two_views(positive, ignored)
        losses[f"{first}-{second}"] = alignment_loss(
            z_PD,
            z_QD,
            torch.from_numpy(positive).to(z_PD.device),
            torch.from_numpy(ignored).to(z_PD.device),
            scale,
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
