"""The pixels of chosen records, read from only those parts of the shards that hold them."""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from holotype.collection.store import Collection
from holotype.errors import MediaError
from holotype.media.images import read_pixels
from holotype.media.pixels import Pixels, with_channels


def pictures(collection: Collection, rows: Sequence[int]) -> Iterator[tuple[int, Pixels]]:
    """Yields row and pixels of the chosen rows that have an image, in the order of the collection."""
    wanted = np.unique(np.asarray(rows, dtype=np.int64))
    first = 0
    for path in collection.shard_paths():
        with pq.ParquetFile(path) as shard:
            for group in range(shard.num_row_groups):
                end = first + shard.metadata.row_group(group).num_rows
                inside = wanted[np.searchsorted(wanted, first) : np.searchsorted(wanted, end)]
                if len(inside):
                    yield from _decoded(shard.read_row_group(group, ["image"]), inside, first)
                first = end


def _decoded(table: pa.Table, rows: NDArray[np.int64], first: int) -> Iterator[tuple[int, Pixels]]:
    chosen = table["image"].combine_chunks().take(pa.array(rows - first)).field("bytes")
    for row, content in zip(rows.tolist(), chosen, strict=True):
        if content.is_valid:
            try:
                yield row, read_pixels(content.as_py())
            except MediaError:
                continue


def small_grey(pixels_HWC: Pixels, *, side_px: int) -> NDArray[np.uint8]:
    """Returns a grey copy whose longer side is at most so long, uint8 (H, W)."""
    grey_HW = with_channels(pixels_HWC, channels=1)[:, :, 0]
    return shrunk(grey_HW, scale=min(1.0, side_px / max(grey_HW.shape)))


def shrunk(grey_HW: NDArray[np.uint8], *, scale: float) -> NDArray[np.uint8]:
    """Returns the image at a smaller scale, areas averaged; itself at scale 1."""
    if scale >= 1:
        return grey_HW
    height, width = grey_HW.shape
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(grey_HW, size, interpolation=cv2.INTER_AREA), np.uint8)


def likeness(first_HW: NDArray[np.uint8], second_HW: NDArray[np.uint8]) -> float:
    """Returns the normalised correlation of two images at the size of the smaller one, -1 to 1.

    An even image correlates with nothing: 0.
    """
    small, large = sorted((first_HW, second_HW), key=lambda image: image.size)
    if large.shape != small.shape:
        size = (small.shape[1], small.shape[0])
        large = np.asarray(cv2.resize(large, size, interpolation=cv2.INTER_AREA), np.uint8)
    a = small.astype(np.float32) - float(small.mean())
    b = large.astype(np.float32) - float(large.mean())
    norm = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / norm if norm > 0 else 0.0
