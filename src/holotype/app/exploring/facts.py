"""What is filtered by and counted, of every record: codes and numbers, small enough for millions.

Read once from the shards; images and barcodes are not touched. A million records take some 40 MB.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from holotype import files
from holotype.app.exploring.lineages import LINEAGE_COLUMNS, Lineages, lineages_of
from holotype.collection.store import Collection

FACETS: dict[str, str] = {
    "instrument": "Instrument",
    "source": "Source",
    "licence": "Licence",
    "label_status": "Label status",
    "kind": "Kind",
    "qualifier": "What is shown",
    "marker": "Barcode marker",
    "site": "Site",
    "country": "Country",
    "written_label": "Written label",
    "decision": "Decision of the model",
}
"""Columns whose values are counted and chosen, with what they are called."""
DECISION = "decision"
_CODED = tuple(name for name in FACETS if name != DECISION)
_DEPTHS = ("depth_min_m", "depth_max_m")
_NUMBERS = ("latitude_deg", "longitude_deg", *_DEPTHS)
MISSING = 0
"""The code of null in every coded column."""

Codes = NDArray[np.signedinteger[Any]]


@dataclass(frozen=True)
class Coded:
    """A column of text as codes.

    Attributes:
        values: text of each code; None at ``MISSING``.
        code_N: of each record.
    """

    values: tuple[str | None, ...]
    code_N: Codes

    def code(self, value: str | None) -> int | None:
        """Returns the code of a value, None where no record has it."""
        if value is None:
            return MISSING
        return self.values.index(value) if value in self.values else None


@dataclass(frozen=True)
class Facts:
    """What is known of N records, in the order of the collection.

    Attributes:
        coded: facet -> its codes.
        lineages: the different lineages with what they are called.
        lineage_N: of each record, a row of ``lineages``.
        latitude_N: degrees, float32, NaN where not known; likewise the others.
        longitude_N: degrees.
        depth_N: metres, the middle of least and greatest.
        year_N: int16, 0 where not known.
        month_N: int8, 1 to 12, 0 where not known.
        image_N: whether there is an image.
        barcode_N: whether there is a barcode.
    """

    coded: Mapping[str, Coded]
    lineages: Lineages
    lineage_N: NDArray[np.int32]
    latitude_N: NDArray[np.float32]
    longitude_N: NDArray[np.float32]
    depth_N: NDArray[np.float32]
    year_N: NDArray[np.int16]
    month_N: NDArray[np.int8]
    image_N: NDArray[np.bool_]
    barcode_N: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.lineage_N)

    @property
    def nbytes(self) -> int:
        """Bytes of all codes and numbers."""
        own = (
            self.lineage_N, self.latitude_N, self.longitude_N, self.depth_N, self.year_N, self.month_N,
            self.image_N, self.barcode_N,
        )  # fmt: skip
        return sum(one.nbytes for one in own) + sum(c.code_N.nbytes for c in self.coded.values())

    def with_decisions(self, row_A: NDArray[np.int64], decision_A: pa.Array) -> "Facts":
        """Returns the facts with what a model decided of some records.

        Args:
            row_A: rows of the answered records.
            decision_A: text, the decision of each.
        """
        column = _Column(DECISION)
        codes = column.codes(decision_A.dictionary_encode())
        code_N = np.zeros(len(self), dtype=np.int32)
        code_N[row_A] = codes
        return replace(self, coded={**self.coded, DECISION: column.coded([code_N])})


def facts_of(collection: Collection) -> Facts:
    """Returns the facts of a collection, read shard by shard.

    Raises:
        CollectionError: when its files are gone since it was opened.
    """
    columns = {name: _Column(name) for name in dict.fromkeys((*_CODED, *LINEAGE_COLUMNS))}
    parts = [_part(table, columns) for table in _tables(collection)]
    lineage_N, lineages = lineages_of(
        {name: columns[name].values for name in LINEAGE_COLUMNS},
        {name: _joined([part.codes[name] for part in parts], np.int32) for name in LINEAGE_COLUMNS},
    )
    coded = {name: columns[name].coded([part.codes[name] for part in parts]) for name in _CODED}
    numbers = {
        name: _joined([part.numbers[name] for part in parts], kind)
        for name, kind in _NUMBER_KINDS.items()
    }
    return Facts(coded, lineages, lineage_N, **numbers)


_NUMBER_KINDS: dict[str, Any] = {
    "latitude_N": np.float32,
    "longitude_N": np.float32,
    "depth_N": np.float32,
    "year_N": np.int16,
    "month_N": np.int8,
    "image_N": np.bool_,
    "barcode_N": np.bool_,
}


@dataclass(frozen=True)
class _Part:
    codes: Mapping[str, Codes]
    numbers: Mapping[str, NDArray[Any]]


@dataclass
class _Column:
    """The values of a column that were met, in the order in which they were."""

    name: str
    values: list[str | None] = field(default_factory=lambda: [None])
    places: dict[str, int] = field(default_factory=dict)

    def codes(self, column: pa.DictionaryArray) -> Codes:
        """Returns the codes of a part of the column."""
        own = [self._place(value) for value in column.dictionary.to_pylist()]
        place_V = np.asarray([*own, MISSING], dtype=np.int32)
        index = column.indices.fill_null(len(own)).to_numpy(zero_copy_only=False)
        found: Codes = place_V[index]
        return found

    def _place(self, value: str | None) -> int:
        if value is None or value == "":
            return MISSING
        found = self.places.get(value)
        if found is None:
            found = self.places[value] = len(self.values)
            self.values.append(value)
        return found

    def coded(self, parts: list[Codes]) -> Coded:
        """Returns the whole column with the smallest codes that hold it."""
        kind = np.int16 if len(self.values) < 1 << 15 else np.int32
        return Coded(tuple(self.values), _joined(parts, kind))


def _joined(parts: list[NDArray[Any]], kind: Any) -> NDArray[Any]:
    return np.concatenate([np.zeros(0, kind), *(part.astype(kind, copy=False) for part in parts)])


_TEXTS = tuple(name for name in (*_CODED, *LINEAGE_COLUMNS) if name != "other_ranks")
_READ = (
    *dict.fromkeys(_TEXTS),
    *_NUMBERS,
    "other_ranks",
    "collected_on",
    "image_sha256",
    "haplotype",
)


def _tables(collection: Collection) -> Iterator[pa.Table]:
    """Yields the columns that are read, a shard at a time; text as dictionaries."""
    for path in collection.shard_paths():
        with (
            files.as_it_was_opened(collection.path),
            pq.ParquetFile(path, read_dictionary=[*_TEXTS]) as shard,
        ):
            yield shard.read(columns=[*_READ])


def _part(table: pa.Table, columns: Mapping[str, _Column]) -> _Part:
    codes = {name: columns[name].codes(_dictionary(table[name])) for name in dict.fromkeys(_TEXTS)}
    codes["other_ranks"] = columns["other_ranks"].codes(_last_of(table["other_ranks"]))
    low, high = (_real(table[name]) for name in _DEPTHS)
    depth = np.where(np.isnan(low), high, np.where(np.isnan(high), low, (low + high) / 2))
    year, month = _dates(table["collected_on"])
    numbers = {
        "latitude_N": _real(table["latitude_deg"]),
        "longitude_N": _real(table["longitude_deg"]),
        "depth_N": depth,
        "year_N": year,
        "month_N": month,
        "image_N": pc.is_valid(table["image_sha256"]).to_numpy(),
        "barcode_N": pc.is_valid(table["haplotype"]).to_numpy(),
    }
    return _Part(codes, numbers)


def _dictionary(column: pa.ChunkedArray) -> pa.DictionaryArray:
    found = column.unify_dictionaries().combine_chunks()
    return found if pa.types.is_dictionary(found.type) else found.dictionary_encode()


def _real(column: pa.ChunkedArray) -> NDArray[np.float64]:
    return np.asarray(column.to_numpy(), dtype=np.float64)


def _last_of(column: pa.ChunkedArray) -> pa.DictionaryArray:
    """Returns the narrowest of the further ranks of each record as ``rank<TAB>name``."""
    lists = column.combine_chunks()
    length_N = pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False)
    flat = lists.flatten()
    if not len(flat):
        return pa.nulls(len(lists), pa.string()).dictionary_encode()
    last_N = np.where(length_N > 0, np.cumsum(length_N) - 1, 0)
    chosen = flat.take(pa.array(last_N))
    said = pc.binary_join_element_wise(chosen.field("rank"), chosen.field("name"), "\t")
    return pc.if_else(
        pa.array(length_N > 0), said, pa.scalar(None, pa.string())
    ).dictionary_encode()


def _dates(column: pa.ChunkedArray) -> tuple[NDArray[np.int16], NDArray[np.int8]]:
    """Returns year and month of dates as ``2019``, ``2019-07`` or ``2019-07-03T10:00``; 0 where not known."""
    found = pc.utf8_slice_codeunits(column.combine_chunks(), 0, 7).dictionary_encode()
    dates = [_date(text) for text in (*found.dictionary.to_pylist(), None)]
    index = found.indices.fill_null(len(dates) - 1).to_numpy(zero_copy_only=False)
    year_V = np.asarray([year for year, _ in dates], dtype=np.int16)
    month_V = np.asarray([month for _, month in dates], dtype=np.int8)
    return year_V[index], month_V[index]


def _date(text: str | None) -> tuple[int, int]:
    r"""Returns year and month of a text.

    >>> _date("2019-07"), _date("2019"), _date("2019-W3"), _date(None)
    ((2019, 7), (2019, 0), (2019, 0), (0, 0))
    """
    if text is None or not (text[:4].isascii() and text[:4].isdigit() and len(text) >= 4):
        return 0, 0
    month = text[5:7]
    known = text[4:5] == "-" and month.isascii() and month.isdigit() and 1 <= int(month) <= 12
    return int(text[:4]), int(month) if known else 0
