"""The different barcodes of one marker, all on one strand, with their taxa: read once, held compactly."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pads
from numpy.typing import NDArray

from holotype.collection.schema import RECORDS_SCHEMA
from holotype.collection.store import Collection
from holotype.media.barcode_neighbours import NONE
from holotype.media.strands import reverse_complement

RANKS = ("species", "genus", "family", "order")
"""Narrow to wide; the ranks that barcodes are compared at."""
BATCH_ROWS = 16_384


@dataclass(frozen=True)
class Library:
    """The barcodes of one marker, each once for each species that bears it.

    Memory: the letters, and about 100 bytes a barcode.

    Attributes:
        marker: its name.
        records: ``record_id``, ``source`` and the names at ``RANKS`` of the first record with the barcode.
        taxon_NR: number of the taxon at each rank; -1 where it is not known.
        letters: the barcodes, on the strand that most have.
    """

    marker: str
    records: pa.Table
    taxon_NR: NDArray[np.int64]
    letters: pa.LargeStringArray

    def __len__(self) -> int:
        return len(self.letters)

    def text(self, row: int) -> str:
        """Returns one barcode."""
        return str(self.letters[row])

    def texts(self, rows: NDArray[np.int64]) -> list[str]:
        """Returns several barcodes."""
        found: list[str] = self.letters.take(pa.array(rows)).to_pylist()
        return found

    def record(self, row: int) -> dict[str, Any]:
        """Returns the first record with a barcode."""
        found: dict[str, Any] = self.records.slice(row, 1).to_pylist()[0]
        return found


def libraries(collection: Collection, *, turned: set[str], left_out: set[str]) -> Iterator[Library]:
    """Yields the library of each marker that has two barcodes or more.

    Args:
        collection: the collection.
        turned: haplotypes to hold as their reverse complement.
        left_out: haplotypes not to hold at all.
    """
    table = collection.columns(["record_id", "source", "marker", "haplotype", *RANKS])
    left = pa.array(sorted(left_out), pa.string())
    usable = pc.and_(pc.is_valid(table["haplotype"]), pc.invert(pc.is_in(table["haplotype"], left)))
    for marker in sorted(table["marker"].filter(usable).unique().to_pylist(), key=str):
        of_marker = pc.equal(table["marker"], marker) if marker else pc.is_null(table["marker"])
        rows = np.flatnonzero(pc.fill_null(pc.and_(usable, of_marker), pa.scalar(value=False)))
        keys = np.stack([_numbers(table[name].take(rows)) for name in ("haplotype", "species")])
        _, first = np.unique(keys, axis=1, return_index=True)
        rows = rows[np.sort(first)]
        if len(rows) < 2:
            continue
        records = table.take(pa.array(rows))
        taxa = np.stack([_numbers(records[rank]) for rank in RANKS], axis=1)
        turn = pc.is_in(records["haplotype"], pa.array(sorted(turned), pa.string()))
        yield Library(marker or "", records, taxa, _letters(collection, rows, np.asarray(turn)))


def _numbers(names: pa.ChunkedArray) -> NDArray[np.int64]:
    """Returns a number for each name, -1 for none."""
    codes = names.combine_chunks().dictionary_encode().indices
    numbers: NDArray[np.int64] = pc.fill_null(codes, NONE).to_numpy(zero_copy_only=False)
    return numbers.astype(np.int64)


def _letters(
    collection: Collection, rows: NDArray[np.int64], turn: NDArray[np.bool_]
) -> pa.LargeStringArray:
    """Returns the barcodes of chosen rows of the collection, those turned that are to be turned."""
    dataset = pads.dataset(collection.shard_paths(), schema=RECORDS_SCHEMA)
    kept: list[pa.Array] = [pa.array([], pa.large_string())]
    first = 0
    for batch in dataset.to_batches(columns=["barcode"], batch_size=BATCH_ROWS):
        place = slice(*np.searchsorted(rows, [first, first + len(batch)]))
        chosen = batch["barcode"].take(pa.array(rows[place] - first))
        if turn[place].any():
            texts = zip(chosen.to_pylist(), turn[place], strict=True)
            chosen = pa.array([reverse_complement(t) if is_turned else t for t, is_turned in texts])
        kept.append(chosen.cast(pa.large_string()))
        first += len(batch)
    return pa.concat_arrays(kept)
