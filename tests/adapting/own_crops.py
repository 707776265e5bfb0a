"""Grey shapes with labels: crops as a user may have them."""

import cv2
import numpy as np

LABELS = ("Round", "bars", "dim")


def drawn(label: str, seed: int) -> np.ndarray:
    """An image of a label; no two are the same."""
    rng = np.random.default_rng(seed)
    image = rng.integers(215, 245, (40, 40)).astype(np.uint8)
    at = rng.integers(14, 26, 2)
    if label == "Round":
        cv2.circle(image, tuple(map(int, at)), int(rng.integers(8, 12)), 20, -1)
    elif label == "bars":
        image[:, :: int(rng.integers(5, 8))] = 30
    else:
        image = (image // 3).astype(np.uint8)
    return image
