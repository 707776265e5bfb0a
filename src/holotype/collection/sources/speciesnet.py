"""SpeciesNet JSON: ``instances`` that were or will be named, or ``predictions`` with the names it gave.

A prediction is a label with the status ``predicted``; its parts are
``uuid;class;order;family;genus;species;common name``. Format: https://github.com/google/cameratrapai.
"""

import json
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from holotype.collection.reading.fields import RowFields
from holotype.collection.reading.joined import Joined
from holotype.collection.reading.json_elements import Element, json_elements
from holotype.collection.reading.json_place import find_json
from holotype.collection.reading.pictures import FindPicture, is_url, picture_finder
from holotype.collection.sources.item import Item, Source, SourceOptions
from holotype.errors import SourceError
from holotype.media.locations import Location

_RANKS = ("class", "order", "family", "genus", "species")
_NO_TAXON = {"blank": "inert", "vehicle": "artefact"}
_LISTS = frozenset({"instances", "predictions"})


def read(path: Path, options: SourceOptions) -> Iterator[Item]:
    """Yields one item for each instance or prediction.

    Raises:
        SourceError: when it is no JSON, or has neither list.
    """
    place = find_json(path, options.spool)
    used: set[str] = set()
    beside = options.images or (path.parent if path.is_file() and not place.members else None)
    find = picture_finder(place.members, used, beside, options.spool)
    some = False
    with Joined(options.spool) as joined, place.opened() as stream:
        for element in json_elements(stream, place.member.name):
            if element.key in _LISTS and element.listed:
                some = True
                yield _item(place.member.name, element, find, joined)
    if not some:
        raise SourceError(
            f"{path}: no list 'instances' or 'predictions' with anything in it. Give SpeciesNet JSON."
        )
    yield from place.unused


def _item(called: str, element: Element, find: FindPicture, joined: Joined) -> Item:
    where = f"{called}, line {element.line}"
    said = element.value if isinstance(element.value, dict) else {}
    row = RowFields(where, {k: str(v) for k, v in said.items() if not isinstance(v, dict | list)})
    name = row.written("filepath")
    before = joined.claim(name, element.line) if name else None
    if not name or before is not None:
        wrong = f"'{name}' is there on line {before} too" if name else "missing"
        error = f"{where}, key filepath: {wrong}. Name each picture once."
        return Item(where, element.line, error=error)
    image = _found(name, find)
    if image is None and not is_url(name):
        error = f"{where}, key filepath: '{name}' is not there. Put it there, or give --images."
        return Item(name, element.line, error=error)
    if is_url(name):
        row.fields["image_url"] = name
    row.position("latitude_deg", "latitude")
    row.position("longitude_deg", "longitude")
    row.text("country", "country")
    _fill_prediction(row)
    for key, value in said.items():
        if isinstance(value, dict | list) and value:
            row.fields[f"extra:{key}"] = json.dumps(value, ensure_ascii=False)
    row.keep_extra()
    shown = PurePosixPath(name).name if image is not None else None
    return Item(name, element.line, row.fields, image, image_name=shown, notes=tuple(row.notes))


def _found(name: str, find: FindPicture) -> Location | None:
    """Returns the picture at a path, or at the longest end of it that is there: paths are often foreign."""
    parts = [name] if is_url(name) else name.replace("\\", "/").strip("/").split("/")
    ends = ("/".join(parts[at:]) for at in range(len(parts)))
    return next((image for end in ends if (image := find(end)) is not None), None)


def _fill_prediction(row: RowFields) -> None:
    written = row.written("prediction")
    parts = [part.strip() for part in written.split(";")]
    if len(parts) != 7:
        if written:
            row.note("names", "prediction", "has not 7 parts", "write uuid;class;...;common name")
        return
    *ranks, common = parts[1:]
    names = {rank: name.capitalize() for rank, name in zip(_RANKS, ranks, strict=True) if name}
    if "species" in names:
        names["species"] = f"{names.get('genus', '')} {ranks[4]}".strip()
    row.fields |= {**names, "written_label": written, "label_status": "predicted"}
    row.text("labelled_by", "model_version")
    row.fields["vernacular_name"] = common
    if not names and common in _NO_TAXON:
        row.fields |= {"kind": _NO_TAXON[common], "group": common, "written_label": common}


SOURCE = Source("speciesnet", "SpeciesNet JSON: instances, or predictions with their names", read)
