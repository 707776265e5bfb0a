"""Judged records -> the figures of an assessment, as plain values for ``report.json``."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holotype.assessing.judging import OPEN, RANKS, Judged, hits
from holotype.assessing.shares import Share, share

LEAST = 5
"""A class is told to fail or not from so many labelled records on."""
BINS = 5
MOST_CONFUSIONS = 20


def findings(judged: Judged, *, max_error: float, unknown: Sequence[bool] = ()) -> dict[str, Any]:
    """Returns accuracy, the promise of safe answers, ranks, classes, confusions and calibration.

    Args:
        judged: the records.
        max_error: the error rate that safe answers were to keep.
        unknown: whether each judged record is of a taxon that the model was not taught.
    """
    of = judged
    every = np.ones(len(of), dtype=np.bool_)
    label = _share(of, hits(of.label_S), every)
    answer = _share(of, hits(of.answer_S), of.answered_S)
    error = _complement(answer)
    return {
        "accuracy": {
            "label": asdict(label),
            "answered": asdict(_share(of, of.answered_S, every)),
            "answer": asdict(answer),
            "untaught": asdict(_share(of, np.asarray(unknown, np.bool_), every)) if len(unknown) else None,
            "judged_as_far_as_the_label_goes": int((of.label_S == OPEN).sum()),
        },
        "promise": {"max_error": max_error, "error": asdict(error), "verdict": _kept(error, max_error)},
        "ranks": [
            {
                "rank": rank,
                "answered": asdict(_share(of, of.given_SR[:, r], every)),
                "right": asdict(_share(of, hits(of.rank_SR[:, r]), of.given_SR[:, r])),
            }
            for r, rank in enumerate(RANKS)
            if of.given_SR[:, r].any()
        ],
        "classes": _classes(of),
        "confusions": _confusions(of),
        "calibration": {
            "label": _calibration(of, of.score_S, hits(of.label_S), every),
            "answer": _calibration(of, of.sure_S, hits(of.answer_S), of.answered_S),
        },
    }  # fmt: skip


def _complement(of: Share) -> Share:
    value, low, high = (None if one is None else 1 - one for one in (of.value, of.high, of.low))
    return Share(value, low, high, of.n, of.stands_for)


def _share(of: Judged, hit_S: NDArray[np.bool_], within_S: NDArray[np.bool_]) -> Share:
    return share(hit_S[within_S], of.weight_S[within_S], of.stratum_S[within_S])


def _kept(error: Share, max_error: float) -> str:
    if error.value is None or error.low is None or error.high is None:
        return "no answers"
    if error.high <= max_error:
        return "kept"
    return "broken" if error.low > max_error else "cannot be told"


def _classes(of: Judged) -> list[dict[str, Any]]:
    """Returns every class that was said or is true: precision and recall, those that fail most first."""
    said, truth = np.asarray(of.said_S, dtype=object), np.asarray(of.truth_S, dtype=object)
    right_S = hits(of.label_S)
    found = []
    for name in sorted({*of.said_S, *of.truth_S}):
        is_said, is_true = said == name, truth == name
        precision = _share(of, right_S, is_said)
        recall = _share(of, right_S, is_true)
        told = [
            one.value for one in (precision, recall) if one.n >= LEAST and one.value is not None
        ]
        found.append({
            "label": name, "precision": asdict(precision), "recall": asdict(recall),
            "worst": min(told) if told else None,
        })  # fmt: skip
    return sorted(
        found, key=lambda one: (one["worst"] is None, one["worst"] or 0, str(one["label"]))
    )


def _confusions(of: Judged) -> list[dict[str, Any]]:
    pairs: dict[tuple[str, str], list[int]] = defaultdict(list)
    for s in np.flatnonzero(~hits(of.label_S)).tolist():
        pairs[of.truth_S[s], of.said_S[s]].append(s)
    rows: list[dict[str, Any]] = [
        {"is": truth, "said": said, "n": len(of_pair), "stands_for": float(of.weight_S[of_pair].sum())}
        for (truth, said), of_pair in pairs.items()
    ]  # fmt: skip
    rows.sort(key=lambda one: (-one["stands_for"], str(one["is"]), str(one["said"])))
    return rows[:MOST_CONFUSIONS]


def _calibration(
    of: Judged, score_S: NDArray[np.float64], hit_S: NDArray[np.bool_], within_S: NDArray[np.bool_]
) -> dict[str, Any] | None:
    """Returns mean score against share right, in all and in bins of equal numbers."""
    rows = np.flatnonzero(within_S & np.isfinite(score_S))
    if not len(rows):
        return None
    right = share(hit_S[rows], of.weight_S[rows], of.stratum_S[rows])
    assert right.value is not None
    assert right.low is not None
    assert right.high is not None
    mean = float(np.average(score_S[rows], weights=of.weight_S[rows]))
    order = rows[np.argsort(score_S[rows], kind="stable")]
    bins, error = [], 0.0
    for part in np.array_split(order, min(BINS, len(order))):
        inside = share(hit_S[part], of.weight_S[part], of.stratum_S[part])
        score = float(np.average(score_S[part], weights=of.weight_S[part]))
        bins.append({"score": score, "right": asdict(inside)})
        gap = abs(score - (inside.value or 0.0))
        error += gap * float(of.weight_S[part].sum() / of.weight_S[rows].sum())
    too_sure = {"value": mean - right.value, "low": mean - right.high, "high": mean - right.low}
    return {"mean_score": mean, "right": asdict(right), "too_sure_by": too_sure,
            "error": error, "bins": bins}  # fmt: skip
