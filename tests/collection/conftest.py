"""Small images and folders of them, made by number."""

from collections.abc import Callable
from pathlib import Path

import pytest


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
