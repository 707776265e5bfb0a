"""Exams made by hand, and the exam of the tiny run."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from holotype.collection.store import open_collection
from holotype.evaluation.exam import RANKS, Exam, prepare_exam
from holotype.inputs.materials import Materials
from holotype.models.bundle import Bundle, open_bundle
from holotype.models.encode import Encoded
from holotype.models.towers import Modality
from holotype.splits.plan import read_split


def hand_exam(
    z_ND: np.ndarray,
    names: dict[str, list[str | None]],
    role: list[str],
    status: list[str] | None = None,
    barcodes: list[str] | None = None,
) -> Exam:
    """An exam of barcode embeddings alone; every record is its own group."""
    count = len(role)
    unit_ND = (z_ND / np.linalg.norm(z_ND, axis=1, keepdims=True)).astype(np.float32)
    materials = Materials(
        record_id=tuple(str(row) for row in range(count)),
        concept_N=(None,) * count,
        pixels_MSSC=np.zeros((0, 4, 4, 1), dtype=np.uint8),
        size_M4=np.zeros((0, 4), dtype=np.float32),
        image_N=np.full(count, -1),
        barcode_N=tuple(barcodes or ["ACGT"] * count),
        haplotype_N=np.arange(count),
        marker_N=np.zeros(count, dtype=np.int64),
    )
    return Exam(
        materials=materials,
        table=pa.table({}),
        role_N=np.asarray(role),
        status_N=np.asarray(status or ["seen"] * count),
        group_N=np.arange(count),
        names={**{rank: [None] * count for rank in ("label", *RANKS)}, **names},
        encoded={Modality.BARCODE: Encoded(np.arange(count), unit_ND, None)},
        seed=0,
    )


@pytest.fixture(scope="session")
def exam_of() -> Callable[..., Exam]:
    """Makes an exam by hand."""
    return hand_exam


@pytest.fixture(scope="session")
def examined(tiny_run: Path) -> Bundle:
    """The tiny bundle, opened; read only."""
    return open_bundle(tiny_run)


@pytest.fixture(scope="session")
def tiny_exam(examined: Bundle, tiny_collection: Path, tiny_split: Path) -> Exam:
    """The exam of the tiny bundle; read only."""
    return prepare_exam(examined, open_collection(tiny_collection), read_split(tiny_split), seed=0)
