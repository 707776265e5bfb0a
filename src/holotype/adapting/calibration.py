"""Images of a user's own: some to find the ranges of 8 bits on, others to compare two models on."""

import statistics
import time
from collections.abc import Iterator

import numpy as np

from holotype.adapting.graphs import Inputs
from holotype.errors import SourceError
from holotype.identify.inputs import Specimen, specimens
from holotype.identify.loading import load, loaded_ahead, materials_of
from holotype.inputs.batches import image_batch
from holotype.inputs.materials import Materials
from holotype.models.bundle import Bundle
from holotype.models.encode import encode
from holotype.progress import note
from holotype.randomness import generator

CALIBRATION, COMPARED = 300, 1_000
"""At most so many images to find ranges on, and as many others to compare on."""
TIMED, _REPEATS = 128, 3


def drawn(
    bundle: Bundle, inputs: list[str], *, seed: int
) -> tuple[Materials | None, Materials | None]:
    """Returns images to calibrate on and images to compare on: drawn from all, each image once."""
    if not inputs:
        return None, None
    rng, kept = generator(seed, "export"), list[Specimen]()
    images = (one for one in specimens(inputs) if one.read_image is not None)
    for seen, one in enumerate(images):
        if len(kept) < CALIBRATION + COMPARED:
            kept.append(one)
        elif (place := int(rng.integers(seen + 1))) < len(kept):
            kept[place] = one
    loaded = [
        one
        for one in loaded_ahead(iter(kept), lambda one: load(one, bundle.pixels))
        if one.square_SSC is not None
    ]
    if len(loaded) < 2:
        raise SourceError(f"{inputs[0]}: no images to calibrate and compare on.")
    rng.shuffle(loaded)
    first = max(1, min(CALIBRATION, len(loaded) // 3))
    note(f"{first:,} images to calibrate on, {len(loaded) - first:,} others to compare on")
    return materials_of(loaded[:first], bundle.pixels), materials_of(loaded[first:], bundle.pixels)


def batches_of(bundle: Bundle, materials: Materials) -> Iterator[Inputs]:
    """Yields what the tower reads of materials, one image at a time, as ranges are found of single ones."""
    model = bundle.model
    for row in range(len(materials)):
        batch = image_batch(materials, np.asarray([row]))
        assert batch is not None
        normal = (batch.image_ICSS - model.pixel_mean) / model.pixel_std
        yield normal.contiguous().numpy(), batch.size_I4.numpy()


def speeds(first: Bundle, second: Bundle, materials: Materials) -> tuple[float, float]:
    """Returns images per second of two models on the same images, in turn; the median of three.

    At most 128 images, as the model itself may be slow.
    """
    rows = np.arange(min(TIMED, len(materials)))
    seconds: tuple[list[float], list[float]] = ([], [])
    for _ in range(_REPEATS):
        for bundle, took in zip((first, second), seconds, strict=True):
            begin = time.perf_counter()
            encode(bundle.model, materials, rows=rows)
            took.append(time.perf_counter() - begin)
    own, engine = (len(rows) / statistics.median(took) for took in seconds)
    return own, engine
