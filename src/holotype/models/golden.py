"""What a model makes of inputs that every machine can make: kept in its bundle, compared when it is opened.

The weights are known by their hash; this is of what computes with them. Another version of a library or
another processor may round another way, and may not compute something else.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor
from torch.nn import functional

from holotype.errors import BundleError
from holotype.inputs.batches import BarcodeBatch, Batch, CaptionBatch, ImageBatch
from holotype.models.aligned import AlignedModel, evaluating
from holotype.models.settings import ImageSettings
from holotype.models.towers import Modality
from holotype.randomness import generator

Golden = dict[str, list[list[float]]]
"""By modality, the unit embeddings of its golden inputs, to six digits."""
COUNT, LEAST_COSINE = 2, 0.999
IMAGES, LEAST_COSINE_OF_ENGINE = 4, 0.99
"""Of an engine more are compared, and less is asked: it may compute in 8 bits."""
_BARCODE_BP = 200
_CAPTIONS = ("Animalia Arthropoda Copepoda Calanoida", "Plantae Ochrophyta Bacillariophyceae")


def golden_inputs(settings: ImageSettings) -> tuple[Tensor, Tensor]:
    """Returns images, float32 (4, C, S, S) in [0, 1], and sizes (4, 4) that are the same on every machine."""
    rng = generator(0, "golden images")
    shape = (IMAGES, settings.channels, 6, 6)
    coarse = torch.from_numpy(rng.integers(0, 256, shape).astype(np.float32) / 255)
    side = settings.side_px
    image = functional.interpolate(coarse, size=(side, side), mode="bilinear")
    size = torch.tensor([[80.0, 60.0, 800.0, 600.0], [float("nan")] * 4] * (IMAGES // 2))
    return image, size


@torch.inference_mode()
def golden_embeddings(model: AlignedModel) -> NDArray[np.float32]:
    """Returns a model's embeddings of the golden inputs, float32 (4, D), before normalisation."""
    assert model.settings.images is not None
    image_GCSS, size_G4 = golden_inputs(model.settings.images)
    normal_GCSS = (image_GCSS - model.pixel_mean) / model.pixel_std
    with evaluating(model):
        found_GD: NDArray[np.float32] = model.embed_images(normal_GCSS, size_G4).numpy()
    return found_GD


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


def check_outputs(
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
        cosine = _least_cosine(found.get(modality, ()), known)
        if not cosine >= LEAST_COSINE:
            raise BundleError(
                f"{folder}: its {modality} tower computes something else here than where it was made (cosine "
                f"{cosine:.3f}). Run holotype doctor and compare the versions with those in bundle.json "
                "(training, versions), or train again."
            )


def check_engine(folder: Path, found_GD: NDArray[np.float32], said: Mapping[str, Any]) -> None:
    """Compares an engine's embeddings of the golden images with those of the machine that exported it.

    Raises:
        BundleError: where the cosine of any is below 0.99: this machine computes something else.
    """
    cosine = _least_cosine(found_GD, said["golden"])
    if not cosine >= LEAST_COSINE_OF_ENGINE:
        raise BundleError(
            f"{folder}: its engine computes something else on this machine (cosine {cosine:.3f} with what "
            "was exported). Export the model here, or use it without an engine."
        )


def _least_cosine(found: ArrayLike, known: ArrayLike) -> float:
    found_GD, known_GD = (np.asarray(one, dtype=np.float64) for one in (found, known))
    if found_GD.shape != known_GD.shape:
        return 0.0
    lengths = np.linalg.norm(found_GD, axis=1) * np.linalg.norm(known_GD, axis=1)
    return float(((found_GD * known_GD).sum(axis=1) / np.maximum(lengths, 1e-12)).min())
