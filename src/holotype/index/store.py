"""An index on disk or in memory: records, and the nearest of them to a vector.

Format: docs/formats/index.md. ``index.json`` is written last: where it is, the index is whole. Vectors are
half-precision and memory-mapped; records are read by column.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from holotype import files
from holotype.errors import CollectionError
from holotype.index.cells import Cells
from holotype.index.exact import NOTHING, nearest_exact
from holotype.index.records import HEAVY_COLUMNS, RECORDS_SCHEMA, as_records
from holotype.index.vectors import Vectors, cells_name, check_vectors, mapped_vectors

__all__ = ["Index", "Vectors", "open_index"]

FORMAT = "holotype-index"
VERSION = 1
MANIFEST, RECORDS = "index.json", "records.parquet"
EXACT, BY_CELLS = "exact", "cells"
EXACT_UP_TO = 1_000_000
"""So many vectors are searched exactly; more of them get cells."""
Found = tuple[NDArray[np.int64], NDArray[np.float32]]


@dataclass(frozen=True)
class Index:
    """Reference records, their vectors by modality, and the model whose vectors these are.

    Attributes:
        path: its folder; None for one that is in memory alone.
        model: fingerprint of the bundle.
        vectors: by modality (``image``, ``barcode``), where there are any.
        manifest: the content of ``index.json``; empty in memory.
        table: the records, of an index in memory.
    """

    path: Path | None
    model: str
    vectors: Mapping[str, Vectors]
    manifest: Mapping[str, Any]
    table: pa.Table | None = None

    @classmethod
    def of(cls, records: pa.Table, vectors: Mapping[str, Vectors], *, model: str) -> "Index":
        """Returns an index that is in memory alone.

        Args:
            records: one row each; ``record_id`` and what else of ``RECORDS_SCHEMA`` there is.
            vectors: by modality; rows are rows of ``records``.
            model: fingerprint of the bundle.

        Raises:
            CollectionError: when ids are absent or repeated.
            ValueError: when vectors are of records that are not there, or of several lengths.
        """
        found = as_records(records)
        check_vectors(vectors, records=found.num_rows)
        return cls(None, model, {str(m): v for m, v in vectors.items() if len(v)}, {}, found)

    def __len__(self) -> int:
        return self.table.num_rows if self.table is not None else int(self.manifest["records"])

    def __bool__(self) -> bool:
        return True  # also without a record

    @property
    def modalities(self) -> tuple[str, ...]:
        """The modalities that it has vectors of."""
        return tuple(self.vectors)

    @property
    def dim(self) -> int:
        """Numbers of a vector; 0 where there are none."""
        return next((v.z_VD.shape[1] for v in self.vectors.values()), 0)

    @property
    def data(self) -> Path:
        """The folder of the files that the manifest speaks of."""
        assert self.path is not None
        return self.path / str(self.manifest["data"])

    @cached_property
    def records(self) -> pa.Table:
        """The records without barcodes and thumbnails; read once."""
        return self.columns([name for name in RECORDS_SCHEMA.names if name not in HEAVY_COLUMNS])

    def columns(self, names: Sequence[str]) -> pa.Table:
        """Returns columns of the records, in order.

        Raises:
            CollectionError: when the files are gone since the index was opened.
        """
        if self.table is not None:
            return self.table.select(list(names))
        with files.as_it_was_opened(self.path):
            return pq.read_table(self.data / RECORDS, columns=list(names), memory_map=True)

    def taken(self, names: Sequence[str], rows: NDArray[np.int64]) -> pa.Table:
        """Returns columns of some records, in the order of ``rows``; reads only the groups they are in.

        Raises:
            CollectionError: when the files are gone since the index was opened.
        """
        if self.table is not None:
            return self.table.select(list(names)).take(rows)
        with files.as_it_was_opened(self.path), pq.ParquetFile(self.data / RECORDS) as opened:
            about = opened.metadata
            sizes = [about.row_group(number).num_rows for number in range(about.num_row_groups)]
            first_G = np.cumsum([0, *sizes])
            group_R = np.searchsorted(first_G, rows, side="right") - 1
            wanted = np.unique(group_R)
            read = opened.read_row_groups(wanted.tolist(), columns=list(names))
        before_W = np.cumsum([0, *(sizes[group] for group in wanted.tolist())])
        start_R = before_W[np.searchsorted(wanted, group_R)]
        return read.take(start_R + rows - first_G[group_R])

    def nearest(
        self,
        modality: str,
        query_QD: NDArray[np.float32],
        *,
        k: int,
        among: NDArray[np.bool_] | None = None,
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Returns the nearest records to some vectors of the index's model, best first.

        The answer for a query does not depend on the queries beside it. Equal similarities go by row.

        Args:
            modality: whose vectors are searched: ``image`` or ``barcode``.
            query_QD: unit rows.
            k: how many, at least 1.
            among: bool (records,), the records that may be found; all by default.

        Returns:
            Rows of the records, int64 (Q, k), and the cosines, float32 (Q, k), at most 1. Where fewer than k
            records can be found the rest is -1 and minus infinity.

        Raises:
            CollectionError: when the index has no vectors of that modality, or of another length.
            ValueError: for queries that are not finite, and for k below 1.
        """
        keys = self.vectors_of(modality)
        query_QD = np.asarray(query_QD, dtype=np.float32)
        if query_QD.ndim != 2 or query_QD.shape[1] != self.dim:
            raise CollectionError(
                f"{self.path or 'index'}: vectors of {self.dim} numbers, asked with {query_QD.shape}. "
                "Use the model that the index was built with."
            )
        if k < 1 or not np.isfinite(query_QD).all():
            raise ValueError(f"k = {k}, and queries must be finite")
        allowed_V = None if among is None else np.asarray(among, dtype=np.bool_)[keys.row_V]
        at_QK, value_QK = self._way(keys, allowed_V)(
            query_QD, keys.searched_VD, k=k, allowed_V=allowed_V
        )
        row_QK = np.where(at_QK == NOTHING, NOTHING, keys.row_V[at_QK])
        return row_QK, np.minimum(value_QK, np.float32(1))

    def _way(self, keys: Vectors, allowed_V: NDArray[np.bool_] | None) -> Callable[..., Found]:
        """Returns how keys are searched: exactly, unless very many of them may be found."""
        count = len(keys) if allowed_V is None else int(allowed_V.sum())
        if keys.cells is None or count <= self.manifest["exact_up_to"]:
            return nearest_exact
        return keys.cells.nearest

    def vectors_of(self, modality: str) -> Vectors:
        """Returns the vectors of a modality.

        Raises:
            CollectionError: when there are none.
        """
        if str(modality) not in self.vectors:
            has = ", ".join(self.vectors) or "none"
            raise CollectionError(
                f"{self.path or 'index'}: no vectors of {modality} records; it has {has}. "
                "Search another modality, or build the index with a model that reads it."
            )
        return self.vectors[str(modality)]


def open_index(folder: Path | str, *, model: str | None = None) -> Index:
    """Returns the index in a folder; vectors are mapped, not read.

    Args:
        folder: where it is.
        model: the fingerprint that it must be of; any by default.

    Raises:
        CollectionError: when it is missing, unfinished, of another version or model, or lacks a file.
    """
    path = Path(folder)
    manifest = files.read_manifest(
        path / MANIFEST, format_name=FORMAT, version=VERSION, error=CollectionError
    )
    if model is not None and manifest.get("model") != model:
        raise CollectionError(
            f"{path}: made with model {manifest.get('model')}, not {model}. Vectors of two models cannot be "
            "compared: use that model, or build the index again."
        )
    with files.read_whole(path / MANIFEST, CollectionError, remedy="Build the index again."):
        data = path / manifest["data"]
        dim = manifest["embedding_dim"]
        vectors = {
            modality: replace(
                mapped_vectors(data, modality, about["count"], dim),
                cells=_cells(data, modality, about),
            )
            for modality, about in manifest["vectors"].items()
        }
        _ = manifest["exact_up_to"] + 0
    if not (data / RECORDS).is_file():
        raise CollectionError(f"{data / RECORDS}: missing, though index.json names it. Restore it.")
    return Index(path, str(manifest.get("model")), vectors, manifest)


def _cells(data: Path, modality: str, about: Mapping[str, Any]) -> Cells | None:
    if about["method"] == EXACT:
        return None
    path = data / cells_name(modality)
    if not path.is_file():
        raise CollectionError(f"{path}: missing, though index.json names it. Restore it.")
    return Cells(path, about["probes"])
