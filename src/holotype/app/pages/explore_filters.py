"""The filters of the page Explore: choices with counts, spans, and what is chosen as chips."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from nicegui import ui
from nicegui.elements.mixins.text_element import TextElement

from holotype.app.exploring.facts import FACETS
from holotype.app.exploring.filters import HAS_WHAT, Box, Filters, read_filters
from holotype.app.exploring.view import Value, View
from holotype.app.pages.explore_state import Desk, Shown, named
from holotype.app.pages.text import heading, text
from holotype.page.words import count

_FIRST, _MOST = 7, 60
_OPEN = ("decision", "instrument", "licence", "source", "label_status")
NO_VALUE = "not stated"
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip
_SPANS = (
    ("since", "From", "2019-07"), ("until", "To", "2019-12"),
    ("depth_from", "From, m", "0"), ("depth_to", "To, m", "200"),
)  # fmt: skip
_HAS = {
    "image": "Image", "barcode": "Barcode", "place": "Place", "date": "Date", "depth": "Depth"
}  # fmt: skip


class FiltersPanel:
    """The filters beside the records; a panel that slides in where the window is narrow."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._choices: dict[
            tuple[str, str | None], tuple[ui.checkbox, TextElement, ui.element]
        ] = {}
        self._has: dict[str, tuple[ui.checkbox, TextElement]] = {}
        self._spans: dict[str, ui.input] = {}

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
        whole = shown.whole
        self._body.clear()
        with self._body:
            for facet, values in whole.facets.items():
                if len(values) < 2 and not shown.asked.filters.values(facet):
                    continue
                self._facet(facet, values, shown.asked.filters)
            self._spans_of(whole)
            self._presence(whole)

    def _facet(self, facet: str, values: tuple[Value, ...], filters: Filters) -> None:
        chosen = filters.values(facet)
        with ui.element("details") as details:
            if facet in _OPEN or chosen:
                details.props("open")
            text("summary", FACETS[facet])
            with ui.element("div").classes("facet-values").props("role=group") as group:
                named(group, aria_label=FACETS[facet])
                for value in values[:_FIRST]:
                    self._choice(facet, value.value)
                for value in values[_FIRST:]:
                    if value.value in chosen:
                        self._choice(facet, value.value)
            rest = [one for one in values[_FIRST:_MOST] if one.value not in chosen]
            if rest:
                with ui.element("details"):
                    text("summary", f"{count(len(rest))} more").classes("note")
                    with ui.element("div").classes("facet-values"):
                        for value in rest:
                            self._choice(facet, value.value)
            if len(values) > _MOST:
                text("p", f"{count(len(values) - _MOST)} further ones: search for them.").classes(
                    "note"
                )

    def _choice(self, facet: str, value: str | None) -> None:
        with ui.element("div").classes("value") as row:
            box = ui.checkbox(
                NO_VALUE if value is None else value,
                on_change=lambda event: self._toggled(facet, value, is_chosen=bool(event.value)),
            ).props("dense")
            many = text("span", "").classes("many").props("aria-hidden=true")
        self._choices[facet, value] = (box, many, row)

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
                with ui.element("div").classes("value"):
                    box = ui.checkbox(
                        _HAS[what],
                        on_change=lambda event, what=what: self._required(
                            what, is_chosen=bool(event.value)
                        ),
                    )
                    many = text("span", "").classes("many").props("aria-hidden=true")
                self._has[what] = (box.props("dense"), many)

    def show(self, shown: Shown) -> None:
        """Writes counts and choices of the present filters into the panel; nothing is drawn again."""
        filters = shown.asked.filters
        for (facet, value), (box, many, row) in self._choices.items():
            found = {one.value: one for one in shown.view.facets.get(facet, ())}.get(value)
            records = found.records if found else 0
            box.value = value in filters.values(facet)
            many.set_text(count(records))
            row.classes(add="none" if not records else "", remove="none" if records else "")
            said = NO_VALUE if value is None else value
            named(box, aria_label=f"{said}, {count(records)}").update()
        for what, (box, many) in self._has.items():
            box.value = what in filters.has
            many.set_text(count(shown.view.has[what]))
        values: dict[str, str | float | None] = {
            "since": filters.since, "until": filters.until, "depth_from": filters.depth_from,
            "depth_to": filters.depth_to, "box": filters.box.text() if filters.box else None,
        }  # fmt: skip
        for name, field in self._spans.items():
            now = values[name]
            field.value = f"{now:g}" if isinstance(now, float) else now or ""
            field.error = None
        if hasattr(self, "_months"):
            self._months.value = sorted(filters.months)

    # A value that is written from here is told like one that is chosen: what is so already is no change.

    async def _toggled(self, facet: str, value: str | None, *, is_chosen: bool) -> None:
        asked = self._desk.shown.asked
        if is_chosen != (value in asked.filters.values(facet)):
            await self._desk.change(asked.with_filters(asked.filters.toggled(facet, value)))

    async def _required(self, what: str, *, is_chosen: bool) -> None:
        asked = self._desk.shown.asked
        if is_chosen != (what in asked.filters.has):
            filters = replace(asked.filters, has=asked.filters.has ^ {what})
            await self._desk.change(asked.with_filters(filters))

    async def _months_chosen(self) -> None:
        asked, months = self._desk.shown.asked, frozenset(self._months.value or ())
        if months != asked.filters.months:
            await self._desk.change(asked.with_filters(replace(asked.filters, months=months)))

    async def _spanned(self, name: str) -> None:
        field, asked = self._spans[name], self._desk.shown.asked
        written = str(field.value or "").strip()
        found, problems = read_filters([(name, written)] if written else [])
        if problems:
            field.error = _WRONG[name]
            return
        field.error = None
        filters = _with(asked.filters, name, getattr(found, name))
        if filters != asked.filters:
            await self._desk.change(asked.with_filters(filters))


_WRONG = {
    "since": "Write 2019 or 2019-07.", "until": "Write 2019 or 2019-07.",
    "depth_from": "Write metres.", "depth_to": "Write metres.",
    "box": "Write four numbers, as 40,-5,48,10.",
}  # fmt: skip


def _with(filters: Filters, name: str, value: Any) -> Filters:
    changed: dict[str, Any] = {name: value}
    return replace(filters, **changed)


def chips(filters: Filters) -> list[tuple[str, Filters]]:
    """Returns what is chosen, in words, each with the filters that are left without it."""
    found: list[tuple[str, Filters]] = []
    if filters.taxon:
        rank, name = filters.taxon[-1]
        found.append((f"{rank}: {name}", replace(filters, taxon=())))
    for facet, value in sorted(filters.chosen, key=lambda pair: (pair[0], pair[1] or "")):
        said = NO_VALUE if value is None else value
        found.append((f"{FACETS[facet]}: {said}", filters.toggled(facet, value)))
    singles: list[tuple[str, Any, Callable[[Any], str]]] = [
        ("since", filters.since, lambda value: f"from {value}"),
        ("until", filters.until, lambda value: f"to {value}"),
        ("depth_from", filters.depth_from, lambda value: f"below {value:g} m"),
        ("depth_to", filters.depth_to, lambda value: f"above {value:g} m"),
        ("box", filters.box, _box_in_words),
        ("selection", filters.selection, lambda _: "the selection"),
    ]
    for name, value, says in singles:
        if value is not None:
            found.append((says(value), _with(filters, name, None)))
    if filters.months:
        said = ", ".join(_MONTHS[month - 1] for month in sorted(filters.months))
        found.append((said, replace(filters, months=frozenset())))
    found += [
        (f"with {_HAS[what].lower()}", replace(filters, has=filters.has - {what}))
        for what in sorted(filters.has)
    ]
    return found


def _box_in_words(box: Box) -> str:
    return f"between {box.south:g}° and {box.north:g}° N, {box.west:g}° and {box.east:g}° E"
