"""The index asked by the API: the model that is open already embeds, and nothing of a request is a path."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from holotype.app.api.models import SearchBy, Searched, SearchFilters
from holotype.app.identifying import Identifier
from holotype.errors import CollectionError, MediaError, SourceError
from holotype.identify.inputs import Specimen
from holotype.index.asking import Ask
from holotype.index.barcodes.search import search as search_barcodes
from holotype.index.by_identity import IDENTITY, STRANDS, barcode_library
from holotype.index.by_names import records_of_lineage
from holotype.index.exact import NOTHING
from holotype.index.filters import Filters, parse_box
from holotype.index.hits import Hits, hit_table
from holotype.index.search import NAMES, NOTHING_FITS, PREFERRED
from holotype.index.store import Index
from holotype.media.barcodes import clean_barcode
from holotype.models.encode import encode_captions
from holotype.taxonomy.lineage import Rank

MOST_SAID, SAID = 2_000, 21
"""A longer value is called by so many of its letters and its number: it would come back with every hit."""
Vector = NDArray[np.float32] | None
Among = NDArray[np.bool_] | None


class Searcher:
    """An index and the model that it was made with."""

    def __init__(self, identifier: Identifier) -> None:
        self._identifier = identifier

    @property
    def index(self) -> Index:
        """The index.

        Raises:
            CollectionError: when the server has none.
        """
        if self._identifier.index is None:
            raise CollectionError(
                "this server has no index to search. Start it with --index (holotype index build)."
            )
        return self._identifier.index

    async def by_images(
        self, specimens: Sequence[Specimen], *, searched: str | None, k: int, filters: SearchFilters
    ) -> list[dict[str, Any]]:
        """Returns the rows of the records most like each image."""
        self._must_read("image")
        among = await asyncio.to_thread(self._among, filters)
        found = await self._identifier.embedded(specimens)
        names = [one.input for one in specimens]
        modality = self._modality(searched, Ask.IMAGE)
        return await self._rows(partial(self._nearest, names, found, modality, k, among))

    async def by(
        self,
        ask: SearchBy,
        values: Sequence[str],
        *,
        searched: str | None,
        k: int,
        filters: SearchFilters,
    ) -> list[dict[str, Any]]:
        """Returns the rows of the records that fit each value best.

        Raises:
            SourceError: for values, filters or a way to search that make no sense.
            CollectionError: when index or model cannot be asked so.
        """
        if len(set(values)) < len(values) or not all(value.strip() for value in values):
            raise SourceError("a value is blank or asked twice. Ask for each once.")
        among = await asyncio.to_thread(self._among, filters)
        if ask is SearchBy.LINEAGE:
            if searched is not None:
                raise SourceError("a lineage is looked up by names: leave 'searched' out.")
            return await self._rows(partial(self._lineages, values, k, among))
        if searched == IDENTITY and ask is not SearchBy.BARCODE:
            raise SourceError("identity is of barcodes: ask by barcode.")
        if searched == IDENTITY:
            # on the model's thread: it sets how many threads NumPy may use meanwhile
            return await self._identifier.apart(partial(self._identities, values, k, among))
        vectors = await (self._barcodes(values) if ask is SearchBy.BARCODE else self._texts(values))
        modality = self._modality(searched, Ask(ask.value))
        names = _names(values)
        return await self._rows(partial(self._nearest, names, vectors, modality, k, among))

    async def _barcodes(self, values: Sequence[str]) -> list[tuple[Vector, str | None]]:
        self._must_read("barcode")
        asked = []
        for value in values:
            barcode, why = _cleaned(value)
            asked.append(Specimen(value, barcode=barcode, failure=why))
        return await self._identifier.embedded(asked)

    async def _texts(self, values: Sequence[str]) -> list[tuple[Vector, str | None]]:
        return [(z_D, None) for z_D in await embedded_texts(self._identifier, values)]

    async def _rows(self, find: Callable[[], list[dict[str, Any]]]) -> list[dict[str, Any]]:
        return await asyncio.to_thread(find)

    def _must_read(self, modality: str) -> None:
        reads = self._identifier.modalities
        if modality not in reads:
            raise CollectionError(f"this model reads no {modality}s, only {', '.join(reads)}.")

    def _modality(self, searched: str | None, ask: Ask) -> str:
        if searched == Searched.IDENTITY:
            raise SourceError("identity is of barcodes: ask by barcode.")
        held = self.index.modalities
        wanted = searched or next((one for one in PREFERRED[ask] if one in held), "")
        if wanted not in held:
            raise SourceError(
                f"the index has no {wanted} vectors, only {', '.join(held) or 'none'}."
            )
        return str(wanted)

    def _among(self, asked: SearchFilters) -> Among:
        filters = Filters(
            taxon=asked.taxon,
            rank=None if asked.rank is None else Rank(asked.rank.value),
            place=None if asked.place is None else parse_box(asked.place),
            instruments=tuple(asked.instruments),
            licences=tuple(asked.licences),
        )
        return filters.allowed(self.index.records) if filters != Filters() else None

    def _nearest(
        self,
        names: Sequence[str],
        vectors: Sequence[tuple[Vector, str | None]],
        modality: str,
        k: int,
        among: Among,
    ) -> list[dict[str, Any]]:
        sound = [at for at, (z_D, _) in enumerate(vectors) if z_D is not None]
        found = {
            at: Hits.failed(names[at], modality, why or "nothing that this model reads")
            for at, (z_D, why) in enumerate(vectors)
            if z_D is None
        }
        if sound:
            z_SD = np.stack([z_D for z_D, _ in vectors if z_D is not None])
            most = max(1, min(k, len(self.index)))
            row_SK, value_SK = self.index.nearest(modality, z_SD, k=most, among=among)
            for at, row_K, value_K in zip(sound, row_SK, value_SK, strict=True):
                kept = row_K != NOTHING
                failure = None if kept.any() else NOTHING_FITS
                found[at] = Hits(
                    names[at], modality, row_K[kept], similarity_K=value_K[kept], failure=failure
                )
        return self._as_rows([found[at] for at in range(len(names))])

    def _lineages(self, values: Sequence[str], k: int, among: Among) -> list[dict[str, Any]]:
        found = []
        for name, written in zip(_names(values), values, strict=True):
            bearing = records_of_lineage(self.index.records, written)
            rows = np.flatnonzero(bearing if among is None else bearing & among)
            failure = None if len(rows) else NOTHING_FITS
            found.append(Hits(name, NAMES, rows[:k], failure=failure))
        return self._as_rows(found)

    def _identities(self, values: Sequence[str], k: int, among: Among) -> list[dict[str, Any]]:
        cleaned = [_cleaned(value) for value in values]
        library = barcode_library(self.index, among=among)
        hits = search_barcodes(library, [barcode for barcode, _ in cleaned], k=k)
        found = []
        for at, (name, (_, why)) in enumerate(zip(_names(values), cleaned, strict=True)):
            kept = np.flatnonzero(hits.row_QK[at] >= 0)
            if not len(kept):
                reason = why or hits.failure_Q[at] or NOTHING_FITS
                found.append(Hits.failed(name, IDENTITY, reason))
                continue
            strand = STRANDS.get(int(hits.strand_Q[at]), "")
            measured = [
                (round(float(hits.identity_QK[at, c]), 4), float(hits.overlap_QK[at, c]), strand)
                for c in kept
            ]
            rows = hits.row_QK[at][kept]
            found.append(Hits(name, IDENTITY, rows, identity_K=measured))
        return self._as_rows(found)

    def _as_rows(self, found: Sequence[Hits]) -> list[dict[str, Any]]:
        table: pa.Table = hit_table(found, self.index)
        rows: list[dict[str, Any]] = table.to_pylist()
        return rows


async def embedded_texts(identifier: Identifier, texts: Sequence[str]) -> NDArray[np.float32]:
    """Returns words as the model sees them, unit rows.

    Raises:
        CollectionError: when the model reads no words.
    """
    if "caption" not in identifier.modalities:
        raise CollectionError(
            "this model reads no words. Search by lineage, or use one with captions."
        )
    return await identifier.apart(partial(encode_captions, identifier.bundle.model, list(texts)))


def _cleaned(value: str) -> tuple[str | None, str | None]:
    try:
        return clean_barcode(value).nucleotides, None
    except MediaError as reason:
        return None, str(reason)


def _names(values: Sequence[str]) -> list[str]:
    """Returns what hits call the values: whole, but for those that are too long to be said with each hit."""
    return [
        value if len(value) <= MOST_SAID else f"{value[:SAID]}... (value {number:,})"
        for number, value in enumerate(values, start=1)
    ]
