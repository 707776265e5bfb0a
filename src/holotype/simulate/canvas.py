"""A sheet on which bodies are drawn as absorbance, before any instrument looks at them.

Each pixel holds the absorbance (optical density) of blue, green and red light, so that the same
drawing can be seen dark on a bright field, bright on a dark field, or in colour.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from holotype.simulate.geometry import Points, rotated

SIDE_PX = 336
"""Height and width of the sheet."""
PX_PER_UNIT = 84.0
"""Pixels of the sheet in one body unit; a body is two units long."""
ABSORBANCE_STEP = 0.012
"""Absorbance of one grey level of the sheet."""
_SHIFT = 4

Ink = tuple[float, float, float]
"""Absorbance of blue, green and red light."""


@dataclass(frozen=True, slots=True)
class Pose:
    """How a specimen lies: mirrored (signs of x and y), then turned by an angle in radians."""

    angle: float = 0.0
    signs: tuple[float, float] = (1.0, 1.0)


class Canvas:
    """The sheet; coordinates are body units, widths and radii too.

    Attributes:
        levels_HW3: Absorbance in steps of ``ABSORBANCE_STEP``, uint8, blue green red.
    """

    def __init__(self, *, pose: Pose) -> None:
        self.levels_HW3: NDArray[np.uint8] = np.zeros((SIDE_PX, SIDE_PX, 3), dtype=np.uint8)
        self._pose = pose

    def fill(self, outline_N2: Points, ink: Ink, *, opacity: float = 1.0) -> None:
        """Fill an outline; an opacity below 1 lets what lies below shine through."""
        self.fill_all([outline_N2], ink, opacity=opacity)

    def fill_all(self, outlines: Sequence[Points], ink: Ink, *, opacity: float = 1.0) -> None:
        """Fill outlines as one layer: where they overlap they are not darker."""
        scaled = [self._px(outline_N2) for outline_N2 in outlines]

        def draw(sheet_HW3: NDArray[np.uint8]) -> None:
            for outline in scaled:
                cv2.fillPoly(sheet_HW3, [outline], _level(ink), cv2.LINE_AA, _SHIFT)

        self._lay(draw, scaled, reach_px=2, opacity=opacity)

    def lines(
        self, curves: Sequence[Points], ink: Ink, *, width: float, opacity: float = 1.0
    ) -> None:
        """Draw open curves of one width."""
        self._stroke(curves, ink, width=width, opacity=opacity, is_closed=False)

    def rim(self, outline_N2: Points, ink: Ink, *, width: float, opacity: float = 1.0) -> None:
        """Draw a closed outline."""
        self._stroke([outline_N2], ink, width=width, opacity=opacity, is_closed=True)

    def dots(self, centres_N2: Points, ink: Ink, *, radius: float, opacity: float = 1.0) -> None:
        """Draw filled discs of one radius."""
        scaled = self._px(np.atleast_2d(centres_N2))
        size = round(radius * PX_PER_UNIT * 2**_SHIFT)

        def draw(sheet_HW3: NDArray[np.uint8]) -> None:
            for x, y in scaled.tolist():
                cv2.circle(sheet_HW3, (x, y), size, _level(ink), -1, cv2.LINE_AA, _SHIFT)

        self._lay(draw, [scaled], reach_px=2 + (size >> _SHIFT), opacity=opacity)

    def _stroke(
        self, curves: Sequence[Points], ink: Ink, *, width: float, opacity: float, is_closed: bool
    ) -> None:
        thickness = max(1, round(width * PX_PER_UNIT))
        scaled = [self._px(curve_N2) for curve_N2 in curves]

        def draw(sheet_HW3: NDArray[np.uint8]) -> None:
            cv2.polylines(sheet_HW3, scaled, is_closed, _level(ink), thickness, cv2.LINE_AA, _SHIFT)

        self._lay(draw, scaled, reach_px=2 + thickness, opacity=opacity)

    def _lay(
        self,
        draw: Callable[[NDArray[np.uint8]], None],
        scaled: Sequence[NDArray[np.int32]],
        *,
        reach_px: int,
        opacity: float,
    ) -> None:
        """Draw on the sheet, or blend a drawn copy of the part that the points touch."""
        if opacity >= 1:
            draw(self.levels_HW3)
            return
        points = np.concatenate(scaled) >> _SHIFT
        left, top = np.clip(points.min(axis=0) - reach_px, 0, SIDE_PX - 1).tolist()
        right, bottom = np.clip(points.max(axis=0) + reach_px, 1, SIDE_PX).tolist()
        part = (slice(top, bottom), slice(left, right))
        below = self.levels_HW3[part].copy()
        draw(self.levels_HW3)
        self.levels_HW3[part] = cv2.addWeighted(
            self.levels_HW3[part], opacity, below, 1 - opacity, 0.0
        )

    def _px(self, points_N2: Points) -> NDArray[np.int32]:
        """Sheet coordinates in fixed point."""
        mirrored_N2 = np.asarray(points_N2 * self._pose.signs)
        placed_N2 = rotated(mirrored_N2, self._pose.angle) * PX_PER_UNIT + SIDE_PX / 2
        return np.asarray(np.rint(placed_N2 * 2**_SHIFT), dtype=np.int32)


def _level(ink: Ink) -> tuple[float, float, float]:
    """Absorbance in steps of the sheet."""
    blue, green, red = (float(min(255, round(channel / ABSORBANCE_STEP))) for channel in ink)
    return blue, green, red
