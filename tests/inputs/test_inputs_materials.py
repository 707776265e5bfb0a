"""A collection's records made ready: order, padding, and what is missing."""

import io
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from holotype.collection.store import open_collection
from holotype.inputs.materials import numbered, prepare_collection, prepare_loose
from holotype.media.images import read_pixels
from holotype.media.pixels import padded_square
from holotype.media.preparation import PixelPreparation, PreparationKind


def padded(side_px: int) -> PixelPreparation:
    return PixelPreparation(PreparationKind.PADDED, side_px=side_px, channels=1)


def png(pixels: np.ndarray) -> bytes:
    written = io.BytesIO()
    Image.fromarray(pixels).save(written, "PNG")
    return written.getvalue()


def test_numbered_gives_equal_numbers_to_equal_values() -> None:
    assert numbered(["b", None, "a", "b"]).tolist() == [0, -1, 1, 0]
    assert numbered([]).dtype == np.int64


@pytest.fixture(scope="module")
def table(tiny_collection: Path) -> pa.Table:
    return open_collection(tiny_collection).columns()


def test_rows_come_in_the_order_asked_for(tiny_collection: Path, table: pa.Table) -> None:
    opened = open_collection(tiny_collection)
    rows = np.random.default_rng(0).permutation(len(opened))[:60]
    materials = prepare_collection(opened, pixels=padded(24), rows=rows)
    assert list(materials.record_id) == table["record_id"].take(rows).to_pylist()
    assert list(materials.barcode_N) == table["barcode"].take(rows).to_pylist()
    hashes = table["image_sha256"].take(rows).to_pylist()
    assert (materials.image_N >= 0).tolist() == [value is not None for value in hashes]
    widths = table["image_width_px"].take(rows).to_pylist()
    scales = table["pixel_size_um"].take(rows).to_pylist()
    contents = dict(opened.images())
    for place, record_id in enumerate(materials.record_id):
        image = materials.image_N[place]
        if image < 0:
            continue
        assert materials.size_M4[image, 0] == widths[place]
        assert materials.size_M4[image, 2] == pytest.approx(widths[place] * scales[place])
        expected = padded_square(read_pixels(contents[record_id]), side_px=24, channels=1)
        assert np.array_equal(materials.pixels_MSSC[image], expected)


def test_equal_barcodes_and_they_alone_share_a_haplotype(
    tiny_collection: Path, table: pa.Table
) -> None:
    opened = open_collection(tiny_collection)
    rows = np.arange(len(opened))
    materials = prepare_collection(opened, pixels=None, rows=rows)
    assert (materials.image_N == -1).all()  # no side, no images
    assert len(materials.pixels_MSSC) == 0
    barcodes = table["barcode"].to_pylist()
    for first in range(0, len(opened), 7):
        same = [b is not None and b == barcodes[first] for b in barcodes]
        mine = materials.haplotype_N[first]
        assert ((materials.haplotype_N == mine) & (mine >= 0)).tolist() == same


def test_named_records_have_concepts(tiny_collection: Path, table: pa.Table) -> None:
    opened = open_collection(tiny_collection)
    materials = prepare_collection(opened, pixels=None, rows=np.arange(len(opened)))
    for concept, species in zip(materials.concept_N, table["species"].to_pylist(), strict=True):
        assert concept is not None
        if species is not None:
            assert concept.lineage.name == species


def test_loose_images_are_padded_with_their_own_background() -> None:
    wide = np.full((6, 18), 200, dtype=np.uint8)
    wide[2:4, 6:12] = 0
    materials, failures = prepare_loose(
        ["wide"], [png(wide)], [None], pixels=padded(18), pixel_size_um=[2.5]
    )
    assert failures == {}
    assert materials.size_M4.tolist() == [[18.0, 6.0, 45.0, 15.0]]
    pixels = materials.pixels_MSSC[0, :, :, 0]
    assert np.array_equal(pixels[6:12], wide)
    assert (pixels[:6] == 200).all()
    assert (pixels[12:] == 200).all()


def test_a_broken_image_keeps_its_row() -> None:
    grey = np.full((5, 5), 9, dtype=np.uint8)
    colour = np.full((5, 5, 3), (255, 0, 0), dtype=np.uint8)
    materials, failures = prepare_loose(
        ["good", "none", "broken", "colour"],
        [png(grey), None, png(grey)[:50], png(colour)],
        [None, "ACGT", None, "ACGT"],
        pixels=padded(16),
    )
    assert list(failures) == [2]
    assert "PNG" in failures[2]
    assert materials.image_N.tolist() == [0, -1, -1, 1]
    assert materials.haplotype_N.tolist() == [-1, 0, -1, 0]
    red_luma = cv2.cvtColor(colour, cv2.COLOR_RGB2GRAY)[0, 0]
    assert (materials.pixels_MSSC[1] == red_luma).all()  # 0.299 * 255


def test_nothing_to_decode_still_has_a_shape() -> None:
    materials, failures = prepare_loose(
        ["a"],
        [None],
        ["ACGT"],
        pixels=PixelPreparation(PreparationKind.PADDED, side_px=32, channels=3),
    )
    assert materials.pixels_MSSC.shape == (0, 32, 32, 3)
    assert materials.size_M4.shape == (0, 4)
    assert failures == {}


def test_equal_markers_get_equal_numbers(tiny_collection: Path, table: pa.Table) -> None:
    rows = np.arange(len(table))[::-1]
    found = prepare_collection(open_collection(tiny_collection), pixels=None, rows=rows).marker_N
    written = [table["marker"][int(row)].as_py() for row in rows]
    assert None in written
    assert len(set(written)) > 1
    assert found.dtype == np.int64
    assert found.tolist() == numbered(written).tolist()
