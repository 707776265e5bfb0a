"""The columns of a collection, with types, units and meaning; the format page is made from this table.

Format: docs/formats/collection.md. Missing is null, never "" or "unknown".
"""

import json
from dataclasses import dataclass
from enum import StrEnum

import pyarrow as pa

from holotype.taxonomy.lineage import LINNAEAN_RANKS

FORMAT = "holotype-collection"
VERSION = 2


@dataclass(frozen=True)
class Column:
    """One column: its Arrow type and what it means."""

    name: str
    type: pa.DataType
    meaning: str


_TEXT, _REAL, _COUNT = pa.string(), pa.float64(), pa.int32()
IMAGE_TYPE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])

ENVIRONMENT_FIELDS = [
    ("variable", pa.string()),
    ("value", pa.float64()),
    ("unit", pa.string()),
    ("grid", pa.string()),
    ("distance_km", pa.float64()),
    ("depth_difference_m", pa.float64()),
    ("time_difference_h", pa.float64()),
]

COLUMNS: tuple[Column, ...] = (
    Column("record_id", _TEXT, "MUST be present and unique in the collection"),
    Column("source", _TEXT, "MUST be present: the data set the record comes from"),
    Column("source_item", _TEXT, "MUST be present: path in the archive, or row of the table"),
    Column(
        "content_hash", _TEXT, "16 hexadecimal digits of all that the source gives for the record"
    ),
    Column("specimen_id", _TEXT, "the organism; records that share it never cross a split"),
    Column("image", IMAGE_TYPE, "the encoded image as it came, and its file name"),
    Column("image_width_px", _COUNT, "upright, as decoded"),
    Column("image_height_px", _COUNT, "upright, as decoded"),
    Column("image_sha256", _TEXT, "of the encoded bytes; equal means the same file"),
    Column(
        "image_phash", _TEXT, "perceptual hash, 16 hexadecimal digits; few differing bits: alike"
    ),
    Column("image_url", _TEXT, "where the source keeps the image"),
    Column("grey_mean", _REAL, "mean grey level, 0 to 255"),
    Column("grey_sd", _REAL, "standard deviation of the grey levels; near 0 means blank"),
    Column("object_esd_px", _REAL, "diameter of the disc with the area of what stands out"),
    Column("image_flags", _TEXT, "';' between blank, truncated_crop, scale_bar; null for none"),
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
    Column("insdc_accession", _TEXT, "GenBank, ENA or DDBJ accession of the barcode"),
    Column("vernacular_name", _TEXT, "common name, as the source has it"),
    Column("name_status", _TEXT, "of the last name matching: matched, no_match or service_failed"),
    Column(
        "name_match",
        _TEXT,
        "how: label_table, or as in the review: exact, synonym, fuzzy, word ...",
    ),
    Column(
        "given_lineage",
        _TEXT,
        "JSON, rank to name: what the source gave, where a match wrote over it",
    ),
    Column("backbone", _TEXT, "the reference taxonomy of the match, with its version"),
    Column("label_status", _TEXT, "validated, predicted or dubious, where the source says"),
    Column("labelled_by", _TEXT, "person or classifier that gave the label"),
    Column("instrument", _TEXT, "the imaging system"),
    Column("instrument_id", _TEXT, "NERC vocabulary L22 concept, as L22/TOOL1582"),
    Column("sample_id", _TEXT, "net haul, water sample or trap that the organism was taken in"),
    Column("acquisition_id", _TEXT, "run, bin, scan or profile: what was imaged in one go"),
    Column("cruise", _TEXT, "cruise, campaign or project"),
    Column("site", _TEXT, "station or place, as the source has it"),
    Column("latitude_deg", _REAL, "WGS 84, -90 to 90"),
    Column("longitude_deg", _REAL, "WGS 84, -180 to 180"),
    Column("depth_min_m", _REAL, "positive down"),
    Column("depth_max_m", _REAL, "positive down"),
    Column(
        "collected_on", _TEXT, "ISO 8601 date or time; its zone is known where an offset is written"
    ),
    Column("place_from", _TEXT, "how latitude and longitude are known, or why not"),
    Column("depth_from", _TEXT, "how the depth is known, or why not"),
    Column("time_from", _TEXT, "how collected_on is known, or why not"),
    Column("country", _TEXT, "as the source has it"),
    Column("sampled_volume_l", _REAL, "litres of water that the sample or the run stands for"),
    Column("subsample_fraction", _REAL, "part of the sample that was imaged, above 0 to 1"),
    Column(
        "environment",
        pa.list_(pa.struct(ENVIRONMENT_FIELDS)),
        "values of grids the user joined, with the distance to the cell",
    ),
    Column("upstream_split", _TEXT, "the part the source put it in, as written"),
    Column("licence", _TEXT, "of the image or barcode: SPDX where it is one, else as stated"),
    Column(
        "licence_from", _TEXT, "record, source or user: who stated the licence; null where none"
    ),
    Column("rights_holder", _TEXT, "as the source states it"),
    Column("citation", _TEXT, "how the source asks to be cited: DOI or text"),
    Column("extra", _TEXT, "JSON: what the source has and no column here takes, as text"),
)

COLUMN_NAMES = tuple(column.name for column in COLUMNS)
REAL_COLUMNS = frozenset(column.name for column in COLUMNS if column.type == _REAL)
BOUNDS: dict[str, tuple[float, float]] = {
    "latitude_deg": (-90, 90),
    "longitude_deg": (-180, 180),
    "depth_min_m": (-500, 12_000),
    "depth_max_m": (-500, 12_000),
    "pixel_size_um": (1e-4, 1e5),
    "grey_mean": (0, 255),
    "grey_sd": (0, 255),
    "object_esd_px": (0, 1e6),
    "sampled_volume_l": (1e-9, 1e12),
    "subsample_fraction": (1e-12, 1),
}


class KnownFrom(StrEnum):
    """How the place, depth or time of a record is known, or why it is not: absence has a reason."""

    RECORD = "record"
    SAMPLE = "sample"
    FILE_NAME = "file_name"
    SOURCE = "source"
    NOT_GIVEN = "not_given"
    UNREADABLE = "unreadable"
    NOT_APPLICABLE = "not_applicable"


def _hugging_face_feature(column: Column) -> object:
    if column.name == "image":
        return {"_type": "Image"}
    if pa.types.is_list(column.type):
        parts = {part.name: _hugging_face_value(part.type) for part in column.type.value_type}
        return {"feature": parts, "_type": "List"}
    return _hugging_face_value(column.type)


def _hugging_face_value(of: pa.DataType) -> dict[str, str]:
    return {"dtype": str(of).replace("double", "float64"), "_type": "Value"}


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
    """What became of one item of an input; the outcomes of a ledger add up to the items read.

    ``set_aside`` is a record that a later step took out again (a repaired collection, a licence that is
    not allowed): it replaces the outcome that the import gave.
    """

    IMPORTED = "imported"
    IMPORTED_WITH_NOTE = "imported_with_note"
    REJECTED = "rejected"
    REPEATED = "repeated"
    SKIPPED = "skipped"
    SET_ASIDE = "set_aside"


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
