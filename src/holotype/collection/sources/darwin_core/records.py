"""One occurrence with all that hangs on it -> its records: one for each picture and each further sequence."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from holotype.collection.reading.fields import RowFields, filled
from holotype.collection.reading.joined import Joined, KeyedRow
from holotype.collection.reading.pictures import FindPicture
from holotype.collection.reading.tabular import present
from holotype.collection.sources.darwin_core.archive import Archive
from holotype.collection.sources.darwin_core.dates import fill_time
from holotype.collection.sources.darwin_core.events import Event, Events
from holotype.collection.sources.darwin_core.measurements import measured_fields, sequence_fields
from holotype.collection.sources.darwin_core.media import (
    Picture,
    listed_pictures,
    pictures_of,
)
from holotype.collection.sources.darwin_core.terms import (
    fill_identification,
    fill_names,
    fill_place,
    fill_sample,
    said,
    take,
)
from holotype.collection.sources.item import Item

_NAMING = (
    "scientificName", "scientificNameAuthorship", "scientificNameID", "taxonID", "taxonKey",
    "acceptedTaxonKey", "taxonRank", "kingdom", "phylum", "class", "order", "family", "genus",
    "species", "specificEpithet", "infraspecificEpithet", "subfamily", "vernacularName",
    "identifiedBy", "identificationQualifier", "identificationVerificationStatus",
    "identificationReferences", "identificationRemarks", "dateIdentified", "verbatimIdentification",
    "acceptedNameUsageID", "taxonConceptID",
)  # fmt: skip
_SPECIMEN = "organismID"


@dataclass(frozen=True)
class Surroundings:
    """What the records of an archive are made with.

    Attributes:
        archive: for licences and citations.
        joined: the side tables.
        tables: role -> joined tables of that role.
        events: of an event core; None for an occurrence core.
        find: finds pictures.
        called: file of the occurrences.
        date_format: of their dates.
    """

    archive: Archive
    joined: Joined
    tables: Mapping[str, list[str]]
    events: Events | None
    find: FindPicture
    called: str
    date_format: str | None = None


def items_of(
    around: Surroundings, name: str, key: str, line: int, own: Mapping[str, str], event_id: str
) -> Iterator[Item]:
    """Yields the items of one occurrence.

    Args:
        around: the archive.
        name: of the first item.
        key: joins the side tables; "" joins none.
        line: of the occurrence.
        own: its values by term.
        event_id: of its event, where events are a table of their own.
    """
    values = filled(own)
    event = around.events.find(event_id) if around.events is not None else None
    event = event or Event()
    if around.events is not None and event_id:
        values["eventID"] = event_id
    inherited = {term for term in event.values if term not in values}
    notes = list(event.notes)
    if around.events is not None and not event.values:
        notes.append(
            (
                "event",
                _where(around, line, "eventID", event_id, "is the id of no event: correct it"),
            )
        )
    _latest_identification(around, key, values)
    row = RowFields(f"{around.called}, line {line}", {**event.values, **values})
    if said(row, "occurrenceStatus").lower() == "absent":
        yield Item(name, line, skip_reason="occurrenceStatus 'absent': looked for and not found")
        return
    pictures, others = _pictures(around, key, row, line)
    _fill(around, row, inherited)
    row.fields["specimen_id"] = said(row, _SPECIMEN) or (
        "" if name.endswith(f"line {line}") else name
    )
    row.fields.update({k: v for k, v in event.fields.items() if not row.fields.get(k)})
    measured = measured_fields(_rows(around, "measurements", key))
    row.fields.update({k: v for k, v in measured.items() if not row.fields.get(k)})
    if others:
        row.fields["extra:other_media"] = " | ".join(others)
    row.keep_extra()
    notes += row.notes
    sequences = [sequence_fields(found.values) for found in _rows(around, "dna", key)]
    yield from _items(name, line, row.fields, notes, pictures, sequences)


def _where(around: Surroundings, line: int, column: str, found: str, wrong: str) -> str:
    return f"{around.called}, line {line}, column {column}: '{found}' {wrong}"


def _rows(around: Surroundings, role: str, key: str) -> list[KeyedRow]:
    tables = around.tables.get(role, []) if key else []
    return [row for table in tables for row in around.joined.rows(table, key)]


def _latest_identification(around: Surroundings, key: str, values: dict[str, str]) -> None:
    """Puts the latest of the identification history in the place of the row's own, if it is later."""
    found = _rows(around, "identifications", key)
    if not found:
        return
    latest = max(found, key=lambda row: (row.values.get("dateIdentified", "").strip(), row.line))
    date = latest.values.get("dateIdentified", "").strip()
    if values.get("scientificName") and date <= values.get("dateIdentified", ""):
        values["earlier identifications"] = str(len(found))
        return
    for term in _NAMING:
        old = values.pop(term, "")
        if term == "scientificName" and old:
            values["earlier scientificName"] = old
        if text := present(latest.values.get(term, "")):
            values[term] = text
    values["earlier identifications"] = str(len(found) - 1)


def _pictures(
    around: Surroundings, key: str, row: RowFields, line: int
) -> tuple[list[Picture], list[str]]:
    pictures: list[Picture] = []
    others: list[str] = []
    for table in around.tables.get("media", []) if key else []:
        shown, rest = pictures_of(
            around.joined.rows(table, key), table.partition("\0")[0], around.find
        )
        pictures += shown
        others += rest
    listed = row.values.get("associatedMedia", "")
    if not pictures and listed:
        pictures = listed_pictures(listed, f"{around.called}, line {line}", around.find)
    return pictures, others


def _fill(around: Surroundings, row: RowFields, inherited: Iterable[str]) -> None:
    inherited = set(inherited)
    fill_names(row)
    fill_identification(row)
    fill_place(row, inherited)
    fill_time(row, inherited, around.date_format)
    fill_sample(row)
    dataset = row.values.get("datasetKey") or row.values.get("datasetID") or ""
    facts = around.archive.facts_of(dataset)
    if take(row, "licence", "license", "rights", "accessRights"):
        row.fields["extra:licence_of"] = "record"
    elif facts.licence:
        row.fields |= {"licence": facts.licence, "extra:licence_of": "data set"}
    take(row, "rights_holder", "rightsHolder")
    if citation := facts.citation or said(row, "bibliographicCitation"):
        row.fields["citation"] = citation
    if facts.title:
        row.fields["extra:dataset_title"] = facts.title


def _items(
    name: str,
    line: int,
    fields: Mapping[str, str],
    notes: list[tuple[str, str]],
    pictures: list[Picture],
    sequences: list[dict[str, str]],
) -> Iterator[Item]:
    """Yields the first record with the first picture and sequence, then one for each further one."""
    first = Item(name, line, {**fields, **(sequences[0] if sequences else {})}, notes=tuple(notes))
    yield _with_picture(first, pictures[0]) if pictures else first
    plain = Item(name, line, fields, notes=tuple(notes))
    for number, picture in enumerate(pictures[1:], start=2):
        yield replace(_with_picture(plain, picture), name=f"{name}/media {number}")
    for number, sequence in enumerate(sequences[1:], start=2):
        yield replace(plain, name=f"{name}/sequence {number}", fields={**fields, **sequence})


def _with_picture(item: Item, picture: Picture) -> Item:
    kept = {
        f"extra:record_{name}": text
        for name in ("licence", "rights_holder")
        if name in picture.fields
        and (text := item.fields.get(name)) not in {None, picture.fields[name]}
    }
    return replace(
        item,
        fields={**item.fields, **kept, **picture.fields},
        image=picture.image,
        image_name=picture.image_name if picture.image is not None else None,
        notes=(*item.notes, *picture.notes),
    )
