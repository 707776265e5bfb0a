"""The rows of an archive: values by themselves, and ids that must agree between tables."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from holotype.collection.reading.tabular import present
from holotype.collection.sources.darwin_core.rows import TermRow
from holotype.exchange.darwin_core.findings import Notebook
from holotype.exchange.darwin_core.rules import (
    MEDIA_TYPES,
    OF_IMAGING,
    OF_PLACE,
    REQUIRED,
    SOFT,
    VALUES,
    VERIFICATION,
)

_OF_EVENT = frozenset({"Event", "Occurrence"})
_ABSENT_MEDIA = "associatedMedia"


@dataclass
class Tables:
    """What was read so far, for what must agree: ids with where they stood.

    Attributes:
        core: row type of the core.
        events: event id -> (parent id, the terms of place and date that it fills, where).
        occurrences: id -> where.
        occurrence_events: (event id, the terms of place and date that it fills, where).
        links: (what it leads to, id, where) of rows of extensions.
        measurements: id -> where.
        shown: ids of occurrences and events that a row of media is of.
        machine: (id, event id, where) of machine observations without media of their own.
    """

    core: str
    events: dict[str, tuple[str, tuple[str, ...], str]] = field(default_factory=dict)
    occurrences: dict[str, str] = field(default_factory=dict)
    occurrence_events: list[tuple[str, tuple[str, ...], str]] = field(default_factory=list)
    links: list[tuple[str, str, str]] = field(default_factory=list)
    measurements: dict[str, str] = field(default_factory=dict)
    shown: set[str] = field(default_factory=set)
    machine: list[tuple[str, str, str]] = field(default_factory=list)


def check_row(kind: str, file: str, row: TermRow, tables: Tables, notes: Notebook) -> None:
    """Checks one row by itself, and remembers its ids."""
    values = {name: present(text) for name, text in row.values.items()}
    where = f"{file}, line {row.line}"
    for term in REQUIRED.get(kind, ()):
        if not _value(values, term) and not (term.endswith("ID") and row.key):
            notes.error("required", f"{where}, column {term}: blank; {kind} needs it.")
    for term, rule in VALUES.items():
        text = _value(values, term)
        if text and (said := rule(text)):
            tell = notes.warn if term in SOFT else notes.error
            tell(f"value of {term}", f"{where}, column {term}: '{text[:60]}' {said}.")
    if kind in _OF_EVENT:
        _check_place(values, where, notes)
    _REMEMBERED.get(kind, _remember_other)(row, values, where, tables, notes)


def _value(values: Mapping[str, str], term: str) -> str:
    return values.get(term) or values.get(term.lower()) or ""


def _check_place(values: Mapping[str, str], where: str, notes: Notebook) -> None:
    numbers: list[float | None] = []
    for term in (
        "decimalLatitude",
        "decimalLongitude",
        "minimumDepthInMeters",
        "maximumDepthInMeters",
    ):
        try:
            numbers.append(float(values.get(term, "")))
        except ValueError:
            numbers.append(None)
    latitude, longitude, shallow, deep = numbers
    if latitude == 0 and longitude == 0:
        said = "0 and 0: no place was known, most likely; OBIS drops the record"
        notes.error("zero place", f"{where}, column decimalLatitude: {said}.")
    if shallow is not None and deep is not None and shallow > deep:
        said = f"{shallow:g} is deeper than maximumDepthInMeters {deep:g}"
        notes.error("depths", f"{where}, column minimumDepthInMeters: {said}.")


def _unique(known: dict[str, str], name: str, term: str, where: str, notes: Notebook) -> None:
    if name and (before := known.setdefault(name, where)) != where:
        notes.error(f"{term} twice", f"{where}, column {term}: '{name}' is the id of {before} too.")


def _remember_event(
    row: TermRow, values: Mapping[str, str], where: str, tables: Tables, notes: Notebook
) -> None:
    name = row.key or values.get("eventID", "")
    own = tuple(term for term in OF_PLACE if values.get(term))
    if name in tables.events:
        notes.error(
            "eventID twice",
            f"{where}, column eventID: '{name}' is in {tables.events[name][2]} too.",
        )
    tables.events.setdefault(name, (values.get("parentEventID", ""), own, where))


def _remember_occurrence(
    row: TermRow, values: Mapping[str, str], where: str, tables: Tables, notes: Notebook
) -> None:
    of_events = tables.core == "Event"
    name = values.get("occurrenceID") or ("" if of_events else row.key)
    _unique(tables.occurrences, name, "occurrenceID", where, notes)
    event = values.get("eventID") or row.key if of_events else ""
    own = tuple(term for term in OF_PLACE if values.get(term))
    tables.occurrence_events.append((event or "", own, where))
    if values.get("basisOfRecord") == "MachineObservation":
        for term in OF_IMAGING:
            if not values.get(term):
                notes.error(
                    "imaging", f"{where}, column {term}: blank; OBIS asks for it of images."
                )
        status = values.get("identificationVerificationStatus", "")
        if status and status not in VERIFICATION:
            said = f"'{status}' is none of {', '.join(sorted(VERIFICATION))}"
            notes.error("imaging", f"{where}, column identificationVerificationStatus: {said}.")
        if not values.get(_ABSENT_MEDIA):
            tables.machine.append((name, event or "", where))
    if not values.get("scientificNameID"):
        notes.warn(
            "no scientificNameID", f"{where}, column scientificNameID: blank: matched by name."
        )


def _remember_measurement(
    row: TermRow, values: Mapping[str, str], where: str, tables: Tables, notes: Notebook
) -> None:
    _unique(tables.measurements, values.get("measurementID", ""), "measurementID", where, notes)
    if not values.get("measurementTypeID"):
        notes.warn(
            "no measurementTypeID", f"{where}, column measurementTypeID: blank: no term of P01."
        )
    _remember_other(row, values, where, tables, notes)


def _remember_other(
    row: TermRow, values: Mapping[str, str], where: str, tables: Tables, _notes: Notebook
) -> None:
    occurrence = values.get("occurrenceID", "")
    if occurrence:
        tables.links.append(("occurrenceID", occurrence, where))
    tables.links.append((tables.core, row.key, where))


def _remember_media(
    row: TermRow, values: Mapping[str, str], where: str, tables: Tables, notes: Notebook
) -> None:
    if (kind := values.get("type")) and kind not in MEDIA_TYPES:
        said = f"'{kind}' is none of {', '.join(sorted(MEDIA_TYPES))}"
        notes.warn("value of type", f"{where}, column type: {said}.")
    tables.shown.add(values.get("occurrenceID") or row.key)
    _remember_other(row, values, where, tables, notes)


_REMEMBERED = {
    "Event": _remember_event,
    "Occurrence": _remember_occurrence,
    "ExtendedMeasurementOrFact": _remember_measurement,
    "MeasurementOrFact": _remember_measurement,
    "Multimedia": _remember_media,
    "Image": _remember_media,
}


def check_links(tables: Tables, notes: Notebook) -> None:
    """Checks that every id leads to a row, that events hang together, and that occurrences have a place."""
    for name, (parent, _, where) in tables.events.items():
        if parent and parent not in tables.events:
            notes.error("parentEventID", f"{where}, column parentEventID: '{parent}' is no event.")
        elif name in _above(tables, name):
            notes.error(
                "parentEventID", f"{where}, column parentEventID: leads back to the event itself."
            )
    of_core = tables.events if tables.core == "Event" else tables.occurrences
    for kind, name, where in tables.links:
        known = tables.occurrences if kind == "occurrenceID" else of_core
        if name not in known:
            column = "occurrenceID" if kind == "occurrenceID" else "coreid"
            notes.error("lost row", f"{where}, column {column}: '{name}' is the id of no row.")
    for event, own, where in tables.occurrence_events:
        _check_inherited(tables, event, own, (where, notes))
    for name, event, where in tables.machine:
        if name not in tables.shown and event not in tables.shown:
            said = f"blank, and no row of media is of it: nobody can see what '{name}' was"
            notes.warn("no media", f"{where}, column {_ABSENT_MEDIA}: {said}.")


def _above(tables: Tables, name: str) -> Iterator[str]:
    seen: set[str] = set()
    parent = tables.events[name][0]
    while parent and parent in tables.events and parent not in seen:
        yield parent
        seen.add(parent)
        parent = tables.events[parent][0]


def _check_inherited(
    tables: Tables, event: str, own: tuple[str, ...], into: tuple[str, Notebook]
) -> None:
    where, notes = into
    if tables.core == "Event" and event not in tables.events:
        notes.error("lost row", f"{where}, column eventID: '{event}' is the id of no event.")
        return
    held = set(own)
    for name in (event, *_above(tables, event)) if tables.core == "Event" else ():
        held |= set(tables.events[name][1])
    for term in OF_PLACE:
        if term not in held:
            notes.error(
                "no place or date", f"{where}: {term} neither here nor in its event; OBIS drops it."
            )
