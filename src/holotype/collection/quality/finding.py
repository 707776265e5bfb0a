"""One doubtful thing: of which record, found by which check, how grave, and what to do about it.

Format: ``findings.parquet`` beside the manifest, one row for each finding. A finding of a whole source has no
record id.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

import pyarrow as pa


class Severity(StrEnum):
    """How grave a finding is: an error spoils training or names, a warning may, a remark is worth knowing."""

    ERROR = "error"
    WARNING = "warning"
    REMARK = "remark"


class Repair(StrEnum):
    """What ``--fix`` does, and only this; the other findings are for a person to decide."""

    REVERSE_COMPLEMENT = "reverse_complement"
    SET_ASIDE = "set_aside"


class Check(StrEnum):
    """Every check, in the order of the report."""

    CONFLICTING_IMAGES = "conflicting_images"
    CONFLICTING_SIMILAR_IMAGES = "conflicting_similar_images"
    IDENTICAL_IMAGES = "identical_images"
    IDENTICAL_ACROSS_SOURCES = "identical_across_sources"
    SIMILAR_IMAGES = "similar_images"
    SIMILAR_ACROSS_SOURCES = "similar_across_sources"
    UNREADABLE_IMAGE = "unreadable_image"
    BLANK_IMAGE = "blank_image"
    SCALE_BARS = "scale_bars"
    TRUNCATED_CROPS = "truncated_crops"
    ODD_SIZE = "odd_size"
    REVERSED_BARCODE = "reversed_barcode"
    STOP_CODON = "stop_codon"
    FRAMESHIFT = "frameshift"
    OFF_MARKER = "off_marker"
    BARCODE_LENGTH = "barcode_length"
    BARCODE_AMBIGUITY = "barcode_ambiguity"
    SHARED_BARCODE = "shared_barcode"
    NEARER_TO_OTHER_TAXON = "nearer_to_other_taxon"
    FAR_FROM_OWN_TAXON = "far_from_own_taxon"
    BIN_WITH_SEVERAL_SPECIES = "bin_with_several_species"
    SPECIES_WITH_SEVERAL_BINS = "species_with_several_bins"


@dataclass(frozen=True)
class Advice:
    """What a check looks for, and what to do about what it finds."""

    title: str
    meaning: str
    remedy: str


ADVICE: dict[Check, Advice] = {
    Check.CONFLICTING_IMAGES: Advice(
        "One image file, two labels",
        "The same bytes stand under labels that exclude each other. One of them is wrong.",
        "Decide which label is right; take the other record out or correct its label at the source.",
    ),
    Check.CONFLICTING_SIMILAR_IMAGES: Advice(
        "One image under two labels, saved twice",
        "Two files show the same picture, encoded or scaled anew, under labels that exclude each other.",
        "Look at both; decide which label is right, or that they are two pictures after all.",
    ),
    Check.IDENTICAL_IMAGES: Advice(
        "The same image file again",
        "The same bytes come more than once in one source, under labels that agree.",
        "Keep one. Those that agree in every column are set aside by --fix.",
    ),
    Check.IDENTICAL_ACROSS_SOURCES: Advice(
        "The same image file in two sources",
        "Sources share images: as two independent sources they would leak from training into a test.",
        "Keep both where both licences matter; splits tie them together.",
    ),
    Check.SIMILAR_IMAGES: Advice(
        "The same picture, saved twice",
        "Two files of one source show the same picture, saved anew or of one burst.",
        "Keep one, or split with near-duplicates tied together.",
    ),
    Check.SIMILAR_ACROSS_SOURCES: Advice(
        "The same picture in two sources",
        "Two files of different sources show the same picture, encoded or scaled anew.",
        "Find out which source has it from the other; split with near-duplicates tied together.",
    ),
    Check.UNREADABLE_IMAGE: Advice(
        "An image that cannot be read",
        "The file is damaged, empty or no image. The record was not taken in, or has no image.",
        "Get the file again from the source and import again.",
    ),
    Check.BLANK_IMAGE: Advice(
        "A blank image",
        "Nothing stands out from the background.",
        "Look at it; take it out or label it as blank.",
    ),
    Check.SCALE_BARS: Advice(
        "Scale bars burnt into the images",
        "A model can tell the source, and so its classes, from the bar alone.",
        "Export the images without scale bars, or crop the legend off before the import.",
    ),
    Check.TRUNCATED_CROPS: Advice(
        "Objects cut by the side of the image",
        "Size and shape of a cut object are wrong. A few are normal: objects at the side of a frame.",
        "Where the share is high, crop again with a margin; do not measure sizes on these.",
    ),
    Check.ODD_SIZE: Advice(
        "An image of an odd size",
        "Very small, very long, or far larger than its source: often a whole frame or a fragment.",
        "Look at it; crop whole frames into objects.",
    ),
    Check.REVERSED_BARCODE: Advice(
        "A barcode on the other strand",
        "Its words, and its codons where the marker is translated, are those of the reverse complement.",
        "--fix turns it and keeps the original letters in the column extra.",
    ),
    Check.STOP_CODON: Advice(
        "A stop codon inside",
        "A working gene has none here: a nuclear copy (NUMT), a sequencing fault, or another genetic code.",
        "Check the trace, and the lineage, which chose the code; keep it out of reference sets.",
    ),
    Check.FRAMESHIFT: Advice(
        "The reading frame shifts inside",
        "A base is lost or gained: a sequencing or editing fault, or a nuclear copy (NUMT).",
        "Check the trace at that place; leave the sequence out of reference sets until it is mended.",
    ),
    Check.OFF_MARKER: Advice(
        "Not a barcode of this marker",
        "Its words are rarer in this marker than chance would make them.",
        "Correct the marker at the source, or take the barcode out.",
    ),
    Check.BARCODE_LENGTH: Advice(
        "A barcode of unusual length",
        "Much shorter or longer than the others of this marker in the collection.",
        "Long: cut to the marker. Short: keep as a mini-barcode, but not as a reference.",
    ),
    Check.BARCODE_AMBIGUITY: Advice(
        "Many ambiguous bases",
        "More than one base in a hundred is not A, C, G or T.",
        "Read the trace again, or leave the sequence out of reference sets.",
    ),
    Check.SHARED_BARCODE: Advice(
        "One barcode, several taxa",
        "The same sequence bears several names. Sister species may share one; families do not.",
        "Between species: the marker may not tell them apart. Wider: a wrong name or a mixed-up tube.",
    ),
    Check.NEARER_TO_OTHER_TAXON: Advice(
        "Nearer to another taxon than to its own",
        "A barcode of another taxon is much nearer than any of its own: a wrong name or contamination.",
        "Compare specimen and voucher; correct the name at the source or take the record out.",
    ),
    Check.FAR_FROM_OWN_TAXON: Advice(
        "Far from all others of its taxon",
        "The others lie close together, this one far off: contamination, a wrong name or a hidden species.",
        "Search it in a public library (BOLD, GenBank) before it serves as a reference.",
    ),
    Check.BIN_WITH_SEVERAL_SPECIES: Advice(
        "One BIN, several species",
        "The BIN does not tell these species apart: a wrong name, a synonym, or young species.",
        "Look for synonyms first (holotype names), then for wrong names.",
    ),
    Check.SPECIES_WITH_SEVERAL_BINS: Advice(
        "One species, several BINs",
        "A species in several Barcode Index Numbers: hidden species or wrong names.",
        "Keep the BINs apart in splits; tell a taxonomist.",
    ),
}

FINDINGS_SCHEMA = pa.schema(
    [
        ("check", pa.string()),
        ("severity", pa.string()),
        ("source", pa.string()),
        ("record_id", pa.string()),
        ("other_record_id", pa.string()),
        ("value", pa.float64()),
        ("detail", pa.string()),
        ("remedy", pa.string()),
        ("fix", pa.string()),
    ]
)


@dataclass(frozen=True)
class Finding:
    """One doubtful thing.

    Attributes:
        check: which check found it.
        severity: how grave it is.
        source: the source of the record, or the source as a whole.
        detail: a sentence that says what was found.
        record_id: the record; None for a finding of a whole source or of an item that never became a record.
        other_record_id: the record that it contradicts or repeats.
        value: the number behind it: a share, a likeness, a distance, a place in the sequence.
        fix: what ``--fix`` would do; None for what a person has to decide.
    """

    check: Check
    severity: Severity
    source: str | None
    detail: str
    record_id: str | None = None
    other_record_id: str | None = None
    value: float | None = None
    fix: Repair | None = None


_GRAVITY = {severity: place for place, severity in enumerate(Severity)}


def findings_table(findings: Sequence[Finding]) -> pa.Table:
    """Returns the findings as a table of ``FINDINGS_SCHEMA``: check by check, the gravest first."""
    order = {check: place for place, check in enumerate(Check)}
    ordered = sorted(
        findings,
        key=lambda found: (
            order[found.check],
            _GRAVITY[found.severity],
            found.source or "",
            found.record_id or "",
            found.other_record_id or "",
            found.detail,
        ),
    )
    rows = [{**asdict(found), "remedy": ADVICE[found.check].remedy} for found in ordered]
    return pa.Table.from_pylist(rows, schema=FINDINGS_SCHEMA)
