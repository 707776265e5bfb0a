"""COCO Camera Traps JSON: images, annotations and categories of camera-trap archives.

Each annotation is a record: its box where it has one, else the whole picture; an image without annotations
is a record without a label. The file is read piece by piece and its annotations are joined on disk, so it
may be larger than memory. Category "empty" is the group of pictures that show no animal. LILA BC
(https://lila.science) spreads its data sets in this format.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from holotype.collection.reading.fields import RowFields, parse_number
from holotype.collection.reading.joined import Joined, KeyedRow
from holotype.collection.reading.json_elements import Element, json_elements
from holotype.collection.reading.json_place import JsonPlace, find_json
from holotype.collection.reading.pictures import (
    FindPicture,
    cut,
    file_name,
    is_url,
    picture_finder,
    picture_size,
)
from holotype.collection.reading.tabular import present
from holotype.collection.sources.item import Item, Source, SourceOptions
from holotype.errors import MediaError, SourceError, first_few
from holotype.media.images import IMAGE_SUFFIXES
from holotype.media.locations import Location

_IMAGE, _ANNOTATION = "image", "annotation"
_KINDS = {"empty": "inert", "blank": "inert", "vehicle": "artefact", "car": "artefact"}
"""Categories that are no taxon -> kind."""
_TRUE = frozenset({"true", "1", "yes"})


@dataclass
class _Catalogue:
    """The file, what is said of all its images, and where pictures lie."""

    called: str
    find: FindPicture
    asked: bool
    categories: dict[str, str] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)


def read(path: Path, options: SourceOptions) -> Iterator[Item]:
    """Yields the items of a catalogue, images in the order of the file.

    Raises:
        SourceError: when it is no JSON, or has no images.
    """
    place = find_json(path, options.spool)
    used = {place.member.name.rpartition("/")[2]}
    images = options.images
    beside = path.parent if path.is_file() and not place.members else None
    find = picture_finder(place.members, used, images or beside, options.spool)
    catalogue = _Catalogue(place.member.name, find, images is not None)
    with Joined(options.spool) as joined:
        yield from _first_pass(place, catalogue, joined)
        if _IMAGE + "s" not in catalogue.seen:
            raise SourceError(
                f"{path}: no list 'images' at the top; it has {first_few(sorted(catalogue.seen))}. "
                "Give a COCO Camera Traps file."
            )
        with place.opened() as stream:
            for element in json_elements(stream, catalogue.called):
                if element.key == "images" and element.listed:
                    yield from _items_of_image(catalogue, joined, element)
        for row in joined.orphans(_ANNOTATION, _IMAGE):
            where = f"{catalogue.called}, line {row.line}, annotation '{row.values.get('id', '')}'"
            error = f"{where}, key image_id: '{row.key}' is the id of no image. Correct it."
            yield Item(f"annotation {row.values.get('id') or row.line}", row.line, error=error)
    yield from place.unused
    for name, member in place.members.items():
        if name not in used:
            shown = member.suffix in IMAGE_SUFFIXES
            yield Item(name, skip_reason="an image that no row names" if shown else "no part of it")


def _first_pass(place: JsonPlace, catalogue: _Catalogue, joined: Joined) -> Iterator[Item]:
    """Takes in categories, licence and annotations; yields the annotations that cannot be used."""
    batch: list[KeyedRow] = []
    with place.opened() as stream:
        for element in json_elements(stream, catalogue.called):
            catalogue.seen.add(element.key)
            value = element.value
            if element.key == "info" and isinstance(value, dict):
                _fill_info(catalogue.fields, value)
            elif element.key == "categories" and isinstance(value, dict):
                catalogue.categories.setdefault(_text(value.get("id")), _text(value.get("name")))
            elif element.key == "annotations" and element.listed:
                fault = _annotation_fault(catalogue, joined, element)
                if fault is not None:
                    yield fault
                    continue
                values = {name: _text(each) for name, each in value.items()}
                batch.append(KeyedRow(values["image_id"], element.line, values))
                if len(batch) >= 5_000:
                    joined.add(_ANNOTATION, batch)
                    batch = []
    joined.add(_ANNOTATION, batch)


def _annotation_fault(catalogue: _Catalogue, joined: Joined, element: Element) -> Item | None:
    where = f"{catalogue.called}, line {element.line}"
    value = element.value if isinstance(element.value, dict) else {}
    name = _text(value.get("id"))
    if not _text(value.get("image_id")):
        wrong = f"{where}, annotation '{name}', key image_id: missing. Say of which image it is."
        return Item(f"{where} annotation", element.line, error=wrong)
    before = joined.claim(name, element.line, kind=_ANNOTATION) if name else None
    if before is not None:
        wrong = f"{where}, key id: '{name}' is the id of the annotation on line {before} too."
        return Item(f"{where} annotation", element.line, error=f"{wrong} Give each its own id.")
    return None


def _text(value: Any) -> str:
    """Returns a JSON value as text: numbers without ".0", lists as numbers with blanks between."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, list):
        return " ".join(_text(each) for each in value)
    return "" if value is None else str(value)


def _fill_info(fields: dict[str, str], info: Mapping[str, Any]) -> None:
    for target, keys in (
        ("licence", ("license", "licence")),
        ("rights_holder", ("contributor",)),
        ("citation", ("citation",)),
        ("extra:dataset_title", ("description",)),
        ("extra:dataset_version", ("version",)),
    ):
        if text := next((t for key in keys if (t := present(_text(info.get(key))))), ""):
            fields[target] = text


def _items_of_image(catalogue: _Catalogue, joined: Joined, element: Element) -> Iterator[Item]:
    where = f"{catalogue.called}, line {element.line}"
    said = element.value if isinstance(element.value, dict) else {}
    row = RowFields(where, {name: _text(value) for name, value in said.items()})
    name = row.written("id")
    before = joined.claim(name, element.line, kind=_IMAGE) if name else None
    if not name or before is not None:
        wrong = f"'{name}' is the id of the image on line {before} too" if name else "missing"
        error = f"{where}, key id: {wrong}. Give each image its own id."
        yield Item(f"{where} image", element.line, error=error)
        return
    found = joined.rows(_ANNOTATION, name)
    if row.written("corrupt").lower() in _TRUE:
        catalogue.find(row.written("file_name"))
        yield Item(name, element.line, skip_reason="corrupt: the source cannot read it")
        for annotation in found:
            reason = "of an image that the source marks as corrupt"
            yield Item(_annotated(name, annotation), annotation.line, skip_reason=reason)
        return
    whole = _whole(catalogue, name, element.line, row)
    if whole.error is not None or not found:
        yield whole
    if whole.error is None:
        size = _stated_size(said)
        labels = {a.values.get("category_id") for a in found if not _has_box(a)}
        for annotation in found:
            item = _labelled(catalogue, whole, annotation)
            item = _boxed(catalogue, item, annotation, size)
            if len(labels) > 1 and not _has_box(annotation):
                told = f"{catalogue.called}, line {annotation.line}: the picture has {len(labels)} labels"
                item = replace(item, notes=(*item.notes, ("several_labels", f"{told}, no box")))
            yield item


def _annotated(name: str, annotation: KeyedRow) -> str:
    return f"{name}/{annotation.values.get('id') or f'line {annotation.line}'}"


def _whole(catalogue: _Catalogue, name: str, line: int, row: RowFields) -> Item:
    """Returns the record of a whole picture, without a label; an error where its file is not there."""
    place = row.written("file_name")
    image = catalogue.find(place) if place else None
    url = next((text for key in ("url", "coco_url") if (text := row.written(key))), "")
    url = place if is_url(place) else url
    if image is None and catalogue.asked and not url:
        error = f"{row.where}, key file_name: '{place}' is not there. Put it there, or correct --images."
        return Item(name, line, error=error)
    fields = {**catalogue.fields, **({"image_url": url} if url else {})}
    row.moment("collected_on", "datetime")
    row.text("site", "location")
    row.text("rights_holder", "rights_holder")
    row.text("licence", "license_name")
    sequence = row.written("seq_id") or name
    row.fields |= {"specimen_id": sequence, "acquisition_id": sequence}
    row.keep_extra()
    if image is None and not url:
        row.notes.append(
            ("image", f"{row.where}, key file_name: '{place}' lies not here: give --images")
        )
    named = file_name(place) if image is not None else None
    return Item(name, line, {**fields, **row.fields}, image, None, named, tuple(row.notes))


def _stated_size(said: Mapping[str, Any]) -> tuple[int, int] | None:
    width, height = parse_number(_text(said.get("width"))), parse_number(_text(said.get("height")))
    return (int(width), int(height)) if width and height else None


def _has_box(annotation: KeyedRow) -> bool:
    return bool(annotation.values.get("bbox") or annotation.values.get("bbox_relative"))


def _labelled(catalogue: _Catalogue, whole: Item, annotation: KeyedRow) -> Item:
    where = f"{catalogue.called}, line {annotation.line}"
    row = RowFields(where, annotation.values)
    key = row.written("category_id")
    row.used |= {"image_id", "id"}
    label = catalogue.categories.get(key, "")
    if not label:
        row.note("category", "category_id", "is the id of no category", "add it to categories")
    fields = {"written_label": label, "extra:category_id": key}
    if kind := _KINDS.get(label.lower()):
        fields |= {"kind": kind, "group": label}
    row.keep_extra()
    return replace(
        whole,
        name=_annotated(whole.name, annotation),
        row=annotation.line,
        fields={**whole.fields, **fields, **row.fields},
        notes=(*whole.notes, *row.notes),
    )


def _boxed(
    catalogue: _Catalogue, item: Item, annotation: KeyedRow, size: tuple[int, int] | None
) -> Item:
    """Returns an item with the box of its annotation as its image, where it has one that lies inside."""
    if item.image is None or not _has_box(annotation):
        return item
    relative = not annotation.values.get("bbox")
    written = annotation.values["bbox_relative" if relative else "bbox"]
    try:
        image = _cut(item.image, written.split(), size, relative=relative)
    except MediaError as reason:
        where = f"{catalogue.called}, line {annotation.line}, key bbox: '{written}'"
        note = ("box", f"{where}: {reason}: whole picture kept; correct it")
        return replace(item, notes=(*item.notes, note))
    return replace(item, image=image)


def _cut(
    whole: Location, written: list[str], size: tuple[int, int] | None, *, relative: bool
) -> Location:
    parts = [parse_number(part) for part in written]
    if len(parts) != 4 or None in parts:
        raise MediaError("no four numbers")
    left, top, width, height = (part or 0.0 for part in parts)
    size = size or picture_size(whole)
    if relative:
        left, width = left * size[0], width * size[0]
        top, height = top * size[1], height * size[1]
    return cut(whole, size, (left, top, width, height))


SOURCE = Source(
    "coco-camera-traps", "COCO Camera Traps JSON with its pictures, as LILA BC spreads them", read
)
