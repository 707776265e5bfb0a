"""Pixels of any size -> the square that a tower reads.

Place in the path: after decoding, before batches. Training, evaluation and prediction go through one
``PixelPreparation``, which is part of every bundle, so that none of them can differ.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from PIL import Image

from holotype.media.images import Pixels, padded_square, with_channels
from holotype.media.marks import Marks, without_marks
from holotype.media.subject import find_subject


class PreparationKind(StrEnum):
    """How an image becomes a square.

    A bundle names its kind; a kind whose pixels would change is kept, and the new way takes a new name.
    """

    PADDED = "padded"
    SQUASHED = "squashed"
    CENTRE_CROP = "centre_crop"
    SUBJECT = "subject"


@dataclass(frozen=True)
class PixelPreparation:
    """How an image is made ready.

    Attributes:
        kind: ``padded`` keeps the aspect ratio on the image's own background (areas down, linear up);
            ``squashed`` and ``centre_crop`` are what open_clip and torchvision do (Pillow, bicubic);
            ``subject`` is ``padded`` without background and polarity (``media.subject``), bright on black.
        side_px: side of the square.
        channels: 1 (luma of Rec. 601) or 3.
        marks: whether burnt-in marks are removed first.
    """

    kind: PreparationKind
    side_px: int
    channels: int
    marks: Marks = Marks.KEEP

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels of what comes out."""
        return self.side_px, self.side_px, self.channels

    def apply(self, pixels_HWC: Pixels) -> Pixels:
        """Returns the image as a square, uint8 (side, side, channels)."""
        if self.marks is Marks.REMOVE:
            pixels_HWC = without_marks(pixels_HWC)
        return _PREPARED[self.kind](pixels_HWC, self.side_px, self.channels)


def _padded(pixels_HWC: Pixels, side_px: int, channels: int) -> Pixels:
    return padded_square(pixels_HWC, side_px=side_px, channels=channels)


def _squashed(pixels_HWC: Pixels, side_px: int, channels: int) -> Pixels:
    return _resized(with_channels(pixels_HWC, channels=channels), side_px, side_px)


def _centre_crop(pixels_HWC: Pixels, side_px: int, channels: int) -> Pixels:
    pixels_HWC = with_channels(pixels_HWC, channels=channels)
    height, width = pixels_HWC.shape[:2]
    shorter = min(height, width)
    grown = _resized(pixels_HWC, height * side_px // shorter, width * side_px // shorter)
    top, left = (round((length - side_px) / 2) for length in grown.shape[:2])
    return grown[top : top + side_px, left : left + side_px]


def _subject(pixels_HWC: Pixels, side_px: int, channels: int) -> Pixels:
    bright_HWC = find_subject(pixels_HWC).bright_HWC
    seen_HWC = (bright_HWC * 255.0 + 0.5).astype(np.uint8)
    return padded_square(seen_HWC, side_px=side_px, channels=channels)


def _resized(pixels_HWC: Pixels, height: int, width: int) -> Pixels:
    squeezed = pixels_HWC[..., 0] if pixels_HWC.shape[2] == 1 else pixels_HWC
    image = Image.fromarray(squeezed).resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(image).reshape(height, width, pixels_HWC.shape[2])


_PREPARED: dict[PreparationKind, Callable[[Pixels, int, int], Pixels]] = {
    PreparationKind.PADDED: _padded,
    PreparationKind.SQUASHED: _squashed,
    PreparationKind.CENTRE_CROP: _centre_crop,
    PreparationKind.SUBJECT: _subject,
}
