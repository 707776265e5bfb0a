"""A user's own images: grey shapes in class folders, on which two labels differ plainly."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

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


@pytest.fixture(scope="session")
def own_images(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    """Class folders with so many images a label."""

    def made(count: int) -> Path:
        root = tmp_path_factory.mktemp("own") / "images"
        for place, label in enumerate(LABELS):
            (root / label).mkdir(parents=True)
            for number in range(count):
                seed = 1000 * place + number
                cv2.imwrite(str(root / label / f"{number}.png"), drawn(label, seed))
        return root

    return made
