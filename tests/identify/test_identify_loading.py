"""Specimens are loaded as collections know them: a photograph that is decoded reduced keeps its size."""

import cv2
import numpy as np
import pytest

from holotype.identify.inputs import Specimen
from holotype.identify.loading import load
from holotype.inputs.materials import prepare_loose
from holotype.media.images import read_pixels
from holotype.media.measures import measure
from holotype.media.preparation import PixelPreparation, PreparationKind

STARTER = PixelPreparation(PreparationKind.PADDED, 64, 1)


def photograph() -> bytes:
    """A dark disc of 500 px on paper, 1,503 x 1,101 px; an eighth of 64 px is 512."""
    pixels = np.full((1_101, 1_503, 3), 220, np.uint8)
    cv2.circle(pixels, (740, 540), 250, (60, 80, 40), -1)
    return cv2.imencode(".jpg", pixels)[1].tobytes()


def test_a_reduced_photograph_has_the_size_and_the_object_of_the_whole():
    content = photograph()
    assert STARTER.read(content).reduction == pytest.approx(4, rel=0.01)
    loaded = load(Specimen("a.jpg", lambda: content), STARTER)
    context = loaded.specimen.context
    assert (context["image_width_px"], context["image_height_px"]) == (1_503, 1_101)
    whole = measure(read_pixels(content))
    assert context["object_esd_px"] == pytest.approx(500, rel=0.03)
    assert context["object_esd_px"] == pytest.approx(whole.object_esd_px, rel=0.02)
    assert loaded.grey_mean == pytest.approx(whole.grey_mean, abs=0.5)
    np.testing.assert_array_equal(
        loaded.square_SSC, STARTER.apply(STARTER.read(content).pixels_HWC)
    )


def test_loose_materials_have_the_square_and_the_size_that_loading_gives():
    content = photograph()
    materials, failures = prepare_loose(["a"], [content], [None], pixels=STARTER)
    assert failures == {}
    assert materials.size_M4[0, :2].tolist() == [1_503, 1_101]
    loaded = load(Specimen("a.jpg", lambda: content), STARTER)
    np.testing.assert_array_equal(materials.pixels_MSSC[0], loaded.square_SSC)


def test_a_truncated_photograph_is_a_failure_of_its_own():
    content = photograph()
    loaded = load(Specimen("a.jpg", lambda: content[:-400]), STARTER)
    assert loaded.square_SSC is None
    assert "damaged" in loaded.failure
