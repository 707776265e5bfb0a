"""One visitor of the page Explore: what is asked for, what is shown of it, and what is drawn anew."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
from nicegui import ui
from numpy.typing import NDArray

from holotype.app.exploring.filters import Filters
from holotype.app.exploring.opened import Explored
from holotype.app.exploring.searching import ids_of
from holotype.app.exploring.selections import keep_selection
from holotype.app.exploring.view import View, ordered, view_of
from holotype.app.pages.explore_downloads import selected_rows
from holotype.app.pages.explore_filters import FiltersPanel, Without, chips
from holotype.app.pages.explore_grid import RecordsPanel
from holotype.app.pages.explore_likeness import LikenessPanel
from holotype.app.pages.explore_places import PlacesPanel
from holotype.app.pages.explore_record import RecordDialog
from holotype.app.pages.explore_search import SearchBox
from holotype.app.pages.explore_state import TABS, Asked, Shared, Shown, Tab, named
from holotype.app.pages.explore_tree import TreePanel
from holotype.app.pages.text import text
from holotype.errors import HolotypeError
from holotype.page.words import count, some


class Visit:
    """One visitor's page."""

    shown: Shown

    def __init__(self, shared: Shared, asked: Asked) -> None:
        self.shared = shared
        self.asked = asked
        self._turn = 0
        self._drawing = asyncio.Lock()
        self._tree, self._filters, self._search = (
            TreePanel(self),
            FiltersPanel(self),
            SearchBox(self),
        )
        self._records, self._places = RecordsPanel(self), PlacesPanel(self)
        self._likeness, self._record = LikenessPanel(self), RecordDialog(self)

    def draw(self) -> None:
        """Draws everything that does not depend on the records, and that they are being read."""
        self._wait = ui.element("div").classes("row").props('role="status"')
        with self._wait:
            ui.spinner()
            text("span", "Reading the collection …")
        self._all = ui.element("div")
        self._all.set_visibility(False)
        with self._all:
            with ui.element("div").classes("explore-bar"):
                self._search.draw()
                button = ui.button("Filters", icon="tune", on_click=self._filters.open)
                button.props("outline id=open-filters aria-controls=filters").classes("only-narrow")
            with ui.element("div").classes("explore"):
                self._filters.draw()
                with ui.element("div"):
                    self._count = text("p", "").classes("explore-count")
                    self._count.props('role="status" tabindex=-1 id=explore-count')
                    self._chips = ui.element("div").classes("chips")
                    with ui.element("div").classes("explore-main"):
                        self._tree.draw()
                        with ui.element("div"):
                            self._draw_tabs()
        self._record.draw()

    def _draw_tabs(self) -> None:
        with ui.tabs(on_change=self._tab_chosen).props(
            'dense align=left no-caps aria-label="What is shown"'
        ) as tabs:
            for tab, title in TABS.items():
                ui.tab(tab.value, title)
        self._tabs = tabs
        drawn: dict[Tab, Callable[[], None]] = {
            Tab.RECORDS: self._records.draw,
            Tab.PLACES: self._places.draw,
            Tab.LIKENESS: self._likeness.draw,
        }
        self._panels = {}
        for tab, draw in drawn.items():
            with ui.element("section") as panel:
                draw()
            named(panel, aria_label=TABS[tab])
            panel.style("padding-top: .8rem").set_visibility(False)
            self._panels[tab] = panel

    async def start(self) -> None:
        """Reads the collection and shows what the address asks for."""
        assert self.shared.now is not None
        try:
            explored = await asyncio.to_thread(self.shared.now.explored)
        except HolotypeError as reason:
            self._wait.clear()
            with self._wait:
                text("p", str(reason)).classes("bad")
            return
        await self._begin(explored, frozenset())
        self._wait.set_visibility(False)
        self._all.set_visibility(True)
        first = self.asked
        await self.change(first)
        if first.record is not None:
            await self.open_record(first.record)

    async def _begin(self, explored: Explored, picked: frozenset[str]) -> None:
        """Takes a collection as it is now: its filters are drawn anew; what is gone is picked no more."""
        whole = await asyncio.to_thread(view_of, explored.facts, Filters())
        there = await asyncio.to_thread(explored.rows.known, picked) if picked else picked
        self.shown = Shown(self.asked, explored, whole, whole, whole.row_R, there)
        self._filters.fill(self.shown)
        if len(there) < len(picked):
            ui.notify(
                "The collection was written to. No longer in it: "
                f"{count(len(picked) - len(there))} of {some(len(picked), 'picked record')}.",
                type="warning", multi_line=True, timeout=0, close_button="Close",
            )  # fmt: skip

    async def change(self, asked: Asked) -> None:
        """Shows something else; of several changes at once only the last one is shown.

        What is asked for stands in ``asked`` from the first moment, before anything is awaited.
        """
        self.asked = asked
        self._turn += 1
        turn = self._turn
        try:
            await self._renew()
            asked, view, rows = await self._answered(asked)
        except HolotypeError as reason:
            if turn == self._turn:
                self.asked = self.shown.asked
                self._filters.show(self.shown)
                ui.notify(str(reason), type="negative", multi_line=True)
            return
        async with self._drawing:
            if turn != self._turn or self._all.is_deleted:
                return
            before = self.shown
            is_of_before = view.facts is before.explored.facts
            if is_of_before:
                asked = replace(asked, record=self.asked.record).with_page_of(len(rows))
                self.asked = asked
                self.shown = replace(before, asked=asked, view=view, row_R=rows)
                ui.navigate.history.replace(asked.link())
                await self._show(before)
        if not is_of_before:  # the collection was read again in between
            await self.change(asked)

    async def _renew(self) -> None:
        """Takes the collection again where it was written to, by a review for instance."""
        assert self.shared.now is not None
        explored = await asyncio.to_thread(self.shared.now.explored)
        if explored is not self.shown.explored:
            async with self._drawing:
                if explored is not self.shown.explored:
                    await self._begin(explored, self.shown.picked)

    async def _answered(self, asked: Asked) -> tuple[Asked, View, NDArray[np.int64]]:
        """Returns what is asked for, what passes, and the rows in their order.

        A selection that is not kept, and words that cannot be used, are told and left out.
        """
        try:
            return asked, *await self._found(asked)
        except HolotypeError as reason:
            ui.notify(str(reason), type="warning", multi_line=True)
        filters = replace(asked.filters, selection=None) if not asked.words else asked.filters
        left = replace(asked.with_filters(filters), words="")
        return left, *await self._found(left)

    async def _found(self, asked: Asked) -> tuple[View, NDArray[np.int64]]:
        before = self.shown
        explored, view = before.explored, before.view
        if asked.filters != before.asked.filters or view is before.whole:
            selected = await asyncio.to_thread(selected_rows, self.shared, explored, asked.filters)
            view = await asyncio.to_thread(
                lambda: view_of(explored.facts, asked.filters, selected=selected)
            )
        if not asked.words:
            return view, await asyncio.to_thread(ordered, view, asked.order)
        inside = np.zeros(len(explored.facts), dtype=np.bool_)
        inside[view.row_R] = True
        near = await self.shared.likeness.like_words(explored, asked.words, inside)
        return view, np.asarray([row for row, _ in near], dtype=np.int64)

    async def _show(self, before: Shown) -> None:
        """Draws what has changed."""
        shown = self.shown
        self._count.set_text(self._said())
        if shown.asked.filters != before.asked.filters or before.view is before.whole:
            self._filters.show(shown)
            self._tree.show(shown)
        self._show_chips()
        tab = shown.asked.tab
        self._tabs.value = tab.value
        for one, panel in self._panels.items():
            panel.set_visibility(one is tab)
        if tab is Tab.RECORDS:
            await self._records.show(shown)
        elif tab is Tab.PLACES:
            await self._places.show(shown)
        else:
            await self._likeness.show(shown)

    def _said(self) -> str:
        shown = self.shown
        total = some(len(shown.explored.facts), "record")
        if shown.asked.words:
            return (
                f"The {count(len(shown.row_R))} records most like “{shown.asked.words}”, of {total}"
            )
        if not shown.asked.filters:
            return total
        return f"{count(len(shown.view))} of {total}"

    def _show_chips(self) -> None:
        asked = self.shown.asked
        self._chips.clear()
        with self._chips:
            for said, without in chips(asked.filters):
                self._chip(said, partial(_less, without=without))
            if asked.words:
                self._chip(f"like “{asked.words}”", lambda now: replace(now, words="", page=1))
            if asked.filters or asked.words:
                ui.button("Clear all", on_click=lambda: self._without(_cleared)).props(
                    "flat dense no-caps"
                )

    def _chip(self, said: str, less: Callable[[Asked], Asked]) -> None:
        button = ui.button(said, icon="close", on_click=lambda: self._without(less))
        named(button.props("flat dense no-caps"), aria_label=f"Take away: {said}")

    async def _without(self, less: Callable[[Asked], Asked]) -> None:
        await self.change(less(self.asked))
        ui.run_javascript("document.getElementById('explore-count')?.focus()")

    async def _tab_chosen(self) -> None:
        tab = Tab(self._tabs.value or Tab.RECORDS)
        if tab is not self.asked.tab:
            await self.change(replace(self.asked, tab=tab))

    async def open_record(self, record_id: str) -> None:
        """Opens a record above the page."""
        self._opened(record_id)
        await self._record.show(self.shown, record_id)

    def close_record(self) -> None:
        """Says that no record is open any more."""
        self._opened(None)

    def _opened(self, record_id: str | None) -> None:
        self.asked = replace(self.asked, record=record_id)
        self.shown = replace(self.shown, asked=replace(self.shown.asked, record=record_id))
        ui.navigate.history.replace(self.shown.asked.link())

    async def pick(self, record_id: str, *, is_picked: bool) -> None:
        """Picks a record, or no longer."""
        picked, one = self.shown.picked, {record_id}
        self._pick(picked | one if is_picked else picked - one)

    async def pick_none(self) -> None:
        """Picks no record any more."""
        self._pick(frozenset())

    def _pick(self, picked: frozenset[str]) -> None:
        self.shown = replace(self.shown, picked=picked)
        self._records.show_picked(self.shown)

    async def select(self, rows: list[int]) -> None:
        """Narrows to some records, and shows them."""
        explored = self.shown.explored
        ids = await asyncio.to_thread(ids_of, explored.rows, rows)
        try:
            key = await asyncio.to_thread(
                keep_selection, self.shared.workbench.workspace, explored.collection.path, ids
            )
        except HolotypeError as reason:
            ui.notify(str(reason), type="warning")
            return
        asked = self.asked
        filters = replace(asked.filters, selection=key)
        await self.change(replace(asked.with_filters(filters), tab=Tab.RECORDS))


def _less(asked: Asked, without: Without) -> Asked:
    return asked.with_filters(without(asked.filters))


def _cleared(asked: Asked) -> Asked:
    return replace(asked, filters=Filters(), words="", page=1)
