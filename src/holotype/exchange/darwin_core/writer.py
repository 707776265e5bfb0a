"""Answers -> a Darwin Core Archive: events, occurrences, measurements, media, sequences, metadata.

Two passes: the first finds what each event spans, the second writes the occurrences; only events and groups
are kept in memory.
"""

import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from holotype.errors import SourceError
from holotype.exchange.answers.container import container
from holotype.exchange.answers.writing import HUMAN, Grouping, Request, Written
from holotype.exchange.darwin_core.answer import Answer, reason_left_out
from holotype.exchange.darwin_core.counts import Counts, read_counts
from holotype.exchange.darwin_core.dataset import Dataset, read_dataset
from holotype.exchange.darwin_core.events import SAMPLE, EventPath, Events, path_of
from holotype.exchange.darwin_core.extensions import (
    COUNT,
    dna_row,
    event_measurements,
    is_address,
    measured,
    media_row,
)
from holotype.exchange.darwin_core.metadata import Coverage, eml, meta_xml
from holotype.exchange.darwin_core.occurrences import Group, Key, Names, key_of
from holotype.exchange.darwin_core.table_file import TableFile
from holotype.exchange.darwin_core.tables import (
    DNA,
    EVENTS,
    MACHINE_OBSERVATION,
    MEASUREMENTS,
    MEDIA,
    OCCURRENCES,
    TABLES,
    ArchiveTable,
)
from holotype.identify.columns import RANKS

NO_ADDRESS = "images without a public address: in no media"
NO_LICENCE = "images left out of the media: their licence is not CC0-1.0, CC-BY-4.0 or CC-BY-NC-4.0"
NO_LSID = "occurrences without a WoRMS id: OBIS matches them by name, or drops them"
SOURCE_VALIDATED = (
    "predictions for records that have a validated label: --validated takes the label"
)
_BATCH = 2_000
_UNUSED = ["top_k", "nearest", *(f"score_{rank}" for rank in RANKS)]


@dataclass
class _Archive:
    """An archive that is being written."""

    request: Request
    dataset: Dataset
    events: Events
    counts: Counts
    files: dict[str, TableFile]
    names: Names = field(default_factory=Names)
    notes: Counter[str] = field(default_factory=Counter)
    groups: dict[tuple[EventPath, Key], tuple[str, Group]] = field(default_factory=dict)
    taxa: set[tuple[str, str]] = field(default_factory=set)

    def file(self, table: ArchiveTable) -> TableFile:
        return self.files[table.file]


def write_archive(answers: pa.Table, request: Request) -> Written:
    """Writes a Darwin Core Archive (a zip, or a folder) with events for a core.

    Raises:
        SourceError: when the data set is not described, or no answer can be an occurrence.
        RecipeError: when its description is wrong.
    """
    dataset = read_dataset(request.dataset)
    left_out: Counter[str] = Counter()
    events = Events(dataset.id_prefix)
    for answer in _rows(answers):
        if reason := reason_left_out(answer):
            left_out[reason] += 1
        else:
            events.add(answer)
    if not events.extents:
        raise SourceError(f"no answer can be an occurrence: {dict(left_out)}.")
    with tempfile.TemporaryDirectory() as scratch:
        tables = {table.file: TableFile(Path(scratch), table) for table in TABLES}
        archive = _Archive(request, dataset, events, read_counts(request), tables)
        for answer in _rows(answers):
            if not reason_left_out(answer):
                _take(archive, answer)
        for (path, _), (name, group) in sorted(archive.groups.items(), key=_images_first):
            _write_occurrence(archive, path, name, group)
        _write_events(archive)
        for file in tables.values():
            file.close()
        _write_out(archive)
    archive.notes.update(archive.counts.unused())
    rows = {file.table.file: file.rows for file in tables.values() if file.rows}
    written = answers.num_rows - left_out.total()
    return Written(written, dict(left_out), rows, dict(archive.notes))


def _rows(answers: pa.Table) -> Iterator[Answer]:
    for batch in answers.drop_columns(_UNUSED).to_batches(max_chunksize=_BATCH):
        yield from batch.to_pylist()


def _take(archive: _Archive, answer: Answer) -> None:
    """Takes one answer into its group, or writes it where each is an occurrence."""
    key = key_of(answer)
    each = archive.request.grouping is Grouping.EACH
    item = answer["record_id"] or answer["input"] or ""
    path = archive.events.add_image(answer, item) if each else _sample_path(answer)
    event = archive.events.id_of(path)
    if each:
        name, group = archive.names.give([event, item]), Group(answer)
    else:
        found = archive.groups.get((path, key))
        if found is None:
            short = "human" if answer["status"] == HUMAN else "machine"
            kind = "dna" if answer["barcode"] else ""
            name = archive.names.give([event, answer["taxon"], short, kind])
            found = archive.groups[path, key] = name, Group(answer)
        name, group = found
    group.add(answer)
    archive.taxa.update((rank, answer[rank]) for rank in RANKS[:3] if answer[rank])
    said = answer["status"] != HUMAN and answer["label_status"] == "validated"
    archive.notes[SOURCE_VALIDATED] += int(said)
    _add_media(archive, answer, event, name, group)
    if answer["barcode"]:
        version = archive.request.version
        row = dna_row(answer, event, name, dataset=archive.dataset, version=version)
        archive.file(DNA).write(row)
    if each:
        _write_occurrence(archive, path, name, group)


def _images_first(item: tuple[tuple[EventPath, Key], tuple[str, Group]]) -> bool:
    """Returns what puts occurrences seen in images first: counts are of those."""
    return bool(item[1][1].first["barcode"])


def _sample_path(answer: Answer) -> EventPath:
    path = path_of(answer)
    return path[: [level for level, _ in path].index(SAMPLE) + 1]


def _add_media(
    archive: _Archive, answer: Answer, event: str, occurrence: str, group: Group
) -> None:
    if not answer["image_url"] and (answer["barcode"] or not answer["input"]):
        return
    licence = archive.dataset.licence_of(answer["licence"])
    if not is_address(answer["image_url"]):
        archive.notes[NO_ADDRESS] += 1
    elif licence is None:
        archive.notes[NO_LICENCE] += 1
    else:
        group.media.append(answer["image_url"])
        archive.file(MEDIA).write(media_row(answer, event, occurrence, licence))


def _write_occurrence(archive: _Archive, path: EventPath, name: str, group: Group) -> None:
    event, request = archive.events.id_of(path), archive.request
    row = group.row(event, name, request)
    archive.notes[NO_LSID] += int(row["scientificNameID"] is None)
    archive.file(OCCURRENCES).write(row)
    if request.grouping is Grouping.EACH:
        return
    measurements = list(archive.counts.of(group.first, event, name, request))
    if not measurements and row["basisOfRecord"] == MACHINE_OBSERVATION:
        seen = row["individualCount"]
        measurements = [measured(COUNT, seen, event=event, occurrence=name)]
    for one in measurements:
        archive.file(MEASUREMENTS).write(one)


def _write_events(archive: _Archive) -> None:
    events = archive.events
    for row in events.rows(archive.dataset.sampling):
        archive.file(EVENTS).write(row)
    for path, extent in sorted(events.extents.items(), key=lambda pair: len(pair[0])):
        above = events.extents.get(path[:-1])
        for one in event_measurements(events.id_of(path), path[-1][0], extent, above):
            archive.file(MEASUREMENTS).write(one)


def _write_out(archive: _Archive) -> None:
    """Writes descriptor, metadata and the tables that have rows; the core and occurrences always have."""
    held = [file for file in archive.files.values() if file.rows]
    documents: Mapping[str, Any] = {
        "meta.xml": meta_xml([file.table for file in held]),
        "eml.xml": eml(archive.dataset, _coverage(archive), archive.request),
    }
    with container(archive.request.out) as out:
        for name, text in documents.items():
            out.add(name, text.encode())
        for file in held:
            out.add_file(file.table.file, file.path)


def _coverage(archive: _Archive) -> Coverage:
    whole = None
    for extent in archive.events.extents.values():
        if whole is None:
            whole = extent.copy()
        else:
            whole.add(extent)
    assert whole is not None
    (south, north), (west, east) = whole.latitudes, whole.longitudes
    taxa = sorted(archive.taxa, key=lambda pair: (RANKS.index(pair[0]), pair[1]))
    return Coverage((west, east, north, south), whole.dates, taxa)
