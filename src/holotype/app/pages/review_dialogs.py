"""Dialogs of a review that the server draws when they are asked for; that of the keys."""

from collections.abc import Iterator
from contextlib import contextmanager

from nicegui import ui

from holotype.app.pages.text import heading, text

KEYS: tuple[tuple[str, str], ...] = (
    ("Arrow keys", "go from picture to picture"),
    ("Space", "pick the picture, or put it back"),
    ("Shift and an arrow key", "pick all on the way"),
    ("A, Escape", "pick all, pick none"),
    ("Enter or C", "confirm the picked ones, or all of the page that you have not decided on; then go on"),
    ("R", "give another label to the picked ones, or to the focused one"),
    ("1 to 5", "give the first to fifth best label of the focused one"),
    ("X or Delete", "unclassify: it has no name"),
    ("M", "write a note"),
    ("U or Ctrl+Z", "take back your last decision"),
    ("N, P", "next page, previous page; also Page Down, Page Up"),
    ("O", "next page that has something open"),
    ("?", "show these keys"),
)  # fmt: skip
_GONE = "(...args) => { window.holotypeReview?.back(); emit(...args); }"


@contextmanager
def asking(title: str, *, more: str = "") -> Iterator[ui.dialog]:
    """Draws an open dialog with a heading; it goes for good when it is closed.

    Args:
        title: what it is called.
        more: further properties.
    """
    with ui.dialog(value=True) as dialog, ui.card().classes("review-dialog"):
        dialog.props(f"no-refocus transition-duration=120 {more}")
        dialog.props["aria-label"] = title
        dialog.on("hide", dialog.delete, js_handler=_GONE)
        heading(2, title).classes("first")
        yield dialog


def show_keys() -> None:
    """Opens the list of keys."""
    with asking("Keys") as dialog:
        with ui.element("dl").classes("review-keys"):
            for keys, what in KEYS:
                text("dt", keys)
                text("dd", what)
        with ui.element("div").classes("review-answers"):
            ui.button("Close", on_click=dialog.close).props("autofocus")
