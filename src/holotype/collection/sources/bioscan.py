"""BIOSCAN-1M and BIOSCAN-5M: metadata with barcodes, and images in folders, zips or tars.

Gharaee et al. 2023 (BIOSCAN-1M, arXiv:2307.10455) and 2024 (BIOSCAN-5M, arXiv:2406.12723). The two are told
apart by their columns; ``not_classified`` is missing. A record whose image is not there keeps its barcode,
with a note.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from holotype.collection.reading.distinct import DistinctNames
from holotype.collection.reading.fields import RowFields
from holotype.collection.reading.image_index import FindImage, find_images
from holotype.collection.reading.rows import (
    TABLE_ENDINGS,
    bad_row,
    binomial,
    lower_names,
    open_rows,
    require_columns,
    whole_id,
)
from holotype.collection.reading.tabular import TextTable
from holotype.collection.sources.item import Item, Source, SourceOptions
from holotype.errors import MediaError, SourceError, first_few

_PACKAGES = ("cropped_256", "original_256", "cropped", "original_full")
_ABOVE = (
    "images",
    *(f"{start}{package}" for start in ("", "images/") for package in _PACKAGES),
    *(f"{root}/images/{package}" for root in ("bioscan5m", "bioscan") for package in _PACKAGES),
)
_BESIDE = frozenset(
    {
        "pretrain", "train", "val", "test", "key_unseen", "val_unseen", "test_unseen",
        "other_heldout", "images", "bioscan5m", "bioscan", *_PACKAGES,
    }
)  # fmt: skip
"""Folders that show that the images lie beside the metadata."""
_RANKS = ("phylum", "class", "order", "family", "genus")
_OTHER_RANKS = ("subfamily", "tribe", "subspecies")


@dataclass(frozen=True)
class _Edition:
    """Where one of the two keeps what it names otherwise than the other.

    Attributes:
        label, barcode, bin_uri, split: columns.
        others_whole: columns of whole numbers that may be written with ".0".
    """

    label: str
    barcode: str
    bin_uri: str
    split: str
    others_whole: tuple[str, ...]


_FIVE = _Edition("taxon", "dna_barcode", "dna_bin", "split", ("chunk", "index_bioscan_1m_insect"))
_ONE = _Edition("name", "nucraw", "uri", "large_insect_order", ("chunk_number",))


def read(path: Path, options: SourceOptions) -> Iterator[Item]:
    """Yields one item for each row of the metadata.

    ``options.images`` is a folder, a zip or tar, or a folder of such parts; without it the images are looked
    for beside the metadata. ``options.columns`` may name another column of the table for a column of the
    collection, as ``upstream_split=small_diptera_family``.

    Raises:
        SourceError: when there is no metadata of BIOSCAN.
    """
    table = open_rows(_metadata(path) if path.is_dir() else path)
    require_columns(table, ["processid", "sampleid"], "metadata of BIOSCAN")
    header = {name.strip().lower() for name in table.header}
    edition = _FIVE if "dna_barcode" in header else _ONE
    require_columns(table, [edition.barcode], "metadata of BIOSCAN")
    root = _image_root(path, options)
    images = find_images(root, options.spool, above=_ABOVE) if root else None
    yield from _items(table, edition, images, options)


def _metadata(folder: Path) -> Path:
    """Returns the one table of a folder that is metadata of BIOSCAN."""
    found = []
    for place in sorted(folder.rglob("*")):
        near = len(place.relative_to(folder).parts) <= 4
        if near and place.is_file() and place.name.lower().endswith(TABLE_ENDINGS):
            header = {name.strip().lower() for name in open_rows(place).header}
            if {"processid", "sampleid"} <= header and header & {"dna_barcode", "nucraw"}:
                found.append(place)
    if len(found) != 1:
        names = first_few([str(place.relative_to(folder)) for place in found]) or "none"
        raise SourceError(
            f"{folder}: one table of metadata is expected, found {names}. "
            "Name the table itself, and the images with --images."
        )
    return found[0]


def _image_root(path: Path, options: SourceOptions) -> Path | None:
    if options.images is not None:
        return options.images
    folder = path if path.is_dir() else path.parent
    beside = any(p.name in _BESIDE or p.name.startswith("part") for p in folder.iterdir())
    return folder if beside else None


def _items(
    table: TextTable, edition: _Edition, images: FindImage | None, options: SourceOptions
) -> Iterator[Item]:
    names = DistinctNames()
    chosen = {target: column.lower() for target, column in options.columns.items()}
    header = {name.strip().lower() for name in table.header}
    for column in chosen.values():
        require_columns(replace(table, header=tuple(header)), [column], "the table that was meant")
    for row in table.rows:
        if row.error is not None:
            yield Item(
                names.name(f"line {row.line}", row.line), row.line, error=bad_row(table, row)
            )
            continue
        fields = RowFields(f"{table.name}, line {row.line}", lower_names(row.values))
        name = fields.written("processid") or f"line {row.line}"
        item = _record(fields, edition, images)
        for target, column in chosen.items():
            if text := fields.written(column):
                item = replace(item, fields={**item.fields, target: text})
        yield replace(item, name=names.name(name, row.line), row=row.line)


def _record(row: RowFields, edition: _Edition, images: FindImage | None) -> Item:
    row.text("specimen_id", "sampleid")
    row.text("written_label", edition.label)
    row.fields["kingdom"] = "Animalia"
    for rank in _RANKS:
        row.text(rank, rank)
    for rank in _OTHER_RANKS:
        row.text(f"rank:{rank}", rank)
    if species := row.written("species"):
        row.fields["species"] = binomial(row.fields.get("genus", ""), species)
    if row.text("barcode", edition.barcode):
        row.fields["marker"] = "COI-5P"
    row.text("bin_uri", edition.bin_uri)
    row.text("country", "country")
    row.position("latitude_deg", "coord-lat", "lat", "latitude")
    row.position("longitude_deg", "coord-lon", "lon", "longitude")
    row.text("upstream_split", edition.split)
    row.text("licence", "copyright_license")
    row.text("rights_holder", "copyright_holder")
    for column in edition.others_whole:
        if number := whole_id(row.written(column)):
            row.fields[f"extra:{column}"] = number
    wanted = _image_path(row, edition)
    row.keep_extra()
    item = Item("", fields=row.fields, notes=tuple(row.notes))
    if images is None or not wanted:
        return item
    try:
        return replace(item, image=images(wanted), image_name=wanted.rpartition("/")[2])
    except MediaError as reason:
        said = f"{row.where}: {reason}: kept without it; fetch the part that has it"
        return replace(item, notes=(*item.notes, ("image", said)))


def _image_path(row: RowFields, edition: _Edition) -> str:
    """Returns ``split/chunk/processid.jpg`` (5M) or ``part<chunk>/<image_file>`` (1M), "" where unknown."""
    chunk = row.fields.get(f"extra:{edition.others_whole[0]}", "")
    if edition is _ONE:
        file_name = row.written("image_file")
        return f"part{chunk}/{file_name}" if file_name and chunk else file_name
    process = row.written("processid")
    split = row.written("split")
    return "/".join(part for part in (split, chunk, f"{process}.jpg") if part) if process else ""


SOURCE = Source("bioscan", "BIOSCAN-1M and BIOSCAN-5M metadata with their images", read)
