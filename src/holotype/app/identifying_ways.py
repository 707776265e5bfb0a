"""What specimens are asked for, rows of answers or embeddings, in batches that fit their number."""

import copy
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holotype.decisions.channels import Channel
from holotype.errors import SourceError
from holotype.identify.answers import Answerer, AnswerSettings, joint_embeddings
from holotype.identify.columns import ANSWER_SCHEMA, Decision
from holotype.identify.inputs import Loaded, Specimen
from holotype.identify.loading import materials_of
from holotype.identify.rows import RowWriter
from holotype.models.bundle import Bundle
from holotype.models.encode import encode

MOST_NEAREST = 100
SIZES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
Embedded = tuple[NDArray[np.float32] | None, str | None]
"""The unit embedding of a specimen, and why there is none or what of it was left out."""


def with_settings(
    usual: Answerer, settings: AnswerSettings, max_error: float, nearest: int
) -> Answerer:
    """Returns an answerer with another error and count of nearest records.

    Raises:
        SourceError: when they make no sense.
    """
    replace(settings, max_error=max_error, nearest=nearest)  # checks both
    if nearest > MOST_NEAREST:
        raise SourceError(f"nearest {nearest}: ask for at most {MOST_NEAREST} records.")
    thresholds = usual.thresholds
    if max_error != settings.max_error and usual.decisions is not None:
        thresholds = {
            channel: usual.decisions.threshold(channel, max_error=max_error) for channel in Channel
        }
    shown = copy.copy(usual.nearest)  # with what it has read of the references
    object.__setattr__(shown, "count", nearest)
    writer = RowWriter(usual.reader.tree, usual.writer.model, thresholds)
    return replace(usual, thresholds=thresholds, nearest=shown, writer=writer)


def _fitting(count: int, most: int) -> int:
    """Returns how many places each batch has for so many specimens: few are left empty, few sizes occur."""
    batches = -(-count // most)
    each = -(-count // batches)
    return next((size for size in SIZES if size >= each), most) if each <= most else most


def rows(answerer: Answerer, chunk: Sequence[Loaded]) -> list[dict[str, Any]]:
    """Returns the rows of some specimens."""
    size = _fitting(len(chunk), answerer.batch_size)
    return replace(answerer, batch_size=size).answer(chunk).rows


def embeddings(bundle: Bundle, chunk: Sequence[Loaded]) -> list[Embedded]:
    """Returns the embeddings of some specimens."""
    size = _fitting(len(chunk), AnswerSettings.batch_size)
    encoded = encode(bundle.model, materials_of(chunk, bundle.pixels), batch_size=size)
    z_BD = joint_embeddings(encoded, len(chunk), bundle.model.embedding_dim)
    return [
        (None, one.failure or "nothing that this model reads")
        if np.isnan(z_D).any()
        else (z_D, one.failure)
        for one, z_D in zip(chunk, z_BD, strict=True)
    ]


def lost_row(bundle: Bundle, specimen: Specimen) -> dict[str, Any]:
    """Returns the row of a specimen of which the model could not even say that it has nothing to read."""
    return {
        **dict.fromkeys(ANSWER_SCHEMA.names),
        "input": specimen.input,
        "decision": Decision.FAILED.value,
        "model": bundle.fingerprint,
        "failure": specimen.failure or "the model could not read it",
    }


def warm(answerer: Answerer) -> None:
    """Answers a made-up specimen: what is read once is read now, and a fault shows before any request."""
    pixels = answerer.reader.bundle.pixels
    square = None if pixels is None else np.zeros(pixels.shape, dtype=np.uint8)
    context = {} if pixels is None else {"image_width_px": 8, "image_height_px": 8}
    reads = {modality.value for modality in answerer.reader.bundle.model.modalities}
    barcode = "ACGT" * 160 if "barcode" in reads else None
    specimen = Specimen("warm", barcode=barcode, context=context)
    answerer.answer([Loaded(specimen, None, None, square)])
