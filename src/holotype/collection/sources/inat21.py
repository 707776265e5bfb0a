"""iNaturalist 2021: class folders that spell the lineage, and the competition's JSON (Van Horn et al. 2021).

Folders are ``00000_Kingdom_Phylum_Class_Order_Family_Genus_species`` in ``train``, ``train_mini`` or
``val``. The JSON files (``train.json``, ``val.json``) beside them or given as annotations add common names,
place, date, rights and licence; with them the names come from the JSON, where no underscore is in the way.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from holotype.collection.reading.disk_index import DiskIndex
from holotype.collection.reading.fields import RowFields
from holotype.collection.reading.json_elements import json_elements
from holotype.collection.reading.rows import as_text, binomial
from holotype.collection.sources.item import Item, Source, SourceOptions, left_out
from holotype.errors import SourceError
from holotype.media.images import IMAGE_SUFFIXES
from holotype.media.members import members
from holotype.taxonomy.lineage import LINNAEAN_RANKS

_RANKS = tuple(rank.value for rank in LINNAEAN_RANKS)
_CLASS_FOLDER = re.compile(r"^\d{5}_[A-Za-z]")
_SPLITS = frozenset({"train", "train_mini", "val", "test", "public_test"})
_FAMILY_ENDS = ("idae", "aceae")


@dataclass
class Annotations:
    """What the JSON files say: images by file name on disk, the rest in memory."""

    images: DiskIndex = field(default_factory=DiskIndex)
    categories: dict[str, dict[str, str]] = field(default_factory=dict)
    category_of_image: DiskIndex = field(default_factory=DiskIndex)
    licences: dict[str, str] = field(default_factory=dict)
    splits: set[str] = field(default_factory=set)
    used: frozenset[str] = frozenset()


def read(path: Path, options: SourceOptions) -> Iterator[Item]:
    """Yields one item for each file, then one for each image of the JSON that has no file.

    Raises:
        SourceError: when the path is missing, no image lies in it, or a JSON file is damaged.
    """
    known = _annotations(path, options)
    found = False
    for member in members(path, options.spool):
        name = member.name.replace("\\", "/")
        if member.skip_reason is not None:
            yield left_out(member)
        elif name in known.used:
            yield Item(member.name, skip_reason="annotations, joined to the images")
        elif member.suffix not in IMAGE_SUFFIXES:
            yield Item(member.name, skip_reason=f"'{member.suffix}' is no image ending")
        else:
            found = True
            fields, notes = _fields(name, known, path)
            file_name = name.rpartition("/")[2]
            yield Item(member.name, None, fields, member.at, image_name=file_name, notes=notes)
    if not found:
        raise SourceError(f"{path}: no image in it. Give the folder with train or val in it.")
    for _, image in known.images.left():
        yield Item(
            f"{image['file']} {image.get('id', '')} {image['file_name']}",
            skip_reason="in the annotations, without an image in the input",
        )


def _fields(name: str, known: Annotations, path: Path) -> tuple[dict[str, str], tuple[Any, ...]]:
    parts = name.split("/")[:-1]
    folder = next((part for part in reversed(parts) if _CLASS_FOLDER.match(part)), "")
    above = [*path.parts, *parts]
    split = next((part for part in reversed(above) if part in _SPLITS), "")
    held = _annotated(known, split, "/".join(name.split("/")[-2:]))
    category: Mapping[str, str] = known.categories.get(f"folder {folder}", {})
    notes: list[tuple[str, str]] = []
    fields: dict[str, str] = {"upstream_split": split} if split else {}
    if held:
        ids = known.category_of_image.find(f"{held[0]['file']}|{held[0].get('id', '')}")
        category = known.categories.get(ids[0][1], {}) if ids else category
        fields |= _of_image(held[0], known, notes)
    elif known.used:
        notes.append(("annotation", f"{name}: not in the annotations: named by its folder alone"))
    if category:
        fields |= category
    elif folder:
        lineage, odd = folder_lineage(folder)
        fields |= lineage
        notes += [("folder", f"{name}: {odd}")] if odd else []
    if folder:
        fields["written_label"] = folder
    return fields, tuple(notes)


def _annotated(known: Annotations, split: str, inside: str) -> list[dict[str, str]]:
    """Returns the image's row of the JSON; where the path says no part of the split, any part may have it."""
    for part in [split] if split else sorted(known.splits):
        if held := known.images.take_rows(f"{part}/{inside}"):
            return held
    return []


def folder_lineage(folder: str) -> tuple[dict[str, str], str | None]:
    """Returns the columns of a class folder's name, and what is unsure in it, or None.

    A name with more than eight parts has an underscore in one name. The family is known by its ending; what
    is too much is taken to be in the species.

    >>> folder_lineage("00007_Animalia_Chordata_Aves_Piciformes_Picidae_Picus_viridis")[0]["species"]
    'Picus viridis'
    """
    number, *names = folder.split("_")
    fields = {"extra:inat21_class": number}
    if len(names) < len(_RANKS):
        return fields, f"folder '{folder}' has {len(names)} names instead of 7: no lineage from it"
    surplus = len(names) - len(_RANKS)
    family = next((at for at, name in enumerate(names) if name.endswith(_FAMILY_ENDS)), 4)
    if surplus and 4 < family <= 4 + surplus:
        order = "_".join(names[3:family])
        names = [*names[:3], order, *names[family:]]
    named = [*names[:6], " ".join(names[6:])]
    fields |= dict(zip(_RANKS, named, strict=True))
    fields["species"] = binomial(fields["genus"], fields["species"])
    odd = f"folder '{folder}' has {7 + surplus} names instead of 7: the lineage may be wrong"
    return fields, odd if surplus else None


def _of_image(
    image: Mapping[str, str], known: Annotations, notes: list[tuple[str, str]]
) -> dict[str, str]:
    row = RowFields(f"{image['file']}, image {image.get('id', '')}", image)
    for column in ("file", "file_name", "width", "height"):
        row.written(column)
    row.text("extra:inat21_image", "id")
    row.position("latitude_deg", "latitude")
    row.position("longitude_deg", "longitude")
    row.moment("collected_on", "date")
    row.text("rights_holder", "rights_holder")
    if licence := row.written("license"):
        row.fields["licence"] = known.licences.get(f"{image['file']}|{licence}", licence)
    row.keep_extra()
    notes += row.notes
    return row.fields


def _annotations(path: Path, options: SourceOptions) -> Annotations:
    given = options.annotations
    if given is not None and not given.exists():
        raise SourceError(f"{given}: no such file or folder. Check --annotations.")
    folder = given if given is not None and given.is_dir() else path if path.is_dir() else None
    beside = sorted(folder.glob("*.json")) if folder is not None else []
    places: Sequence[Path] = [given] if given is not None and given.is_file() else beside
    known = Annotations()
    for place in places:
        with place.open("rb") as stream:
            for element in json_elements(stream, str(place)):
                _take(known, place.name, element.key, element.value)
    known.used = frozenset(place.name for place in places)
    return known


def _take(known: Annotations, file: str, key: str, element: Any) -> None:
    if not isinstance(element, dict):
        return
    values = {name: as_text(value) for name, value in element.items()}
    if key == "images" and values.get("file_name"):
        known.images.put_row(values["file_name"], {**values, "file": file})
        known.splits.add(values["file_name"].partition("/")[0])
    elif key == "annotations":
        category = f"{file}|{values.get('category_id', '')}"
        known.category_of_image.put(f"{file}|{values.get('image_id', '')}", category)
    elif key == "categories":
        named = _category(values)
        known.categories[f"{file}|{values.get('id', '')}"] = named
        known.categories[f"folder {values.get('image_dir_name', '')}"] = named
    elif key == "licenses":
        known.licences[f"{file}|{values.get('id', '')}"] = values.get("name", "")


def _category(values: Mapping[str, str]) -> dict[str, str]:
    fields = {rank: values.get(rank, "") for rank in _RANKS[:-1]}
    epithet = values.get("specific_epithet", "")
    fields["species"] = values.get("name", "") or binomial(fields["genus"], epithet)
    fields["vernacular_name"] = values.get("common_name", "")
    fields["extra:inat21_category"] = values.get("id", "")
    fields["extra:supercategory"] = values.get("supercategory", "")
    return {column: text for column, text in fields.items() if text}


SOURCE = Source(
    "inat21", "iNaturalist 2021: folders that spell the lineage, with or without the JSON", read
)
