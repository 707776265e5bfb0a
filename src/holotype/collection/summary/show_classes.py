"""Classes and the instruments that show them, the long tail, and pictures of the commonest and rarest."""

from collections.abc import Mapping, Sequence
from typing import Any

from holotype.collection.summary.show_opening import share
from holotype.page.figures import Spec, powers
from holotype.page.layout import Choice, Section, heading, panels, paragraph, plot
from holotype.page.tables import heat_table, sortable
from holotype.page.words import count, plain, plot_text, some

MATRIX_ROWS = 30
MATRIX_COLUMNS = 12
TABLE_ROWS = 1_000
_CHOICES = {
    "common": "the commonest classes",
    "alone": "classes on one instrument only",
    "several": "classes on several instruments",
}


def instruments(content: Mapping[str, Any]) -> Section | None:
    """Returns which instruments show which classes, and what is confounded."""
    found = content["classes"]
    if not found["instruments"]:
        return None
    alone, judged = found["on_one_instrument"], found["with_instrument"]
    if alone is None:
        only = next(iter(found["instruments"]))
        title = f"One instrument only: {only}"
        lead = (
            "With one instrument, no class can be told apart by it; but a model made from these records may "
            "not work on another instrument, and nothing here can show whether it does."
        )
        return Section("instruments", title, lead, _class_table(found))
    held = share(found["on_one_instrument_records"], found["with_instrument_records"])
    title = f"{count(alone)} of {some(judged, 'class', 'classes')} exist on one instrument only"
    lead = (
        f"{held} of the records are of such a class. Instruments differ in background, contrast and scale: "
        "what is seen by one alone can be learnt from the background instead of the organism, and a random "
        "split will not notice. Judge such classes by leaving an instrument out, or bring them from another "
        "one."
    )
    shown = [row for row in found["rows"] if row["instruments"]]
    of = {
        "common": shown,
        "alone": [row for row in shown if len(row["instruments"]) == 1],
        "several": [row for row in shown if len(row["instruments"]) > 1],
    }
    options = {key: f"{name} ({count(len(of[key]))})" for key, name in _CHOICES.items() if of[key]}
    matrix = panels(
        "matrix", [Choice("Show", options)],
        lambda keys, _: _matrix(of[keys[0]], found["instruments"]),
    )  # fmt: skip
    sources = (
        paragraph(
            f"{count(found['on_one_source'])} of {some(found['total'], 'class', 'classes')} come from one "
            "source only.",
            kind="note",
        )
        if found["on_one_source"] is not None
        else ""
    )
    return Section("instruments", title, lead, matrix + sources + _class_table(found))


def _matrix(rows: Sequence[Mapping[str, Any]], sizes: Mapping[str, int]) -> str:
    names = list(sizes)[:MATRIX_COLUMNS]
    rest = list(sizes)[MATRIX_COLUMNS:]
    columns = [*names, *([f"{len(rest)} other instruments"] if rest else [])]
    cells = []
    for row in rows[:MATRIX_ROWS]:
        numbers: list[float | None] = [row["instruments"].get(name) for name in names]
        if rest:
            numbers.append(sum(row["instruments"].get(name, 0) for name in rest) or None)
        on = len(row["instruments"])
        note = (
            '<span class="bad">● one only</span>' if on == 1 else f'<span class="good">{on}</span>'
        )
        cells.append((_title(row), note, numbers))
    more = f" The {MATRIX_ROWS} commonest of {count(len(rows))}." if len(rows) > MATRIX_ROWS else ""
    return heat_table(
        columns, cells, says="Records of each class on each instrument", corner="Class", beside="On",
        caption="Records by class and instrument; the stronger the colour, the more (logarithmic). "
        f"● one instrument only.{more}",
    )  # fmt: skip


def _title(row: Mapping[str, Any]) -> str:
    return str(row["label"])


def _class_table(found: Mapping[str, Any]) -> str:
    rows = [
        (
            _title(row),
            row["rank"] or row["kind"],
            row["records"],
            row["images"],
            row["barcodes"],
            len(row["sources"]),
            len(row["instruments"]),
            ", ".join(row["instruments"]) if len(row["instruments"]) == 1 else "",
        )
        for row in found["rows"][:TABLE_ROWS]
    ]
    more = (
        f" The {count(TABLE_ROWS)} commonest of {count(found['total'])}; all are in summary.json."
        if found["total"] > TABLE_ROWS
        else ""
    )
    inside = sortable(
        "classes",
        ("class", "rank or kind", "records", "images", "barcodes", "sources", "instruments", "only on"),
        rows, says="Every class", words=(1, 7), noun="class", plural="classes",
        caption=f"A heading sorts.{more}",
    )  # fmt: skip
    return heading("Every class") + inside


def tail(content: Mapping[str, Any]) -> Section | None:
    """Returns the records per class from the commonest to the rarest."""
    found = content["tail"]
    if not found["classes"]:
        return None
    half, total = found["half_of_records_in"], found["classes"]
    title = (
        f"Half of the records are of {count(half)} of {some(total, 'class', 'classes')}; "
        f"{count(found['one_record'])} {'has' if found['one_record'] == 1 else 'have'} one record"
    )
    lead = (
        "Classes in the order of their size, both axes logarithmic: the steeper the line falls, the more a "
        "few classes outweigh the others. A class of one record can be trained on or tested on, not both."
    )
    figure = plot(
        "tail", _tail(found["curve"]),
        says=f"Records per class by rank of size, from {count(found['curve'][0][1])} down to "
        f"{count(found['curve'][-1][1])}.",
        height=380,
        caption=f"{count(found['below_10_records'])} of {count(total)} classes have fewer than 10 records.",
    )  # fmt: skip
    return Section("tail", title, lead, figure)


def _tail(curve: Sequence[Sequence[Any]]) -> Spec:
    return {
        "data": [
            {
                "type": "scatter", "mode": "lines+markers", "x": [p[0] for p in curve],
                "y": [p[1] for p in curve], "line": {"color": "var(--c1)", "width": 2},
                "marker": {"size": 4}, "hoverinfo": "text",
                "text": [f"<b>{plot_text(p[2])}</b><br>place {count(p[0])}: {count(p[1])}" for p in curve],
            }
        ],
        "layout": {
            "showlegend": False,
            "margin": {"l": 10, "r": 14, "t": 10, "b": 44},
            "xaxis": {
                **powers(curve[-1][0]), "title": {"text": "place by size"}, "automargin": True,
                "zeroline": False,
            },
            "yaxis": {
                **powers(curve[0][1]), "title": {"text": "records"}, "automargin": True, "zeroline": False,
            },
        },
    }  # fmt: skip


def pictures(content: Mapping[str, Any], images: Mapping[int, str]) -> Section | None:
    """Returns images of the commonest and the rarest classes, each with its instrument."""
    shown = [
        (one, [p for p in one["pictures"] if p["row"] in images]) for one in content["gallery"]
    ]
    shown = [(one, held) for one, held in shown if held]
    if not shown:
        return None
    parts = []
    for why in ("commonest", "rarest"):
        cards = "".join(_card(one, held, images) for one, held in shown if one["why"] == why)
        if cards:
            parts.append(
                heading(f"The {why} classes with images") + f'<div class="pictures">{cards}</div>'
            )
    number = sum(len(held) for _, held in shown)
    title = f"{some(number, 'image')} of {some(len(shown), 'class', 'classes')}"
    lead = (
        "Images drawn at random by a fixed seed, not chosen; of several instruments each in turn. Look for "
        "what does not belong: wrong names, frames instead of objects, marks burnt in. All are scaled to "
        "one size."
    )
    lost = sum(len(one["pictures"]) for one in content["gallery"]) - number
    if lost:
        parts.append(paragraph(f"{some(lost, 'image')} could not be read.", kind="note"))
    return Section("pictures", title, lead, "".join(parts))


def _card(
    one: Mapping[str, Any], held: Sequence[Mapping[str, Any]], images: Mapping[int, str]
) -> str:
    label = one["label"]
    inside = "".join(
        f'<li><figure><img src="{plain(images[p["row"]])}" loading="lazy" '
        f'alt="{plain(label)}, {plain(p["instrument"] or "instrument not stated")}" '
        f'title="{plain(p["record_id"])}">'
        f'<figcaption class="dim" aria-hidden="true">{plain(p["instrument"])}</figcaption></figure></li>'
        for p in held
    )
    return (
        f'<div class="class"><h4>{plain(label)} <small>{some(one["images"], "image")}</small>'
        f"</h4><ul>{inside}</ul></div>"
    )
