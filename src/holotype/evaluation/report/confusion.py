"""What is taken for what, and how each class fares."""

from collections import Counter
from typing import Any

from holotype.evaluation.report import figures
from holotype.page.layout import Section, heading, paragraph, plot, scrolling
from holotype.page.words import (
    capital,
    count,
    finite,
    interval,
    measured,
    percent,
    plain,
    plot_text,
    some,
    wilson,
    with_unit,
)

WHOLE_MAP = 40
PART_MAP = 30
MOST_CONFUSED = 25


def confusion(content: dict[str, Any]) -> Section | None:
    """Returns what was called what, and the figures of each class."""
    found = content.get("confusion") or {}
    rows = content.get("per_class") or []
    parts = []
    if found.get("cells"):
        parts.append(_confusions(found["labels"], found["cells"]))
    if rows:
        parts.append(_classes(rows))
    if not parts:
        return None
    lead = (
        "Which names are taken for which? A row is what records truly are, a column what they were called; "
        "all right would be a dark diagonal."
    )
    queries = str(found.get("modality") or "")
    title = f"Confusion and classes, {queries} queries" if queries else "Confusion and classes"
    return Section("confusion", title, lead, "".join(parts))


def _confusions(labels: list[str], cells: list[list[int]]) -> str:
    counts: Counter[tuple[int, int]] = Counter()
    for true, called, number in cells:
        counts[true, called] += number
    used = sorted({at for pair in counts for at in pair})
    parts = []
    if len(labels) > WHOLE_MAP:
        parts.append(_commonest(labels, counts))
        weight: Counter[int] = Counter()
        for (true, called), number in counts.items():
            weight[true] += number
            weight[called] += number if true != called else 0
        by_weight = sorted(used, key=lambda at: (-weight[at], labels[at]))
        used = sorted(by_weight[:PART_MAP])
    names = [labels[at] for at in used]
    grid = [[counts[true, called] for called in used] for true in used]
    inside = sum(map(sum, grid))
    caption = f"Row-normalised; {some(len(used), 'label')}, {some(inside, 'record')}."
    if len(used) < len(labels):
        caption += (
            f" Of {len(labels)} labels those that occur most, as truth or as a wrong answer; shares are of "
            "the records inside the map."
            if len(labels) > WHOLE_MAP
            else f" {some(len(labels) - len(used), 'label')} neither asked nor answered."
        )
    height = 190 + max(12, 18 if len(used) > 15 else 30) * len(used)
    return "".join(parts) + plot(
        "confusion",
        figures.heat(names, names, grid),
        says="Heat map of confusions, truth in rows, called in columns.",
        height=height,
        caption=caption,
        kind="wide",
    )


def _commonest(labels: list[str], counts: Counter[tuple[int, int]]) -> str:
    asked: Counter[int] = Counter()
    for (true, _), number in counts.items():
        asked[true] += number
    wrong = [(n, t, c) for (t, c), n in counts.items() if t != c]
    wrong.sort(key=lambda row: (-row[0], labels[row[1]], labels[row[2]]))
    if not wrong:
        return paragraph("No record was called wrongly.", kind="note")
    rows = "".join(
        f'<tr><th scope="row">{plain(labels[t])}</th><td class="word">{plain(labels[c])}</td>'
        f"<td>{count(n)}</td><td>{count(asked[t])}</td><td>"
        f"{measured(n / asked[t], *wilson(n, asked[t]))}</td></tr>"
        for n, t, c in wrong[:MOST_CONFUSED]
    )
    return scrolling(
        f"<table><caption>The {min(MOST_CONFUSED, len(wrong))} most frequent confusions of {len(wrong)}; "
        "share in per cent with its Wilson 95 % interval.</caption><thead><tr>"
        '<th scope="col">Truth</th><th scope="col" class="word">Called</th><th scope="col">Records</th>'
        f'<th scope="col">Of n</th><th scope="col">Share</th></tr></thead><tbody>{rows}</tbody></table>',
        says="Table of the most frequent confusions",
        kind="tall",
    )


def _classes(rows: list[dict[str, Any]]) -> str:
    kinds = sorted({str(row.get("kind")) for row in rows})
    traces = []
    for at, kind in enumerate(kinds):
        colour, symbol = (figures.MODEL_MARK, *figures.BASELINE_MARKS)[at % 6]
        own = [
            r for r in rows if str(r.get("kind")) == kind and finite(r.get("recall")) is not None
        ]
        traces.append(
            {
                "type": "scatter", "mode": "markers", "name": plot_text(kind),
                "x": [max(int(r.get("train") or 0), 0.5) for r in own],
                "y": [round(100 * r["recall"], 2) for r in own],
                "text": [
                    f"<b>{plot_text(r['label'])}</b><br>recall {with_unit(r['recall'])} "
                    f"({interval(*_recall_interval(r))}), n {count(r.get('test'))}"
                    f"<br>{some(int(r.get('train') or 0), 'training record')}"
                    for r in own
                ],
                "hoverinfo": "text", "cliponaxis": False,
                "marker": {
                    "color": f"var(--{colour})", "symbol": symbol, "opacity": 0.65,
                    "size": [round(6 + min(10, (int(r.get("test") or 0)) ** 0.5), 1) for r in own],
                },
            }
        )  # fmt: skip
    found = [max(int(r.get("train") or 0), 0.5) for r in rows]
    near = not found or max(found) < 10 * min(found)
    ticks = [m * 10**e for e in range(7) for m in ((1, 1.5, 2, 3, 5, 7) if near else (1, 2, 5))]
    spec = {
        "data": traces,
        "layout": {
            "showlegend": len(kinds) > 1,
            "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
            "margin": {"l": 10, "r": 16, "t": 30 if len(kinds) > 1 else 10, "b": 44},
            "xaxis": {
                "type": "log", "title": {"text": "training records (log scale)"},
                "tickvals": ticks, "ticktext": [count(tick) for tick in ticks],
                "automargin": True, "zeroline": False,
            },
            "yaxis": {
                "title": {"text": "recall, per cent"}, "range": [-3, 103], "automargin": True,
                "zeroline": False,
            },
        },
    }  # fmt: skip
    untested = sum(finite(row.get("recall")) is None for row in rows)
    caption = "One symbol a label; larger ones were asked more often. Point at one for its name."
    if untested:
        caption += f" {some(untested, 'label')} without a test record: not shown."
    scatter = plot(
        "classes", spec, says="Recall of each label by its number of training records.",
        height=380, caption=caption,
    )  # fmt: skip
    return heading("Recall and number of training records") + scatter + _class_table(rows)


def _recall_interval(row: dict[str, Any]) -> tuple[float | None, float | None]:
    asked = int(row.get("test") or 0)
    return wilson(round((finite(row.get("recall")) or 0) * asked), asked)


def _class_table(rows: list[dict[str, Any]]) -> str:
    columns = ("label", "lineage", "kind", "train", "test", "recall", "precision")
    head = "".join(
        f'<th scope="col"{" class=word" if c in columns[:3] else ""} aria-sort="none">'
        f'<button type="button">{capital(c)}</button></th>'
        for c in columns
    )
    body = "".join(
        f'<tr><th scope="row">{plain(r.get("label"))}</th>'
        f'<td class="word dim">{plain(r.get("lineage") or None)}</td>'
        f'<td class="word">{plain(r.get("kind"))}</td><td>{count(r.get("train"))}</td>'
        f"<td>{count(r.get('test'))}</td><td>"
        f"{measured(r.get('recall'), *_recall_interval(r))}</td><td>{percent(r.get('precision'))}</td></tr>"
        for r in rows
    )
    table = scrolling(
        '<table class="sortable" id="class-table"><caption>Records in training and test; recall with its '
        "Wilson 95 % interval, and precision, in per cent. A heading sorts.</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>",
        says="Table of labels",
        kind="tall",
    )
    return (
        f'{heading("Every label")}<p class="filter"><label for="class-filter">Show labels with '
        '<input type="search" id="class-filter" data-table="class-table" autocomplete="off"></label> '
        f'<span id="class-filter-count" role="status">{some(len(rows), "label")}</span></p>{table}'
    )
