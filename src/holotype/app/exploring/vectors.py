"""Vectors of records of the collection: the nearest to a record, and the nearest to words."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from holotype.app.exploring.record_rows import RecordRows
from holotype.index.exact import NOTHING
from holotype.index.store import Index
from holotype.index.vectors import Vectors

Near = tuple[int, float]
"""A row of the collection and its cosine."""


@dataclass(frozen=True)
class KnownVectors:
    """Vectors of one modality of records that are in the collection.

    Attributes:
        index: that holds them.
        modality: whose vectors they are.
        row_I: int64, the row in the collection of each record of the index, -1 where it is of another.
    """

    index: Index
    modality: str
    row_I: NDArray[np.int64]

    @classmethod
    def of_index(cls, index: Index, modality: str, rows: RecordRows) -> "KnownVectors | None":
        """Returns the vectors that an index has of records of a collection; None where there are none."""
        if modality not in index.modalities:
            return None
        ids = index.columns(["record_id"])["record_id"].combine_chunks().cast(pa.large_string())
        row_I = pc.fill_null(pc.index_in(ids, value_set=rows.ids), NOTHING)
        found = cls(index, modality, row_I.to_numpy(zero_copy_only=False).astype(np.int64))
        return found if len(found) else None

    @classmethod
    def of_rows(
        cls, row_V: NDArray[np.int64], z_VD: NDArray[np.float32], *, modality: str, model: str
    ) -> "KnownVectors":
        """Returns vectors in memory.

        Args:
            row_V: rows of the collection, each once.
            z_VD: unit rows.
            modality: whose they are.
            model: fingerprint of the bundle that made them.
        """
        ids = pa.table({"record_id": pa.array([str(row) for row in row_V.tolist()], pa.string())})
        return cls(Index.of(ids, {modality: Vectors.of(z_VD)}, model=model), modality, row_V)

    def __len__(self) -> int:
        return int((self.row_I[self.index.vectors_of(self.modality).row_V] >= 0).sum())

    def of_record(self, row: int) -> NDArray[np.float32] | None:
        """Returns the vector of a record of the collection, None where it has none here."""
        vectors = self.index.vectors_of(self.modality)
        at = np.flatnonzero(self.row_I[vectors.row_V] == row)
        return np.asarray(vectors.z_VD[at[0]], dtype=np.float32) if len(at) else None

    def vectors_of(
        self, wanted: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Returns those of some rows of the collection that have a vector here, and the vectors."""
        vectors = self.index.vectors_of(self.modality)
        row_V = self.row_I[vectors.row_V]
        at = np.flatnonzero(np.isin(row_V, wanted) & (row_V >= 0))
        return row_V[at], np.asarray(vectors.z_VD[at], dtype=np.float32)

    def nearest(
        self,
        z_D: NDArray[np.float32],
        *,
        k: int,
        inside: NDArray[np.bool_] | None = None,
        but: int | None = None,
    ) -> list[Near]:
        """Returns the nearest records of the collection, best first.

        Args:
            z_D: a unit vector of the same model.
            k: how many.
            inside: bool (records of the collection,), those that may be found.
            but: a row that is not wanted: the record that is asked with.
        """
        among = self.row_I >= 0
        if inside is not None:
            among = among & inside[np.maximum(self.row_I, 0)]
        if but is not None:
            among = among & (self.row_I != but)
        if not among.any():
            return []
        rows, cosines = self.index.nearest(self.modality, z_D[None], k=k, among=among)
        return [
            (int(self.row_I[row]), float(cosine))
            for row, cosine in zip(rows[0].tolist(), cosines[0].tolist(), strict=True)
            if row != NOTHING
        ]
