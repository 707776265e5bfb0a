"""Tables: CSV, TSV (plain or gzip) and Parquet, with images and barcodes by a column map.

Columns are found by name, never by position. Without a map, columns that bear the names of a
collection's columns are taken as they are.
"""

import os
import string
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from holotype.collection.reading.fields import RowFields
from holotype.collection.reading.rows import open_parquet, whole_id
from holotype.collection.reading.tabular import open_table, present
from holotype.collection.schema import COLUMN_NAMES, REAL_COLUMNS
from holotype.collection.sources.item import Item, Source, SourceOptions
from holotype.collection.sources.presets import PRESETS, Preset
from holotype.errors import MediaError, SourceError, did_you_mean, first_few
from holotype.media.file_names import composed, spellings
from holotype.media.locations import CellAt, FileAt, Location
from holotype.media.members import is_archive, members
from holotype.media.parquet_rows import bounded_rows
from holotype.taxonomy.lineage import Rank

FOUND_BY_INTAKE = frozenset({
    "image_width_px", "image_height_px", "image_sha256", "image_phash", "grey_mean", "grey_sd",
    "object_esd_px", "environment", "extra", "place_from", "depth_from", "time_from", "haplotype",
    "other_ranks", "source", "source_item", "content_hash", "given_lineage",
})  # fmt: skip
"""Columns of a collection that no table gives: intake finds them from the image and the names."""

TAKEN = tuple(name for name in COLUMN_NAMES if name not in FOUND_BY_INTAKE)

_WHOLE_IDS = frozenset({"aphia_id", "gbif_id", "ncbi_id", "bold_id", "ecotaxa_id"})
_MEASURED: dict[str, Callable[[RowFields, str, str], object]] = {
    **dict.fromkeys(REAL_COLUMNS, RowFields.number),
    "latitude_deg": RowFields.position,
    "longitude_deg": RowFields.position,
    "collected_on": RowFields.moment,
}
"""Columns that are no text -> what reads them, with a note by line and column where they cannot be read."""

_FORMAT = string.Formatter()

OPTIONAL_IN_PRESETS = frozenset(COLUMN_NAMES) - {"record_id", "barcode", "image"}


FindImage = Callable[[str], Location]
"""From a path inside a folder or archive to the place of the image; raises ``MediaError``."""


def read(path: Path, options: SourceOptions) -> Iterator[Item]:
    """Yields one item for each row.

    Raises:
        SourceError: when the table is missing or has no rows, or a column asked for is not there.
    """
    if not path.is_file():
        raise SourceError(f"{path}: no such file. Check the path.")
    header = table_header(path)
    plan = _plan(path, header, options)
    images = images_of(options.images or path.parent, options.spool) if plan.reads_images else None
    empty = True
    for item in _items(path, plan, images):
        empty = False
        yield item
    if empty:
        raise SourceError(f"{path}: a header and no rows. Give a table with at least one row.")


def _items(path: Path, plan: "_Plan", images: FindImage | None) -> Iterator[Item]:
    if path.suffix.lower() == ".parquet":
        yield from _parquet_items(path, plan, images)
        return
    for row in open_table(path).rows:
        if row.error is not None:
            remedy = "Mend the row; a cell with the delimiter in it needs quotes."
            yield Item(
                f"row {row.line}", row.line, error=f"{path}, row {row.line}: {row.error}. {remedy}"
            )
        else:
            yield _item(plan, row.values, row.line, images, f"{path}, line {row.line}")


class _Plan:
    """Which columns of the table become which columns of the collection."""

    def __init__(self, preset: Preset, columns: Mapping[str, str], header: Sequence[str]) -> None:
        self.columns = dict(columns)
        templates = [c for t in preset.templates.values() for _, c, _, _ in _FORMAT.parse(t)]
        taken = {*columns.values(), *templates}
        self.extra = [name for name in header if name not in taken and name.strip()]
        self.templates = {k: v for k, v in preset.templates.items() if k not in columns}
        self.constants = {k: v for k, v in preset.constants.items() if k not in columns}
        self.label = columns.get("written_label")
        self.measured = [(_MEASURED[t], t, c) for t, c in columns.items() if t in _MEASURED]
        self.ids = [(t, c) for t, c in columns.items() if t in _WHOLE_IDS]
        apart = {"image", "written_label", *_MEASURED, *_WHOLE_IDS}
        self.texts = [(t, c) for t, c in columns.items() if t not in apart]

    @property
    def reads_images(self) -> bool:
        return "image" in self.columns or "image" in self.templates


def _plan(path: Path, header: list[str], options: SourceOptions) -> _Plan:
    if options.preset is not None and options.preset not in PRESETS:
        nearest = did_you_mean(options.preset, sorted(PRESETS))
        raise SourceError(f"no preset '{options.preset}'.{nearest}")
    preset = PRESETS[options.preset] if options.preset else Preset("", {})
    _check_targets(options.columns)
    named = set(options.columns.values())
    own_names = {} if options.preset else {n: n for n in header if n in TAKEN and n not in named}
    wanted = {**own_names, **preset.columns, **options.columns}
    found: dict[str, str] = {}
    for target, column in wanted.items():
        if column in header:
            found[target] = column
        elif target in options.columns or target not in OPTIONAL_IN_PRESETS:
            if target.startswith("rank:") and target not in options.columns:
                continue
            raise SourceError(
                f"{path}, row 1: no column '{column}' for {target}.{did_you_mean(column, header)} "
                f"The table has: {first_few(header, limit=30)}."
            )
    if not found:
        raise SourceError(
            f"{path}, row 1: none of the columns {first_few(header, limit=30)} is known. "
            "Use --preset, or --column name=column for each."
        )
    plan = _Plan(preset, found, header)
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
        for _, column, _, _ in _FORMAT.parse(template):
            if column and column not in header:
                nearest = did_you_mean(column, header)
                raise SourceError(f"{path}, row 1: no column '{column}' for {target}.{nearest}")


def _item(
    plan: _Plan, row: Mapping[str, str], number: int, images: FindImage | None, where: str
) -> Item:
    fields, notes = _mapped(plan, row, where)
    for target, template in plan.templates.items():
        if target != "image":
            fields[target] = template.format_map(row)
    for column in plan.extra:
        fields[f"extra:{column}"] = present(row[column])
    name = fields.pop("record_id", "").lstrip(">") or f"row {number}"
    inside = row.get(plan.columns.get("image", ""), "").strip()
    if "image" in plan.templates:
        inside = plan.templates["image"].format_map(row).replace("//", "/")
    if not inside or images is None:
        return Item(name, number, fields, notes=notes)
    if inside.startswith(("http://", "https://")):
        return Item(name, number, {**fields, "image_url": inside}, notes=notes)
    try:
        image = images(inside)
    except MediaError as reason:
        return Item(name, number, fields, notes=(*notes, ("image", str(reason))))
    shown = inside.rpartition("/")[2]
    return Item(name, number, fields, image=image, image_name=shown, notes=notes)


def _mapped(
    plan: _Plan, row: Mapping[str, str], where: str
) -> tuple[dict[str, str], tuple[tuple[str, str], ...]]:
    """Returns the fields that columns of the table give, and the notes on what cannot be read."""
    fields: dict[str, str] = dict(plan.constants)
    for target, column in plan.texts:
        fields[target] = present(row[column])
    if plan.label is not None:
        fields["written_label"] = row[plan.label].strip()
    for target, column in plan.ids:
        fields[target] = whole_id(present(row[column]))
    notes: tuple[tuple[str, str], ...] = ()
    if plan.measured:
        measured = RowFields(where, row)
        for put, target, column in plan.measured:
            put(measured, target, column)
        fields |= measured.fields
        notes = tuple(measured.notes)
    return fields, notes


def table_header(path: Path) -> list[str]:
    """Returns the column names of a table.

    Raises:
        SourceError: when it cannot be read.
    """
    if path.suffix.lower() == ".parquet":
        return list(open_parquet(path).schema_arrow.names)
    return list(open_table(path).header)


def _parquet_items(path: Path, plan: _Plan, images: FindImage | None) -> Iterator[Item]:
    """Yields the items of a Parquet table; an image column of bytes is left where it lies."""
    table = open_parquet(path)
    column = plan.columns.get("image")
    held = column is not None and not pa.types.is_string(table.schema_arrow.field(column).type)
    light = [n for n in table.schema_arrow.names if not (held and n == column)]
    paths = f"{column}.path" if held and _is_struct_with_path(table, str(column)) else None
    number = 0
    for group in range(table.num_row_groups):
        wanted = [*light, *([paths] if paths else [])]
        for inside, row in enumerate(bounded_rows(table, group, wanted, called=str(path))):
            number += 1
            text = {name: _as_text(row.get(name)) for name in light}
            values = {**text, **({str(column): ""} if held else {})}
            item = _item(plan, values, number, images, f"{path}, row {number}")
            if held:
                file_name = _as_text((row.get(str(column)) or {}).get("path") if paths else None)
                at = CellAt(str(path), str(column), group, inside)
                shown = (file_name or item.name).replace("\\", "/").rpartition("/")[2]
                item = replace(item, image=at, image_name=shown)
            yield item


def _is_struct_with_path(table: pq.ParquetFile, column: str) -> bool:
    kind = table.schema_arrow.field(column).type
    return bool(pa.types.is_struct(kind) and kind.get_field_index("path") >= 0)


def _as_text(value: object) -> str:
    return "" if value is None else str(value)


def images_of(root: Path, spool: Path | None) -> FindImage:
    """Returns the way from an image's path inside a folder or archive to its place.

    Raises:
        SourceError: when there is no such folder or archive.
    """
    if not root.exists():
        raise SourceError(f"{root}: no such folder or archive of images. Check --images.")
    if is_archive(root):
        inside = {member.name: member for member in members(root, spool)}
        usual = {composed(name): member for name, member in inside.items() if not name.isascii()}
        damage = [f"{m.name}: {m.error}" for m in inside.values() if m.error is not None]
        told = f" ({first_few(damage, limit=1)})" if damage else ""

        def find_member(name: str) -> Location:
            member = inside.get(name) or inside.get(composed(name)) or usual.get(composed(name))
            if member is None:
                raise MediaError(f"no image '{name}' in {root}{told}")
            if member.at is None:
                raise MediaError(f"'{name}' in {root.name}: {member.skip_reason}")
            return member.at

        return find_member
    resolved = root.resolve()

    def find_file(name: str) -> Location:
        if not name.isascii():
            lie = (s for s in spellings(name) if os.path.exists(f"{resolved}/{s}"))  # noqa: PTH110
            name = next(lie, name)
        if ".." in name or name.startswith("/") or os.path.islink(resolved / name):  # noqa: PTH114
            path = (resolved / name).resolve()
            if not path.is_relative_to(resolved):
                raise MediaError(f"'{name}' lies outside {root}")
        return FileAt(f"{resolved}/{name}")

    return find_file


SOURCE = Source("table", "CSV, TSV or Parquet with images or barcodes, by a column map", read)
