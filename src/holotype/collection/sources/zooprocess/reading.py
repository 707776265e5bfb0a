"""A ZooProcess input -> items: the tables of its scans, their vignettes, and what is left over."""

import posixpath
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from holotype.collection.reading.companions import Companions, companions
from holotype.collection.reading.fields import RowFields
from holotype.collection.reading.sections import SectionedFile, TableLine, open_sections
from holotype.collection.reading.vignettes import Vignettes
from holotype.collection.sources.item import Item, SourceOptions, left_out
from holotype.collection.sources.zooprocess.scan import scan_fields
from holotype.errors import SourceError
from holotype.media.members import Member, is_archive

_TABLE = re.compile(r"(_dat1\.(pid|txt)|\.pid)$", re.IGNORECASE)
_LABEL_COLUMNS = (("valid", "validated"), ("pred", "predicted"))
_KINDS = (
    (re.compile(r"^ecotaxa.*\.tsv$"), "an EcoTaxa table: import it as ecotaxa"),
    (re.compile(r"_(log|meta|meas)\.txt$"), "a log or description of the scan"),
    (re.compile(r"_(msk|out|sep|vis)\d*\.(gif|zip|tif)$"), "a mask, outline or whole scan"),
)
"""Other files that ZooProcess writes, and what they are."""


def read(path: Path, options: SourceOptions) -> Iterator[Item]:
    """Yields one item for each object of each scan, then one for each file that no table names.

    Raises:
        SourceError: when there is nothing at the path, or no ``_dat1.pid`` in it.
    """
    alone = path.is_file() and not is_archive(path)
    files = companions(path, options.spool)
    tables = [m for m in files.listed() if m.skip_reason is None and _TABLE.search(m.name)]
    if not tables:
        raise SourceError(
            f"{path}: no _dat1.pid table in it. Give the folder of a ZooProcess project or scan."
        )
    vignettes = Vignettes(frozenset(posixpath.dirname(table.name) for table in tables))
    rest = list(_vignettes(companions(path.parent, options.spool) if alone else files, vignettes))
    if options.images is not None:
        list(_vignettes(companions(options.images, options.spool), vignettes))
    labelled = {_scan_name(table.name) for table in tables if table.suffix == ".txt"}
    for table in tables:
        if table.suffix != ".txt" and _scan_name(table.name) in labelled:
            yield Item(table.name, skip_reason="the _dat1.txt of the same scan has its labels too")
            continue
        try:
            yield from _scan_items(open_sections(table), vignettes)
        except SourceError as reason:
            yield Item(table.name, error=str(reason))
    if not alone:
        yield from rest
        yield from vignettes.left_over()


def _vignettes(files: Companions, vignettes: Vignettes) -> Iterator[Item]:
    """Takes the images of a folder or archive; yields what is neither an image nor a table."""
    for member in files.listing():
        reason = member.skip_reason or _kind(member)
        if reason is not None:
            yield left_out(member, reason)
        elif not _TABLE.search(member.name) and not vignettes.add(member):
            yield Item(member.name, skip_reason="neither a ZooProcess table nor an image")


def _kind(member: Member) -> str | None:
    name = posixpath.basename(member.name)
    return next((said for pattern, said in _KINDS if pattern.search(name)), None)


def _scan_name(name: str) -> str:
    return _TABLE.sub("", posixpath.basename(name))


def _scan_items(file: SectionedFile, vignettes: Vignettes) -> Iterator[Item]:
    if file.mark.upper() != "PID":
        raise SourceError(
            f"{file.name}, line 1: '{file.mark[:40]}' where a ZooProcess table has 'PID'. "
            "Process the scan again, or remove the file."
        )
    lacking = [name for name in ("Item", "Label") if name not in file.columns]
    if lacking:
        raise SourceError(
            f"{file.name}, section [Data], column {lacking[0]}: not there. Process the scan again."
        )
    head = scan_fields(file)
    notes, seen, count = tuple(head.notes), set[str](), 0
    for row in file.rows:
        count += 1
        if row.error is not None:
            yield Item(f"{file.name}, line {row.line}", row.line, error=row.error)
            continue
        item = _item(file, row, head, vignettes, seen)
        if item.error is None and notes:
            item, notes = replace(item, notes=notes), ()
        yield item
    if count == 0:
        raise SourceError(f"{file.name}, section [Data]: no object. Process the scan again.")


def _item(
    file: SectionedFile,
    row: TableLine,
    head: RowFields,
    vignettes: Vignettes,
    seen: set[str],
) -> Item:
    where = f"{file.name}, line {row.line}"
    name = f"{row.cells['Label']}_{row.cells['Item']}"
    if not row.cells["Item"] or not row.cells["Label"]:
        column = "Item" if not row.cells["Item"] else "Label"
        return Item(where, row.line, error=f"{where}, column {column}: blank. Mend the line.")
    if name in seen:
        said = f"'{row.cells['Item']}' is there twice. Remove one of the two lines."
        return Item(where, row.line, error=f"{where}, column Item: {said}")
    seen.add(name)
    vignette = vignettes.take(name)
    if vignette is None:
        return Item(
            where,
            row.line,
            error=f"{where}, column Item: no vignette {name}.jpg or .png in the input. "
            "Extract the vignettes, or say where they are (--images).",
        )
    fields = {**head.fields, "specimen_id": name, "acquisition_id": row.cells["Label"]}
    fields |= _label(row, vignette.label)
    for column, text in row.cells.items():
        if column not in {"Item", "Label"} and text:
            fields.setdefault(f"extra:{column}", text)
    return Item(name, row.line, fields, vignette.at, None, posixpath.basename(vignette.name))


def _label(row: TableLine, folder: str) -> dict[str, str]:
    """Returns the label: of the table (the last validation, else the prediction), else of the folder."""
    for start, status in _LABEL_COLUMNS:
        columns = [c for c in row.cells if c.lower() == start or c.lower().startswith(f"{start}_")]
        if start == "valid":
            columns += [c for c in row.cells if c.lower().startswith("pred_valid")]
        else:
            columns = [c for c in columns if not c.lower().startswith("pred_valid")]
        text = next((row.cells[c] for c in reversed(columns) if row.cells[c].strip()), "")
        if text and text.lower() != "nan":
            return {"written_label": text, "label_status": status}
    return {"written_label": folder} if folder else {}
