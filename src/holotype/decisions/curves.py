"""What control records say beyond one threshold: error by coverage, thresholds of single ranks and labels."""

from dataclasses import dataclass, replace

import numpy as np

from holotype.decisions.answer_tree import LABEL_LEVEL
from holotype.decisions.risk import (
    Control,
    Threshold,
    answered_and_wrong,
    candidates,
    level_answered,
    safe_threshold,
)


@dataclass(frozen=True)
class CurvePoint:
    """Coverage and error at one threshold: shares of control records; an exact interval of the error."""

    threshold: float
    coverage: float
    error: float
    low: float
    high: float


def risk_curve(control: Control, *, points: int = 60) -> list[CurvePoint]:
    """Returns coverage and error over thresholds, strictest first.

    Coverage is of all records; the error among those whose answer can be judged.
    """
    chosen = candidates(control.confidence_BK)
    chosen = [chosen[i] for i in np.unique(np.linspace(0, len(chosen) - 1, points).astype(int))]
    found = []
    for value in chosen:
        judged_B, wrong_B = answered_and_wrong(control, value)
        judged, wrong = int(judged_B.sum()), int(wrong_B.sum())
        if judged:
            low, high = exact_interval(wrong, judged)
            coverage = float((level_answered(control.confidence_BK, value) >= 0).mean())
            found.append(CurvePoint(value, coverage, wrong / judged, low, high))
    return found


def exact_interval(hits: int, count: int, *, level: float = 0.95) -> tuple[float, float]:
    """Returns the interval of Clopper & Pearson (1934, doi:10.1093/biomet/26.4.404) of a share."""
    from scipy.special import betaincinv

    tail = (1 - level) / 2
    low = float(betaincinv(hits, count - hits + 1, tail)) if hits else 0.0
    high = float(betaincinv(hits + 1, count - hits, 1 - tail)) if hits < count else 1.0
    return low, high


def level_thresholds(control: Control, *, max_error: float) -> dict[int, Threshold]:
    """Returns for each level the threshold that keeps the error of that level alone."""
    found = {}
    for level in range(control.confidence_BK.shape[1]):
        alone = _one_level(control, level)
        found[level] = safe_threshold(alone, max_error=max_error)
    return found


def label_thresholds(control: Control, *, max_error: float) -> dict[str, Threshold]:
    """Returns for each label that occurs the score from which naming it keeps the error.

    These are thresholds of the label's score, as ``score`` of an answer, for programs that know no tree.
    """
    found = {}
    for label in sorted(set(control.label_B.tolist())):
        of = control.take(np.flatnonzero(control.label_B == label))
        scored = replace(_one_level(of, LABEL_LEVEL), confidence_BK=of.score_B[:, None])
        found[label] = safe_threshold(scored, max_error=max_error)
    return found


def _one_level(control: Control, level: int) -> Control:
    at = [level]
    return replace(
        control, confidence_BK=control.confidence_BK[:, at], right_BK=control.right_BK[:, at]
    )
