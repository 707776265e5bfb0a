"""One record of the page Explore: its image, all that is known of it, and what is like it."""

import asyncio

import numpy as np
from nicegui import background_tasks, ui

from holotype.app.exploring.records import Record, record_at
from holotype.app.exploring.searching import class_names, ids_of
from holotype.app.pages.explore_grid import cards
from holotype.app.pages.explore_state import Desk, Shown, named
from holotype.app.pages.text import heading, note, text
from holotype.app.thumbnails import thumbnail_url
from holotype.errors import HolotypeError

SIDE_PX = 700
NEAREST = 8
_LONG = frozenset({"barcode", "extra", "given_lineage", "environment"})
_ADDRESSES = ("http://", "https://")


class RecordDialog:
    """The record that is open, above the page."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._record: Record | None = None

    def draw(self) -> None:
        """Draws the dialog, closed."""
        with ui.dialog() as self._dialog, ui.card().classes("record-dialog"):
            self._body = ui.element("div").classes("full-width")
        self._dialog.props('aria-label="Record"')
        self._dialog.on("hide", self._hidden)

    async def show(self, shown: Shown, record_id: str) -> None:
        """Opens a record; says so where it is not there."""
        row = await asyncio.to_thread(shown.explored.rows.row, record_id)
        if row is None:
            ui.notify(f"There is no record {record_id} in this collection.", type="warning")
            return
        try:
            record = await asyncio.to_thread(record_at, shown.explored.collection, row)
        except HolotypeError as reason:
            ui.notify(str(reason), type="negative")
            return
        self._record = record
        self._body.clear()
        with self._body:
            self._fill(shown, record)
        self._dialog.open()
        background_tasks.create(self._find_nearest(shown, record))

    def _fill(self, shown: Shown, record: Record) -> None:
        name = class_names(shown.explored.facts, [record.row])[0]
        with ui.element("div").classes("record-top"):
            heading(2, name)
            with ui.element("div").classes("row"):
                place = np.flatnonzero(shown.row_R == record.row)
                for title, icon, by in (
                    ("Previous record", "chevron_left", -1),
                    ("Next record", "chevron_right", 1),
                ):
                    to = int(place[0]) + by if len(place) else -1
                    button = ui.button(icon=icon, on_click=lambda to=to: self._go(to))
                    button.props("flat round dense").set_enabled(0 <= to < len(shown.row_R))
                    named(button, aria_label=title)
                close = ui.button(icon="close", on_click=self._dialog.close)
                close.props('flat round dense autofocus aria-label="Close the record"')
        with ui.element("div").classes("record-body"):
            with ui.element("div"):
                self._picture(shown, record, name)
                self._near = ui.element("div").props('aria-live="polite"')
            with ui.element("div"):
                self._lineage(record)
                for title, stated in record.stated.items():
                    heading(3, title)
                    with ui.element("dl").classes("stated"):
                        for one in stated:
                            named(text("dt", one.name), title=one.meaning)
                            with text("dd", "").classes("letters" if one.column in _LONG else ""):
                                _value(one.text)

    @staticmethod
    def _picture(shown: Shown, record: Record, name: str) -> None:
        with ui.element("div").classes("image"):
            if record.has_image:
                image = ui.element("img")
                url = thumbnail_url(shown.explored.collection, record.record_id, side_px=SIDE_PX)
                named(image, src=url, alt=f"Image of {record.record_id}, {name}")
            else:
                text("span", "This record has no image.").classes("dim")

    @staticmethod
    def _lineage(record: Record) -> None:
        if not record.lineage:
            text("p", "No lineage is given.").classes("note")
            return
        with ui.element("ul").classes("lineage").props('aria-label="Lineage"'):
            for rank, name in record.lineage:
                with ui.element("li"):
                    text("span", rank).classes("rank")
                    text("span", name)

    async def _find_nearest(self, shown: Shown, record: Record) -> None:
        likeness = self._desk.shared.likeness
        near = await likeness.near_record(shown.explored, record.row, k=NEAREST)
        if self._record is not record or self._near.is_deleted:
            return
        if near is None:
            with self._near:
                note("To see what is nearest, make the map under Likeness, or serve with --index.")
        if not near:
            return
        rows = [row for row, _ in near]
        ids = await asyncio.to_thread(ids_of, shown.explored.rows, rows)
        with self._near:
            heading(3, f"Nearest records by {likeness.modality}")
            with ui.element("ul").classes("cards near").props('aria-label="Nearest records"'):
                cards(
                    self._desk,
                    shown,
                    rows,
                    ids,
                    under=[f"cosine {cosine:.3f}" for _, cosine in near],
                )

    async def _go(self, place: int) -> None:
        shown = self._desk.shown
        ids = await asyncio.to_thread(ids_of, shown.explored.rows, [int(shown.row_R[place])])
        await self._desk.open_record(ids[0])

    def _hidden(self) -> None:
        self._record = None
        self._desk.close_record()


def _value(written: str) -> None:
    """Writes a value; a web address as a link that tells the other site nothing of this page."""
    if written.startswith(_ADDRESSES) and not any(sign.isspace() for sign in written):
        link = ui.link(written, "#").props('rel="noreferrer noopener" target=_blank')
        named(link, href=written)
    else:
        text("span", written)
