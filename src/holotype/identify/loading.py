"""Specimens -> specimens with their images read, decoded and made ready, a few threads ahead of the model.

The order is kept. What cannot be read is a failure of that specimen alone.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from threading import Lock

import numpy as np

from holotype.errors import MediaError
from holotype.identify.context import NOTHING_TO_NAME
from holotype.identify.inputs import Loaded, Specimen
from holotype.inputs.materials import Materials, numbered
from holotype.media.headers import plain_header
from holotype.media.images import Decoded
from holotype.media.locations import AbsentError
from holotype.media.measures import measure
from holotype.media.preparation import PixelPreparation

AHEAD, AHEAD_BYTES = 512, 128 << 20
"""At most so many specimens, of about so many bytes, are read before they are asked for."""
THREADS = min(4, os.cpu_count() or 1)
_ONE_AT_A_TIME = Lock()


def load(specimen: Specimen, pixels: PixelPreparation | None) -> Loaded:
    """Returns a specimen with its image read, decoded and made ready.

    Args:
        specimen: what to read.
        pixels: how the model's images are made ready; None for a model that reads none.
    """
    if specimen.read_image is None or pixels is None:
        return Loaded(specimen, None, specimen.failure)
    image = None
    try:
        image = specimen.read_image()
        found = _decoded(image, pixels)
        square_SSC = pixels.apply(found.pixels_HWC)
    except AbsentError:
        missing = None if specimen.barcode is not None else NOTHING_TO_NAME
        return Loaded(specimen, None, specimen.failure or missing)
    except (MediaError, OSError, ValueError) as reason:
        said = " ".join(str(reason).split()) or type(reason).__name__
        return Loaded(specimen, image, specimen.failure or said)
    measured = measure(found.pixels_HWC)
    size = {"image_width_px": found.width_px, "image_height_px": found.height_px}
    context = {**specimen.context, **size}
    if measured.object_esd_px is not None:
        context["object_esd_px"] = measured.object_esd_px * found.reduction
    seen = replace(specimen, context=context)
    return Loaded(seen, image, specimen.failure, square_SSC, measured.grey_mean)


def _decoded(image: bytes, pixels: PixelPreparation) -> Decoded:
    """Returns the image; what Pillow decodes goes one by one: it switches warnings off for all threads."""
    with nullcontext() if plain_header(image) is not None else _ONE_AT_A_TIME:
        return pixels.read(image)


def loaded_ahead(
    specimens: Iterable[Specimen], load_one: Callable[[Specimen], Loaded], *, threads: int = THREADS
) -> Iterator[Loaded]:
    """Yields what ``load_one`` makes of each specimen, in order, made by threads ahead of the reader."""
    pending: deque[Future[Loaded]] = deque()
    usual_bytes = 0.0
    with ThreadPoolExecutor(threads, thread_name_prefix="decode") as pool:
        try:
            for specimen in specimens:
                pending.append(pool.submit(load_one, specimen))
                while len(pending) > min(AHEAD, max(2 * threads, AHEAD_BYTES / (usual_bytes + 1))):
                    done = pending.popleft().result()
                    usual_bytes += (_bytes_of(done) - usual_bytes) / 32
                    yield done
            while pending:
                yield pending.popleft().result()
        finally:
            for one in pending:
                one.cancel()


def _bytes_of(one: Loaded) -> int:
    square = 0 if one.square_SSC is None else one.square_SSC.nbytes
    return square + len(one.image or b"")


def materials_of(chunk: Sequence[Loaded], pixels: PixelPreparation | None) -> Materials:
    """Returns loaded specimens as the model reads them, one row each; what failed has no image.

    The pixel size is that of the specimens' contexts, where they have one.
    """
    has = [row for row, one in enumerate(chunk) if one.square_SSC is not None]
    shape = pixels.shape if pixels is not None else (1, 1, 1)
    squares = [one.square_SSC for one in chunk if one.square_SSC is not None]
    image_N = np.full(len(chunk), -1, dtype=np.int64)
    image_N[has] = np.arange(len(has))
    sizes = ("image_width_px", "image_height_px", "pixel_size_um")
    found = [[chunk[row].specimen.context.get(name) for name in sizes] for row in has]
    known_M3 = np.asarray(found, dtype=np.float32).reshape(-1, 3)
    barcodes = [one.specimen.barcode for one in chunk]
    return Materials(
        record_id=tuple(one.specimen.input for one in chunk),
        concept_N=(None,) * len(chunk),
        pixels_MSSC=np.stack(squares) if squares else np.zeros((0, *shape), dtype=np.uint8),
        size_M4=np.concatenate([known_M3[:, :2], known_M3[:, :2] * known_M3[:, 2:]], axis=1),
        image_N=image_N,
        barcode_N=tuple(barcodes),
        haplotype_N=numbered(barcodes),
        marker_N=np.full(len(chunk), -1, dtype=np.int64),
    )
