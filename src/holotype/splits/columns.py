"""What a record is filed under: a column, or a date or year made from one, as whole numbers.

Ids that a source gives (specimen, sample, acquisition) mean something only within that source; the names of
places, cruises and instruments are taken to mean the same everywhere.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from holotype.errors import SplitError, did_you_mean
from holotype.taxonomy.lineage import LINNAEAN_RANKS

WITHIN_SOURCE = frozenset({"specimen_id", "sample_id", "acquisition_id"})
"""Columns whose values tie records of one source only."""


def date_of(collected_on: str) -> str | None:
    """Returns the day of a date, time or interval within one day, else None.

    >>> date_of("2013-05-26T12:54:13"), date_of("2013-05")
    ('2013-05-26', None)
    """
    days = {part.strip()[:10] for part in collected_on.split("/")}
    (day, *others) = sorted(days)
    return day if not others and len(day) == 10 and day[4] == day[7] == "-" else None


def year_of(collected_on: str) -> str | None:
    """Returns the year of a date, time or interval within one year, else None.

    >>> year_of("2013-05"), year_of("2013-12-30/2014-01-02")
    ('2013', None)
    """
    years = {part.strip()[:4] for part in collected_on.split("/")}
    (year, *others) = sorted(years)
    return year if not others and len(year) == 4 and year.isdigit() else None


MADE_FROM: dict[str, tuple[str, Callable[[str], str | None]]] = {
    "date": ("collected_on", date_of),
    "year": ("collected_on", year_of),
}
"""Keys that are no column: the column they are made from, and how."""

SEPARATING_COLUMNS = (
    "instrument", "site", "cruise", "year", "date", "country", "source", "sample_id", "acquisition_id",
)  # fmt: skip
"""What a split may keep together or leave out."""

SPLIT_COLUMNS = (
    "record_id", "source", "source_item", "specimen_id", "image_sha256", "image_phash",
    "image_width_px", "image_height_px", "grey_mean", "grey_sd", "haplotype", "written_label",
    *(rank.value for rank in LINNAEAN_RANKS), "other_ranks", "qualifier", "kind", "group",
    "instrument", "sample_id", "acquisition_id", "cruise", "site", "collected_on", "country",
    "upstream_split",
)  # fmt: skip
"""All that splits and their audit look at; the rest of a collection stays on disk."""


@dataclass(frozen=True)
class Coded:
    """A column as numbers.

    Attributes:
        code_N: int64, the place of the record's value in ``values``; -1 where it has none.
        values: the V different values, as text; ids within a source have it in front ("uvp6/12").
    """

    code_N: NDArray[np.int64]
    values: tuple[str, ...]


def coded(table: pa.Table, column: str) -> Coded:
    """Returns a column, ``date`` or ``year`` of a collection's table as numbers.

    Ids that mean something only within a source get the source in front.
    """
    made_from, made_by = MADE_FROM.get(column, (column, None))
    found = _plain(table, made_from)
    if made_by is not None:
        found = _renamed(found, [made_by(value) for value in found.values])
    if column not in WITHIN_SOURCE:
        return found
    source = _plain(table, "source")
    width = max(1, len(found.values))
    both_N = np.where(found.code_N < 0, -1, source.code_N * width + found.code_N)
    pair_V, code_N = np.unique(both_N, return_inverse=True)
    absent = int(len(pair_V) > 0 and pair_V[0] < 0)
    names = [
        f"{source.values[p // width]}/{found.values[p % width]}" for p in pair_V[absent:].tolist()
    ]
    return Coded(code_N.astype(np.int64) - absent, tuple(names))


def _plain(table: pa.Table, column: str) -> Coded:
    array = pa.chunked_array(table[column]).combine_chunks().dictionary_encode()
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    code_N = array.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return Coded(code_N, tuple(map(str, array.dictionary.to_pylist())))


def _renamed(found: Coded, names: list[str | None]) -> Coded:
    """Returns the column with other values, some of which may be the same or none at all."""
    values = sorted({name for name in names if name is not None})
    place = {name: i for i, name in enumerate(values)}
    new_V = np.asarray([-1 if name is None else place[name] for name in names] + [-1], np.int64)
    return Coded(new_V[found.code_N], tuple(values))


def separating_or_raise(option: str, column: str) -> None:
    """Raises ``SplitError`` unless records can be kept together, or left out, by the column."""
    if column not in SEPARATING_COLUMNS:
        raise SplitError(
            f"{option} {column}: not one of {', '.join(SEPARATING_COLUMNS)}."
            f"{did_you_mean(column, SEPARATING_COLUMNS)}"
        )
