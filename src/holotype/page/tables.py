"""Tables of the pages: plain ones, ones that sort, and ones whose cells are coloured by their number."""

import math
from collections.abc import Sequence

from holotype.page.figures import short
from holotype.page.layout import paragraph, scrolling
from holotype.page.words import capital, count, finite, percent, plain, some

LEVELS = 5
TALL_ROWS = 16


def table(
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    says: str,
    words: Sequence[int] = (),
    caption: str = "",
    kind: str = "",
) -> str:
    """Returns a table in a box that scrolls: the first column names the row, numbers stand right.

    Args:
        columns: the headings.
        rows: a cell for each; whole numbers get thin spaces, all other values stand as text.
        says: what a screen reader says of the box.
        words: places of further columns that hold text.
        caption: stands above.
        kind: ``tall`` for a box of limited height; a long table gets one by itself.
    """
    head = "".join(
        f'<th scope="col"{_word(at, words)}>{plain(name)}</th>' for at, name in enumerate(columns)
    )
    return _above(caption) + scrolling(
        f"<table><thead><tr>{head}</tr></thead><tbody>{_body(rows, words)}</tbody></table>",
        says=says,
        kind=kind or ("tall" if len(rows) > TALL_ROWS else ""),
    )


def sortable(
    name: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    says: str,
    words: Sequence[int] = (),
    caption: str = "",
    noun: str = "row",
    plural: str | None = None,
) -> str:
    """Returns a tall table whose headings sort and that a word filters; like ``table`` otherwise.

    Args:
        name: a part of the ids, unique on the page.
        columns: the headings.
        rows: a cell for each.
        says: what a screen reader says of the box.
        words: places of further columns that hold text.
        caption: stands above.
        noun: what a row is.
        plural: of several rows.
    """
    many = plural or f"{noun}s"
    head = "".join(
        f'<th scope="col"{_word(at, (0, *words))} aria-sort="none">'
        f'<button type="button">{plain(capital(column))}</button></th>'
        for at, column in enumerate(columns)
    )
    inside = scrolling(
        f'<table class="sortable" id="{name}-table"><thead><tr>{head}</tr></thead>'
        f"<tbody>{_body(rows, words)}</tbody></table>",
        says=says,
        kind="tall",
    )
    return (
        f'<p class="filter"><label for="{name}-filter">Show {plain(many)} with <input type="search" '
        f'id="{name}-filter" data-table="{name}-table" data-noun="{plain(many)}" autocomplete="off">'
        f'</label> <span id="{name}-filter-count" role="status">{some(len(rows), noun, many)}</span>'
        f"</p>{_above(caption)}{inside}"
    )


def heat_table(
    columns: Sequence[str],
    rows: Sequence[tuple[str, str, Sequence[float | None]]],
    *,
    says: str,
    corner: str,
    beside: str = "",
    share: bool = False,
    caption: str = "",
) -> str:
    """Returns a table whose cells are darker the larger their number; an empty cell is nothing.

    Args:
        columns: the headings of the coloured cells.
        rows: the name of a row, what stands beside it (HTML; "" for nothing), its numbers.
        says: what a screen reader says of the box.
        corner: the heading of the names.
        beside: the heading of what stands beside them.
        share: whether the numbers are shares from 0 to 1; else counts, coloured by their logarithm.
        caption: stands above.
    """
    most = max((n for _, _, cells in rows for n in cells if n), default=1)
    extra = f'<th scope="col" class="word">{plain(beside)}</th>' if beside else ""
    head = "".join(f'<th scope="col">{plain(short(name, 28))}</th>' for name in columns)
    body = "".join(
        f'<tr><th scope="row">{plain(name)}</th>'
        + (f'<td class="word">{note}</td>' if beside else "")
        + "".join(_heat_cell(n, most, share=share) for n in cells)
        + "</tr>"
        for name, note, cells in rows
    )
    return _above(caption) + scrolling(
        f'<table class="heat"><thead><tr><th scope="col">{plain(corner)}</th>'
        f"{extra}{head}</tr></thead><tbody>{body}</tbody></table>",
        says=says,
    )


def _heat_cell(number: float | None, most: float, *, share: bool) -> str:
    value = finite(number)
    if value is None or (not share and value == 0):
        return "<td></td>"
    if share:
        level = math.ceil(value * (LEVELS - 1))
        text = f"{100 * value:.0f}" if value in {0, 1} else percent(value)
    else:
        level = 1 + math.floor((LEVELS - 1.001) * math.log1p(value) / math.log1p(most))
        text = count(value)
    return f'<td class="h{max(0, min(LEVELS - 1, level))}">{text}</td>'


def _above(caption: str) -> str:
    """Returns the caption outside the box that scrolls, so that a small screen shows all of it."""
    return paragraph(caption, kind="note") if caption else ""


def _word(at: int, words: Sequence[int]) -> str:
    return ' class="word"' if at in words else ""


def _body(rows: Sequence[Sequence[object]], words: Sequence[int]) -> str:
    return "".join(
        "<tr>"
        + "".join(
            f'<th scope="row">{plain(value)}</th>'
            if at == 0
            else f"<td{_word(at, words)}>{_cell(value)}</td>"
            for at, value in enumerate(row)
        )
        + "</tr>"
        for row in rows
    )


def _cell(value: object) -> str:
    return count(value) if isinstance(value, int) and not isinstance(value, bool) else plain(value)
