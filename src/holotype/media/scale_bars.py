"""Scale bars that software has burnt into an image: a model may learn them instead of the organism.

Place in the path: ``measure`` looks for one in every image.

A bar is a level line of one grey, at most a few pixels thick, with straight ends and clear space around it,
near the lower or upper side of the image. Organisms have no such lines: their edges are blurred and bent.
"""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

SMALLEST_IMAGE_PX = 24
SHORTEST_PX, SHORTEST_HAIRLINE_PX = 10, 48
"""A line one pixel thick must be longer: spines and filaments look like a short one."""
SHORTEST_SHARE, LONGEST_SHARE = 0.05, 0.9
THICKEST_PX = 8
CONTRAST = 80
"""Grey levels between a bar and what surrounds it."""
EVEN = 16
"""Grey levels that a bar's own pixels may differ by (JPEG blurs it)."""
NEAR_SIDE = 0.25
"""A bar lies in this part of the image, counted from the lower or the upper side."""


@dataclass(frozen=True)
class Bar:
    """A burnt-in scale bar, in pixels of the whole image: its left upper corner, length and thickness."""

    left_px: int
    top_px: int
    length_px: int
    thickness_px: int

    def within(self, scale: float) -> tuple[slice, slice]:
        """Returns the rows and columns of the bar, and a pixel around it, in a copy of that scale."""
        rows = (self.top_px, self.top_px + self.thickness_px)
        columns = (self.left_px, self.left_px + self.length_px)
        top, left = (max(0, int(first * scale) - 1) for first in (rows[0], columns[0]))
        bottom, right = (int(last * scale) + 2 for last in (rows[1], columns[1]))
        return slice(top, bottom), slice(left, right)


@lru_cache(maxsize=256)
def _distances_256(background: int) -> NDArray[np.uint8]:
    return np.abs(np.arange(256) - background).astype(np.uint8)


def difference_from(grey: NDArray[np.uint8], background: int) -> NDArray[np.uint8]:
    """Returns how many grey levels each pixel differs from the background, of the same shape."""
    return np.asarray(cv2.LUT(grey, _distances_256(background)), np.uint8).reshape(grey.shape)


def find_bar(difference_HW: NDArray[np.uint8]) -> Bar | None:
    """Returns the longest scale bar of an image, or None.

    Args:
        difference_HW: how many grey levels each pixel of the whole image differs from the background.
    """
    height, width = difference_HW.shape
    if min(height, width) < SMALLEST_IMAGE_PX:
        return None
    shortest = max(SHORTEST_PX, round(SHORTEST_SHARE * width))
    depth = max(1, round(NEAR_SIDE * height))
    strong_HW = np.asarray(
        cv2.threshold(difference_HW, CONTRAST, 1, cv2.THRESH_BINARY)[1], dtype=np.uint8
    )
    counts_H = cv2.reduce(strong_HW, 1, cv2.REDUCE_SUM, dtype=cv2.CV_32S)
    found = []
    for top in (height - depth, 0):
        rows = slice(top, top + depth)
        if int(counts_H[rows].max()) < shortest:
            continue
        if bar := _longest_in(difference_HW[rows], strong_HW[rows], shortest):
            found.append(Bar(bar.left_px, bar.top_px + top, bar.length_px, bar.thickness_px))
    return max(found, key=lambda bar: bar.length_px, default=None)


def _longest_in(
    difference_HW: NDArray[np.uint8], strong_HW: NDArray[np.uint8], shortest: int
) -> Bar | None:
    line = cv2.getStructuringElement(cv2.MORPH_RECT, (shortest, 1))
    lines_HW = cv2.morphologyEx(strong_HW, cv2.MORPH_OPEN, line)
    if not lines_HW.any():
        return None
    _, _, boxes, _ = cv2.connectedComponentsWithStats(lines_HW, connectivity=8)
    bars = [
        Bar(left, top, length, thick)
        for left, top, length, thick, area in boxes[1:].tolist()
        if thick <= min(THICKEST_PX, length // 4)
        and (thick > 1 or length >= SHORTEST_HAIRLINE_PX)
        and length <= LONGEST_SHARE * difference_HW.shape[1]
        and area >= 0.98 * length * thick
        and _is_clean(difference_HW, left, top, length, thick)
    ]
    return max(bars, key=lambda bar: bar.length_px, default=None)


def _is_clean(
    difference_HW: NDArray[np.uint8], left: int, top: int, length: int, thick: int
) -> bool:
    """Whether a line is of one grey, with background above, below and at both ends.

    The pixels next to the line are left out: JPEG blurs them.
    """
    height, width = difference_HW.shape
    line = difference_HW[top : top + thick, left + 1 : left + length - 1]
    core = line[int(line.mean(axis=1).argmax())]
    if int(core.max()) - int(core.min()) > EVEN:
        return False
    columns, rows = slice(left, left + length), slice(top, top + thick)
    around = [
        difference_HW[top - 2, columns] if top > 1 else None,
        difference_HW[top + thick + 1, columns] if top + thick + 1 < height else None,
        difference_HW[rows, left - 2] if left > 1 else None,
        difference_HW[rows, left + length + 1] if left + length + 1 < width else None,
    ]
    return all(side is None or int(side.max()) < CONTRAST / 2 for side in around)
