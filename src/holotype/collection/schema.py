"""The columns of a collection, with types, units and meaning; the format page is made from this table.

Format: docs/formats/collection.md. Missing is null, never "" or "unknown".
"""

import json
from dataclasses import dataclass
from enum import StrEnum

import pyarrow as pa

from holotype.taxonomy.lineage import LINNAEAN_RANKS

FORMAT = "holotype-collection"
VERSION = 1


@dataclass(frozen=True)
class Column:
    """One column: its Arrow type and what it means."""

    name: str
    type: pa.DataType
    meaning: str


_TEXT, _REAL, _COUNT = pa.string(), pa.float64(), pa.int32()
IMAGE_TYPE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])

COLUMNS: tuple[Column, ...] = (
    Column("record_id", _TEXT, "MUST be present and unique in the collection"),
    Column("source", _TEXT, "MUST be present: the data set the record comes from"),
    Column("source_item", _TEXT, "MUST be present: path in the archive, or row of the table"),
    Column("specimen_id", _TEXT, "the organism; records that share it never cross a split"),
    Column("image", IMAGE_TYPE, "the encoded image as it came, and its file name"),
    Column("image_width_px", _COUNT, "upright, as decoded"),
    Column("image_height_px", _COUNT, "upright, as decoded"),
    Column("image_sha256", _TEXT, "of the encoded bytes; equal means the same file"),
    Column("pixel_size_um", _REAL, "micrometres per pixel"),
    Column("barcode", _TEXT, "IUPAC nucleotides, upper case, no gaps, no N at either end"),
    Column("marker", _TEXT, "the locus, as BOLD names it (COI-5P)"),
    Column("haplotype", _TEXT, "16 hexadecimal digits; equal means the same sequence"),
    Column("written_label", _TEXT, "the label exactly as the source has it"),
    *(Column(rank.value, _TEXT, f"{rank.value} (species: binomial)") for rank in LINNAEAN_RANKS),
    Column(
        "other_ranks",
        pa.list_(pa.struct([("rank", pa.string()), ("name", pa.string())])),
        "further ranks of the source, wide to narrow",
    ),
    Column("qualifier", _TEXT, "what of the organism is shown: full_body, egg, larvae, part ..."),
    Column("kind", _TEXT, "living, detritus, artefact or inert"),
    Column("group", _TEXT, "the class of a record whose label is no taxon"),
    Column("aphia_id", _TEXT, "WoRMS"),
    Column("gbif_id", _TEXT, "GBIF usage key"),
    Column("ncbi_id", _TEXT, "NCBI Taxonomy"),
    Column("bold_id", _TEXT, "BOLD taxon"),
    Column("ecotaxa_id", _TEXT, "EcoTaxa taxa, ';' between several"),
    Column("wikidata_id", _TEXT, "Wikidata item"),
    Column("bin_uri", _TEXT, "Barcode Index Number"),
    Column("instrument", _TEXT, "the imaging system"),
    Column("latitude_deg", _REAL, "WGS 84, -90 to 90"),
    Column("longitude_deg", _REAL, "WGS 84, -180 to 180"),
    Column("depth_min_m", _REAL, "positive down"),
    Column("depth_max_m", _REAL, "positive down"),
    Column("collected_on", _TEXT, "ISO 8601 date or time"),
    Column("country", _TEXT, "as the source has it"),
    Column("upstream_split", _TEXT, "the part the source put it in, as written"),
    Column("licence", _TEXT, "of the record, as the source states it"),
    Column("rights_holder", _TEXT, "as the source states it"),
)

COLUMN_NAMES = tuple(column.name for column in COLUMNS)
REAL_COLUMNS = frozenset(column.name for column in COLUMNS if column.type == _REAL)
BOUNDS: dict[str, tuple[float, float]] = {
    "latitude_deg": (-90, 90),
    "longitude_deg": (-180, 180),
    "depth_min_m": (-500, 12_000),
    "depth_max_m": (-500, 12_000),
    "pixel_size_um": (1e-4, 1e5),
}


def _hugging_face_feature(column: Column) -> object:
    if column.name == "image":
        return {"_type": "Image"}
    if column.name == "other_ranks":
        value = {"dtype": "string", "_type": "Value"}
        return {"feature": {"rank": value, "name": value}, "_type": "List"}
    return {"dtype": str(column.type).replace("double", "float64"), "_type": "Value"}


RECORDS_SCHEMA = pa.schema(
    [pa.field(column.name, column.type) for column in COLUMNS],
    metadata={
        "huggingface": json.dumps(
            {
                "info": {
                    "features": {column.name: _hugging_face_feature(column) for column in COLUMNS}
                }
            }
        ),
        "holotype": json.dumps({"format": FORMAT, "version": VERSION}),
    },
)
"""The schema of the record shards; its metadata lets Hugging Face ``datasets`` show the images."""


class Outcome(StrEnum):
    """What became of one item of an input; the outcomes of a ledger add up to the items read."""

    IMPORTED = "imported"
    IMPORTED_WITH_NOTE = "imported_with_note"
    REJECTED = "rejected"
    REPEATED = "repeated"
    SKIPPED = "skipped"


LEDGER_SCHEMA = pa.schema(
    [
        ("input", pa.string()),
        ("item", pa.string()),
        ("row", pa.int64()),
        ("record_id", pa.string()),
        ("outcome", pa.string()),
        ("reason", pa.string()),
        ("detail", pa.string()),
    ]
)
"""One row for each item read: which, what became of it, and why (a short code, then a sentence)."""
