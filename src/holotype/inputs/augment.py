"""Random changes of training crops that leave the organism's name as it is.

Place in the path: crops already padded to a square and resized go in, changed crops of the same
side and their changed sizes come out; normalisation follows. Nothing here decodes an image, and
nothing is random beyond the generator that is passed in: the same generator state gives the same
bytes.

All geometric changes are composed into one affine map and sampled once, which blurs the crop once
only. What the map brings in from outside the crop takes the crop's own background.

Off by default are the changes of style, which make crops of one instrument look like those of another:
polarity, background, light, tone, colour, resolution, noise, grey levels (``inputs.style``).

Shape legend: B batch, C image channels, H height, W width, 4 width and height in px and in um.
"""

import math

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from holotype.inputs.style import Draws, Style, background_of, forgetful, restyled

__all__ = ["Augmentation", "augment_images", "background_of"]


class Augmentation(Style):
    """How far crops may be changed; every range is drawn from uniformly, crop by crop."""

    rotation_deg: float = Field(default=180.0, ge=0.0, le=180.0)
    """Rotation within plus or minus this angle, in degrees; 180 is every angle."""
    flip_probability: float = Field(default=0.5, ge=0.0, le=1.0)
    """Chance of a mirror image."""
    least_zoom: float = Field(default=0.75, gt=0.0, le=1.0)
    """Factor: the smallest that the organism becomes; zooms are even in log scale."""
    most_zoom: float = Field(default=1.25, ge=1.0)
    """Factor: the largest that the organism becomes."""
    stretch: float = Field(default=1.1, ge=1.0)
    """Factor: one axis grows by 1/stretch to stretch while the other shrinks."""
    shear: float = Field(default=0.15, ge=0.0)
    """Sideways shift per unit of height, within plus or minus this."""
    shift: float = Field(default=0.05, ge=0.0)
    """Translation within plus or minus this part of the side, on each axis."""
    contrast: float = Field(default=1.35, ge=1.0)
    """Factor: differences from the background times 1/contrast to contrast."""
    brightness: float = Field(default=0.05, ge=0.0, le=1.0)
    """Added to every pixel, within plus or minus this part of the full range."""
    size_jitter: float = Field(default=1.05, ge=1.0)
    """Factor: the recorded size times 1/size_jitter to size_jitter."""


def augment_images(
    image_BCHW: Tensor, size_B4: Tensor, settings: Augmentation, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Returns changed copies of the crops, and the sizes that go with them.

    A zoomed organism counts as a larger one: its size is multiplied by the same zoom. The other
    geometric changes leave the size alone.

    Args:
        image_BCHW: float32 in [0, 1], square crops.
        size_B4: float32, original width and height in px and in um; NaN (unknown) stays NaN.
        settings: how far to go.
        generator: the only source of randomness; lives on any device.

    Returns:
        image_BCHW: float32 in [0, 1], same shape.
        size_B4: float32, px and um.
    """
    draw = Draws(len(image_BCHW), generator, image_BCHW.device)
    zoom_B = draw.factor(settings.least_zoom, settings.most_zoom)
    affine_B23 = _affine(draw, zoom_B, settings)
    grid_BHW2 = F.affine_grid(affine_B23, list(image_BCHW.shape), align_corners=False)
    background_BC11 = background_of(image_BCHW)
    moved_BCHW = F.grid_sample(
        image_BCHW - background_BC11, grid_BHW2,
        mode="bilinear", padding_mode="zeros", align_corners=False,
    )  # fmt: skip
    contrast_B111 = draw.factor(1.0 / settings.contrast, settings.contrast)[:, None, None, None]
    brightness_B111 = draw.within(settings.brightness)[:, None, None, None]
    changed_BCHW = moved_BCHW * contrast_B111 + (background_BC11 + brightness_B111)
    growth_B = zoom_B * draw.factor(1.0 / settings.size_jitter, settings.size_jitter)
    styled_BCHW = restyled(changed_BCHW.clamp(0.0, 1.0), settings, draw)
    return styled_BCHW, forgetful(size_B4 * growth_B[:, None], settings, draw)


def _affine(draw: Draws, zoom_B: Tensor, settings: Augmentation) -> Tensor:
    """Returns the maps from the changed crop's coordinates to the original's, B x 2 x 3.

    Coordinates run from -1 to 1 over a side, so the map holds the inverse of what is seen: to
    enlarge the organism, it divides.
    """
    angle_B = draw.within(math.radians(settings.rotation_deg))
    mirror_B = torch.where(draw.unit() < settings.flip_probability, -1.0, 1.0)
    stretch_B = draw.factor(1.0 / settings.stretch, settings.stretch)
    shear_B = draw.within(settings.shear)
    shift_B2 = torch.stack([draw.within(2.0 * settings.shift) for _ in range(2)], dim=1)
    cos_B, sin_B = angle_B.cos(), angle_B.sin()
    x_scale_B = mirror_B * stretch_B / zoom_B
    y_scale_B = 1.0 / (stretch_B * zoom_B)
    # rotation [[cos, -sin], [sin, cos]] times [[x_scale, shear], [0, y_scale]]
    rows = [
        [cos_B * x_scale_B, cos_B * shear_B - sin_B * y_scale_B, shift_B2[:, 0]],
        [sin_B * x_scale_B, sin_B * shear_B + cos_B * y_scale_B, shift_B2[:, 1]],
    ]
    return torch.stack([torch.stack(row, dim=1) for row in rows], dim=1)
