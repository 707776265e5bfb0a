"""Changed crops: what each range does, and what stays."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from holotype.inputs.augment import Augmentation, augment_images, background_of
from holotype.inputs.style import Style

OFF = {
    "rotation_deg": 0.0,
    "flip_probability": 0.0,
    "least_zoom": 1.0,
    "most_zoom": 1.0,
    "stretch": 1.0,
    "shear": 0.0,
    "shift": 0.0,
    "contrast": 1.0,
    "brightness": 0.0,
    "size_jitter": 1.0,
}


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def organism(count: int = 4, *, paper: float = 0.9, channels: int = 1) -> torch.Tensor:
    """Crops of even paper with an uneven dark thing in the middle."""
    image_BCHW = torch.full((count, channels, 24, 24), paper)
    thing = 0.5 * torch.rand((count, channels, 8, 8), generator=seeded(9))
    image_BCHW[:, :, 8:16, 8:16] = thing
    return image_BCHW


def sizes(count: int = 4) -> torch.Tensor:
    return torch.tensor([[40.0, 30.0, 400.0, 300.0]]).repeat(count, 1)


def test_with_every_range_off_nothing_changes() -> None:
    image_BCHW, size_B4 = organism(), sizes()
    changed, grown = augment_images(image_BCHW, size_B4, Augmentation(**OFF), seeded())
    assert torch.allclose(changed, image_BCHW, atol=2e-6)
    assert torch.equal(grown, size_B4)


def test_one_generator_state_gives_one_result() -> None:
    image_BCHW, size_B4 = organism(), sizes()
    first, again, other = (
        augment_images(image_BCHW, size_B4, Augmentation(), seeded(s)) for s in (1, 1, 2)
    )
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1], again[1])
    assert not torch.equal(first[0], other[0])


def test_a_certain_flip_mirrors_left_and_right() -> None:
    image_BCHW = organism()
    always = Augmentation(**{**OFF, "flip_probability": 1.0})
    changed, _ = augment_images(image_BCHW, sizes(), always, seeded())
    assert torch.allclose(changed, image_BCHW.flip(3), atol=2e-6)


def test_what_comes_in_from_outside_is_the_background() -> None:
    # Shrunk to half and turned: the corners show what lay outside the crop.
    shrinking = Augmentation(**{**OFF, "least_zoom": 0.5, "most_zoom": 1.0, "rotation_deg": 180.0})
    changed, _ = augment_images(organism(64, paper=0.7), sizes(64), shrinking, seeded())
    corners = changed[:, :, [0, 0, -1, -1], [0, -1, 0, -1]]
    assert torch.allclose(corners, torch.full_like(corners, 0.7), atol=1e-5)


def test_background_is_the_median_of_the_border_by_channel() -> None:
    image_BCHW = torch.zeros((1, 2, 3, 3))
    image_BCHW[0, 0] = torch.tensor([[1, 2, 3], [4, 99, 6], [7, 8, 9]]) / 10
    image_BCHW[0, 1] = 0.25
    # Border of channel 0 with corners twice: 1 2 3 | 7 8 9 | 1 4 7 | 3 6 9: the sixth of twelve.
    assert background_of(image_BCHW).flatten().tolist() == pytest.approx([0.4, 0.25])


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 2**31),
    st.floats(1.0, 3.0),
    st.floats(0.0, 1.0),
    st.sampled_from([1, 3]),
)
def test_pixels_stay_in_range_whatever_is_asked(
    seed: int, contrast: float, brightness: float, channels: int
) -> None:
    wild = Augmentation(contrast=contrast, brightness=brightness, shear=0.5, shift=0.5)
    image_BCHW = torch.rand((3, channels, 16, 16), generator=seeded(seed))
    changed, grown = augment_images(image_BCHW, sizes(3), wild, seeded(seed))
    assert changed.shape == image_BCHW.shape
    assert float(changed.min()) >= 0.0
    assert float(changed.max()) <= 1.0
    assert torch.isfinite(grown).all()


def test_size_follows_zoom() -> None:
    # The mass of a soft spot grows by the square of the factor that its recorded sides grow by.
    zooming = Augmentation(**{**OFF, "least_zoom": 0.6, "most_zoom": 1.4})
    place = torch.arange(48.0) - 23.5
    spot = torch.exp(-(place[:, None] ** 2 + place[None, :] ** 2) / (2 * 4.0**2))
    image_BCHW = (1 - spot).expand(200, 1, 48, 48)
    changed, grown = augment_images(image_BCHW, sizes(200), zooming, seeded())
    mass_B = (1 - changed).sum(dim=(1, 2, 3)) / spot.sum()
    factor_B4 = grown / sizes(200)
    assert torch.allclose(factor_B4, factor_B4[:, :1].expand_as(factor_B4))  # in px and in um
    assert torch.allclose(mass_B, factor_B4[:, 0] ** 2, rtol=0.02)
    assert 0.6 <= float(factor_B4.min()) < 0.65
    assert 1.35 < float(factor_B4.max()) <= 1.4


def test_unknown_sizes_stay_unknown() -> None:
    unknown = torch.full((4, 4), float("nan"))
    _, grown = augment_images(organism(), unknown, Augmentation(), seeded())
    assert torch.isnan(grown).all()


def test_contrast_and_brightness_act_around_the_background() -> None:
    image_BCHW = organism(paper=0.6)
    toned = Augmentation(**{**OFF, "contrast": 1.5, "brightness": 0.1})
    changed, _ = augment_images(image_BCHW, sizes(), toned, seeded(5))
    added_B = changed[:, 0, 0, 0] - 0.6  # paper moves by the brightness alone
    assert float(added_B.abs().max()) <= 0.1
    assert len(set(added_B.tolist())) == 4  # drawn crop by crop
    before, after = image_BCHW[0, 0] - 0.6, changed[0, 0] - 0.6 - added_B[0]
    inner = (slice(9, 15), slice(9, 15))
    visible = changed[0, 0][inner] > 0  # not cut off at black
    ratio = (after[inner] / before[inner])[visible]
    assert float(ratio.std()) < 1e-4
    assert 1 / 1.5 <= float(ratio.mean()) <= 1.5


STYLES = {
    "invert": 1.0,
    "new_background": 1.0,
    "gradient": 0.2,
    "vignette": 0.5,
    "gamma": 2.0,
    "colour_cast": 1.5,
    "grey": 1.0,
    "coarsening": 4.0,
    "noise": 0.1,
    "fewest_levels": 3,
}


def styled(name: str, image_BCHW: torch.Tensor, seed: int = 3) -> torch.Tensor:
    asked = Augmentation(**OFF, **{name: STYLES[name]})
    return augment_images(image_BCHW, sizes(len(image_BCHW)), asked, seeded(seed))[0]


def tinted(count: int = 4) -> torch.Tensor:
    """Colour crops, each channel of its own strength, within [0.2, 0.8]."""
    strength = torch.tensor([1.0, 0.9, 0.75])[:, None, None]
    return 0.2 + 0.6 * organism(count, channels=3) * strength


def test_every_style_is_seen_and_follows_the_generator() -> None:
    assert set(Style.model_fields) == {*STYLES, "forget_px", "forget_um"}
    for name in STYLES:
        image_BCHW = tinted()
        first, again, other = (styled(name, image_BCHW, seed) for seed in (1, 1, 2))
        assert torch.equal(first, again), name
        assert float((first - image_BCHW).abs().amax(dim=(1, 2, 3)).max()) > 0.02, name
        if name not in {"invert", "grey"}:  # certain here: nothing is left to chance
            assert not torch.equal(first, other), name
        assert 0 <= float(first.min()) <= float(first.max()) <= 1, name


def test_styles_are_off_by_default_and_leave_the_other_draws_alone() -> None:
    image_BCHW = organism()
    plain = augment_images(image_BCHW, sizes(), Augmentation(), seeded())[0]
    turned = augment_images(image_BCHW, sizes(), Augmentation(invert=1.0), seeded())[0]
    assert torch.allclose(turned, 1 - plain, atol=1e-6)


def test_a_new_background_keeps_the_organism_in_shape() -> None:
    image_BCHW = organism(64, paper=0.9)
    changed = styled("new_background", image_BCHW)
    level_B = background_of(changed).flatten()
    assert 0.0 <= float(level_B.min()) < 0.1
    assert 0.9 < float(level_B.max()) <= 1.0
    before, after = image_BCHW[:, 0, 8:16, 8:16] - 0.9, changed[:, 0, 8:16, 8:16]
    after = after - level_B[:, None, None]
    for crop in range(64):
        if float(level_B[crop]) > 0.3:  # room for a quarter of the contrast below the level
            ratio = after[crop] / before[crop]
            assert float(ratio.max() - ratio.min()) < 1e-3
            assert 0.25 <= float(ratio.mean()) <= 1.0 + 1e-3


def test_uneven_light_is_a_plane_and_a_vignette_spares_the_middle() -> None:
    even = torch.full((8, 1, 25, 25), 0.5)
    sloped = styled("gradient", even)[:, 0]
    assert float(sloped.diff(n=2, dim=1).abs().max()) < 1e-5
    assert float(sloped.diff(n=2, dim=2).abs().max()) < 1e-5
    assert float((sloped - 0.5).abs().max()) <= 0.4  # 0.2 along each axis
    dark = styled("vignette", even)[:, 0]
    assert torch.allclose(dark[:, 12, 12], torch.tensor(0.5))
    assert torch.allclose(dark[:, 0, 0], dark[:, -1, -1])
    assert 0.25 <= float(dark.min()) < 0.4


def test_gamma_is_one_exponent_a_crop() -> None:
    image_BCHW = 0.1 + 0.8 * torch.rand((6, 1, 8, 8), generator=seeded())
    exponent = styled("gamma", image_BCHW).log() / image_BCHW.log()
    assert torch.allclose(exponent.amax(dim=(1, 2, 3)), exponent.amin(dim=(1, 2, 3)), atol=1e-3)
    assert 0.5 <= float(exponent.min()) < 1.0 < float(exponent.max()) <= 2.0


def test_colour_is_cast_channel_by_channel_and_grey_has_none() -> None:
    image_BCHW = tinted(8) / 2
    ratio = styled("colour_cast", image_BCHW) / image_BCHW
    assert torch.allclose(ratio.amax(dim=(2, 3)), ratio.amin(dim=(2, 3)), atol=1e-4)
    assert float(ratio[:, 0, 0, 0].sub(ratio[:, 1, 0, 0]).abs().max()) > 0.1
    grey = styled("grey", image_BCHW)
    luma = 0.299 * image_BCHW[:, 0] + 0.587 * image_BCHW[:, 1] + 0.114 * image_BCHW[:, 2]
    assert torch.allclose(grey, luma[:, None].expand_as(grey), atol=1e-6)
    for name in ("grey", "colour_cast"):
        assert torch.allclose(
            styled(name, organism()), organism(), atol=2e-6
        )  # one channel has no colour


def test_coarsening_takes_fine_structure_only() -> None:
    stripes = torch.zeros((32, 1, 24, 24))
    stripes[..., ::2] = 1.0
    spread_B = styled("coarsening", stripes).std(dim=(1, 2, 3))
    assert float(spread_B.min()) < 0.2
    assert float(spread_B.max()) > 0.45  # some crops keep their resolution
    slope = torch.linspace(0, 1, 24).expand(32, 1, 24, 24)
    assert float((styled("coarsening", slope) - slope).abs().max()) < 0.1


def test_noise_and_grey_levels_stay_within_what_is_asked() -> None:
    even = torch.full((64, 1, 24, 24), 0.5)
    spread_B = styled("noise", even).std(dim=(1, 2, 3))
    assert float(spread_B.min()) < 0.02
    assert 0.08 < float(spread_B.max()) < 0.11
    ramp = torch.linspace(0, 1, 24 * 24).reshape(1, 1, 24, 24).repeat(64, 1, 1, 1)
    levels = [len(crop.unique()) for crop in styled("fewest_levels", ramp)]
    assert 3 <= min(levels) < 8
    assert max(levels) > 100


def test_sizes_are_forgotten_by_unit() -> None:
    known = torch.tensor([[40.0, 30.0, 400.0, 300.0]]).repeat(400, 1)
    image_BCHW = organism(400)
    for name, columns in (("forget_px", slice(0, 2)), ("forget_um", slice(2, 4))):
        asked = Augmentation(**{**OFF, name: 0.3})
        _, found = augment_images(image_BCHW, known, asked, seeded())
        gone_B4 = torch.isnan(found)
        assert 0.2 < float(gone_B4[:, columns].float().mean()) < 0.4
        assert torch.equal(gone_B4[:, columns.start], gone_B4[:, columns.stop - 1])
        assert int(gone_B4.sum()) == int(gone_B4[:, columns].sum())
    assert torch.equal(known, torch.tensor([[40.0, 30.0, 400.0, 300.0]]).repeat(400, 1))
