"""Columns of Hugging Face image data sets -> columns of a collection, by name.

Known are planktonzilla-17M's and what other data sets commonly call theirs. Numbered labels become names.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from holotype.collection.reading.fields import RowFields, whole_number
from holotype.collection.reading.rows import binomial, common_name, held_columns, whole_id
from holotype.collection.sources.item import Item
from holotype.taxonomy.lineage import LINNAEAN_RANKS

_RANKS = tuple(rank.value for rank in LINNAEAN_RANKS)
_IFCB_BIN = re.compile(r"^(D\d{8}T\d{6}_IFCB\d+|IFCB\d+_\d{4}_\d{3}_\d{6})", re.IGNORECASE)
_LABELS = ("original_label", "label", "labels", "fine_label", "class_label", "class_name", "taxon",
           "scientific_name", "name")  # fmt: skip
_IDS = ("record_id", "uuid", "treeoflife_id", "image_id", "id")
_DATES = ("timestamp", "date", "eventdate")
_TEXTS: dict[str, tuple[str, ...]] = {
    **{rank: (rank,) for rank in _RANKS},
    "qualifier": ("qualifier",),
    "kind": ("root_class",),
    "specimen_id": ("specimen_id", "occurrenceid"),
    "instrument": ("instrument",),
    "instrument_id": ("instrument_id",),
    "licence": ("license", "licence", "license_name"),
    "rights_holder": ("rights_holder", "rightsholder", "copyright_owner", "author"),
    "image_url": ("image_url", "source_url"),
    "barcode": ("barcode", "dna_barcode", "nucraw"),
    "bin_uri": ("bin_uri", "dna_bin"),
}
_COMMON = ("common_name", "common", "vernacular_name")
_PLACES: dict[str, tuple[str, ...]] = {
    "latitude_deg": ("latitude", "lat", "decimallatitude"),
    "longitude_deg": ("longitude", "lon", "decimallongitude"),
}
_TAXON_IDS: dict[str, tuple[str, ...]] = {
    "aphia_id": ("aphia_id", "aphiaid"),
    "ncbi_id": ("ncbi_id", "ncbi_taxid"),
    "bold_id": ("bold_id",),
    "gbif_id": ("gbif_id",),
    "ecotaxa_id": ("ecotaxa_id",),
    "wikidata_id": ("wikidata_id",),
}

Columns = Mapping[str, tuple[str, ...]]
"""Column of a collection -> the columns of the table that give it."""


@dataclass(frozen=True)
class Labelling:
    """What a file says about its rows as a whole.

    Attributes:
        class_names: lower-case column of numbered labels -> their names in order.
        split: the part of the split the file is, or "".
        texts, places, common: which of its columns give what.
    """

    class_names: Mapping[str, Sequence[str]]
    split: str
    texts: Columns
    places: Columns
    common: tuple[str, ...]


def labelling(
    header: Sequence[str], class_names: Mapping[str, Sequence[str]], split: str
) -> Labelling:
    """Returns what a file of these columns says about its rows."""
    named = {column.lower(): names for column, names in class_names.items() if names}
    texts = held_columns(_TEXTS | _TAXON_IDS, header)
    common = held_columns({"": _COMMON}, header).get("", ())
    return Labelling(named, split, texts, held_columns(_PLACES, header), common)


def record_item(row: RowFields, file: Labelling, written_path: str, otherwise: str) -> Item:
    """Returns the item of one row, without its image.

    Args:
        row: the row, under lower-case column names.
        file: what its file says.
        written_path: path of the image as the cell has it, or "".
        otherwise: name of the item where the row has neither path nor id.
    """
    _label(row, file.class_names)
    for target, columns in file.texts.items():
        row.text(target, *columns)
    for target in sorted(_TAXON_IDS.keys() & row.fields.keys()):
        parts = row.fields[target].split(";")
        row.fields[target] = ";".join(whole_id(part) for part in parts if part.strip())
    if "species" in row.fields:
        row.fields["species"] = binomial(row.fields.get("genus", ""), row.fields["species"])
    if common := common_name(row.first(*file.common), row.fields):
        row.fields["vernacular_name"] = common
    for target, columns in file.places.items():
        row.position(target, *columns)
    row.number("depth_min_m", "depth_min")
    row.number("depth_max_m", "depth_max")
    if date_column := next((column for column in _DATES if row.values.get(column)), None):
        row.moment("collected_on", date_column)
    row.text("upstream_split", "split")
    if file.split:
        row.fields["upstream_split"] = file.split
    name = _name(row, written_path) or otherwise
    row.keep_extra()
    return Item(name, fields=row.fields, notes=tuple(row.notes))


def _name(row: RowFields, written_path: str) -> str:
    """Returns data set and path at the source, else an id of the row, else ""."""
    if object_id := whole_id(row.written("objid")):
        is_bin = _IFCB_BIN.match(object_id) is not None
        row.fields["acquisition_id" if is_bin else "extra:objid"] = object_id
    path = row.values.get("original_path", "") or written_path
    data_set = row.values.get("dataset", "")
    if path and not path.startswith(("http://", "https://")):
        return f"{data_set}/{path.lstrip('/')}" if data_set else path.lstrip("/")
    return next((whole_id(found) for column in _IDS if (found := row.values.get(column, ""))), "")


def _label(row: RowFields, class_names: Mapping[str, Sequence[str]]) -> None:
    """Puts the label as written; a number becomes the name that the file has for it."""
    named = {column: _named(row, column, names) for column, names in class_names.items()}
    row.values = {**row.values, **named}
    chosen = next((column for column in (*_LABELS, *named) if row.values.get(column)), None)
    if chosen is None:
        return
    label = row.text("written_label", chosen)
    if chosen not in named and re.fullmatch(r"\d+", label):
        row.note("label", chosen, "is a number without a name", "give a table of labels")


def _named(row: RowFields, column: str, names: Sequence[str]) -> str:
    written = row.values.get(column, "")
    if not written or written == "-1":
        return ""
    if (number := whole_number(written, most=len(names) - 1)) is not None:
        return names[number]
    row.note("label", column, f"is none of the {len(names)} classes", "mend the label")
    return ""
