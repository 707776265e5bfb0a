"""Random changes that make crops of one instrument look like those of another.

Place in the path: after the geometric changes of ``inputs.augment``, whose settings extend these.
Each change is drawn crop by crop; one that is off draws nothing and leaves the others' numbers alone.

Shape legend: B batch, C image channels, H height, W width, 4 = width and height in px and in um.
"""

import math

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from holotype.config import Settings

GREY_LEVELS = 256
LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue (Rec. 601)."""
SIDES_TRIED = 8
"""Resolution losses are drawn among this many sides of a batch's crops."""
LEAST_ROOM = 0.25
"""On a new background, differences keep at least this part of their strength."""


class Style(Settings):
    """How far crops may take the style of other instruments; all of it is off by default."""

    invert: float = Field(default=0.0, ge=0.0, le=1.0)
    """Chance that dark becomes bright and bright dark."""
    new_background: float = Field(default=0.0, ge=0.0, le=1.0)
    """Chance that the background becomes a grey drawn from black to white."""
    gradient: float = Field(default=0.0, ge=0.0, le=1.0)
    """Uneven light: a plane that differs by plus or minus this part of the range at each side."""
    vignette: float = Field(default=0.0, ge=0.0, le=1.0)
    """Corners become darker by up to this part."""
    gamma: float = Field(default=1.0, ge=1.0)
    """Exponent on pixels in [0, 1]: from 1/gamma to gamma."""
    colour_cast: float = Field(default=1.0, ge=1.0)
    """Factor on each of three channels: from 1/colour_cast to colour_cast."""
    grey: float = Field(default=0.0, ge=0.0, le=1.0)
    """Chance that three channels become their luma."""
    coarsening: float = Field(default=1.0, ge=1.0, le=16.0)
    """Factor: resolution is lost by shrinking by 1 to this, and enlarging again."""
    noise: float = Field(default=0.0, ge=0.0, le=1.0)
    """Normal noise with a deviation of up to this part of the range."""
    fewest_levels: int = Field(default=256, ge=2, le=256)
    """Grey levels: from this many to 256 are left."""
    forget_px: float = Field(default=0.0, ge=0.0, le=1.0)
    """Chance that the size in pixels becomes unknown."""
    forget_um: float = Field(default=0.0, ge=0.0, le=1.0)
    """Chance that the size in micrometres becomes unknown."""


class Draws:
    """Draws one number per crop at a time, in call order, from one generator."""

    def __init__(self, num_crops: int, generator: torch.Generator, device: torch.device) -> None:
        """Remembers where numbers come from and where they go."""
        self._num_crops = num_crops
        self._generator = generator
        self._device = device

    def unit(self) -> Tensor:
        """Returns B numbers in [0, 1), float32."""
        unit_B = torch.rand(
            self._num_crops, generator=self._generator, device=self._generator.device
        )
        return unit_B.to(self._device)

    def within(self, bound: float) -> Tensor:
        """Returns B numbers in [-bound, bound)."""
        return (2.0 * self.unit() - 1.0) * bound

    def factor(self, least: float, most: float) -> Tensor:
        """Returns B factors in [least, most), evenly in log scale."""
        return torch.exp(self.unit() * math.log(most / least) + math.log(least))

    def happens(self, probability: float) -> Tensor:
        """Returns B truths, each with the probability given."""
        return self.unit() < probability

    def normal_like(self, image_BCHW: Tensor) -> Tensor:
        """Returns standard normal numbers of an image's shape."""
        normal = torch.randn(
            image_BCHW.shape, generator=self._generator, device=self._generator.device
        )
        return normal.to(self._device)


def restyled(image_BCHW: Tensor, settings: Style, draw: Draws) -> Tensor:
    """Returns the crops in the style of other instruments, float32 in [0, 1].

    In this order: polarity, background, uneven light, tone, colour, resolution, noise, grey levels.
    """
    if settings.invert > 0:
        turned_B = draw.happens(settings.invert)
        image_BCHW = torch.where(_wide(turned_B), 1.0 - image_BCHW, image_BCHW)
    if settings.new_background > 0:
        chosen_B = draw.happens(settings.new_background)
        moved_BCHW = _on_background(image_BCHW, draw.unit())
        image_BCHW = torch.where(_wide(chosen_B), moved_BCHW, image_BCHW)
    if settings.gradient > 0:
        slopes = [draw.within(settings.gradient) for _ in range(2)]
        image_BCHW = (image_BCHW + _plane(image_BCHW, *slopes)).clamp(0.0, 1.0)
    if settings.vignette > 0:
        image_BCHW = _vignetted(image_BCHW, draw.unit() * settings.vignette)
    if settings.gamma > 1:
        exponent_B = draw.factor(1.0 / settings.gamma, settings.gamma)
        image_BCHW = image_BCHW.clamp(min=1e-6) ** _wide(exponent_B)
    if image_BCHW.shape[1] == 3:
        image_BCHW = _recoloured(image_BCHW, settings, draw)
    if settings.coarsening > 1:
        image_BCHW = _coarsened(image_BCHW, draw.factor(1.0, settings.coarsening))
    if settings.noise > 0:
        deviation_B = draw.unit() * settings.noise
        image_BCHW = image_BCHW + _wide(deviation_B) * draw.normal_like(image_BCHW)
    if settings.fewest_levels < GREY_LEVELS:
        steps_B = draw.factor(settings.fewest_levels, GREY_LEVELS).round() - 1.0
        image_BCHW = (image_BCHW * _wide(steps_B)).round() / _wide(steps_B)
    return image_BCHW.clamp(0.0, 1.0)


def forgetful(size_B4: Tensor, settings: Style, draw: Draws) -> Tensor:
    """Returns the sizes, some of them unknown (NaN): those in px, in um, or both."""
    for columns, probability in (
        (slice(0, 2), settings.forget_px),
        (slice(2, 4), settings.forget_um),
    ):
        if probability > 0:
            size_B4 = size_B4.clone()
            size_B4[draw.happens(probability), columns] = math.nan
    return size_B4


def background_of(image_BCHW: Tensor) -> Tensor:
    """Returns each crop's background: the median of its border pixels, channel by channel.

    Args:
        image_BCHW: float32, at least 1 x 1 px.

    Returns:
        float32, B x C x 1 x 1, in the range of the image.
    """
    border_BCP = torch.cat(
        [image_BCHW[:, :, 0], image_BCHW[:, :, -1], image_BCHW[..., 0], image_BCHW[..., -1]], dim=2
    )
    return border_BCP.median(dim=2).values[:, :, None, None]


def _wide(value_B: Tensor) -> Tensor:
    return value_B[:, None, None, None]


def _on_background(image_BCHW: Tensor, level_B: Tensor) -> Tensor:
    """Returns the crops on another level; differences shrink where the level leaves them no room."""
    difference_BCHW = image_BCHW - background_of(image_BCHW)
    above_B = difference_BCHW.amax(dim=(1, 2, 3)).clamp(min=1e-6)
    below_B = (-difference_BCHW).amax(dim=(1, 2, 3)).clamp(min=1e-6)
    room_B = torch.minimum((1.0 - level_B) / above_B, level_B / below_B)
    scaled_BCHW = difference_BCHW * _wide(room_B.clamp(LEAST_ROOM, 1.0))
    return (scaled_BCHW + _wide(level_B)).clamp(0.0, 1.0)


def _plane(image_BCHW: Tensor, x_slope_B: Tensor, y_slope_B: Tensor) -> Tensor:
    height, width = image_BCHW.shape[2:]
    x_W = torch.linspace(-1.0, 1.0, width, device=image_BCHW.device)
    y_H = torch.linspace(-1.0, 1.0, height, device=image_BCHW.device)
    return _wide(x_slope_B) * x_W + _wide(y_slope_B) * y_H[:, None]


def _vignetted(image_BCHW: Tensor, loss_B: Tensor) -> Tensor:
    """Returns the crops darker by the square of the distance from the middle, most in the corners."""
    one_B = torch.ones_like(loss_B)
    zero_B = torch.zeros_like(loss_B)
    x_BCHW, y_BCHW = _plane(image_BCHW, one_B, zero_B), _plane(image_BCHW, zero_B, one_B)
    return image_BCHW * (1.0 - _wide(loss_B) * (x_BCHW**2 + y_BCHW**2) / 2.0)


def _recoloured(image_BCHW: Tensor, settings: Style, draw: Draws) -> Tensor:
    if settings.colour_cast > 1:
        gains = [draw.factor(1.0 / settings.colour_cast, settings.colour_cast) for _ in range(3)]
        image_BCHW = (image_BCHW * torch.stack(gains, dim=1)[:, :, None, None]).clamp(0.0, 1.0)
    if settings.grey > 0:
        weights_C = torch.tensor(LUMA, device=image_BCHW.device)
        luma_BHW = torch.einsum("bchw,c->bhw", image_BCHW, weights_C)
        grey_BCHW = luma_BHW[:, None].expand_as(image_BCHW)
        image_BCHW = torch.where(_wide(draw.happens(settings.grey)), grey_BCHW, image_BCHW)
    return image_BCHW


def _coarsened(image_BCHW: Tensor, factor_B: Tensor) -> Tensor:
    """Returns the crops shrunk by their factors (antialiased) and enlarged again."""
    side = image_BCHW.shape[-1]
    step = max(1, side // SIDES_TRIED)
    small_B = ((side / factor_B) / step).round().clamp(min=1.0) * step
    changed_BCHW = image_BCHW.clone()
    for small in sorted(set(small_B.tolist())):
        if small >= side:
            continue
        rows_R = small_B == small
        shrunk = F.interpolate(
            image_BCHW[rows_R],
            size=(int(small), int(small)),
            mode="bilinear",
            antialias=True,
            align_corners=False,
        )
        changed_BCHW[rows_R] = F.interpolate(
            shrunk, size=image_BCHW.shape[2:], mode="bilinear", align_corners=False
        )
    return changed_BCHW
