"""Where, how deep and when: a map without coastlines, layers, years, and why something is missing."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from holotype.collection.summary.show_opening import share
from holotype.page.figures import Spec, stacked_bars
from holotype.page.layout import Choice, Section, bars, heading, panels, plot
from holotype.page.tables import heat_table
from holotype.page.words import count, some

_REASONS = {
    "record": "given with the record",
    "sample": "given with the sample",
    "file_name": "read from the file name",
    "source": "one value for the whole source",
    "not_given": "not given",
    "unreadable": "given, but not readable",
    "not_applicable": "does not apply",
}
_KNOWN = frozenset({"record", "sample", "file_name", "source"})
_WHAT = {"place_from": "Place", "depth_from": "Depth", "time_from": "Time"}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_STACKED = 5
_WORLD_DEG = 60.0


def where(content: Mapping[str, Any]) -> Section | None:
    """Returns places, depths and times, and how they are known or why not; None where nothing is known."""
    places, depths, times = content["places"], content["depths"], content["times"]
    if not places and not depths and not times:
        return None
    total = content["totals"]["records"]
    parts = [_maps(places)] if places else []
    facets = [_depths(depths)] if depths else []
    facets += _times(times) if times else []
    if facets:
        parts.append(f'<div class="facets">{"".join(facets)}</div>')
    parts.append(_origins(content["origins"]))
    known = {what: _known(content["origins"].get(what, {})) for what in _WHAT}
    place, depth, time = (share(known[what], total) for what in _WHAT)
    title = f"Place known of {place} of the records, depth of {depth}, time of {time}"
    lead = (
        "A random split puts neighbours of one haul on both sides; places and times are what better splits "
        "are made of. Where something is missing the reason is kept, because “never given” and “not "
        "readable” need different mending."
    )
    return Section("where", title, lead, "".join(parts))


def _known(of_column: Mapping[str, Mapping[str, int]]) -> int:
    return sum(
        n for reasons in of_column.values() for reason, n in reasons.items() if reason in _KNOWN
    )


def _maps(places: Mapping[str, Any]) -> str:
    of = {one["source"] or "": one for one in places["maps"]}
    caption = (
        f"One dot is a cell of {places['cell_deg']:g}° of latitude and longitude; larger dots hold more "
        "records. Only the grid is drawn, no coastline: the page asks no map service."
    )

    def panel(keys: tuple[str, ...], name: str) -> str:
        cells = of[keys[0]]["cells"]
        spec, ratio = _map(cells, places["cell_deg"])
        records = sum(cell[2] for cell in cells)
        return plot(
            name, spec, says=f"Map of {count(records)} records in {count(len(cells))} cells.",
            height=round(min(560, max(300, 900 * ratio))), caption=caption,
        )  # fmt: skip

    options = {name: name or "all sources" for name in of}
    return heading("Where") + panels("places", [Choice("Records of", options)], panel)


def _map(cells: Sequence[Sequence[float]], cell_deg: float) -> tuple[Spec, float]:
    """Returns an equirectangular map of cells (latitude, longitude, records), and its height by its width."""
    latitude, longitude = [cell[0] for cell in cells], [cell[1] for cell in cells]
    south, north = _around(latitude, cell_deg, 90)
    west, east = _around(longitude, cell_deg, 180)
    middle = math.cos(math.radians((south + north) / 2))
    stretch = 1.0 if north - south > _WORLD_DEG else 1 / max(0.2, middle)
    most = max(cell[2] for cell in cells)
    return {
        "data": [
            {
                "type": "scatter", "mode": "markers", "x": longitude, "y": latitude,
                "marker": {
                    "color": "var(--c1)", "opacity": 0.6, "line": {"width": 0.5, "color": "var(--paper)"},
                    "size": [round(5 + 15 * math.sqrt(cell[2] / most), 1) for cell in cells],
                },
                "text": [
                    f"{_degrees(cell[0], 'NS')} {_degrees(cell[1], 'EW')}<br>{some(int(cell[2]), 'record')}"
                    for cell in cells
                ],
                "hoverinfo": "text",
            }
        ],
        "layout": {
            "showlegend": False,
            "margin": {"l": 10, "r": 10, "t": 10, "b": 10},
            "xaxis": {**_degree_axis(west, east, "EW"), "constrain": "domain"},
            "yaxis": {
                **_degree_axis(south, north, "NS"), "scaleanchor": "x", "scaleratio": stretch,
                "constrain": "domain",
            },
        },
    }, stretch * (north - south) / (east - west)  # fmt: skip


def _around(values: Sequence[float], cell_deg: float, limit: float) -> tuple[float, float]:
    """Returns bounds around the values: the whole world where they are far apart, else a margin."""
    low, high = min(values), max(values)
    if high - low > (_WORLD_DEG if limit <= 90 else 1.5 * _WORLD_DEG):
        return -limit, limit
    margin = max(0.15 * (high - low), 3 * cell_deg)
    return max(-limit, low - margin), min(limit, high + margin)


def _degree_axis(low: float, high: float, letters: str) -> dict[str, Any]:
    steps = (0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 15, 30, 60)
    step = next((s for s in steps if (high - low) / s <= 7), 60)
    first = math.ceil(low / step - 1e-9)
    ticks = [round(at * step, 4) for at in range(first, math.floor(high / step + 1e-9) + 1)]
    return {
        "range": [low, high], "tickvals": ticks, "ticktext": [_degrees(t, letters) for t in ticks],
        "automargin": True, "zeroline": True, "showline": True, "mirror": True,
    }  # fmt: skip


def _degrees(value: float, letters: str) -> str:
    """Returns degrees with their letter.

    >>> _degrees(-63.5, "NS"), _degrees(0, "EW")
    ('63.5°S', '0°')
    """
    if value == 0:
        return "0°"
    return f"{abs(value):g}°{letters[0] if value > 0 else letters[1]}"


def _depths(layers: Sequence[Mapping[str, Any]]) -> str:
    names = [_layer(layer) for layer in layers]
    sizes: dict[str, int] = {}
    for layer in layers:
        for source, number in layer["records"].items():
            sizes[source] = sizes.get(source, 0) + number
    kept = sorted(sizes, key=lambda name: (-sizes[name], name))
    shown, rest = kept[:_STACKED], kept[_STACKED:]
    series = {name: [layer["records"].get(name, 0) for layer in layers] for name in shown}
    if rest:
        series[f"{len(rest)} others"] = [
            sum(layer["records"].get(name, 0) for name in rest) for layer in layers
        ]
    total = sum(sizes.values())
    return plot(
        "depths", stacked_bars(names, series, axis="depth (m)", across=True),
        says=f"Records by depth, {count(total)} with a depth.", height=340,
        title="How deep", caption=f"{some(total, 'record')} by layer, the surface on top.",
    )  # fmt: skip


def _layer(layer: Mapping[str, Any]) -> str:
    if layer["from_m"] is None:
        return "above 0"
    if layer["to_m"] is None:
        return f"below {layer['from_m']}"
    return f"{layer['from_m']}\u2013{layer['to_m']}"


def _times(times: Mapping[str, Any]) -> list[str]:
    years = {int(year): number for year, number in times["years"].items()}
    span = range(min(years), max(years) + 1)
    whole = span if len(span) <= 80 else sorted(years)
    figures = [
        plot(
            "years",
            stacked_bars([str(y) for y in whole], {"records": [years.get(y, 0) for y in whole]}, axis="year"),
            says=f"Records by year, {span[0]} to {span[-1]}.", height=340, title="In which years",
            caption=f"{some(sum(years.values()), 'record')} with a year.",
        )
    ]  # fmt: skip
    if times["months"]:
        by_month = [times["months"].get(f"{at:02}", 0) for at in range(1, 13)]
        figures.append(
            plot(
                "months", stacked_bars(_MONTHS, {"records": by_month}, axis="month"),
                says="Records by month of the year.", height=340, title="In which months",
                caption=f"{some(sum(by_month), 'record')} with a month; seasons of both hemispheres mix.",
            )
        )  # fmt: skip
    return figures


def _origins(origins: Mapping[str, Mapping[str, Mapping[str, int]]]) -> str:
    sources: dict[str, int] = {}
    for reasons in origins.get("place_from", {}).items():
        sources[reasons[0]] = sum(reasons[1].values())
    blocks = []
    for column, name in _WHAT.items():
        counts: dict[str, int] = {}
        for reasons_of in origins.get(column, {}).values():
            for reason, number in reasons_of.items():
                said = _REASONS.get(reason, reason.replace("_", " "))
                counts[said] = counts.get(said, 0) + number
        blocks.append(bars(f"{name}: how it is known", counts))
    text = f'{heading("How it is known, or why not")}<div class="blocks">{"".join(blocks)}</div>'
    if len(sources) < 2:
        return text
    rows = [
        (
            source,
            "",
            [_known({source: origins[column].get(source, {})}) / total for column in _WHAT],
        )
        for source, total in sources.items()
        if total
    ]
    return text + heat_table(
        list(_WHAT.values()), rows, says="Share of records with place, depth and time, by source",
        corner="Source", share=True, caption="Share of the source's records for which it is known, per cent.",
    )  # fmt: skip
