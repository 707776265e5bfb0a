"""The figures of the page Explore, as Plotly reads them; their colours are those of the style sheet.

Plotly writes colours into its drawing; ``explore.css`` puts the colours of the look in their place. So a
figure names the light colours, and nothing has to be drawn again when the look changes.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from holotype.app.exploring.lineages import Path
from holotype.app.exploring.plane import Plane
from holotype.app.exploring.tree import TreeNode
from holotype.app.exploring.view import View
from holotype.app.exploring.where_when import Bar, Places, coastline
from holotype.page.words import count, plot_text, some

Figure = dict[str, Any]

_TREE = ("#9cc7e6", "#f2bd93", "#93d6bf", "#e8bcd6", "#e3d28a", "#c8c0f1")
_HUES = ("#0068a8", "#c85200", "#00875f", "#ab4583", "#86660a", "#6552c4")
_NEUTRAL, _PAPER, _OTHER = "#dededa", "#ffffff", "#b4b4ad"
_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x")
_CLEAR = "rgba(0,0,0,0)"
_HOVER = {"bgcolor": "#1c1f23", "bordercolor": "#1c1f23", "font": {"color": "#ffffff"}}
_CONFIG = {
    "displaylogo": False,
    "responsive": True,
    "modeBarButtonsToRemove": ["toImage", "autoScale2d", "resetScale2d"],
}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _figure(data: list[Figure], layout: Figure, **config: Any) -> Figure:
    common = {
        "paper_bgcolor": _CLEAR,
        "plot_bgcolor": _CLEAR,
        "showlegend": False,
        "hoverlabel": _HOVER,
        "font": {"family": "system-ui, sans-serif", "size": 13},
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "dragmode": False,
    }
    return {"data": data, "layout": {**common, **layout}, "config": {**_CONFIG, **config}}


def sunburst(tree: TreeNode) -> tuple[Figure, list[Path]]:
    """Returns the tree as rings, and the path that each of its sectors stands for."""
    hue_of = _hues(tree)
    ids: list[str] = []
    parents: list[str] = []
    nodes: list[TreeNode] = []
    hues: list[str] = []

    def add(node: TreeNode, parent: str, above: str) -> None:
        own = str(len(ids))
        hue = _NEUTRAL if node.added_up else hue_of.get(node.path, above)
        ids.append(own)
        parents.append(parent)
        nodes.append(node)
        hues.append(hue if parent else _PAPER)
        for child in node.children:
            add(child, own, hue)

    add(tree, "", _NEUTRAL)
    total = max(1, tree.records)
    trace = {
        "type": "sunburst", "branchvalues": "total", "sort": False, "maxdepth": 5,
        "ids": ids, "parents": parents,
        "labels": [_sector(node) for node in nodes],
        "values": [node.records for node in nodes],
        "text": [
            f"<b>{plot_text(node.name or 'all records')}</b><br>{node.rank}<br>"
            f"{some(node.records, 'record')}, {100 * node.records / total:.1f}\u202f%"
            for node in nodes
        ],
        "textinfo": "label", "hoverinfo": "text", "insidetextorientation": "auto",
        "marker": {"colors": hues, "line": {"color": _PAPER, "width": 1}}, "leaf": {"opacity": 1},
    }  # fmt: skip
    layout = {
        "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
        "uniformtext": {"minsize": 9, "mode": "hide"},
        "hovermode": "closest",
    }
    paths = [node.path for node in nodes]
    return _figure([trace], layout, displayModeBar=False), paths


def _hues(tree: TreeNode) -> dict[Path, str]:
    """Returns the hue of some nodes, which those under them share; the others stay neutral.

    The widest nodes get one, but where a node has more than a third of the records its children do.
    """
    found = [tree]
    while True:
        whole = [one for one in found if len(one.children) > 1 or one is tree]
        widest = max(whole, key=lambda one: one.records, default=None)
        small = widest is None or widest.records <= tree.records / 3
        if widest is None or (small and widest is not tree) or not widest.children:
            break
        found.remove(widest)
        found += [one for one in widest.children if not one.added_up]
    ranked = sorted(found, key=lambda one: (-one.records, one.path))
    return {one.path: hue for one, hue in zip(ranked, _TREE, strict=False) if one is not tree}


def _sector(node: TreeNode) -> str:
    if not node.path:
        return count(node.records)
    name = plot_text(node.name)
    return name if len(name) <= 24 else f"{name[:23]}…"


def place_map(places: Places) -> Figure:
    """Returns a map of cells over the coasts of the world; the cells' numbers are its custom data."""
    longitude, latitude = coastline()
    most = max(cell.records for cell in places.cells)
    frame = places.frame
    coast = {
        "type": "scatter", "mode": "lines", "x": longitude, "y": latitude, "hoverinfo": "skip",
        "line": {"color": "#6e737a", "width": 1},
    }  # fmt: skip
    cells = {
        "type": "scatter", "mode": "markers",
        "x": [cell.middle[1] for cell in places.cells],
        "y": [cell.middle[0] for cell in places.cells],
        "customdata": list(range(len(places.cells))),
        "marker": {
            "color": _HUES[0], "opacity": 0.7, "line": {"width": 0.5, "color": _PAPER},
            "size": [round(6 + 16 * (cell.records / most) ** 0.5, 1) for cell in places.cells],
        },
        "text": [
            f"{degrees(cell.middle[0], 'NS')} {degrees(cell.middle[1], 'EW')}<br>"
            f"{some(cell.records, 'record')}"
            for cell in places.cells
        ],
        "hoverinfo": "text",
        "selected": {"marker": {"opacity": 1}}, "unselected": {"marker": {"opacity": 0.4}},
    }  # fmt: skip
    middle = np.cos(np.radians((frame.south + frame.north) / 2))
    stretch = 1.0 if frame.north - frame.south > 60 else 1 / max(0.2, float(middle))
    layout = {
        "dragmode": "select",
        "hovermode": "closest",
        "xaxis": {
            "range": [frame.west, frame.east], **_ticks(frame.west, frame.east, "EW"),
            "zeroline": False, "constrain": "domain", "automargin": True,
        },
        "yaxis": {
            "range": [frame.south, frame.north], **_ticks(frame.south, frame.north, "NS"),
            "zeroline": False, "scaleanchor": "x", "scaleratio": stretch, "constrain": "domain",
            "automargin": True,
        },
    }  # fmt: skip
    return _figure([coast, cells], layout, modeBarButtonsToRemove=[*_REMOVED, "lasso2d"])


_REMOVED = ["toImage", "autoScale2d"]


def _ticks(low: float, high: float, letters: str) -> Figure:
    steps = (0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 15, 30, 60)
    step = next((one for one in steps if (high - low) / one <= 7), 60)
    first, last = int(np.ceil(low / step - 1e-9)), int(np.floor(high / step + 1e-9))
    ticks = [round(at * step, 4) for at in range(first, last + 1)]
    return {"tickvals": ticks, "ticktext": [degrees(tick, letters) for tick in ticks]}


def degrees(value: float, letters: str) -> str:
    """Returns degrees with their letter.

    >>> degrees(-63.5, "NS"), degrees(0, "EW"), degrees(12.25, "EW")
    ('63.5°S', '0°', '12.25°E')
    """
    if value == 0:
        return "0°"
    return f"{round(abs(value), 3):g}°{letters[0] if value > 0 else letters[1]}"


def bars(found: Sequence[Bar], *, axis: str, across: bool = False) -> Figure:
    """Returns bars of records; from the top down where ``across``."""
    names, records = [one.name for one in found], [one.records for one in found]
    trace = {
        "type": "bar", "orientation": "h" if across else "v",
        "x": records if across else names, "y": names if across else records,
        "customdata": list(range(len(found))), "marker": {"color": _HUES[0]},
        "text": [f"{plot_text(one.name)}: {some(one.records, 'record')}" for one in found],
        "textposition": "none", "hoverinfo": "text",
    }  # fmt: skip
    of_names = {
        "type": "category", "title": {"text": axis}, "showgrid": False, "automargin": True,
        **({"autorange": "reversed"} if across else {}),
    }  # fmt: skip
    of_records = {
        "title": {"text": "records"},
        "automargin": True,
        "rangemode": "tozero",
        "nticks": 5,
    }
    layout = {
        "bargap": 0.15,
        "hovermode": "closest",
        "xaxis": of_records if across else of_names,
        "yaxis": of_names if across else of_records,
    }
    return _figure([trace], layout, displayModeBar=False)


def month_bars(view: View) -> tuple[Bar, ...]:
    """Returns the records by month of the year, those without a month left out."""
    months = np.bincount(view.facts.month_N[view.row_R], minlength=13)[1:]
    if not months.any():
        return ()
    return tuple(
        Bar(name, at, at, int(number))
        for at, (name, number) in enumerate(zip(_MONTHS, months.tolist(), strict=True), start=1)
    )


def likeness_map(plane: Plane, view: View, tree: TreeNode) -> Figure:
    """Returns the map of likeness; records that pass the filters have the hues of the rings, others are grey.

    Args:
        plane: the map.
        view: what passes.
        tree: of the rings.
    """
    inside = np.zeros(len(view.facts), dtype=np.bool_)
    inside[view.row_R] = True
    named = list(_hues(tree))
    own_L = [_under(path, named) for path in view.facts.lineages.paths]
    groups: dict[int, list[int]] = {at: [] for at in range(-2, len(named))}
    of_P = view.facts.lineage_N[plane.row_P].tolist()
    for at, (lineage, is_shown) in enumerate(zip(of_P, inside[plane.row_P].tolist(), strict=True)):
        groups[own_L[lineage] if is_shown else _HIDDEN].append(at)
    traces = [
        _points(
            plane,
            found,
            _STYLES[at] if at < 0 else (named[at][-1][1], _HUES[at], _SYMBOLS[at]),
            view,
        )
        for at, found in groups.items()
        if found
    ]
    bare = {"showgrid": False, "zeroline": False, "showticklabels": False, "ticks": ""}
    layout = {
        "dragmode": "lasso",
        "hovermode": "closest",
        "showlegend": True,
        "legend": {
            "orientation": "h",
            "x": 0,
            "y": 1.02,
            "yanchor": "bottom",
            "itemsizing": "constant",
        },
        "xaxis": bare,
        "yaxis": {**bare, "scaleanchor": "x"},
        "margin": {"l": 4, "r": 4, "t": 8, "b": 4},
    }
    return _figure(traces, layout)


_HIDDEN, _OTHERS = -2, -1
_STYLES = {
    _HIDDEN: ("not among the filters", _OTHER, "circle-open"),
    _OTHERS: ("other names", _OTHER, "circle"),
}


def _under(path: Path, named: Sequence[Path]) -> int:
    """Returns the place of the node that a path lies under, ``_OTHERS`` for none of them."""
    return next((at for at, one in enumerate(named) if path[: len(one)] == one), _OTHERS)


def _points(plane: Plane, at: list[int], style: tuple[str, str, str], view: View) -> Figure:
    called, hue, symbol = style
    rows = plane.row_P[at]
    labels = view.facts.lineages.labels
    named = [labels[one] for one in view.facts.lineage_N[rows].tolist()]
    return {
        "type": "scatter", "mode": "markers", "name": plot_text(called),
        "x": np.round(plane.place_P2[at, 0].astype(float), 2).tolist(),
        "y": np.round(plane.place_P2[at, 1].astype(float), 2).tolist(),
        "customdata": rows.tolist(),
        "marker": {
            "color": hue, "size": 6, "symbol": symbol,
            "opacity": 0.35 if symbol == _STYLES[_HIDDEN][2] else 0.85,
        },
        "text": [plot_text(one) for one in named], "hoverinfo": "text",
        "selected": {"marker": {"opacity": 1}}, "unselected": {"marker": {"opacity": 0.25}},
    }  # fmt: skip
