"""Marks that software burnt into an image: found only where that is certain, and removed.

Place in the path: before a crop becomes a square, when a recipe asks for it. A model may learn a scale bar,
its caption or a frame instead of the organism; another instrument has none, or others.

What counts as a mark:

- a scale bar (``media.scale_bars``), and the small figures of its grey right above or below it;
- corner brackets: two thin straight arms at a right angle, of one extreme grey;
- a ruler: a level line near the lower or upper side with evenly spaced ticks;
- a frame or footer: a strip along a whole side, of one grey apart from writing, that ends in a straight step.

Bars, figures, brackets and rulers are filled from what surrounds them (Telea 2004,
doi:10.1080/10867651.2004.10487596), frames with the background; no other pixel changes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from holotype.media.pixels import Pixels, background_C, with_channels
from holotype.media.scale_bars import Bar, difference_from, find_bar

SAME_GREY: Final = 24
"""Grey levels that the pixels of a mark may differ by."""
EVEN: Final = 4
"""Grey levels that the paper of a frame may differ by."""
STEP: Final = 32
"""Grey levels between a frame and what lies within it."""
MOST_FRAME: Final = 0.4
"""A frame takes at most this part of the image, from each side."""
TALLEST_FIGURE_PX: Final = 26
FIGURES_WITHIN_PX: Final = 34
"""Figures end within this many pixels of the bar."""
SHORTEST_ARM_PX: Final = 8
THICKEST_ARM_PX: Final = 3
FEWEST_TICKS: Final = 5
FRINGE_PX: Final = 2
"""Around every mark this much is filled with it: JPEG and smoothing blur its edge."""


class Marks(StrEnum):
    """What becomes of scale bars, text and frames that software burnt into an image."""

    KEEP = "keep"
    REMOVE = "remove"


class MarkKind(StrEnum):
    """What kind of mark was found."""

    SCALE_BAR = "scale_bar"
    FIGURE = "figure"
    BRACKET = "bracket"
    RULER = "ruler"
    FRAME = "frame"


@dataclass(frozen=True)
class Mark:
    """One mark: its kind, and the box that holds it, in pixels of the image."""

    kind: MarkKind
    left_px: int
    top_px: int
    width_px: int
    height_px: int

    @property
    def box(self) -> tuple[slice, slice]:
        """Rows and columns of the box."""
        rows = slice(self.top_px, self.top_px + self.height_px)
        return rows, slice(self.left_px, self.left_px + self.width_px)


def find_marks(pixels_HWC: Pixels) -> tuple[Mark, ...]:
    """Returns every mark of an image that is certain: frames first, then what lies within them."""
    return tuple(mark for mark, _ in _marked(pixels_HWC))


def without_marks(pixels_HWC: Pixels) -> Pixels:
    """Returns the image without its marks, of the same shape; the image itself where it has none."""
    found = _marked(pixels_HWC)
    if not found:
        return pixels_HWC
    frames_HW, drawn_HW = (np.zeros(pixels_HWC.shape[:2], np.uint8) for _ in range(2))
    for mark, inside in found:
        target_HW = frames_HW if mark.kind is MarkKind.FRAME else drawn_HW
        target_HW[mark.box] |= inside
    framed = frames_HW.astype(np.bool_)
    cleaned_HWC = pixels_HWC.copy()
    if framed.any():
        rows, columns = (np.flatnonzero(~framed.all(axis=axis)) for axis in (1, 0))
        inner = pixels_HWC[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        cleaned_HWC[framed] = background_C(inner)
    if drawn_HW.any():
        fringe = np.ones((2 * FRINGE_PX + 1,) * 2, np.uint8)
        grown_HW = np.asarray(cv2.dilate(drawn_HW, fringe), np.uint8)
        filled = cv2.inpaint(cleaned_HWC, grown_HW, 3, cv2.INPAINT_TELEA)
        cleaned_HWC = np.asarray(filled, np.uint8).reshape(pixels_HWC.shape)
    return cleaned_HWC


Inside = NDArray[np.uint8]
"""Within a mark's box, 1 where its pixels are."""


def _marked(pixels_HWC: Pixels) -> list[tuple[Mark, Inside]]:
    grey_HW = with_channels(pixels_HWC, channels=1)[..., 0]
    height, width = grey_HW.shape
    lines = _frame_lines(grey_HW)
    top, bottom, left, right = lines
    inner_HW = np.ascontiguousarray(grey_HW[top : height - bottom, left : width - right])
    found = [(mark, np.ones(_shape(mark), np.uint8)) for mark in _frames(lines, height, width)]
    for mark, inside in _drawn(inner_HW):
        moved = Mark(
            mark.kind, mark.left_px + left, mark.top_px + top, mark.width_px, mark.height_px
        )
        found.append((moved, inside))
    return found


def _shape(mark: Mark) -> tuple[int, int]:
    return mark.height_px, mark.width_px


Lines = tuple[int, int, int, int]
"""How many lines at the top, the bottom, the left and the right."""


def _frame_lines(grey_HW: NDArray[np.uint8]) -> Lines:
    """Returns how many lines of each side belong to a frame.

    A strip along one side is certain by itself. Strips that meet in corners are certain when every one of
    them ends in a step along all that lies between the others: a rectangle, which no organism is.
    """
    sides = (grey_HW, grey_HW[::-1], grey_HW.T, grey_HW.T[::-1])
    alone = [_strip(side_LN, 0, 0) for side_LN in sides]
    if any(alone):
        top, bottom = alone[:2]
        level_HW = grey_HW[top : grey_HW.shape[0] - bottom].T
        return top, bottom, _strip(level_HW, 0, 0), _strip(level_HW[::-1], 0, 0)
    top, bottom, left, right = (_paper_lines(side_LN) for side_LN in sides)
    ends = ((left, right), (left, right), (top, bottom), (top, bottom))
    together = [_strip(side_LN, *end) for side_LN, end in zip(sides, ends, strict=True)]
    if together != [top, bottom, left, right]:
        return 0, 0, 0, 0
    return top, bottom, left, right


def _paper_lines(grey_LN: NDArray[np.uint8]) -> int:
    """Returns how many first lines are of one grey."""
    away_LN = np.abs(grey_LN.astype(np.int16) - int(np.median(grey_LN[0])))
    others = np.flatnonzero((away_LN <= EVEN).mean(axis=1) < 0.98)
    return int(others[0]) if len(others) else 0


def _strip(grey_LN: NDArray[np.uint8], before: int, after: int) -> int:
    """Returns how many first lines are a strip of one grey that ends in a step along the whole line.

    Writing in the strip is allowed. The step is looked for between the first ``before`` and the last
    ``after`` places of a line.
    """
    limit = int(MOST_FRAME * len(grey_LN))
    if limit < 1 or grey_LN.shape[1] - before - after < 2:
        return 0
    away_LN = np.abs(grey_LN[: limit + 2].astype(np.int16) - int(np.median(grey_LN[0])))
    between_LN = away_LN[:, before : away_LN.shape[1] - after]
    paper_L = (between_LN <= EVEN).mean(axis=1)
    others = np.flatnonzero(paper_L < 0.5)
    count = int(others[0]) if len(others) else len(paper_L)
    if not 1 <= count <= limit or paper_L[0] < 0.98 or paper_L[count - 1] < 0.98:
        return 0
    return count if ((between_LN[count : count + 2] >= STEP).mean(axis=1) >= 0.95).any() else 0


def _frames(lines: Lines, height: int, width: int) -> Iterator[Mark]:
    top, bottom, left, right = lines
    boxes = (
        (0, 0, width, top),
        (0, height - bottom, width, bottom),
        (0, top, left, height - top - bottom),
        (width - right, top, right, height - top - bottom),
    )
    for box in boxes:
        if box[2] and box[3]:
            yield Mark(MarkKind.FRAME, *box)


def _drawn(grey_HW: NDArray[np.uint8]) -> Iterator[tuple[Mark, Inside]]:
    """Yields bars, their figures, brackets and rulers."""
    if min(grey_HW.shape) < 2:
        return
    paper = int(background_C(grey_HW[..., None])[0])
    bar = find_bar(difference_from(grey_HW, paper))
    inks = {0 if paper > 127 else 255}
    if bar is not None:
        yield _bar_mark(bar), np.ones((bar.thickness_px, bar.length_px), np.uint8)
        rows, columns = _bar_mark(bar).box
        inks = {int(np.median(grey_HW[rows, columns]))}
    for ink in inks:
        inked_HW = (difference_from(grey_HW, ink) <= SAME_GREY).astype(np.uint8)
        _, label_HW, boxes, _ = cv2.connectedComponentsWithStats(inked_HW, connectivity=8)
        for number, (left, top, width, height, _) in enumerate(boxes[1:].tolist(), start=1):
            inside = (label_HW[top : top + height, left : left + width] == number).astype(np.uint8)
            kind = _kind_of(inside, top, grey_HW.shape[0], bar)
            if kind is not None:
                yield Mark(kind, left, top, width, height), inside


def _bar_mark(bar: Bar) -> Mark:
    return Mark(MarkKind.SCALE_BAR, bar.left_px, bar.top_px, bar.length_px, bar.thickness_px)


def _kind_of(inside: Inside, top: int, image_height: int, bar: Bar | None) -> MarkKind | None:
    height, width = inside.shape
    if _is_bracket(inside):
        return MarkKind.BRACKET
    middle = top + height / 2
    if _is_ruler(inside) and not image_height / 4 < middle < image_height * 3 / 4:
        return MarkKind.RULER
    if bar is None or max(height, width) > TALLEST_FIGURE_PX:
        return None
    above = bar.top_px - (top + height)
    below = top - (bar.top_px + bar.thickness_px)
    apart = max(above, below)
    return MarkKind.FIGURE if apart >= 0 and apart + height <= FIGURES_WITHIN_PX else None


def _is_bracket(inside: Inside) -> bool:
    """Whether the pixels are two thin full arms along two sides of their box, and nothing else."""
    if min(inside.shape) < SHORTEST_ARM_PX:
        return False
    for flipped in (inside, inside[:, ::-1], inside[::-1], inside[::-1, ::-1]):
        thick = int(flipped[:, -1].sum())
        wide = int(flipped[-1].sum())
        if max(thick, wide) > THICKEST_ARM_PX or not thick or not wide:
            continue
        arms = flipped[:thick].all() and flipped[:, :wide].all()
        if arms and not flipped[thick:, wide:].any():
            return True
    return False


def _is_ruler(inside: Inside) -> bool:
    """Whether the pixels are a level line of at least 30 px with evenly spaced ticks on one side."""
    height, width = inside.shape
    if width < 30 or not 3 <= height <= TALLEST_FIGURE_PX:
        return False
    line_H = inside.mean(axis=1) >= 0.98
    if not (line_H[0] or line_H[-1]) or line_H.all() or line_H.sum() > THICKEST_ARM_PX:
        return False
    ticks_W = inside[~line_H][0 if line_H[-1] else -1]
    near_W = inside[~line_H][-1 if line_H[-1] else 0]
    starts = np.flatnonzero(np.diff(near_W, prepend=0) == 1)
    gaps = np.diff(starts)
    even = len(starts) >= FEWEST_TICKS and int(gaps.max() - gaps.min()) <= 2
    return bool(even and near_W.mean() < 0.5 and ticks_W.any())
