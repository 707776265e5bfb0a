"""What a search found, as rows: the table's columns, and how it is written."""

import csv
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from holotype import files
from holotype.collection.reading.cells import escaped
from holotype.collection.schema import Column
from holotype.errors import SourceError
from holotype.index.records import HEAVY_COLUMNS, RECORD_COLUMNS
from holotype.index.store import Index

_SHOWN = tuple(column for column in RECORD_COLUMNS if column.name not in HEAVY_COLUMNS)

HIT_COLUMNS: tuple[Column, ...] = (
    Column("query", pa.string(), "what was asked with: file, sequence, words, lineage or record"),
    Column("hit", pa.int32(), "1 for the best; null where there is none"),
    Column(
        "searched", pa.string(), "`image` or `barcode` vectors, `identity` of barcodes, or `names`"
    ),
    Column(
        "similarity",
        pa.float64(),
        "cosine of query and record, -1 to 1, six decimals; null without vectors",
    ),
    Column(
        "identity_pct", pa.float64(), "of barcodes searched by identity: over the overlap, per cent"
    ),
    Column("overlap_bp", pa.float64(), "bases of that overlap"),
    Column("strand", pa.string(), "`+` as given, `-` where the barcode was turned"),
    *_SHOWN,
    Column(
        "failure", pa.string(), "why there is no hit: the query cannot be read, or nothing fits it"
    ),
)
HIT_SCHEMA = pa.schema([(column.name, column.type) for column in HIT_COLUMNS])
_IDENTITY = ("identity_pct", "overlap_bp", "strand")


@dataclass(frozen=True)
class Hits:
    """The records found for one query, best first.

    Attributes:
        query: its name.
        searched: ``image`` or ``barcode`` vectors, ``identity`` or ``names``.
        row_K: int64, rows of the index.
        similarity_K: cosines, where vectors were searched.
        identity_K: per cent of identity, bases of overlap and strand, where barcodes were compared.
        failure: why there is none.
    """

    query: str
    searched: str
    row_K: NDArray[np.int64]
    similarity_K: NDArray[np.float32] | None = None
    identity_K: Sequence[tuple[float, float, str]] | None = None
    failure: str | None = None

    @classmethod
    def failed(cls, query: str, searched: str, failure: str | None) -> "Hits":
        """Returns the answer to a query without hits."""
        return cls(query, searched, np.zeros(0, dtype=np.int64), failure=failure)


def hit_table(found: Sequence[Hits], index: Index) -> pa.Table:
    """Returns one row for each hit, and one for each query without any, as ``HIT_SCHEMA``."""
    names = [column.name for column in _SHOWN]
    rows: list[dict[str, Any]] = []
    taken: list[int | None] = []
    for one in found:
        asked = {"query": one.query, "searched": one.searched, "failure": one.failure}
        if not len(one.row_K):
            rows.append(asked)
            taken.append(None)
        for at, row in enumerate(one.row_K.tolist()):
            measured: dict[str, Any] = {"hit": at + 1}
            if one.similarity_K is not None:
                measured["similarity"] = round(float(one.similarity_K[at]), 6)
            if one.identity_K is not None:
                measured |= dict(zip(_IDENTITY, one.identity_K[at], strict=True))
            rows.append(asked | measured)
            taken.append(row)
    told = pa.Table.from_pylist(rows, schema=HIT_SCHEMA)
    held = np.asarray(sorted({row for row in taken if row is not None}), dtype=np.int64)
    place_of = {row: place for place, row in enumerate(held.tolist())}
    places = [None if row is None else place_of[row] for row in taken]
    of_records = index.taken(names, held).take(pa.array(places, pa.int64()))
    columns = [(of_records if name in names else told)[name] for name in HIT_SCHEMA.names]
    return pa.Table.from_arrays(columns, schema=HIT_SCHEMA)


def check_ending(out: Path) -> None:
    """Raises ``SourceError`` for a file that no writer takes."""
    if out.suffix.lower() not in WRITERS:
        raise SourceError(f"{out}: end it in {', '.join(WRITERS)} to say which format to write.")


def write_hits(hits: pa.Table, out: Path) -> None:
    """Writes hits as CSV, Parquet or JSON, by the ending of the file, whole or not at all."""
    check_ending(out)
    WRITERS[out.suffix.lower()](hits, out)


def _write_csv(hits: pa.Table, out: Path) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(hits.column_names)
    for row in zip(*(column.to_pylist() for column in hits.columns), strict=True):
        writer.writerow([_cell(value) for value in row])
    files.write_text(out, text.getvalue())


def _cell(value: object) -> object:
    """Returns a cell that no spreadsheet takes for a formula; numbers and a strand stay as they are."""
    return escaped(value) if isinstance(value, str) else value


def _write_parquet(hits: pa.Table, out: Path) -> None:
    with files.written_whole(out) as temporary:
        pq.write_table(hits, temporary)


def _write_json(hits: pa.Table, out: Path) -> None:
    lines = [json.dumps(row, ensure_ascii=False) for row in hits.to_pylist()]
    files.write_text(out, "[\n" + ",\n".join(lines) + "\n]\n" if lines else "[]\n")


WRITERS: dict[str, Callable[[pa.Table, Path], None]] = {
    ".csv": _write_csv,
    ".parquet": _write_parquet,
    ".json": _write_json,
}
"""Writers by the ending of the file."""
