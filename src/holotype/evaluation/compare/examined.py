"""The figures of one trained arm on disk: every score with its replicates, and what a report says beside."""

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from holotype import files
from holotype.evaluation.evidence import Score

EXAM = "exam.parquet"
_WORDS = ("task", "method", "pair", "rank", "part", "metric")


@dataclass(frozen=True)
class Examined:
    """What one arm reached.

    Attributes:
        job: fingerprint of recipe, collection, split and of the code that examined.
        scores: every figure, with replicates where there are any.
        model: name, modalities, parameters, records, history and further words of the report.
        exhibit: how the space follows the tree, None where there is none.
    """

    job: str
    scores: list[Score]
    model: dict[str, Any]
    exhibit: dict[str, Any] | None


def write_examined(found: Examined, folder: Path) -> None:
    """Writes the figures beside the run, whole or not at all."""
    columns: dict[str, list[Any]] = {f.name: [] for f in fields(Score)}
    for score in found.scores:
        for name, column in columns.items():
            value = getattr(score, name)
            column.append(value.tolist() if isinstance(value, np.ndarray) else value)
    described = {"job": found.job, "model": found.model, "exhibit": found.exhibit}
    schema = pa.schema(
        [
            *((name, pa.string()) for name in _WORDS),
            *((name, pa.float64()) for name in ("value", "low", "high")),
            *((name, pa.int64()) for name in ("n", "left_out")),
            ("replicate_R", pa.list_(pa.float64())),
        ]
    ).with_metadata({"holotype": json.dumps(described)})
    with files.written_whole(folder / EXAM) as temporary:
        pq.write_table(pa.table(columns, schema=schema), temporary, compression="zstd")


def read_examined(folder: Path) -> Examined:
    """Returns what ``write_examined`` wrote."""
    table = pq.read_table(folder / EXAM)
    described = json.loads(table.schema.metadata[b"holotype"])
    scores = [
        Score(
            **{
                **row,
                "replicate_R": None
                if row["replicate_R"] is None
                else np.asarray(row["replicate_R"], dtype=np.float64),
            }
        )
        for row in table.to_pylist()
    ]
    return Examined(described["job"], scores, described["model"], described["exhibit"])


def examined_job(folder: Path) -> str | None:
    """Returns the fingerprint of the figures in a folder, None where there are none to read."""
    try:
        metadata = pq.read_schema(folder / EXAM).metadata or {}
        return str(json.loads(metadata[b"holotype"])["job"])
    except (OSError, KeyError, ValueError, pa.ArrowInvalid):
        return None
