"""The figures as Plotly reads them: plain dictionaries, with colours named by the style sheet."""

from collections.abc import Sequence
from dataclasses import dataclass

from holotype.page.figures import HUES, Spec, short
from holotype.page.words import count, finite, interval, plot_text, with_unit

BASELINE_MARKS = (
    ("c2", "square"),
    ("c3", "diamond"),
    ("c4", "triangle-up"),
    ("c5", "triangle-down"),
    ("c6", "cross"),
    ("c1", "square"),
    ("c2", "circle"),
    ("c3", "triangle-up"),
    ("c4", "square"),
    ("c5", "circle"),
    ("c6", "diamond"),
)
MODEL_MARK = ("c1", "circle")
CHANCE_MARK = ("grey", "x")
CHANCE = ("commonest name", "chance")


@dataclass(frozen=True)
class Dot:
    """One figure with its interval; shares in [0, 1] or None."""

    value: float | None
    low: float | None
    high: float | None
    n: int | None
    left_out: int | None = None


@dataclass(frozen=True)
class Series:
    """What one method reached in each row of a figure."""

    name: str
    dots: Sequence[Dot | None]


def marks(methods: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Returns each method's colour and symbol: the model always the same, the trivial ones grey."""
    found: dict[str, tuple[str, str]] = {}
    others = 0
    for method in methods:
        if method == "model":
            found[method] = MODEL_MARK
        elif method in CHANCE:
            found[method] = CHANCE_MARK
        else:
            found[method] = BASELINE_MARKS[others % len(BASELINE_MARKS)]
            others += 1
    return found


def dots_height(rows: int, methods: int) -> int:
    """Returns the height in px that a figure of dots needs."""
    return 62 + rows * max(26, 11 * methods + 8)


def dots(
    rows: Sequence[str],
    series: Sequence[Series],
    *,
    axis: str,
    mark_of: dict[str, tuple[str, str]],
    bounds: tuple[float, float] = (0.0, 1.0),
) -> Spec:
    """Returns dots with 95 % intervals: one row a rank, one dot a method, in per cent."""
    step = 0.72 / max(1, len(series))
    traces = []
    for place, one in enumerate(series):
        shift = (place - (len(series) - 1) / 2) * step
        kept = [(at, dot) for at, dot in enumerate(one.dots) if dot and dot.value is not None]
        colour, symbol = mark_of[one.name]
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": plot_text(one.name),
                "x": [_hundredth(dot.value) for _, dot in kept],
                "y": [round(at + shift, 4) for at, _ in kept],
                "error_x": {
                    "type": "data",
                    "symmetric": False,
                    "array": [_gap(dot.high, dot.value) for _, dot in kept],
                    "arrayminus": [_gap(dot.value, dot.low) for _, dot in kept],
                    "color": f"var(--{colour})",
                    "thickness": 1.6,
                    "width": 0,
                },
                "marker": {"color": f"var(--{colour})", "symbol": symbol, "size": 8},
                "text": [_hover(one.name, rows[at], dot) for at, dot in kept],
                "hoverinfo": "text",
                "cliponaxis": False,
            }
        )
    low, high = (100 * bound for bound in bounds)
    bands = [
        {
            "type": "rect", "xref": "paper", "x0": 0, "x1": 1, "y0": at - 0.5, "y1": at + 0.5,
            "fillcolor": "var(--band)", "line": {"width": 0}, "layer": "below",
        }
        for at in range(0, len(rows), 2)
    ]  # fmt: skip
    return {
        "data": traces,
        "layout": {
            "showlegend": False,
            "shapes": bands,
            "margin": {"l": 10, "r": 16, "t": 6, "b": 44},
            "xaxis": {
                "range": [low - 1.5, high + 1.5], "title": {"text": axis}, "nticks": 6,
                "zeroline": low < 0, "automargin": True,
            },
            "yaxis": {
                "range": [len(rows) - 0.5, -0.5], "tickvals": list(range(len(rows))),
                "ticktext": [plot_text(row) for row in rows], "showgrid": False,
                "zeroline": False, "automargin": True,
            },
        },
    }  # fmt: skip


def lines(series: dict[str, list[tuple[float, float]]], *, axis: str, share: bool) -> Spec:
    """Returns curves over epochs; shares in per cent."""
    traces = []
    for place, (name, points) in enumerate(series.items()):
        hue = HUES[place % len(HUES)]
        scale = 100 if share else 1
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": plot_text(name),
                "x": [x for x, _ in points],
                "y": [round(scale * y, 5) for _, y in points],
                "line": {
                    "color": f"var(--{hue})",
                    "width": 2,
                    "dash": ("solid", "dash", "dot")[place // len(HUES) % 3],
                },
                "marker": {"size": 5, "symbol": _CURVE_SYMBOLS[place % len(_CURVE_SYMBOLS)]},
                "hovertemplate": "epoch %{x}: %{y:.3~f}" + ("\u202f%" if share else ""),
            }
        )
    epochs = sorted({x for points in series.values() for x, _ in points})
    every = {"dtick": 1} if len(epochs) <= 8 else {"nticks": 8}
    return {
        "data": traces,
        "layout": {
            "showlegend": True,
            "legend": {"orientation": "h", "y": -0.24, "yanchor": "top", "x": 0},
            "margin": {"l": 10, "r": 14, "t": 8, "b": 40},
            "xaxis": {"title": {"text": "epoch"}, "zeroline": False, "automargin": True, **every},
            "yaxis": {
                "title": {"text": axis}, "rangemode": "tozero", "zeroline": False,
                "automargin": True, **({"range": [-2, 102]} if share else {}),
            },
        },
    }  # fmt: skip


Point = tuple[int, float, float | None, float | None, str]
"""Place, value, low, high, and what is said of it."""


def lines_over(places: Sequence[str], series: dict[str, list[Point]], *, axis: str) -> Spec:
    """Returns curves over named places, with a bar at each point from low to high."""
    traces = []
    for at, (name, points) in enumerate(series.items()):
        colour = f"var(--{HUES[at % len(HUES)]})"
        above = [0 if high is None else round(high - value, 4) for _, value, _, high, _ in points]
        below = [0 if low is None else round(value - low, 4) for _, value, low, *_ in points]
        shift = 0.05 * (at - (len(series) - 1) / 2)
        traces.append(
            {
                "type": "scatter", "mode": "lines+markers", "name": plot_text(name),
                "x": [round(place + shift, 3) for place, *_ in points],
                "y": [value for _, value, *_ in points],
                "error_y": {
                    "type": "data", "symmetric": False, "color": colour, "thickness": 1.4, "width": 0,
                    "array": above,
                    "arrayminus": below,
                },
                "line": {
                    "color": colour, "width": 2,
                    "dash": ("solid", "dash", "dot")[at // len(HUES) % 3],
                },
                "marker": {"size": 7, "symbol": _CURVE_SYMBOLS[at % len(_CURVE_SYMBOLS)]},
                "text": [text for *_, text in points], "hoverinfo": "text",
            }
        )  # fmt: skip
    return {
        "data": traces,
        "layout": {
            "showlegend": True,
            "legend": {"orientation": "h", "y": -0.3, "yanchor": "top", "x": 0},
            "margin": {"l": 10, "r": 14, "t": 8, "b": 60},
            "xaxis": {
                "tickvals": list(range(len(places))), "ticktext": [plot_text(p) for p in places],
                "range": [-0.5, len(places) - 0.5], "zeroline": False, "automargin": True,
            },
            "yaxis": {"title": {"text": axis}, "zeroline": False, "automargin": True},
        },
    }  # fmt: skip


_CURVE_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x")


def heat(rows: Sequence[str], columns: Sequence[str], counts: Sequence[Sequence[int]]) -> Spec:
    """Returns a confusion map: each row is what records truly are, as shares of that row."""
    shares, texts = [], []
    for name, row in zip(rows, counts, strict=True):
        total = sum(row)
        shares.append([round(100 * c / total, 2) if total else None for c in row])
        texts.append(
            [
                f"{plot_text(name)}<br>called {plot_text(called)}<br>{count(c)} of {count(total)}"
                for called, c in zip(columns, row, strict=True)
            ]
        )
    ticks = {"ticks": "", "showgrid": False, "automargin": True, "zeroline": False}
    written = {"tickfont": {"size": 11 if len(rows) <= 20 else 10}}
    return {
        "data": [
            {
                "type": "heatmap", "z": shares, "text": texts, "hoverinfo": "text",
                "x": list(range(len(columns))), "y": list(range(len(rows))), "xgap": 1, "ygap": 1,
                "zmin": 0, "zmax": 100,
                "colorscale": [[at / 4, f"var(--heat{at})"] for at in range(5)],
                "colorbar": {
                    "title": {"text": "% of row", "side": "right"}, "thickness": 10, "len": 0.5,
                    "outlinewidth": 0, "y": 1, "yanchor": "top",
                },
            }
        ],
        "layout": {
            "margin": {"l": 10, "r": 10, "t": 10, "b": 10},
            "xaxis": {
                **ticks, **written, "title": {"text": "called"}, "tickangle": -90 if len(columns) > 5 else 0,
                "tickvals": list(range(len(columns))),
                "ticktext": [plot_text(short(name)) for name in columns],
            },
            "yaxis": {
                **ticks, **written, "title": {"text": "truth"}, "autorange": "reversed",
                "tickvals": list(range(len(rows))),
                "ticktext": [plot_text(short(name)) for name in rows],
            },
        },
    }  # fmt: skip


def bound(values: Sequence[float | None]) -> tuple[float, float]:
    """Returns the bounds of an axis of shares: 0 to 1, wider where a difference is negative."""
    found = [value for value in values if value is not None]
    low = min(found, default=0.0)
    return (0.0 if low >= 0 else max(-1.0, low - 0.05)), 1.0


def _hundredth(value: float | None) -> float | None:
    return None if value is None else round(100 * value, 2)


def _gap(upper: float | None, lower: float | None) -> float:
    if upper is None or lower is None:
        return 0.0
    return round(max(0.0, 100 * (upper - lower)), 2)


def _hover(name: str, row: str, dot: Dot) -> str:
    around = f" ({interval(dot.low, dot.high)})" if finite(dot.low) is not None else ", no interval"
    out = f", {count(dot.left_out)} left out" if dot.left_out else ""
    return (
        f"<b>{plot_text(name)}</b><br>{plot_text(row)}: {with_unit(dot.value)}{around}"
        f"<br>n {count(dot.n)}{out}"
    )
