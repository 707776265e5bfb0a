"""The command ``count``: answers -> how many of each taxon a sample has, corrected where that can be done."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from holotype.counting.columns import COUNTS_SCHEMA, FORMAT, VERSION, Level, Per
from holotype.counting.correction import Corrector
from holotype.counting.evidence import BundleEvidence, Evidence, read_evidence
from holotype.counting.joining import Scored, read_scored, volume_mm3, with_collection
from holotype.counting.sample import CountedSample, Sample, count_sample
from holotype.counting.tally import answer_rows, label_rows
from holotype.counting.volumes import ONE_FOR_ALL, Real, fractions_or_whole, numbers, sampled
from holotype.errors import SourceError, did_you_mean, first_few
from holotype.identify.columns import Decision
from holotype.identify.read_answers import read_answers
from holotype.models.labels import LabelSpace
from holotype.progress import note, tracked
from holotype.unfinished import unfinished

ENDINGS = (".csv", ".parquet", ".json")


@dataclass(frozen=True)
class CountReport:
    """What a count did.

    Attributes:
        out: the file.
        images: answers in all.
        failures: of them could not be read.
        samples: how many; a group of records that name none is one.
        corrected: samples whose counts were corrected.
        refused: samples that do not look like the held-out records: not corrected.
        too_small: samples with too few specimens to correct.
        rows: of the table.
    """

    out: str
    images: int
    failures: int
    samples: int
    corrected: int
    refused: int
    too_small: int
    rows: int


@dataclass(frozen=True)
class Checked:
    """What is needed to correct counts.

    Attributes:
        labels: what the model scores.
        evidence: held-out records.
        scored: what it said of the answers.
    """

    labels: LabelSpace
    evidence: Evidence
    scored: Scored


def count(
    answers: Path | str,
    *,
    out: Path | str,
    evidence: Path | str | None = None,
    scores: Path | str | None = None,
    embeddings: Path | str | None = None,
    collection: Path | str | None = None,
    level: str = Level.TAXON,
    per: str = Per.SAMPLE,
    seed: int = 0,
) -> CountReport:
    """Counts the answers of each sample and writes one row for each taxon.

    Args:
        answers: the file of ``holotype predict``.
        out: the file to write: .parquet, .csv or .json; whole or absent.
        evidence: the bundle that gave the answers, with its held-out records: counts are corrected by them.
        scores: the file of ``holotype predict --scores`` of the same run; needed with ``evidence``.
        embeddings: the file of ``holotype predict --embeddings`` likewise.
        collection: fills what the answers lack of samples, volumes and sizes, by ``record_id``.
        level: ``taxon`` (safe answers), ``label``, or a rank.
        per: ``sample_id`` or ``acquisition_id``.
        seed: of the bootstrap.

    Raises:
        SourceError, BundleError: when a file cannot be used, is of another model, or another is needed.
    """
    from holotype.identify.writers import check_ending, write_tables

    path = Path(out)
    check_ending(path, ENDINGS)
    asked_level, asked_per = _one_of(Level, level, "--level"), _one_of(Per, per, "--per")
    table = read_answers(answers)
    checked = _checked(table, answers, evidence, scores, embeddings)
    ellipse_N = None
    if collection is not None:
        table, ellipse_N = with_collection(table, collection)
    counts, counted = count_answers(
        table, level=asked_level, per=asked_per, checked=checked, ellipse_mm3_N=ellipse_N, seed=seed
    )
    about = f'{{"format": "{FORMAT}", "version": {VERSION}, "level": "{asked_level.value}"}}'
    schema = COUNTS_SCHEMA.with_metadata({"holotype": about})
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = unfinished(path)
    try:
        write_tables([counts], schema, path, temporary=temporary)
    finally:
        temporary.unlink(missing_ok=True)
    if checked is None:
        note(
            "raw counts only: add --evidence, --scores and --embeddings to correct them for confusion"
        )
    failed = [decision == Decision.FAILED.value for decision in table["decision"].to_pylist()]
    return CountReport(
        out=str(out),
        images=table.num_rows,
        failures=sum(failed),
        samples=len(counted),
        corrected=sum(one.domain is not None and one.domain.is_same for one in counted),
        refused=sum(one.domain is not None and not one.domain.is_same for one in counted),
        too_small=sum(one.too_small for one in counted),
        rows=counts.num_rows,
    )


def count_answers(
    answers: pa.Table,
    *,
    level: Level = Level.TAXON,
    per: Per = Per.SAMPLE,
    checked: Checked | None = None,
    ellipse_mm3_N: Real | None = None,
    seed: int = 0,
) -> tuple[pa.Table, list[CountedSample]]:
    """Returns the counts, rows of ``COUNTS_SCHEMA``, and what became of each sample.

    Args:
        answers: rows of ``ANSWER_SCHEMA``.
        level: what is counted.
        per: what a sample is.
        checked: evidence and scores, where counts are to be corrected.
        ellipse_mm3_N: volumes of fitted ellipses, NaN where there is none.
        seed: of the bootstrap.
    """
    labels = checked.labels if checked is not None else None
    row_N = answer_rows(answers, level, labels)
    row_L = label_rows(labels, level, row_N) if labels is not None else []
    mm3_N = volume_mm3(answers, ellipse_mm3_N)
    volume_l_N = numbers(answers["sampled_volume_l"].to_pylist())
    fraction_N, said = fractions_or_whole(numbers(answers["subsample_fraction"].to_pylist()))
    instrument_N = answers["instrument"].to_pylist()
    acquisition_N = answers[Per.ACQUISITION.value].to_pylist()
    correctors: dict[str | None, Corrector] = {}
    counted = []
    for name, rows in tracked(_samples(answers[per.value].to_pylist()).items(), title="count"):
        at = np.asarray(rows, dtype=np.int64)
        stands_for = sampled(volume_l_N[at], fraction_N[at])
        if stands_for.volume_l is not None:
            several = len({acquisition_N[row] for row in rows} - {None}) > 1
            notes = (*stands_for.notes, *said, *((ONE_FOR_ALL,) if several else ()))
            stands_for = replace(stands_for, notes=notes)
        sample = Sample(name, [row_N[row] for row in rows], mm3_N[at], stands_for)
        scored, corrector = None, None
        if checked is not None:
            scored = Scored(checked.scored.probability_NL[at], checked.scored.z_ND[at])
            corrector = _corrector(checked, [instrument_N[row] for row in rows], correctors, seed)
        counted.append(count_sample(sample, scored, corrector, row_L))
    found = [row for one in counted for row in one.rows]
    table = pa.Table.from_pylist(found, schema=COUNTS_SCHEMA)
    assert sum(table["count_raw"].to_pylist()) == answers.num_rows
    return table, counted


def _samples(names: list[str | None]) -> dict[str | None, list[int]]:
    """Returns the rows of each sample, in the order in which samples first occur."""
    found: dict[str | None, list[int]] = {}
    for row, name in enumerate(names):
        found.setdefault(name, []).append(row)
    return found


def _corrector(
    checked: Checked,
    instruments: Sequence[str | None],
    known: dict[str | None, Corrector],
    seed: int,
) -> Corrector:
    """Returns the corrector for a sample: on the evidence of its own instrument where that is enough."""
    named = {name for name in instruments if name}
    own = checked.evidence.of_instrument(named.pop() if len(named) == 1 else None)
    key = None if own is checked.evidence else str(own.instrument_V[0])
    if key not in known:
        known[key] = Corrector(own, seed=seed)
    return known[key]


def _checked(
    table: pa.Table,
    answers: Path | str,
    evidence: Path | str | None,
    scores: Path | str | None,
    embeddings: Path | str | None,
) -> Checked | None:
    given = {"--evidence": evidence, "--scores": scores, "--embeddings": embeddings}
    missing = [name for name, path in given.items() if path is None]
    if len(missing) == len(given):
        return None
    if evidence is None or scores is None or embeddings is None:
        raise SourceError(
            f"to correct counts {first_few(missing)} is needed as well: scores and embeddings of the same "
            "run of holotype predict, and the model as the evidence."
        )
    kept: BundleEvidence = read_evidence(evidence)
    models = set(filter(None, table["model"].to_pylist()))
    if models - {kept.fingerprint}:
        raise SourceError(
            f"{answers}: answers of the model {first_few(sorted(models))}, not of {evidence} "
            f"({kept.fingerprint}). Its confusion says nothing of another's."
        )
    if any(effect is not None for effect in table["prior_effect"].to_pylist()):
        raise SourceError(
            f"{answers}: answers with priors, which change the scores; held-out records had none. "
            "Count without --evidence, or run holotype predict without --prior."
        )
    if kept.left_out:
        note(f"{evidence}: {kept.left_out:,} held-out records of labels that it does not know")
    scored = read_scored(scores, embeddings, table["input"].to_pylist(), kept.labels)
    by_barcode_N = np.asarray([one is not None for one in table["strand"].to_pylist()], np.bool_)
    if by_barcode_N.any():
        note(
            f"{int(by_barcode_N.sum()):,} specimens have barcodes: they are counted as answered, "
            "as the evidence is of images"
        )
        probability_NL = np.where(by_barcode_N[:, None], np.nan, scored.probability_NL)
        scored = Scored(probability_NL.astype(np.float32), scored.z_ND)
    return Checked(kept.labels, kept.evidence, scored)


def _one_of(kind: Any, written: str, option: str) -> Any:
    try:
        return kind(str(written))
    except ValueError:
        known = [one.value for one in kind]
        raise SourceError(
            f"{option} {written}: not known.{did_you_mean(str(written), known)}"
        ) from None
