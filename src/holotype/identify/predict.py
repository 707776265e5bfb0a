"""The command ``predict``: images, barcodes, archives, tables or collections -> named, scored rows."""

import csv
import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from holotype import files
from holotype.errors import SourceError
from holotype.identify.answers import ANSWER_SCHEMA, AnswerSheet, failed
from holotype.identify.inputs import Specimen, specimens
from holotype.identify.scoring import Scorer
from holotype.inputs.materials import prepare_loose
from holotype.models.bundle import STARTER, Bundle, open_bundle
from holotype.progress import note, tracked

CHUNK = 512
ENDINGS = (".csv", ".parquet", ".json")


@dataclass(frozen=True)
class PredictReport:
    """What a prediction run did.

    Attributes:
        out: the file.
        rows: how many rows it has, one for each input.
        failures: how many of them bear a failure.
    """

    out: str
    rows: int
    failures: int


def predict(
    run: Path | str,
    inputs: Sequence[Path | str],
    *,
    out: Path | str,
    preset: str | None = None,
) -> PredictReport:
    """Names every input and writes one row for each: CSV, Parquet or JSON by the ending of ``out``.

    Args:
        run: a bundle, or ``starter`` for the one that comes with Holotype.
        inputs: image files, folders, zips, tars, FASTA, tables of barcodes, collections.
        out: the file to write; whole or absent.
        preset: the column map of tables; found from the header by default.

    Returns:
        Counts; a file that cannot be read is a row with its reason under ``failure``.

    Raises:
        BundleError, SourceError: when the bundle or ``out`` cannot be used, or no input is given.
    """
    path = Path(out)
    if path.suffix.lower() not in ENDINGS:
        raise SourceError(f"{path}: end it in {', '.join(ENDINGS)} to say which format to write.")
    if not inputs:
        raise SourceError("no input given. Name images, folders, archives, FASTA or tables.")
    bundle = open_bundle(run)
    scorer = Scorer(bundle)
    note(about(bundle, is_starter=str(run) == STARTER))
    counts = {"rows": 0, "failures": 0}
    found = specimens([str(given) for given in inputs], preset=preset)
    with files.written_whole(path) as temporary:
        WRITERS[path.suffix.lower()](temporary, _counted(_answers(scorer, found), counts))
    return PredictReport(str(out), **counts)


def about(bundle: Bundle, *, is_starter: bool) -> str:
    """Returns which model answers, what it learnt from, and what not to ask of it."""
    training = bundle.manifest["training"]
    seen = ", ".join(training.get("instruments", {})) or "instruments that nobody named"
    text = (
        f"{training['recipe']['name']} ({bundle.fingerprint}) answers: {len(bundle.labels):,} labels, learnt "
        f"from {training['records']:,} records of {seen}"
    )
    if not is_starter:
        return text
    return (
        f"{text}. It is a small model of plankton crops, one organism an image: whatever it is shown, it "
        f"names plankton. Figures and limits: {bundle.path / 'README.md'}"
    )


def _answers(scorer: Scorer, found: Iterator[Specimen]) -> Iterator[list[dict[str, Any]]]:
    sheet = AnswerSheet.of(scorer.bundle.labels)
    for chunk in _chunks(tracked(found, title="predict")):
        yield _answer_chunk(scorer, sheet, chunk)


def _chunks(items: Iterator[Specimen]) -> Iterator[list["_Loaded"]]:
    """Yields specimens with their images read: an archive's member must be read before the next."""
    while chunk := [_loaded(item) for item in itertools.islice(items, CHUNK)]:
        yield chunk


@dataclass(frozen=True)
class _Loaded:
    specimen: Specimen
    image: bytes | None
    failure: str | None


def _loaded(specimen: Specimen) -> _Loaded:
    if specimen.read_image is None:
        return _Loaded(specimen, None, specimen.failure)
    try:
        return _Loaded(specimen, specimen.read_image(), specimen.failure)
    except (OSError, ValueError) as reason:
        return _Loaded(specimen, None, " ".join(str(reason).split()))


def _answer_chunk(scorer: Scorer, sheet: AnswerSheet, chunk: list[_Loaded]) -> list[dict[str, Any]]:
    bundle = scorer.bundle
    names = [one.specimen.input for one in chunk]
    images, barcodes = [one.image for one in chunk], [one.specimen.barcode for one in chunk]
    materials, damaged = prepare_loose(names, images, barcodes, pixels=bundle.pixels)
    row_B, probability_BL = scorer.probabilities(materials)
    scored = sheet.rows([names[row] for row in row_B.tolist()], probability_BL)
    by_row = dict(zip(row_B.tolist(), scored, strict=True))
    reads = " or ".join(m.value for m in bundle.model.modalities if m.value != "caption")
    answers = []
    for row, one in enumerate(chunk):
        failure = one.failure or damaged.get(row)
        if failure is None and row not in by_row:
            failure = f"nothing here that this model reads ({reads})"
        if row in by_row:
            answers.append({**by_row[row], "failure": failure})
        else:
            answers.append(failed(names[row], failure or ""))
    return answers


def _counted(
    chunks: Iterator[list[dict[str, Any]]], counts: dict[str, int]
) -> Iterator[list[dict[str, Any]]]:
    for rows in chunks:
        counts["rows"] += len(rows)
        counts["failures"] += sum(row["failure"] is not None for row in rows)
        yield rows


def _write_csv(path: Path, chunks: Iterator[list[dict[str, Any]]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, ANSWER_SCHEMA.names, lineterminator="\n")
        writer.writeheader()
        for rows in chunks:
            writer.writerows(rows)


def _write_parquet(path: Path, chunks: Iterator[list[dict[str, Any]]]) -> None:
    with pq.ParquetWriter(path, ANSWER_SCHEMA) as writer:
        for rows in chunks:
            writer.write_table(pa.Table.from_pylist(rows, schema=ANSWER_SCHEMA))


def _write_json(path: Path, chunks: Iterator[list[dict[str, Any]]]) -> None:
    with path.open("w", encoding="utf-8") as handle:
        handle.write("[")
        first = True
        for row in itertools.chain.from_iterable(chunks):
            unpacked = {**row, "top_k": json.loads(row["top_k"]) if row["top_k"] else None}
            handle.write(("\n" if first else ",\n") + json.dumps(unpacked, ensure_ascii=False))
            first = False
        handle.write("\n]\n")


WRITERS = {".csv": _write_csv, ".parquet": _write_parquet, ".json": _write_json}
"""Writers by the ending of the file."""
