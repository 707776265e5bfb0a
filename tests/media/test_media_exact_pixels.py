"""Squares are within a level of an exact computation: areas, slopes and cubics added up in float64."""

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from holotype.media.pixels import background_C, is_grey, padded_square
from holotype.media.preparation import PixelPreparation, PreparationKind

SPEED = Path(__file__).parents[2] / "benchmarks" / "speed"
SHAPES = [(1, 1), (3, 70), (41, 30), (64, 64), (97, 130), (128, 64), (181, 200)]


@pytest.fixture
def exact(monkeypatch):
    monkeypatch.syspath_prepend(str(SPEED))
    import exact_pixels

    yield exact_pixels
    sys.modules.pop("exact_pixels", None)


def crops(shape, channels):
    """Noise, which shows every wrong weight, and the same with soft edges, as organisms have them."""
    rng = np.random.default_rng(sum(shape))
    noise = rng.integers(0, 256, (*shape, channels), dtype=np.uint8)
    return noise, cv2.GaussianBlur(noise, (5, 5), 1.5).reshape(noise.shape)


def test_weights_by_hand(exact):
    np.testing.assert_allclose(exact.areas(3, 2), [[2 / 3, 1 / 3, 0], [0, 1 / 3, 2 / 3]])
    slopes = [[1, 0], [0.75, 0.25], [0.25, 0.75], [0, 1]]
    np.testing.assert_allclose(exact.slopes(2, 4), slopes)
    # between two pixels the cubic is (-1, 9, 9, -1) / 16; a step to half the size is 0.5 apart
    np.testing.assert_allclose(exact.cubics(4, 4), np.eye(4), atol=1e-12)
    np.testing.assert_allclose(exact.cubics(9, 3)[1].sum(), 1)
    assert exact.in_levels(np.array([0.5, 1.5, -3.0, 256.0])).tolist() == [0, 2, 0, 255]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(("side", "channels"), [(64, 1), (96, 3)])
def test_padded_squares_are_within_a_level(exact, shape, side, channels):
    preparation = PixelPreparation(PreparationKind.PADDED, side, channels)
    for pixels in (*crops(shape, 1), *crops(shape, 3)):
        found = preparation.apply(pixels)
        assert exact.levels_apart(found, pixels, preparation).max() <= 1


@pytest.mark.parametrize("kind", [PreparationKind.SQUASHED, PreparationKind.CENTRE_CROP])
@pytest.mark.parametrize("shape", [(41, 30), (64, 64), (97, 130), (128, 64)], ids=str)
def test_bicubic_squares_are_within_a_level(exact, kind, shape):
    for side, channels in ((48, 1), (96, 3)):
        preparation = PixelPreparation(kind, side, channels)
        for pixels in (*crops(shape, 1), *crops(shape, 3)):
            found = preparation.apply(pixels)
            assert exact.levels_apart(found, pixels, preparation).max() <= 1


@pytest.mark.parametrize("kind", list(PreparationKind))
def test_grey_in_three_channels_gives_what_grey_in_one_does(kind):
    grey = crops((90, 71), 1)[1]
    colour = np.repeat(grey, 3, axis=2)
    for channels in (1, 3):
        preparation = PixelPreparation(kind, 48, channels)
        if kind is not PreparationKind.SUBJECT:
            np.testing.assert_array_equal(preparation.apply(colour), preparation.apply(grey))
        assert preparation.apply(colour).shape == (48, 48, channels)


def test_one_coloured_pixel_makes_an_image_coloured():
    pixels = np.repeat(crops((9, 8), 1)[0], 3, axis=2)
    assert is_grey(pixels)
    assert is_grey(pixels[:, :, :1])
    for row, column in ((0, 0), (4, 7), (8, 3)):  # the middle row is looked at first
        coloured = pixels.copy()
        coloured[row, column, 2] ^= 1
        assert not is_grey(coloured)
    coloured = np.full((40, 40, 3), 90, np.uint8)
    coloured[:10, :, 0] = 200
    square = padded_square(coloured, side_px=40, channels=3)
    np.testing.assert_array_equal(square, coloured)


def test_between_two_middle_values_the_background_is_the_lower_whole_level():
    pixels = np.array([[[10, 0], [13, 0]], [[10, 7], [13, 8]]], np.uint8)
    # 10, 10, 13, 13, twice: 11.5; 0, 0, 7, 8, twice: 3.5
    assert background_C(pixels).tolist() == [11, 3]
    assert background_C(pixels).dtype == np.uint8
