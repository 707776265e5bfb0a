"""The tables that hang on occurrences and events: put where records find them, and what no record took."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from holotype.collection.reading.joined import Joined, KeyedRow
from holotype.collection.reading.tabular import present
from holotype.collection.sources.darwin_core.archive import Archive
from holotype.collection.sources.darwin_core.descriptor import DescribedTable
from holotype.collection.sources.darwin_core.events import EVENT, USED
from holotype.collection.sources.darwin_core.rows import TermRow
from holotype.collection.sources.item import Item
from holotype.media.images import IMAGE_SUFFIXES

ROLES = {
    "Multimedia": "media",
    "Image": "media",
    "Identification": "identifications",
    "MeasurementOrFact": "measurements",
    "ExtendedMeasurementOrFact": "measurements",
    "DNADerivedData": "dna",
}
"""Last part of the row type of an extension -> what it is for a record."""
OCCURRENCE = "occurrence"
_ON_RECORDS = ("media", "dna", "identifications")
_BATCH = 5_000


def joined_name(file: str, kind: str) -> str:
    """Returns the name under which the rows of a file that hang on an occurrence or event are joined."""
    return f"{file}\0{kind}"


def files_there(archive: Archive, table: DescribedTable) -> Iterator[str]:
    """Yields the files of a table that are there; the others become errors of the archive."""
    for file in table.files:
        if file in archive.members:
            yield file
            continue
        said = f"{archive.path.name}: meta.xml, line {table.line}: '{file}' ({table.kind}) is not there. "
        archive.items.append(
            Item(file, error=f"{said}Put it beside meta.xml, or remove it from the descriptor.")
        )


def fault(file: str, row: TermRow) -> Item:
    """Returns the item of a row that cannot be read."""
    return Item(f"{file} line {row.line}", row.line, error=f"{file}, {row.error}")


def add_events(archive: Archive, core: DescribedTable, joined: Joined) -> Iterator[Item]:
    """Puts the rows of an event core where occurrences find them; yields what cannot be used."""
    for file in files_there(archive, core):
        rows = archive.rows(core, file)
        while batch := list(islice(rows, _BATCH)):
            good: list[KeyedRow] = []
            for row in batch:
                key = row.key or present(row.values.get("eventID", ""))
                before = joined.claim(key, row.line, kind=EVENT) if key and not row.error else None
                if row.error:
                    yield fault(file, row)
                elif before is None and key:
                    good.append(KeyedRow(key, row.line, row.values))
                else:
                    wrong = f"is the id of line {before} too" if key else "is blank"
                    where = f"{file}, line {row.line}, column eventID: '{key}'"
                    remedy = "Give each event its own id."
                    yield Item(
                        f"{file} line {row.line}", row.line, error=f"{where} {wrong}. {remedy}"
                    )
            joined.add(EVENT, good)


def odd_key(table: DescribedTable) -> Iterator[Item]:
    """Says where the coreid of an extension of events is another term than the id of an event."""
    named = [term.name for term in table.terms if term.index == table.key_index]
    if named and "eventID" not in named:
        reason = (
            f"coreid of {table.kind} is {named[0]}, no id of an event: the columns eventID and "
            "occurrenceID are followed"
        )
        yield Item(f"meta.xml line {table.line}", skip_reason=reason)


def add_side_table(
    archive: Archive,
    table: DescribedTable,
    joined: Joined,
    tables: dict[str, list[str]],
    *,
    of_events: bool,
) -> Iterator[Item]:
    """Puts the rows of an extension where records find them; yields what cannot be used."""
    role = ROLES.get(table.kind)
    if not table.files:
        said = f"{archive.path.name}: meta.xml, line {table.line}: extension {table.kind} names no file."
        yield Item(
            f"meta.xml line {table.line}", error=f"{said} Add <files>, or remove the extension."
        )
    for file in files_there(archive, table):
        if role is None:
            yield Item(
                file, skip_reason=f"extension {table.kind} gives nothing that a record takes"
            )
            continue
        tables.setdefault(role, []).append(file)
        rows = archive.rows(table, file)
        while batch := list(islice(rows, _BATCH)):
            keyed: dict[str, list[KeyedRow]] = {OCCURRENCE: [], EVENT: []}
            for row in batch:
                kind, key = _key(row, of_events=of_events)
                if row.error:
                    yield fault(file, row)
                elif key:
                    keyed[kind].append(KeyedRow(key, row.line, row.values))
                else:
                    said = f"{file}, line {row.line}, column coreid: blank: the row belongs to nothing."
                    yield Item(f"{file} line {row.line}", row.line, error=f"{said} Fill it in.")
            for kind, found in keyed.items():
                joined.add(joined_name(file, kind), found)


def _key(row: TermRow, *, of_events: bool) -> tuple[str, str]:
    """Returns what a row of an extension hangs on.

    With an event core, a row that names its occurrence hangs on that, else on the event it names; these
    columns win over the coreid, which some writers point at another column.
    """
    if not of_events:
        return OCCURRENCE, row.key
    if occurrence := present(row.values.get("occurrenceID", "")):
        return OCCURRENCE, occurrence
    return EVENT, present(row.values.get("eventID", "")) or row.key


def left_over(
    archive: Archive, joined: Joined, tables: Mapping[str, Sequence[str]]
) -> Iterator[Item]:
    """Yields what no record took: rows of side tables, events, files."""
    for role, files in tables.items():
        for file in files:
            for kind in (OCCURRENCE, EVENT):
                for row in joined.orphans(joined_name(file, kind), kind):
                    said = f"{file}, line {row.line}, column coreid: '{row.key}' is the id of no {kind}"
                    error = f"{said} of the archive. Correct it, or remove the row."
                    yield Item(f"{file} line {row.line}", row.line, error=error)
            if role in _ON_RECORDS:
                for row in joined.claimed(joined_name(file, EVENT), EVENT):
                    reason = "hangs on an event, and names no occurrence"
                    yield Item(f"{file} line {row.line}", row.line, skip_reason=reason)
    for row in joined.orphans(EVENT, USED):
        yield Item(f"event {row.key}", row.line, skip_reason="an event without occurrences")
    yield from archive.items
    for name, member in archive.members.items():
        if name not in archive.used:
            image = member.suffix in IMAGE_SUFFIXES
            shown = "an image that no row names" if image else "no table of the archive"
            yield Item(name, skip_reason=shown)
