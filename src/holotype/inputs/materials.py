"""Records made ready once: pixels in one array, barcodes cleaned, names as concepts.

Place in the path: between a collection and batches. Images are decoded, padded and shrunk a single time, or
when they are asked for (``StreamedPixels``). An array that would not fit in memory lies in a mapped file.
"""

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from holotype.collection.store import Collection, concepts_of
from holotype.errors import MediaError
from holotype.inputs.pixels import StreamedPixels
from holotype.media.preparation import PixelPreparation
from holotype.progress import tracked
from holotype.taxonomy.label_table import Concept

IN_MEMORY_BYTES = 3 << 30


@dataclass(frozen=True)
class Materials:
    """N records ready for batches.

    Attributes:
        record_id: N ids.
        concept_N: what each record is, None where it has no name.
        pixels_MSSC: uint8, the images there are, M of them, S x S px, C channels.
        size_M4: float32, original width and height in px, then in um (NaN where the pixel size is unknown).
        image_N: int64, the row of each record's image, -1 where it has none.
        barcode_N: the nucleotides, None where there are none.
        haplotype_N: int64, equal for equal barcodes, -1 where there is none.
        marker_N: int64, equal for equal markers, -1 where none is named.
    """

    record_id: tuple[str, ...]
    concept_N: tuple[Concept | None, ...]
    pixels_MSSC: NDArray[np.uint8] | StreamedPixels
    size_M4: NDArray[np.float32]
    image_N: NDArray[np.int64]
    barcode_N: tuple[str | None, ...]
    haplotype_N: NDArray[np.int64]
    marker_N: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.record_id)


def prepare_collection(
    collection: Collection,
    *,
    pixels: PixelPreparation | None,
    rows: NDArray[np.int64],
    kept_groups: int | None = None,
) -> Materials:
    """Returns the materials of some records of a collection, in the order of ``rows``.

    Args:
        collection: where they are.
        pixels: how images are made ready; None leaves them out.
        rows: int64, rows of the collection, each at most once.
        kept_groups: decode images when they are asked for, and keep so many row groups; None decodes all now.
    """
    table = collection.columns().take(rows)
    has_image = [value is not None for value in table["image_sha256"].to_pylist()]
    place = np.full(len(collection), -1, dtype=np.int64)
    if pixels is None:
        has_image = [False] * len(rows)
    count = sum(has_image)
    image_N = np.full(len(rows), -1, dtype=np.int64)
    image_N[np.asarray(has_image, dtype=np.bool_)] = np.arange(count)
    place[rows] = image_N
    pixel_um_M = np.asarray(table["pixel_size_um"].to_pylist(), dtype=np.float32)[image_N >= 0]
    room_MSSC: NDArray[np.uint8] | StreamedPixels
    if pixels is not None and kept_groups is not None:
        room_MSSC = StreamedPixels(
            collection, rows=rows[image_N >= 0], preparation=pixels, kept=kept_groups
        )
        size_M2 = _recorded_sizes(table)[image_N >= 0]
    else:
        room_MSSC, size_M2 = _decoded_now(collection, pixels, place, count)
    names = table["haplotype"].to_pylist()
    return Materials(
        record_id=tuple(table["record_id"].to_pylist()),
        concept_N=tuple(concepts_of(table)),
        pixels_MSSC=room_MSSC,
        size_M4=_with_um(size_M2, pixel_um_M),
        image_N=image_N,
        barcode_N=tuple(table["barcode"].to_pylist()),
        haplotype_N=numbered(names),
        marker_N=numbered(table["marker"].to_pylist()),
    )


def prepare_loose(
    names: Sequence[str],
    images: Sequence[bytes | None],
    barcodes: Sequence[str | None],
    *,
    pixels: PixelPreparation | None,
    pixel_size_um: Sequence[float | None] | None = None,
) -> tuple[Materials, dict[int, str]]:
    """Returns the materials of a user's own images and barcodes, and what failed by row.

    A row that fails keeps its place without an image. ``pixel_size_um`` is one a row, None where unknown.
    """
    decoded: list[NDArray[np.uint8]] = []
    sizes: list[tuple[int, int]] = []
    image_N = np.full(len(names), -1, dtype=np.int64)
    failures: dict[int, str] = {}
    for row, content in enumerate(images):
        if content is None or pixels is None:
            continue
        try:
            found = pixels.read(content)
        except MediaError as reason:
            failures[row] = str(reason)
            continue
        image_N[row] = len(decoded)
        sizes.append((found.width_px, found.height_px))
        decoded.append(pixels.apply(found.pixels_HWC))
    empty = np.zeros((0, *(pixels.shape if pixels is not None else (1, 1, 1))), dtype=np.uint8)
    known_um_N = np.asarray(pixel_size_um or [None] * len(names), dtype=np.float32)
    pixel_um_M = known_um_N[image_N >= 0]
    materials = Materials(
        record_id=tuple(names),
        concept_N=(None,) * len(names),
        pixels_MSSC=np.stack(decoded) if decoded else empty,
        size_M4=_with_um(np.asarray(sizes, dtype=np.float32).reshape(-1, 2), pixel_um_M),
        image_N=image_N,
        barcode_N=tuple(barcodes),
        haplotype_N=numbered(barcodes),
        marker_N=np.full(len(names), -1, dtype=np.int64),
    )
    return materials, failures


def _decoded_now(
    collection: Collection, pixels: PixelPreparation | None, place: NDArray[np.int64], count: int
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    room_MSSC = _room((count, *(pixels.shape if pixels is not None else (1, 1, 1))))
    size_M2 = np.zeros((count, 2), dtype=np.float32)
    if pixels is not None and count:
        wanted = _wanted_images(collection, place)
        for index, content in tracked(wanted, title="read images", total=count):
            decoded = pixels.read(content)
            size_M2[index] = decoded.width_px, decoded.height_px
            room_MSSC[index] = pixels.apply(decoded.pixels_HWC)
    return room_MSSC, size_M2


def _recorded_sizes(table: pa.Table) -> NDArray[np.float32]:
    """Returns width and height as intake decoded them, float32 (N, 2), NaN where unknown."""
    columns = [table[name].to_pylist() for name in ("image_width_px", "image_height_px")]
    return np.asarray(columns, dtype=np.float32).T


def _with_um(size_M2: NDArray[np.float32], pixel_um_M: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.concatenate([size_M2, size_M2 * pixel_um_M[:, None]], axis=1)


def numbered(values: Sequence[str | None]) -> NDArray[np.int64]:
    """Returns equal numbers for equal values, from 0; -1 for None."""
    numbers: dict[str, int] = {}
    found = [-1 if v is None else numbers.setdefault(v, len(numbers)) for v in values]
    return np.asarray(found, dtype=np.int64)


def _wanted_images(collection: Collection, place: NDArray[np.int64]) -> Iterable[tuple[int, bytes]]:
    for row, (_, content) in enumerate(collection.images()):
        if content is not None and place[row] >= 0:
            yield int(place[row]), content


def _room(shape: tuple[int, int, int, int]) -> NDArray[np.uint8]:
    if int(np.prod(shape)) <= IN_MEMORY_BYTES:
        return np.empty(shape, dtype=np.uint8)
    with tempfile.TemporaryFile() as handle:
        return np.memmap(handle, dtype=np.uint8, mode="w+", shape=shape)
