"""The quick decoders, for images of the plain kind (``media.headers``): JPEG by libjpeg-turbo, PNG by OpenCV.

Both are strict: a JPEG whose data end early or make no sense, and a PNG with fewer rows than it declares, are
not decoded. Who asks turns to Pillow then, and to ``media.wholeness``, which says what is wrong.
"""

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray

from holotype.media.headers import JPEG_START, PlainHeader
from holotype.media.reduction import reduced_size

_COLOURS = {1: "GRAY", 3: "RGB"}
_PNG_FLAGS = {1: cv2.IMREAD_GRAYSCALE, 3: cv2.IMREAD_COLOR_RGB}


def decoded_plain(
    content: bytes, header: PlainHeader, reduction: int = 1
) -> NDArray[np.uint8] | None:
    """Returns the pixels of a plain image, or None where its decoder refuses it.

    Args:
        content: the file.
        header: what its header says.
        reduction: 1, or 2, 4, 8: a JPEG is decoded at that part of its size.

    Returns:
        uint8 (H, W) or (H, W, C): grey, or red, green, blue.
    """
    if content.startswith(JPEG_START):
        return decoded_jpeg(content, header, reduction)
    try:
        decoded = cv2.imdecode(np.frombuffer(content, np.uint8), _PNG_FLAGS[header.channels])
    except cv2.error:
        return None
    return None if decoded is None else np.asarray(decoded, np.uint8)


def decoded_jpeg(content: bytes, header: PlainHeader, reduction: int) -> NDArray[np.uint8] | None:
    """Returns the pixels of a JPEG as they are stored, uint8 (H, W, C); None where anything is remarked."""
    try:
        pixels: NDArray[np.uint8] = simplejpeg.decode_jpeg(
            content,
            _COLOURS[header.channels],
            min_height=-(-header.height // reduction),
            min_width=-(-header.width // reduction),
        )
    except ValueError:
        return None
    width, height = reduced_size(header.width, header.height, reduction)
    return pixels[:height, :width]
