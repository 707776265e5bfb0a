"""How a model does on validation records while it learns: figures of an epoch, and its temperatures."""

from typing import Any

import numpy as np

from holotype.decisions.temperature import fit_temperature
from holotype.inputs.materials import Materials
from holotype.models.aligned import AlignedModel
from holotype.models.encode import encode
from holotype.models.towers import Modality
from holotype.training.lesson import Lesson
from holotype.training.masking import masked_figures
from holotype.training.teaching import Teaching


def validation(
    model: AlignedModel,
    lesson: Lesson,
    row_V: np.ndarray[Any, np.dtype[np.int64]],
    side_px: int | None,
) -> dict[str, float]:
    """Returns top-1 of the head by modality, species retrieval within the records, hidden tokens told."""
    figures: dict[str, float] = {}
    for modality, encoded in encode(model, lesson.materials, rows=row_V, side_px=side_px).items():
        if encoded.logit_RL is not None:
            label_R = lesson.teaching.label_N[encoded.row_R]
            taught = label_R >= 0
            if taught.any():
                agrees = lesson.teaching.agrees_LL.numpy()[label_R[taught]]
                best = encoded.logit_RL[taught].argmax(axis=1)
                right = agrees[np.arange(len(best)), best]
                figures[f"val_top1_{modality}"] = float(right.mean())
        concept_R = lesson.teaching.concept_N[encoded.row_R]
        shared = lesson.recipe.align is not None or lesson.recipe.taxa is not None
        if shared and len(encoded) > 1:
            figures[f"val_nearest_{modality}"] = _nearest_agrees(
                encoded.z_RD, lesson.teaching.paths.node_C[concept_R], concept_R >= 0
            )
    if model.token_head is not None:
        figures |= masked_figures(model, lesson, row_V)
    figures["score"] = float(np.mean(list(figures.values()))) if figures else 0.0
    return figures


def _nearest_agrees(z_RD: Any, node_R: Any, named_R: Any, *, limit: int = 2_000) -> float:
    """Returns how often the nearest other record is of the same taxon, among the first ``limit``."""
    z_RD, node_R = z_RD[named_R][:limit], node_R[named_R][:limit]
    if len(z_RD) < 2:
        return 0.0
    cosine_RR = z_RD @ z_RD.T
    np.fill_diagonal(cosine_RR, -2)
    return float((node_R[cosine_RR.argmax(axis=1)] == node_R).mean())


def temperatures(
    model: AlignedModel,
    materials: Materials,
    teaching: Teaching,
    row_V: np.ndarray[Any, np.dtype[np.int64]],
) -> dict[Modality, float]:
    """Returns by modality what the logits of the head are divided by."""
    found = {}
    for modality, encoded in encode(model, materials, rows=row_V).items():
        if encoded.logit_RL is None:
            continue
        label_R = teaching.label_N[encoded.row_R]
        taught = label_R >= 0
        agrees = teaching.agrees_LL.numpy()[label_R[taught]]
        found[modality] = fit_temperature(encoded.logit_RL[taught], agrees)
    return found
