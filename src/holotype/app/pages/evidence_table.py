"""A table of many rows: sorted by its headings, searched by words, shown by the page. Works by keyboard."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from nicegui import events, ui

from holotype.app.pages.text import text
from holotype.page.words import count

PAGE_ROWS = 25


@dataclass(frozen=True)
class Heading:
    """A column.

    Attributes:
        title: its heading.
        key: of the rows.
        shown: value -> text.
        is_text: whether it stands left and sorts from a to z at first; numbers sort from the largest.
    """

    title: str
    key: str
    shown: Callable[[Any], str]
    is_text: bool = False


def chosen_rows(
    rows: Sequence[dict[str, Any]], *, words: str, keys: Sequence[str], by: str, down: bool
) -> list[dict[str, Any]]:
    """Returns rows that have all words in one of their texts, sorted; what is missing comes last."""
    asked = words.lower().split()
    found = []
    for row in rows:
        inside = " ".join(str(row.get(key) or "") for key in keys).lower()
        if all(word in inside for word in asked):
            found.append(row)
    there = [row for row in found if row.get(by) is not None]
    missing = [row for row in found if row.get(by) is None]
    there.sort(
        key=lambda row: row[by].lower() if isinstance(row[by], str) else row[by], reverse=down
    )
    return there + missing


class RowTable:
    """The table.

    Args:
        headings: its columns; the first one names the row.
        rows: by key.
        noun: what rows are called.
        searched: keys of further texts that are searched.
        by: the column it is sorted by at first.
        down: whether from the largest.
    """

    def __init__(
        self,
        headings: Sequence[Heading],
        rows: Sequence[dict[str, Any]],
        *,
        noun: str,
        searched: Sequence[str] = (),
        by: str,
        down: bool = False,
    ) -> None:
        self._headings, self._rows, self._noun = headings, rows, noun
        self._keys = [*(one.key for one in headings if one.is_text), *searched]
        self._words, self._by, self._down, self._first = "", by, down, 0
        self._marks: dict[str, Any] = {}

    def draw(self) -> None:
        """Draws it."""
        with ui.element("div").classes("row"):
            find = ui.input(f"Find {self._noun}", on_change=self._searched)
            find.props('outlined dense clearable debounce=200 type="search"').classes("narrow")
            self._status = text("span", "").classes("dim").props('role="status"')
        with ui.element("div").classes("scroll").props('tabindex=0 role="region"') as box:
            box.props["aria-label"] = f"Table of {self._noun}"
            with ui.element("table").classes("plain"):
                with ui.element("thead"), ui.element("tr"):
                    for one in self._headings:
                        self._head(one)
                self._body = ui.element("tbody")
        with ui.element("nav").classes("row") as way:
            way.props["aria-label"] = f"Pages of {self._noun}"
            self._back = ui.button("Previous", on_click=lambda: self._turn(-1)).props(
                "outline dense"
            )
            self._on = ui.button("Next", on_click=lambda: self._turn(1)).props("outline dense")
            self._place = text("span", "").classes("dim")
        self._fill()

    def _head(self, one: Heading) -> None:
        with ui.element("th").props('scope="col"').classes("word" if one.is_text else "") as cell:
            button = ui.element("button").props('type="button"').classes("sort")
            button.on("click", lambda: self._sort(one))
            with button:
                text("span", one.title)
                self._marks[one.key] = (cell, text("span", "").props('aria-hidden="true"'))

    def _searched(self, event: events.ValueChangeEventArguments[Any]) -> None:
        self._words, self._first = str(event.value or ""), 0
        self._fill()

    def _sort(self, one: Heading) -> None:
        self._down = not self._down if self._by == one.key else not one.is_text
        self._by, self._first = one.key, 0
        self._fill()

    def _turn(self, by: int) -> None:
        self._first += by * PAGE_ROWS
        self._fill()

    def _fill(self) -> None:
        rows = chosen_rows(
            self._rows, words=self._words, keys=self._keys, by=self._by, down=self._down
        )
        shown = rows[self._first : self._first + PAGE_ROWS]
        self._body.clear()
        with self._body:
            for row in shown:
                with ui.element("tr"):
                    for at, one in enumerate(self._headings):
                        cell = text("th" if at == 0 else "td", one.shown(row.get(one.key)))
                        cell.classes("word" if one.is_text else "")
                        if at == 0:
                            cell.props('scope="row"')
        for key, (cell, mark) in self._marks.items():
            here = key == self._by
            order = ("descending" if self._down else "ascending") if here else "none"
            cell.props(f'aria-sort="{order}"')
            mark.set_text((" ▼" if self._down else " ▲") if here else "")
        self._status.set_text(f"{count(len(rows))} of {count(len(self._rows))} {self._noun}")
        many = len(rows) > PAGE_ROWS
        for part in (self._back, self._on, self._place):
            part.set_visibility(many)
        self._back.set_enabled(self._first > 0)
        self._on.set_enabled(self._first + PAGE_ROWS < len(rows))
        self._place.set_text(
            f"{self._first + 1:,} to {min(self._first + PAGE_ROWS, len(rows)):,} of {len(rows):,}"
        )
