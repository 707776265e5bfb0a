"""BOLD public data packages and downloads: the Barcode Core Data Model (BCDM) as TSV.

Plain, gzip, or inside the tar.gz or zip of a data package. Columns are found by name, with the names of
older packages (``nucraw``, ``gb_acs``, ``province``) and of the portal's tables (``species_name``, ``lat``)
beside those of BCDM (Ratnasingham et al. 2024, doi:10.1007/978-1-0716-3581-0_26). One specimen may have
several markers: a record is one processid and one marker.
"""

import re
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import IO

from holotype.collection.reading.distinct import DistinctNames
from holotype.collection.reading.fields import RowFields, parse_number
from holotype.collection.reading.rows import (
    bad_row,
    binomial,
    held_columns,
    lower_names,
    open_rows,
    require_columns,
    whole_id,
)
from holotype.collection.reading.tabular import Dialect, TextTable
from holotype.collection.schema import BOUNDS
from holotype.collection.sources.item import Item, Source, SourceOptions
from holotype.errors import SourceError
from holotype.files import DAMAGE
from holotype.media.locations import FileAt
from holotype.media.members import MAX_UNPACK_RATIO, is_archive, members
from holotype.taxonomy.lineage import LINNAEAN_RANKS

_TABLE_ENDINGS = (".tsv", ".txt", ".csv", ".tsv.gz", ".txt.gz", ".csv.gz")
_SENTINELS = frozenset({"unrecoverable", "[]", "['']", "none none"})
_RANKS = ("kingdom", "phylum", "class", "order", "family", "genus")
_OTHER_RANKS = ("subfamily", "tribe", "subspecies")
_TEXTS: dict[str, tuple[str, ...]] = {
    "specimen_id": ("sampleid", "sample_id"),
    "marker": ("marker_code", "markercode", "marker"),
    "barcode": ("nuc", "nucraw", "nucleotides", "nuc_san"),
    "insdc_accession": ("insdc_acs", "gb_acs", "genbank_accession"),
    "labelled_by": ("identified_by", "identification_provided_by"),
    "country": ("country/ocean", "country_ocean", "country"),
    "site": ("site", "exactsite"),
    "sample_id": ("collection_event_id",),
}
_IDS: dict[str, tuple[str, ...]] = {
    "bold_id": ("taxid", "species_taxid"),
    "bin_uri": ("bin_uri", "bin"),
}
_NAMES: dict[str, tuple[str, ...]] = {
    **{rank: (rank, f"{rank}_name") for rank in _RANKS},
    **{f"rank:{rank}": (rank, f"{rank}_name") for rank in _OTHER_RANKS},
    "species": ("species", "species_name"),
    "written_label": ("identification", "taxon"),
}
_PLACES: dict[str, tuple[str, ...]] = {
    "latitude_deg": ("lat", "latitude"),
    "longitude_deg": ("lon", "longitude"),
}
_CENTROID = "centroid"
_EPOCH = date(1970, 1, 1)

Columns = Mapping[str, tuple[str, ...]]
"""Column of a collection -> the columns of the table that give it."""


def read(path: Path, options: SourceOptions) -> Iterator[Item]:
    """Yields one item for each row of each table, and one for each other file of a package.

    Raises:
        SourceError: when no table of BOLD is there, or a package is damaged.
    """
    names = DistinctNames()
    if path.is_file() and not is_archive(path):
        yield from _records(_open(path, path.name), names)
        return
    found = False
    if options.spool is not None:
        options.spool.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="holotype-bold-", dir=options.spool) as scratch:
        for name, table in _tables(path, Path(scratch)):
            if table is None:
                yield Item(name, skip_reason="no table of records")
                continue
            found = True
            yield from _records(_open(table, name), names)
            if table.is_relative_to(scratch):
                table.unlink()
    if not found:
        raise SourceError(f"{path}: no .tsv in it. Give a BOLD data package or its table.")


def _tables(path: Path, scratch: Path) -> Iterator[tuple[str, Path | None]]:
    """Yields (name, table) of each file of a package, unpacked where it must be; None for no table."""
    if path.is_dir():
        for member in members(path):
            plain = member.at.path if isinstance(member.at, FileAt) else None
            usable = plain is not None and _named_like_table(member.name)
            yield member.name, Path(plain) if usable and plain else None
        return
    if not path.is_file():
        raise SourceError(f"{path}: no such file or folder. Check the path.")
    limit = max(1 << 30, MAX_UNPACK_RATIO * path.stat().st_size)
    try:
        for name, stream in _streams(path):
            if stream is None or not _named_like_table(name):
                yield name, None
                continue
            table = scratch / ("table.csv" if ".csv" in name.lower() else "table.tsv")
            with table.open("wb") as out:
                _copy(stream, out, limit)
            yield name, table
    except DAMAGE as reason:
        raise SourceError(f"{path}: not a whole package ({reason}). Fetch it again.") from None


def _streams(path: Path) -> Iterator[tuple[str, IO[bytes] | None]]:
    """Yields the files of a zip or tar one after the other; a package is read once, front to back."""
    if path.name.lower().endswith((".zip", ".zid")):
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                if not entry.is_dir():
                    with archive.open(entry) as stream:
                        yield entry.filename, stream
        return
    with tarfile.open(path, "r|*") as packed:
        for part in packed:
            if not part.isdir():
                yield part.name, packed.extractfile(part) if part.isfile() else None


def _copy(stream: IO[bytes], out: IO[bytes], limit: int) -> None:
    while chunk := stream.read(1 << 20):
        out.write(chunk)
        if out.tell() > limit:
            raise EOFError(f"it unpacks to more than {limit:,} bytes")
        if shutil.disk_usage(out.name).free < len(chunk) * 64:
            raise EOFError("the disk is full; set TMPDIR or the spool to a larger one")


def _named_like_table(name: str) -> bool:
    last = name.rpartition("/")[2].lower()
    return last.endswith(_TABLE_ENDINGS) and not last.startswith(("._", "."))


def _open(path: Path, name: str) -> TextTable:
    quoted = ".csv" in path.suffixes
    table = open_rows(path, dialect=Dialect(None if quoted else "\t", None, quoted))
    table = replace(table, name=name)
    require_columns(table, ["processid"], "a table of BOLD")
    return table


def _records(table: TextTable, names: DistinctNames) -> Iterator[Item]:
    held = held_columns(_TEXTS | _IDS | _NAMES | _PLACES, table.header)
    for row in table.rows:
        if row.error is not None:
            wanted = names.name(f"{table.name} line {row.line}", row.line)
            yield Item(wanted, row.line, error=bad_row(table, row))
            continue
        where = f"{table.name}, line {row.line}"
        item = _record(RowFields(where, lower_names(row.values), _SENTINELS), held)
        name = names.name(item.name or f"{table.name} line {row.line}", row.line)
        yield replace(item, name=name, row=row.line)


def _record(row: RowFields, held: Columns) -> Item:
    """Returns the item of one row; its name is ``processid|marker``, or "" where it has no processid."""
    for target, columns in held.items():
        if target not in _PLACES:
            row.text(target, *columns)
    for target in sorted(_IDS.keys() & row.fields.keys()):
        row.fields[target] = whole_id(row.fields[target])
    if "species" in row.fields:
        row.fields["species"] = binomial(row.fields.get("genus", ""), row.fields["species"])
    if "written_label" not in row.fields and (deepest := _deepest(row)):
        row.fields["written_label"] = deepest
    if "country" not in row.fields:
        row.text("country", "country_iso")
    _place(row, held)
    if row.number("depth_min_m", "depth") is not None:
        row.fields["depth_max_m"] = row.fields["depth_min_m"]
    _date(row)
    process, marker = row.written("processid"), row.fields.get("marker", "")
    row.written("record_id")
    name = f"{process}|{marker}" if process and marker else process
    if not {"barcode", "written_label"} & row.fields.keys():
        return Item(name, skip_reason="neither a sequence nor a name in the row")
    row.keep_extra()
    return Item(name, fields=row.fields, notes=tuple(row.notes))


def _deepest(row: RowFields) -> str:
    order = [f"rank:{rank}" if rank in _OTHER_RANKS else rank for rank in _narrow_to_wide()]
    return next((row.fields[rank] for rank in order if rank in row.fields), "")


def _narrow_to_wide() -> tuple[str, ...]:
    linnaean = [rank.value for rank in LINNAEAN_RANKS]
    return ("subspecies", "species", "genus", "tribe", "subfamily", *reversed(linnaean[:5]))


def _place(row: RowFields, held: Columns) -> None:
    """Puts latitude and longitude; the centre of a country is no place of a find, and stays extra."""
    if _CENTROID in row.values.get("coord_source", "").lower():
        return
    pair = row.values.get("coord", "").strip()
    if not row.written("coord"):
        for target in sorted(_PLACES.keys() & held.keys()):
            row.position(target, *held[target])
        return
    parts = [parse_number(part) for part in re.split(r"\s*[,;]\s*|\s+", pair.strip("()[] "))]
    if len(parts) != 2 or None in parts:
        row.note("coord", "coord", "is no pair of coordinates", "write (latitude, longitude)")
        return
    targets = ("latitude_deg", "longitude_deg")
    for target, number in zip(targets, parts, strict=True):
        low, high = BOUNDS[target]
        if number is None or not low <= number <= high:
            row.note(
                "bounds", "coord", f"gives {target} {number}", f"it must be {low:g} to {high:g}"
            )
            return
    row.fields |= {t: repr(number) for t, number in zip(targets, parts, strict=True)}


def _date(row: RowFields) -> None:
    """Puts the date of collection, or its month or year: ISO 8601, or the days since 1970 that R writes."""
    columns = ("collection_date_start", "collectiondate_start", "collection_date", "collectiondate")
    column = next((name for name in columns if row.written(name)), None)
    if column is None:
        return
    written = row.written(column)
    days = re.fullmatch(r"(\d{1,5})(\.0)?", written)
    year_like = re.fullmatch(r"\d{4}", written) or re.fullmatch(r"(1[5-9]|20)\d\d\.0", written)
    if days and not year_like and (len(days[1]) == 5 or days[2]):
        row.fields["collected_on"] = (_EPOCH + timedelta(days=int(days[1]))).isoformat()
    elif year_like:
        row.fields["collected_on"] = written[:4]
    else:
        row.moment("collected_on", column, "collection_time")


SOURCE = Source("bold", "BOLD data packages and downloads (BCDM tables; TSV, tar.gz or zip)", read)
