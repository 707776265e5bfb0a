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
    caption_batch,
    image_batch,
    in_order,
)
from holotype.inputs.materials import Materials
from holotype.models.aligned import AlignedModel
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
    batch_size: int = 256,
) -> dict[Modality, Encoded]:
    """Returns embeddings and logits of records by modality; image and barcode, where there are any.

    Args:
        model: it is left in the mode it was in.
        materials: the records.
        rows: which of them; all by default.
        batch_size: records at a time.
    """
    chosen = np.arange(len(materials), dtype=np.int64) if rows is None else rows
    was_training = model.training
    model.eval()
    device = model.log_scale.device
    found: dict[Modality, list[tuple[NDArray[np.int64], torch.Tensor, torch.Tensor | None]]] = {}
    for part in in_order(len(chosen), batch_size=batch_size):
        batch = _plain_batch(model, materials, chosen[part])
        outputs = model(batch.to(device))
        places = {
            Modality.IMAGE: batch.images.at_I if batch.images is not None else None,
            Modality.BARCODE: batch.barcodes.at_K if batch.barcodes is not None else None,
        }
        for modality, embedding in outputs.embedding.items():
            place = places[modality]
            assert place is not None
            z = functional.normalize(embedding, dim=1).cpu()
            logit = outputs.logit.get(modality)
            row = chosen[part][place.numpy()]
            found.setdefault(modality, []).append((row, z, None if logit is None else logit.cpu()))
    model.train(was_training)
    return {modality: _joined(parts) for modality, parts in found.items()}


def _plain_batch(model: AlignedModel, materials: Materials, rows: NDArray[np.int64]) -> Batch:
    settings = model.settings
    return Batch(
        rows,
        images=image_batch(materials, rows) if settings.images is not None else None,
        barcodes=barcode_batch(materials, rows, max_bp=settings.barcodes.max_bp)
        if settings.barcodes is not None
        else None,
    )


def _joined(
    parts: list[tuple[NDArray[np.int64], torch.Tensor, torch.Tensor | None]],
) -> Encoded:
    logits = [logit for _, _, logit in parts if logit is not None]
    return Encoded(
        row_R=np.concatenate([row for row, _, _ in parts]),
        z_RD=torch.cat([z for _, z, _ in parts]).float().numpy(),
        logit_RL=torch.cat(logits).float().numpy() if logits else None,
    )


@torch.inference_mode()
def encode_captions(model: AlignedModel, captions: list[str]) -> NDArray[np.float32]:
    """Returns the unit embeddings of captions, float32 (U, D)."""
    was_training, device = model.training, model.log_scale.device
    model.eval()
    parts = [
        model.embed_captions(
            CaptionBatch(caption_batch(captions[start : start + 512]).bucket_UWG.to(device))
        )
        for start in range(0, len(captions), 512)
    ]
    model.train(was_training)
    z_UD: NDArray[np.float32] = functional.normalize(torch.cat(parts), dim=1).cpu().numpy()
    return z_UD
