"""Streamed pixels are those of the array in memory, and few row groups are held at a time."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from holotype.collection.store import open_collection
from holotype.errors import CollectionError
from holotype.inputs.materials import prepare_collection
from holotype.inputs.pixels import StreamedPixels, row_groups
from holotype.media.preparation import PixelPreparation, PreparationKind

PIXELS = PixelPreparation(PreparationKind.PADDED, side_px=24, channels=1)


def test_row_groups_cover_a_collection(tiny_collection: Path) -> None:
    collection = open_collection(tiny_collection)
    groups = row_groups(collection)
    assert len(groups) > 1
    assert [g.first for g in groups[1:]] == [g.first + g.rows for g in groups[:-1]]
    assert groups[-1].first + groups[-1].rows == len(collection)


def test_streamed_pixels_and_sizes_are_those_in_memory(tiny_collection: Path) -> None:
    collection = open_collection(tiny_collection)
    rows = np.random.default_rng(0).permutation(len(collection))[:200]
    held = prepare_collection(collection, pixels=PIXELS, rows=rows)
    streamed = prepare_collection(collection, pixels=PIXELS, rows=rows, kept_groups=2)
    pixels = streamed.pixels_MSSC
    assert isinstance(pixels, StreamedPixels)
    assert pixels.shape == held.pixels_MSSC.shape
    assert streamed.image_N.tolist() == held.image_N.tolist()
    assert np.array_equal(streamed.size_M4, held.size_M4, equal_nan=True)
    chosen = np.asarray([5, 0, 199, 5, 77])
    assert np.array_equal(pixels[chosen], held.pixels_MSSC[chosen])
    with ThreadPoolExecutor(4) as pool:
        parts = list(pool.map(lambda at: pixels[np.arange(at, at + 20)], range(0, 200, 20)))
    assert np.array_equal(np.concatenate(parts), held.pixels_MSSC)
    assert pixels.decoded == len(np.unique(pixels.group_M))  # each group once, all threads together


def test_a_group_that_was_let_go_is_read_again(tiny_collection: Path) -> None:
    collection = open_collection(tiny_collection)
    groups = row_groups(collection)
    rows = np.asarray([group.first for group in groups])
    pixels = StreamedPixels(collection, rows=rows, preparation=PIXELS, kept=2)
    pixels._kept = 1
    for at in (0, 1, 0, 0, 1):
        pixels[np.asarray([at])]
    assert pixels.decoded == 4


def test_a_shard_that_is_gone_is_named(tiny_collection: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_collection, tmp_path / "copy")
    collection = open_collection(tmp_path / "copy")
    pixels = StreamedPixels(collection, rows=np.arange(5), preparation=PIXELS, kept=2)
    gone = collection.shard_paths()[0]
    gone.unlink()
    with pytest.raises(CollectionError, match=gone.name):
        pixels[np.arange(2)]
