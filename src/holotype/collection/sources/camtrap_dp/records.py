"""One file of a camera trap with its observations -> its records."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from holotype.collection.reading.fields import RowFields, parse_number
from holotype.collection.reading.joined import KeyedRow
from holotype.collection.reading.pictures import FindPicture, cut, file_name, is_url, picture_size
from holotype.collection.reading.tabular import Row, present
from holotype.collection.sources.camtrap_dp.observations import Observations
from holotype.collection.sources.camtrap_dp.package import Package
from holotype.collection.sources.item import Item
from holotype.errors import MediaError
from holotype.media.locations import Location
from holotype.taxonomy.lineage import LINNAEAN_RANKS

_BOX = ("bboxX", "bboxY", "bboxWidth", "bboxHeight")
_STATUS = {"human": "validated", "machine": "predicted"}
_KINDS = {"animal": "living", "human": "living", "vehicle": "artefact", "blank": "inert"}
"""Observation type -> kind; of ``unknown`` and ``unclassified`` nothing is known."""
_GBIF = re.compile(r"gbif\.org/(?:[a-z]+/)*species/(\d+)")


@dataclass(frozen=True)
class Surroundings:
    """What the records of a package are made with.

    Attributes:
        package: for the names of its tables.
        deployments: by id.
        observations: of files and events.
        find: finds pictures.
        fields: of every record.
        taxa: of the descriptor, by scientific name.
    """

    package: Package
    deployments: Mapping[str, Row]
    observations: Observations
    find: FindPicture
    fields: Mapping[str, str]
    taxa: Mapping[str, Mapping[str, Any]]


def items_of_file(around: Surroundings, media: str, row: Row) -> Iterator[Item]:
    """Yields one item for each observation of a file, or one for the file."""
    table = around.package.tables["media"].member.name
    of_file = RowFields(f"{table}, line {row.line}", row.values)
    place = of_file.written("filePath")
    deployment = _deployment_fields(around, of_file.written("deploymentID"), of_file)
    sequence = of_file.written("sequenceID")
    timestamp = of_file.values.get("timestamp", "")
    found = around.observations.of_file(media)
    if of_file.written("fileMediatype").startswith(("video/", "audio/")):
        around.find(place)
        yield from _skipped(media, row.line, found, of_file.written("fileMediatype"))
        return
    image = _place_picture(around, of_file, place)
    of_file.moment("collected_on", "timestamp")
    if of_file.written("filePublic").lower() == "false":
        of_file.notes.append(
            ("not_public", f"{of_file.where}, column filePublic: the file is not public")
        )
    of_file.keep_extra()
    notes = (*deployment.notes, *of_file.notes)
    fields = {**around.fields, **deployment.fields, **of_file.fields}
    fields["specimen_id"] = fields["acquisition_id"] = sequence or media
    name = file_name(place) if image else None
    whole = Item(media, row.line, fields, image, image_name=name, notes=notes)
    if found:
        yield from _observed(around, whole, found)
    else:
        trap = fields.get("sample_id", "")
        yield _with_event(around, whole, around.observations.of_event(sequence, trap, timestamp))


def _skipped(media: str, line: int, found: list[KeyedRow], kind: str) -> Iterator[Item]:
    for name in [f"{media}/{_name(row)}" for row in found] or [media]:
        yield Item(name, line, skip_reason=f"{kind}: no picture")


def _name(row: KeyedRow) -> str:
    return present(row.values.get("observationID", "")) or f"line {row.line}"


def _deployment_fields(around: Surroundings, name: str, of_file: RowFields) -> RowFields:
    if name and name not in around.deployments:
        of_file.note(
            "deployment", "deploymentID", "is the id of no deployment", "add it to that table"
        )
    row = around.deployments.get(name, Row(0, {}))
    table = around.package.tables.get("deployments")
    fields = RowFields(f"{table.member.name if table else ''}, line {row.line}", row.values)
    fields.fields["sample_id"] = name
    fields.written("deploymentID")
    if fields.position("latitude_deg", "latitude") is not None:
        fields.fields["extra:place_from"] = "sample"
    fields.position("longitude_deg", "longitude")
    if fields.number("depth_min_m", "cameraDepth") is not None:
        fields.fields |= {"depth_max_m": fields.fields["depth_min_m"], "extra:depth_from": "sample"}
    if not fields.text("site", "locationName"):
        fields.text("site", "locationID")
    fields.text("instrument", "cameraModel")
    fields.keep_extra()
    return fields


def _place_picture(around: Surroundings, of_file: RowFields, place: str) -> Location | None:
    image = around.find(place) if place else None
    if is_url(place):
        of_file.fields["image_url"] = place
    elif image is None:
        wrong = "is no file of the package and no URL" if place else "is blank"
        of_file.note("image", "filePath", wrong, "put the file there, or give --images")
    return image


def _observed(around: Surroundings, whole: Item, found: list[KeyedRow]) -> Iterator[Item]:
    """Yields the record of each observation: its box, or the whole picture."""
    labels = {_label(row.values) for row in found if not present(row.values.get("bboxX", ""))} - {
        ""
    }
    size: tuple[int, int] | None = None
    for row in found:
        item = _labelled(around, whole, row)
        box = [parse_number(row.values.get(name, "")) for name in _BOX]
        notes = list(item.notes)
        image = whole.image
        if None not in box and image is not None:
            try:
                size = size or picture_size(image)
                left, top, width, height = ((part or 0.0) for part in box)
                at = (left * size[0], top * size[1], width * size[0], height * size[1])
                image = cut(image, size, at)
            except MediaError as reason:
                notes.append(
                    ("box", f"{_where(around, row)}, column bboxX: {reason}: whole picture kept")
                )
        elif None in box and len(labels) > 1:
            said = (
                f"{_where(around, row)}: the picture shows {len(labels)} kinds, no box; this is one"
            )
            notes.append(("several_labels", said))
        yield Item(
            item.name,
            item.row,
            item.fields,
            image,
            image_name=whole.image_name,
            notes=tuple(notes),
        )


def _where(around: Surroundings, row: KeyedRow) -> str:
    return f"{around.package.tables['observations'].member.name}, line {row.line}"


def _with_event(around: Surroundings, whole: Item, found: list[KeyedRow]) -> Item:
    """Returns a file without observations of its own, with the label of its event where all agree."""
    if not found:
        return whole
    labels = {(_label(row.values), row.values.get("observationType", "")) for row in found}
    if len(labels) == 1:
        return _labelled(around, whole, found[0])
    said = f"{_where(around, found[0])}: {len(labels)} labels in the event of the file: none taken"
    event = present(found[0].values.get("eventID", ""))
    together = {"specimen_id": event, "acquisition_id": event} if event else {}
    return Item(
        whole.name,
        whole.row,
        {**whole.fields, **together},
        whole.image,
        image_name=whole.image_name,
        notes=(*whole.notes, ("event_labels", said)),
    )


def _label(values: Mapping[str, str]) -> str:
    """Returns the scientific name, else what else was seen; "" where that is not known."""
    name = present(values.get("scientificName", ""))
    seen = present(values.get("observationType", "")).lower()
    return name or (seen if seen in _KINDS else "")


def _labelled(around: Surroundings, whole: Item, observed: KeyedRow) -> Item:
    row = RowFields(_where(around, observed), observed.values)
    for column in ("mediaID", "deploymentID", "sequenceID", "scientificName"):
        row.written(column)
    label = _label(observed.values)
    fields: dict[str, str] = {"written_label": label}
    seen = row.written("observationType").lower()
    row.used.discard("observationType")
    if seen in _KINDS:
        fields["kind"] = _KINDS[seen]
    if label == seen:
        fields["group"] = label
    if status := _STATUS.get(row.written("classificationMethod").lower()):
        fields["label_status"] = status
    row.text("labelled_by", "classifiedBy")
    row.text("vernacular_name", "vernacularName")
    fields |= _taxon_fields(around.taxa.get(label, {}))
    if event := row.written("eventID"):
        fields |= {"specimen_id": event, "acquisition_id": event}
    row.keep_extra()
    return Item(
        f"{whole.name}/{_name(observed)}",
        observed.line,
        {**whole.fields, **fields, **row.fields},
        whole.image,
        image_name=whole.image_name,
        notes=(*whole.notes, *row.notes),
    )


def _taxon_fields(taxon: Mapping[str, Any]) -> dict[str, str]:
    """Returns ranks, ids and the English name of a taxon of the descriptor."""
    fields = {
        rank.value: str(taxon[rank.value]) for rank in LINNAEAN_RANKS if taxon.get(rank.value)
    }
    rank, name = str(taxon.get("taxonRank") or ""), str(taxon.get("scientificName") or "")
    if rank in {each.value for each in LINNAEAN_RANKS}:
        fields[rank] = name
    names = taxon.get("vernacularNames")
    if isinstance(names, dict) and (common := names.get("eng") or names.get("en")):
        fields["vernacular_name"] = str(common)
    if written := str(taxon.get("taxonID") or ""):
        key = _GBIF.search(written)
        fields["gbif_id" if key else "extra:taxonID"] = key[1] if key else written
    return fields
