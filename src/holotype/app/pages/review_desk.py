"""One visitor at one review session: the pictures, what keys and buttons do, what others do meanwhile.

What is decided is on disk before the page shows it. What the log comes to is shared by all visitors of a
server; where one is, and what one has seen of it, is one's own.
"""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from nicegui import events, ui

from holotype.app.pages.review_acts import ACTS, ANYWHERE, Asked, likely_labels
from holotype.app.pages.review_bar import Bar, Wishes, draw_onward
from holotype.app.pages.review_cards import Cards, draw_detail
from holotype.app.pages.review_dialogs import show_keys
from holotype.app.pages.review_fields import LabelField, draw_note_field
from holotype.app.pages.review_person import ask_reviewer, reviewer
from holotype.errors import HolotypeError
from holotype.reviewing.events import Event
from holotype.reviewing.review import Review
from holotype.reviewing.session import Order

LOOK_EVERY_S = 2.0
_STEPS = {"next": 1, "previous": -1}
_KINDS: dict[str, Literal["info", "positive", "negative", "warning"]] = {
    "info": "info", "positive": "positive", "negative": "negative", "warning": "warning",
}  # fmt: skip
_SCRIPT = "\n".join(
    (Path(__file__).parent / name).read_text(encoding="utf-8")
    for name in ("review_link.js", "review.js")
)


class ReviewDesk:
    """One visitor's page of a session.

    Attributes:
        review: the session, shared by its visitors.
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
        self._acting = (
            asyncio.Lock()
        )  # one thing after another, in the order in which they were asked for
        self._seen = review.num_events
        self._looked_at: int | None = None
        self._trouble = ""

    def draw(self) -> None:
        """Draws the page, and begins to listen and to look at what others do."""
        self._bar = Bar(self.review, self._order, Wishes(self._reordered, self._ask_name))
        self.place = ui.element("div").classes("review-layout")
        with self.place:
            with ui.element("div"):
                self._grid = ui.element("div").classes("review-grid").props(
                    "id=review-grid role=listbox aria-multiselectable=true aria-label='Pictures of this page'"
                )  # fmt: skip
                draw_onward()
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
        self._bar.tell_page(self._at, len(self._pages), rows)
        self._bar.tell_progress(self.name)
        name = quote(self.review.session.name, safe="")
        with self.place:
            ui.navigate.history.replace(
                f"/review/{name}?page={self._at + 1}&order={self._order.value}"
            )
            ui.run_javascript(f"holotypeReview.start({'true' if is_focused else 'false'})")

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
        try:
            await asyncio.to_thread(self.review.glance)
        except (HolotypeError, OSError) as reason:
            if str(reason) != self._trouble:  # once, not at each look
                self._trouble = str(reason)
                self.say(self._trouble, "negative")
            return
        self._catch_up()

    def _catch_up(self) -> None:
        """Shows what has been decided since this visitor's last look, by whomever it was taken in."""
        found = self.review.events_after(self._seen)
        self._seen += len(found)
        if not found:
            return
        self.name = self.review.state.spelling(self.name)
        touched: list[str] = []
        for event in found:
            undone = self.review.state.events.get(event.undoes or "")
            touched += event.records if undone is None else undone.records
        self._paint(touched)
        self._bar.tell_progress(self.name)

    # What is asked

    def _look(self, event: events.GenericEventArguments) -> None:
        row = event.args.get("row") if isinstance(event.args, dict) else None
        if isinstance(row, int) and row in self.rows:
            self._looked_at = row
            self._draw_detail()

    async def _typed(self, event: events.GenericEventArguments) -> None:
        """Lists what the letters in the field of a label may mean."""
        said: dict[str, Any] = event.args if isinstance(event.args, dict) else {}
        asked = Asked.of(said, self.rows)
        likely = [] if asked.typed.strip() else likely_labels(self, asked.chosen)
        await self._labels.suggest(asked.event_id, asked.typed, likely)

    async def _asked(self, event: events.GenericEventArguments) -> None:
        """Does what a key or a button asks for, after all that was asked before it, and says that it has."""
        said: dict[str, Any] = event.args if isinstance(event.args, dict) else {}
        what = str(said.get("what"))
        if what == "keys":
            show_keys()
            return
        async with self._acting:
            try:
                await self._do(what, said)
            finally:
                done = Asked.of(said, ()).event_id
                with self.place:
                    ui.run_javascript(f"holotypeLink.settled('{done}')")

    async def _do(self, what: str, said: dict[str, Any]) -> None:
        if what in _STEPS:
            await self.turn(_STEPS[what])
        elif what == "open":
            await self.next_open()
        elif not self.name:
            self._ask_name()
        elif what in ANYWHERE or (what in ACTS and said.get("page") == str(self._pages[self._at])):
            await ACTS[what](self, Asked.of(said, self.rows))
        elif what in ACTS:
            self.say("The page had turned: nothing was written.", "warning")

    async def write(self, write: Callable[[], Event | None]) -> Event | None:
        """Writes an event, and shows it once it is on disk; also what others wrote meanwhile."""
        try:
            done = await asyncio.to_thread(write)
        except (HolotypeError, OSError) as reason:
            self.say(str(reason), "negative")
            return None
        self._catch_up()
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
        at = await asyncio.to_thread(self._next_open)
        if at is None:
            self.say("You have decided on every other page.", "positive")
            return
        self._at = at
        self._show(is_focused=True)

    def _next_open(self) -> int | None:
        rows_of_page = self.review.session.rows_of_page
        onward = (*range(self._at + 1, len(self._pages)), *range(self._at))
        open_ones = (
            at
            for at in onward
            if self.review.has_undecided(rows_of_page[self._pages[at]].tolist(), self.name)
        )
        return next(open_ones, None)

    def go_to_record(self, record: str) -> None:
        """Goes to the page of a record, where it is not the present one."""
        row = self.review.session.row_of[record]
        page = self.review.session.items["page"][row].as_py()
        if page != self._pages[self._at]:
            self._at = self._pages.index(page)
            self._show(is_focused=True)

    async def _reordered(self, event: events.ValueChangeEventArguments[str]) -> None:
        async with self._acting:
            page = self._pages[self._at]
            self._order = Order(event.value)
            self._pages = self.review.session.page_order(self._order)
            self._at = 0 if self._order is not Order.GROUP else self._pages.index(page)
            self._show(is_focused=False)
