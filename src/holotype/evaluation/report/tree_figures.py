"""Figures of the space and the tree: similarity, and mistakes, by the rank of the common ancestor."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from holotype.evaluation.report.figures import lines_over
from holotype.page.figures import HUES, Spec
from holotype.page.layout import plot
from holotype.page.words import count, finite, pair_name, plot_text

_NO_TAXON = "none"


def agreement(exhibits: Mapping[str, Mapping[str, Any]], name: str, *, pair: str) -> str | None:
    """Returns the cosine of two records against the rank at which they meet, a curve for each.

    Args:
        exhibits: name of a curve -> exhibit (``hierarchy_exhibit``); what needs no model is drawn once.
        name: a part of the id.
        pair: query and key.
    """
    curves: dict[str, tuple[Sequence[str], Mapping[str, Any]]] = {}
    for title, exhibit in exhibits.items():
        for curve in exhibit.get("curves") or []:
            if curve["pair"] == pair:
                shown = title if curve["method"] == "model" else curve["method"]
                curves.setdefault(shown, (exhibit["ancestors"], curve))
    if not curves:
        return None
    curves = {name: curves[name] for name in _models_first(curves, exhibits)}
    ranks = _all_ranks([ancestors for ancestors, _ in curves.values()])
    series = {}
    for shown, (ancestors, curve) in curves.items():
        points = []
        for at, rank in enumerate(ancestors):
            mean = finite(curve["mean"][at])
            low, high = finite(curve["q25"][at]), finite(curve["q75"][at])
            if mean is not None:
                text = (
                    f"<b>{plot_text(shown)}</b><br>{_meeting(rank)}: mean cosine {mean:.3f}<br>half of "
                    f"{count(curve['pairs'][at])} pairs from {low:.3f} to {high:.3f}"
                )
                points.append((ranks.index(rank), mean, low, high, text))
        series[shown] = points
    spec = lines_over([_meeting(rank) for rank in ranks], series, axis="cosine")
    return plot(
        f"{name}-agreement",
        spec,
        says=f"Mean cosine of two records by the rank at which they meet: {', '.join(series)}.",
        height=360 + 20 * (len(series) // 2),
        title=f"Similarity and the common ancestor, {pair_name(pair)}",
        caption=(
            "Mean cosine of pairs of a test record and a key, by the narrowest taxon that both belong to; "
            "bars: the middle half of the pairs. In a space that follows the tree the curve falls from "
            "left to right."
        ),
    )


def severity(exhibits: Mapping[str, Mapping[str, Any]], name: str, *, pair: str) -> str | None:
    """Returns where the mistakes lie: shares of the mistakes by common ancestor of answer and truth.

    Args:
        exhibits: name of a bar -> exhibit; what needs no model is drawn once.
        name: a part of the id.
        pair: ``image`` for the head's answers, query and key for the nearest key's.
    """
    bars: dict[str, tuple[Sequence[str], Mapping[str, Any]]] = {}
    for title, exhibit in exhibits.items():
        for one in exhibit.get("mistakes") or []:
            if one["pair"] == pair and one["wrong"]:
                shown = title if one["method"] == "model" else one["method"]
                bars.setdefault(shown, (exhibit["ancestors"], one))
    if not bars:
        return None
    bars = {name: bars[name] for name in _models_first(bars, exhibits)}
    ranks = _all_ranks([ancestors for ancestors, _ in bars.values()])
    ranks = [r for r in ranks if any(_share(one, r)[0] for one in bars.values())]
    return plot(
        f"{name}-mistakes",
        _stacked(bars, ranks),
        says=f"Shares of mistakes by common ancestor of answer and truth: {', '.join(bars)}.",
        height=130 + 34 * len(bars),
        title=f"Where the mistakes lie, {pair_name(pair)}",
        caption=(
            "Of the answers that are wrong, the share that still meets the truth in a genus, a family and so "
            "on; in brackets the mistakes and the answers that can be judged. More to the left is milder."
        ),
    )


def _models_first(found: Iterable[str], models: Iterable[str]) -> list[str]:
    known = set(models)
    return sorted(found, key=lambda name: name not in known)


def _stacked(bars: Mapping[str, tuple[Sequence[str], Mapping[str, Any]]], ranks: list[str]) -> Spec:
    names = [
        f"{title} ({count(one['wrong'])} of {count(one['judged'])})"
        for title, (_, one) in bars.items()
    ]
    traces = []
    for at, rank in enumerate(ranks):
        found = [_share(one, rank) for one in bars.values()]
        traces.append(
            {
                "type": "bar", "orientation": "h", "name": _meeting(rank),
                "y": [plot_text(name) for name in names],
                "x": [round(100 * share, 2) for share, _ in found],
                "marker": {"color": f"var(--{HUES[at]})" if at < len(HUES) else "var(--other)"},
                "text": [
                    f"<b>{plot_text(name)}</b><br>{_meeting(rank)}: {count(number)}, {100 * share:.1f} %"
                    for name, (share, number) in zip(names, found, strict=True)
                ],
                "textposition": "none", "hoverinfo": "text",
            }
        )  # fmt: skip
    return {
        "data": traces,
        "layout": {
            "barmode": "stack", "bargap": 0.25, "showlegend": True,
            "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "traceorder": "normal"},
            "margin": {"l": 10, "r": 14, "t": 40, "b": 44},
            "xaxis": {"title": {"text": "per cent of mistakes"}, "range": [0, 100], "automargin": True},
            "yaxis": {"autorange": "reversed", "type": "category", "showgrid": False, "automargin": True},
        },
    }  # fmt: skip


def _share(bar: tuple[Sequence[str], Mapping[str, Any]], rank: str) -> tuple[float, int]:
    ancestors, one = bar
    number = int(one["counts"][list(ancestors).index(rank)]) if rank in ancestors else 0
    return number / one["wrong"], number


def _all_ranks(found: Sequence[Sequence[str]]) -> list[str]:
    """Returns the ranks of all exhibits, narrow to wide, and last that nothing is shared."""
    longest = max(found, key=len)
    extra = [rank for ranks in found for rank in ranks if rank not in longest]
    return [*(r for r in longest if r != _NO_TAXON), *dict.fromkeys(extra), _NO_TAXON]


def _meeting(rank: str) -> str:
    return "nothing shared" if rank == _NO_TAXON else f"same {rank}"


def pairs_of(exhibits: Mapping[str, Mapping[str, Any]], part: str) -> list[str]:
    """Returns the pairs that some exhibit has, in order; ``part`` is ``curves`` or ``mistakes``."""
    return list(
        dict.fromkeys(one["pair"] for found in exhibits.values() for one in found.get(part) or [])
    )
