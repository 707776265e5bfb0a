"""The map of likeness on the page Explore: made once, drawn by name, and a lasso that narrows the records."""

import asyncio

import numpy as np
from nicegui import background_tasks, events, ui

from holotype.app.exploring.plane import LEAST_RECORDS, MOST_RECORDS, Plane
from holotype.app.exploring.tree import drawn
from holotype.app.pages.explore_figures import likeness_map
from holotype.app.pages.explore_state import Desk, Shown, named
from holotype.app.pages.text import heading, note, text
from holotype.page.words import count, some

_SELECTED = "(e) => { if (e?.points) emit(e.points.map(p => p.customdata)); }"
_POINT = "(e) => emit(e.points[0].customdata)"
_STEPS = {"embed": "Reading the records", "lay out": "Laying out the map"}


class LikenessPanel:
    """The plane map of the embeddings."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._timer: ui.timer | None = None

    def draw(self) -> None:
        """Draws the panel, empty."""
        self._body = ui.element("div")

    async def show(self, shown: Shown) -> None:
        """Draws the map, or how it is made."""
        likeness = self._desk.shared.likeness
        plane = await asyncio.to_thread(likeness.plane, shown.explored)
        self._body.clear()
        with self._body:
            heading(2, "What looks alike").classes("first")
            if plane is not None:
                self._map(shown, plane)
            elif likeness.progress.is_running:
                self._wait()
            else:
                self._offer(shown)

    def _offer(self, shown: Shown) -> None:
        likeness = self._desk.shared.likeness
        there = likeness.may_be_mapped(shown.explored)
        with ui.element("div").classes("empty"):
            if there < LEAST_RECORDS:
                reads = (
                    f"{likeness.modality}s" if likeness.modality else "neither images nor barcodes"
                )
                text("p", f"The model reads {reads}; {some(there, 'record')} here to lay out.")
                text(
                    "p", "Serve a collection with images, or a model that reads barcodes."
                ).classes("note")
                return
            if likeness.progress.failure:
                text("p", f"The map could not be made: {likeness.progress.failure}").classes("bad")
            few = min(there, MOST_RECORDS)
            text(
                "p",
                f"The map lays out {some(few, 'record')}"
                + (f" of {count(there)}, chosen evenly over the names," if few < there else "")
                + " so that those that the model finds alike lie together. It is made once and kept.",
            )
            ui.button("Make the map", icon="scatter_plot", on_click=lambda: self._make(shown))

    async def _make(self, shown: Shown) -> None:
        background_tasks.create(self._desk.shared.likeness.make(shown.explored))
        self._body.clear()
        with self._body:
            heading(2, "What looks alike").classes("first")
            self._wait()

    def _wait(self) -> None:
        progress = self._desk.shared.likeness.progress
        told = text("p", "Starting …").props('role="status"')
        bar = ui.linear_progress(value=0, show_value=False).props(
            'aria-label="Progress of the map"'
        )

        async def look() -> None:
            now = self._desk.shared.likeness.progress
            if not now.is_running and now is not progress:
                timer.cancel()
                await self.show(self._desk.shown)
                return
            told.set_text(
                f"{_STEPS.get(now.what, 'Starting')}: {count(now.done)} of {count(now.total)}"
            )
            bar.value = now.done / max(1, now.total)

        timer = ui.timer(0.7, look)

    def _map(self, shown: Shown, plane: Plane) -> None:
        figure = likeness_map(plane, shown.view, drawn(shown.view, shown.asked.filters.taxon))
        told = f"Map of {some(len(plane), 'record')} by likeness, coloured by name"
        with ui.element("div").props("role=group") as picture:
            plot = ui.plotly(figure).classes("chart likeness")
        named(picture, aria_label=told)
        plot.on("plotly_selected", self._selected, js_handler=_SELECTED)
        plot.on("plotly_click", self._opened, js_handler=_POINT)
        failed = f" {some(plane.failed, 'record')} could not be read." if plane.failed else ""
        of = (
            f" of the {count(plane.among)} that have an {plane.modality}"
            if plane.among > len(plane)
            else ""
        )
        note(
            f"{some(len(plane), 'record')} shown{of}, laid out by t-SNE: neighbours are alike, far "
            f"distances mean little.{failed} Draw a lasso to narrow the records to what is in it; click a "
            "point to open it. "
            "By keyboard: open a record, its nearest are below it."
        )

    async def _selected(self, event: events.GenericEventArguments) -> None:
        if isinstance(event.args, list):
            told = np.asarray([one for one in event.args if isinstance(one, int)], dtype=np.int64)
            rows = np.intersect1d(told, self._desk.shown.view.row_R)
            if len(rows):
                await self._desk.select(rows.tolist())
            else:
                ui.notify("No record that passes the filters is in there.", type="warning")

    async def _opened(self, event: events.GenericEventArguments) -> None:
        shown = self._desk.shown
        if isinstance(event.args, int) and 0 <= event.args < len(shown.explored.facts):
            record_id = shown.explored.rows.ids[event.args].as_py()
            await self._desk.open_record(str(record_id))
