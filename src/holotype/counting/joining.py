"""Scores and embeddings of the same prediction, and measures of a collection, row by row beside answers."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from holotype.collection.store import open_collection
from holotype.counting.volumes import Real, ellipsoid_mm3, first_known, numbers, sphere_mm3
from holotype.errors import SourceError, first_few
from holotype.models.labels import LabelSpace

FROM_COLLECTION = (
    "sample_id", "acquisition_id", "instrument", "sampled_volume_l", "subsample_fraction",
    "object_esd_px", "pixel_size_um",
)  # fmt: skip
AXES = (("object_major", "object_minor"), ("major", "minor"))
"""Columns of other programs with the axes of the fitted ellipse in pixels."""


@dataclass(frozen=True)
class Scored:
    """What a model said of N answers, all labels of it.

    Attributes:
        probability_NL: float32, NaN where an answer has none.
        z_ND: float32, NaN likewise.
    """

    probability_NL: NDArray[np.float32]
    z_ND: NDArray[np.float32]

    @property
    def has_N(self) -> NDArray[np.bool_]:
        """Which answers have both."""
        rows = np.concatenate([self.probability_NL, self.z_ND], axis=1)
        found: NDArray[np.bool_] = np.isfinite(rows).all(axis=1)
        return found


def read_scored(
    scores: Path | str, embeddings: Path | str, inputs: Sequence[str], labels: LabelSpace
) -> Scored:
    """Returns the scores and embeddings of answers, in their order.

    Args:
        scores: the file of ``holotype predict --scores``.
        embeddings: the file of ``holotype predict --embeddings``.
        inputs: the column ``input`` of the answers.
        labels: what the scores are of.

    Raises:
        SourceError: when a file is missing, of another model, or not of the same inputs.
    """
    names = [f"{name} (label)" if name == "input" else name for name in labels.names]
    table = _read(scores, ["input", *names], of="--scores")
    at_N = _places(Path(scores), table["input"].to_pylist(), inputs)
    score_NL = np.column_stack([_floats(table[name]) for name in names])[at_N]
    table = _read(embeddings, ["input", "embedding"], of="--embeddings")
    at_N = _places(Path(embeddings), table["input"].to_pylist(), inputs)
    return Scored(score_NL, _vectors(table["embedding"])[at_N])


def _read(path: Path | str, columns: list[str], *, of: str) -> pa.Table:
    import pyarrow.parquet as pq

    path = Path(path)
    if not path.is_file():
        raise SourceError(f"{path}: no such file. Write it with holotype predict {of} {path.name}.")
    try:
        held = pq.read_schema(path).names
    except (pa.ArrowException, OSError) as reason:
        raise SourceError(f"{path}: no Parquet file ({reason}). Write it with {of}.") from reason
    if missing := [name for name in columns if name not in held]:
        raise SourceError(
            f"{path}: no column {first_few(missing)}. Give what holotype predict {of} wrote, of the model "
            "that --evidence names."
        )
    try:
        return pq.read_table(path, columns=columns)
    except (pa.ArrowException, OSError) as reason:
        raise SourceError(f"{path}: damaged ({reason}). Write it again with {of}.") from reason


def _places(path: Path, held: list[str], wanted: Sequence[str]) -> NDArray[np.int64]:
    """Returns the row of each answer: in the same order, or by its name where names are unique."""
    if held == list(wanted):
        return np.arange(len(held), dtype=np.int64)
    place = {name: row for row, name in enumerate(held)}
    if len(place) < len(held):
        raise SourceError(
            f"{path}: other rows than the answers, and an input occurs twice, so they cannot be joined. "
            "Take all files from one run of holotype predict."
        )
    if missing := [name for name in wanted if name not in place]:
        raise SourceError(
            f"{path}: no row for {first_few(missing)}. Take all files from one run of holotype predict."
        )
    return np.asarray([place[name] for name in wanted], dtype=np.int64)


def _floats(column: pa.ChunkedArray) -> NDArray[np.float32]:
    found: NDArray[np.float32] = column.cast(pa.float32()).to_numpy().astype(np.float32)
    return found


def _vectors(column: pa.ChunkedArray) -> NDArray[np.float32]:
    known = column.drop_null()
    width = len(known[0]) if len(known) else 0
    found = np.full((len(column), width), np.nan, dtype=np.float32)
    is_known = column.is_valid().to_numpy().astype(np.bool_)
    flat = np.concatenate([chunk.flatten().to_numpy() for chunk in known.chunks] or [[]])
    found[is_known] = flat.reshape(-1, max(width, 1)) if width else 0
    return found


def with_collection(answers: pa.Table, collection: Path | str) -> tuple[pa.Table, Real]:
    """Returns answers whose empty cells are filled from the collection, and volumes of ellipses, mm3, (N,).

    Records are found by ``record_id``. What the answers say stays.

    Raises:
        SourceError: when no answer names a record of the collection.
    """
    table = open_collection(Path(collection)).columns(["record_id", *FROM_COLLECTION, "extra"])
    record = {row["record_id"]: row for row in table.to_pylist()}
    ids = answers["record_id"].to_pylist()
    own = [record.get(name, {}) for name in ids]
    if not any(own):
        raise SourceError(
            f"{collection}: has none of the records of the answers. Give the collection that was predicted."
        )
    for name in FROM_COLLECTION:
        values = answers[name].to_pylist()
        filled = [
            row.get(name) if value is None else value
            for value, row in zip(values, own, strict=True)
        ]
        place = answers.schema.get_field_index(name)
        kind = answers.schema.field(name).type
        answers = answers.set_column(place, name, pa.array(filled, kind))
    axes = np.asarray([_axes(row.get("extra")) for row in own], dtype=np.float64).reshape(-1, 2)
    pixel_um = numbers(answers["pixel_size_um"].to_pylist())
    return answers, ellipsoid_mm3(axes[:, 0], axes[:, 1], pixel_um)


def _axes(extra: str | None) -> tuple[float, float]:
    """Returns the axes of the ellipse that other columns give, NaN for none."""
    told: dict[str, Any] = json.loads(extra) if extra else {}
    for major, minor in AXES:
        try:
            return float(told[major]), float(told[minor])
        except (KeyError, ValueError, TypeError):
            continue
    return np.nan, np.nan


def volume_mm3(answers: pa.Table, ellipse_N: Real | None) -> Real:
    """Returns the volume of each specimen, mm3: by its ellipse, else its diameter; NaN for neither."""
    sphere_N = sphere_mm3(
        numbers(answers["object_esd_px"].to_pylist()),
        numbers(answers["pixel_size_um"].to_pylist()),
    )
    return first_known(sphere_N) if ellipse_N is None else first_known(ellipse_N, sphere_N)
