"""Small images and folders of them, made by number."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="session")
def png() -> Callable[[int], bytes]:
    """Returns an encoded grey image that differs from that of every other number."""

    def make(number: int) -> bytes:
        pixels = np.random.default_rng(number).integers(0, 256, (6, 8), dtype=np.uint8)
        handle = io.BytesIO()
        Image.fromarray(pixels).save(handle, "PNG")
        return handle.getvalue()

    return make


@pytest.fixture
def crops(tmp_path: Path, png: Callable[[int], bytes]) -> Path:
    """Ten images of two classes, one at the top without a class, and a text file."""
    root = tmp_path / "crops"
    for number in range(10):
        place = root / ("copepod" if number % 2 else "egg_Calanus") / f"{number}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(png(number))
    (root / "loose.png").write_bytes(png(99))
    (root / "notes.txt").write_text("net 2")
    return root
