"""What a model makes of inputs that every machine can make: kept in its bundle, compared when it is opened.

The weights are known by their hash; this is of what computes with them. Another version of a library or
another processor may round another way, and may not compute something else.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from holotype.errors import BundleError
from holotype.inputs.batches import BarcodeBatch, Batch, CaptionBatch, ImageBatch
from holotype.models.aligned import AlignedModel, evaluating
from holotype.models.compiled import golden_inputs
from holotype.models.towers import Modality
from holotype.randomness import generator

Golden = dict[str, list[list[float]]]
"""By modality, the unit embeddings of its golden inputs, to six digits."""
COUNT, LEAST_COSINE = 2, 0.999
_BARCODE_BP = 200
_CAPTIONS = ("Animalia Arthropoda Copepoda Calanoida", "Plantae Ochrophyta Bacillariophyceae")


@torch.inference_mode()
def golden_outputs(model: AlignedModel) -> Golden:
    """Returns what a model computes of the golden inputs, by each of its towers; not by its engine."""
    with evaluating(model):
        found = {
            m: functional.normalize(model(_batch(model, m))[m], dim=1) for m in model.modalities
        }
    return {
        modality.value: np.round(z_GD.cpu().double().numpy(), 6).tolist()
        for modality, z_GD in found.items()
    }


def _batch(model: AlignedModel, modality: Modality) -> Batch:
    """Returns the golden inputs of one modality."""
    row_G = np.arange(COUNT, dtype=np.int64)
    at_G = torch.arange(COUNT)
    if modality is Modality.IMAGE:
        assert model.settings.images is not None
        image_GCSS, size_G4 = golden_inputs(model.settings.images)
        return Batch(row_G, images=ImageBatch(image_GCSS[:COUNT], size_G4[:COUNT], at_G))
    tokenise = model.tokenise(modality)
    if modality is Modality.CAPTION:
        return Batch(row_G, captions=CaptionBatch(tokenise(_CAPTIONS)))
    letters_GK = generator(0, "golden barcodes").choice(list("ACGT"), (COUNT, _BARCODE_BP))
    tokens = tokenise(["".join(row) for row in letters_GK], at_least=model.longest(modality))
    return Batch(row_G, barcodes=BarcodeBatch(tokens, at_G))


def check_golden_outputs(
    folder: Path, found: Golden, said: Mapping[str, Sequence[Sequence[float]]]
) -> None:
    """Compares what a model computes of the golden inputs with what its bundle says that it should.

    Args:
        folder: the bundle's.
        found: what the model computes here.
        said: what it computed when the bundle was written; modalities that it does not name are not compared.

    Raises:
        BundleError: where a cosine is below 0.999: the model computes something else here.
    """
    for modality, known in said.items():
        cosine = _least_cosine(np.asarray(found.get(modality, ())), np.asarray(known))
        if not cosine >= LEAST_COSINE:
            raise BundleError(
                f"{folder}: its {modality} tower computes something else here than where it was made (cosine "
                f"{cosine:.3f}). Run holotype doctor and compare the versions with those in bundle.json "
                "(training, versions), or train again."
            )


def _least_cosine(found_GD: NDArray[np.float64], known_GD: NDArray[np.float64]) -> float:
    if found_GD.shape != known_GD.shape:
        return 0.0
    return float((found_GD * known_GD).sum(axis=1).min())
