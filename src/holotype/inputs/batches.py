"""Materials -> batches of tensors, with missing modalities.

Shapes: B records, I images, K barcodes, U captions.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from holotype.inputs.materials import Materials


class ImageBatch(NamedTuple):
    """Images of a batch: float32 (I, C, S, S) in [0, 1], sizes (I, 4) in px and um, place in the batch.

    ``filler``: the one row is no record's; it is there so that every process has something to read.
    """

    image_ICSS: Tensor
    size_I4: Tensor
    at_I: Tensor
    filler: bool = False


class BarcodeBatch(NamedTuple):
    """Barcodes of a batch: what the DNA tower reads, K first; place in the batch; whether it is a filler.

    ``target_KT``: where tokens are hidden, what was there, int64, -1 for the others; None where none are.
    """

    tokens: tuple[Tensor, ...]
    at_K: Tensor
    filler: bool = False
    target_KT: Tensor | None = None


class CaptionBatch(NamedTuple):
    """Captions of a batch: what the text tower reads, U first; whether it is a filler."""

    tokens: tuple[Tensor, ...]
    filler: bool = False


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
        return self._each(lambda tensor: tensor.to(device))

    def part(self, of: Callable[[int], slice], *, fill: bool = False) -> "Batch":
        """Returns a part of each modality's rows: those that ``of`` names, given how many there are.

        A modality without a row in the part is None, or with ``fill`` its first row as a filler.
        """
        images, barcodes, captions = self.images, self.barcodes, self.captions
        if images is not None:
            own, filler = _part_or_first(len(images.image_ICSS), of, already=images.filler)
            pixels, sizes = images.image_ICSS[own], images.size_I4[own]
            images = ImageBatch(pixels, sizes, images.at_I[own], filler)
            images = images if fill or not filler else None
        if barcodes is not None:
            own, filler = _part_or_first(len(barcodes.tokens[0]), of, already=barcodes.filler)
            tokens = tuple(part[own] for part in barcodes.tokens)
            target = None if barcodes.target_KT is None else barcodes.target_KT[own]
            barcodes = BarcodeBatch(tokens, barcodes.at_K[own], filler, target)
            barcodes = barcodes if fill or not filler else None
        if captions is not None:
            own, filler = _part_or_first(len(captions.tokens[0]), of, already=captions.filler)
            captions = CaptionBatch(tuple(part[own] for part in captions.tokens), filler)
            captions = captions if fill or not filler else None
        return Batch(self.row_B, images, barcodes, captions)

    def _each(self, change: Callable[[Tensor], Tensor]) -> "Batch":
        images, barcodes, captions = self.images, self.barcodes, self.captions
        if images is not None:
            pixels, sizes, at = (change(part) for part in images[:3])
            images = ImageBatch(pixels, sizes, at, images.filler)
        if barcodes is not None:
            tokens = tuple(change(part) for part in barcodes.tokens)
            target = None if barcodes.target_KT is None else change(barcodes.target_KT)
            barcodes = BarcodeBatch(tokens, change(barcodes.at_K), barcodes.filler, target)
        if captions is not None:
            captions = CaptionBatch(
                tuple(change(part) for part in captions.tokens), captions.filler
            )
        return Batch(self.row_B, images, barcodes, captions)


def _part_or_first(count: int, of: Callable[[int], slice], *, already: bool) -> tuple[slice, bool]:
    """Returns the rows of a part, and whether they are but a filler."""
    own = slice(0, 0) if already else of(count)
    return (own, False) if own.start < own.stop else (slice(0, 1), True)


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
