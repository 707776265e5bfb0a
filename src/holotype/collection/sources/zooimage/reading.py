"""A ZooImage input -> items: .zid by .zid, with the description of the samples beside them."""

import posixpath
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from holotype.collection.reading.companions import Companions, companions
from holotype.collection.reading.fields import RowFields
from holotype.collection.reading.sections import (
    SectionedFile,
    TableLine,
    open_sections,
    section_tables,
)
from holotype.collection.reading.vignettes import Vignettes
from holotype.collection.sources.item import Item, SourceOptions, left_out
from holotype.collection.sources.zooimage.head import SampleTable, head_fields
from holotype.errors import SourceError
from holotype.media.images import IMAGE_SUFFIXES
from holotype.media.locations import FileAt
from holotype.media.members import Member

_MARKS = ("ZI1", "ZI2", "ZI3", "ZI4", "ZI5")
_OTHER = {
    ".rdata": "R's own copy of the measurements, which is never opened",
    ".zis": "the description of the samples: used for every object",
    ".zie": "settings of an import",
    ".txt": "a text file",
}


def read(path: Path, options: SourceOptions) -> Iterator[Item]:
    """Yields one item for each object of each .zid, then one for each file that is none.

    Raises:
        SourceError: when there is nothing at the path, or no ZooImage table in it.
    """
    files = companions(path, options.spool)
    listed = [member for member in files.listed() if _is_ours(member)]
    if not any(member.suffix in {".zid", ".zim"} for member in listed):
        raise SourceError(
            f"{path}: no .zid and no .zim in it. Give a .zid file, or a folder of .zid files and their .zis."
        )
    described, faults = _description(listed, path, options)
    yield from faults
    yield from _one_place(files, described)
    for member in listed:
        if member.suffix == ".zid":
            yield from _nested(files, member, described, options)


def _is_ours(member: Member) -> bool:
    return member.skip_reason is None and member.suffix in {".zid", ".zim", ".zis"}


def _nested(
    files: Companions, member: Member, described: SampleTable | None, options: SourceOptions
) -> Iterator[Item]:
    try:
        items = list(_one_place(files.nested(member, options.spool), described))
    except SourceError as reason:
        yield Item(member.name, error=str(reason))
        return
    if not items:
        yield Item(member.name, error=f"{member.name}: an empty .zid. Make it again in ZooImage.")
    yield from items


def _description(
    listed: list[Member], path: Path, options: SourceOptions
) -> tuple[SampleTable | None, list[Item]]:
    """Returns the samples of the .zis in the input, else of ``--annotations``, else beside a lone file."""
    found = [member for member in listed if member.suffix == ".zis"]
    if not found and options.annotations is not None:
        other = companions(options.annotations, options.spool).listed()
        found = [member for member in other if member.suffix == ".zis"]
    elif not found and path.is_file():
        near = sorted(path.parent.glob("*.zis"))
        found = [Member(zis.name, None, FileAt(str(zis)), zis.stat().st_size) for zis in near]
    samples: dict[str, TableLine] = {}
    stations: dict[str, TableLine] = {}
    faults = []
    for member in found:
        try:
            tables = section_tables(member)
        except SourceError as reason:
            faults.append(Item(f"{member.name}, samples", error=str(reason)))
            continue
        samples |= {line.cells.get("Label", ""): line for line in tables.get("samples", ())}
        stations |= {line.cells.get("Code", ""): line for line in tables.get("stations", ())}
    name = found[0].name if found else ""
    return (SampleTable(name, samples, stations) if samples else None), faults


def _one_place(files: Companions, described: SampleTable | None) -> Iterator[Item]:
    """Yields the items of one .zid, archive or folder."""
    tables, rest = [], []
    for member in files.listing():
        if member.suffix == ".zim" and member.skip_reason is None:
            tables.append(member)
        elif member.error or member.suffix not in {".zid", *IMAGE_SUFFIXES}:
            rest.append(left_out(member, _OTHER.get(member.suffix, "no part of a .zid")))
    vignettes = Vignettes(frozenset(posixpath.dirname(table.name) for table in tables))
    images = (m for m in files.listing() if m.suffix in IMAGE_SUFFIXES and not m.error)
    rest += [left_out(m) for m in images if not vignettes.add(m)]
    for table in tables:
        try:
            yield from _table_items(open_sections(table, comment="#"), vignettes, described)
        except SourceError as reason:
            yield Item(table.name, error=str(reason))
    yield from rest
    yield from vignettes.left_over()


def _table_items(
    file: SectionedFile, vignettes: Vignettes, described: SampleTable | None
) -> Iterator[Item]:
    if file.mark.upper() not in _MARKS:
        raise SourceError(
            f"{file.name}, line 1: '{file.mark[:40]}' where a ZooImage file has ZI1 to ZI5. "
            "Make the file again in ZooImage."
        )
    if not file.columns:
        yield from _scan(file, vignettes)
        return
    lacking = [name for name in ("Item", "Label") if name not in file.columns]
    if lacking:
        raise SourceError(
            f"{file.name}, section [Data], column {lacking[0]}: not there. Process the image again."
        )
    heads: dict[str, RowFields] = {}
    untold: dict[str, tuple[tuple[str, str], ...]] = {}
    seen: set[str] = set()
    for row in file.rows:
        if row.error is not None:
            yield Item(f"{file.name}, line {row.line}", row.line, error=row.error)
            continue
        label = row.cells["Label"]
        if label not in heads:
            heads[label] = head_fields(file, label, described)
            untold[label] = tuple(heads[label].notes)
        item = _item(file, row, heads[label], vignettes, seen)
        if item.error is None:
            item = replace(item, notes=untold.pop(label, ()))
        yield item
    if not heads:
        raise SourceError(f"{file.name}, section [Data]: no object. Process the image again.")


def _scan(file: SectionedFile, vignettes: Vignettes) -> Iterator[Item]:
    """Yields what is known of a scan that was not cut into vignettes."""
    stem = posixpath.splitext(posixpath.basename(file.name))[0]
    reason = "describes a whole scan: cut it into vignettes in ZooImage (.zid)"
    yield Item(file.name, skip_reason=reason)
    if (scan := vignettes.take(stem)) is not None:
        reason = "a whole scan of many organisms, not cut into vignettes"
        yield Item(scan.name, skip_reason=reason)


def _item(
    file: SectionedFile,
    row: TableLine,
    head: RowFields,
    vignettes: Vignettes,
    seen: set[str],
) -> Item:
    where = f"{file.name}, line {row.line}"
    written = row.cells["Item"]
    name = f"{row.cells['Label']}_{written}"
    vignette = vignettes.take(name)
    fault = None
    if not written or not row.cells["Label"]:
        fault = "blank Item or Label. Mend the line."
    elif name in seen:
        fault = f"'{written}' is there twice. Remove one of the two lines."
    elif vignette is None:
        fault = f"'{written}': no vignette {name}.jpg or .png in the input. Make the .zid again."
    if fault is not None or vignette is None:
        return Item(where, row.line, error=f"{where}, column Item: {fault}")
    seen.add(name)
    fields = {**head.fields, "specimen_id": name}
    if vignette.label:
        fields["written_label"] = vignette.label
    for column, text in row.cells.items():
        if column not in {"Item", "Label"} and text:
            fields.setdefault(f"extra:{column}", text)
    return Item(name, row.line, fields, vignette.at, None, posixpath.basename(vignette.name))
