"""The vectors of one modality: unit rows in half precision, and the record that each is of."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from holotype.errors import CollectionError
from holotype.index.cells import Cells
from holotype.index.exact import BLOCK_KEYS

NORM_TOLERANCE = 0.01
HELD_NUMBERS = 1 << 24
"""Vectors of so many numbers together are kept in memory for search, 64 MiB; more are read block by block."""


@dataclass(frozen=True)
class Vectors:
    """The vectors of one modality.

    Attributes:
        z_VD: float16, unit rows; in memory or memory-mapped.
        row_V: int64, the row of the record that each is of, rising.
        cells: where candidates are found, of very many; None where search is exact.
    """

    z_VD: NDArray[np.float16]
    row_V: NDArray[np.int64]
    cells: Cells | None = None

    @classmethod
    def of(cls, z_VD: ArrayLike, row_V: ArrayLike | None = None) -> "Vectors":
        """Returns vectors in half precision.

        Args:
            z_VD: unit rows, of any float type.
            row_V: the records that they are of, each at most once, in any order; rows 0, 1, 2 ... by default.

        Raises:
            ValueError: for rows that are no unit vectors or of one record twice.
        """
        given = np.asarray(z_VD)
        rows = np.arange(len(given)) if row_V is None else np.asarray(row_V)
        if given.ndim != 2 or rows.shape != given.shape[:1]:
            raise ValueError(f"vectors {given.shape} and rows {rows.shape} do not fit")
        if not _are_unit(given):
            raise ValueError("vectors of an index must have norm 1")
        if len(np.unique(rows)) != len(rows):
            raise ValueError("a record has two vectors of one modality")
        if (np.diff(rows) > 0).all():
            return cls(given.astype(np.float16, copy=False), rows.astype(np.int64))
        order = np.argsort(rows, kind="stable")
        return cls(given.astype(np.float16, copy=False)[order], rows[order].astype(np.int64))

    def __len__(self) -> int:
        return len(self.row_V)

    @cached_property
    def searched_VD(self) -> NDArray[np.float16] | NDArray[np.float32]:
        """The same numbers as they are searched: few as float32 in memory, many as they lie."""
        few = self.z_VD.size <= HELD_NUMBERS
        return self.z_VD.astype(np.float32) if few else self.z_VD


def _are_unit(z_VD: NDArray[Any]) -> bool:
    for start in range(0, len(z_VD), BLOCK_KEYS):
        block_BD = np.asarray(z_VD[start : start + BLOCK_KEYS], dtype=np.float32)
        if not np.all(np.abs(np.linalg.norm(block_BD, axis=1) - 1) < NORM_TOLERANCE):
            return False
    return True


def check_vectors(vectors: Mapping[str, Vectors], *, records: int) -> None:
    """Raises ``ValueError`` for vectors of records that are not there, and for several lengths."""
    if len({v.z_VD.shape[1] for v in vectors.values()}) > 1:
        raise ValueError("vectors of several lengths in one index")
    for modality, one in vectors.items():
        if len(one) and not (one.row_V[0] >= 0 and one.row_V[-1] < records):
            raise ValueError(f"{modality} vectors of rows outside 0 to {records - 1}")


def cells_name(modality: str) -> str:
    """Returns the name of the file with the cells of a modality."""
    return f"{modality}.cells.faiss"


def mapped_vectors(folder: Path, modality: str, count: int, dim: int) -> Vectors:
    """Returns the vectors of a modality that lie in a folder, memory-mapped.

    Raises:
        CollectionError: when they are missing or not so many, or not so long.
    """
    return Vectors(
        _mapped(folder / f"{modality}.npy", (count, dim), "<f2"),
        _mapped(folder / f"{modality}.rows.npy", (count,), "<i8"),
    )


def _mapped(path: Path, shape: tuple[int, ...], kind: str) -> NDArray[Any]:
    """Returns a memory-mapped array after checking that it is what the manifest says."""
    try:
        found = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError, SyntaxError, TokenError) as reason:
        raise CollectionError(
            f"{path}: cannot be read ({reason}). Restore it, or build again."
        ) from None
    if found.shape != shape or found.dtype != np.dtype(kind):
        raise CollectionError(
            f"{path}: {found.dtype} {found.shape}, where index.json says {kind} {shape}. "
            "Restore it, or build the index again."
        )
    return found  # type: ignore[no-any-return]
