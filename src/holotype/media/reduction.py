"""At what part of its size a large JPEG is decoded: of 8 x 8 frequencies of a block, only the low ones.

What is left out is what averaging areas would take away. The pixels are nearly those of shrinking the whole
image (docs/why/decoding.md has how nearly), in a fraction of the time and memory.
"""

from PIL import Image, JpegImagePlugin

REDUCTIONS = (8, 4, 2)
"""A JPEG can be decoded at one of these parts of its size (ITU-T T.81 has blocks of 8 x 8)."""
ENOUGH = 4
"""What is left has at least so many times the side that is needed: resizing still averages areas."""


def reduction_of(width_px: int, height_px: int, needed_px: int) -> int:
    """Returns 8, 4 or 2 where a JPEG is decoded at that part of its size, else 1.

    It is the largest that leaves the shorter side with ``ENOUGH`` times as many pixels as are needed: so
    nothing whose shorter side is below eight times what is needed is ever reduced.
    """
    shorter = min(width_px, height_px)
    return next((k for k in REDUCTIONS if shorter >= k * ENOUGH * needed_px), 1)


def reduced_size(width_px: int, height_px: int, reduction: int) -> tuple[int, int]:
    """Returns how many pixels of a reduced image are kept, at least 1.

    A decoder rounds up: its last pixels may stand for a part of a block alone. Where that is less than half
    they are left out, so that the image keeps its shape.
    """
    return max(1, round(width_px / reduction)), max(1, round(height_px / reduction))


def reduced_by_pillow(image: JpegImagePlugin.JpegImageFile, reduction: int) -> Image.Image:
    """Returns a JPEG that Pillow has opened and not yet decoded, decoded at a part of its size."""
    if reduction == 1:
        return image
    kept = reduced_size(*image.size, reduction)
    image.draft(None, (image.width // reduction, image.height // reduction))
    return image.crop((0, 0, *kept))
