"""A user's own images: grey shapes in class folders, on which two labels differ plainly."""

from collections.abc import Callable
from pathlib import Path

import cv2
import pytest
from own_crops import LABELS, drawn


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
