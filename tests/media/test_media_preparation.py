"""Squares that towers read: the subject without its background, and images without burnt-in marks."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from holotype.media.images import read_pixels
from holotype.media.marks import FRINGE_PX, MarkKind, Marks, find_marks, without_marks
from holotype.media.pixels import padded_square
from holotype.media.preparation import PixelPreparation, PreparationKind
from holotype.media.subject import find_subject

Array = np.ndarray
SUBJECT = PixelPreparation(PreparationKind.SUBJECT, 48, 1)
GOLDEN = [
    [0, 0, 0, 0, 0, 0],
    [0, 3, 12, 6, 0, 0],
    [23, 167, 173, 138, 24, 0],
    [6, 134, 155, 160, 48, 0],
    [0, 2, 9, 4, 0, 0],
    [0, 0, 0, 0, 0, 0],
]
"""Means over blocks of 8 x 8 px of the subject of ``crop(noise=0)``."""


def crop(
    *, paper: float = 210.0, ink: float = 60.0, side: int = 60, noise: float = 1.5, seed: int = 0
) -> Array:
    """A soft-edged body with a spine on even paper with noise, float (H, W)."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, : side + 10] - side / 2
    body = 1 / (1 + np.exp((np.hypot(x / 1.6, y) - side / 5) / 1.2))
    spine = np.exp(-((y - 0.3 * x) ** 2) / 3) * (np.abs(x) < side / 2.6)
    shape = np.clip(body * (0.7 + 0.3 * np.sin(x / 3)) + 0.6 * spine, 0, 1)
    return paper + (ink - paper) * shape + rng.normal(0, noise, shape.shape)


def eight_bit(values: Array) -> Array:
    pixels = np.clip(np.round(values), 0, 255).astype(np.uint8)
    return pixels[..., None] if pixels.ndim == 2 else pixels


def apart(first: Array, second: Array) -> float:
    """Mean difference in grey levels."""
    return float(np.abs(first.astype(int) - second.astype(int)).mean())


@pytest.mark.parametrize(("paper", "ink", "polarity"), [(215, 40, -1), (8, 180, 1), (120, 60, -1)])
def test_the_subject_is_bright_on_black(paper: int, ink: int, polarity: int) -> None:
    found = find_subject(eight_bit(crop(paper=paper, ink=ink)))
    assert found.polarity == polarity
    assert float(found.background_C[0]) == pytest.approx(paper, abs=2)
    bright_HW = found.bright_HWC[..., 0]
    assert float((bright_HW[:4] == 0).mean()) > 0.9  # no noise is left
    assert float(bright_HW[25:35, 25:35].mean()) > 0.5
    assert bright_HW.max() == 1.0


@settings(max_examples=40, deadline=None)
@given(
    paper=st.integers(30, 225),
    ink=st.integers(0, 255),
    noise=st.floats(0, 6),
    channels=st.sampled_from([1, 3]),
    seed=st.integers(0, 99),
)
def test_an_inverted_image_has_the_same_subject(
    paper: int, ink: int, noise: float, channels: int, seed: int
) -> None:
    grey = eight_bit(crop(paper=paper, ink=ink, noise=noise, seed=seed))
    tint = np.asarray([1.0, 0.9, 0.8])[:channels]
    pixels = (grey * tint).astype(np.uint8)
    first, second = find_subject(pixels), find_subject(255 - pixels)
    if abs(paper - ink) > 30:
        assert first.polarity == -second.polarity
        assert np.abs(first.bright_HWC - second.bright_HWC).max() < 0.01


@pytest.mark.parametrize("added", [-60, 40])
def test_the_level_of_the_background_changes_little(added: int) -> None:
    plain = crop(paper=150, ink=70)
    first, second = SUBJECT.apply(eight_bit(plain)), SUBJECT.apply(eight_bit(plain + added))
    assert apart(first, second) < 1.0


def test_uneven_light_changes_little() -> None:
    plain = crop(paper=150, ink=70)
    height, width = plain.shape
    light = np.linspace(-30, 30, width)[None] + np.linspace(-20, 20, height)[:, None]
    even, uneven = eight_bit(plain), eight_bit(plain + light)
    assert apart(SUBJECT.apply(even), SUBJECT.apply(uneven)) < 3.0
    padded = PixelPreparation(PreparationKind.PADDED, 48, 1)
    assert apart(padded.apply(even), padded.apply(uneven)) > 10.0


def test_contrast_is_taken_off_but_faint_subjects_stay_faint() -> None:
    strong, weak = (find_subject(eight_bit(crop(ink=ink, noise=0.3))) for ink in (40, 130))
    assert apart(255 * strong.bright_HWC, 255 * weak.bright_HWC) < 6.0
    faint = find_subject(eight_bit(crop(paper=210, ink=198, noise=0.3)))
    assert 0.05 < float(faint.bright_HWC.max()) < 0.6


def test_a_subject_that_touches_the_border_does_not_bend_the_background() -> None:
    pixels = eight_bit(crop(paper=200, ink=50, noise=0.5))
    pixels[20:45, :30] = 50  # comes in from the left, over two fifths of that side
    found = find_subject(pixels)
    bright_HW = found.bright_HWC[..., 0]
    assert float(bright_HW[25:40, :20].min()) > 0.8
    assert float(bright_HW[:, -4:].max()) == 0.0


def test_colour_is_kept_relative_to_the_background() -> None:
    pixels = np.full((40, 40, 3), (200, 210, 190), np.uint8)
    pixels[10:30, 10:30] = (200, 100, 190)  # lacks green
    bright_HWC = find_subject(pixels).bright_HWC
    inner = bright_HWC[15:25, 15:25].reshape(-1, 3).mean(axis=0)
    assert inner[1] > 0.9
    assert inner[[0, 2]].max() == 0.0
    assert PixelPreparation(PreparationKind.SUBJECT, 32, 3).apply(pixels).shape == (32, 32, 3)


@pytest.mark.parametrize("kind", list(PreparationKind))
@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 200, 1), (700, 40, 3), (17, 16, 3)])
def test_every_kind_reads_every_shape(kind: PreparationKind, shape: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    for channels in (1, 3):
        asked = PixelPreparation(kind, 24, channels, Marks.REMOVE)
        found = asked.apply(pixels)
        assert found.shape == asked.shape == (24, 24, channels)
        assert found.dtype == np.uint8


def test_a_blank_image_has_no_subject() -> None:
    assert SUBJECT.apply(np.full((30, 50, 1), 77, np.uint8)).max() == 0


def test_other_kinds_are_what_they_were() -> None:
    pixels = eight_bit(crop())
    padded = PixelPreparation(PreparationKind.PADDED, 32, 1).apply(pixels)
    assert np.array_equal(padded, padded_square(pixels, side_px=32, channels=1))
    resized = Image.fromarray(pixels[..., 0]).resize((32, 32), Image.Resampling.BICUBIC)
    squashed = PixelPreparation(PreparationKind.SQUASHED, 32, 1).apply(pixels)
    assert np.array_equal(squashed[..., 0], np.asarray(resized))


def test_subject_pixels_stay_as_bundles_know_them() -> None:
    """A change here asks for a new name of the kind: trained models expect these pixels."""
    found_HW = SUBJECT.apply(eight_bit(crop(noise=0)))[..., 0].astype(float)
    blocks = found_HW.reshape(6, 8, 6, 8).mean(axis=(1, 3)).round().astype(int)
    assert np.abs(blocks - GOLDEN).max() <= 1


@pytest.mark.real
def test_every_instruments_subjects_are_bright_and_bear_no_marks(real_data: Path) -> None:
    plankton = real_data / "plankton"
    for name, polarity in (("uvp6", 1), ("zoolake", 1), ("flowcam", -1), ("ifcb", -1)):
        paths = sorted(plankton.glob(f"{name}/images/*/*"))[::5]
        crops = [read_pixels(path.read_bytes()) for path in paths]
        assert len(crops) >= 8
        right = [find_subject(pixels).polarity == polarity for pixels in crops]
        assert np.mean(right) >= 0.98, name
        assert not any(find_marks(pixels) for pixels in crops), name
    with zipfile.ZipFile(plankton / "isiis" / "planktonset1.zip") as archive:
        names = sorted(n for n in archive.namelist() if n.endswith(".jpg"))[::40]
        crops = [read_pixels(archive.read(n)) for n in names]
    assert np.mean([find_subject(pixels).polarity == -1 for pixels in crops]) >= 0.97
    assert not any(find_marks(pixels) for pixels in crops)


@pytest.mark.real
def test_zooscan_vignettes_lose_bar_figures_and_brackets(real_data: Path) -> None:
    folder = real_data / "formats" / "ecotaxa_qa" / "import_test" / "m106_mn01_n1_sml"
    paths = sorted(folder.glob("*.jpg"))
    assert len(paths) == 5
    for path in paths:
        pixels = read_pixels(path.read_bytes())
        kinds = [mark.kind for mark in find_marks(pixels)]
        assert kinds.count(MarkKind.SCALE_BAR) == 1
        assert kinds.count(MarkKind.BRACKET) == 2
        assert kinds.count(MarkKind.FIGURE) >= 3
        assert find_marks(without_marks(pixels)) == ()


def vignette(paper: int = 235, ink: int = 70) -> Array:
    """A crop with room below, as ZooScan software leaves it."""
    return np.concatenate(
        [
            eight_bit(crop(paper=paper, ink=ink, side=80, noise=1.0)),
            np.full((34, 90, 1), paper, np.uint8),
        ]
    )


def written(pixels: Array, top: int, left: int, grey: int) -> None:
    """Writes three upright figures."""
    for number in range(3):
        place = left + 9 * number
        pixels[top : top + 9, place : place + 2] = grey
        pixels[top : top + 2, place : place + 5] = grey


@pytest.mark.parametrize(("paper", "ink", "mark"), [(235, 70, 0), (10, 160, 255)])
def test_a_planted_bar_and_its_figures_go_and_the_organism_stays(
    paper: int, ink: int, mark: int
) -> None:
    clean = vignette(paper, ink)
    marked = clean.copy()
    marked[106:109, 10:60] = mark
    written(marked, 92, 12, mark)
    kinds = [found.kind for found in find_marks(marked)]
    assert sorted(kinds) == [*[MarkKind.FIGURE] * 3, MarkKind.SCALE_BAR]
    found = without_marks(marked)
    changed = (found != marked).any(axis=2)
    rows, columns = np.nonzero(changed)
    assert rows.min() >= 92 - FRINGE_PX
    assert columns.max() <= 60 + FRINGE_PX
    assert np.abs(found.astype(int) - clean.astype(int)).max() <= 6
    assert np.array_equal(found[:88], clean[:88])  # the organism, to the pixel


def test_figures_over_the_organism_are_filled_with_it() -> None:
    clean = vignette()
    y, x = np.mgrid[: clean.shape[0], : clean.shape[1]]
    clean[np.hypot((x - 45) / 2, y - 74) < 18] = 90  # a body that hangs down to row 91
    marked = clean.copy()
    marked[104:108, 20:70] = 0
    written(marked, 84, 32, 0)
    found = without_marks(marked)
    assert {mark.kind for mark in find_marks(marked)} == {MarkKind.FIGURE, MarkKind.SCALE_BAR}
    assert np.abs(found[84:88, 34:56].astype(int) - 90).max() <= 30  # body where the body was
    assert np.array_equal(found[:80], clean[:80])
    assert find_marks(found) == ()


def test_corner_brackets_go() -> None:
    clean = vignette()
    marked = clean.copy()
    marked[4:6, 4:20] = marked[4:20, 4:6] = 0
    marked[100:102, 60:76] = marked[86:102, 74:76] = 0
    assert [found.kind for found in find_marks(marked)] == [MarkKind.BRACKET] * 2
    assert np.abs(without_marks(marked).astype(int) - clean.astype(int)).max() <= 6


def test_a_ruler_goes_and_an_uneven_comb_stays() -> None:
    clean = vignette()
    ruler, comb = clean.copy(), clean.copy()
    for pixels, ticks in ((ruler, range(10, 71, 10)), (comb, (10, 17, 31, 50, 53, 68))):
        pixels[108:110, 10:72] = 0
        for left in ticks:
            pixels[102:110, left : left + 2] = 0
    assert MarkKind.RULER in {found.kind for found in find_marks(ruler)}
    assert np.abs(without_marks(ruler).astype(int) - clean.astype(int)).max() <= 6
    assert np.array_equal(without_marks(comb), comb)


@pytest.mark.parametrize("grey", [0, 255])
def test_frames_become_background(grey: int) -> None:
    clean = eight_bit(crop(paper=140, ink=60))
    height, width, _ = clean.shape
    framed = np.full((height + 9, width + 7, 1), grey, np.uint8)
    framed[3 : 3 + height, 2 : 2 + width] = clean
    assert {found.kind for found in find_marks(framed)} == {MarkKind.FRAME}
    found = without_marks(framed)
    assert np.array_equal(found[3 : 3 + height, 2 : 2 + width], clean)
    border = np.delete(found, slice(3, 3 + height), axis=0)
    assert np.abs(border.astype(int) - 140).max() <= 2


def test_a_footer_with_writing_goes_as_a_whole() -> None:
    clean = eight_bit(crop(paper=12, ink=180))
    footer = np.full((20, clean.shape[1], 1), 255, np.uint8)
    written(footer, 6, 10, 0)
    found = without_marks(np.concatenate([clean, footer]))
    assert np.array_equal(found[: len(clean)], clean)
    assert np.abs(found[len(clean) :].astype(int) - 12).max() <= 2


def test_an_organism_along_a_whole_side_is_no_frame() -> None:
    pixels = eight_bit(crop(paper=230, ink=60))
    bent = np.round(6 + 2 * np.sin(np.arange(pixels.shape[1]) / 8)).astype(int)
    for column, depth in enumerate(bent):
        pixels[:depth, column] = 40  # a wavy edge, the whole side long
    assert find_marks(pixels) == ()
    assert without_marks(pixels) is pixels


def test_nothing_is_found_where_nothing_was_burnt_in() -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        paper, ink = rng.integers(0, 256, 2)
        pixels = eight_bit(crop(paper=paper, ink=ink, seed=seed, side=int(rng.integers(30, 90))))
        assert find_marks(pixels) == ()
