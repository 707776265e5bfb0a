"""A model over records, without gradients: embeddings and logits as arrays."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from holotype.inputs.batches import (
    Batch,
    CaptionBatch,
    barcode_batch,
    image_batch,
    in_order,
    shrunk,
)
from holotype.inputs.materials import Materials
from holotype.models.aligned import AlignedModel, evaluating
from holotype.models.towers import Modality


@dataclass(frozen=True)
class Encoded:
    """What a model says of the records that have one modality.

    Attributes:
        row_R: int64, their rows in the materials.
        z_RD: float32, unit rows.
        logit_RL: float32, None where the model has no head.
    """

    row_R: NDArray[np.int64]
    z_RD: NDArray[np.float32]
    logit_RL: NDArray[np.float32] | None

    def __len__(self) -> int:
        return len(self.row_R)


@torch.inference_mode()
def encode(
    model: AlignedModel,
    materials: Materials,
    *,
    rows: NDArray[np.int64] | None = None,
    batch_size: int = 128,
    side_px: int | None = None,
) -> dict[Modality, Encoded]:
    """Returns embeddings and logits of records by modality; image and barcode, where there are any.

    Each modality goes through in batches of one shape (the last one is filled up with repeats), so that
    a record's figures are the same to the bit whatever records come with it.

    Args:
        model: it is left in the mode it was in.
        materials: the records.
        rows: which of them; all by default.
        batch_size: records at a time.
        side_px: shrink images to this side, as early epochs of a run do.
    """
    chosen = np.arange(len(materials), dtype=np.int64) if rows is None else rows
    device = model.log_scale.device
    with evaluating(model):
        found: dict[Modality, Encoded] = {}
        for modality, present in _rows_with(model, materials, chosen).items():
            parts = []
            for part in in_order(len(present), batch_size=batch_size):
                filled = np.resize(present[part], batch_size)
                batch = _one_modality(model, materials, filled, modality)
                batch = shrunk(batch, side_px) if side_px is not None else batch
                embedding_BD = model(batch.to(device))[modality]
                z_BD = functional.normalize(embedding_BD, dim=1)[: len(part)]
                logit_BL = model.label_logits(embedding_BD) if model.head is not None else None
                parts.append(
                    (z_BD.cpu(), None if logit_BL is None else logit_BL[: len(part)].cpu())
                )
            logits = [logit for _, logit in parts if logit is not None]
            found[modality] = Encoded(
                row_R=present,
                z_RD=torch.cat([z for z, _ in parts]).float().numpy(),
                logit_RL=torch.cat(logits).float().numpy() if logits else None,
            )
    return found


def _rows_with(
    model: AlignedModel, materials: Materials, rows: NDArray[np.int64]
) -> dict[Modality, NDArray[np.int64]]:
    """Returns the rows that have each modality the model reads, where there are any."""
    has_barcode = np.asarray([b is not None for b in materials.barcode_N], dtype=np.bool_)
    has = {Modality.IMAGE: materials.image_N >= 0, Modality.BARCODE: has_barcode}
    found = {m: rows[has[m][rows]] for m in has if m in model.modalities}
    return {modality: present for modality, present in found.items() if len(present)}


def _one_modality(
    model: AlignedModel, materials: Materials, rows: NDArray[np.int64], modality: Modality
) -> Batch:
    if modality is Modality.IMAGE:
        return Batch(rows, images=image_batch(materials, rows))
    barcodes = barcode_batch(
        materials, rows, tokenise=model.tokenise(modality), at_least=model.longest(modality)
    )
    return Batch(rows, barcodes=barcodes)


@torch.inference_mode()
def encode_captions(model: AlignedModel, captions: list[str]) -> NDArray[np.float32]:
    """Returns the unit embeddings of captions, float32 (U, D)."""
    device = model.log_scale.device
    with evaluating(model):
        tokenise = model.tokenise(Modality.CAPTION)
        parts = []
        for start in range(0, len(captions), 512):
            tokens = tokenise(captions[start : start + 512])
            parts.append(
                model.embed_captions(CaptionBatch(tuple(part.to(device) for part in tokens)))
            )
    z_UD: NDArray[np.float32] = functional.normalize(torch.cat(parts), dim=1).cpu().numpy()
    return z_UD
