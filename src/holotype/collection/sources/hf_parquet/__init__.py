"""Hugging Face image data sets as Parquet: a file, or a folder of shards, images left where they lie.

Known by name are the columns of planktonzilla-17M (Planktonzilla 2026, arXiv:2606.00080) and what other data
sets commonly call them. Numbered labels become their names, which the file's own schema has
(``ClassLabel``). The part of the split is in the file name: ``train-00000-of-00010.parquet``.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from holotype.collection.reading.distinct import DistinctNames
from holotype.collection.reading.fields import RowFields
from holotype.collection.reading.image_index import FindImage, find_images
from holotype.collection.reading.rows import (
    lower_names,
    open_parquet,
    parquet_group_rows,
)
from holotype.collection.sources.hf_parquet.columns import Labelling, labelling, record_item
from holotype.collection.sources.item import Item, Source, SourceOptions
from holotype.errors import MediaError, SourceError, first_few
from holotype.media.locations import CellAt
from holotype.media.parquet_rows import leaf_number

_SHARD = re.compile(r"^(?P<split>.+?)-\d{4,6}-of-\d{4,6}(-[0-9a-f]+)?$")
_SPLITS = frozenset({"train", "training", "validation", "valid", "val", "dev", "test", "testing"})
_IMAGE_NAMES = ("image", "img", "jpg", "png", "picture")


@dataclass(frozen=True)
class _Shard:
    """One Parquet file: its table, the columns of images and of text, and what it says of all rows."""

    path: Path
    name: str
    table: pq.ParquetFile
    image: str
    texts: tuple[str, ...]
    labelling: Labelling


def read(path: Path, options: SourceOptions) -> Iterator[Item]:
    """Yields one item for each row, shard after shard.

    Raises:
        SourceError: when there is no Parquet with a column of images.
    """
    if not path.exists():
        raise SourceError(f"{path}: no such file or folder. Check the path.")
    places = sorted(path.rglob("*")) if path.is_dir() else [path]
    find = find_images(options.images, options.spool) if options.images else None
    names, number = DistinctNames(), 0
    found = False
    for place in places:
        if place.is_dir() or any(part.startswith(".") for part in place.relative_to(path).parts):
            continue
        inside = place.relative_to(path).as_posix() if path.is_dir() else place.name
        if not place.name.lower().endswith(".parquet"):
            yield Item(names.name(inside, 0), skip_reason="no Parquet")
            continue
        try:
            shard = _opened(place, inside)
        except SourceError as reason:
            if not path.is_dir():
                raise
            yield Item(names.name(inside, 0), error=str(reason))
            continue
        found = True
        for item in _items(shard, find):
            number += 1
            yield replace(item, name=names.name(item.name, number))
    if not found:
        raise SourceError(f"{path}: no Parquet with images in it. Name the folder of the shards.")


def _opened(path: Path, name: str) -> _Shard:
    table = open_parquet(path)
    schema = table.schema_arrow
    features = _features(schema)
    image = _image_column(schema, features)
    if image is None:
        raise SourceError(
            f"{path}: no column of images; it has {first_few(schema.names, limit=20)}. "
            "Use 'holotype import table' for a table without images."
        )
    texts = tuple(field.name for field in schema if field.name != image and _is_text(field.type))
    named = {column: _class_names(features.get(column)) for column in texts}
    return _Shard(path, name, table, image, texts, labelling(texts, named, _split(path)))


def _features(schema: pa.Schema) -> dict[str, Any]:
    """Returns what ``datasets`` wrote about the columns into the file; {} where it wrote nothing."""
    try:
        written = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
        features = written.get("info", {}).get("features", {})
    except (ValueError, AttributeError, RecursionError):
        return {}
    return features if isinstance(features, dict) else {}


def _class_names(feature: Any) -> tuple[str, ...]:
    if isinstance(feature, dict) and feature.get("_type") == "ClassLabel":
        names = feature.get("names")
        if isinstance(names, list):
            return tuple(str(name) for name in names)
    return ()


def _image_column(schema: pa.Schema, features: Mapping[str, Any]) -> str | None:
    declared = [n for n, f in features.items() if isinstance(f, dict) and f.get("_type") == "Image"]
    possible = [field.name for field in schema if _holds_images(field.type)]
    named = [name for name in possible if name.lower() in _IMAGE_NAMES]
    return next((name for name in [*declared, *named, *possible] if name in possible), None)


def _holds_images(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind):
        place = kind.get_field_index("bytes")
        return place >= 0 and _is_binary(kind.field(place).type)
    return _is_binary(kind)


def _is_binary(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind):
        return not _holds_images(kind)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return not pa.types.is_floating(kind.value_type)
    return not _is_binary(kind) and not pa.types.is_fixed_size_list(kind)


def _split(path: Path) -> str:
    """Returns the part of the split that a file's name or folder says, or ""."""
    if found := _SHARD.match(path.stem):
        return found["split"]
    known = [word for word in (path.stem, path.parent.name) if word.lower() in _SPLITS]
    return known[0] if known else ""


def _items(shard: _Shard, find: FindImage | None) -> Iterator[Item]:
    is_struct = pa.types.is_struct(shard.table.schema_arrow.field(shard.image).type)
    has_path = (
        is_struct and shard.table.schema_arrow.field(shard.image).type.get_field_index("path") >= 0
    )
    path_column = f"{shard.image}.path"
    columns = [*shard.texts, *([path_column] if has_path else [])]
    number = 0
    for group in range(shard.table.num_row_groups):
        there = _images_there(shard, group, is_struct=is_struct)
        rows = _group_rows(shard, group, columns, there)
        for inside, (values, is_there) in enumerate(rows):
            number += 1
            written = _path_of(values.pop(shard.image, ""))
            row = RowFields(f"{shard.name}, row {number}", lower_names(values))
            item = record_item(row, shard.labelling, written, f"{shard.name}#{number}")
            if is_there:
                at = CellAt(str(shard.path), shard.image, group, inside)
                shown = written.replace("\\", "/").rpartition("/")[2] or f"{number}"
                yield replace(item, row=number, image=at, image_name=shown)
            else:
                yield _without_bytes(replace(item, row=number), written, row.where, find)


def _group_rows(
    shard: _Shard, group: int, columns: list[str], there: Iterator[bool]
) -> Iterator[tuple[dict[str, str], bool]]:
    if columns:
        yield from zip(parquet_group_rows(shard.table, group, columns), there, strict=False)
    else:
        yield from (({}, is_there) for is_there in there)


def _images_there(shard: _Shard, group: int, *, is_struct: bool) -> Iterator[bool]:
    """Yields for each row of a group whether it has image bytes, from the file's statistics if they tell."""
    described = shard.table.metadata.row_group(group)
    leaf = f"{shard.image}.bytes" if is_struct else shard.image
    chunk = described.column(leaf_number(shard.table, group, leaf))
    known = chunk.statistics is not None and chunk.statistics.has_null_count
    nulls = chunk.statistics.null_count if known else None
    if nulls in {0, described.num_rows}:
        yield from (nulls == 0 for _ in range(described.num_rows))
        return
    try:
        for batch in shard.table.iter_batches(16, row_groups=[group], columns=[leaf]):
            column = batch.column(0)
            held = column.field(0) if pa.types.is_struct(column.type) else column
            yield from held.is_valid().to_pylist()
    except (OSError, pa.ArrowException) as reason:
        raise SourceError(
            f"{shard.path}, row group {group + 1}: damaged ({reason}). Fetch it again."
        ) from reason


def _path_of(cell: str) -> str:
    """Returns the path of an image cell of which only the path was read."""
    try:
        held = json.loads(cell) if cell else {}
    except (ValueError, RecursionError):
        return ""
    return str(held.get("path") or "") if isinstance(held, dict) else ""


def _without_bytes(item: Item, written: str, where: str, find: FindImage | None) -> Item:
    if written.startswith(("http://", "https://")):
        return replace(item, fields={**item.fields, "image_url": written})
    if not written:
        said = f"{where}: no image in the cell: kept without it"
        return replace(item, notes=(*item.notes, ("image", said)))
    try:
        if find is None:
            raise MediaError(
                f"the file has only the path '{written}': give its folder with --images"
            )
        return replace(item, image=find(written), image_name=written.rpartition("/")[2])
    except MediaError as reason:
        return replace(item, notes=(*item.notes, ("image", f"{where}: {reason}: kept without it")))


SOURCE = Source(
    "hf-parquet", "Hugging Face image Parquet: planktonzilla-17M's columns and common ones", read
)
