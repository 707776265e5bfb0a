"""Views of the table of scores: dots with intervals beside a table of the same figures."""

from collections.abc import Sequence
from typing import Any

from holotype.evaluation.report import figures
from holotype.page.layout import legend, plot, scrolling
from holotype.page.words import (
    ROW_ORDER,
    capital,
    count,
    finite,
    measured,
    metric_name,
    ordered,
    pair_name,
    part_name,
    plain,
)

Scores = list[dict[str, Any]]

METHOD_ORDER = (
    "model",
    "nearest image by pixels",
    "nearest barcode by identity",
    "nearest barcode by 5-mers",
    "nearest class mean by pixels",
)


def pick(scores: Scores, **wanted: str) -> Scores:
    """Returns the scores whose fields have the values wanted."""
    return [s for s in scores if all(s.get(key) == value for key, value in wanted.items())]


def values_of(scores: Scores, field: str, order: Sequence[str] = ()) -> list[str]:
    """Returns the different values of a field, those of ``order`` first."""
    return ordered([str(score.get(field)) for score in scores], order)


def methods_of(scores: Scores) -> list[str]:
    """Returns the methods: the model, then what was measured without it, the trivial ones last."""
    found = values_of(scores, "method", METHOD_ORDER)
    return sorted(found, key=lambda name: name in figures.CHANCE)


def written(field: str, value: str) -> str:
    """Returns a value of a field as it is shown."""
    if field == "pair":
        return pair_name(value)
    if field == "part":
        return part_name(value)
    return metric_name(value) if field == "metric" else value


def evidence(
    name: str,
    scores: Scores,
    *,
    rows: str,
    columns: str,
    column_order: Sequence[str],
    axis: str,
    row_title: str,
    caption: str = "Per cent, with 95 % intervals; n: queries asked.",
) -> str | None:
    """Returns figures of dots, one a column, and the table of the same scores.

    Args:
        name: a part of the ids, unique on the page.
        scores: those of one choice: row, column and method tell them apart.
        rows: the field that makes rows, such as ``rank``.
        columns: the field that makes columns, such as ``part``.
        column_order: columns in the order in which they are shown.
        axis: title of the axis of values.
        row_title: title of the rows.
        caption: what the table says of its figures.
    """
    if not scores:
        return None
    methods = methods_of(scores)
    mark_of = figures.marks(methods)
    row_keys = values_of(scores, rows, ROW_ORDER)
    column_keys = values_of(scores, columns, column_order)
    where = {(s[rows], s[columns], s["method"]): s for s in scores}
    drawn = column_keys if len(column_keys) == 1 else [k for k in column_keys if k != "all"]
    height = figures.dots_height(len(row_keys), len(methods))
    plots = []
    for place, column in enumerate(drawn):
        series = [
            figures.Series(m, [_dot(where.get((row, column, m))) for row in row_keys])
            for m in methods
        ]
        title = capital(written(columns, column))
        plots.append(
            plot(
                f"{name}-{place}",
                figures.dots(
                    [written(rows, row) for row in row_keys], series, axis=axis, mark_of=mark_of
                ),
                says=f"{title}: dots with intervals for each {row_title}. The table has the figures.",
                height=height,
                title=title,
            )
        )
    shown = legend([(m, *mark_of[m]) for m in methods])
    table = _table(row_keys, column_keys, methods, where, (rows, columns), (row_title, caption))
    return f'{shown}<div class="facets">{"".join(plots)}</div>{table}'


def _dot(score: dict[str, Any] | None) -> figures.Dot | None:
    if score is None:
        return None
    return figures.Dot(
        finite(score.get("value")),
        finite(score.get("low")),
        finite(score.get("high")),
        score.get("n"),
        score.get("left_out"),
    )


def _table(
    row_keys: Sequence[str],
    column_keys: Sequence[str],
    methods: Sequence[str],
    where: dict[tuple[str, str, str], dict[str, Any]],
    fields: tuple[str, str],
    said: tuple[str, str],
) -> str:
    head = "".join(
        f'<th scope="col">{plain(capital(written(fields[1], c)))}</th>' for c in column_keys
    )
    bodies = []
    for row in row_keys:
        asked = "".join(
            f"<td>{_asked([s for m in methods if (s := where.get((row, column, m)))])}</td>"
            for column in column_keys
        )
        inside = "".join(
            f'<tr{_is_model(method)}><th scope="row">{plain(method)}</th>'
            + "".join(score_cell(where.get((row, column, method))) for column in column_keys)
            + "</tr>"
            for method in methods
        )
        bodies.append(
            f'<tbody><tr class="group"><th scope="rowgroup">{plain(written(fields[0], row))}</th>'
            f"{asked}</tr>{inside}</tbody>"
        )
    return scrolling(
        f'<table class="scores"><caption>{plain(said[1])}</caption>'
        f'<thead><tr><th scope="col">{plain(capital(said[0]))}, method</th>{head}</tr></thead>'
        f"{''.join(bodies)}</table>",
        says="Table of scores",
    )


def _is_model(method: str) -> str:
    return ' class="model"' if method == "model" else ""


def _asked(scores: Scores) -> str:
    """Returns how many queries were asked and left out, as a range where methods differ."""
    if not scores:
        return ""
    found = []
    for field, words in (("n", "n {}"), ("left_out", "{} left out")):
        numbers = sorted({int(finite(score.get(field)) or 0) for score in scores})
        if field == "left_out" and numbers == [0]:
            continue
        text = " to ".join(dict.fromkeys((count(numbers[0]), count(numbers[-1]))))
        found.append(f"<span>{words.format(text)}</span>")
    return " ".join(found)


def score_cell(score: dict[str, Any] | None) -> str:
    """Returns the cell of a figure with its interval under it."""
    if score is None:
        return f"<td>{plain(None)}</td>"
    return f"<td>{measured(score.get('value'), score.get('low'), score.get('high'))}</td>"
