"""Tables: CSV, TSV (plain or gzip) and Parquet, with images and barcodes by a column map.

Columns are found by name, never by position. Without a map, columns that bear the names of a
collection's columns are taken as they are.
"""

import csv
import gzip
import string
import sys
import tarfile
import weakref
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow.parquet as pq

from holotype.collection.schema import COLUMN_NAMES
from holotype.collection.sources.item import Item, SourceOptions
from holotype.collection.sources.presets import PRESETS, Preset
from holotype.errors import MediaError, SourceError, did_you_mean, first_few
from holotype.media.members import DAMAGE, MAX_MEMBER_BYTES, is_archive
from holotype.taxonomy.lineage import Rank

MISSING = frozenset({"", "none", "na", "n/a", "nan", "null", "not_classified", "not classified"})
"""What tables write where nothing is known, in lower case; a written label is kept as it is."""

FOUND_BY_INTAKE = frozenset(
    {
        "image_width_px",
        "image_height_px",
        "image_sha256",
        "haplotype",
        "other_ranks",
        "source",
        "source_item",
    }
)
"""Columns of a collection that no table gives: intake finds them from the image and the names."""

TAKEN = tuple(name for name in COLUMN_NAMES if name not in FOUND_BY_INTAKE)

OPTIONAL_IN_PRESETS = frozenset(COLUMN_NAMES) - {"record_id", "barcode", "image"}


def read(path: Path, options: SourceOptions) -> Iterator[Item]:
    """Yields one item for each row.

    Raises:
        SourceError: when the table is missing or has no rows, or a column asked for is not there.
    """
    if not path.is_file():
        raise SourceError(f"{path}: no such file. Check the path.")
    header, rows = _open_rows(path)
    plan = _plan(path, header, options)
    read_image = _image_reader(options.images or path.parent) if plan.reads_images else None
    empty = True
    for number, row in rows:
        empty = False
        if isinstance(row, str):
            yield Item(f"row {number}", row=number, error=row)
        else:
            yield _item(plan, row, number, read_image)
    if empty:
        raise SourceError(f"{path}: a header and no rows. Give a table with at least one row.")


class _Plan:
    """Which columns of the table become which columns of the collection."""

    def __init__(self, preset: Preset, columns: Mapping[str, str]) -> None:
        self.columns = dict(columns)
        self.templates = {k: v for k, v in preset.templates.items() if k not in columns}
        self.constants = {k: v for k, v in preset.constants.items() if k not in columns}

    @property
    def reads_images(self) -> bool:
        return "image" in self.columns or "image" in self.templates


def _plan(path: Path, header: list[str], options: SourceOptions) -> _Plan:
    if options.preset is not None and options.preset not in PRESETS:
        nearest = did_you_mean(options.preset, sorted(PRESETS))
        raise SourceError(f"no preset '{options.preset}'.{nearest}")
    preset = PRESETS[options.preset] if options.preset else Preset("", {})
    _check_targets(options.columns)
    own_names = {} if options.preset else {n: n for n in header if n in TAKEN}
    wanted = {**own_names, **preset.columns, **options.columns}
    present: dict[str, str] = {}
    for target, column in wanted.items():
        if column in header:
            present[target] = column
        elif target in options.columns or target not in OPTIONAL_IN_PRESETS:
            if target.startswith("rank:") and target not in options.columns:
                continue
            raise SourceError(
                f"{path}, row 1: no column '{column}' for {target}.{did_you_mean(column, header)} "
                f"The table has: {first_few(header, limit=30)}."
            )
    if not present:
        raise SourceError(
            f"{path}, row 1: none of the columns {first_few(header, limit=30)} is known. "
            "Use --preset, or --column name=column for each."
        )
    plan = _Plan(preset, present)
    _check_templates(path, header, plan.templates)
    return plan


def _check_targets(columns: Mapping[str, str]) -> None:
    """Raises ``SourceError`` for a column map with a column that a table cannot give."""
    for target in columns:
        if target.startswith("rank:"):
            Rank.parse(target.removeprefix("rank:"))
        elif target in FOUND_BY_INTAKE:
            raise SourceError(f"column '{target}' is found by the import itself: leave it out.")
        elif target not in TAKEN:
            raise SourceError(
                f"a collection has no column '{target}'.{did_you_mean(target, TAKEN)}"
            )


def _check_templates(path: Path, header: list[str], templates: Mapping[str, str]) -> None:
    for target, template in templates.items():
        for _, column, _, _ in string.Formatter().parse(template):
            if column and column not in header:
                nearest = did_you_mean(column, header)
                raise SourceError(f"{path}, row 1: no column '{column}' for {target}.{nearest}")


def _item(
    plan: _Plan, row: Mapping[str, Any], number: int, read_image: Callable[[str], bytes] | None
) -> Item:
    fields: dict[str, str] = dict(plan.constants)
    for target, column in plan.columns.items():
        if target != "image":
            fields[target] = _text(row[column], keep=target == "written_label")
    for target, template in plan.templates.items():
        if target != "image":
            fields[target] = template.format_map({k: _text(v, keep=True) for k, v in row.items()})
    name = fields.pop("record_id", "").lstrip(">") or f"row {number}"
    encoded = row.get(plan.columns.get("image", ""))
    if isinstance(encoded, Mapping):
        content, file_name = encoded.get("bytes"), str(encoded.get("path") or name)
        reader = None if content is None else (lambda: bytes(content))
        return Item(name, number, fields, reader, PurePosixPath(file_name).name)
    image_template = plan.templates.get("image")
    inside = _text(encoded, keep=True) if encoded else ""
    if image_template:
        inside = image_template.format_map({k: _text(v, keep=True) for k, v in row.items()})
        inside = inside.replace("//", "/")
    if not inside or read_image is None:
        return Item(name, number, fields)
    return Item(name, number, fields, lambda: read_image(inside), PurePosixPath(inside).name)


def _text(value: Any, *, keep: bool = False) -> str:
    text = "" if value is None else str(value).strip()
    return "" if not keep and text.lower() in MISSING else text


def table_header(path: Path) -> list[str]:
    """Returns the column names of a table.

    Raises:
        SourceError: when it cannot be read.
    """
    return _open_rows(path)[0]


def _open_rows(path: Path) -> tuple[list[str], Iterator[tuple[int, Mapping[str, Any] | str]]]:
    if path.suffix.lower() == ".parquet":
        try:
            table = pq.ParquetFile(path)
        except (OSError, ValueError) as reason:
            raise SourceError(f"{path}: not Parquet ({reason}).") from reason
        return list(table.schema_arrow.names), _parquet_rows(table)
    csv.field_size_limit(min(sys.maxsize, 1 << 31 - 1))
    opener = gzip.open if path.suffix.lower() == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8-sig", newline="") as handle:
            first = handle.readline()
    except (OSError, UnicodeDecodeError, EOFError) as reason:
        raise SourceError(f"{path}: not a UTF-8 text table ({reason}). Save it as UTF-8.") from None
    delimiter = max("\t,;", key=first.count)
    header = next(csv.reader([first], delimiter=delimiter), [])
    if not any(name.strip() for name in header):
        raise SourceError(f"{path}: empty. Give a table with a header and rows.")
    return header, _text_rows(path, opener, delimiter, header)


def _parquet_rows(table: pq.ParquetFile) -> Iterator[tuple[int, Mapping[str, Any] | str]]:
    number = 0
    for batch in table.iter_batches(256):
        for row in batch.to_pylist():
            number += 1
            yield number, row


def _text_rows(
    path: Path, opener: Callable[..., Any], delimiter: str, header: list[str]
) -> Iterator[tuple[int, Mapping[str, Any] | str]]:
    with opener(path, "rt", encoding="utf-8-sig", newline="") as handle:
        reader = csv.reader(handle, delimiter=delimiter)
        next(reader)
        try:
            for row in reader:
                if not row:
                    continue
                if len(row) != len(header):
                    yield reader.line_num, f"{len(row)} columns where the header has {len(header)}"
                else:
                    yield reader.line_num, dict(zip(header, row, strict=True))
        except (csv.Error, UnicodeDecodeError, EOFError, OSError) as reason:
            where = f"{path}, after row {reader.line_num}"
            raise SourceError(f"{where}: {reason}. Save the table as UTF-8 text.") from reason


def _image_reader(root: Path) -> Callable[[str], bytes]:
    """Returns a function from a path inside a folder or archive to the bytes there."""
    if not root.exists():
        raise SourceError(f"{root}: no such folder or archive of images. Check --images.")
    if not is_archive(root):
        return _folder_reader(root)
    try:
        return _zip_reader(root) if root.name.lower().endswith(".zip") else _tar_reader(root)
    except DAMAGE as reason:
        first_line = str(reason).partition(":\n")[0]
        raise SourceError(
            f"{root}: not a whole archive ({first_line}). Fetch it again."
        ) from reason


def _folder_reader(root: Path) -> Callable[[str], bytes]:
    inside_root = root.resolve()

    def read_image(name: str) -> bytes:
        path = (root / name).resolve()
        if not path.is_relative_to(inside_root):
            raise MediaError(f"'{name}' lies outside {root}")
        if not path.is_file():
            raise MediaError(f"no image '{name}' in {root}")
        return path.read_bytes()

    return read_image


def _zip_reader(root: Path) -> Callable[[str], bytes]:
    archive = zipfile.ZipFile(root)

    def read_image(name: str) -> bytes:
        try:
            if archive.getinfo(name).file_size > MAX_MEMBER_BYTES:
                raise MediaError(f"'{name}' is over {MAX_MEMBER_BYTES:,} bytes unpacked")
            return archive.read(name)
        except KeyError:
            raise MediaError(f"no image '{name}' in {root}") from None
        except DAMAGE as reason:
            raise MediaError(f"'{name}' is damaged in {root.name}: {reason}") from reason

    return read_image


def _tar_reader(root: Path) -> Callable[[str], bytes]:
    archive = tarfile.open(root)  # noqa: SIM115 - open as long as the rows are read

    def read_image(name: str) -> bytes:
        try:
            if archive.getmember(name).size > MAX_MEMBER_BYTES:
                raise MediaError(f"'{name}' is over {MAX_MEMBER_BYTES:,} bytes unpacked")
            handle = archive.extractfile(name)
            content = handle.read() if handle is not None else None
        except KeyError:
            content = None
        except DAMAGE as reason:
            raise MediaError(f"'{name}' is damaged in {root.name}: {reason}") from reason
        if content is None:
            raise MediaError(f"no image '{name}' in {root}")
        return content

    weakref.finalize(read_image, archive.close)
    return read_image
