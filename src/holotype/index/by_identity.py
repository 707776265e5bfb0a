"""Records by the identity of their barcodes, base by base: no model is needed."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from holotype.errors import CollectionError
from holotype.index.asking import read_barcodes, text_of
from holotype.index.barcodes.library import BarcodeLibrary
from holotype.index.barcodes.search import search
from holotype.index.barcodes.storage import load
from holotype.index.hits import Hits
from holotype.index.store import Index
from holotype.index.writing import LIBRARY, library_of

IDENTITY = "identity"
STRANDS = {1: "+", -1: "-"}


def identity_hits(
    index: Index, given: Sequence[str], *, k: int, among: NDArray[np.bool_] | None
) -> list[Hits]:
    """Returns for each barcode the k records of different sequence or species that are nearest to it.

    A hit stands for all records of its species with its sequence; the first that may be found is told.

    Args:
        index: its records' barcodes are searched.
        given: FASTA files, or letters.
        k: how many.
        among: the records that may be found; all by default.

    Raises:
        CollectionError: when no record has a barcode.
        SourceError: for what is neither a file nor nucleotides.
    """
    reads = list(read_barcodes(given))
    library = barcode_library(index, among=among)
    found = search(library, [text_of(one) for one in reads], k=k)
    hits = []
    for at, one in enumerate(reads):
        rows = found.row_QK[at]
        kept = np.flatnonzero(rows >= 0)
        if not len(kept):
            hits.append(Hits.failed(one.name, IDENTITY, one.failure or found.failure_Q[at]))
            continue
        strand = STRANDS.get(int(found.strand_Q[at]), "")
        measured = [
            (
                round(float(found.identity_QK[at, c]), 4),
                float(found.overlap_QK[at, c]),
                strand,
            )
            for c in kept
        ]
        hits.append(Hits(one.name, IDENTITY, rows[kept], identity_K=measured))
    return hits


def barcode_library(index: Index, *, among: NDArray[np.bool_] | None = None) -> BarcodeLibrary:
    """Returns the barcodes of an index as a library; its rows are rows of the index.

    Args:
        index: where they are; one on disk keeps the library of all of them.
        among: the records whose barcodes are wanted; all by default.

    Raises:
        CollectionError: when no record has a barcode.
    """
    if among is None and index.path is not None and index.manifest["barcodes"]:
        return load(index.data / LIBRARY)
    columns = index.columns(["barcode", "species"])
    barcodes = columns["barcode"].to_pylist()
    if not any(barcodes):
        raise CollectionError(
            f"{index.path or 'index'}: no record has a barcode. Search by another."
        )
    if among is not None:
        barcodes = [one if fine else None for one, fine in zip(barcodes, among, strict=True)]
    return library_of(barcodes, columns["species"])
