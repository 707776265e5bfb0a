"""Whether OBIS and GBIF would take an archive: its form, its metadata, and then row by row.

Written from their rules, and apart from what writes archives here, so that each is a test of the other.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from holotype.catalogue.licences import GBIF_ACCEPTS, parse_licence
from holotype.collection.reading.streams import open_stream
from holotype.collection.sources.darwin_core.archive import Archive, open_archive
from holotype.collection.sources.darwin_core.descriptor import DescribedTable
from holotype.collection.sources.darwin_core.rows import TermRow, header_of
from holotype.collection.sources.darwin_core.safe_xml import Element, parse_xml
from holotype.errors import MediaError, SourceError
from holotype.exchange.darwin_core.check_rows import Tables, check_links, check_row
from holotype.exchange.darwin_core.dataset import ABSTRACT_LETTERS
from holotype.exchange.darwin_core.findings import Findings, Notebook
from holotype.exchange.darwin_core.rules import REQUIRED

_CORES = frozenset({"Event", "Occurrence"})


def check_darwin_core(path: Path | str) -> Findings:
    """Returns what OBIS or GBIF would refuse, drop or miss in an archive (folder, zip, tar or table)."""
    notes = Notebook()
    with tempfile.TemporaryDirectory() as spool:
        try:
            archive = open_archive(Path(path), Path(spool))
        except SourceError as reason:
            notes.error("archive", str(reason))
            return notes.findings(str(path))
        _check(archive, notes)
    return notes.findings(str(path))


def _check(archive: Archive, notes: Notebook) -> None:
    descriptor = archive.descriptor
    core = descriptor.core
    if core.kind not in _CORES:
        said = "OBIS and GBIF take occurrences or events here; the rows were not checked"
        notes.error("core", f"the core is {core.kind}: {said}.")
        return
    if core.kind == "Event" and not any(t.kind == "Occurrence" for t in descriptor.extensions):
        notes.error("core", "the core is Event and no extension is Occurrence.")
    _check_metadata(archive, notes)
    tables = Tables(core.kind)
    for table in (core, *descriptor.extensions):
        _check_terms(table, notes)
        for file in table.files:
            if file not in archive.members:
                notes.error("file", f"meta.xml, line {table.line}: '{file}' is not in the archive.")
                continue
            _check_file(archive, table, file, (tables, notes))
    check_links(tables, notes)
    for item in archive.items:
        if item.error:
            notes.warn("file", item.error)


def _check_terms(table: DescribedTable, notes: Notebook) -> None:
    """Checks that the descriptor names what every row must fill."""
    named = {term.name for term in table.terms} | {term.name.lower() for term in table.terms}
    for term in REQUIRED.get(table.kind, ()):
        if term not in named and term.lower() not in named:
            notes.error(
                "term", f"{', '.join(table.files)}: no column {term}; {table.kind} needs it."
            )


def _check_file(
    archive: Archive, table: DescribedTable, file: str, into: tuple[Tables, Notebook]
) -> None:
    tables, notes = into
    count = 0
    _check_header(archive, table, file, notes)
    try:
        for row in _rows(archive, table, file, notes):
            count += 1
            if row.error:
                notes.error("row", f"{file}, {row.error}")
            else:
                check_row(table.kind, file, row, tables, notes)
    except (SourceError, MediaError) as reason:
        notes.error("row", str(reason))
    notes.rows[file] = count
    if not count:
        notes.warn("row", f"{file}: no row.")


def _check_header(archive: Archive, table: DescribedTable, file: str, notes: Notebook) -> None:
    """Checks that the columns stand where the descriptor says, where the file has a header."""
    if table.header_lines != 1:
        return
    with open_stream(archive.path, archive.members[file]) as stream:
        header = [cell.strip().strip('"') for cell in header_of(stream, "utf-8-sig")]
    places = {name.lower(): at for at, name in enumerate(header)}
    for term in table.terms:
        at = places.get(term.name.lower())
        if term.index is not None and at is not None and at != term.index:
            shown = header[term.index] if term.index < len(header) else "nothing"
            said = f"column {term.index + 1} is '{shown}', and the descriptor says {term.name}"
            notes.error("header", f"{file}, line 1: {said}. Correct one of them.")


def _rows(archive: Archive, table: DescribedTable, file: str, notes: Notebook) -> Iterator[TermRow]:
    """Yields the rows of a file, but for a header that the descriptor does not tell of."""
    for number, row in enumerate(archive.rows(table, file)):
        if number == 0 and not row.error and _is_header(row):
            said = "is a header, and the descriptor says that it is a row (ignoreHeaderLines)"
            notes.error("header", f'{file}, line {row.line}: {said}. Say ignoreHeaderLines="1".')
            continue
        yield row


def _is_header(row: TermRow) -> bool:
    """Returns whether a row repeats the names of its columns."""
    return sum(text.strip().lower() == name.lower() for name, text in row.values.items()) > 1


def _check_metadata(archive: Archive, notes: Notebook) -> None:
    name = archive.descriptor.metadata or "eml.xml"
    if name not in archive.members:
        notes.error(
            "metadata", f"no metadata document ({name}). Add it: title, abstract, licence, people."
        )
        return
    try:
        root = parse_xml(archive.members[name].read(), name)
    except (SourceError, MediaError) as reason:
        notes.error("metadata", str(reason))
        return
    dataset = next(root.find("dataset"), None)
    if dataset is None:
        notes.error("metadata", f"{name}: no <dataset>.")
        return
    for tag in ("title", "creator", "contact", "abstract"):
        if not any(found.words() for found in dataset.find(tag)):
            notes.error("metadata", f"{name}: no <{tag}>.")
    low, high = ABSTRACT_LETTERS
    words = " ".join(found.words() for found in dataset.find("abstract"))
    if words and not low <= len(words) <= high:
        notes.warn(
            "metadata", f"{name}: abstract of {len(words)} letters; {low} to {high} are asked for."
        )
    _check_licence(dataset, name, notes)


def _check_licence(dataset: Element, name: str, notes: Notebook) -> None:
    stated = [found.words() for found in dataset.find("licensed", "identifier")]
    for rights in dataset.find("intellectualRights"):
        links = [*rights.find("para", "ulink"), *rights.find("ulink")]
        stated += [link.attributes.get("url", "") for link in links] or [rights.words()]
    found = {str(parse_licence(text)) for text in stated if text}
    if not found:
        notes.error("licence", f"{name}: no licence. One of {', '.join(sorted(GBIF_ACCEPTS))}.")
    elif not found <= GBIF_ACCEPTS or len(found) > 1:
        said = ", ".join(sorted(found))
        notes.error(
            "licence", f"{name}: {said}; one of {', '.join(sorted(GBIF_ACCEPTS))} is taken."
        )
