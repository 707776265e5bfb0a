"""A training summary and the statistics of a stream -> what is not as it was when the model was made."""

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Any

import numpy as np

from holotype.decisions.summary import FEWEST, LIMITS, Drift, Finding, Moments, Statistics

_WHAT_TO_DO = "Label some of them and see how good the answers are before they are used."


def drift(
    summary: Mapping[str, Any],
    stream: Statistics,
    *,
    preparation: Mapping[str, Any] | None = None,
) -> list[Finding]:
    """Returns every comparison that can be made, whether it shows a difference or not.

    Args:
        summary: what ``training_summary`` gave.
        stream: of what is answered now.
        preparation: how images are decoded and resized here, as ``preparation_print`` gives it.
    """
    before = Statistics.from_json(summary)
    found = [
        _embedding(name, before.embedding[name], moments, summary["instruments"])
        for name, moments in stream.embedding.items()
        if name in before.embedding and min(moments.count, before.embedding[name].count) >= FEWEST
    ]
    if min(sum(before.labels.values()), sum(stream.labels.values())) >= FEWEST:
        found.append(_classes(before.labels, stream.labels))
    shapes = ((Drift.GREY, before.grey, stream.grey), (Drift.SIZE, before.size, stream.size))
    for kind, then, now in shapes:
        if min(sum(then), sum(now)) >= FEWEST:
            found.append(_shape(kind, then, now))
    if summary.get("preparation") and preparation is not None:
        found.append(_preparation(summary["preparation"], preparation))
    return found


def embedding_effect(before: Moments, now: Moments) -> float:
    """Returns how far two means are apart: the root mean square of Cohen's d over the numbers of a vector.

    What chance gives with so many vectors (1/n + 1/m in the square) is taken off. 0 for alike.
    """
    variance_D = before.variance_D * before.count / max(1, before.count - 1)
    used_D = variance_D > 1e-12
    if not used_D.any():
        return 0.0
    squared_D = (now.mean_D - before.mean_D)[used_D] ** 2 / variance_D[used_D]
    chance = 1.0 / before.count + 1.0 / now.count
    return sqrt(max(0.0, float(squared_D.mean()) - chance))


def class_distance(before: Mapping[str, int], now: Mapping[str, int]) -> float:
    """Returns the share of specimens that would have to change class, less what chance gives; 0 to 1."""
    names = sorted({*before, *now})
    n, m = sum(before.values()), sum(now.values())
    then_L = np.asarray([before.get(name, 0) for name in names]) / n
    now_L = np.asarray([now.get(name, 0) for name in names]) / m
    pooled_L = (then_L * n + now_L * m) / (n + m)
    chance = 0.5 * np.sqrt(2 / np.pi * pooled_L * (1 - pooled_L) * (1 / n + 1 / m)).sum()
    return max(0.0, float(0.5 * np.abs(then_L - now_L).sum() - chance))


def shape_distance(before: Sequence[int], now: Sequence[int]) -> float:
    """Returns the greatest distance of two cumulative shares, less what chance gives; 0 to 1.

    It is the statistic of Kolmogorov and Smirnov on binned values, less its usual value for alike samples,
    0.87 times the root of 1/n + 1/m.
    """
    then_B, now_B = np.cumsum(before) / sum(before), np.cumsum(now) / sum(now)
    chance = 0.87 * sqrt(1 / sum(before) + 1 / sum(now))
    return max(0.0, float(np.abs(then_B - now_B).max()) - chance)


def _embedding(of: str, before: Moments, now: Moments, instruments: Mapping[str, int]) -> Finding:
    effect = embedding_effect(before, now)
    learnt = ", ".join(instruments) or "instruments that nobody named"
    text = (
        f"embeddings ({of}) lie {effect:.2f} standard deviations from those the model was made on "
        f"({learnt}): another instrument, place or preparation? {_WHAT_TO_DO}"
    )
    return Finding(Drift.EMBEDDING, of, effect, LIMITS[Drift.EMBEDDING], text)


def _classes(before: Mapping[str, int], now: Mapping[str, int]) -> Finding:
    effect = class_distance(before, now)
    n, m = sum(before.values()), sum(now.values())
    change = {name: now.get(name, 0) / m - before.get(name, 0) / n for name in {*before, *now}}
    most = sorted(change, key=lambda name: (-abs(change[name]), name))[:3]
    shown = ", ".join(
        f"{name} {before.get(name, 0) / n:.0%} then, {now.get(name, 0) / m:.0%} now"
        for name in most
    )
    text = (
        f"classes are mixed otherwise than when the model was made: {effect:.0%} of the answers moved "
        f"({shown}). Counts need a correction; {_WHAT_TO_DO[0].lower()}{_WHAT_TO_DO[1:]}"
    )
    return Finding(Drift.CLASSES, "", effect, LIMITS[Drift.CLASSES], text)


_SHAPES = {
    Drift.GREY: "images are brighter or darker than those the model was made on",
    Drift.SIZE: "images are larger or smaller, in pixels, than those the model was made on",
}


def _shape(kind: Drift, before: Sequence[int], now: Sequence[int]) -> Finding:
    effect = shape_distance(before, now)
    text = f"{_SHAPES[kind]}: their distributions are {effect:.2f} apart (0 to 1). {_WHAT_TO_DO}"
    return Finding(kind, "image", effect, LIMITS[kind], text)


def _preparation(before: Mapping[str, Any], now: Mapping[str, Any]) -> Finding:
    other = [name for name in ("decoded", "resized") if before.get(name) != now.get(name)]
    versions = [
        f"{name} {version} then, {now['versions'].get(name)} now"
        for name, version in before.get("versions", {}).items()
        if now["versions"].get(name) != version
    ]
    told = f" ({', '.join(versions)})" if versions else ""
    text = (
        f"images are {' and '.join(other) or 'made ready'} otherwise than when the model was made{told}: "
        "answers may differ a little. Install the versions that it was made with to get the same."
    )
    return Finding(Drift.PREPARATION, "", float(len(other)), LIMITS[Drift.PREPARATION], text)
