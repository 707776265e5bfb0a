"""Sizes of objects and images, barcodes, and values joined from grids."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from holotype.collection.summary.show_opening import share
from holotype.page.figures import Spec, curves, powers
from holotype.page.layout import Choice, Section, heading, panels, plot
from holotype.page.tables import table
from holotype.page.words import count, plot_text, some

LENGTH_BARS = 40
MOST_CURVES = 9
MOST_MARKERS = 8
_UNITS = {"um": "in micrometres", "px": "in pixels"}
_AXES = {
    "um": ("diameter of the object (µm)", "µm"),
    "px": ("diameter of the object (px), pixel size not known", "px"),
}


def sizes(content: Mapping[str, Any]) -> Section | None:
    """Returns the spectrum of object sizes by instrument, and the sizes of the images by source."""
    found, sides = content["sizes"], content["sides"]
    if not found and not sides:
        return None
    parts = []
    title = "Sizes of the images"
    if found:
        of = {unit: sum(n for curve in found[unit].values() for _, n in curve) for unit in _UNITS}
        total = sum(of.values())
        title = (
            f"{share(of['um'], total)} of the objects have a size in micrometres"
            if of["um"]
            else "Sizes in pixels only: no pixel size is known"
        )
        options = {unit: f"{name} ({count(of[unit])})" for unit, name in _UNITS.items() if of[unit]}
        parts.append(
            panels(
                "sizes", [Choice("Sizes", options)], lambda keys, name: _sizes(found, keys[0], name)
            )
        )
    if sides:
        height = 90 + 30 * len(sides)
        parts.append(
            plot(
                "sides", _sides(sides), says="Longer side of the images, by source.", height=height,
                title="Longer side of the images",
                caption="Dot: median; thick line: the middle 90 %; thin line: least to greatest.",
            )
        )  # fmt: skip
    lead = (
        "The diameter of a disc with the area of the largest object in the image, measured on the pixels. "
        "Each curve is an instrument: where curves do not overlap, size alone tells the instruments apart."
    )
    return Section("sizes", title, lead, "".join(parts))


def _sizes(found: Mapping[str, Any], unit: str, name: str) -> str:
    held = dict(list(found[unit].items())[:MOST_CURVES])
    more = len(found[unit]) - len(held)
    axis, written = _AXES[unit]
    return plot(
        name, curves(held, x=axis, y="records", unit=written),
        says=f"Records by size of the object, a curve for each of {len(held)} instruments.",
        height=400 + 18 * (len(held) // 3),
        caption=f"Records in steps of a {found['steps_per_decade']}th of a decade; both axes logarithmic."
        + (f" {more} instruments with fewer records are left out." if more else ""),
    )  # fmt: skip


def _sides(rows: Sequence[Mapping[str, Any]]) -> Spec:
    names = [plot_text(row["source"]) for row in rows]
    texts = [
        f"<b>{plot_text(row['source'])}</b><br>median {row['q50']}\u202fpx, 90 %: "
        f"{row['q05']}\u2013{row['q95']}<br>{row['least']}\u2013{row['greatest']}\u202fpx, "
        f"{some(row['images'], 'image')}"
        for row in rows
    ]
    lines = [
        {
            "type": "scatter", "mode": "lines", "hoverinfo": "skip",
            "x": [v for row in rows for v in (row[low], row[high], None)],
            "y": [v for name in names for v in (name, name, None)],
            "line": {"color": "var(--c1)", "width": width},
        }
        for low, high, width in (("least", "greatest", 1), ("q05", "q95", 5))
    ]  # fmt: skip
    least, most = min(row["least"] for row in rows), max(row["greatest"] for row in rows)
    return {
        "data": [
            *lines,
            {
                "type": "scatter", "mode": "markers", "x": [row["q50"] for row in rows], "y": names,
                "marker": {"color": "var(--paper)", "size": 9, "line": {"color": "var(--c1)", "width": 2.5}},
                "text": texts, "hoverinfo": "text",
            },
        ],
        "layout": {
            "showlegend": False,
            "margin": {"l": 10, "r": 14, "t": 8, "b": 44},
            "xaxis": {
                **powers(most, least), "title": {"text": "longer side (px)"}, "automargin": True,
                "zeroline": False, "range": [math.log10(least / 1.15), math.log10(most * 1.15)],
            },
            "yaxis": {"type": "category", "autorange": "reversed", "automargin": True, "showgrid": False},
        },
    }  # fmt: skip


def barcodes(content: Mapping[str, Any]) -> Section | None:
    """Returns the barcodes by marker: lengths, different sequences, and species."""
    found = content["barcodes"]
    if not found:
        return None
    markers = found["markers"]
    rows = [
        (
            one["marker"] or "marker not stated", one["records"], one["haplotypes"], one["species"],
            one["species_with_one_haplotype"],
            None if one["median_haplotypes_per_species"] is None
            else f"{one['median_haplotypes_per_species']:g}",
            one["haplotypes_of_several_species"],
        )
        for one in markers
    ]  # fmt: skip
    columns = (
        "Marker", "Barcodes", "Different sequences", "Species", "Species with one sequence",
        "Sequences per species (median)", "Sequences of several species",
    )  # fmt: skip
    by_marker = {one["marker"] or "marker not stated": one for one in markers[:MOST_MARKERS]}

    def panel(keys: tuple[str, ...], name: str) -> str:
        one = by_marker[keys[0]]
        lengths = {int(bp): n for bp, n in one["lengths_bp"].items()}
        return plot(
            name, _lengths(lengths),
            says=f"Lengths of {count(one['records'])} barcodes of {keys[0]}, from {min(lengths)} to "
            f"{max(lengths)} bp.",
            height=320, title=f"Length of the barcodes, {keys[0]}",
        )  # fmt: skip

    sequences = sum(one["haplotypes"] for one in markers)
    records = sum(one["records"] for one in markers)
    title = f"{some(records, 'barcode')}, {some(sequences, 'different sequence')}"
    shared = sum(one["haplotypes_of_several_species"] for one in markers)
    if shared:
        title += f", {count(shared)} of them under several species"
    lead = (
        "Records that share a sequence must stay on one side of a split. A species with one sequence shows "
        "nothing of its variety; a sequence under several species cannot tell them apart."
    )
    body = table(columns, rows, says="Barcodes by marker")
    body += panels("lengths", [Choice("Marker", {name: name for name in by_marker})], panel)
    if found["bins"]:
        body += (
            f"<p>{some(found['bins'], 'Barcode Index Number')} (BIN), "
            f"{count(found['bins_of_several_species'])} of them with several species.</p>"
        )
    return Section("barcodes", title, lead, body)


def _lengths(lengths: Mapping[int, int]) -> Spec:
    """Returns lengths in at most ``LENGTH_BARS`` bars of equal width."""
    low, high = min(lengths), max(lengths)
    steps = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 10_000, 10**9)
    width = next(step for step in steps if high // step - low // step < LENGTH_BARS)
    bars = [0] * (high // width - low // width + 1)
    for length, number in lengths.items():
        bars[length // width - low // width] += number
    starts = [(low // width + at) * width for at in range(len(bars))]
    return {
        "data": [
            {
                "type": "bar", "y": bars, "width": 0.9 * width,
                "x": [start + (width - 1) / 2 for start in starts],
                "marker": {"color": "var(--c1)"}, "hoverinfo": "text", "textposition": "none",
                "text": [
                    f"{start if width == 1 else f'{start} to {start + width - 1}'} bp: {count(number)}"
                    for start, number in zip(starts, bars, strict=True)
                ],
            }
        ],
        "layout": {
            "showlegend": False,
            "margin": {"l": 10, "r": 14, "t": 10, "b": 44},
            "xaxis": {
                "title": {"text": "length (bp)"}, "automargin": True, "zeroline": False, "nticks": 10,
                "range": [starts[0] - width, starts[-1] + 2 * width],
            },
            "yaxis": {"title": {"text": "barcodes"}, "automargin": True, "rangemode": "tozero", "nticks": 6},
        },
    }  # fmt: skip


def environment(content: Mapping[str, Any]) -> Section | None:
    """Returns what was joined from grids, and how far away it was."""
    found = content["environment"]
    if not found:
        return None
    rows = [
        (
            one["variable"], one["unit"], one["grid"], one["records"], share(one["records"], one["of"]),
            f"{one['value_min']:.4g} to {one['value_max']:.4g}",
            None if one["distance_km_max"] is None else f"{one['distance_km_max']:.1f}",
        )
        for one in found
    ]  # fmt: skip
    names = ", ".join(dict.fromkeys(str(one["variable"]) for one in found))
    body = table(
        ("Variable", "Unit", "Grid", "Records", "Share", "Range", "Furthest cell (km)"), rows,
        says="Values joined from grids", words=(1, 2),
    )  # fmt: skip
    lead = (
        "Values of grids at the nearest cell in place, depth and time; each record keeps how far that was. "
        "They describe the water around the specimen, not the specimen."
    )
    return Section("environment", f"Joined from grids: {names}", lead, heading("Variables") + body)
