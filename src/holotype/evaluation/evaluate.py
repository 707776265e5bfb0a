"""The command ``evaluate``: a bundle on the test part of a split -> a report folder.

Format: docs/formats/report.md. ``report.json`` holds every figure; ``index.html`` shows them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from holotype import files
from holotype._version import __version__
from holotype.collection.store import Collection, open_collection
from holotype.evaluation.classification import (
    caption_classification_scores,
    classification_scores,
)
from holotype.evaluation.cross_instrument import cross_instrument_scores
from holotype.evaluation.decisions import decisions_exhibit
from holotype.evaluation.evidence import Score, pick
from holotype.evaluation.exam import Exam, prepare_exam
from holotype.evaluation.exhibits import (
    composition,
    confusion_cells,
    embedding_map,
    examples,
    per_class,
)
from holotype.evaluation.few_shot import few_shot_scores
from holotype.evaluation.hierarchy import hierarchy_exhibit, hierarchy_scores
from holotype.evaluation.retrieval import retrieval_scores
from holotype.evaluation.zero_shot import zero_shot_scores
from holotype.models.bundle import Bundle, naming_bundle
from holotype.progress import note
from holotype.splits.plan import Split, check_fits, read_split

TASKS: tuple[Callable[[Bundle, Exam], list[Score]], ...] = (
    classification_scores,
    caption_classification_scores,
    retrieval_scores,
    cross_instrument_scores,
    zero_shot_scores,
    few_shot_scores,
    hierarchy_scores,
)
"""What a model is asked; each task gives no figures where the model lacks the parts for it."""

FORMAT = "holotype-report"
VERSION = 1


@dataclass(frozen=True)
class EvaluateReport:
    """What an evaluation found.

    Attributes:
        report: its folder.
        scores: how many figures it holds.
        headline: the figures that people ask for first, by name.
    """

    report: str
    scores: int
    headline: dict[str, float]


def evaluate(
    run: Path | str,
    *,
    collection: Path | str,
    split: Path | str,
    out: Path | str,
    seed: int = 0,
) -> EvaluateReport:
    """Examines a model on the test part of a split and writes ``report.json`` and ``index.html``.

    Classification by the head, zero-shot by captions, few-shot, retrieval between modalities, and whether
    the space follows the tree: whatever the model has the parts for, each beside baselines that need no
    model, with 95 % intervals.

    Args:
        run: a bundle.
        collection: the collection's folder.
        split: the split file.
        out: the report's folder.
        seed: of bootstrap, few-shot draws and the map.

    Raises:
        BundleError, CollectionError, SplitError: when these do not fit together.
    """
    bundle, opened, parts = (
        naming_bundle(Path(run)),
        open_collection(Path(collection)),
        read_split(Path(split)),
    )
    check_fits(parts, opened)
    content = examine(bundle, opened, parts, seed=seed)
    return write_report(content, Path(out))


def write_report(content: dict[str, Any], folder: Path) -> EvaluateReport:
    """Writes the content of a report as JSON and as one self-contained page."""
    from holotype.evaluation.report.page import page

    (folder / "index.html").unlink(missing_ok=True)
    files.write_json(folder / "report.json", content)
    files.write_text(folder / "index.html", page(content))
    return EvaluateReport(str(folder), len(content["scores"]), content["headline"])


def examine(bundle: Bundle, collection: Collection, split: Split, *, seed: int) -> dict[str, Any]:
    """Returns the content of a report."""
    exam = prepare_exam(bundle, collection, split, seed=seed)
    scores: list[Score] = []
    for task in TASKS:
        found = task(bundle, exam)
        scores += found
        note(f"evaluate: {task.__name__.removesuffix('_scores')}: {len(found):,} figures")
    training = bundle.manifest["training"]
    return {
        "format": FORMAT,
        "version": VERSION,
        "holotype": __version__,
        "model": {
            "name": training["recipe"]["name"],
            "about": training["recipe"]["about"].strip(),
            "fingerprint": bundle.fingerprint,
            "modalities": [m.value for m in bundle.model.modalities],
            "target": bundle.labels.target.value,
            "labels": len(bundle.labels),
            "records": training["records"],
            "parameters": sum(p.numel() for p in bundle.model.parameters()),
            "calibration": bundle.manifest["calibration"],
            "history": training["history"],
        },
        "split": {**split.made_by, "audit": split.audit},
        "composition": composition(collection),
        "headline": headline(scores),
        "scores": [score.as_json() for score in scores],
        "confusion": confusion_cells(bundle, exam),
        "per_class": per_class(bundle, exam),
        "hierarchy": hierarchy_exhibit(bundle, exam),
        "map": embedding_map(exam, seed=seed),
        "examples": examples(bundle, exam, seed=seed),
        "decisions": decisions_exhibit(bundle, exam),
    }


def headline(scores: list[Score]) -> dict[str, float]:
    """Returns the figures that people ask for first."""
    found: dict[str, float] = {}
    for modality in ("image", "barcode"):
        for metric in ("top1_micro", "top1_macro", "macro_f1"):
            for score in pick(
                scores, task="classification", method="model", pair=modality, rank="label",
                part="all", metric=metric,
            ):  # fmt: skip
                if score.n:
                    found[f"{modality} label {metric}"] = round(score.value, 4)
    retrieved = pick(scores, task="retrieval", method="model", rank="species")
    parts = {score.part for score in retrieved}
    for part in ("seen", "unseen", "harmonic") if "unseen" in parts else ("all",):
        for score in pick(
            scores, task="retrieval", method="model", rank="species", part=part, metric="top1_micro"
        ):
            if np.isfinite(score.value):
                found[f"{score.pair} species {part}"] = round(score.value, 4)
    return found
