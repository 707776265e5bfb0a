"""Materials -> batches of tensors, with missing modalities.

Shapes: B records, I images, K barcodes, U captions.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from holotype.inputs.materials import Materials


class ImageBatch(NamedTuple):
    """Images of a batch: float32 (I, C, S, S) in [0, 1], sizes (I, 4) in px and um, place in the batch."""

    image_ICSS: Tensor
    size_I4: Tensor
    at_I: Tensor


class BarcodeBatch(NamedTuple):
    """Barcodes of a batch: what the DNA tower reads, K first; place in the batch."""

    tokens: tuple[Tensor, ...]
    at_K: Tensor


class CaptionBatch(NamedTuple):
    """Captions of a batch: what the text tower reads, U first."""

    tokens: tuple[Tensor, ...]


class Tokenise(Protocol):
    """Texts -> what a tower reads: tensors whose first axis is the text."""

    def __call__(self, texts: Sequence[str], *, at_least: int = 1) -> tuple[Tensor, ...]:
        """Returns the tokens, padded to the longest text and to ``at_least``."""


class Batch(NamedTuple):
    """A batch; a modality that no record has is None.

    Attributes:
        row_B: int64, rows of the materials.
    """

    row_B: NDArray[np.int64]
    images: ImageBatch | None = None
    barcodes: BarcodeBatch | None = None
    captions: CaptionBatch | None = None

    def to(self, device: torch.device) -> "Batch":
        """Returns the batch with its tensors on a device."""
        return Batch(
            self.row_B,
            self.images and ImageBatch(*(part.to(device) for part in self.images)),
            self.barcodes
            and BarcodeBatch(
                tuple(part.to(device) for part in self.barcodes.tokens),
                self.barcodes.at_K.to(device),
            ),
            self.captions and CaptionBatch(tuple(part.to(device) for part in self.captions.tokens)),
        )


def image_batch(materials: Materials, row_B: NDArray[np.int64]) -> ImageBatch | None:
    """Returns the images of some records, unchanged but for the scale of their values."""
    at = np.flatnonzero(materials.image_N[row_B] >= 0)
    if not len(at):
        return None
    chosen = materials.image_N[row_B[at]]
    pixels = torch.from_numpy(np.ascontiguousarray(materials.pixels_MSSC[chosen]))
    return ImageBatch(
        image_ICSS=pixels.permute(0, 3, 1, 2).float() / 255,
        size_I4=torch.from_numpy(materials.size_M4[chosen]),
        at_I=torch.from_numpy(at),
    )


def barcode_batch(
    materials: Materials,
    row_B: NDArray[np.int64],
    *,
    tokenise: Tokenise,
    sequences: Sequence[str | None] | None = None,
    at_least: int = 1,
) -> BarcodeBatch | None:
    """Returns the barcodes of some records; ``sequences`` (one a record) stand in when given."""
    written = sequences or [materials.barcode_N[row] for row in row_B.tolist()]
    at = [place for place, barcode in enumerate(written) if barcode is not None]
    if not at:
        return None
    present = [barcode for barcode in written if barcode is not None]
    tokens = tokenise(present, at_least=at_least)
    return BarcodeBatch(tokens, torch.tensor(at, dtype=torch.int64))


def shrunk(batch: Batch, side_px: int) -> Batch:
    """Returns the batch with its images at a smaller side (antialiased)."""
    if batch.images is None or batch.images.image_ICSS.shape[-1] == side_px:
        return batch
    pixels = functional.interpolate(
        batch.images.image_ICSS,
        size=(side_px, side_px),
        mode="bilinear",
        antialias=True,
        align_corners=False,
    )
    return batch._replace(images=batch.images._replace(image_ICSS=pixels))


def in_order(count: int, *, batch_size: int) -> Iterator[NDArray[np.int64]]:
    """Yields rows 0, 1, 2 ... in batches: for evaluation and prediction."""
    for start in range(0, count, batch_size):
        yield np.arange(start, min(start + batch_size, count), dtype=np.int64)


def shuffled(
    rows: NDArray[np.int64],
    *,
    batch_size: int,
    rng: np.random.Generator,
    weight_R: NDArray[np.float64] | None = None,
) -> Iterator[NDArray[np.int64]]:
    """Yields batches of nearly equal size, as many as it takes to see every row once.

    Without weights every row comes exactly once; with them each batch is drawn anew, a row at most once
    in it, with the chances given.
    """
    num_batches = max(1, round(len(rows) / batch_size))
    if weight_R is None:
        yield from np.array_split(rng.permutation(rows), num_batches)
        return
    chance_R = weight_R / weight_R.sum()
    for _ in range(num_batches):
        size = min(batch_size, len(rows))
        yield rng.choice(rows, size=size, replace=False, p=chance_R)
