"""A Darwin Core Archive on disk: its descriptor, tables, metadata and other files, wherever they lie."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from holotype.collection.reading.streams import large_members, open_stream
from holotype.collection.sources.darwin_core.descriptor import (
    DWC,
    DescribedTable,
    Descriptor,
    Term,
    parse_descriptor,
)
from holotype.collection.sources.darwin_core.metadata import DatasetFacts, parse_metadata
from holotype.collection.sources.darwin_core.rows import TermRow, header_of, read_rows
from holotype.collection.sources.darwin_core.terms import canonical_term
from holotype.collection.sources.item import Item, left_out
from holotype.errors import MediaError, SourceError, first_few
from holotype.media.images import IMAGE_SUFFIXES
from holotype.media.members import Member

_METADATA_NAMES = ("eml.xml", "metadata.xml")
_CHECKLIST = frozenset({"taxonID", "acceptedNameUsageID", "parentNameUsageID", "taxonomicStatus"})


@dataclass
class Archive:
    """An open archive.

    Attributes:
        path: folder, archive or file.
        members: its files by name, relative to the folder of its descriptor.
        descriptor: which of them are tables.
        facts: what its metadata document says.
        items: what is wrong or unused beside the tables.
        used: names of files that are accounted for.
    """

    path: Path
    members: dict[str, Member]
    descriptor: Descriptor
    facts: DatasetFacts = field(default_factory=DatasetFacts)
    items: list[Item] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    _by_dataset: dict[str, DatasetFacts] = field(default_factory=dict)

    def rows(self, table: DescribedTable, file: str) -> Iterator[TermRow]:
        """Yields the rows of one file of a table.

        Raises:
            SourceError: when the file cannot be read on.
        """
        with open_stream(self.path, self.members[file]) as stream:
            yield from read_rows(stream, table, file)

    def facts_of(self, dataset: str) -> DatasetFacts:
        """Returns the facts of one data set of a download, else those of the archive."""
        if dataset not in self._by_dataset:
            name = f"dataset/{dataset}.xml"
            known = self.facts
            if dataset and name in self.members:
                known = self._facts(name)
            self._by_dataset[dataset] = known
        return self._by_dataset[dataset]

    def _facts(self, name: str) -> DatasetFacts:
        self.used.add(name)
        try:
            return parse_metadata(self.members[name].read(), name)
        except (SourceError, MediaError) as reason:
            said = (
                f"{reason}"
                if isinstance(reason, SourceError)
                else f"{name}: {reason}. Fetch it again."
            )
            self.items.append(Item(name, error=said))
            return DatasetFacts()


def open_archive(path: Path, spool: Path | None) -> Archive:
    """Opens an archive: a folder, zip, tar or single table; the files may lie one folder down.

    Raises:
        SourceError: when there is no descriptor and not one table alone, the descriptor is wrong, or names a
            core file that is not there.
    """
    found, refused = large_members(path, spool)
    metas = sorted(
        (name for name in found if _last(name) == "meta.xml"), key=lambda n: n.count("/")
    )
    prefix = ""
    if metas:
        prefix = metas[0].removesuffix(_last(metas[0]))
        if prefix.count("/") > 1:
            raise SourceError(
                f"{path}: meta.xml lies in {prefix}. Give that folder, or an archive of it."
            )
    elif found:
        prefix = _common_folder(list(found))
    members = {
        name.removeprefix(prefix): member
        for name, member in found.items()
        if name.startswith(prefix)
    }
    outside = [name for name in found if not name.startswith(prefix)]
    descriptor = _described(path, members) if metas else _undescribed(path, members)
    archive = Archive(path, members, descriptor)
    archive.used |= {"meta.xml", *_tables_of(descriptor)}
    archive.items += [left_out(m) for m in refused]
    archive.items += [Item(name, skip_reason=f"lies outside {prefix}") for name in outside]
    for file in descriptor.core.files:
        if file not in members:
            raise SourceError(
                f"{path}: meta.xml, line {descriptor.core.line}: the core file '{file}' is not there. "
                f"Put it beside meta.xml; there are {first_few(sorted(members))}."
            )
    _read_metadata(archive)
    return archive


def _last(name: str) -> str:
    return PurePosixPath(name).name


def _common_folder(names: list[str]) -> str:
    tops = {name.partition("/")[0] for name in names if "/" in name}
    return f"{tops.pop()}/" if len(tops) == 1 and all("/" in name for name in names) else ""


def _tables_of(descriptor: Descriptor) -> set[str]:
    return {file for table in (descriptor.core, *descriptor.extensions) for file in table.files}


def _described(path: Path, members: dict[str, Member]) -> Descriptor:
    try:
        return parse_descriptor(members["meta.xml"].read(), f"{path.name}: meta.xml")
    except MediaError as reason:
        raise SourceError(f"{path}: meta.xml: {reason}. Fetch the archive again.") from reason


def _undescribed(path: Path, members: dict[str, Member]) -> Descriptor:
    """Returns the descriptor of an archive that has none: one table whose header names the terms."""
    tables = [
        name
        for name, member in members.items()
        if name.lower() not in _METADATA_NAMES and member.suffix not in IMAGE_SUFFIXES
    ]
    if len(tables) != 1:
        raise SourceError(
            f"{path}: no meta.xml, and {len(tables)} files that may be the table: "
            f"{first_few(sorted(tables))}. Add meta.xml, or leave one table (and eml.xml)."
        )
    with open_stream(path, members[tables[0]]) as stream:
        header = header_of(stream, "utf-8-sig")
    terms = tuple(Term(canonical_term(name), at) for at, name in enumerate(header) if name.strip())
    names = {term.name for term in terms}
    if not names & {"scientificName", "occurrenceID", "gbifID", "taxonID"}:
        raise SourceError(
            f"{path}: {tables[0]}, line 1: none of its columns {first_few(list(header))} is a Darwin Core "
            "name of a taxon or an occurrence. Add meta.xml, or use the source 'table'."
        )
    checklist = len(names & _CHECKLIST) > 1 and not names & {
        "occurrenceID",
        "gbifID",
        "basisOfRecord",
    }
    keys = [term.index for term in terms if term.name in {"gbifID", "occurrenceID"}]
    core = DescribedTable(
        row_type=f"{DWC}Taxon" if checklist else f"{DWC}Occurrence",
        files=(tables[0],),
        terms=terms,
        key_index=keys[0] if keys else None,
        quote='"' if _is_quoted(path, members[tables[0]]) else None,
        header_lines=1,
    )
    return Descriptor(core, metadata=None)


def _is_quoted(path: Path, member: Member) -> bool:
    """Returns whether a table without descriptor encloses its columns: its header does, or it has commas."""
    with open_stream(path, member) as stream:
        first = stream.readline(1 << 16)
    return b'"' in first or b"\t" not in first


def _read_metadata(archive: Archive) -> None:
    named = archive.descriptor.metadata
    if named is not None and "://" in named:
        archive.items.append(Item("meta.xml metadata", skip_reason=f"the metadata lie at {named}"))
        return
    if named is not None and named not in archive.members:
        archive.items.append(
            Item(
                "meta.xml metadata",
                error=f"{archive.path.name}: meta.xml, attribute metadata: '{named}' is not there, so "
                "licence and citation of the data set are not known. Put it beside meta.xml, or remove "
                "the attribute.",
            )
        )
        return
    by_lower = {name.lower(): name for name in archive.members}
    default = next((by_lower[name] for name in _METADATA_NAMES if name in by_lower), None)
    if (name := named or default) is not None:
        archive.facts = archive._facts(name)
