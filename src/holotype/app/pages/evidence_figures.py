"""Figures as the pages draw them: readable in light and dark alike, with a table beside each."""

from collections.abc import Mapping, Sequence
from typing import Any

from nicegui import ui

from holotype.app.pages.text import text
from holotype.evaluation.report.doubt_figures import coverage_figure, reliability_figure
from holotype.page.figures import HUES, Spec
from holotype.page.words import DASH, count, percent, plot_text, with_unit

COLOURS = {
    "c1": "#2e8bd0", "c2": "#d9712b", "c3": "#1e9c76", "c4": "#c2649e", "c5": "#9b7d1c", "c6": "#8577d6",
    "grey": "#858b93", "other": "#858b93", "ink": "#858b93", "dim": "#858b93",
}  # fmt: skip
"""Hues of at least 3 : 1 on white and on the dark paper: Plotly reads no variables of the style sheet."""
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
GRID = "rgba(128,134,142,.28)"
STYLE = """
.figure { margin: 0 0 1rem; min-width: 0; }
.figure figcaption { color: var(--dim); font-size: .9rem; max-width: 46rem; }
.figure .js-plotly-plot { width: 100%; }
.figure .js-plotly-plot text { fill: var(--ink) !important; }
.figure .js-plotly-plot .hoverlayer text { fill: #fff !important; }
.figure details { margin-top: .4rem; font-size: .9rem; }
.figure summary { display: list-item; cursor: pointer; color: var(--link); }
.figure-title { font-weight: 650; margin: .6rem 0 .2rem; }
"""


def drawn(spec: Spec) -> Spec:
    """Returns a figure of the reports as the pages can draw it: colours told, no toolbar, no background."""
    layout = {
        **_told(spec["layout"]),
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "autosize": True,
        "font": {"family": FONT, "size": 12},
        "hoverlabel": {"bgcolor": "#30363d", "font": {"color": "#fff"}},
    }
    for name in ("xaxis", "yaxis"):
        axis = layout.get(name) or {}
        layout[name] = {"gridcolor": GRID, "linecolor": GRID, "zerolinecolor": GRID, **axis}
    config = {"displayModeBar": False, "responsive": True, "scrollZoom": False}
    return {"data": _told(spec["data"]), "layout": layout, "config": config}


def _told(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _told(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_told(one) for one in value]
    if isinstance(value, str) and value.startswith("var(--"):
        return COLOURS.get(value[6:-1], COLOURS["grey"])
    return value


def figure(
    spec: Spec,
    *,
    title: str,
    says: str,
    height: int,
    caption: str = "",
    columns: Sequence[str] = (),
    rows: Sequence[Sequence[str]] = (),
) -> None:
    """Draws a figure, with what a screen reader says instead, and its numbers as a table below it."""
    with ui.element("figure").classes("figure"):
        text("p", title).classes("figure-title").props('aria-hidden="true"')
        with ui.element("div").props('role="img"') as place:
            place.props["aria-label"] = f"{title}. {says}"
            ui.plotly(drawn(spec)).classes("w-full").style(f"height: {height}px")
        if caption:
            text("figcaption", caption)
        if rows:
            with ui.element("details"):
                text("summary", f"The numbers: {title.lower()}")
                table(columns, rows, says=f"The numbers of: {title}")


def table(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    says: str,
    words: Sequence[int] = (),
) -> None:
    """Draws a table in a box that scrolls; the first cell of a row names it.

    Args:
        columns: the headings.
        rows: a text for each.
        says: what a screen reader says of the box.
        words: places of further columns that hold words.
    """
    with ui.element("div").classes("scroll").props('tabindex=0 role="region"') as box:
        box.props["aria-label"] = says
        with ui.element("table").classes("plain"):
            with ui.element("thead"), ui.element("tr"):
                for at, name in enumerate(columns):
                    text("th", name).props('scope="col"').classes("word" if at in words else "")
            with ui.element("tbody"):
                for row in rows:
                    with ui.element("tr"):
                        text("th", row[0]).props('scope="row"')
                        for at, cell in enumerate(row[1:], start=1):
                            text("td", cell).classes("word" if at in words else "")


def reliability(
    curves: Mapping[str, list[dict[str, Any]]], *, title: str, says: str, caption: str
) -> None:
    """Draws reliability curves by name, each of ``confidence``, ``right``, ``low``, ``high``, ``records``."""
    named = list(curves)[: len(HUES)]
    spec = reliability_figure([{"of": "answer", "bins": curves[name]} for name in named])
    for name, trace in zip(named, spec["data"][1:], strict=True):
        trace["name"] = plot_text(name)
    for at, trace in enumerate(spec["data"][1:]):
        trace["line"]["color"] = f"var(--{HUES[at]})"
    rows = [
        [
            f"{name}, {percent(one['confidence'])} % sure", with_unit(one["right"]),
            f"{percent(one['low'])}{DASH}{percent(one['high'])}", count(one["records"]),
        ]
        for name in curves for one in curves[name]
    ]  # fmt: skip
    figure(
        spec, title=title, says=says, height=380, caption=caption,
        columns=["Curve", "Right", "95 %", "Records"], rows=rows,
    )  # fmt: skip


def coverage(curve: list[dict[str, float]], *, caption: str) -> None:
    """Draws the error among answered records by their share."""
    rows = [
        [
            f"{percent(one['coverage'])} % answered", with_unit(one["error"]),
            f"{percent(one['low'])}{DASH}{percent(one['high'])}",
        ]
        for one in curve[:: max(1, len(curve) // 20)]
    ]  # fmt: skip
    figure(
        coverage_figure(curve), title="Error by coverage", height=330, caption=caption,
        says="Error among answered records, by the share of records that is answered.",
        columns=["Coverage", "Wrong", "95 %"], rows=rows,
    )  # fmt: skip
