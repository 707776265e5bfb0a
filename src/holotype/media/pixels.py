"""Pixels -> pixels: channels, the colour of the background, and the square of a tower.

Grey that is repeated in three channels is resized once, and gives the same pixels.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
"""uint8 (H, W, C), C = 1 for grey files and 3 (red, green, blue) for the others."""


def three_axes(pixels: NDArray[Any]) -> Pixels:
    """Returns pixels with an axis of channels, in one piece of memory."""
    pixels = np.ascontiguousarray(pixels)
    return pixels[..., None] if pixels.ndim == 2 else pixels


def background_C(pixels_HWC: Pixels) -> NDArray[np.uint8]:
    """Returns the colour of the background: the median of the border pixels, uint8 (C,)."""
    edges = (pixels_HWC[0], pixels_HWC[-1], pixels_HWC[:, 0], pixels_HWC[:, -1])
    border_PC = np.concatenate(edges)
    half = len(border_PC) // 2  # their number is even
    border_PC.partition((half - 1, half), axis=0)
    colour_C: NDArray[np.uint8] = (border_PC[half - 1].astype(np.uint16) + border_PC[half]) >> 1
    return colour_C.astype(np.uint8)


def padded_square(pixels_HWC: Pixels, *, side_px: int, channels: int) -> Pixels:
    """Returns the image shrunk or enlarged to fit a square and centred on its own background.

    The aspect ratio is kept. Shrinking averages areas, enlarging interpolates linearly.

    Args:
        pixels_HWC: any size, 1 or 3 channels.
        side_px: the side of the square.
        channels: 1 (luma of Rec. 601) or 3 (grey repeated).

    Returns:
        uint8 (side_px, side_px, channels).
    """
    if channels == 1 or not is_grey(pixels_HWC):
        return _padded(with_channels(pixels_HWC, channels=channels), side_px)
    return with_channels(_padded(pixels_HWC[:, :, :1], side_px), channels=channels)


def _padded(pixels_HWC: Pixels, side_px: int) -> Pixels:
    height, width = pixels_HWC.shape[:2]
    scale = side_px / max(height, width)
    new_height, new_width = max(1, round(height * scale)), max(1, round(width * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    resized = cv2.resize(pixels_HWC, (new_width, new_height), interpolation=method)
    top, left = (side_px - new_height) // 2, (side_px - new_width) // 2
    bottom, right = side_px - new_height - top, side_px - new_width - left
    colour = background_C(pixels_HWC).tolist()
    square = cv2.copyMakeBorder(
        resized, top, bottom, left, right, cv2.BORDER_CONSTANT, value=colour
    )
    return three_axes(square)


def is_grey(pixels_HWC: Pixels) -> bool:
    """Returns whether all channels are the same, as those of a grey image saved in colour."""
    if pixels_HWC.shape[2] == 1:
        return True
    middle_WC = pixels_HWC[len(pixels_HWC) // 2]  # quick, and enough for most images in colour
    if not (middle_WC == middle_WC[:, :1]).all():
        return False
    first, *others = (channel.tobytes() for channel in cv2.split(pixels_HWC))
    return all(other == first for other in others)


def with_channels(pixels_HWC: Pixels, *, channels: int) -> Pixels:
    """Returns the image with 1 or 3 channels."""
    if pixels_HWC.shape[2] == channels:
        return pixels_HWC
    method = cv2.COLOR_GRAY2RGB if channels == 3 else cv2.COLOR_RGB2GRAY
    return three_axes(cv2.cvtColor(pixels_HWC, method))
