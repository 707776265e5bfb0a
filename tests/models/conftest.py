"""The tiny bundle and its materials, opened once for the tests of models."""

from pathlib import Path

import numpy as np
import pytest

from holotype.collection.store import open_collection
from holotype.inputs.materials import Materials, prepare_collection
from holotype.models.bundle import Bundle, open_bundle


@pytest.fixture(scope="session")
def tiny_bundle(tiny_run: Path) -> Bundle:
    """The tiny run, opened; read only."""
    return open_bundle(tiny_run)


@pytest.fixture(scope="session")
def tiny_materials(tiny_collection: Path, tiny_bundle: Bundle) -> Materials:
    """Every record of the tiny collection, as the tiny bundle reads it."""
    opened = open_collection(tiny_collection)
    return prepare_collection(opened, pixels=tiny_bundle.pixels, rows=np.arange(len(opened)))
