"""The columns of a table of counts, with types, units and meaning; the format page is made from this table.

Format: docs/formats/counts.md.
"""

from enum import StrEnum

import pyarrow as pa

from holotype.collection.schema import Column

FORMAT, VERSION = "holotype-counts", 1


class Level(StrEnum):
    """What is counted: safe taxa, labels, or the taxa of one rank."""

    TAXON = "taxon"
    LABEL = "label"
    KINGDOM = "kingdom"
    PHYLUM = "phylum"
    CLASS = "class"
    ORDER = "order"
    FAMILY = "family"
    GENUS = "genus"
    SPECIES = "species"


class Per(StrEnum):
    """What a sample is."""

    SAMPLE = "sample_id"
    ACQUISITION = "acquisition_id"


class Status(StrEnum):
    """What the specimens of a row without a taxon are."""

    UNPLACED = "unplaced"
    FAILED = "failed"


RAW, EM = "raw", "em"
"""What ``method`` says: as answered; corrected by expectation-maximisation."""

_TEXT, _REAL, _COUNT = pa.string(), pa.float64(), pa.int64()

COUNT_COLUMNS: tuple[Column, ...] = (
    Column("sample_id", _TEXT, "the sample (or acquisition); null for records that name none"),
    Column(
        "taxon",
        _TEXT,
        "the taxon or label; null for specimens that have none at this level, see ``status``",
    ),
    Column("taxon_rank", _TEXT, "its rank; null where it is no taxon"),
    Column(
        "status",
        _TEXT,
        "who says so (`PredictedByMachine`); without a taxon: `unplaced` or `failed`",
    ),
    Column("count_raw", _COUNT, "specimens that were answered so"),
    Column(
        "count_adjusted",
        _REAL,
        "specimens that are so, as expected after correction; null where nothing was corrected",
    ),
    Column(
        "count_low",
        _REAL,
        "lower end of the 95 % interval: the evidence, the confusion, and Poisson sampling",
    ),
    Column("count_high", _REAL, "its upper end"),
    Column("method", _TEXT, "`em` where the counts of the sample were corrected, else `raw`"),
    Column("volume_l", _REAL, "litres of water that the sample stands for"),
    Column(
        "concentration_per_m3",
        _REAL,
        "individuals per cubic metre, of the corrected counts where there are any, else of the raw ones",
    ),
    Column("concentration_low", _REAL, "lower end of its 95 % interval"),
    Column("concentration_high", _REAL, "upper end of its 95 % interval"),
    Column("biovolume_mm3_per_m3", _REAL, "cubic millimetres of organism per cubic metre of water"),
    Column("n_images", _COUNT, "specimens of the sample in all, unplaced and failed ones included"),
    Column("note", _TEXT, "what to know of the row, `;` between several; null for nothing"),
)
COUNTS_SCHEMA = pa.schema([(column.name, column.type) for column in COUNT_COLUMNS])
