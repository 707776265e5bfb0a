"""Pieces of an index -> its files: records in one table, the vectors of each modality in one array.

A piece is what was embedded in one go, or an index to which others are added. Pieces are copied in turn.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from holotype import files
from holotype.index.records import HEAVY_COLUMNS, RECORDS_SCHEMA
from holotype.index.store import RECORDS, Index
from holotype.index.vectors import Vectors, mapped_vectors

ROWS_A_GROUP = 1024
"""Records of a row group: what is read to show one of them."""


@dataclass(frozen=True)
class Piece:
    """Some records with their vectors.

    Attributes:
        records: how many.
        tables: returns them in order, as tables of ``RECORDS_SCHEMA``.
        vectors: by modality; rows are rows of this piece.
    """

    records: int
    tables: Callable[[], Iterator[pa.Table]]
    vectors: Mapping[str, Vectors]


def piece_of_table(table: pa.Table, vectors: Mapping[str, Vectors]) -> Piece:
    """Returns what is in memory as a piece."""
    return Piece(table.num_rows, lambda: iter((table,)), vectors)


def piece_of_index(index: Index) -> Piece:
    """Returns an index on disk as a piece."""
    return Piece(len(index), lambda: _tables(index.data / RECORDS), index.vectors)


def write_piece(
    folder: Path, records: pa.Table, vectors: Mapping[str, Vectors], about: Any
) -> None:
    """Writes a piece as a folder that is there whole or not at all."""
    with files.folder_written_whole(folder) as temporary:
        pq.write_table(records, temporary / RECORDS)
        for modality, one in vectors.items():
            np.save(temporary / f"{modality}.npy", one.z_VD, allow_pickle=False)
            np.save(temporary / f"{modality}.rows.npy", one.row_V, allow_pickle=False)
        counts = {modality: len(one) for modality, one in vectors.items()}
        files.write_json(
            temporary / "piece.json", {"records": records.num_rows, "counts": counts, **about}
        )


def read_piece(folder: Path, about: Mapping[str, Any], *, dim: int) -> Piece:
    """Returns a piece that ``write_piece`` wrote, with its vectors mapped."""
    vectors = {m: mapped_vectors(folder, m, n, dim) for m, n in about["counts"].items()}
    return Piece(about["records"], lambda: _tables(folder / RECORDS), vectors)


def assemble(data: Path, pieces: Sequence[Piece], *, dim: int) -> dict[str, int]:
    """Writes the files of an index from its pieces, and returns the number of vectors by modality."""
    with files.written_whole(data / RECORDS) as temporary, _writer(temporary) as writer:
        for table in (table for piece in pieces for table in piece.tables()):
            writer.write_table(table, row_group_size=ROWS_A_GROUP)
    counts: dict[str, int] = {}
    for modality in dict.fromkeys(name for piece in pieces for name in piece.vectors):
        counts[modality] = sum(len(p.vectors[modality]) for p in pieces if modality in p.vectors)
        z_VD = ((v.z_VD for v, _ in _placed(pieces, modality)), (counts[modality], dim), "<f2")
        row_V = ((v.row_V + at for v, at in _placed(pieces, modality)), (counts[modality],), "<i8")
        _write_array(data / f"{modality}.npy", *z_VD)
        _write_array(data / f"{modality}.rows.npy", *row_V)
    return counts


def _placed(pieces: Sequence[Piece], modality: str) -> Iterator[tuple[Vectors, int]]:
    """Yields the vectors of each piece, and how many records come before it."""
    before = 0
    for piece in pieces:
        if modality in piece.vectors:
            yield piece.vectors[modality], before
        before += piece.records


def _tables(path: Path) -> Iterator[pa.Table]:
    with pq.ParquetFile(path) as opened:
        for batch in opened.iter_batches(ROWS_A_GROUP):
            yield pa.Table.from_batches([batch], RECORDS_SCHEMA)


def _writer(path: Path) -> pq.ParquetWriter:
    repeated = [name for name in RECORDS_SCHEMA.names if name not in ("record_id", *HEAVY_COLUMNS)]
    return pq.ParquetWriter(path, RECORDS_SCHEMA, compression="zstd", use_dictionary=repeated)


def _write_array(
    path: Path, parts: Iterator[NDArray[Any]], shape: tuple[int, ...], kind: str
) -> None:
    with files.written_whole(path) as temporary, temporary.open("wb") as handle:
        header = {"descr": kind, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(handle, header)
        for part in parts:
            handle.write(np.ascontiguousarray(part, dtype=kind).data)
        handle.flush()
        os.fsync(handle.fileno())
