"""One visitor at one review session: the pictures, what keys and buttons do, what others do meanwhile.

What is decided is on disk before the page shows it. Nothing of a visitor is shared with another but the
log.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from nicegui import events, ui

from holotype.app.pages.review_acts import ACTS, Asked, likely_labels
from holotype.app.pages.review_cards import Cards, draw_detail
from holotype.app.pages.review_dialogs import show_keys
from holotype.app.pages.review_fields import LabelField, draw_note_field
from holotype.app.pages.review_finish import show_agreement, show_finish
from holotype.app.pages.review_person import ask_reviewer, reviewer
from holotype.app.pages.text import text
from holotype.errors import HolotypeError
from holotype.page.words import count, some
from holotype.reviewing.events import Event
from holotype.reviewing.review import Review
from holotype.reviewing.session import Order

ORDERS: dict[str, str] = {
    Order.GROUP.value: "look-alikes", Order.DOUBT.value: "most doubtful", Order.NOVELTY.value: "most novel",
}  # fmt: skip
LOOK_EVERY_S = 2.0
BUTTONS: tuple[tuple[str, str, str], ...] = (
    ("confirm", "Confirm", "Enter"), ("relabel", "Relabel", "R"), ("unclassify", "Unclassify", "X"),
    ("note", "Note", "M"), ("undo", "Undo", "U"),
)  # fmt: skip
_STEPS = {"next": 1, "previous": -1}
_KINDS: dict[str, Literal["info", "positive", "negative", "warning"]] = {
    "info": "info", "positive": "positive", "negative": "negative", "warning": "warning",
}  # fmt: skip
_SCRIPT = (Path(__file__).parent / "review.js").read_text(encoding="utf-8")


class ReviewDesk:
    """One visitor's page of a session.

    Attributes:
        review: the session, with this visitor's own look at the log.
        name: of the reviewer; "" while it is not known.
        place: what dialogs and notices belong to.
    """

    place: ui.element

    def __init__(self, review: Review, *, page: int, order: Order) -> None:
        self.review = review
        self.name = review.state.spelling(reviewer() or "")
        self._order = order
        self._pages = review.session.page_order(order)
        self._at = max(0, min(len(self._pages) - 1, page))
        self._busy = asyncio.Lock()
        self._looked_at: int | None = None

    def draw(self) -> None:
        """Draws the page, and begins to listen and to look at what others do."""
        with ui.element("div").classes("review-bar").props("id=review-bar"):
            self._draw_where()
            self._draw_acts()
            self._bar = ui.linear_progress(0, show_value=False, size="6px")
            self._bar.classes("review-progress").props("aria-label='Records decided'")
            self._progress = text("span", "").classes("note")
        self.place = ui.element("div").classes("review-layout")
        with self.place:
            with ui.element("div"):
                self._grid = ui.element("div").classes("review-grid").props(
                    "id=review-grid role=listbox aria-multiselectable=true aria-label='Pictures of this page'"
                )  # fmt: skip
                with ui.element("nav").classes("row review-onward").props("aria-label='Onward'"):
                    ui.button("Previous page", on_click=lambda: self.turn(-1)).props("flat")
                    ui.button("Next page", on_click=lambda: self.turn(1)).props("flat")
                    ui.button("Next open page", on_click=self.next_open).props("flat")
            self._detail = ui.element("aside").classes("review-detail panel")
            self._detail.props("aria-label='The focused record' tabindex=0")
        self._cards = Cards(self.review, self._grid)
        self._labels = LabelField(self.review.session.book)
        self._labels.draw()
        draw_note_field()
        ui.add_body_html(f"<script>{_SCRIPT}</script>")
        ui.on("review", self._asked)
        ui.on("review-look", self._look)
        ui.on("review-typed", self._typed)
        self._show(is_focused=False)
        ui.timer(LOOK_EVERY_S, self._poll)
        if not self.name:
            self._ask_name()

    def _draw_where(self) -> None:
        with ui.element("div").classes("row"):
            with ui.element("div").classes("review-where"):
                back = ui.button(icon="chevron_left", on_click=lambda: self.turn(-1))
                back.props("flat round dense aria-label='Previous page'")
                self._where = text("span", "").classes("where").props("role=status")
                onward = ui.button(icon="chevron_right", on_click=lambda: self.turn(1))
                onward.props("flat round dense aria-label='Next page'")
            ui.button("Next open", on_click=self.next_open).props("flat dense no-wrap")
            order = ui.select(
                ORDERS, value=self._order.value, label="First", on_change=self._reordered
            )
            order.props("outlined dense options-dense").classes("narrow")
            ui.space()
            self._who = ui.button("", icon="person", on_click=self._ask_name).props("flat dense")
            agreement = ui.button("Agreement", on_click=lambda: show_agreement(self.review))
            agreement.props("flat dense")
            finish = ui.button("Write and export", on_click=lambda: show_finish(self.review))
            finish.props("outline dense")

    def _draw_acts(self) -> None:
        with ui.element("div").classes("row review-do") as acts:
            acts.props("id=review-do role=toolbar aria-label='What to do with the pictures'")
            for what, title, key in BUTTONS:
                button = ui.button(title).props("unelevated" if what == "confirm" else "outline")
                button.props(f"dense no-wrap aria-keyshortcuts={key}")
                button.on("click", js_handler=f"() => holotypeReview.say('{what}')")
            keys = ui.button(icon="keyboard", on_click=show_keys)
            keys.props("flat round dense aria-label='Show the keys'")
            ui.element("span").classes("dim").props("id=review-picked role=status")

    def _ask_name(self) -> None:
        with self.place:
            ask_reviewer(self._named)

    # What is shown

    @property
    def rows(self) -> list[int]:
        """The rows of the present page."""
        return self._cards.rows

    def ids(self, rows: Sequence[int]) -> list[str]:
        """Returns the records of rows."""
        return [self.review.session.record_ids[row] for row in rows]

    def _show(self, *, is_focused: bool) -> None:
        """Draws the present page."""
        page = self._pages[self._at]
        rows = self.review.session.rows(page, self._order)
        self._cards.draw(rows, self.name)
        self._grid.props["data-page"] = str(page)
        self._grid.update()
        self._looked_at = None
        names = Counter(self.review.proposals[row] or "no proposal" for row in rows)
        told = ", ".join(f"{name} {number}" for name, number in names.most_common(3))
        more = " …" if len(names) > 3 else ""
        self._where.set_text(
            f"Page {count(self._at + 1)} of {count(len(self._pages))} · {told}{more}"
        )
        self._tell()
        name = quote(self.review.session.name, safe="")
        with self.place:
            ui.navigate.history.replace(
                f"/review/{name}?page={self._at + 1}&order={self._order.value}"
            )
            ui.run_javascript(f"holotypeReview.start({'true' if is_focused else 'false'})")

    def _tell(self) -> None:
        """Writes how far the session is."""
        state, records = self.review.state, len(self.review.session)
        share = state.num_decided / max(records, 1)
        self._bar.set_value(share)
        by_me = state.num_by(self.name)
        self._progress.set_text(
            f"{count(state.num_decided)} of {some(records, 'record')} decided ({100 * share:.1f} %), "
            f"{count(by_me)} by you"
        )
        self._who.set_text(self.name or "Your name")

    def _paint(self, records: Sequence[str]) -> None:
        """Draws what is decided of some records, where they are on the page."""
        row_of = self.review.session.row_of
        rows = {row_of[record] for record in records if record in row_of}
        for row in rows & set(self._cards.rows):
            self._cards.paint(row, self.name)
        if self._looked_at in rows:
            self._draw_detail()

    def _draw_detail(self) -> None:
        if self._looked_at is not None:
            draw_detail(self.review, self._looked_at, self._detail)

    async def _named(self) -> None:
        self.name = self.review.state.spelling(reviewer() or "")
        self._show(is_focused=True)

    async def _poll(self) -> None:
        """Takes in what others decided since the last look."""
        if self._busy.locked():
            return
        async with self._busy:
            found = await asyncio.to_thread(self.review.refresh)
        if found:
            self._tell_of(found)

    def _tell_of(self, found: Sequence[Event]) -> None:
        self.name = self.review.state.spelling(self.name)
        touched: list[str] = []
        for event in found:
            undone = self.review.state.events.get(event.undoes or "")
            touched += event.records if undone is None else undone.records
        self._paint(touched)
        self._tell()

    # What is asked

    def _look(self, event: events.GenericEventArguments) -> None:
        row = event.args.get("row") if isinstance(event.args, dict) else None
        if isinstance(row, int) and row in self.rows:
            self._looked_at = row
            self._draw_detail()

    def _typed(self, event: events.GenericEventArguments) -> None:
        """Lists what the letters in the field of a label may mean."""
        said: dict[str, Any] = event.args if isinstance(event.args, dict) else {}
        asked = Asked.of(said, self.rows)
        self._labels.suggest(asked.event_id, asked.typed, likely_labels(self, asked.chosen))

    async def _asked(self, event: events.GenericEventArguments) -> None:
        """Does what a key or a button asks for; what was asked of a page that has been left is not done."""
        said: dict[str, Any] = event.args if isinstance(event.args, dict) else {}
        what = str(said.get("what"))
        if what == "keys":
            show_keys()
        elif what in _STEPS:
            await self.turn(_STEPS[what])
        elif what == "open":
            await self.next_open()
        elif not self.name:
            self._ask_name()
        elif what in ACTS and said.get("page") == str(self._pages[self._at]):
            await ACTS[what](self, Asked.of(said, self.rows))

    async def write(self, write: Callable[[], Event | None]) -> Event | None:
        """Writes an event, and shows it once it is on disk; also what others wrote meanwhile."""
        async with self._busy:
            before = len(self.review.state.events)
            try:
                done = await asyncio.to_thread(write)
            except (HolotypeError, OSError) as reason:
                self.say(str(reason), "negative")
                return None
            fresh = list(self.review.state.events.values())[before:]
        self._tell_of(fresh)
        row_of = self.review.session.row_of
        rows = [row_of[record] for record in done.records] if done is not None else []
        with self.place:
            ui.run_javascript(f"holotypeReview.done({rows})")
        return done

    def say(self, words: str, kind: str = "info") -> None:
        """Notifies the reviewer."""
        wait = 15_000 if kind == "negative" else 4_000
        with self.place:
            ui.notify(words, type=_KINDS[kind], multi_line=True, timeout=wait, close_button="Close")

    # Where to

    async def turn(self, step: int) -> None:
        """Goes so many pages on."""
        to = self._at + step
        if 0 <= to < len(self._pages):
            self._at = to
            self._show(is_focused=True)

    async def next_open(self) -> None:
        """Goes to the next page with a record that this reviewer has not decided on."""
        for at in [*range(self._at + 1, len(self._pages)), *range(self._at)]:
            rows = self.review.session.rows_of_page[self._pages[at]].tolist()
            if self.review.undecided(rows, self.name):
                self._at = at
                self._show(is_focused=True)
                return
        self.say("You have decided on every other page.", "positive")

    def go_to_record(self, record: str) -> None:
        """Goes to the page of a record, where it is not the present one."""
        row = self.review.session.row_of[record]
        page = self.review.session.items["page"][row].as_py()
        if page != self._pages[self._at]:
            self._at = self._pages.index(page)
            self._show(is_focused=True)

    async def _reordered(self, event: events.ValueChangeEventArguments[str]) -> None:
        page = self._pages[self._at]
        self._order = Order(event.value)
        self._pages = self.review.session.page_order(self._order)
        self._at = 0 if self._order is not Order.GROUP else self._pages.index(page)
        self._show(is_focused=False)
