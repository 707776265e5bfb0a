"""Writing an index: its files into a new folder of the index, then the manifest that names it.

A folder that holds an index already keeps it until the manifest of the new one is in its place.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from holotype import files
from holotype._version import __version__
from holotype.index.barcodes.library import BarcodeLibrary
from holotype.index.barcodes.storage import save
from holotype.index.cells import FEWEST_VECTORS, Recall, write_cells
from holotype.index.pieces import Piece, assemble, piece_of_table
from holotype.index.records import as_records
from holotype.index.store import (
    BY_CELLS,
    EXACT,
    EXACT_UP_TO,
    FORMAT,
    MANIFEST,
    RECORDS,
    VERSION,
    Index,
    open_index,
)
from holotype.index.vectors import Vectors, cells_name, check_vectors, mapped_vectors
from holotype.unfinished import is_unfinished

LIBRARY = "barcodes"
"""The folder with the library of barcodes."""
_DATA = re.compile(r"data-[0-9]{1,9}")
_OURS = re.compile(rf"{re.escape(RECORDS)}|{LIBRARY}|[a-z.]+\.(npy|faiss)|\..*\.part")


@dataclass(frozen=True)
class Making:
    """What the manifest says of how an index came about.

    Attributes:
        model: fingerprint of the bundle.
        bundle: where that was, from the folder of the index, or its name; None where it is not known.
        collections: ``name``, ``fingerprint`` and ``records`` of each.
        thumbnails_px: the longest side of thumbnails; None where there are none.
        exact_up_to: so many vectors of a modality are searched exactly; more of them get cells.
    """

    model: str
    bundle: str | None = None
    collections: tuple[Mapping[str, Any], ...] = ()
    thumbnails_px: int | None = None
    exact_up_to: int = EXACT_UP_TO


def write_index(
    folder: Path | str,
    records: pa.Table,
    vectors: Mapping[str, Vectors],
    *,
    model: str,
    collections: Sequence[Mapping[str, Any]] = (),
    exact_up_to: int = EXACT_UP_TO,
) -> Index:
    """Writes an index from what is in memory, and returns it opened.

    Args:
        folder: where to; an index that is there is replaced once the new one is whole.
        records: one row each; ``record_id`` and what else of ``RECORDS_SCHEMA`` there is.
        vectors: by modality; rows are rows of ``records``.
        model: fingerprint of the bundle.
        collections: ``name``, ``fingerprint`` and ``records`` of the collections that they come from.
        exact_up_to: so many vectors of a modality are searched exactly; more of them get cells.

    Raises:
        CollectionError: when ids are absent or repeated.
        ValueError: when vectors are of records that are not there, or of several lengths.
    """
    path = Path(folder)
    found = as_records(records)
    present = {str(m): v for m, v in vectors.items() if len(v)}
    check_vectors(present, records=found.num_rows)
    dim = next((v.z_VD.shape[1] for v in present.values()), 0)
    with files.only_one(path):
        made = Making(model, collections=tuple(collections), exact_up_to=exact_up_to)
        return write_pieces(path, [piece_of_table(found, present)], made, dim=dim)


def write_pieces(path: Path, pieces: Sequence[Piece], made: Making, *, dim: int) -> Index:
    """Writes an index from its pieces into a folder that the caller holds, and returns it opened."""
    data = _next_data(path)
    counts = assemble(data, pieces, dim=dim)
    files.write_json(
        path / MANIFEST,
        {
            "format": FORMAT,
            "version": VERSION,
            "holotype": __version__,
            "model": made.model,
            "bundle": made.bundle,
            "embedding_dim": dim,
            "records": sum(piece.records for piece in pieces),
            "data": data.name,
            "exact_up_to": made.exact_up_to,
            "vectors": {
                modality: {"count": count, **_searched(data, modality, count, dim, made)}
                for modality, count in counts.items()
            },
            "barcodes": _write_library(data),
            "collections": [dict(one) for one in made.collections],
            "thumbnails_px": made.thumbnails_px,
        },
    )
    _clear(path, but=data.name)
    return open_index(path)


def _searched(data: Path, modality: str, count: int, dim: int, made: Making) -> dict[str, Any]:
    """Writes the cells of a modality, where it needs some, and returns how it is searched."""
    recall = None
    if count > max(made.exact_up_to, FEWEST_VECTORS):
        z_VD = mapped_vectors(data, modality, count, dim).z_VD
        recall = write_cells(data / cells_name(modality), z_VD)
    exact = Recall(cells=0, probes=0, recall=1.0, recall_of_strangers=1.0, queries=0)
    found = asdict(exact if recall is None else recall)
    return {"method": EXACT if recall is None else BY_CELLS} | found


def library_of(barcodes: Sequence[str | None], species: pa.ChunkedArray) -> BarcodeLibrary:
    """Returns barcodes as a library, whose rows and species codes go by the rows given."""
    encoded = species.combine_chunks().dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return BarcodeLibrary.of(barcodes, species_N=codes)


def _write_library(data: Path) -> int:
    """Writes the barcodes of the records as a library, where there are any, and returns how many."""
    columns = pq.read_table(data / RECORDS, columns=["barcode", "species"])
    barcodes = columns["barcode"].to_pylist()
    count = sum(one is not None for one in barcodes)
    if count:
        save(library_of(barcodes, columns["species"]), data / LIBRARY)
    return count


def _next_data(path: Path) -> Path:
    """Returns a new folder in an index for its files; what no manifest names goes first."""
    now = open_index(path).data.name if (path / MANIFEST).is_file() else None
    _clear(path, but=now)
    taken = [int(old.name[5:]) for old in path.glob("data-*") if _DATA.fullmatch(old.name)]
    data = path / f"data-{max(taken, default=0) + 1}"
    data.mkdir(parents=True)
    return data


def _clear(path: Path, *, but: str | None) -> None:
    """Removes the files of indexes that no manifest names; a folder with anything else stays."""
    for old in path.glob("data-*"):
        if old.name != but and _is_data(old):
            files.remove_folder(old)


def _is_data(path: Path) -> bool:
    """Returns whether a folder can be one that the files of an index were written into."""
    if not (path.is_dir() and _DATA.fullmatch(path.name)):
        return False
    return all(_OURS.fullmatch(inside.name) for inside in path.iterdir())


def is_left_over(path: Path) -> bool:
    """Returns whether something in an index can be what a stopped writer of its files left."""
    return _is_data(path) or is_unfinished(path.name)
