"""The columns of an answer, with types and meaning; the format page is made from this table.

Format: docs/formats/predictions.md. What is not known is null (an empty cell in CSV). After the answer come
the columns of the record that it is of, as the input gave them, so that answers alone can be published.
"""

from enum import StrEnum

import pyarrow as pa

from holotype.collection.schema import COLUMNS, Column
from holotype.taxonomy.lineage import LINNAEAN_RANKS

RANKS = tuple(rank.value for rank in LINNAEAN_RANKS)
MACHINE = "PredictedByMachine"
"""What ``status`` of an answer says (the term of OBIS for identificationVerificationStatus)."""


class Decision(StrEnum):
    """What kind of answer it is."""

    NAMED = "named"
    AMBIGUOUS = "ambiguous"
    NOVEL = "novel"
    UNPLACED = "unplaced"
    FAILED = "failed"


DECISIONS: dict[Decision, str] = {
    Decision.NAMED: "the best label is safe: it is the answer",
    Decision.AMBIGUOUS: "several labels are likely: the answer is the deepest taxon that is safe",
    Decision.NOVEL: "unlike anything learnt: the answer is the deepest safe taxon; see ``novelty_rank``",
    Decision.UNPLACED: "no taxon is safe: there is no answer",
    Decision.FAILED: "it could not be read: see ``failure``",
}

_TEXT, _REAL, _FLAG = pa.string(), pa.float64(), pa.bool_()

ANSWER: tuple[Column, ...] = (
    Column("input", _TEXT, "the path as given; members, rows and sequences as `input/inner`"),
    Column(
        "answer",
        _TEXT,
        "the safe answer: a label where that is safe, else a taxon; null where none is",
    ),
    Column("answer_level", _TEXT, "`label`, or the rank of the taxon"),
    Column("answer_score", _REAL, "calibrated probability that the answer is right, 0 to 1"),
    *(Column(rank, _TEXT, f"{rank} of the answer; null below it") for rank in RANKS),
    Column("taxon", _TEXT, "the narrowest of these names; null for an answer that is no taxon"),
    Column("taxon_rank", _TEXT, "its rank"),
    *(
        Column(
            f"score_{rank}",
            _REAL,
            f"calibrated probability of the likeliest {rank} on the way down, safe or not",
        )
        for rank in RANKS
    ),
    Column("decision", _TEXT, "`named`, `ambiguous`, `novel`, `unplaced` or `failed`"),
    Column("decision_reason", _TEXT, "why the answer stops where it does, in words"),
    Column(
        "label", _TEXT, "the label of the highest score, as the classifier learnt it, safe or not"
    ),
    Column("score", _REAL, "its score, 0 to 1"),
    Column("top_k", _TEXT, 'the five best labels as JSON: `[{"label": ..., "score": ...}, ...]`'),
    Column("novelty", _REAL, "probability that it is of a taxon that was not learnt, 0 to 1"),
    Column("novelty_rank", _TEXT, "the narrowest rank at which it still fits what was learnt"),
    Column(
        "nearest",
        _TEXT,
        "the nearest reference records as JSON, by embedding, best first, then those that only alignment "
        "found: `record_id`, `label`, `modality`, `similarity` (cosine), of barcodes `identity_pct` and "
        "`overlap_bp`",
    ),
    Column(
        "identity_pct",
        _REAL,
        "of barcodes: identity to the closest reference over the overlap, per cent",
    ),
    Column("overlap_bp", _REAL, "bases of that overlap"),
    Column("strand", _TEXT, "`+` as given, `-` where the barcode was turned"),
    Column(
        "frame", _REAL, "bases before the first whole codon on that strand; null where none is read"
    ),
    Column("gap_pct", _REAL, "that identity less the best one of another species, per cent"),
    Column(
        "consensus",
        _TEXT,
        "taxon that the aligned references agree on, at the deepest rank whose identity threshold they pass "
        "(97 % species, 95 % genus, 90 % family, 85 % order, 75 % class)",
    ),
    Column("consensus_rank", _TEXT, "its rank"),
    Column("image_answer", _TEXT, "of records with image and barcode: what the image alone says"),
    Column(
        "barcode_answer", _TEXT, "of records with image and barcode: what the barcode alone says"
    ),
    Column(
        "agreed", _TEXT, "of records with image and barcode: the deepest taxon that both safely say"
    ),
    Column(
        "conflict", _FLAG, "whether image and barcode contradict one another; null without both"
    ),
    Column("prior_effect", _TEXT, "what the priors changed; null without priors"),
    Column("answer_without_prior", _TEXT, "the safe answer without priors; null without priors"),
    Column("status", _TEXT, "`PredictedByMachine`"),
    Column("model", _TEXT, "fingerprint of the model"),
    Column(
        "failure",
        _TEXT,
        "why the input could not be read, whole or in part; null where nothing failed",
    ),
)
"""What Holotype says."""

CONTEXT_NAMES: tuple[str, ...] = (
    "record_id", "source", "source_item", "specimen_id", "image_url", "image_width_px", "image_height_px",
    "object_esd_px", "pixel_size_um", "barcode", "marker", "written_label", "label_status", "labelled_by",
    "instrument", "instrument_id", "sample_id", "acquisition_id", "cruise", "site", "latitude_deg",
    "longitude_deg", "depth_min_m", "depth_max_m", "collected_on", "country", "sampled_volume_l",
    "subsample_fraction", "licence", "rights_holder", "citation",
)  # fmt: skip
CONTEXT: tuple[Column, ...] = tuple(column for column in COLUMNS if column.name in CONTEXT_NAMES)
"""What the input says of the record, in the words of a collection."""

ANSWER_COLUMNS = ANSWER + CONTEXT
ANSWER_SCHEMA = pa.schema([(column.name, column.type) for column in ANSWER_COLUMNS])
