"""An EcoTaxa input -> items: which files are tables, where their images lie, what is left over."""

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from holotype.collection.reading.companions import (
    Companions,
    beside,
    companions,
    of_other_ending,
)
from holotype.collection.reading.fields import RowFields
from holotype.collection.sources.ecotaxa.rows import row_fields
from holotype.collection.sources.ecotaxa.rules import Rules
from holotype.collection.sources.ecotaxa.tables import (
    EcotaxaTable,
    TableRow,
    open_ecotaxa,
    table_columns,
)
from holotype.collection.sources.item import Item, SourceOptions, left_out
from holotype.errors import SourceError
from holotype.media.images import IMAGE_SUFFIXES
from holotype.media.locations import Location
from holotype.media.members import Member, is_archive

_TABLE_ENDINGS = (".tsv", ".txt", ".tsv.gz", ".txt.gz")
_SUMMARIES = (
    frozenset({"taxonid", "count"}),
    frozenset({"taxonid", "biovolume"}),
    frozenset({"taxonid", "concentration"}),
    frozenset({"display_name", "nbr"}),
)
"""Columns of the exports that count: their rows are taxa, no images."""
_NO_TABLE = "Give a folder or zip with tables named ecotaxa*.tsv or ecotaxa*.txt, or UVP6 *Images.zip files."
_A_SUMMARY = "an EcoTaxa summary: its rows are taxa, no images"


@dataclass
class _Found:
    """What one folder or archive holds."""

    tables: list[Member] = field(default_factory=list)
    archives: list[Member] = field(default_factory=list)
    summaries: list[Member] = field(default_factory=list)
    misnamed: list[Member] = field(default_factory=list)

    @property
    def names(self) -> frozenset[str]:
        lists = (self.tables, self.archives, self.summaries, self.misnamed)
        return frozenset(member.name for members in lists for member in members)


def read(path: Path, options: SourceOptions) -> Iterator[Item]:
    """Yields one item for each row, then one for each file that no row names.

    Raises:
        SourceError: when there is nothing at the path, or neither an EcoTaxa table nor a UVP6 zip in it.
    """
    files = companions(path, options.spool)
    alone = path.is_file() and not is_archive(path)
    found = _Found(tables=list(files.listed())) if alone else _sorted_out(files)
    if not found.names:
        raise SourceError(f"{path}: no EcoTaxa table in it. {_NO_TABLE}")
    elsewhere = None
    if options.images is not None:
        elsewhere = companions(options.images, options.spool)
        if elsewhere.folder is None:
            list(elsewhere.listed())
    rules = Rules()
    yield from _items(files, found, rules, elsewhere)
    for member in found.archives:
        yield from _nested_items(files, member, rules, elsewhere, options)
    if not alone:
        yield from _left_over(files, found)


def _nested_items(
    files: Companions,
    member: Member,
    rules: Rules,
    elsewhere: Companions | None,
    options: SourceOptions,
) -> Iterator[Item]:
    inner = files.nested(member, options.spool)
    try:
        found = _sorted_out(inner)
    except SourceError as reason:
        yield Item(member.name, error=str(reason))
        return
    if not found.tables:
        message = f"{member.name}: no EcoTaxa table in it. Put ecotaxa_<name>.tsv into the zip."
        yield Item(member.name, error=message)
    yield from _items(inner, found, rules, elsewhere)
    yield from _left_over(inner, found)


def _sorted_out(files: Companions) -> _Found:
    found = _Found()
    for member in files.listed():
        name = posixpath.basename(member.name)
        if member.skip_reason is not None:
            continue
        if name.startswith("ecotaxa") and name.lower().endswith(_TABLE_ENDINGS):
            found.tables.append(member)
        elif name.lower().endswith("images.zip"):
            found.archives.append(member)
        elif name.lower().endswith((*_TABLE_ENDINGS, ".csv")):
            columns = set(table_columns(member))
            if any(summary <= columns for summary in _SUMMARIES):
                found.summaries.append(member)
            elif "object_id" in columns:
                found.misnamed.append(member)
    return found


def _items(
    files: Companions, found: _Found, rules: Rules, elsewhere: Companions | None
) -> Iterator[Item]:
    for member in found.tables:
        rules.tables.append(member.name)
        try:
            yield from _table_items(open_ecotaxa(member), files, rules, elsewhere)
        except SourceError as reason:
            yield Item(member.name, error=str(reason))
    for member in found.misnamed:
        yield Item(
            member.name,
            error=f"{member.name}, line 1, column object_id: an EcoTaxa table whose name does not start with "
            f"'ecotaxa' in small letters, so that EcoTaxa does not read it. Call it "
            f"ecotaxa_{posixpath.basename(member.name)}, or give the file itself.",
        )
    for member in found.summaries:
        yield Item(member.name, skip_reason=_A_SUMMARY)


def _table_items(
    table: EcotaxaTable, files: Companions, rules: Rules, elsewhere: Companions | None
) -> Iterator[Item]:
    pending, rows = table.notes, 0
    for row in table.rows:
        name = f"{table.name}, line {row.line}"
        if row.error is not None:
            yield Item(name, row.line, error=row.error)
        elif not row.values:
            yield Item(name, row.line, skip_reason="a row of empty cells")
            continue
        else:
            item = _row_item(table, row, files, rules, elsewhere)
            if item.error is None and pending:
                item, pending = replace(item, notes=pending + item.notes), ()
            yield item
        rows += 1
    if rows == 0:
        odd = " ".join(f"{said}." for _, said in table.notes)
        yield Item(
            table.name,
            error=f"{table.name}, line 2, column object_id: no object under the header. {odd} "
            "Write one row for each image, or remove the table.".replace("  ", " "),
        )
    elif pending:
        said = "; ".join(said for _, said in pending)
        yield Item(f"{table.name}, header", 1, error=f"{said}. No row of the table was good.")


def _row_item(
    table: EcotaxaTable,
    row: TableRow,
    files: Companions,
    rules: Rules,
    elsewhere: Companions | None,
) -> Item:
    fields = row_fields(table, row)
    object_id = fields.fields.get("specimen_id", "")
    image = row.values.get("img_file_name", "").strip()
    if object_id and (before := rules.repeats(object_id, image, row.line)):
        found = f"{object_id}' with image '{image}" if image else object_id
        fault = _fault(fields, "object_id", found, f"is in {before} already")
        return Item(fields.where, row.line, error=f"{fault} Remove one of the two rows.")
    faults = []
    if not object_id:
        found = row.values.get("object_id", "")
        fault = _fault(fields, "object_id", found, "names no object")
        faults.append(f"{fault} Write the id of the object.")
    rules.check(fields)
    at, wrong = _image(fields, table.name, image, files, elsewhere)
    faults += [wrong] if wrong else []
    if faults:
        also = [f"Also {said}." for _, said in fields.notes]
        return Item(fields.where, row.line, error=" ".join([*faults, *also]))
    return Item(
        rules.item_name(object_id, image),
        row.line,
        fields.fields,
        image=at,
        image_name=posixpath.basename(image.replace("\\", "/")) or None,
        notes=tuple(fields.notes),
    )


def _image(
    fields: RowFields, table: str, image: str, files: Companions, elsewhere: Companions | None
) -> tuple[Location | None, str | None]:
    """Returns where a row's image is, and what is wrong where it has one that cannot be used."""
    column = "img_file_name"
    if not image:
        if column in fields.values:
            said = "no image: the object is kept without one; name its image"
            fields.notes.append(("no_image", f"{fields.where}, column {column}: '': {said}"))
        return None, None
    inside = beside(table, image)
    if inside is None:
        fault = _fault(fields, column, image, "leads out of the input")
        return None, f"{fault} Put the image beside the table."
    shared = files.asked_before(inside)
    at = files.find(inside) or _found_elsewhere(elsewhere, inside, image)
    if at is None:
        fault = _fault(fields, column, image, "is not beside the table")
        remedy = "Add the image, mend its name, or say where the images are (--images)."
        return None, f"{fault}{of_other_ending(files, inside)} {remedy}"
    if shared:
        said = "an earlier object has this image too; see that each object has its own"
        fields.notes.append(("image_twice", f"{fields.where}, column {column}: '{image}': {said}"))
    return at, None


def _fault(fields: RowFields, column: str, found: str, said: str) -> str:
    return f"{fields.where}, column {column}: '{found}' {said}."


def _found_elsewhere(elsewhere: Companions | None, inside: str, written: str) -> Location | None:
    """Returns the image in ``--images``: by its path in the input, as written, or by its bare name."""
    if elsewhere is None:
        return None
    for name in (inside, beside("", written), posixpath.basename(inside)):
        if name and (at := elsewhere.find(name)) is not None:
            return at
    return None


def _left_over(files: Companions, found: _Found) -> Iterator[Item]:
    """Yields the files that are no table and that no row named."""
    known = found.names
    for member in files.listing():
        if member.name in known or files.asked_before(member.name):
            continue
        reason = member.skip_reason
        if reason is None and member.suffix in IMAGE_SUFFIXES:
            reason = "an image that no good row names"
        yield left_out(member, reason or "neither an EcoTaxa table nor an image")
