"""Rows -> a step's inputs: pixels changed, barcodes damaged, texts chosen, all from named streams.

Random changes are drawn in blocks of records, each from a stream of its own. So what happens to a record
depends on the seed, the step, the view and its place in the step, not on how many processes or threads there
are: each makes the blocks that its part of the step touches.

Shapes: B records of a step, I images, K barcodes, U texts.
"""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from holotype.inputs.augment import augment_images
from holotype.inputs.batches import (
    BarcodeBatch,
    Batch,
    CaptionBatch,
    ImageBatch,
    Tokenise,
    image_batch,
    shrunk,
)
from holotype.inputs.dna import corrupt_barcodes
from holotype.inputs.masking import drawn_masks, hidden
from holotype.inputs.materials import Materials
from holotype.models.aligned import AlignedModel
from holotype.models.towers import Modality
from holotype.randomness import generator, stream_seed
from holotype.training.gathering import Share
from holotype.training.recipe import Recipe
from holotype.training.teaching import Teaching
from holotype.training.texts import StepTexts, step_texts

BLOCK = 32
"""Records that are changed at random together."""
_ONE_PROCESS = Share()
_TOKENISING = threading.Lock()


@dataclass(frozen=True)
class StepInputs:
    """What one process reads in a step, and what all of them read.

    Attributes:
        number: of the step.
        views: this process's part of each view; only the first has captions.
        row_of: the rows of the materials whose images and barcodes all processes read, in their order.
        texts: the texts of all processes.
    """

    number: int
    views: tuple[Batch, ...]
    row_of: dict[Modality, NDArray[np.int64]]
    texts: StepTexts | None

    def count(self, modality: Modality) -> int:
        """Returns how many rows of a modality all processes have together."""
        if modality is not Modality.CAPTION:
            return len(self.row_of[modality])
        return 0 if self.texts is None else len(self.texts.texts)


def step_inputs(
    recipe: Recipe,
    model: AlignedModel,
    materials: Materials,
    teaching: Teaching,
    row_B: NDArray[np.int64],
    *,
    step: int,
    views: int = 1,
    side_px: int | None = None,
    share: Share = _ONE_PROCESS,
    device: torch.device | None = None,
) -> StepInputs:
    """Returns what a process reads in a step; the same step gives the same tensors.

    Args:
        recipe: the run.
        model: its towers' tokenisers.
        materials: the records.
        teaching: what they are.
        row_B: the records of the step, of all processes.
        step: its number.
        views: 1, or 2 for a second one, changed anew.
        side_px: shrink images to this side.
        share: which part of the step is this process's.
        device: where images are changed and the tensors end up; the CPU by default.
    """
    device = device or torch.device("cpu")
    made = [
        training_batch(
            recipe, model, materials, teaching, row_B,
            step=step, view=view, share=share, device=device,
        )
        for view in ("first", "second")[:views]
    ]  # fmt: skip
    batches = [shrunk(batch, side_px) if side_px is not None else batch for batch, _ in made]
    return StepInputs(
        number=step,
        views=tuple(batch.to(device) for batch in batches),
        row_of=rows_by_modality(recipe, materials, row_B),
        texts=made[0][1],
    )


def training_batch(
    recipe: Recipe,
    model: AlignedModel,
    materials: Materials,
    teaching: Teaching,
    row_B: NDArray[np.int64],
    *,
    step: int,
    view: str = "first",
    share: Share = _ONE_PROCESS,
    device: torch.device | None = None,
) -> tuple[Batch, StepTexts | None]:
    """Returns a process's part of one view of a step, and the texts of all processes.

    A modality that no record of the step has is None; one that only other processes read has a filler.
    """
    batch = Batch(row_B)
    texts = None
    if recipe.model.images is not None:
        images = _images(recipe, materials, row_B, step=step, view=view, share=share, device=device)
        batch = batch._replace(images=images)
    if recipe.model.barcodes is not None:
        barcodes = _barcodes(recipe, model, materials, row_B, step=step, view=view, share=share)
        batch = batch._replace(barcodes=barcodes)
    if recipe.model.captions is not None and view == "first":
        texts = step_texts(recipe, teaching, row_B, generator(recipe.seed, "captions", step))
        if texts is not None:
            own = share.of(len(texts.texts))
            filler = own.start == own.stop
            chosen = texts.texts[:1] if filler else texts.texts[own]
            tokens = _tokens(model.tokenise(Modality.CAPTION), chosen)
            batch = batch._replace(captions=CaptionBatch(tokens, filler))
    return batch, texts


def _images(
    recipe: Recipe,
    materials: Materials,
    row_B: NDArray[np.int64],
    *,
    step: int,
    view: str,
    share: Share,
    device: torch.device | None,
) -> ImageBatch | None:
    at_I = np.flatnonzero(materials.image_N[row_B] >= 0)
    if not len(at_I):
        return None
    own = share.of(len(at_I))
    read = _covered(own, len(at_I)) if recipe.augment is not None else own
    filler = own.start == own.stop
    if filler:
        own = read = slice(0, 1)
    images = image_batch(materials, row_B[at_I[read]])
    assert images is not None
    pixels, sizes = images.image_ICSS, images.size_I4
    if device is not None:
        pixels, sizes = pixels.to(device), sizes.to(device)
    if recipe.augment is not None and not filler:
        changed = []
        for block, start, stop in _blocks(own, len(at_I)):
            stream = torch.Generator().manual_seed(
                stream_seed(recipe.seed, "augment", view, step, block)
            )
            inside = slice(start - read.start, stop - read.start)
            changed.append(augment_images(pixels[inside], sizes[inside], recipe.augment, stream))
        pixels, sizes = (
            torch.cat(parts) if len(parts) > 1 else parts[0] for parts in zip(*changed, strict=True)
        )
    kept = slice(own.start - read.start, own.stop - read.start)
    return ImageBatch(pixels[kept], sizes[kept], torch.from_numpy(at_I[own]), filler)


def _barcodes(
    recipe: Recipe,
    model: AlignedModel,
    materials: Materials,
    row_B: NDArray[np.int64],
    *,
    step: int,
    view: str,
    share: Share,
) -> BarcodeBatch | None:
    written = [materials.barcode_N[row] for row in row_B.tolist()]
    at_K = np.asarray([at for at, one in enumerate(written) if one is not None], dtype=np.int64)
    if not len(at_K):
        return None
    present = [one for one in written if one is not None]
    own = share.of(len(present))
    filler = own.start == own.stop
    own = slice(0, 1) if filler else own
    if recipe.damage is not None:
        for block, start, stop in _blocks(own, len(present)):
            rng = generator(recipe.seed, "damage", view, step, block)
            present[start:stop] = corrupt_barcodes(
                present[start:stop], damage=recipe.damage, generator=rng
            )
    tokens = _tokens(model.tokenise(Modality.BARCODE), present[own])
    target = None
    if recipe.masked is not None:
        kmers = model.kmers
        chosen = drawn_masks(
            own,
            _blocks(own, len(present)),
            share=recipe.masked.share,
            length=kmers.length,
            stream=lambda block: generator(recipe.seed, "masked", view, step, block),
        )
        ids, target = hidden(tokens[0], chosen, mask_id=kmers.mask, specials=len(kmers.specials))
        tokens = (ids, *tokens[1:])
    return BarcodeBatch(tokens, torch.from_numpy(at_K[own]), filler, target)


def _tokens(tokenise: Tokenise, texts: Sequence[str]) -> tuple[torch.Tensor, ...]:
    with _TOKENISING:  # tokenisers of other libraries are not made for several threads
        return tokenise(texts)


def _covered(own: slice, count: int) -> slice:
    """Returns the rows of all blocks that a part touches."""
    if own.start == own.stop:
        return own
    return slice(own.start // BLOCK * BLOCK, min(-(-own.stop // BLOCK) * BLOCK, count))


def _blocks(own: slice, count: int) -> Iterator[tuple[int, int, int]]:
    """Yields the blocks that a part touches: number, first row, row after the last."""
    covered = _covered(own, count)
    for start in range(covered.start, covered.stop, BLOCK):
        yield start // BLOCK, start, min(start + BLOCK, count)


def side_at(recipe: Recipe, epoch: int) -> int | None:
    """Returns the side of images in an epoch (from 0), or None without images."""
    if recipe.model.images is None:
        return None
    for until, side_px in sorted(recipe.schedule.small_sides):
        if epoch < round(until * recipe.schedule.epochs):
            return side_px
    return recipe.model.images.side_px


def rows_by_modality(
    recipe: Recipe, materials: Materials, row_B: NDArray[np.int64]
) -> dict[Modality, NDArray[np.int64]]:
    """Returns the rows of a step that have each modality the recipe reads, where there are any."""
    has_barcode = np.asarray([materials.barcode_N[row] is not None for row in row_B.tolist()])
    found = {}
    if recipe.model.images is not None:
        found[Modality.IMAGE] = row_B[materials.image_N[row_B] >= 0]
    if recipe.model.barcodes is not None:
        found[Modality.BARCODE] = row_B[has_barcode.astype(np.bool_)]
    return {modality: rows for modality, rows in found.items() if len(rows)}
