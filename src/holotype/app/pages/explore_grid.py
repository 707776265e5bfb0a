"""The records of the page Explore: pictures in pages, picked by hand, and what can be done with them."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from nicegui import events, ui
from nicegui.elements.mixins.text_element import TextElement

from holotype.app.exploring.searching import class_names, ids_of
from holotype.app.exploring.selections import MOST_RECORDS, keep_selection
from holotype.app.exploring.view import ORDERS, Order
from holotype.app.pages.explore_state import CARDS, DOWNLOADS, Desk, Shown, named
from holotype.app.pages.text import note, text
from holotype.app.thumbnails import thumbnail_url
from holotype.errors import CollectionError
from holotype.page.words import count, some

_MOVE = """(e) => {
  const cards = [...e.currentTarget.querySelectorAll('button.card')];
  const at = cards.indexOf(document.activeElement);
  if (e.key === 'PageDown' || e.key === 'PageUp') {
    e.preventDefault(); emit(e.key === 'PageDown' ? 1 : -1); return;
  }
  if (at < 0) return;
  const top = cards[0].getBoundingClientRect().top;
  const across = Math.max(1, cards.filter(c => c.getBoundingClientRect().top === top).length);
  const step = {ArrowRight: 1, ArrowLeft: -1, ArrowDown: across, ArrowUp: -across}[e.key];
  if (step === undefined) return;
  e.preventDefault();
  if (cards[at + step]) cards[at + step].focus();
  else if (e.key === 'ArrowRight' && at === cards.length - 1) emit(1);
  else if (e.key === 'ArrowLeft' && at === 0) emit(-1);
}"""


class RecordsPanel:
    """A page of records."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._pagers: list[tuple[ui.button, TextElement, ui.button]] = []

    def draw(self) -> None:
        """Draws the panel, empty."""
        with ui.element("div").classes("records-top"):
            self._order = (
                ui.select(
                    {one.value: said for one, said in ORDERS.items()},
                    value=Order.MIXED.value, label="Order", on_change=self._ordered,
                )
                .props("outlined dense options-dense").classes("order")
            )  # fmt: skip
            self._pager("Pages of records")
        with ui.element("div").classes("actions"):
            self._about = text("span", "").classes("dim")
            self._review = ui.button("Review these", icon="checklist", on_click=self._to_review)
            for title, name in (("Download as CSV", "records.csv"), ("Download ids", "ids.txt")):
                ui.button(title, on_click=lambda name=name: self._download(name)).props("outline")
            self._drop = ui.button("Pick none", on_click=self._pick_none).props("flat")
        self._of_words = note(
            "Found by the captions that the model has learnt: names mostly. Other words mean little to it, "
            "and only records with an embedding are found."
        )
        self._cards = ui.element("ul").classes("cards").props('aria-label="Records"')
        self._cards.on("keydown", self._moved, js_handler=_MOVE)
        self._empty = ui.element("div")
        with ui.element("div").classes("records-top"):
            self._pager("Pages of records, below")
        note(
            "Arrow keys go from picture to picture, Enter opens one, Page Up and Page Down turn the page."
        )

    def _pager(self, called: str) -> None:
        with ui.element("nav").classes("pager") as nav:
            named(nav, aria_label=called)
            back = ui.button(icon="chevron_left", on_click=lambda: self._turn(-1))
            back.props('flat round dense aria-label="Previous page"')
            where = text("span", "").classes("dim")
            on = ui.button(icon="chevron_right", on_click=lambda: self._turn(1))
            on.props('flat round dense aria-label="Next page"')
        self._pagers.append((back, where, on))

    async def show(self, shown: Shown) -> None:
        """Draws the page of records that is asked for."""
        asked, total = shown.asked, len(shown.row_R)
        pages = max(1, -(-total // CARDS))
        page = min(asked.page, pages)
        rows = shown.row_R[(page - 1) * CARDS : page * CARDS].tolist()
        ids = await asyncio.to_thread(ids_of, shown.explored.rows, rows)
        self._order.value = asked.order.value
        self._order.set_enabled(not asked.words)
        self._of_words.set_visibility(bool(asked.words))
        first = (page - 1) * CARDS
        last = f"{count(first + 1)}\u2013{count(first + len(rows))} of {count(total)}"
        for back, where, on in self._pagers:
            where.set_text(last if rows else "none")
            back.set_enabled(page > 1)
            on.set_enabled(page < pages)
        self._cards.clear()
        with self._cards:
            cards(self._desk, shown, rows, ids, can_be_picked=True)
        self._empty.clear()
        if not rows:
            with self._empty, ui.element("div").classes("empty"):
                text("p", "No record passes these filters. Take one of them away.")
        self.show_picked(shown)

    def show_picked(self, shown: Shown) -> None:
        """Says what the actions are about: the records that are picked, or else all that pass."""
        chosen = len(shown.picked) or len(shown.row_R)
        whose = "picked" if shown.picked else "shown"
        self._about.set_text(f"{some(chosen, 'record')} {whose}:")
        self._drop.set_visibility(bool(shown.picked))
        self._review.set_enabled(chosen > 0)

    async def _kept(self) -> str | None:
        shown, workspace = self._desk.shown, self._desk.shared.workbench.workspace
        if len(shown.picked or shown.row_R) > MOST_RECORDS:
            ui.notify(
                f"At most {MOST_RECORDS:,} records at once. Narrow them first.", type="warning"
            )
            return None
        ids = sorted(shown.picked)
        if not ids:
            ids = await asyncio.to_thread(ids_of, shown.explored.rows, shown.row_R.tolist())
        try:
            return await asyncio.to_thread(
                keep_selection, workspace, shown.explored.collection.path, ids
            )
        except CollectionError as reason:
            ui.notify(str(reason), type="warning")
            return None

    async def _download(self, name: str) -> None:
        shown = self._desk.shown
        if not (shown.picked or shown.asked.words):
            ui.navigate.to(f"{DOWNLOADS}/{name}?{shown.asked.filters.query()}")
            return
        key = await self._kept()
        if key is not None:
            ui.navigate.to(f"{DOWNLOADS}/{name}?selection={key}")

    async def _to_review(self) -> None:
        key = await self._kept()
        if key is not None:
            ui.navigate.to(f"/review/new?ids={key}")

    async def _pick_none(self) -> None:
        await self._desk.pick_none()
        await self.show(self._desk.shown)

    async def _ordered(self) -> None:
        order, asked = Order(self._order.value), self._desk.asked
        if order is not asked.order:
            await self._desk.change(replace(asked, order=order, page=1))

    async def _turn(self, by: int, *, is_focused: bool = False) -> None:
        asked = self._desk.asked
        turned = replace(asked, page=max(1, asked.page + by))
        if asked.filters == self._desk.shown.asked.filters and not asked.words:
            turned = turned.with_page_of(len(self._desk.shown.row_R))
        if turned != asked:
            await self._desk.change(turned)
        if is_focused:
            which = "0" if by > 0 else "cards.length - 1"
            ui.run_javascript(
                "setTimeout(() => { const cards = document.querySelectorAll('ul.cards button.card');"
                f" cards[{which}]?.focus(); }}, 80)"
            )

    async def _moved(self, event: events.GenericEventArguments) -> None:
        if event.args in (1, -1):
            await self._turn(int(event.args), is_focused=True)


def cards(
    desk: Desk,
    shown: Shown,
    rows: Sequence[int],
    ids: Sequence[str],
    *,
    can_be_picked: bool = False,
    under: Sequence[str] | None = None,
) -> None:
    """Draws records as cards that open them; goes inside a list.

    Args:
        desk: the page.
        shown: what it shows.
        rows: of the collection.
        ids: of these records.
        can_be_picked: whether each has a box to pick it by.
        under: a line below each name; the instrument by default.
    """
    facts = shown.explored.facts
    called = class_names(facts, rows) if len(rows) else []
    coded = facts.coded["instrument"]
    for at, (row, record_id, name) in enumerate(zip(rows, ids, called, strict=True)):
        line = under[at] if under is not None else coded.values[int(coded.code_N[row])] or ""
        with ui.element("li") as item:
            if record_id in shown.picked and can_be_picked:
                item.classes("picked")
            with ui.element("button").classes("card").props("type=button") as card:
                named(card, aria_label=f"{name}, record {record_id}")
                with ui.element("span").classes("picture"):
                    _picture(shown, row, record_id)
                text("span", name).classes("name" + (" taxon" if _is_italic(shown, row) else ""))
                text("span", line).classes("under")
            card.on("click", lambda record_id=record_id: desk.open_record(record_id))
            if can_be_picked:
                _pick_box(desk, item, record_id, is_picked=record_id in shown.picked)


def _picture(shown: Shown, row: int, record_id: str) -> None:
    facts = shown.explored.facts
    if facts.image_N[row]:
        image = ui.element("img").props('alt="" loading=lazy decoding=async')
        named(image, src=thumbnail_url(shown.explored.collection, record_id))
    else:
        text("span", "barcode only" if facts.barcode_N[row] else "no image").classes("missing")


def _is_italic(shown: Shown, row: int) -> bool:
    """Returns whether a record is named to genus or species, whose names are written in italics."""
    rank = shown.explored.facts.lineages.label_ranks[int(shown.explored.facts.lineage_N[row])]
    return rank in ("genus", "species", "subspecies")


def _pick_box(desk: Desk, item: ui.element, record_id: str, *, is_picked: bool) -> None:
    async def picked(event: events.ValueChangeEventArguments[bool | None]) -> None:
        item.classes(add="picked" if event.value else "", remove="" if event.value else "picked")
        await desk.pick(record_id, is_picked=bool(event.value))

    box = ui.checkbox(value=is_picked, on_change=picked).props("dense").classes("pick")
    named(box, aria_label=f"Pick {record_id}")
