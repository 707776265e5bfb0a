"""How well a model tells hidden tokens of barcodes that it was not trained on."""

from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from holotype.inputs.batches import Batch, barcode_batch, in_order
from holotype.inputs.masking import drawn_masks, hidden
from holotype.models.aligned import AlignedModel, evaluating
from holotype.models.towers import Modality
from holotype.objectives.masked import COUNT, RIGHT
from holotype.randomness import generator
from holotype.training.lesson import Lesson

BATCH = 128


@torch.inference_mode()
def masked_figures(
    model: AlignedModel, lesson: Lesson, row_V: NDArray[np.int64]
) -> dict[str, float]:
    """Returns the share of hidden tokens that the model tells; the same ones are hidden every time.

    Empty where the recipe hides none, or no token of the records can be hidden.
    """
    recipe, kmers = lesson.recipe, model.kmers
    if recipe.masked is None:
        return {}
    device = model.log_scale.device
    with evaluating(model):
        sums = np.zeros(3)
        for at in in_order(len(row_V), batch_size=BATCH):
            barcodes = barcode_batch(
                lesson.materials, row_V[at], tokenise=model.tokenise(Modality.BARCODE)
            )
            if barcodes is None:
                continue
            count = len(barcodes.at_K)
            chosen = drawn_masks(
                slice(0, count),
                iter([(int(at[0]), 0, count)]),
                share=recipe.masked.share,
                length=kmers.length,
                stream=partial(generator, recipe.seed, "masked", "validation"),
            )
            ids, target = hidden(
                barcodes.tokens[0], chosen, mask_id=kmers.mask, specials=len(kmers.specials)
            )
            barcodes = barcodes._replace(tokens=(ids, *barcodes.tokens[1:]), target_KT=target)
            masked_K3 = model.read(Batch(row_V[at], barcodes=barcodes).to(device)).masked_K3
            assert masked_K3 is not None
            sums += masked_K3.double().sum(dim=0).cpu().numpy()
    return {"val_masked_top1": float(sums[RIGHT] / sums[COUNT])} if sums[COUNT] else {}
