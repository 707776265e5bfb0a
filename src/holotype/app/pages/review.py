"""The page Review: sessions, and their pages of look-alikes."""

import asyncio
from pathlib import Path
from urllib.parse import quote

from nicegui import app, ui

from holotype.app.pages.frame import frame
from holotype.app.pages.review_desk import ReviewDesk
from holotype.app.pages.review_listed import Listed
from holotype.app.pages.review_new import NewSession
from holotype.app.pages.review_person import ask_reviewer, reviewer
from holotype.app.pages.review_store import REVIEWS, ReviewStore, review_router
from holotype.app.pages.text import heading, note, paragraph, text
from holotype.app.workbench import Workbench
from holotype.errors import HolotypeError
from holotype.page.words import count, some
from holotype.reviewing.session import Order

HERE = "/review"
OPENED_WITHIN_S = 60.0
"""A session of very many records and decisions takes a moment to read."""
_STYLE = (Path(__file__).parent / "review.css").read_text(encoding="utf-8")


def register(workbench: Workbench) -> None:
    """Defines the pages, the pictures and the downloads of reviews."""
    store = ReviewStore(workbench.workspace / REVIEWS)
    app.include_router(review_router(store))

    @ui.page(HERE, response_timeout=OPENED_WITHIN_S)
    async def sessions() -> None:
        ui.add_css(_STYLE)
        with frame("Review", HERE):
            await _Sessions(store).draw()

    @ui.page(f"{HERE}/new", response_timeout=OPENED_WITHIN_S)
    async def new(ids: str = "") -> None:  # a selection of the page Explore: /review/new?ids=KEY
        ui.add_css(_STYLE)
        with frame("New review", HERE):
            await NewSession(workbench, store, selection=ids).draw()

    @ui.page(f"{HERE}/{{name}}", response_timeout=OPENED_WITHIN_S)
    async def session(name: str, page: str = "1", order: str = Order.GROUP.value) -> None:
        ui.add_css(_STYLE)
        with frame(f"Review: {name}", HERE):
            try:
                review = await asyncio.to_thread(store.review, name)
            except HolotypeError as reason:
                text("p", str(reason)).classes("bad")
                ui.link("All sessions", HERE)
                return
            chosen = Order(order) if order in set(Order) else Order.GROUP
            at = int(page) - 1 if page.isascii() and page.isdecimal() and len(page) < 9 else 0
            ReviewDesk(review, page=at, order=chosen).draw()


class _Sessions:
    """The list of sessions, and who looks at it."""

    def __init__(self, store: ReviewStore) -> None:
        self._store = store

    async def draw(self) -> None:
        """Draws the list."""
        paragraph(
            "Pages of look-alikes, named by the model: confirm them with one key, name them "
            "otherwise, or leave them without a name. Several people may work on one session at once."
        ).classes("lead")
        with ui.element("div").classes("row"):
            ui.link("New session", f"{HERE}/new").classes("as-button")
            self._who = ui.button("", icon="person", on_click=lambda: ask_reviewer(self._named))
            self._who.props("flat")
        await self._named()
        found = await asyncio.to_thread(self._store.listed)
        if not found:
            note("No session yet. Make one from the records of the collection.")
            return
        with ui.element("ul").classes("review-list").props("aria-label=Sessions"):
            for one in found:
                with ui.element("li").classes("panel"):
                    _session(one)

    async def _named(self) -> None:
        self._who.set_text(reviewer() or "Your name")


def _session(one: Listed) -> None:
    if one.problem:
        heading(2, one.name).classes("first")
        text("p", one.problem).classes("bad")
        return
    with heading(2, "").classes("first"):
        ui.link(one.name, f"{HERE}/{quote(one.name, safe='')}")
    share = one.decided / max(one.records, 1)
    people = ", ".join(one.reviewers[:6]) + (" …" if len(one.reviewers) > 6 else "")
    note(
        f"{count(one.decided)} of {some(one.records, 'record')} decided ({100 * share:.0f} %)"
        + (f" by {people}" if people else "")
        + f". Made {one.made[:10]}"
        + (f", last used {one.last[:16].replace('T', ' ')} UTC." if one.last else ".")
    )
    ui.linear_progress(share, show_value=False, size="6px").props('aria-label="Records decided"')
