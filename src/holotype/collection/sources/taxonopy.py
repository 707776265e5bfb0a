"""TaxonoPy tables and others of their columns: ``uuid``, seven ranks, ``scientific_name``, ``common_name``.

Read are its input (CSV or Parquet), its output (``*.resolved.*``, ``*.unsolved.*``; a file or the output
folder), and tables of embeddings or images with the same columns and the address of each image. Vectors are
left out.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from holotype.collection.reading.distinct import SeenNames
from holotype.collection.reading.fields import RowFields
from holotype.collection.reading.rows import (
    TABLE_ENDINGS,
    bad_row,
    binomial,
    common_name,
    lower_names,
    open_rows,
    require_columns,
    whole_id,
)
from holotype.collection.reading.tabular import TextTable
from holotype.collection.sources.item import Item, Source, SourceOptions, left_out
from holotype.errors import SourceError
from holotype.media.locations import FileAt
from holotype.media.members import members
from holotype.taxonomy.lineage import LINNAEAN_RANKS

_RANKS = tuple(rank.value for rank in LINNAEAN_RANKS)
_ADDRESSES = ("identifier", "source_url", "image_url", "url")
_WHOLE = ("source_id", "final_data_source_id", "meta_candidate_count", "meta_selected_record_id",
          "meta_accepted_record_id", "meta_disambiguated_record_id")  # fmt: skip


def read(path: Path, options: SourceOptions) -> Iterator[Item]:
    """Yields one item for each row. Of rows with one uuid the first is taken, those with common names first.

    Raises:
        SourceError: when no such table is there.
    """
    if path.is_file():
        table = open_rows(path)
        require_columns(table, ["uuid", "kingdom", "species"], "a table of TaxonoPy")
        yield from _items(table, "", SeenNames())
        return
    seen, found = SeenNames(), False
    listed = sorted(members(path, options.spool), key=lambda member: not _has_common(member.name))
    for member in listed:
        if not isinstance(member.at, FileAt) or not member.name.lower().endswith(TABLE_ENDINGS):
            yield left_out(member, "no table of names")
            continue
        table = open_rows(Path(member.at.path))
        if "uuid" not in {name.lower() for name in table.header}:
            yield Item(member.name, skip_reason="a table without uuid")
            continue
        found = True
        yield from _items(replace(table, name=member.name), f"{member.name} ", seen)
    if not found:
        raise SourceError(f"{path}: no table with a column uuid. Name the table itself.")


def _has_common(name: str) -> bool:
    return "common" in name.lower().split("/")[:-1]


def _items(table: TextTable, prefix: str, seen: SeenNames) -> Iterator[Item]:
    for row in table.rows:
        place = f"{prefix}line {row.line}"
        if row.error is not None:
            yield Item(place, row.line, error=bad_row(table, row))
            continue
        item = _record(RowFields(f"{table.name}, line {row.line}", lower_names(row.values)))
        if item.name and not seen.add(item.name):
            reason = f"uuid {item.name} has a row before this one"
            yield Item(place, row.line, skip_reason=reason)
        else:
            yield replace(item, name=item.name or place, row=row.line)


def _record(row: RowFields) -> Item:
    name = row.written("uuid")
    for rank in _RANKS:
        row.text(rank, rank)
    if "species" in row.fields:
        row.fields["species"] = binomial(row.fields.get("genus", ""), row.fields["species"])
    label = row.text("written_label", "scientific_name")
    if not label and (ranked := [row.fields[rank] for rank in _RANKS if rank in row.fields]):
        row.fields["written_label"] = ranked[-1]
    if common := common_name(row.first("common_name", "common"), row.fields):
        row.fields["vernacular_name"] = common
    address = row.first(*_ADDRESSES)
    if address.startswith(("http://", "https://")):
        row.fields["image_url"] = address
    elif address:
        row.fields["extra:image_address"] = address
    row.text("licence", "license_name", "license", "licence")
    row.text("rights_holder", "copyright_owner", "rights_holder", "rightsholder")
    for column in _WHOLE:
        if number := whole_id(row.written(column)):
            row.fields[f"extra:{column}"] = number
    row.keep_extra()
    named = {"written_label", "image_url", *_RANKS} & row.fields.keys()
    if not named:
        return Item(name, skip_reason="a row without a name in any rank")
    return Item(name, fields=row.fields, notes=tuple(row.notes))


SOURCE = Source(
    "taxonopy", "TaxonoPy input and output, and tables of images by address with its columns", read
)
