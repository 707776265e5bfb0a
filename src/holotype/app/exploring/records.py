"""One record with all that is known of it, and many as CSV."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from holotype import files
from holotype.collection.reading.cells import escaped
from holotype.collection.schema import COLUMNS, RECORDS_SCHEMA
from holotype.collection.store import Collection
from holotype.taxonomy.lineage import LINNAEAN_RANKS

CSV_COLUMNS = tuple(name for name in RECORDS_SCHEMA.names if name not in ("image", "environment"))
GROUPS: dict[str, tuple[str, ...]] = {
    "Name": (
        "written_label", "label_status", "labelled_by", "qualifier", "kind", "group", "vernacular_name",
        "name_status", "name_match", "backbone", "given_lineage", "aphia_id", "gbif_id", "ncbi_id",
        "bold_id", "ecotaxa_id", "wikidata_id",
    ),
    "Licence": ("licence", "licence_from", "rights_holder", "citation"),
    "Where and when": (
        "latitude_deg", "longitude_deg", "depth_min_m", "depth_max_m", "collected_on", "site", "country",
        "cruise", "sample_id", "acquisition_id", "place_from", "depth_from", "time_from", "environment",
    ),
    "Image": (
        "instrument", "instrument_id", "image_width_px", "image_height_px", "pixel_size_um",
        "object_esd_px", "grey_mean", "grey_sd", "image_flags", "image_url", "image_sha256",
        "image_phash", "sampled_volume_l", "subsample_fraction",
    ),
    "Barcode": ("marker", "barcode", "haplotype", "bin_uri", "insdc_accession"),
    "Provenance": (
        "record_id", "source", "source_item", "specimen_id", "content_hash", "upstream_split", "extra",
    ),
}  # fmt: skip
"""The columns of a record as its page shows them; the lineage stands on its own."""
_MEANING = {column.name: column.meaning for column in COLUMNS}
_AT_A_TIME = 4_096
_UNITS = {"deg": "°", "m": "m", "um": "µm", "px": "px", "l": "l"}


@dataclass(frozen=True)
class Stated:
    """One value of a record: the column, what the column means, and the value as text."""

    column: str
    meaning: str
    text: str

    @property
    def name(self) -> str:
        """What the column is called on a page, its unit after it.

        >>> Stated("pixel_size_um", "", "").name, Stated("site", "", "").name
        ('pixel size (µm)', 'site')
        """
        words, _, unit = self.column.rpartition("_")
        if unit in _UNITS:
            return f"{words.replace('_', ' ')} ({_UNITS[unit]})"
        return self.column.replace("_", " ")


@dataclass(frozen=True)
class Record:
    """All that is known of a record.

    Attributes:
        row: in the collection.
        record_id: its id.
        lineage: rank and name, wide to narrow, further ranks at their places.
        stated: heading -> its values; only those that are there.
        has_image: whether there is an image.
    """

    row: int
    record_id: str
    lineage: tuple[tuple[str, str], ...]
    stated: Mapping[str, tuple[Stated, ...]]
    has_image: bool


def record_at(collection: Collection, row: int) -> Record:
    """Returns a record, read from the one row group that holds it.

    Raises:
        CollectionError: when the files are gone since the collection was opened.
    """
    names = [name for name in RECORDS_SCHEMA.names if name != "image"]
    values = next(_rows(collection, np.asarray([row]), names)).to_pylist()[0]
    return Record(
        row,
        values["record_id"],
        _lineage(values),
        {
            heading: stated
            for heading, columns in GROUPS.items()
            if (stated := tuple(_stated(values, columns)))
        },
        values["image_sha256"] is not None,
    )


def _lineage(values: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Returns the names of a record from wide to narrow, further ranks between those they lie between."""
    from holotype.taxonomy.lineage import Rank

    held = {rank.value: values[rank.value] for rank in LINNAEAN_RANKS if values[rank.value]}
    held |= {one["rank"]: one["name"] for one in values["other_ranks"] or ()}
    return tuple((rank.value, held[rank.value]) for rank in Rank if rank.value in held)


def _stated(values: Mapping[str, Any], columns: Sequence[str]) -> Iterator[Stated]:
    for column in columns:
        value = values[column]
        if value is not None and value != []:
            yield Stated(column, _MEANING[column], text_of(value))


def text_of(value: object) -> str:
    """Returns a value as text; lists as JSON.

    >>> text_of(0.1 + 0.2), text_of(3), text_of("x"), text_of([{"a": 1}])
    ('0.3', '3', 'x', '[{"a": 1}]')
    """
    if isinstance(value, float):
        return f"{value:.7g}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def csv_of(collection: Collection, rows: NDArray[np.int64]) -> Iterator[str]:
    """Yields a CSV of the metadata of some records, piece by piece, in the order of the collection.

    Text that a spreadsheet would run as a formula is written with an apostrophe before it.

    Raises:
        CollectionError: when the files are gone since the collection was opened.
    """
    yield _lines([CSV_COLUMNS])
    for table in _rows(collection, np.unique(rows), CSV_COLUMNS):
        for first in range(0, table.num_rows, _AT_A_TIME):
            part = table.slice(first, _AT_A_TIME)
            columns = [part[name].to_pylist() for name in CSV_COLUMNS]
            yield _lines([_cell(value) for value in row] for row in zip(*columns, strict=True))


def column_of(collection: Collection, rows: NDArray[np.int64], name: str) -> list[Any]:
    """Returns a column of some rows, in their order.

    Raises:
        CollectionError: when the files are gone since the collection was opened.
    """
    unique, place = np.unique(rows, return_inverse=True)
    values = [one for part in _rows(collection, unique, [name]) for one in part[name].to_pylist()]
    return [values[at] for at in place.tolist()]


def _cell(value: object) -> object:
    if value is None or isinstance(value, float | int):
        return value
    return escaped(text_of(value)) if value != [] else None


def _lines(rows: Any) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _rows(
    collection: Collection, rows: NDArray[np.int64], names: Sequence[str]
) -> Iterator[pa.Table]:
    """Yields columns of some rows (ascending), one table for each row group that holds any."""
    first = 0
    for path in collection.shard_paths():
        with files.as_it_was_opened(collection.path), pq.ParquetFile(path) as shard:
            end = first + shard.metadata.num_rows
            if np.searchsorted(rows, first) == np.searchsorted(rows, end):
                first = end
                continue
            for group in range(shard.num_row_groups):
                end = first + shard.metadata.row_group(group).num_rows
                inside = rows[np.searchsorted(rows, first) : np.searchsorted(rows, end)]
                if len(inside):
                    table = shard.read_row_group(group, columns=list(names))
                    yield table.select(list(names)).take(pa.array(inside - first))
                first = end
