"""Records of a collection -> pieces of an index, some thousand at a time: images are never all in memory."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from holotype.collection.store import Collection, concepts_of
from holotype.errors import CollectionError, MediaError
from holotype.index.records import OF_A_COLLECTION, as_records
from holotype.index.vectors import Vectors
from holotype.inputs.pixels import RowGroup, row_groups
from holotype.media.images import read_pixels
from holotype.media.pixels import Pixels

if TYPE_CHECKING:
    from holotype.inputs.materials import Materials
    from holotype.models.bundle import Bundle
    from holotype.models.encode import Encoded
    from holotype.models.settings import Modality

RECORDS_AT_A_TIME = 1024
JPEG_QUALITY = 80
SMALLEST_THUMBNAIL_PX, LARGEST_THUMBNAIL_PX = 16, 512
_READ = (
    *OF_A_COLLECTION, "qualifier", "kind", "group", "other_ranks", "pixel_size_um", "image",
)  # fmt: skip


@dataclass(frozen=True)
class Stretch:
    """Some consecutive records of a collection.

    Attributes:
        collection: where they are.
        groups: the row groups that hold them.
        row_S: int64, which rows of the collection, rising.
    """

    collection: Collection
    groups: tuple[RowGroup, ...]
    row_S: NDArray[np.int64]


@dataclass(frozen=True)
class Embedded:
    """A stretch, embedded.

    Attributes:
        records: one row each, as ``RECORDS_SCHEMA``.
        encoded: by modality, where there are any; rows are rows of ``records``.
        failures: why an image could not be read, by record id.
    """

    records: pa.Table
    encoded: Mapping["Modality", "Encoded"]
    failures: Mapping[str, str]

    @property
    def vectors(self) -> dict[str, Vectors]:
        """The vectors as an index keeps them, by modality."""
        return {m.value: Vectors.of(one.z_RD, one.row_R) for m, one in self.encoded.items()}


def stretches(collection: Collection, rows: NDArray[np.int64]) -> list[Stretch]:
    """Returns rows of a collection, rising, cut into stretches of about ``RECORDS_AT_A_TIME`` records."""
    groups = row_groups(collection)
    found = []
    for start in range(0, len(rows), RECORDS_AT_A_TIME):
        row_S = rows[start : start + RECORDS_AT_A_TIME]
        held = [g for g in groups if g.first <= row_S[-1] and g.first + g.rows > row_S[0]]
        found.append(Stretch(collection, tuple(held), row_S))
    return found


def embedded(
    bundle: "Bundle", wanted: Sequence[Stretch], *, thumbnails_px: int | None
) -> Iterator[Embedded]:
    """Yields stretches embedded, in order; the next one is read while a model works on the one before.

    Args:
        bundle: the model.
        wanted: what to embed.
        thumbnails_px: the longest side of thumbnails to keep; None for none.
    """
    from holotype.models.encode import encode

    if not wanted:
        return
    with ThreadPoolExecutor(max_workers=1) as pool:
        coming = pool.submit(_made_ready, bundle, wanted[0], thumbnails_px)
        for following in [*wanted[1:], None]:
            records, materials, failures = coming.result()
            if following is not None:
                coming = pool.submit(_made_ready, bundle, following, thumbnails_px)
            yield Embedded(records, encode(bundle.model, materials), failures)


def check_thumbnails(side_px: int | None) -> None:
    """Raises ``CollectionError`` for a side that thumbnails cannot have; None is no thumbnails."""
    if side_px is not None and not SMALLEST_THUMBNAIL_PX <= side_px <= LARGEST_THUMBNAIL_PX:
        raise CollectionError(
            f"thumbnails of {side_px} px: choose {SMALLEST_THUMBNAIL_PX} to {LARGEST_THUMBNAIL_PX}."
        )


def thumbnail(pixels_HWC: Pixels, *, side_px: int) -> bytes:
    """Returns an image as JPEG, made so small that neither side is longer than ``side_px``."""
    height, width = pixels_HWC.shape[:2]
    scale = min(1.0, side_px / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(pixels_HWC, size, interpolation=cv2.INTER_AREA) if scale < 1 else pixels_HWC
    shown = np.ascontiguousarray(small[..., ::-1]) if small.ndim == 3 else small
    _, encoded = cv2.imencode(".jpg", shown, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return bytes(encoded.tobytes())


def _made_ready(
    bundle: "Bundle", stretch: Stretch, thumbnails_px: int | None
) -> tuple[pa.Table, "Materials", dict[str, str]]:
    from holotype.inputs.materials import prepare_loose

    table = _read(stretch)
    images = encoded_images(table)
    ids = table["record_id"].to_pylist()
    materials, failed = prepare_loose(
        ids,
        images,
        table["barcode"].to_pylist(),
        pixels=bundle.pixels,
        pixel_size_um=table["pixel_size_um"].to_pylist(),
    )
    names = [None if c is None else c.name for c in concepts_of(table)]
    table = table.append_column("label", pa.array(names, pa.string()))
    if thumbnails_px is not None:
        shown = [_thumbnail(content, thumbnails_px) for content in images]
        table = table.append_column("thumbnail", pa.array(shown, pa.binary()))
    return as_records(table), materials, {ids[row]: why for row, why in failed.items()}


def encoded_images(table: pa.Table) -> list[bytes | None]:
    """Returns the encoded images of a table of a collection."""
    return [None if one is None else one["bytes"] for one in table["image"].to_pylist()]


def _thumbnail(content: bytes | None, side_px: int) -> bytes | None:
    if content is None:
        return None
    try:
        return thumbnail(read_pixels(content), side_px=side_px)
    except MediaError:
        return None


def _read(stretch: Stretch) -> pa.Table:
    parts = []
    for group in stretch.groups:
        rows = stretch.row_S[
            (stretch.row_S >= group.first) & (stretch.row_S < group.first + group.rows)
        ]
        try:
            with pq.ParquetFile(group.path) as shard:
                part = shard.read_row_group(group.number, columns=list(_READ))
        except FileNotFoundError as reason:
            raise CollectionError(
                f"{stretch.collection.path}: was changed by another command since it was opened ({reason}). "
                "Run this command again."
            ) from None
        parts.append(part.take(rows - group.first))
    return pa.concat_tables(parts)
