"""What resizing should give, computed plainly: weights in float64, one row of them for each new pixel.

Areas (shrinking) and slopes (enlarging) are added up exactly and rounded once, half to even. The bicubic
filter is that of Pillow, torchvision and open_clip: Keys' kernel with a = -0.5, widened when shrinking,
along one axis and then along the other, each time rounded (halves up) and cut to 0..255.

Keys RG (1981). Cubic convolution interpolation for digital image processing. doi:10.1109/TASSP.1981.1163711.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from holotype.media.pixels import Pixels
from holotype.media.preparation import PixelPreparation, PreparationKind

LUMA = (0.299, 0.587, 0.114)
Weights = NDArray[np.float64]
Levels = NDArray[np.int64]


def levels_apart(found: Pixels, pixels: Pixels, preparation: PixelPreparation) -> Levels:
    """Returns by how many levels a square differs from what it should be, int64 (side, side, channels).

    Of the two orders of a bicubic resize the nearer one counts: Pillow takes the one that is less work.
    """
    apart = [np.abs(found.astype(np.int64) - one) for one in exact_squares(pixels, preparation)]
    return min(apart, key=lambda levels: int(levels.max()))


def exact_squares(pixels: Pixels, preparation: PixelPreparation) -> list[Pixels]:
    """Returns the square that a preparation should give, uint8 (side, side, channels), by each order."""
    if preparation.channels == 1 and pixels.shape[2] == 3:
        pixels = in_levels(pixels @ np.asarray(LUMA))[..., None]
    if pixels.shape[2] != preparation.channels:
        pixels = np.repeat(pixels, preparation.channels, axis=2)
    return SQUARES[preparation.kind](pixels, preparation.side_px)


def padded(pixels: Pixels, side: int) -> list[Pixels]:
    """Returns the image on the median of its border."""
    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    new_height, new_width = max(1, round(height * scale)), max(1, round(width * scale))
    weights = areas if scale < 1 else slopes
    rows, columns = weights(height, new_height), weights(width, new_width)
    resized = np.einsum("ij,jkc,lk->ilc", rows, pixels.astype(np.float64), columns, optimize=True)
    edges = (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1])
    square = np.empty((side, side, pixels.shape[2]), np.uint8)
    square[:] = np.median(np.concatenate(edges), axis=0).astype(np.uint8)
    top, left = (side - new_height) // 2, (side - new_width) // 2
    square[top : top + new_height, left : left + new_width] = in_levels(resized)
    return [square]


def squashed(pixels: Pixels, side: int) -> list[Pixels]:
    """Returns the image as a square, whatever its shape."""
    return bicubic(pixels, side, side)


def centre_crop(pixels: Pixels, side: int) -> list[Pixels]:
    """Returns the middle of the image with its shorter side brought to that of the square."""
    height, width = pixels.shape[:2]
    shorter = min(height, width)
    both = bicubic(pixels, height * side // shorter, width * side // shorter)
    top, left = (round((length - side) / 2) for length in both[0].shape[:2])
    return [grown[top : top + side, left : left + side] for grown in both]


def bicubic(pixels: Pixels, height: int, width: int) -> list[Pixels]:
    """Returns the image resized along rows and then columns, and the other way round."""
    rows, columns = cubics(pixels.shape[0], height), cubics(pixels.shape[1], width)
    passes = (("lk,jkc->jlc", columns), ("ij,jlc->ilc", rows))
    found = []
    for order in (passes, passes[::-1]):
        grown = pixels
        for axes, weights in order:
            grown = half_up(np.einsum(axes, weights, grown.astype(np.float64)))
        found.append(grown)
    return found


def areas(old: int, new: int) -> Weights:
    """Returns how much of each old pixel lies under each new one, float64 (new, old); rows add up to 1."""
    edges = np.arange(new + 1) * (old / new)
    pixels = np.arange(old)
    upper = np.minimum(edges[1:, None], pixels + 1)
    return np.clip(upper - np.maximum(edges[:-1, None], pixels), 0, None) * (new / old)


def slopes(old: int, new: int) -> Weights:
    """Returns the weights of linear interpolation between the middles of pixels, float64 (new, old)."""
    middle = np.clip((np.arange(new) + 0.5) * (old / new) - 0.5, 0, old - 1)
    return np.clip(1 - np.abs(middle[:, None] - np.arange(old)), 0, None)


def cubics(old: int, new: int) -> Weights:
    """Returns the weights of the widened bicubic filter, float64 (new, old); rows add up to 1."""
    scale = old / new
    wide = max(scale, 1.0)
    middle = (np.arange(new) + 0.5) * scale
    first = np.maximum(0, (middle - 2 * wide + 0.5).astype(int))
    last = np.minimum(old, (middle + 2 * wide + 0.5).astype(int))
    pixels = np.arange(old)
    far = np.abs(pixels + 0.5 - middle[:, None]) / wide
    near = (1.5 * far - 2.5) * far * far + 1
    outer = -0.5 * (((far - 5) * far + 8) * far - 4)
    weights = np.where(far < 1, near, np.where(far < 2, outer, 0.0))
    weights *= (pixels >= first[:, None]) & (pixels < last[:, None])
    return weights / weights.sum(axis=1, keepdims=True)


def half_up(values: Weights) -> Pixels:
    """Returns whole grey levels from 0 to 255, halves to the upper one."""
    return np.clip(np.floor(values + (0.5 + 1e-9)), 0, 255).astype(np.uint8)


def in_levels(values: Weights) -> Pixels:
    """Returns whole grey levels from 0 to 255, halves to the even one."""
    return np.clip(np.round(values), 0, 255).astype(np.uint8)


SQUARES: dict[PreparationKind, Callable[[Pixels, int], list[Pixels]]] = {
    PreparationKind.PADDED: padded,
    PreparationKind.SQUASHED: squashed,
    PreparationKind.CENTRE_CROP: centre_crop,
}
"""The kinds that a plain reference can be written of."""
