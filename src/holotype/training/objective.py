"""The embeddings of a step -> losses by name.

Shapes: B records, U texts, V captions, T taxa, C concepts, L labels; P and Q the two sides of a pair.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from holotype.inputs.materials import Materials
from holotype.models.aligned import AlignedModel, Embeddings
from holotype.models.towers import Modality
from holotype.objectives.contrast import sigmoid_loss, soft_target_loss
from holotype.objectives.label_losses import label_loss
from holotype.objectives.labels import agreeing_labels_loss
from holotype.objectives.masked import masked_token_loss
from holotype.objectives.taxa import taxon_loss
from holotype.training.pairs import caption_targets, of_two_views, record_targets
from holotype.training.recipe import AlignSettings, ClassifySettings, Contrast, Recipe, Targets
from holotype.training.teaching import Teaching
from holotype.training.texts import StepTexts

READ = (Modality.IMAGE, Modality.BARCODE)
"""What is named; captions are names."""


@dataclass(frozen=True)
class Seen:
    """What a model made of one step's batch, of one process or of all of them together.

    Attributes:
        embedding: by modality; captions are those of ``texts``, in their order.
        views: of the same images and barcodes, changed anew; None where no pair asks for it.
        row_of: the rows of the materials behind the embeddings of images and barcodes.
        texts: what the captions are of.
        masked: of each view whose tokens were hidden, what each barcode adds (``masked_token_sums``).
    """

    embedding: Embeddings
    views: Embeddings | None
    row_of: dict[Modality, NDArray[np.int64]]
    texts: StepTexts | None
    masked: tuple[Tensor, ...] = ()


def step_losses(
    model: AlignedModel,
    recipe: Recipe,
    teaching: Teaching,
    materials: Materials,
    seen: Seen,
    *,
    progress: float = 0.0,
) -> dict[str, Tensor]:
    """Returns the weighted losses of a step, by name: their sum is what the run lowers.

    Args:
        model: its head and temperatures.
        recipe: which losses, and how much they weigh.
        teaching: what the records are.
        materials: their barcodes, where names leave a pair open.
        seen: the step's embeddings.
        progress: share of the run that is done, from 0 to 1.
    """
    losses: dict[str, Tensor] = {}
    if recipe.classify is not None and recipe.classify.weight:
        loss = classification_loss(model, seen, teaching, recipe.classify, progress=progress)
        if loss is not None:
            losses["labels"] = recipe.classify.weight * loss
    if recipe.align is not None and recipe.align.weight:
        found = alignment_losses(model, seen, teaching, materials, recipe.align)
        share = recipe.align.weight / max(1, len(found))
        losses |= {name: share * value for name, value in found.items()}
    if recipe.taxa is not None:
        loss = taxa_loss(model.scale, seen, teaching)
        if loss is not None:
            losses["taxa"] = recipe.taxa.weight * loss
    if recipe.groups is not None and model.groups_GD is not None:
        loss = groups_loss(model.scale, model.groups_GD, seen, teaching)
        if loss is not None:
            losses["groups"] = recipe.groups.weight * loss
    if recipe.masked is not None and seen.masked:
        loss = masked_token_loss(torch.cat(seen.masked))
        if loss is not None:
            losses["masked"] = recipe.masked.weight * loss
    return losses


def classification_loss(
    model: AlignedModel,
    seen: Seen,
    teaching: Teaching,
    settings: ClassifySettings,
    *,
    progress: float = 0.0,
) -> Tensor | None:
    """Returns the mean over images and barcodes of the loss of their labels; None without labels."""
    losses = []
    for modality, row_B in seen.row_of.items():
        label_B = teaching.label_N[row_B]
        taught = np.flatnonzero(label_B >= 0)
        if not len(taught):
            continue
        z_BD = seen.embedding[modality]
        label_T = torch.from_numpy(label_B[taught]).to(z_BD.device)
        agrees_TL = teaching.agrees_LL.to(z_BD.device)[label_T]
        z_TD = z_BD[torch.from_numpy(taught).to(z_BD.device)]
        logit_TL = model.label_logits(z_TD.detach() if settings.probe else z_TD)
        losses.append(
            label_loss(
                logit_TL,
                agrees_TL,
                count_L=teaching.count_L.to(z_BD.device),
                settings=settings,
                head_scale=model.head_scale,
                progress=progress,
            )
        )
    return torch.stack(losses).mean() if losses else None


def alignment_losses(
    model: AlignedModel,
    seen: Seen,
    teaching: Teaching,
    materials: Materials,
    settings: AlignSettings,
) -> dict[str, Tensor]:
    """Returns the loss of each pair that the step has, by "image-barcode" and so on."""
    losses: dict[str, Tensor] = {}
    for first, second in settings.pairs:
        other = seen.views if first == second else seen.embedding
        if other is None or first not in seen.embedding or second not in other:
            continue
        z_PD, z_QD = _side(seen, seen.embedding, first), _side(seen, other, second)
        if first == second:
            z_PD = z_QD = torch.cat([z_PD, z_QD])
            rows = seen.row_of[first]
            targeted = of_two_views(record_targets(teaching, materials, rows, rows, settings))
        elif Modality.CAPTION in (first, second):
            assert seen.texts is not None
            if not len(seen.texts.caption_V):
                continue
            read = second if first is Modality.CAPTION else first
            targeted = caption_targets(teaching, seen.row_of[read], seen.texts, settings)
            if first is Modality.CAPTION:
                targeted = targeted[0].T, targeted[1].T
        else:
            rows_P, rows_Q = seen.row_of[first], seen.row_of[second]
            targeted = record_targets(teaching, materials, rows_P, rows_Q, settings)
        weight_PQ, ignored_PQ = (torch.from_numpy(part.copy()).to(z_PD.device) for part in targeted)
        if settings.targets is Targets.IDENTITY and first != second:
            at_P, at_Q = weight_PQ.nonzero(as_tuple=True)
            if not len(at_P):
                continue
            # A caption that two records share becomes two columns, each the other's negative, as in CLIP.
            z_PD, z_QD = z_PD[at_P], z_QD[at_Q]
            weight_PQ = torch.eye(len(at_P), dtype=z_PD.dtype, device=z_PD.device)
            ignored_PQ = weight_PQ < 0
        losses[f"{first}-{second}"] = (
            soft_target_loss(z_PD, z_QD, weight_PQ, ignored_PQ, model.scale)
            if settings.contrast is Contrast.SOFTMAX
            else sigmoid_loss(
                z_PD, z_QD, weight_PQ > 0, ignored_PQ, model.scale, model.sigmoid_bias
            )
        )
    return losses


def _side(seen: Seen, embedding: Embeddings, modality: Modality) -> Tensor:
    z_PD = functional.normalize(embedding[modality], dim=1)
    if modality is not Modality.CAPTION:
        return z_PD
    assert seen.texts is not None
    return z_PD[torch.from_numpy(seen.texts.caption_V).to(z_PD.device)]


def taxa_loss(scale: Tensor, seen: Seen, teaching: Teaching) -> Tensor | None:
    """Returns the mean over images and barcodes of the contrast with all taxa and concepts of the step.

    Each record's own taxon among the taxa of each rank, and the concepts that agree with it among all:
    the mean of the two. None where nothing is named.
    """
    texts = seen.texts
    if texts is None or not len(texts.concept_C):
        return None
    z_UD = functional.normalize(seen.embedding[Modality.CAPTION], dim=1)
    device = z_UD.device
    taxon_D, concept_D = (
        z_UD[torch.from_numpy(at).to(device)] for at in (texts.taxon_at_T, texts.concept_at_C)
    )
    place_T = np.full(len(teaching.paths.lineage_T) + 1, -1, dtype=np.int64)
    place_T[texts.taxon_T] = np.arange(len(texts.taxon_T))
    rank_T = torch.from_numpy(teaching.rank_T[texts.taxon_T]).to(device)
    agrees_CC = teaching.agrees_CC(texts.concept_C)
    weight_R = torch.ones(teaching.paths.path_CR.shape[1], device=device)
    losses = []
    for z_BD, concept_B in _taught(seen, teaching.concept_N):
        path_BR = np.maximum(teaching.paths.path_CR[concept_B], -1)
        at_C = np.searchsorted(texts.concept_C, concept_B)
        if len(texts.taxon_T):
            losses.append(
                taxon_loss(
                    z_BD, taxon_D, torch.from_numpy(place_T[path_BR]).to(device), rank_T,
                    scale=scale, weight_R=weight_R,
                )
            )  # fmt: skip
        agrees_BC = torch.from_numpy(agrees_CC[at_C]).to(device)
        losses.append(agreeing_labels_loss(scale * z_BD @ concept_D.T, agrees_BC))
    return torch.stack(losses).mean() if losses else None


def groups_loss(scale: Tensor, groups_GD: Tensor, seen: Seen, teaching: Teaching) -> Tensor | None:
    """Returns the mean over images and barcodes of the cross-entropy of their group of like barcodes.

    Groups have one direction each, which images and barcodes share (Movshovitz-Attias et al. 2017,
    arXiv 1703.07464: learnt proxies). None where no record has a group.
    """
    direction_GD = functional.normalize(groups_GD, dim=1)
    losses = [
        functional.cross_entropy(
            scale * z_BD @ direction_GD.T, torch.from_numpy(group_B).to(z_BD.device)
        )
        for z_BD, group_B in _taught(seen, teaching.group_N)
    ]
    return torch.stack(losses).mean() if losses else None


def _taught(seen: Seen, value_N: NDArray[np.int64]) -> Iterator[tuple[Tensor, NDArray[np.int64]]]:
    """Yields, for images and for barcodes, the unit rows of records that have a value, and the values."""
    for modality in READ:
        if modality not in seen.row_of:
            continue
        value_B = value_N[seen.row_of[modality]]
        has = np.flatnonzero(value_B >= 0)
        if len(has):
            z_BD = functional.normalize(seen.embedding[modality], dim=1)
            yield z_BD[torch.from_numpy(has).to(z_BD.device)], value_B[has]
