"""Large JPEG at a reduced scale: when, how nearly the same, and as strict as ever."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from holotype.errors import MediaError
from holotype.media.images import read_enough, read_pixels
from holotype.media.marks import Marks
from holotype.media.preparation import PixelPreparation, PreparationKind
from holotype.media.reduction import reduction_of
from holotype.media.subject import LARGEST_PX

RNG = np.random.default_rng(8)
COLOUR = cv2.resize(RNG.integers(0, 256, (11, 14, 3), np.uint8), (700, 530))
SIDE = 16  # of 530 px, an eighth is 66 px: four times 16 and a little more
STARTER = PixelPreparation(PreparationKind.PADDED, 64, 1)


def encoded(pixels, form="JPEG", orientation=None, **options):
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    if orientation is not None:
        options["exif"] = Image.Exif()
        options["exif"][0x0112] = orientation
    handle = io.BytesIO()
    image.save(handle, form, **options)
    return handle.getvalue()


@pytest.mark.parametrize(
    ("shorter", "reduction"),
    [(60, 1), (511, 1), (512, 2), (1023, 2), (1024, 4), (2047, 4), (2048, 8), (20_000, 8)],
)
def test_only_what_is_eight_times_as_large_as_needed_is_reduced(shorter, reduction):
    assert reduction_of(shorter, 3 * shorter, 64) == reduction
    assert reduction_of(3 * shorter, shorter, 64) == reduction


@pytest.mark.parametrize("pixels", [COLOUR, COLOUR[..., 1]], ids=["colour", "grey"])
@pytest.mark.parametrize("needed", [16, 32, 64, 67])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}], ids=str)
def test_reduced_pixels_are_nearly_the_means_of_areas(pixels, needed, options):
    content = encoded(pixels, quality=92, **options)
    scale = {16: 8, 32: 4, 64: 2, 67: 1}[needed]
    found, whole = read_enough(content, needed_px=needed), read_pixels(content)
    assert (found.width_px, found.height_px) == (700, 530)
    height, width = found.pixels_HWC.shape[:2]
    assert (height, width) == (round(530 / scale), round(700 / scale))
    assert found.reduction == pytest.approx(scale, rel=0.01)
    if scale == 1:
        np.testing.assert_array_equal(found.pixels_HWC, whole)
    rows, columns = 530 // scale, 700 // scale
    kept = whole[: rows * scale, : columns * scale].astype(float)
    blocks = kept.reshape(rows, scale, columns, scale, -1).mean(axis=(1, 3))
    apart = np.abs(found.pixels_HWC[:rows, :columns] - blocks)
    assert apart.mean() < 1.0
    assert apart.max() < 12


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_photograph_is_reduced_upright(orientation):
    plain, turned = encoded(COLOUR), encoded(COLOUR, orientation=orientation)
    from PIL import ImageOps

    reduced = Image.fromarray(read_enough(plain, needed_px=SIDE).pixels_HWC)
    exif = reduced.getexif()
    exif[0x0112] = orientation
    upright = np.asarray(ImageOps.exif_transpose(reduced))
    found = read_enough(turned, needed_px=SIDE)
    assert found.pixels_HWC.shape == upright.shape
    assert np.abs(found.pixels_HWC.astype(int) - upright).max() <= 1
    size = (found.width_px, found.height_px)
    assert size == ((530, 700) if orientation > 4 else (700, 530))


def test_sizes_of_a_nearly_square_photograph_are_those_of_the_file():
    nearly = np.ascontiguousarray(COLOUR[:, :529])  # reduced, its sides are equal
    for orientation, size in ((1, (529, 530)), (6, (530, 529))):
        found = read_enough(encoded(nearly, orientation=orientation), needed_px=SIDE)
        assert found.pixels_HWC.shape[:2] == (66, 66)
        assert (found.width_px, found.height_px) == size


@pytest.mark.parametrize("orientation", [None, 6])
@pytest.mark.parametrize("kept", [0.02, 0.4, 0.9, 0.999])
def test_a_truncated_photograph_is_refused(orientation, kept):
    content = encoded(COLOUR, orientation=orientation)
    with pytest.raises(MediaError, match=r"^(damaged|not a readable)"):
        read_enough(content[: int(len(content) * kept)], needed_px=SIDE)


def test_a_photograph_in_the_colours_of_print_is_reduced_too():
    content = encoded(Image.fromarray(COLOUR).convert("CMYK"))
    found = read_enough(content, needed_px=SIDE)
    assert found.pixels_HWC.shape == (66, 88, 3)
    middles = read_pixels(content)[4:528:8, 4::8].astype(int)
    assert np.abs(middles - found.pixels_HWC[:, :87]).mean() < 6


@pytest.mark.parametrize("form", ["PNG", "TIFF", "BMP"])
def test_other_formats_are_read_whole(form):
    found = read_enough(encoded(COLOUR, form), needed_px=SIDE)
    np.testing.assert_array_equal(found.pixels_HWC, COLOUR)
    assert found.reduction == 1


def test_what_each_preparation_needs():
    side = 64
    for kind in PreparationKind:
        needed = max(side, LARGEST_PX) if kind is PreparationKind.SUBJECT else side
        assert PixelPreparation(kind, side, 1).needed_px == needed
        assert PixelPreparation(kind, side, 1, Marks.REMOVE).needed_px is None
    marked = PixelPreparation(PreparationKind.PADDED, SIDE, 1, Marks.REMOVE)
    assert marked.read(encoded(COLOUR)).pixels_HWC.shape == (530, 700, 3)


@pytest.mark.parametrize(
    "kind", [PreparationKind.PADDED, PreparationKind.SQUASHED, PreparationKind.CENTRE_CROP]
)
def test_the_square_of_a_reduced_photograph_is_nearly_that_of_the_whole(kind):
    preparation = PixelPreparation(kind, SIDE, 3)
    for pixels, mean, most in ((COLOUR[:528, :696], 1, 4), (COLOUR, 3, 24)):
        content = encoded(np.ascontiguousarray(pixels), quality=92)
        reduced = preparation.apply(preparation.read(content).pixels_HWC).astype(int)
        apart = np.abs(reduced - preparation.apply(read_pixels(content)))
        assert apart.mean() < mean  # every pixel of the square is an edge here
        assert apart.max() <= most


def test_a_photograph_is_reduced_for_the_square_that_a_model_reads():
    large = cv2.resize(COLOUR, (1_400, 1_060))
    assert STARTER.read(encoded(large)).pixels_HWC.shape == (265, 350, 3)
    assert STARTER.read(encoded(COLOUR)).pixels_HWC.shape == (265, 350, 3)
    assert STARTER.read(encoded(COLOUR[:500])).pixels_HWC.shape == (500, 700, 3)
