"""What is measured on every image while it is decoded anyway: hash, greys, size of the object, flags.

Place in the path: intake writes these into the columns ``image_phash`` (``phash_text``), ``grey_mean``,
``grey_sd``, ``object_esd_px`` and ``image_flags`` (``flags_text``); quality control reads them there.

``image_flags`` holds, with ';' between them and in this order: ``blank``, ``truncated_crop``, ``scale_bar``.

The perceptual hash is the sign of the lowest frequencies of a discrete cosine transform (Zauner 2010,
"Implementation and benchmarking of perceptual image hash functions", chapter 3.2): the image is averaged to
32 x 32 greys, and each of 64 low-frequency coefficients (without the mean) is compared with their median.
Deviations: the 64 coefficients are those of the 8 x 8 block next to the mean in both directions, and an image
on which nothing stands out has no hash, because its signs would be noise.
"""

from dataclasses import dataclass
from enum import StrEnum
from math import pi, sqrt

import cv2
import numpy as np
from numpy.typing import NDArray

from holotype.media.pixels import Pixels
from holotype.media.scale_bars import Bar, difference_from, find_bar

HASH_SIDE_PX = 32
WORKING_SIDE_PX = 128
"""The object is looked for on a copy whose longer side is at most this."""

LOWEST_CONTRAST, HIGHEST_FLOOR = 6.0, 24.0
"""Grey levels: less is never an object; more is never taken for the noise of the background."""
CUT_CONTACT = 0.5
"""An object is cut when its contact with one side of the image is longer than this part of its diameter."""

_SPREAD_OF_MEDIAN = 1.4826
_NOISE_SPREADS = 3.0


class ImageFlag(StrEnum):
    """What may be wrong with an image; the column ``image_flags`` holds them in this order."""

    BLANK = "blank"
    TRUNCATED_CROP = "truncated_crop"
    SCALE_BAR = "scale_bar"


@dataclass(frozen=True)
class Measures:
    """What is measured on one image.

    Attributes:
        phash: perceptual hash of 64 bits; None for a blank image.
        grey_mean: mean grey level, 0 to 255.
        grey_sd: standard deviation of the grey levels.
        object_esd_px: diameter of the disc with the area of all that stands out; None for a blank image.
        edge_contact: the longest contact of the object with one side, as a part of ``object_esd_px``; 0 for
            an object that touches no side.
        bar: the burnt-in scale bar, where there is one.
    """

    phash: int | None
    grey_mean: float
    grey_sd: float
    object_esd_px: float | None
    edge_contact: float
    bar: Bar | None

    @property
    def flags(self) -> tuple[ImageFlag, ...]:
        """What may be wrong with the image."""
        found = {
            ImageFlag.BLANK: self.object_esd_px is None,
            ImageFlag.TRUNCATED_CROP: self.edge_contact > CUT_CONTACT,
            ImageFlag.SCALE_BAR: self.bar is not None,
        }
        return tuple(flag for flag, is_so in found.items() if is_so)

    @property
    def flags_text(self) -> str | None:
        """The flags as the column ``image_flags`` has them; None for none."""
        return ";".join(self.flags) or None

    @property
    def phash_text(self) -> str | None:
        """The hash as the column ``image_phash`` has it: 16 hexadecimal digits, or None."""
        return None if self.phash is None else f"{self.phash:016x}"


def measure(pixels_HWC: Pixels) -> Measures:
    """Returns what is measured on one image; the same pixels give the same values.

    Args:
        pixels_HWC: uint8, 1 or 3 (red, green, blue) channels, any size.
    """
    grey_HW = _grey(pixels_HWC)
    mean, spread = cv2.meanStdDev(grey_HW)
    small_HW, scale = _bounded(grey_HW)
    border = _border(small_HW)
    background = _middle(border)
    whole_HW = difference_from(grey_HW, background)
    bar = find_bar(whole_HW)
    difference_HW = whole_HW if scale == 1 else difference_from(small_HW, background)
    stands_out_HW = _stands_out(_without(difference_HW, bar, scale), border, background)
    area = cv2.countNonZero(stands_out_HW)
    diameter = 2 * sqrt(area / pi)
    return Measures(
        phash=_hash(small_HW) if area else None,
        grey_mean=float(mean[0, 0]),
        grey_sd=float(spread[0, 0]),
        object_esd_px=diameter / scale if area else None,
        edge_contact=_longest_contact(stands_out_HW) / diameter if area else 0.0,
        bar=bar,
    )


def _grey(pixels_HWC: Pixels) -> NDArray[np.uint8]:
    if pixels_HWC.shape[2] == 1:
        return pixels_HWC[:, :, 0]
    return np.asarray(cv2.cvtColor(pixels_HWC, cv2.COLOR_RGB2GRAY), dtype=np.uint8)


def _bounded(grey_HW: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], float]:
    """Returns a copy that is not too large, and its scale (1 or less)."""
    height, width = grey_HW.shape
    scale = WORKING_SIDE_PX / max(height, width)
    if scale >= 1:
        return grey_HW, 1.0
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(grey_HW, size, interpolation=cv2.INTER_AREA), np.uint8), scale


def _border(grey_HW: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.concatenate((grey_HW[0], grey_HW[-1], grey_HW[:, 0], grey_HW[:, -1]))


def _middle(values: NDArray[np.uint8]) -> int:
    """Returns the median (the upper one of an even number)."""
    half = len(values) // 2
    return int(np.partition(values, half)[half])


def _without(difference_HW: NDArray[np.uint8], bar: Bar | None, scale: float) -> NDArray[np.uint8]:
    """Returns the difference from the background as it is without the bar."""
    if bar is None:
        return difference_HW
    cleared_HW = difference_HW.copy()
    cleared_HW[bar.within(scale)] = 0
    return cleared_HW


def _stands_out(
    difference_HW: NDArray[np.uint8], border: NDArray[np.uint8], background: int
) -> NDArray[np.uint8]:
    """Returns 1 where a pixel differs from the background, else 0.

    The threshold is that of Otsu (1979, doi:10.1109/TSMC.1979.4310076) on the difference without sign, so
    that bright and dark objects are treated alike; but never below the noise of the border.
    """
    noise = _SPREAD_OF_MEDIAN * _middle(difference_from(border, background))
    floor = min(max(LOWEST_CONTRAST, _NOISE_SPREADS * noise), HIGHEST_FLOOR)
    smooth_HW = cv2.blur(difference_HW, (3, 3))
    otsu, found_HW = cv2.threshold(smooth_HW, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    if otsu < floor:
        _, found_HW = cv2.threshold(smooth_HW, floor, 1, cv2.THRESH_BINARY)
    return np.asarray(found_HW, np.uint8)


def _longest_contact(found_HW: NDArray[np.uint8]) -> int:
    """Returns how many pixels of that side with most of them stand out."""
    sides = (found_HW[0], found_HW[-1], found_HW[:, 0], found_HW[:, -1])
    return max(int(np.count_nonzero(side)) for side in sides)


def _hash(grey_HW: NDArray[np.uint8]) -> int:
    small_HW = cv2.resize(grey_HW, (HASH_SIDE_PX, HASH_SIDE_PX), interpolation=cv2.INTER_AREA)
    low_64 = cv2.dct(small_HW.astype(np.float32))[1:9, 1:9].ravel()
    ordered = np.partition(low_64, 32)
    return int.from_bytes(np.packbits(low_64 > ordered[32]).tobytes(), "big")
