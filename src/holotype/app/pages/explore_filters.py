"""The filters of the page Explore: choices with counts, spans, and what is chosen as chips."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from nicegui import ui

from holotype.app.exploring.box import Box, number_text
from holotype.app.exploring.facts import FACETS
from holotype.app.exploring.filters import (
    DEPTH_TO,
    DEPTH_UNDER,
    HAS_WHAT,
    Filters,
    read_filters,
)
from holotype.app.exploring.view import View
from holotype.app.pages.explore_facets import NO_VALUE, Choice, Facet
from holotype.app.pages.explore_state import Desk, Shown
from holotype.app.pages.text import heading, text

_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip
_SPANS = (
    ("since", "From", "2019-07"), ("until", "To", "2019-12"),
    ("depth_from", "From, m", "0"), (DEPTH_TO, "To, m", "200, or <200"),
)  # fmt: skip
_HAS = {
    "image": "Image", "barcode": "Barcode", "place": "Place", "date": "Date", "depth": "Depth"
}  # fmt: skip


class FiltersPanel:
    """The filters beside the records; a panel that slides in where the window is narrow."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._facets: list[Facet] = []
        self._has: dict[str, Choice] = {}
        self._spans: dict[str, ui.input] = {}
        self._written: dict[str, str] = {}
        self._months: ui.select | None = None

    def draw(self) -> ui.element:
        """Draws the panel, without counts."""
        panel = (
            ui.element("aside").classes("filters-panel").props('id=filters aria-label="Filters"')
        )
        with panel, ui.element("div").classes("filters-top"):
            heading(2, "Filters").classes("first")
            ui.button("Close", icon="close", on_click=self.close).props("flat dense").classes(
                "only-narrow"
            )
        with panel:
            self._body = ui.element("div").classes("facets")
        panel.on("keydown.escape", self.close)
        self._panel = panel
        return panel

    def open(self) -> None:
        """Slides the panel in."""
        self._panel.classes("open")
        ui.run_javascript("document.querySelector('#filters button')?.focus()")

    def close(self) -> None:
        """Slides the panel out."""
        self._panel.classes(remove="open")
        ui.run_javascript("document.getElementById('open-filters')?.focus()")

    def fill(self, shown: Shown) -> None:
        """Draws the choices that the collection has."""
        whole, filters = shown.whole, shown.asked.filters
        self._has, self._spans, self._written, self._months = {}, {}, {}, None
        self._facets = [
            Facet(self._desk, name, values)
            for name, values in whole.facets.items()
            if len(values) > 1 or filters.values(name)
        ]
        self._body.clear()
        with self._body:
            for facet in self._facets:
                facet.draw(filters)
            self._spans_of(whole)
            self._presence(whole)

    def _spans_of(self, whole: View) -> None:
        if whole.has["date"]:
            with self._span("When", _SPANS[:2]):
                self._months = ui.select(
                    dict(enumerate(_MONTHS, 1)), multiple=True, value=[],
                    label="Months of the year", on_change=self._months_chosen, clearable=True,
                ).props("outlined dense options-dense use-chips")  # fmt: skip
        if whole.has["depth"]:
            self._span("Depth", _SPANS[2:])
        if whole.has["place"]:
            with ui.element("details"):
                text("summary", "Where")
                self._span_input("box", "South, west, north, east", "40,-5,48,10")
                text("p", "Or draw a box on the map under Places and dates.").classes("note")

    def _span(self, title: str, spans: tuple[tuple[str, str, str], ...]) -> ui.element:
        with ui.element("details").props("open") as details:
            text("summary", title)
            with ui.element("div").classes("pair"):
                for name, label, example in spans:
                    self._span_input(name, label, example)
        return details

    def _span_input(self, name: str, label: str, example: str) -> None:
        field = ui.input(label, placeholder=example).props("outlined dense stack-label")
        field.on("keydown.enter", lambda: self._spanned(name))
        field.on("blur", lambda: self._spanned(name))
        self._spans[name] = field

    def _presence(self, whole: View) -> None:
        there = [what for what in HAS_WHAT if 0 < whole.has[what] < len(whole)]
        if not there:
            return
        with ui.element("details").props("open"):
            text("summary", "Only with")
            for what in there:
                self._has[what] = Choice.drawn(_HAS[what], partial(self._required, what))

    def show(self, shown: Shown) -> None:
        """Writes counts and choices of the present filters into the panel; nothing is drawn again.

        A field is written only where what is asked for has changed: somebody may be at it.
        """
        filters = shown.asked.filters
        for facet in self._facets:
            facet.show(shown)
        for what, choice in self._has.items():
            choice.show(shown.view.has[what], is_chosen=what in filters.has)
        for name, field in self._spans.items():
            now = _as_written(filters, name)
            if now != self._written.get(name, "") or not filters:
                self._written[name] = field.value = now
                field.error = None
        if self._months is not None:
            self._months.value = sorted(filters.months)

    # A value that is written from here is told like one that is chosen: what is so already is no change.

    async def _required(self, what: str, is_chosen: bool) -> None:  # noqa: FBT001
        asked = self._desk.asked
        if is_chosen != (what in asked.filters.has):
            filters = replace(asked.filters, has=asked.filters.has ^ {what})
            await self._desk.change(asked.with_filters(filters))

    async def _months_chosen(self) -> None:
        if self._months is None:
            return
        asked, months = self._desk.asked, frozenset(self._months.value or ())
        if months != asked.filters.months:
            await self._desk.change(asked.with_filters(replace(asked.filters, months=months)))

    async def _spanned(self, name: str) -> None:
        field, asked = self._spans[name], self._desk.asked
        written = str(field.value or "").strip()
        found, problems = read_filters(_as_asked(name, written))
        if problems:
            field.error = _WRONG[name]
            return
        field.error = None
        if written == self._written.get(name, ""):
            return
        self._written[name] = written
        filters = asked.filters
        for one in (name, DEPTH_UNDER) if name == DEPTH_TO else (name,):
            filters = _with(filters, one, getattr(found, one))
        if filters != asked.filters:
            await self._desk.change(asked.with_filters(filters))


def _as_asked(name: str, written: str) -> list[tuple[str, str]]:
    """Returns what is written in a field as a link has it; ``<20`` is what lies above 20 m, without it."""
    if name == DEPTH_TO and written.startswith("<"):
        return [(DEPTH_UNDER, written[1:])]
    return [(name, written)] if written else []


def _as_written(filters: Filters, name: str) -> str:
    """Returns what a field says of the filters."""
    if name == DEPTH_TO and filters.depth_under is not None:
        return f"<{number_text(filters.depth_under)}"
    value = getattr(filters, name)
    if isinstance(value, Box):
        return value.text()
    return number_text(value) if isinstance(value, float) else value or ""


_WRONG = {
    "since": "Write 2019 or 2019-07.", "until": "Write 2019 or 2019-07.",
    "depth_from": "Write metres.", "depth_to": "Write metres; <200 leaves 200 out.",
    "box": "Write four numbers, as 40,-5,48,10.",
}  # fmt: skip


def _with(filters: Filters, name: str, value: Any) -> Filters:
    changed: dict[str, Any] = {name: value}
    return replace(filters, **changed)


Without = Callable[[Filters], Filters]


def chips(filters: Filters) -> list[tuple[str, Without]]:
    """Returns what is chosen, in words, each with what takes it away from whatever filters there are then."""
    found: list[tuple[str, Without]] = []
    if filters.taxon:
        rank, name = filters.taxon[-1]
        found.append((f"{rank}: {name}", partial(_with, name="taxon", value=())))
    for facet, value in sorted(filters.chosen, key=lambda pair: (pair[0], pair[1] or "")):
        said = NO_VALUE if value is None else value
        found.append((f"{FACETS[facet]}: {said}", partial(_not_chosen, one=(facet, value))))
    for single, says in _SINGLES.items():
        value = getattr(filters, single)
        if value is not None:
            found.append((says(value), partial(_with, name=single, value=None)))
    if filters.months:
        said = ", ".join(_MONTHS[month - 1] for month in sorted(filters.months))
        found.append((said, partial(_with, name="months", value=frozenset())))
    found += [
        (f"with {_HAS[what].lower()}", partial(_not_required, what=what))
        for what in sorted(filters.has)
    ]
    return found


def _not_chosen(filters: Filters, one: tuple[str, str | None]) -> Filters:
    return replace(filters, chosen=filters.chosen - {one})


def _not_required(filters: Filters, what: str) -> Filters:
    return replace(filters, has=filters.has - {what})


def _box_in_words(box: Box) -> str:
    south, west, north, east = (
        number_text(one) for one in (box.south, box.west, box.north, box.east)
    )
    return f"between {south}° and {north}° N, {west}° and {east}° E"


_SINGLES: dict[str, Callable[[Any], str]] = {
    "since": lambda value: f"from {value}",
    "until": lambda value: f"to {value}",
    "depth_from": lambda value: f"{number_text(value)} m or deeper",
    "depth_to": lambda value: f"{number_text(value)} m or shallower",
    "depth_under": lambda value: f"shallower than {number_text(value)} m",
    "box": _box_in_words,
    "selection": lambda _: "the selection",
}
