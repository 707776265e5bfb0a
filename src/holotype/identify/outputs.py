"""The tables that a prediction writes: the answers and, where asked for, all scores and the embeddings."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from holotype import files
from holotype.errors import SourceError
from holotype.identify.answers import Chunk
from holotype.identify.columns import ANSWER_SCHEMA
from holotype.identify.writers import FORMAT, VERSION
from holotype.models.bundle import Bundle

ANSWERS, SCORES, EMBEDDINGS = "answers", "scores", "embeddings"


@dataclass(frozen=True)
class Output:
    """One table to write.

    Attributes:
        name: ``answers``, ``scores`` or ``embeddings``.
        path: the file.
        schema: its columns, with the model in the metadata.
        table_of: the table of some answers, of that schema.
    """

    name: str
    path: Path
    schema: pa.Schema
    table_of: Callable[[Chunk, pa.Schema], pa.Table]

    def told(self) -> dict[str, Any]:
        """Returns what the sidecar says of the file."""
        return {
            "table": self.name,
            "path": self.path.name,
            "bytes": self.path.stat().st_size,
            "sha256": files.sha256_file(self.path),
        }


def outputs_of(
    bundle: Bundle, *, answers: Path, scores: Path | str | None, embeddings: Path | str | None
) -> list[Output]:
    """Returns the tables that are asked for, the answers first.

    Raises:
        SourceError: when two of them are one file.
    """
    about = {"format": FORMAT, "version": VERSION, "model": bundle.fingerprint}
    asked = [
        (ANSWERS, answers, ANSWER_SCHEMA, _answers),
        (SCORES, scores, _scores_schema(bundle), _scores),
        (EMBEDDINGS, embeddings, _embeddings_schema(bundle), _embeddings),
    ]
    found = [
        Output(
            name,
            Path(path),
            schema.with_metadata({"holotype": json.dumps({**about, "table": name})}),
            of,
        )
        for name, path, schema, of in asked
        if path is not None
    ]
    if len({output.path.absolute() for output in found}) < len(found):
        raise SourceError(
            "answers, scores and embeddings in one file: give each a file of its own."
        )
    return found


def _scores_schema(bundle: Bundle) -> pa.Schema:
    names = [f"{name} (label)" if name == "input" else name for name in bundle.labels.names]
    return pa.schema([("input", pa.string()), *((name, pa.float32()) for name in names)])


def _embeddings_schema(bundle: Bundle) -> pa.Schema:
    vector = pa.list_(pa.float32(), bundle.model.embedding_dim)
    return pa.schema([("input", pa.string()), ("embedding", vector)])


def _answers(chunk: Chunk, schema: pa.Schema) -> pa.Table:
    return pa.Table.from_pylist(chunk.rows, schema=schema)


def _scores(chunk: Chunk, schema: pa.Schema) -> pa.Table:
    columns = [pa.array(column_B, mask=np.isnan(column_B)) for column_B in chunk.scores_BL.T]
    return pa.table([_inputs(chunk), *columns], schema=schema)


def _embeddings(chunk: Chunk, schema: pa.Schema) -> pa.Table:
    """Returns the embeddings, nan where a specimen failed: readers of Parquet stumble over null vectors."""
    kind = schema.field("embedding").type
    flat = pa.array(np.ascontiguousarray(chunk.embedding_BD).ravel())
    vectors = pa.FixedSizeListArray.from_arrays(flat, type=kind)
    return pa.table([_inputs(chunk), vectors], schema=schema)


def _inputs(chunk: Chunk) -> pa.Array:
    return pa.array([row["input"] for row in chunk.rows], pa.string())
