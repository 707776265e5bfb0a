"""Pixels of any size -> the square that a tower reads.

Place in the path: after decoding, before batches. Training, evaluation and prediction go through one
``PixelPreparation``, which is part of every bundle, so that none of them can differ.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from PIL import Image

from holotype.media.images import Decoded, read_enough
from holotype.media.marks import Marks, without_marks
from holotype.media.pixels import Pixels, is_grey, padded_square, with_channels
from holotype.media.subject import LARGEST_PX, find_subject


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

    @property
    def needed_px(self) -> int | None:
        """The side that this needs an image to have at most; None where marks are looked for at full size."""
        if self.marks is Marks.REMOVE:
            return None
        is_subject = self.kind is PreparationKind.SUBJECT
        return max(self.side_px, LARGEST_PX) if is_subject else self.side_px

    def read(self, content: bytes) -> Decoded:
        """Returns an encoded image, decoded as far as ``apply`` has use for it.

        Raises:
            MediaError: for empty, truncated, unknown or too large content, in one line.
        """
        return read_enough(content, needed_px=self.needed_px)

    def apply(self, pixels_HWC: Pixels) -> Pixels:
        """Returns the image as a square, uint8 (side, side, channels)."""
        if self.marks is Marks.REMOVE:
            pixels_HWC = without_marks(pixels_HWC)
        return _PREPARED[self.kind](pixels_HWC, self.side_px, self.channels)


def _padded(pixels_HWC: Pixels, side_px: int, channels: int) -> Pixels:
    return padded_square(pixels_HWC, side_px=side_px, channels=channels)


def _squashed(pixels_HWC: Pixels, side_px: int, channels: int) -> Pixels:
    return _resized(pixels_HWC, side_px, side_px, channels)


def _centre_crop(pixels_HWC: Pixels, side_px: int, channels: int) -> Pixels:
    height, width = pixels_HWC.shape[:2]
    shorter = min(height, width)
    grown = _resized(pixels_HWC, height * side_px // shorter, width * side_px // shorter, channels)
    top, left = (round((length - side_px) / 2) for length in grown.shape[:2])
    return grown[top : top + side_px, left : left + side_px]


def _subject(pixels_HWC: Pixels, side_px: int, channels: int) -> Pixels:
    bright_HWC = find_subject(pixels_HWC).bright_HWC
    seen_HWC = (bright_HWC * 255.0 + 0.5).astype(np.uint8)
    return padded_square(seen_HWC, side_px=side_px, channels=channels)


def _resized(pixels_HWC: Pixels, height: int, width: int, channels: int) -> Pixels:
    """Returns the image resized by Pillow; what is grey in all channels is resized once."""
    once_HWC = pixels_HWC[:, :, :1] if is_grey(pixels_HWC) else pixels_HWC
    if channels == 1:
        once_HWC = with_channels(once_HWC, channels=1)
    squeezed = once_HWC[..., 0] if once_HWC.shape[2] == 1 else once_HWC
    image = Image.fromarray(squeezed).resize((width, height), Image.Resampling.BICUBIC)
    found_HWC = np.asarray(image).reshape(height, width, once_HWC.shape[2])
    return with_channels(found_HWC, channels=channels)


_PREPARED: dict[PreparationKind, Callable[[Pixels, int, int], Pixels]] = {
    PreparationKind.PADDED: _padded,
    PreparationKind.SQUASHED: _squashed,
    PreparationKind.CENTRE_CROP: _centre_crop,
    PreparationKind.SUBJECT: _subject,
}
