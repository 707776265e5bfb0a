"""A plane map of the embeddings of some records: chosen evenly over the names, made once, and kept.

The map is t-SNE (van der Maaten & Hinton 2008): neighbours are near, far distances mean little.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from holotype import files
from holotype.app.exploring.facts import Facts
from holotype.app.exploring.record_rows import RecordRows
from holotype.randomness import generator

MOST_RECORDS = 3_000
LEAST_RECORDS = 10
FOLDER = "maps"
VERSION = 2
SEED = 0
_ITERATIONS = 500
_PERPLEXITY = 30.0


@dataclass(frozen=True)
class Plane:
    """A map of some records.

    Attributes:
        row_P: int64, rows of the collection.
        place_P2: float32, where each lies.
        z_PD: float32, their unit embeddings.
        modality: what was embedded: ``image`` or ``barcode``.
        among: how many records have one.
        failed: how many of those chosen could not be embedded.
    """

    row_P: NDArray[np.int64]
    place_P2: NDArray[np.float32]
    z_PD: NDArray[np.float32]
    modality: str
    among: int
    failed: int

    def __len__(self) -> int:
        return len(self.row_P)


def chosen_rows(
    facts: Facts, inside: NDArray[np.bool_], *, most: int = MOST_RECORDS, seed: int = SEED
) -> NDArray[np.int64]:
    """Returns rows to embed, int64, rising: every name gets its share, and rare names at least one each.

    Names are taken in turn: the first record of each in an order drawn by seed, then the second of each ...
    until half the places are taken; the other half is drawn from what is left, whatever its name.

    Args:
        facts: of the records.
        inside: bool (N,), which may be chosen.
        most: how many at most.
        seed: of the draw.
    """
    rows = np.flatnonzero(inside)
    if len(rows) <= most:
        return rows
    drawn = rows[generator(seed, "explore", "map").permutation(len(rows))]
    lineage = facts.lineage_N[drawn]
    by_name = np.argsort(lineage, kind="stable")
    sizes = np.bincount(lineage)
    first = np.cumsum(sizes) - sizes
    turn = np.empty(len(drawn), dtype=np.int64)
    turn[by_name] = np.arange(len(drawn)) - first[lineage[by_name]]
    in_turn = np.argsort(turn, kind="stable")[: most // 2]
    left = np.ones(len(drawn), dtype=np.bool_)
    left[in_turn] = False
    rest = np.flatnonzero(left)[: most - len(in_turn)]
    return np.sort(drawn[np.concatenate([in_turn, rest])])


def laid_out(z_PD: NDArray[np.float32], *, seed: int = SEED) -> NDArray[np.float32]:
    """Returns a place in the plane for each unit vector, float32 (P, 2); needs at least ``LEAST_RECORDS``."""
    from sklearn.manifold import TSNE

    perplexity = min(_PERPLEXITY, (len(z_PD) - 1) / 3)
    made = TSNE(
        2,
        perplexity=perplexity,
        init="pca",
        random_state=seed,
        max_iter=_ITERATIONS,
        metric="cosine",
    ).fit_transform(z_PD)
    return np.asarray(made, dtype=np.float32)


def plane_path(workspace: Path, collection: str, model: str, modality: str) -> Path:
    """Returns where the map of a collection by a model is kept.

    Args:
        workspace: of the server.
        collection: a hash of its records and of what is embedded of them.
        model: its fingerprint.
        modality: what is embedded.
    """
    said = json.dumps([VERSION, collection, model, modality, MOST_RECORDS, SEED])
    return workspace / FOLDER / f"{hashlib.sha256(said.encode()).hexdigest()[:20]}.parquet"


def keep(plane: Plane, path: Path, rows: RecordRows) -> None:
    """Writes a map, whole or not at all."""
    about = {"modality": plane.modality, "among": plane.among, "failed": plane.failed}
    vector = pa.list_(pa.float32(), plane.z_PD.shape[1])
    flat = pa.array(np.ascontiguousarray(plane.z_PD).ravel())
    table = pa.table(
        {
            "record_id": rows.ids.take(pa.array(plane.row_P)).cast(pa.string()),
            "x": plane.place_P2[:, 0],
            "y": plane.place_P2[:, 1],
            "embedding": pa.FixedSizeListArray.from_arrays(flat, type=vector),
        }
    ).replace_schema_metadata({"holotype": json.dumps(about)})
    path.parent.mkdir(parents=True, exist_ok=True)
    with files.written_whole(path) as temporary:
        pq.write_table(table, temporary)


def kept(path: Path, rows: RecordRows) -> Plane | None:
    """Returns a kept map; None where there is none, or it cannot be read and must be made again."""
    if not path.is_file():
        return None
    try:
        table = pq.read_table(path)
        about = json.loads(table.schema.metadata[b"holotype"])
        found = [row for row in rows.rows(table["record_id"].to_pylist()) if row is not None]
        z = table["embedding"].combine_chunks()
        plane = Plane(
            np.asarray(found, dtype=np.int64),
            np.stack([table["x"].to_numpy(), table["y"].to_numpy()], axis=1).astype(np.float32),
            np.asarray(z.flatten(), dtype=np.float32).reshape(table.num_rows, -1),
            str(about["modality"]),
            int(about["among"]),
            int(about["failed"]),
        )
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowInvalid):
        return None
    return plane if len(found) == table.num_rows else None


def made(
    row_P: Sequence[int], z_PD: NDArray[np.float32], *, modality: str, among: int, failed: int
) -> Plane:
    """Returns the map of embedded records; slow."""
    return Plane(np.asarray(row_P, dtype=np.int64), laid_out(z_PD), z_PD, modality, among, failed)
