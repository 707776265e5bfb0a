"""The command ``thresholds``: what confidence keeps an error rate, by channel, rank and label, as a table."""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holotype import files
from holotype.decisions.answer_tree import LEVELS
from holotype.decisions.curves import label_thresholds, level_thresholds
from holotype.decisions.risk import Threshold, safe_threshold
from holotype.decisions.store import open_decisions
from holotype.errors import BundleError
from holotype.models.bundle import open_bundle

COLUMNS = ("channel", "of", "name", "threshold", "max_error", "answered", "wrong", "remark")
EVERYTHING, LEVEL, LABEL = "everything", "level", "label"


@dataclass(frozen=True)
class ThresholdsReport:
    """What was written.

    Attributes:
        out: the file.
        rows: thresholds by what they are of; those without a promise have an empty ``threshold``.
        promised: how many of them are promised.
    """

    out: str
    rows: int
    promised: int


def thresholds(run: Path | str, *, out: Path | str, max_error: float = 0.05) -> ThresholdsReport:
    """Writes the confidences from which answers are wrong at most so often, for other programs to use.

    ``everything`` is what ``predict`` uses: the deepest safe answer. A ``level`` keeps the error of a rank,
    a ``label`` the error of naming that label from its ``score`` on, whatever the tree says, each by itself.

    Args:
        run: a calibrated bundle.
        out: the CSV file.
        max_error: the share of answers that may be wrong.

    Raises:
        BundleError: when the bundle was never calibrated.
    """
    bundle = open_bundle(run)
    opened = open_decisions(bundle)
    if opened is None:
        raise BundleError(f"{bundle.path}: was never calibrated. Run holotype calibrate.")
    rows: list[dict[str, Any]] = []
    for channel, of in opened.decisions.channels.items():
        control = of.control
        named = [(EVERYTHING, "", safe_threshold(control, max_error=max_error))]
        levels = level_thresholds(control, max_error=max_error).items()
        named += [(LEVEL, LEVELS[level], one) for level, one in levels]
        named += [
            (LABEL, name, one)
            for name, one in label_thresholds(control, max_error=max_error).items()
        ]
        rows += [_row(channel.value, *one) for one in named]
    with (
        files.written_whole(Path(out)) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as handle,
    ):
        writer = csv.DictWriter(handle, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    promised = sum(row["threshold"] is not None for row in rows)
    return ThresholdsReport(str(out), len(rows), promised)


def _row(channel: str, of: str, name: str, found: Threshold) -> dict[str, Any]:
    return {
        "channel": channel,
        "of": of,
        "name": name,
        "threshold": round(found.value, 6) if found.holds else None,
        "max_error": found.max_error,
        "answered": sum(found.answered.values()),
        "wrong": sum(found.wrong.values()),
        "remark": found.remark,
    }
