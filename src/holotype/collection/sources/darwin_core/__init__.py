"""Darwin Core Archives: occurrences with their events, media, identifications, measurements and DNA.

A zip, tar or folder with ``meta.xml``, or one table whose header names the terms; the core is Occurrence or
Event. Each picture of an occurrence is a record, and each further sequence; an occurrence without either is a
record with its names. Side tables are joined on disk, so none of them needs to fit in memory.
"""

from collections.abc import Iterator
from pathlib import Path

from holotype.collection.reading.joined import Joined
from holotype.collection.reading.pictures import picture_finder
from holotype.collection.reading.tabular import present
from holotype.collection.sources.darwin_core.archive import open_archive
from holotype.collection.sources.darwin_core.descriptor import DescribedTable
from holotype.collection.sources.darwin_core.events import EVENT, Events
from holotype.collection.sources.darwin_core.records import Surroundings, items_of
from holotype.collection.sources.darwin_core.side_tables import (
    OCCURRENCE,
    add_events,
    add_side_table,
    fault,
    files_there,
    joined_name,
    left_over,
    odd_key,
)
from holotype.collection.sources.item import Item, Source, SourceOptions
from holotype.errors import SourceError


def read(path: Path, options: SourceOptions) -> Iterator[Item]:
    """Yields the items of one archive, its occurrences in the order of their table.

    Raises:
        SourceError: when the archive as a whole cannot be used, or is a checklist.
    """
    archive = open_archive(path, options.spool)
    core, extensions = archive.descriptor.core, archive.descriptor.extensions
    of_events = core.kind == "Event"
    occurrences = [t for t in extensions if t.kind == "Occurrence"] if of_events else [core]
    if core.kind not in {"Occurrence", "Event"} or not any(table.files for table in occurrences):
        raise SourceError(_wrong_core(path, core))
    with Joined(options.spool) as joined:
        tables: dict[str, list[str]] = {}
        if of_events:
            yield from add_events(archive, core, joined)
        for table in extensions:
            if of_events:
                yield from odd_key(table)
            if table not in occurrences:
                yield from add_side_table(archive, table, joined, tables, of_events=of_events)
        of_records = {
            role: [joined_name(file, OCCURRENCE) for file in files]
            for role, files in tables.items()
        }
        measured = [joined_name(file, EVENT) for file in tables.get("measurements", [])]
        events = Events(joined, measured, core.files[0]) if of_events else None
        find = picture_finder(archive.members, archive.used, options.images, options.spool)
        for table in occurrences:
            for file in files_there(archive, table):
                form = table.date_format
                around = Surroundings(archive, joined, of_records, events, find, file, form)
                yield from _occurrences(around, table)
        yield from left_over(archive, joined, tables)


def _wrong_core(path: Path, core: DescribedTable) -> str:
    where = f"{path}: meta.xml, line {core.line}"
    if core.kind == "Taxon":
        return (
            f"{path}: {core.files[0]}: the core is Taxon: this is a checklist, it holds names and no "
            "occurrences. Make a reference taxonomy of it with 'holotype names backbone'."
        )
    if core.kind == "Event":
        return (
            f"{where}: the core is Event and no extension is Occurrence, so no organism is named. "
            "Add the table of occurrences."
        )
    return (
        f"{where}: rowType '{core.row_type}' of the core is neither Occurrence nor Event. "
        "Give an archive of occurrences."
    )


def _occurrences(around: Surroundings, table: DescribedTable) -> Iterator[Item]:
    file = around.called
    of_events = around.events is not None
    for row in around.archive.rows(table, file):
        if row.error:
            yield fault(file, row)
            continue
        own = present(row.values.get("occurrenceID", ""))
        key = own if of_events else row.key or own or present(row.values.get("gbifID", ""))
        name = key or f"{file} line {row.line}"
        before = around.joined.claim(key, row.line, kind=OCCURRENCE) if key else None
        if before is not None:
            column = "occurrenceID" if of_events else "id"
            said = (
                f"{file}, line {row.line}, column {column}: '{key}' is the id of line {before} too."
            )
            error = f"{said} Give each occurrence its own id."
            yield Item(f"{file} line {row.line}", row.line, error=error)
            continue
        event_id = present(row.values.get("eventID", "")) or row.key
        yield from items_of(around, name, key, row.line, row.values, event_id)


SOURCE = Source(
    "darwin-core",
    "Darwin Core Archives of occurrences or events, with media, measurements and DNA",
    read,
)
