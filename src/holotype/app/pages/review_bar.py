"""What stands above the pictures of a review: where one is, what can be done, how far the session is."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from nicegui import events, ui

from holotype.app.pages.review_dialogs import show_keys
from holotype.app.pages.review_finish import show_agreement, show_finish
from holotype.app.pages.text import text
from holotype.page.words import count, some
from holotype.reviewing.review import Review
from holotype.reviewing.session import Order

ORDERS: dict[str, str] = {
    Order.GROUP.value: "look-alikes", Order.DOUBT.value: "most doubtful", Order.NOVELTY.value: "most novel",
}  # fmt: skip
BUTTONS: tuple[tuple[str, str, str], ...] = (
    ("confirm", "Confirm", "Enter"), ("relabel", "Relabel", "R"), ("unclassify", "Unclassify", "X"),
    ("note", "Note", "M"), ("undo", "Undo", "U"),
)  # fmt: skip


@dataclass(frozen=True)
class Wishes:
    """What is done when the order, or one's name, is to be another one."""

    reordered: Callable[[events.ValueChangeEventArguments[Any]], Awaitable[None]]
    named: Callable[[], None]


class Bar:
    """The bar of one visitor.

    Args:
        review: the session.
        order: in which pages come at first.
        wishes: what the desk does.
    """

    def __init__(self, review: Review, order: Order, wishes: Wishes) -> None:
        self._review = review
        with ui.element("div").classes("review-bar").props("id=review-bar"):
            self._draw_where(order, wishes)
            _draw_acts()
            self._share = ui.linear_progress(0, show_value=False, size="6px")
            self._share.classes("review-progress").props("aria-label='Records decided'")
            self._progress = text("span", "").classes("note")
            text("p", "").classes("review-told").props("role=alert")

    def _draw_where(self, order: Order, wishes: Wishes) -> None:
        with ui.element("div").classes("row"):
            with ui.element("div").classes("review-where"):
                back = asking_for("previous", ui.button(icon="chevron_left"))
                back.props("flat round dense aria-label='Previous page'")
                self._where = text("span", "").classes("where").props("role=status")
                onward = asking_for("next", ui.button(icon="chevron_right"))
                onward.props("flat round dense aria-label='Next page'")
            asking_for("open", ui.button("Next open")).props("flat dense no-wrap")
            chosen = ui.select(ORDERS, value=order.value, label="First", on_change=wishes.reordered)
            chosen.props("outlined dense options-dense").classes("narrow")
            ui.space()
            self._who = ui.button("", icon="person", on_click=wishes.named).props("flat dense")
            agreement = ui.button("Agreement", on_click=lambda: show_agreement(self._review))
            agreement.props("flat dense")
            finish = ui.button("Write and export", on_click=lambda: show_finish(self._review))
            finish.props("outline dense")

    def tell_page(self, at: int, pages: int, rows: Sequence[int]) -> None:
        """Writes which page it is, from 0, and what is proposed on it."""
        names = Counter(self._review.proposals[row] or "no proposal" for row in rows)
        told = ", ".join(f"{name} {number}" for name, number in names.most_common(3))
        more = " …" if len(names) > 3 else ""
        self._where.set_text(f"Page {count(at + 1)} of {count(pages)} · {told}{more}")

    def tell_progress(self, name: str) -> None:
        """Writes how far the session is, and how far one reviewer."""
        state, records = self._review.state, len(self._review.session)
        decided = state.num_decided
        share = decided / max(records, 1)
        self._share.set_value(share)
        self._progress.set_text(
            f"{count(decided)} of {some(records, 'record')} decided ({100 * share:.1f} %), "
            f"{count(state.num_by(name))} by you"
        )
        self._who.set_text(name or "Your name")


def asking_for(what: str, button: ui.button) -> ui.button:
    """Returns a button that asks for the same as a key: in the page, so that all come in their order."""
    button.on("click", js_handler=f"() => holotypeReview.say('{what}')")
    return button


def draw_onward() -> None:
    """Draws the buttons below the pictures."""
    with ui.element("nav").classes("row review-onward").props("aria-label='Onward'"):
        for what, title in (
            ("previous", "Previous page"), ("next", "Next page"), ("open", "Next open page"),
        ):  # fmt: skip
            asking_for(what, ui.button(title)).props("flat")


def _draw_acts() -> None:
    with ui.element("div").classes("row review-do") as acts:
        acts.props("id=review-do role=toolbar aria-label='What to do with the pictures'")
        for what, title, key in BUTTONS:
            button = asking_for(what, ui.button(title))
            button.props("unelevated" if what == "confirm" else "outline")
            button.props(f"dense no-wrap aria-keyshortcuts={key}")
        keys = ui.button(icon="keyboard", on_click=show_keys)
        keys.props("flat round dense aria-label='Show the keys'")
        ui.element("span").classes("dim").props("id=review-picked role=status")
