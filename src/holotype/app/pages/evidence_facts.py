"""What a bundle itself knows of how good it is: its validation records, read anew; and where its report lies.

Shapes: B validation records, V references, D embedding.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from holotype.decisions.answer_tree import LEVELS, OPEN, RIGHT, AnswerTree
from holotype.decisions.curves import exact_interval, level_thresholds, risk_curve
from holotype.decisions.risk import Control, Threshold, safe_threshold
from holotype.decisions.store import OpenDecisions, open_decisions, validation_of
from holotype.errors import BundleError, HolotypeError
from holotype.evaluation.decisions import reliability
from holotype.evaluation.evaluate import FORMAT, VERSION
from holotype.jobs import Job, State
from holotype.models.bundle import Bundle
from holotype.models.labels import LabelSpace

REPORT, PAGE = "report.json", "index.html"
FEWEST = 20
"""An instrument with fewer validation records has no curve of its own."""
ALLOWED = (0.01, 0.02, 0.05, 0.1, 0.2)
SHOWN_ALLOWED = 0.05


@dataclass(frozen=True)
class Report:
    """A report of ``holotype evaluate``.

    Attributes:
        folder: where it lies.
        content: of ``report.json``.
        is_of_model: whether it is of the very weights that answer here.
    """

    folder: Path
    content: dict[str, Any]
    is_of_model: bool


@dataclass(frozen=True)
class Cell:
    """How often the nearest key of one instrument names a query of another: right of n, with an interval."""

    right: int
    n: int

    @property
    def share(self) -> float | None:
        """The share; None where nothing could be asked."""
        return self.right / self.n if self.n else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Its exact 95 % interval."""
        return exact_interval(self.right, self.n) if self.n else None


@dataclass(frozen=True)
class Facts:
    """What the validation records of a bundle say.

    Attributes:
        decisions: of the bundle; None where it was never calibrated.
        why_not: why there are none, or why a channel has none; "" where all have.
        by_instrument: reliability of the best label, of taxa that it was taught; ``all`` first.
        instruments: of the rows and columns of ``across``.
        across: query instrument -> key instrument -> how often the nearest image has the name.
        queries: validation images that were asked.
        keys: references that they were held against.
        promises: those that were asked for, by channel and error.
    """

    decisions: OpenDecisions | None
    why_not: str
    by_instrument: dict[str, list[dict[str, Any]]]
    instruments: tuple[str, ...]
    across: dict[str, dict[str, Cell]]
    queries: int
    keys: int
    promises: dict[tuple[str, float], "Promise"] = field(default_factory=dict)

    def promise(self, channel: str, max_error: float) -> "Promise":
        """Returns what a channel may say at an error; takes a second the first time, nothing after that."""
        assert self.decisions is not None
        if (channel, max_error) not in self.promises:
            of = {str(name): one for name, one in self.decisions.decisions.channels.items()}
            self.promises[channel, max_error] = promise_of(of[channel].control, max_error=max_error)
        return self.promises[channel, max_error]


def find_report(folders: Iterable[Path | None], *, model: str) -> Report | None:
    """Returns the first report there is, one of this very model before any other."""
    found: Report | None = None
    for folder in folders:
        if folder is None or not (folder / REPORT).is_file():
            continue
        try:
            content = json.loads((folder / REPORT).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if not isinstance(content, dict):
            continue
        if (content.get("format"), content.get("version")) != (FORMAT, VERSION):
            continue
        is_of_model = (content.get("model") or {}).get("fingerprint") == model
        if is_of_model:
            return Report(folder, content, is_of_model=True)
        found = found or Report(folder, content, is_of_model=False)
    return found


def report_folders(named: Path | None, bundle: Path, jobs: Sequence[Job]) -> list[Path | None]:
    """Returns where a report may lie: where the server was told, of jobs done here, beside the bundle."""
    done = [
        Path(job.result["report"])
        for job in jobs
        if job.words[:1] == ("evaluate",) and job.state is State.DONE
        and isinstance(job.result, dict) and isinstance(job.result.get("report"), str)
    ]  # fmt: skip
    return [named, *done, bundle / "report", bundle.parent / "report"]


def facts_of(bundle: Bundle) -> Facts:
    """Returns what the validation records of a bundle say; empty where it was never calibrated."""
    try:
        decisions = open_decisions(bundle)
        if decisions is None:
            raise BundleError("This model was never calibrated.")
        validation = validation_of(bundle.path)
    except HolotypeError as reason:
        return Facts(None, str(reason), {}, (), {}, 0, 0)
    images = validation.filter(pc.equal(validation["modality"], "image"))
    labels = np.asarray(images["label"].to_pylist(), dtype=object)
    instruments = np.asarray([one or "" for one in images["instrument"].to_pylist()], dtype=object)
    probability = np.asarray(images["probability"].to_pylist(), dtype=np.float64)
    z_BD = np.asarray(images["z"].to_pylist(), dtype=np.float32)
    known = ~np.asarray(images["unseen"].to_pylist(), dtype=bool)
    curves = (
        _reliability(probability[known], labels[known], instruments[known], bundle.labels)
        if known.any()
        else {}
    )
    names, across, keys = _across(decisions, z_BD, labels, instruments)
    without = decisions.decisions.without.items()
    why_not = "; ".join(f"{channel}: {reason}" for channel, reason in without)
    facts = Facts(decisions, why_not, curves, names, across, len(labels), keys)
    for channel in decisions.decisions.channels:
        facts.promise(str(channel), SHOWN_ALLOWED)
    return facts


def _reliability(
    probability_BL: NDArray[np.float64],
    label_B: NDArray[np.object_],
    instrument_B: NDArray[np.object_],
    labels: LabelSpace,
) -> dict[str, list[dict[str, Any]]]:
    """Returns curves of the best label, of all records and of each instrument with enough of them.

    A best label below what the record was called is neither right nor wrong: nobody knows.
    """
    tree = AnswerTree.of(labels)
    concept_of = {label.name: label.concept for label in labels.labels}
    verdict_BN = tree.truths([concept_of.get(name) for name in label_B], label_B.tolist())
    rows, said_B = np.arange(len(label_B)), probability_BL.argmax(axis=1)
    verdict_B = verdict_BN[rows, tree.num_taxa + said_B]
    sure_B, right_B, judged_B = probability_BL.max(axis=1), verdict_B == RIGHT, verdict_B != OPEN
    found = {"all": reliability(sure_B[judged_B], right_B[judged_B])}
    for name in sorted(set(instrument_B.tolist()) - {""}):
        own = (instrument_B == name) & judged_B
        if own.sum() >= FEWEST:
            found[name] = reliability(sure_B[own], right_B[own])
    return found


def _across(
    decisions: OpenDecisions,
    z_BD: NDArray[np.float32],
    label_B: NDArray[np.object_],
    instrument_B: NDArray[np.object_],
) -> tuple[tuple[str, ...], dict[str, dict[str, Cell]], int]:
    """Returns how often the nearest reference of each instrument has the query's name, if it has it."""
    if "image" not in decisions.references.modalities or not len(label_B):
        return (), {}, 0
    keys = decisions.references.vectors_of("image")
    records = decisions.references.columns(["label", "instrument"])
    label_V = np.asarray(records["label"].to_pylist(), dtype=object)[keys.row_V]
    instrument_V = np.asarray(
        [one or "" for one in records["instrument"].to_pylist()], dtype=object
    )[keys.row_V]
    z_VD = np.asarray(keys.z_VD, dtype=np.float32)
    names = tuple(sorted((set(instrument_B.tolist()) | set(instrument_V.tolist())) - {""}))
    across: dict[str, dict[str, Cell]] = {}
    for asked in names:
        rows_B = np.flatnonzero((instrument_B == asked) & (label_B != None))  # noqa: E711 - elementwise
        across[asked] = {}
        for held in names:
            rows_V = np.flatnonzero(instrument_V == held)
            known = set(label_V[rows_V].tolist())
            open_B = np.asarray([row for row in rows_B if label_B[row] in known], dtype=np.int64)
            if not len(open_B) or not len(rows_V):
                across[asked][held] = Cell(0, 0)
                continue
            nearest = (z_BD[open_B] @ z_VD[rows_V].T).argmax(axis=1)
            right = int((label_V[rows_V][nearest] == label_B[open_B]).sum())
            across[asked][held] = Cell(right, len(open_B))
    return names, across, len(z_VD)


@dataclass(frozen=True)
class Promise:
    """What a channel may say at an error that is allowed.

    Attributes:
        everything: the threshold of the deepest safe answer, None without a promise; share answered; remark.
        levels: the same of each rank by itself, wide to narrow.
        curve: coverage and error over thresholds, as in a report.
    """

    everything: tuple[str, float | None, float, str]
    levels: list[tuple[str, float | None, float, str]]
    curve: list[dict[str, float]]


def promise_of(control: Control, *, max_error: float) -> Promise:
    """Returns the thresholds that keep an error, and the curve that they are points of."""
    whole = safe_threshold(control, max_error=max_error)
    levels = level_thresholds(control, max_error=max_error)
    confidence_BK = np.nan_to_num(control.confidence_BK, nan=-1.0)

    def row(
        name: str, one: Threshold, confidence_B: NDArray[np.float64]
    ) -> tuple[str, float | None, float, str]:
        share = float((confidence_B >= one.value).mean()) if one.holds and len(control) else 0.0
        return name, one.value if one.holds else None, share, one.remark or ""

    return Promise(
        row("the deepest safe answer", whole, confidence_BK.max(axis=1)),
        [row(LEVELS[level], one, confidence_BK[:, level]) for level, one in levels.items()],
        [
            {"coverage": p.coverage, "error": p.error, "low": p.low, "high": p.high}
            for p in risk_curve(control)
        ],
    )
