"""The figures of doubt as Plotly reads them: reliability, and error by coverage."""

from math import log10
from typing import Any

from holotype.page.figures import HUES, Spec
from holotype.page.words import plot_text

SHOWN = ("answer", "family", "genus", "species", "label")
"""Confidences that are drawn: the answer's, and the narrow ranks'."""


def reliability_figure(calibration: list[dict[str, Any]]) -> Spec:
    """Returns the share of right answers by confidence, with exact intervals, beside the diagonal."""
    traces: list[dict[str, Any]] = [
        {
            "type": "scatter", "mode": "lines", "name": "as sure as right", "x": [0, 100], "y": [0, 100],
            "line": {"color": "var(--grey)", "width": 1, "dash": "dot"}, "hoverinfo": "skip",
        }
    ]  # fmt: skip
    drawn = [one for one in calibration if one["of"] in SHOWN]
    for at, one in enumerate(drawn):
        bins = one["bins"]
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": plot_text(one["of"]),
                "x": [_hundredth(b["confidence"]) for b in bins],
                "y": [_hundredth(b["right"]) for b in bins],
                "error_y": {
                    "type": "data",
                    "array": [_hundredth(b["high"] - b["right"]) for b in bins],
                    "arrayminus": [_hundredth(b["right"] - b["low"]) for b in bins],
                    "thickness": 1,
                    "width": 2,
                },
                "text": [str(b["records"]) for b in bins],
                "line": {"color": f"var(--{HUES[at % len(HUES)]})", "width": 2},
                "marker": {"size": [round(4 + 2 * log10(b["records"]), 1) for b in bins]},
                "hovertemplate": "%{x:.1f} sure, %{y:.1f} right, %{text} records",
            }
        )
    return {"data": traces, "layout": _layout("confidence, per cent", "right, per cent")}


def coverage_figure(curve: list[dict[str, float]]) -> Spec:
    """Returns the error among answered records by their share, with a band of exact intervals."""
    x = [_hundredth(point["coverage"]) for point in curve]
    band = {"type": "scatter", "mode": "lines", "x": x, "line": {"width": 0}, "hoverinfo": "skip"}
    traces = [
        {**band, "name": "low", "y": [_hundredth(p["low"]) for p in curve], "showlegend": False},
        {
            **band, "name": "95 % interval", "y": [_hundredth(p["high"]) for p in curve],
            "fill": "tonexty", "fillcolor": "rgba(127,127,127,0.2)",
        },
        {
            "type": "scatter", "mode": "lines", "name": "error", "x": x,
            "y": [_hundredth(p["error"]) for p in curve],
            "line": {"color": f"var(--{HUES[0]})", "width": 2},
            "hovertemplate": "%{x:.1f} answered, %{y:.2f} wrong",
        },
    ]  # fmt: skip
    layout = _layout("answered, per cent", "wrong, per cent")
    layout["yaxis"] |= {"rangemode": "tozero"}
    del layout["yaxis"]["range"]
    return {"data": traces, "layout": layout}


def _layout(across: str, up: str) -> dict[str, Any]:
    axis = {"range": [-2, 102], "zeroline": False, "automargin": True}
    return {
        "showlegend": True,
        "legend": {"orientation": "h", "y": -0.24, "yanchor": "top", "x": 0},
        "margin": {"l": 10, "r": 14, "t": 8, "b": 40},
        "xaxis": {**axis, "title": {"text": across}},
        "yaxis": {**axis, "title": {"text": up}},
    }


def _hundredth(value: float) -> float:
    return round(100 * value, 2)
