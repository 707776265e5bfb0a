"""Where and when, on the page Explore: a map, layers of depth, years and months, all of them to click."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from nicegui import events, ui

from holotype.app.exploring.box import Box
from holotype.app.exploring.filters import Filters
from holotype.app.exploring.where_when import Bar, Places, depths, places, years
from holotype.app.pages.explore_figures import Figure, bars, month_bars, place_map
from holotype.app.pages.explore_state import Desk, Shown, named
from holotype.app.pages.text import heading, note, text
from holotype.page.words import some

_CLICK = "(e) => emit(e.points[0].customdata)"
_BOX = "(e) => { const r = e?.range; if (r?.x && r?.y) emit([r.y[0], r.x[0], r.y[1], r.x[1]].map(Number)); }"


class PlacesPanel:
    """Map and histograms of the records that pass."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def draw(self) -> None:
        """Draws the panel, empty."""
        self._body = ui.element("div")

    async def show(self, shown: Shown) -> None:
        """Draws map and histograms."""
        view = shown.view
        found, layers, when = await asyncio.to_thread(
            lambda: (places(view), depths(view), years(view))
        )
        months = month_bars(view)
        self._body.clear()
        with self._body:
            if found is None:
                _no_place()
            else:
                self._map(found)
            with ui.element("div").classes("charts"):
                self._bars(
                    "Depth", layers, bars(layers, axis="depth (m)", across=True), self._layer
                )
                self._bars("Years", when, bars(when, axis="year"), self._year)
                self._bars("Months", months, bars(months, axis="month"), self._month)
            missing = [name for name, there in (("depth", layers), ("date", when)) if not there]
            if missing:
                note(f"No {' and no '.join(missing)} is known of these records.")

    def _map(self, found: Places) -> None:
        heading(2, "Where").classes("first")
        figure = place_map(found)
        told = f"Map of {some(found.records, 'record')} in {some(len(found.cells), 'cell')}"
        with ui.element("div").props("role=group") as picture:
            plot = ui.plotly(figure).classes("chart place")
        named(picture, aria_label=told)

        async def clicked(event: events.GenericEventArguments) -> None:
            if isinstance(event.args, int) and 0 <= event.args < len(found.cells):
                await self._narrow(box=found.cells[event.args].box)

        plot.on("plotly_click", clicked, js_handler=_CLICK)
        plot.on("plotly_selected", self._drawn, js_handler=_BOX)
        without = f" {some(found.without, 'record')} without a place." if found.without else ""
        note(
            f"One dot is a cell of {found.step_deg:g}°. Click a dot, or draw a box, to narrow. "
            f"Coasts: Natural Earth 1:110 m, for orientation only.{without}"
        )

    @staticmethod
    def _bars(
        title: str, found: Sequence[Bar], figure: Figure, clicked: Callable[[Bar], Awaitable[None]]
    ) -> None:
        if not found:
            return
        with ui.element("section") as section:
            named(section, aria_label=title)
            heading(2, title)
            most = max(found, key=lambda one: one.records)
            told = (
                f"{title}: {some(sum(one.records for one in found), 'record')}, most in {most.name}"
            )
            with ui.element("div").props("role=img") as picture:
                plot = ui.plotly(figure).classes("chart bars")
            named(picture, aria_label=told)

            async def chosen(event: events.GenericEventArguments) -> None:
                if isinstance(event.args, int) and 0 <= event.args < len(found):
                    await clicked(found[event.args])

            plot.on("plotly_click", chosen, js_handler=_CLICK)

    async def _drawn(self, event: events.GenericEventArguments) -> None:
        try:
            first, left, second, right = (float(one) for one in event.args)
        except (TypeError, ValueError):
            return
        south, north = sorted(max(-90.0, min(90.0, one)) for one in (first, second))
        west, east = sorted(max(-180.0, min(180.0, one)) for one in (left, right))
        rounded = Box(*(round(one, 4) for one in (south, west, north, east)))
        await self._narrow(box=rounded)

    async def _layer(self, bar: Bar) -> None:
        low = None if bar.first == float("-inf") else bar.first
        high = None if bar.last == float("inf") else bar.last
        await self._narrow(depth_from=low, depth_to=None, depth_under=high)

    async def _year(self, bar: Bar) -> None:
        await self._narrow(since=bar.name, until=bar.name)

    async def _month(self, bar: Bar) -> None:
        await self._narrow(months=frozenset({int(bar.first)}))

    async def _narrow(self, **by: object) -> None:
        asked = self._desk.asked
        filters: Filters = replace(asked.filters, **by)  # type: ignore[arg-type]
        await self._desk.change(asked.with_filters(filters))


def _no_place() -> None:
    with ui.element("div").classes("empty"):
        text("p", "No place is known of these records.")
        text(
            "p",
            "Import with columns of latitude and longitude, or say where the whole source is from:",
        )
        text("code", "holotype import … --constant latitude_deg=54.1 --constant longitude_deg=7.9")
