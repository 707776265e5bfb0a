"""What is measured on every image: on discs of known size, and on real crops saved anew."""

import io
import zipfile

import cv2
import numpy as np
import pytest

from holotype.media.images import read_pixels
from holotype.media.measures import ImageFlag, measure


def disc(*, side=64, radius=12, background=200, object_level=60, centre=None, noise=0.0):
    """A disc on an even background, uint8 (H, W, 1)."""
    pixels = np.full((side, side), background, np.float64)
    cv2.circle(pixels, centre or (side // 2, side // 2), radius, object_level, -1)
    pixels = cv2.GaussianBlur(pixels, (0, 0), 0.7)
    pixels += np.random.default_rng(0).normal(0, noise, pixels.shape)
    return np.clip(pixels, 0, 255).astype(np.uint8)[..., None]


def with_bar(pixels, *, length=30, thick=2, level=0, top=None):
    marked = pixels.copy()
    top = len(marked) - 8 if top is None else top
    marked[top : top + thick, 6 : 6 + length] = level
    return marked


def reencoded(pixels, quality):
    return cv2.imdecode(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], 0)[
        ..., None
    ]


def rescaled(pixels, factor):
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=method)[..., None]


def bits(first, second):
    return (first.phash ^ second.phash).bit_count()


@pytest.mark.parametrize("noise", [0.0, 3.0])
@pytest.mark.parametrize(("background", "level"), [(200, 60), (10, 180), (128, 90)])
def test_the_diameter_does_not_depend_on_polarity(background, level, noise):
    found = measure(disc(radius=12, background=background, object_level=level, noise=noise))
    assert found.object_esd_px == pytest.approx(25, abs=2.5)
    assert found.flags == ()


def test_the_diameter_is_in_pixels_of_the_whole_image():
    assert measure(disc(side=600, radius=120)).object_esd_px == pytest.approx(241, rel=0.03)


def test_colour_is_measured_as_grey():
    grey = disc()
    assert measure(np.repeat(grey, 3, axis=2)) == measure(grey)


def test_greys_by_hand():
    pixels = np.zeros((10, 10, 1), np.uint8)
    pixels[:5] = 100
    found = measure(pixels)
    assert (found.grey_mean, found.grey_sd) == (50.0, 50.0)


@pytest.mark.parametrize("level", [0, 128, 255])
def test_an_even_image_is_blank_and_has_no_hash(level):
    found = measure(np.full((40, 50, 1), level, np.uint8))
    assert found.flags == (ImageFlag.BLANK,)
    assert (found.phash, found.object_esd_px, found.phash_text) == (None, None, None)
    assert found.grey_sd == 0


def test_sensor_noise_alone_is_blank_but_a_faint_object_is_not():
    noise = np.random.default_rng(1).normal(120, 2, (64, 64, 1)).astype(np.uint8)
    assert ImageFlag.BLANK in measure(noise).flags
    assert measure(disc(background=120, object_level=90, noise=2)).flags == ()


def test_a_cut_object_is_flagged_and_a_touching_one_is_not():
    assert measure(disc(centre=(2, 32))).flags == (ImageFlag.TRUNCATED_CROP,)
    touching = disc()
    touching[32:34, :32] = 60  # an antenna that reaches the side
    assert measure(touching).flags == ()


@pytest.mark.parametrize("level", [0, 255])
@pytest.mark.parametrize("thick", [2, 4])
@pytest.mark.parametrize("quality", [None, 90])
def test_a_scale_bar_is_found_with_its_place(thick, level, quality):
    pixels = with_bar(disc(side=128, background=128), level=level, thick=thick)
    bar = measure(pixels if quality is None else reencoded(pixels, quality)).bar
    assert (bar.left_px, bar.top_px) == pytest.approx((6, 120), abs=1)
    assert (bar.length_px, bar.thickness_px) == pytest.approx((30, thick), abs=2)


def test_a_scale_bar_is_no_part_of_the_object():
    plain = disc(side=128)
    assert measure(with_bar(plain, length=60)).object_esd_px == pytest.approx(
        measure(plain).object_esd_px, rel=0.02
    )


@pytest.mark.parametrize(
    "spoilt",
    [
        disc(side=128),
        with_bar(disc(side=128), top=60),  # in the middle: a spine
        with_bar(disc(side=128), length=122),  # from side to side: a seam
        with_bar(disc(side=128), level=170),  # faint
        with_bar(disc(side=128), thick=20),  # a block
    ],
    ids=["none", "middle", "seam", "faint", "block"],
)
def test_what_is_no_scale_bar(spoilt):
    assert measure(spoilt).bar is None


def test_the_flags_and_the_hash_as_columns():
    both = with_bar(disc(side=128, centre=(64, 2), background=255))
    assert measure(both).flags_text == "truncated_crop;scale_bar"
    assert measure(disc()).flags_text is None
    assert int(measure(disc()).phash_text, 16) == measure(disc()).phash
    assert len(measure(disc()).phash_text) == 16


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (3, 2), (5, 900)])
def test_any_shape_is_measured(shape):
    pixels = np.random.default_rng(0).integers(0, 256, (*shape, 1), dtype=np.uint8)
    found = measure(pixels)
    assert 0 <= found.grey_mean <= 255
    assert found == measure(pixels)


@pytest.mark.real
def test_real_crops_keep_their_hash_when_saved_anew(real_data):
    same, other, hashes = [], [], []
    with zipfile.ZipFile(real_data / "plankton" / "isiis" / "planktonset1.zip") as archive:
        names = sorted(n for n in archive.namelist() if n.endswith(".jpg"))[::120]
        for name in names:
            pixels = read_pixels(archive.read(name))[..., :1]
            first = measure(pixels)
            if first.phash is None or min(pixels.shape[:2]) < 48:
                continue
            hashes.append(first)
            same += [bits(first, measure(reencoded(pixels, q))) for q in (90, 75)]
            same += [bits(first, measure(rescaled(pixels, f))) for f in (1.5,)]
    other = [bits(a, b) for i, a in enumerate(hashes) for b in hashes[:i]]
    assert len(hashes) > 60
    assert np.quantile(same, 0.95) <= 6
    assert np.mean(np.array(other) <= 6) < 0.001


@pytest.mark.real
def test_the_scale_bars_of_real_vignettes_are_found_and_only_those(real_data):
    marked = real_data / "formats" / "ecotaxa_qa" / "import_test" / "m106_mn01_n1_sml"
    with_bars = [measure(read_pixels(p.read_bytes())) for p in sorted(marked.glob("*.jpg"))]
    assert len(with_bars) == 5
    assert all(found.bar is not None for found in with_bars)
    plain = [
        measure(read_pixels(p.read_bytes()))
        for p in sorted((real_data / "plankton" / "uvp6" / "images").rglob("*.png"))[::10]
    ]
    assert not any(found.bar for found in plain)


def test_the_test_image_survives_a_real_decoder():
    handle = io.BytesIO(cv2.imencode(".png", disc())[1].tobytes())
    assert measure(read_pixels(handle.getvalue())) == measure(disc())
