"""Figures that several pages draw, as Plotly reads them; colours are named by the style sheet."""

from collections.abc import Mapping, Sequence
from typing import Any

from holotype.page.words import count, plot_text

Spec = dict[str, Any]

HUES = ("c1", "c2", "c3", "c4", "c5", "c6")
DASHES = ("solid", "dash", "dot")
LEGEND = {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"}


def short(name: object, most: int = 30) -> str:
    """Returns a name cut to a length that an axis can hold."""
    text = str(name)
    return text if len(text) <= most else text[: most - 1] + "…"


def powers(most: float, least: float = 1) -> dict[str, Any]:
    """Returns the ticks of a logarithmic axis: 1, 10, 100 ... with thin spaces, further ones where few."""
    decades = [e for e in range(-4, 13) if least / 10 < 10**e <= most * 10]
    steps = (1,) if len(decades) > 4 else (1, 2, 5)
    ticks = [m * 10**e for e in decades for m in steps]
    texts = [count(tick) if tick >= 1 else f"{tick:g}" for tick in ticks]
    return {"type": "log", "tickvals": ticks, "ticktext": texts, "minor": {"ticks": ""}}


def stacked_bars(
    categories: Sequence[str],
    series: Mapping[str, Sequence[int]],
    *,
    axis: str,
    across: bool = False,
) -> Spec:
    """Returns bars of counts, one series on top of the other.

    Args:
        categories: in order; from the top down where ``across``.
        series: name -> a count for each category.
        axis: what the categories are.
        across: whether the bars lie.
    """
    traces = []
    for at, (name, counts) in enumerate(series.items()):
        length, place = ("x", "y") if across else ("y", "x")
        traces.append(
            {
                "type": "bar",
                "name": plot_text(short(name)),
                "orientation": "h" if across else "v",
                length: list(counts),
                place: [plot_text(c) for c in categories],
                "marker": {"color": f"var(--{hue(at)})"},
                "text": [
                    f"<b>{plot_text(c)}</b><br>{plot_text(name)}: {count(n)}"
                    for c, n in zip(categories, counts, strict=True)
                ],
                "textposition": "none",
                "hoverinfo": "text",
            }
        )
    several = len(series) > 1
    of_counts = {
        "title": {"text": "records"},
        "automargin": True,
        "rangemode": "tozero",
        "nticks": 6,
    }
    of_names = {
        "title": {"text": axis}, "automargin": True, "type": "category", "showgrid": False,
        **({"autorange": "reversed"} if across else {}),
    }  # fmt: skip
    return {
        "data": traces,
        "layout": {
            "barmode": "stack",
            "bargap": 0.15,
            "showlegend": several,
            "legend": {**LEGEND, "traceorder": "normal"},
            "margin": {"l": 10, "r": 14, "t": 34 if several else 10, "b": 44},
            "xaxis": of_counts if across else of_names,
            "yaxis": of_names if across else of_counts,
        },
    }


def hue(at: int) -> str:
    """Returns the colour of a series by its place; grey beyond the six that can be told apart."""
    return HUES[at] if at < len(HUES) else "other"


def curves(
    series: Mapping[str, Sequence[Sequence[float]]],
    *,
    x: str,
    y: str,
    unit: str = "",
) -> Spec:
    """Returns curves on two logarithmic axes; points of 0 are left out, so that a gap stays a gap.

    Args:
        series: name -> points (x, y).
        x: what the axis is.
        y: likewise.
        unit: of x, after the number.
    """
    traces = []
    for at, (name, points) in enumerate(series.items()):
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": plot_text(short(name)),
                "x": [point[0] for point in points],
                "y": [point[1] or None for point in points],
                "connectgaps": False,
                "line": {
                    "color": f"var(--{HUES[at % len(HUES)]})", "width": 2,
                    "dash": DASHES[at // len(HUES) % len(DASHES)],
                },
                "marker": {"size": 5, "symbol": _SYMBOLS[at % len(_SYMBOLS)]},
                "text": [
                    f"<b>{plot_text(name)}</b><br>about {point[0]:.3g}\u202f{unit}: {count(point[1])}"
                    for point in points
                ],
                "hoverinfo": "text",
            }
        )  # fmt: skip
    every = [point for points in series.values() for point in points if point[1]]
    least, most = min(p[0] for p in every), max(p[0] for p in every)
    several = len(series) > 1
    return {
        "data": traces,
        "layout": {
            "showlegend": several,
            "legend": LEGEND,
            "margin": {"l": 10, "r": 14, "t": 34 if several else 10, "b": 44},
            "xaxis": {**powers(most, least), "title": {"text": x}, "automargin": True, "zeroline": False},
            "yaxis": {
                **powers(max(p[1] for p in every)), "title": {"text": y}, "automargin": True,
                "zeroline": False,
            },
        },
    }  # fmt: skip


_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x")
