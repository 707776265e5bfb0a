"""How images are decoded and resized here, as hashes: another library version may change pixels a little."""

from base64 import b64decode
from typing import Any

import cv2
import numpy as np
import PIL
import simplejpeg

from holotype.files import sha256_bytes
from holotype.media.images import read_pixels
from holotype.media.pixels import Pixels
from holotype.media.preparation import PixelPreparation

_LIBRARIES = {"opencv": cv2, "pillow": PIL, "numpy": np, "simplejpeg": simplejpeg}
_JPEG = b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABALDA4MChAODQ4SERATGCgaGBYWGDEjJR0oOjM9PDkzODdASFxOQERXRTc4UG1R"
    "V19iZ2hnPk1xeXBkeFxlZ2P/2wBDARESEhgVGC8aGi9jQjhCY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2Nj"
    "Y2NjY2NjY2NjY2NjY2P/wAARCAAQABgDASIAAhEBAxEB/8QAGAAAAwEBAAAAAAAAAAAAAAAAAAUGAwT/xAAaEAACAgMAAAAA"
    "AAAAAAAAAAAABAJhAyEx/8QAFwEAAwEAAAAAAAAAAAAAAAAAAQMEBf/EABwRAAICAgMAAAAAAAAAAAAAAAAEAhIBAyExYf/a"
    "AAwDAQACEQMRAD8Amop0b4k6HcUKOjEhRM43O+RCbvorXT5oCjXQ5oA6W51N6DvHZ//Z"
)
"""A picture of 24 x 16 px with colours at half resolution: decoders may differ on it."""


def preparation_print(pixels: PixelPreparation | None) -> dict[str, Any]:
    """Returns hashes of what decoding and making ready give here, and the versions of the libraries.

    Args:
        pixels: how the model's images are made ready; None for a model that reads none.
    """
    if pixels is None:
        return {}
    ready = b"".join(pixels.apply(_drawn(*size)).tobytes() for size in ((187, 301), (9, 13)))
    return {
        "decoded": sha256_bytes(read_pixels(_JPEG).tobytes())[:16],
        "resized": sha256_bytes(ready)[:16],
        "versions": {name: library.__version__ for name, library in _LIBRARIES.items()},
    }


def _drawn(height: int, width: int) -> Pixels:
    """Returns a picture with slopes and edges, uint8 (H, W, 3)."""
    y_HW, x_HW = np.mgrid[0:height, 0:width]
    greys = (x_HW * 7 + y_HW * 13, x_HW * y_HW // 5, (x_HW // 8 + y_HW // 8) % 2 * 255)
    return np.stack([grey % 256 for grey in greys], axis=-1).astype(np.uint8)
