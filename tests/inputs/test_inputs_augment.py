"""Changed crops: what each range does, and what stays."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from holotype.inputs.augment import Augmentation, augment_images, background_of

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
    return torch.tensor([[40.0, 30.0]]).repeat(count, 1)


def test_with_every_range_off_nothing_changes() -> None:
    image_BCHW, size_B2 = organism(), sizes()
    changed, grown = augment_images(image_BCHW, size_B2, Augmentation(**OFF), seeded())
    assert torch.allclose(changed, image_BCHW, atol=2e-6)
    assert torch.equal(grown, size_B2)


def test_one_generator_state_gives_one_result() -> None:
    image_BCHW, size_B2 = organism(), sizes()
    first, again, other = (
        augment_images(image_BCHW, size_B2, Augmentation(), seeded(s)) for s in (1, 1, 2)
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
    factor_B2 = grown / sizes(200)
    assert torch.allclose(factor_B2[:, 0], factor_B2[:, 1])
    assert torch.allclose(mass_B, factor_B2[:, 0] ** 2, rtol=0.02)
    assert 0.6 <= float(factor_B2.min()) < 0.65
    assert 1.35 < float(factor_B2.max()) <= 1.4


def test_unknown_sizes_stay_unknown() -> None:
    unknown = torch.full((4, 2), float("nan"))
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
