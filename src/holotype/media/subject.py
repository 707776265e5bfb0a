"""The subject of a crop, bright on black, whatever the instrument: dark field, bright field or shadowgraph.

Place in the path: before a crop becomes a square. Instruments differ in the polarity, level, evenness and
noise of their background; a model that sees them learns the instrument with the organism.

1. Background: a plane through the border pixels of each channel, fitted to those near their median, so that
   a subject that touches the border does not bend it and uneven light is taken off.
2. Polarity: the sign of what differs from the background, strong differences weighing most.
3. Contrast: the brightest parts of the subject (a high quantile) become white; gain has a limit.

Shapes: H height, W width, C channels, P border pixels, 3 = coefficients of a plane.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from holotype.media.pixels import Pixels

LARGEST_PX: Final = 512
"""A longer side is shrunk to this first."""
BORDER_PX: Final = 2
NEAR: Final = 3.0
"""Border pixels within this many spreads of the median are background."""
LEAST_SPREAD: Final = 1.5
"""Grey levels: even a noiseless background is taken to vary by this."""
NOISE_FLOOR: Final = 2.0
"""Differences below this many spreads become black; all others are lowered by it."""
WHITE_QUANTILE: Final = 0.95
"""Of the subject's pixels, this one becomes white."""
LEAST_WHITE: Final = 24.0
"""Grey levels: fainter subjects are not stretched to white."""

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Subject:
    """What is left of a crop without its background.

    Attributes:
        bright_HWC: float32 in [0, 1]: distance from the background, channel by channel; the background is 0.
        polarity: 1 where the subject was brighter than its background, -1 where it was darker.
        background_C: float32, the background in the middle of the crop, in grey levels.
        spread: spread of the background in grey levels.
    """

    bright_HWC: Floats
    polarity: int
    background_C: Floats
    spread: float


def find_subject(pixels_HWC: Pixels) -> Subject:
    """Returns the subject of a crop, bright on black.

    The same crop inverted gives the same subject. Three channels keep the colour by which the subject differs
    from its background; one channel is the distance of its grey.
    """
    shrunk_HWC = _shrunk(pixels_HWC).astype(np.float32)
    background_HWC = _background(shrunk_HWC)
    difference_HWC = np.asarray(shrunk_HWC - background_HWC, np.float32)
    grey_HW = np.asarray(difference_HWC @ _weights(difference_HWC.shape[2]), np.float32)
    spread = _spread(_border(grey_HW[..., None])[:, 0])
    floor = NOISE_FLOOR * spread
    polarity = _polarity(grey_HW, floor, background_HWC)
    white = _white(np.asarray(polarity * grey_HW - floor, np.float32))
    bright_HWC = np.clip((polarity * difference_HWC - floor) / white, 0.0, 1.0)
    middle_C = background_HWC[shrunk_HWC.shape[0] // 2, shrunk_HWC.shape[1] // 2]
    return Subject(bright_HWC.astype(np.float32), polarity, middle_C, spread)


def _shrunk(pixels_HWC: Pixels) -> Pixels:
    longest = max(pixels_HWC.shape[:2])
    if longest <= LARGEST_PX:
        return pixels_HWC
    scale = LARGEST_PX / longest
    height, width = (max(1, round(length * scale)) for length in pixels_HWC.shape[:2])
    small = cv2.resize(pixels_HWC, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8).reshape(height, width, pixels_HWC.shape[2])


def _weights(channels: int) -> Floats:
    """Returns the parts of the channels in luma (Rec. 601)."""
    return np.asarray([1.0] if channels == 1 else [0.299, 0.587, 0.114], dtype=np.float32)


def _border(values_HWC: Floats) -> Floats:
    """Returns the values of the border, (P, C)."""
    height, width = values_HWC.shape[:2]
    inside = np.ones((height, width), dtype=np.bool_)
    inside[BORDER_PX:-BORDER_PX, BORDER_PX:-BORDER_PX] = False
    border_PC: Floats = values_HWC[inside]
    return border_PC


def _spread(value_P: Floats) -> float:
    """Returns the spread by the median of absolute deviations, at least LEAST_SPREAD."""
    deviation = float(np.median(np.abs(value_P - np.median(value_P))))
    return max(1.4826 * deviation, LEAST_SPREAD)


def _background(pixels_HWC: Floats) -> Floats:
    """Returns the background of every pixel: a plane a channel, through the even part of the border."""
    height, width, channels = pixels_HWC.shape
    y_HW, x_HW = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    place_HW3 = np.stack([np.ones_like(x_HW), x_HW, y_HW], axis=2).astype(np.float32)
    place_P3, value_PC = _border(place_HW3), _border(pixels_HWC)
    grey_P = value_PC @ _weights(channels)
    near_P = np.abs(grey_P - np.median(grey_P)) <= NEAR * _spread(grey_P)
    for _ in range(2):
        plane_3C, *_rest = np.linalg.lstsq(place_P3[near_P], value_PC[near_P], rcond=None)
        residual_P = np.abs((value_PC - place_P3 @ plane_3C) @ _weights(channels))
        near_P = residual_P <= NEAR * max(1.4826 * float(np.median(residual_P)), LEAST_SPREAD)
    background_HWC: Floats = np.clip(place_HW3 @ plane_3C, 0.0, 255.0).astype(np.float32)
    return background_HWC


def _polarity(grey_HW: Floats, floor: float, background_HWC: Floats) -> int:
    strong_HW = np.where(np.abs(grey_HW) > floor, grey_HW, 0.0)
    balance = float((strong_HW * np.abs(strong_HW)).sum())
    if balance == 0.0:
        return 1 if float(background_HWC.mean()) < 127.5 else -1
    return 1 if balance > 0 else -1


def _white(strength_HW: Floats) -> float:
    subject_S = strength_HW[strength_HW > 0]
    if not len(subject_S):
        return LEAST_WHITE
    return max(float(np.quantile(subject_S, WHITE_QUANTILE)), LEAST_WHITE)
