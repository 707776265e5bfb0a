"""The command ``index search``: images, barcodes, words, lineages or records -> records most like them."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from holotype.errors import SourceError, first_few
from holotype.index.asking import (
    Ask,
    Queries,
    barcode_queries,
    image_queries,
    record_queries,
    text_queries,
)
from holotype.index.build import model_of
from holotype.index.by_identity import IDENTITY, identity_hits
from holotype.index.by_names import records_of_lineage
from holotype.index.exact import NOTHING
from holotype.index.filters import Filters
from holotype.index.hits import HIT_SCHEMA, Hits, check_ending, hit_table, write_hits
from holotype.index.store import Index, open_index
from holotype.progress import note

NAMES = "names"
NOTHING_FITS = "no record that passes the filters fits"
PREFERRED: dict[Ask, tuple[str, ...]] = {
    Ask.IMAGE: ("image", "barcode"),
    Ask.BARCODE: ("barcode", "image"),
    Ask.TEXT: ("image", "barcode"),
    Ask.RECORD: ("image", "barcode"),
}
"""Whose vectors are searched if nobody says so: the first that the index has."""


@dataclass(frozen=True)
class Request:
    """What is searched for.

    Attributes:
        ask: with what.
        values: files, letters, words, lineages or ids; one query each, or each sequence or image of a file.
        model: the bundle of the index; where the index says it was by default. Records and lineages need
            none. A barcode without a model is searched by identity.
        searched: ``image`` or ``barcode`` vectors, or ``identity`` of barcodes; the fitting one by default.
        k: records for a query.
        filters: which records may be found.
    """

    ask: Ask
    values: tuple[str, ...]
    model: Path | str | None = None
    searched: str | None = None
    k: int = 10
    filters: Filters = field(default_factory=Filters)


@dataclass(frozen=True)
class SearchReport:
    """What a search did.

    Attributes:
        out: the file.
        searched: ``image``, ``barcode``, ``identity`` or ``names``.
        queries: how many were asked.
        failures: how many of them have no hit.
        hits: records found, all queries together.
        among: records that pass the filters.
    """

    out: str
    searched: str
    queries: int
    failures: int
    hits: int
    among: int


def search_index(index: Path | str, request: Request, *, out: Path | str) -> SearchReport:
    """Searches an index and writes the hits: CSV, Parquet or JSON by the ending of ``out``.

    A query without a hit is a row with its reason under ``failure``.

    Raises:
        CollectionError, BundleError: when the index or its model cannot be used.
        SourceError: when the request makes no sense: nothing or one thing twice, an unknown filter or ending.
    """
    check_ending(Path(out))
    opened = open_index(index)
    table, report = find(opened, request, out=str(out))
    write_hits(table, Path(out))
    return report


def find(index: Index, request: Request, *, out: str = "") -> tuple[pa.Table, SearchReport]:
    """Returns the hits of a request, a table of ``HIT_SCHEMA``, and what was done; writes nothing.

    Raises:
        CollectionError, BundleError, SourceError: as ``search_index``.
    """
    _check(request)
    is_filtered = request.filters != Filters()
    among = request.filters.allowed(index.records) if is_filtered else None
    count = len(index) if among is None else int(among.sum())
    request = replace(request, k=min(request.k, max(1, len(index))))
    if not count:
        note(f"{index.path}: no record passes the filters")
    found = _ASKED[request.ask](index, request, among)
    table = hit_table(found, index)
    failures = sum(one.failure is not None for one in found)
    hits = sum(len(one.row_K) for one in found)
    searched = found[0].searched if found else ""
    return table, SearchReport(out, searched, len(found), failures, hits, count)


def _check(request: Request) -> None:
    values = request.values
    if not values or not all(values):
        raise SourceError(f"nothing to search for: give at least one {request.ask}.")
    if twice := [value for value, count in Counter(values).items() if count > 1]:
        raise SourceError(f"{first_few(twice)} asked twice. Ask for each once.")
    if request.k < 1:
        raise SourceError(f"k = {request.k}: ask for at least one record.")


def _by_vectors(index: Index, request: Request, among: NDArray[np.bool_] | None) -> list[Hits]:
    modality = request.searched or _preferred(index, request.ask)
    index.vectors_of(modality)
    if request.ask is Ask.RECORD:
        queries = record_queries(index, request.values, modality)
    else:
        queries = _QUERIES[request.ask](model_of(index, request.model), request.values)
    more = 1 if request.ask is Ask.RECORD else 0
    sound = [at for at in range(len(queries.names)) if at not in queries.failures]
    row_SK, value_SK = index.nearest(modality, queries.z_QD[sound], k=request.k + more, among=among)
    found = {
        at: Hits.failed(queries.names[at], modality, why) for at, why in queries.failures.items()
    }
    for at, row_K, value_K in zip(sound, row_SK, value_SK, strict=True):
        kept = (row_K != NOTHING) & (row_K != queries.own_Q[at])
        failure = None if kept.any() else NOTHING_FITS
        found[at] = Hits(
            queries.names[at],
            modality,
            row_K[kept][: request.k],
            similarity_K=value_K[kept][: request.k],
            failure=failure,
        )
    return [found[at] for at in range(len(queries.names))]


def _by_barcode(index: Index, request: Request, among: NDArray[np.bool_] | None) -> list[Hits]:
    """Searches by identity where that is asked for, or no model is at hand; else by vectors."""
    if request.searched == IDENTITY or (request.searched is None and request.model is None):
        return identity_hits(index, request.values, k=request.k, among=among)
    return _by_vectors(index, request, among)


def _by_lineage(index: Index, request: Request, among: NDArray[np.bool_] | None) -> list[Hits]:
    if request.searched is not None:
        raise SourceError("a lineage is looked up by names: leave --searched out.")
    found = []
    for written in request.values:
        bearing = records_of_lineage(index.records, written)
        rows = np.flatnonzero(bearing if among is None else bearing & among)
        if len(rows) > request.k:
            note(f"{written}: {len(rows):,} records; the first {request.k:,} are written")
        failure = None if len(rows) else NOTHING_FITS
        found.append(Hits(written, NAMES, rows[: request.k], failure=failure))
    return found


def _preferred(index: Index, ask: Ask) -> str:
    fitting = [modality for modality in PREFERRED[ask] if modality in index.modalities]
    return fitting[0] if fitting else PREFERRED[ask][0]


_QUERIES: dict[Ask, Callable[..., Queries]] = {
    Ask.IMAGE: image_queries,
    Ask.BARCODE: barcode_queries,
    Ask.TEXT: text_queries,
}
_ASKED: dict[Ask, Callable[[Index, Request, NDArray[np.bool_] | None], list[Hits]]] = {
    Ask.IMAGE: _by_vectors,
    Ask.BARCODE: _by_barcode,
    Ask.TEXT: _by_vectors,
    Ask.LINEAGE: _by_lineage,
    Ask.RECORD: _by_vectors,
}

__all__ = ["HIT_SCHEMA", "Ask", "Request", "SearchReport", "find", "search_index"]
