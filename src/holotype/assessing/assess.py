"""The command ``assess``: draw records to label; with their labels, how good a model is on one's own data."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from holotype import files
from holotype.assessing.domain import Domain, domain_of
from holotype.assessing.drawing import draw
from holotype.assessing.looks import look
from holotype.assessing.page import written_page
from holotype.assessing.report import examined
from holotype.assessing.sample import (
    MAX_ERROR,
    PAGE,
    REPORT,
    Sample,
    check_model,
    open_sample,
    told_max_error,
    write_sample,
)
from holotype.assessing.sheet import (
    SHEET,
    TO_LABEL,
    Drawn,
    check_unfilled,
    read_labels,
    write_sheet,
)
from holotype.assessing.written import How, WrittenLabels
from holotype.collection.summary.gallery import thumbnail
from holotype.decisions.store import open_decisions, validation_of
from holotype.errors import BundleError, MediaError, SourceError
from holotype.identify.inputs import Loaded, Specimen, specimens
from holotype.identify.loading import load, materials_of
from holotype.media.images import read_pixels
from holotype.models.bundle import Bundle, open_bundle
from holotype.models.encode import encode
from holotype.models.towers import Modality
from holotype.taxonomy.backbone.store import open_backbone
from holotype.taxonomy.label_table import read_label_table

CHUNK = 64
ANSWERS = "answers.parquet"


@dataclass(frozen=True)
class DrawReport:
    """What was drawn: the table to fill in, the page beside it, and how many of how many."""

    to_label: str
    sheet: str
    drawn: int
    records: int
    strata: int
    failed: int
    not_found: int


@dataclass(frozen=True)
class AssessReport:
    """How good the model is on these records; ``content`` is that of ``report.json``."""

    report: str
    page: str
    content: dict[str, Any] = field(default_factory=dict)


def draw_from(
    run: Path | str,
    inputs: Sequence[Path | str],
    *,
    out: Path | str,
    n: int = 200,
    answers: Path | str | None = None,
    max_error: float | None = None,
    seed: int = 0,
) -> DrawReport:
    """Names the inputs, then draws records to label: see ``draw_to_label``.

    Args:
        run: a bundle, or ``starter``.
        inputs: as for ``predict``.
        out: the folder to write; the answers are kept in it.
        n: how many records to draw.
        answers: what ``predict`` wrote of these inputs, where that is done already.
        max_error: the error rate that safe answers are to keep; with ``answers`` that which they were made
            for. By default what stands beside them, else 0.05.
        seed: of the draw.

    Raises:
        SourceError: when no input is given or none has an answer.
    """
    from holotype.identify.answers import AnswerSettings
    from holotype.identify.predict import predict
    from holotype.identify.read_answers import read_answers

    if not inputs:
        raise SourceError("no input given. Name images, folders, archives, FASTA or tables.")
    check_unfilled(Path(out))
    place = Path(out) / ANSWERS if answers is None else Path(answers)
    if answers is None:
        asked = MAX_ERROR if max_error is None else max_error
        predict(run, inputs, out=place, settings=AnswerSettings(max_error=asked))
    told = told_max_error(place)
    if None not in (told, max_error) and told != max_error:
        raise SourceError(
            f"{place}: made for an error of {told:g}, not {max_error:g}. Leave --max-error away, or "
            "predict again."
        )
    return draw_to_label(
        run, inputs, read_answers(place), out=out, n=n, seed=seed,
        max_error=told or max_error or MAX_ERROR,
    )  # fmt: skip


def draw_to_label(
    run: Path | str,
    inputs: Sequence[Path | str],
    answers: pa.Table,
    *,
    out: Path | str,
    n: int = 200,
    seed: int = 0,
    max_error: float = MAX_ERROR,
) -> DrawReport:
    """Draws records by the model's answers, and writes the table and the page for a person to label.

    Args:
        run: the bundle that answered.
        inputs: what it answered on.
        answers: its answers, in the columns of ``holotype predict``.
        out: the folder to write.
        n: how many records to draw.
        seed: of the draw.
        max_error: the error rate that the safe answers were made for.

    Raises:
        SourceError: when no record has an answer, the answers are of another model, or the table is there
            with labels in it.
    """
    bundle, folder = open_bundle(run), Path(out)
    check_model(answers, bundle.fingerprint)
    strata = answers["label"].to_pylist()
    drawn = draw(strata, n=n, seed=seed)
    chosen = answers.take(pa.array(drawn.row_S)).to_pylist()
    found = _looked_at(bundle, [str(one) for one in inputs], {row["input"] for row in chosen})
    rows = []
    for s, row in enumerate(chosen):
        seen = found.get(row["input"], {})
        rows.append({
            **row, **seen, "number": s + 1, "stratum": drawn.stratum_S[s],
            "weight": float(drawn.weight_S[s]),
        })  # fmt: skip
    cards = [Drawn(r["number"], r["input"], r.get("picture"), r.get("barcode")) for r in rows]
    write_sheet(folder, cards, bundle.labels.names)
    failed = sum(one is None for one in strata)
    about = {
        "model": bundle.fingerprint,
        "seed": seed,
        "max_error": max_error,
        "records": sum(drawn.sizes.values()),
        "failed": failed,
        "strata": drawn.sizes,
    }
    write_sample(folder, rows, about)
    return DrawReport(
        str(folder / TO_LABEL), str(folder / SHEET), len(rows), sum(drawn.sizes.values()),
        len(drawn.sizes), failed, sum(row["input"] not in found for row in chosen),
    )  # fmt: skip


def assess(
    run: Path | str,
    labels: Path | str,
    *,
    out: Path | str,
    max_error: float | None = None,
    label_table: Path | str | None = None,
    backbone: Path | str | None = None,
    seed: int = 0,
) -> AssessReport:
    """Returns how good a model is on the records that a person labelled, and writes report and page.

    Args:
        run: the bundle that answered.
        labels: the filled table.
        out: the folder of the draw; the report is written into it.
        max_error: the error rate that safe answers were to keep; by default that which they were made for.
        label_table: what the person's labels mean, as for ``holotype import``.
        backbone: where names that the model lacks are looked up as synonyms.
        seed: of the test for another instrument.

    Raises:
        SourceError: when the table cannot be read, or no label in it was understood.
    """
    bundle, folder = open_bundle(run), Path(out)
    sample = open_sample(folder, model=bundle.fingerprint)
    made_for = sample.max_error(max_error)
    finder = WrittenLabels(
        bundle.labels,
        table=read_label_table(Path(label_table)) if label_table is not None else None,
        backbone=open_backbone(backbone) if backbone is not None else None,
    )
    texts = read_labels(Path(labels))
    numbers = sample.table["number"].to_pylist()
    if others := sorted(set(texts) - set(numbers)):
        raise SourceError(
            f"{labels}: number {others[0]} was not drawn in {folder}. Give the folder of its draw."
        )
    written = [finder.find(texts.get(number)) for number in numbers]
    if all(one.how in (How.BLANK, How.UNSURE, How.NOTHING) for one in written):
        counts = Counter(one.how.value for one in written)
        raise SourceError(
            f"{labels}: no label was understood ({dict(counts)}). Fill in the column 'label'."
        )
    domain, known = domain_and_looks(bundle, sample, seed=seed)
    content = examined(
        bundle, sample, written, max_error=made_for, domain=domain, known_summary=known
    )
    files.write_json(folder / REPORT, content)
    files.write_text(folder / PAGE, written_page(content, sample))
    return AssessReport(str(folder / REPORT), str(folder / PAGE), content)


def domain_and_looks(bundle: Bundle, sample: Sample, *, seed: int) -> tuple[Domain, dict[str, Any]]:
    """Returns whether the drawn records are of another instrument, and the bundle's summary of its own."""
    modality, rows, z_VD = sample.vectors()
    decisions = open_decisions(bundle)
    summary = dict(decisions.summary) if decisions is not None else {}
    try:
        known = validation_of(bundle.path)
    except BundleError:
        why = "the model keeps no validation records (holotype calibrate)"
        return Domain("unknown", None, (), f"Whether this is another instrument: {why}."), summary
    same = [r for r, one in enumerate(known["modality"].to_pylist()) if one == modality]
    known = known.take(pa.array(same, pa.int64()))
    said = sample.table["label"].take(pa.array(rows)).to_pylist()
    known_z = np.asarray(known["z"].to_pylist(), dtype=np.float32)
    labels, instruments = known["label"].to_pylist(), known["instrument"].to_pylist()
    return domain_of(z_VD, said, known_z, labels, instruments, seed=seed), summary


def _looked_at(
    bundle: Bundle, inputs: Sequence[str], wanted: set[str]
) -> dict[str, dict[str, Any]]:
    """Returns vector, look and small picture of chosen inputs; what cannot be found again is absent."""
    found: dict[str, dict[str, Any]] = {}
    for chunk in _chunks(one for one in specimens(inputs) if one.input in wanted):
        loaded = [load(one, bundle.pixels) for one in chunk]
        vectors = _vectors(bundle, loaded)
        for at, one in enumerate(loaded):
            found[one.specimen.input] = {**_pictured(one), **vectors.get(at, {})}
    return found


def _vectors(bundle: Bundle, loaded: Sequence[Loaded]) -> dict[int, dict[str, Any]]:
    """Returns modality and vector by place; a record with image and barcode counts as an image."""
    found: dict[int, dict[str, Any]] = {}
    encoded: Mapping[Modality, Any] = encode(bundle.model, materials_of(loaded, bundle.pixels))
    for modality in (Modality.BARCODE, Modality.IMAGE):
        if modality in encoded:
            z_RD: NDArray[np.float32] = encoded[modality].z_RD
            for at, z_D in zip(encoded[modality].row_R.tolist(), z_RD, strict=True):
                found[at] = {"modality": modality.value, "z": z_D.tolist()}
    return found


def _pictured(one: Loaded) -> dict[str, Any]:
    if one.image is None:
        return {"barcode": one.specimen.barcode}
    try:
        pixels = read_pixels(one.image)
    except MediaError:
        return {}
    seen = look(pixels)
    return {
        "picture": thumbnail(pixels), "size_px": seen.size_px, "grey": seen.grey,
        "border": seen.border, "colour": seen.colour,
    }  # fmt: skip


def _chunks(found: Iterator[Specimen]) -> Iterator[list[Specimen]]:
    chunk: list[Specimen] = []
    for one in found:
        chunk.append(one)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
