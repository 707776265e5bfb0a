"""Each barcode against what is usual for its marker in the collection, a batch in memory at a time."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.dataset as pads

from holotype.collection.quality.finding import Check, Finding, Repair, Severity
from holotype.collection.schema import RECORDS_SCHEMA
from holotype.collection.store import Collection
from holotype.media.barcode_checks import (
    BarcodeVerdicts,
    MarkerModel,
    check_barcodes,
    learn_marker,
)
from holotype.media.genetic_codes import codes_for
from holotype.media.reading_frames import Readings

SAMPLE = 4_000
"""Different barcodes that a marker is learnt from: those with the lowest haplotype ids, which are hashes."""
BATCH_ROWS = 8_192
AMBIGUOUS_REMARK, AMBIGUOUS_WARNING = 0.01, 0.05
"""One base in a hundred is what BOLD allows a reference barcode."""
NO_MARKER = "marker not stated"
_LINEAGE = ("class", "phylum", "kingdom")
_COLUMNS = ["record_id", "source", "marker", "barcode", "haplotype", *_LINEAGE]


@dataclass
class BarcodeFaults:
    """What the barcodes were found to be.

    Attributes:
        findings: one for each fault of each record.
        turned: haplotypes that are certainly on the other strand.
        off_marker: haplotypes of another marker.
        not_judged: why, -> how many records.
    """

    findings: list[Finding] = field(default_factory=list)
    turned: set[str] = field(default_factory=set)
    off_marker: set[str] = field(default_factory=set)
    not_judged: Counter[str] = field(default_factory=Counter)


def barcode_faults(collection: Collection) -> BarcodeFaults:
    """Returns the faults of all barcodes of a collection."""
    models = {
        marker: learn_marker(marker, *sample) for marker, sample in _samples(collection).items()
    }
    faults = BarcodeFaults()
    for rows in _batches(collection):
        groups: defaultdict[tuple[str, tuple[int, ...]], list[dict[str, Any]]] = defaultdict(list)
        for row in rows:
            groups[_marker(row), codes_for(row["marker"], row)].append(row)
        for (marker, codes), members in groups.items():
            _check(members, models[marker], codes, faults)
    return faults


def _marker(row: Mapping[str, Any]) -> str:
    return row["marker"] or NO_MARKER


def _batches(collection: Collection) -> Iterator[list[dict[str, Any]]]:
    dataset = pads.dataset(collection.shard_paths(), schema=RECORDS_SCHEMA)
    present = pc.field("barcode").is_valid()
    for batch in dataset.to_batches(columns=_COLUMNS, filter=present, batch_size=BATCH_ROWS):
        yield batch.to_pylist()


def _samples(collection: Collection) -> dict[str, tuple[list[str], tuple[int, ...]]]:
    """Returns for each marker the barcodes to learn from, and the genetic codes of most of them."""
    keys = collection.columns(["marker", "haplotype"])
    keys = (
        keys.filter(pc.is_valid(keys["haplotype"])).group_by(["marker", "haplotype"]).aggregate([])
    )
    limit: dict[str, str] = {}
    for marker in keys["marker"].unique().to_pylist():
        of_marker = pc.equal(keys["marker"], marker) if marker else pc.is_null(keys["marker"])
        ids = np.sort(
            keys["haplotype"].filter(of_marker).to_numpy(zero_copy_only=False).astype("U16")
        )
        limit[marker or NO_MARKER] = str(ids[min(SAMPLE, len(ids)) - 1])
    barcodes: defaultdict[str, dict[str, str]] = defaultdict(dict)
    codes: defaultdict[str, Counter[tuple[int, ...]]] = defaultdict(Counter)
    for rows in _batches(collection):
        for row in rows:
            marker = _marker(row)
            if row["haplotype"] <= limit[marker] and row["haplotype"] not in barcodes[marker]:
                barcodes[marker][row["haplotype"]] = row["barcode"]
                codes[marker][codes_for(row["marker"], row)] += 1
    return {
        marker: (list(found.values()), codes[marker].most_common(1)[0][0])
        for marker, found in barcodes.items()
    }


def _check(
    rows: Sequence[Mapping[str, Any]],
    model: MarkerModel,
    codes: tuple[int, ...],
    faults: BarcodeFaults,
) -> None:
    place: dict[str, int] = {}
    texts: list[str] = []
    for row in rows:
        if row["haplotype"] not in place:
            place[row["haplotype"]] = len(texts)
            texts.append(row["barcode"])
    verdicts = check_barcodes(texts, model, codes)
    if model.word_S is None:
        faults.not_judged[f"strand, too few barcodes of {model.marker}"] += len(rows)
    if not codes:
        faults.not_judged[f"reading frame, {model.marker} is not translated"] += len(rows)
    for row in rows:
        at = place[row["haplotype"]]
        if verdicts.reversed_N[at]:
            faults.turned.add(row["haplotype"])
        if verdicts.off_marker_N[at]:
            faults.off_marker.add(row["haplotype"])
        faults.findings += [
            Finding(check, severity, row["source"], detail, row["record_id"], None, value, fix)
            for check, severity, detail, value, fix in _faults_of(
                verdicts, at, texts[at], model, codes
            )
        ]


def _faults_of(
    verdicts: BarcodeVerdicts, at: int, text: str, model: MarkerModel, codes: tuple[int, ...]
) -> Iterator[tuple[Check, Severity, str, float, Repair | None]]:
    marker = model.marker
    if verdicts.off_marker_N[at]:
        fit = float(verdicts.fit_N[at])
        detail = f"{len(text)} bp do not fit {marker}: {fit:.2f} nats a word, where chance is 0."
        yield Check.OFF_MARKER, Severity.ERROR, detail, fit, None
    elif verdicts.reversed_N[at]:
        strand = float(verdicts.strand_N[at])
        detail = f"{len(text)} bp of {marker} read from the other strand."
        fix = Repair.REVERSE_COMPLEMENT
        yield Check.REVERSED_BARCODE, Severity.ERROR, detail, strand, fix
    if verdicts.reading is not None and not verdicts.off_marker_N[at]:
        yield from _faults_of_reading(verdicts, verdicts.reading, at, marker, codes)
    if verdicts.odd_length_N[at]:
        detail = (
            f"{len(text):,} bp; usual for {marker} here: "
            f"{max(1, round(model.shortest_bp)):,} to {round(model.longest_bp):,} bp."
        )
        yield Check.BARCODE_LENGTH, Severity.REMARK, detail, float(len(text)), None
    share = float(verdicts.ambiguous_N[at])
    if share > AMBIGUOUS_REMARK:
        severity = Severity.WARNING if share > AMBIGUOUS_WARNING else Severity.REMARK
        detail = f"{share:.1%} of {len(text)} bases are ambiguous."
        yield Check.BARCODE_AMBIGUITY, severity, detail, share, None


def _faults_of_reading(
    verdicts: BarcodeVerdicts, reading: Readings, at: int, marker: str, codes: tuple[int, ...]
) -> Iterator[tuple[Check, Severity, str, float, Repair | None]]:
    stops = reading.stops_N[at]
    turned = " (of the reverse complement)" if verdicts.reversed_N[at] else ""
    if verdicts.shifts(at):
        place = int(reading.shift_place_N[at])
        with_stops = f", {len(stops)} stop codons follow from it or stand by it" if stops else ""
        detail = f"{marker} changes its frame near base {place}{turned}{with_stops}."
        yield Check.FRAMESHIFT, Severity.ERROR if stops else Severity.WARNING, detail, place, None
    elif stops:
        code = " or ".join(map(str, codes))
        places = ", ".join(map(str, stops[:5])) + (" ..." if len(stops) > 5 else "")
        detail = (
            f"{marker} in frame {int(reading.frame_N[at]) + 1}, genetic code {code}: "
            f"stop at base {places}{turned}."
        )
        yield Check.STOP_CODON, Severity.ERROR, detail, float(stops[0]), None
