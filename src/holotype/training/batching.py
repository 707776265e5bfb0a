"""Rows -> a training batch: pixels changed, barcodes damaged, captions chosen, all from named streams."""

import numpy as np
import torch
from numpy.typing import NDArray

from holotype.inputs.augment import augment_images
from holotype.inputs.batches import Batch, CaptionBatch, ImageBatch, barcode_batch, image_batch
from holotype.inputs.dna import corrupt_barcodes
from holotype.inputs.materials import Materials
from holotype.models.aligned import AlignedModel
from holotype.models.towers import Modality
from holotype.randomness import generator, stream_seed
from holotype.training.recipe import Recipe
from holotype.training.teaching import ChosenCaptions, Teaching, choose_captions


def training_batch(
    recipe: Recipe,
    model: AlignedModel,
    materials: Materials,
    teaching: Teaching,
    row_B: NDArray[np.int64],
    *,
    step: int,
    view: str = "first",
) -> tuple[Batch, ChosenCaptions | None]:
    """Returns the batch of a step; the same step and view give the same tensors.

    Only the first view has captions.
    """
    batch = Batch(row_B)
    if recipe.model.images is not None:
        images = image_batch(materials, row_B)
        if images is not None:
            batch = batch._replace(images=_changed(recipe, images, step=step, view=view))
    if recipe.model.barcodes is not None:
        sequences = [materials.barcode_N[row] for row in row_B.tolist()]
        if recipe.damage is not None:
            present = [barcode for barcode in sequences if barcode is not None]
            rng = generator(recipe.seed, "damage", view, step)
            damaged = iter(corrupt_barcodes(present, damage=recipe.damage, generator=rng))
            sequences = [None if barcode is None else next(damaged) for barcode in sequences]
        tokenise = model.tokenise(Modality.BARCODE)
        barcodes = barcode_batch(materials, row_B, tokenise=tokenise, sequences=sequences)
        batch = batch._replace(barcodes=barcodes)
    captions = None
    if recipe.model.captions is not None and recipe.align is not None and view == "first":
        captions = choose_captions(
            teaching,
            row_B,
            truncate_probability=recipe.align.truncate_probability,
            rng=generator(recipe.seed, "captions", step),
        )
        if captions is not None:
            tokens = model.tokenise(Modality.CAPTION)(captions.texts)
            batch = batch._replace(captions=CaptionBatch(tokens))
    return batch, captions


def _changed(recipe: Recipe, images: ImageBatch, *, step: int, view: str) -> ImageBatch:
    if recipe.augment is None:
        return images
    stream = torch.Generator().manual_seed(stream_seed(recipe.seed, "augment", view, step))
    pixels, sizes = augment_images(images.image_ICSS, images.size_I4, recipe.augment, stream)
    return images._replace(image_ICSS=pixels, size_I4=sizes)


def side_at(recipe: Recipe, epoch: int) -> int | None:
    """Returns the side of images in an epoch (from 0), or None without images."""
    if recipe.model.images is None:
        return None
    for until, side_px in sorted(recipe.schedule.small_sides):
        if epoch < round(until * recipe.schedule.epochs):
            return side_px
    return recipe.model.images.side_px


def rows_by_modality(batch: Batch) -> dict[Modality, NDArray[np.int64]]:
    """Returns the rows of the materials that each modality of a batch shows."""
    found = {}
    if batch.images is not None:
        found[Modality.IMAGE] = batch.row_B[batch.images.at_I.cpu().numpy()]
    if batch.barcodes is not None:
        found[Modality.BARCODE] = batch.row_B[batch.barcodes.at_K.cpu().numpy()]
    return found
