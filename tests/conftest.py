"""What tests share: the real data, where it is; a small simulated collection; the command line."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest
from PIL import Image

hypothesis.settings.register_profile("any_machine", deadline=None)
hypothesis.settings.load_profile("any_machine")  # a busy machine is no fault of the code

ROOT = Path(__file__).parent.parent
TINY_SIMULATION = (
    "seed = 3\nnum_species = 24\nmedian_specimens_per_species = 12.0\nabundance_sigma = 0.3\n"
    "max_specimens_per_species = 16\n"
)


def real_data_root() -> Path | None:
    """The real data: ``HOLOTYPE_REAL_DATA``, else ``../shared/data`` beside the checkout."""
    named = os.environ.get("HOLOTYPE_REAL_DATA")
    place = Path(named) if named else ROOT.parent / "shared" / "data"
    return place if place.is_dir() else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if real_data_root() is None:
        for item in items:
            if "real" in item.keywords:
                item.add_marker(pytest.mark.skip(reason="no real data: set HOLOTYPE_REAL_DATA"))
    if os.environ.get("HOLOTYPE_SLOW") != "1":
        for item in items:
            if "slow" in item.keywords:
                item.add_marker(pytest.mark.skip(reason="slow: make test-all runs it"))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of the real data."""
    root = real_data_root()
    assert root is not None
    return root


@pytest.fixture(scope="session")
def tiny_collection(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated collection of some 300 specimens; read only."""
    import holotype

    folder = tmp_path_factory.mktemp("tiny")
    settings = folder / "simulation.toml"
    settings.write_text(TINY_SIMULATION)
    holotype.import_("simulated", [settings], into=folder / "collection", source="simulated")
    return folder / "collection"


@pytest.fixture(scope="session")
def tiny_split(tiny_collection: Path) -> Path:
    """Seen and unseen species of the tiny collection; read only."""
    import holotype

    path = tiny_collection.parent / "seen-unseen.parquet"
    holotype.split(tiny_collection, out=path, method="seen-unseen", require=["image"])
    return path


TINY_RECIPE = """
name = "tiny"
target = "tree"
[model]
embedding_dim = 32
[model.images]
side_px = 32
width = 8
depth = 1
[model.barcodes]
max_bp = 660
feature_dim = 64
kmer_bp = 3
width = 16
depth = 1
[model.captions]
width = 16
depth = 1
[model.classifier]
kind = "cosine"
dropout = 0.1
[classify]
[align]
pairs = [["image", "barcode"], ["image", "caption"], ["barcode", "caption"]]
[augment]
[damage]
[schedule]
epochs = 3
batch_size = 32
"""


@pytest.fixture(scope="session")
def tiny_recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tri-modal recipe that trains in seconds."""
    path = tmp_path_factory.mktemp("recipe") / "tiny.toml"
    path.write_text(TINY_RECIPE)
    return path


@pytest.fixture(scope="session")
def tiny_run(tiny_collection: Path, tiny_split: Path, tiny_recipe: Path) -> Path:
    """A bundle trained for three epochs on the tiny collection; read only."""
    import holotype

    out = tiny_collection.parent / "run"
    holotype.train(
        tiny_recipe, collection=tiny_collection, split=tiny_split, out=out, accelerator="cpu"
    )
    return out


@pytest.fixture(scope="session")
def holotype_command() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the command line in a process of its own, as a user does."""

    def run(*words: str | Path, timeout: int = 300) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", "from holotype.cli.app import main; main()"]
        return subprocess.run(
            [*command, *map(str, words)],
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    return run


def printed_json(done: subprocess.CompletedProcess[str]) -> Any:
    """The JSON on a finished command's stdout, which must hold nothing else."""
    return json.loads(done.stdout)


@pytest.fixture(scope="session")
def png() -> Callable[[int], bytes]:
    """Returns an encoded grey image that differs from that of every other number."""

    def make(number: int) -> bytes:
        pixels = np.random.default_rng(number).integers(0, 256, (6, 8), dtype=np.uint8)
        handle = io.BytesIO()
        Image.fromarray(pixels).save(handle, "PNG")
        return handle.getvalue()

    return make
