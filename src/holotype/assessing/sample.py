"""The drawn records on disk: their answers, weights and vectors, so that the second step needs no image.

Format: docs/formats/assessment.md. ``assessment.json`` is written last.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from holotype import files
from holotype.errors import SourceError, first_few
from holotype.identify.columns import ANSWER_SCHEMA
from holotype.identify.sidecar import sidecar_path

FORMAT, VERSION = "holotype-assessment", 1
MAX_ERROR = 0.05
MANIFEST, SAMPLE, REPORT, PAGE = "assessment.json", "sample.parquet", "report.json", "index.html"
SCHEMA = pa.schema(
    [
        ("number", pa.int64()),
        ("stratum", pa.string()),
        ("weight", pa.float64()),
        ("modality", pa.string()),
        ("z", pa.list_(pa.float32())),
        ("size_px", pa.float64()),
        ("grey", pa.float64()),
        ("border", pa.float64()),
        ("colour", pa.float64()),
        ("picture", pa.string()),
        *ANSWER_SCHEMA,
    ]
)
"""One row for each drawn record: what it stands for, its vector and look, a small picture, its answer."""


@dataclass(frozen=True)
class Sample:
    """A draw that was written.

    Attributes:
        path: its folder.
        manifest: the content of ``assessment.json``.
        table: rows of ``SCHEMA``, by number.
    """

    path: Path
    manifest: Mapping[str, Any]
    table: pa.Table

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @property
    def weight_S(self) -> NDArray[np.float64]:
        """How many records each stands for."""
        return np.asarray(self.table["weight"].to_pylist(), dtype=np.float64)

    @property
    def strata(self) -> list[str]:
        """The stratum of each."""
        return [str(name) for name in self.table["stratum"].to_pylist()]

    def max_error(self, asked: float | None) -> float:
        """Returns the error rate that the safe answers were made for.

        Raises:
            SourceError: when another one is asked for.
        """
        made_for = float(self.manifest.get("max_error", MAX_ERROR))
        if asked is not None and asked != made_for:
            raise SourceError(
                f"{self.path}: its answers were made for an error of {made_for:g}, so whether they keep "
                f"{asked:g} cannot be told. Leave --max-error away, or draw anew with it."
            )
        return made_for

    def vectors(self) -> tuple[str | None, NDArray[np.int64], NDArray[np.float32]]:
        """Returns the modality that most records have, their rows, and their vectors, float32 (V, D)."""
        modality = [one for one in self.table["modality"].to_pylist() if one is not None]
        if not modality:
            return None, np.zeros(0, np.int64), np.zeros((0, 0), np.float32)
        most = max(sorted(set(modality)), key=modality.count)
        rows = [r for r, one in enumerate(self.table["modality"].to_pylist()) if one == most]
        vectors = self.table["z"].take(pa.array(rows)).to_pylist()
        return most, np.asarray(rows, dtype=np.int64), np.asarray(vectors, dtype=np.float32)


def write_sample(folder: Path, rows: Sequence[Mapping[str, Any]], about: Mapping[str, Any]) -> None:
    """Writes the drawn records, then the manifest."""
    with files.written_whole(folder / SAMPLE) as temporary:
        pq.write_table(pa.Table.from_pylist(list(rows), schema=SCHEMA), temporary)
    files.write_json(folder / MANIFEST, {"format": FORMAT, "version": VERSION, **about})


def open_sample(folder: Path, *, model: str) -> Sample:
    """Returns the draw in a folder.

    Raises:
        SourceError: when there is none, or it was drawn by the answers of another model.
    """
    manifest = files.read_manifest(
        folder / MANIFEST, format_name=FORMAT, version=VERSION, error=SourceError
    )
    if manifest["model"] != model:
        raise SourceError(
            f"{folder}: drawn by the answers of another model ({manifest['model']}, not {model}). "
            "Name that model, or draw anew into another folder."
        )
    return Sample(folder, manifest, pq.read_table(folder / SAMPLE))


def told_max_error(answers: Path) -> float | None:
    """Returns the error rate that answers were made for, as their sidecar tells; None without one."""
    try:
        told = json.loads(sidecar_path(answers).read_text(encoding="utf-8"))
        return float(told["settings"]["max_error"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def check_model(answers: pa.Table, model: str) -> None:
    """Raises ``SourceError`` for answers of another model than the one of this fingerprint."""
    if others := {one for one in answers["model"].to_pylist() if one} - {model}:
        raise SourceError(
            f"the answers are of the model {first_few(sorted(others))}, not of the one named ({model}). Name "
            "the model that gave them, or predict again."
        )
