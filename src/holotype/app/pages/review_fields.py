"""The fields of a review: another label with type-ahead, and a note.

They stand ready in the page, closed, and review.js opens them at once: no letter waits for the server, which
lists what the letters may mean when they come.
"""

import asyncio
from collections.abc import Sequence

from nicegui import ui
from nicegui.element import Element

from holotype.app.pages.text import note, text
from holotype.errors import first_few
from holotype.page.words import some
from holotype.reviewing.errors import ReviewError
from holotype.reviewing.events import MAX_LABEL, MAX_NOTE, label_name
from holotype.reviewing.labels import KnownLabel, LabelBook

MOST_FOUND = 12
NEW = "new: without a lineage"


class LabelField:
    """A field, and the labels that its letters may mean; arrow keys choose, Enter takes.

    Args:
        book: the labels of the session.
    """

    def __init__(self, book: LabelBook) -> None:
        self._book = book
        self._list: Element
        self._newest: tuple[str, str, Sequence[str]] | None = None
        self._is_looking = False

    def draw(self) -> None:
        """Draws it, closed."""
        with _closed("relabel"):
            text("label", "Label or taxon").props("for=review-label")
            field = ui.element("input").props(f"id=review-label type=text maxlength={MAX_LABEL}")
            field.props(
                "autocomplete=off autocapitalize=off spellcheck=false role=combobox "
                "aria-expanded=true aria-controls=review-found aria-autocomplete=list"
            )
            self._list = ui.element("div").classes("review-found")
            self._list.props("role=listbox id=review-found aria-label='Labels'")
            note("").props("id=review-takes role=status")
            text("p", "").classes("review-told").props("role=alert")
            with ui.element("div").classes("review-answers"):
                _button("Cancel", "close").props("flat")

    async def suggest(self, asked: str, typed: str, likely: Sequence[str]) -> None:
        """Lists the labels that letters may mean, and the letters themselves as a new one.

        They are looked for in a thread. What comes meanwhile waits, and only the newest of it is looked for.

        Args:
            asked: the id of what is asked, which the list is marked with.
            typed: the letters.
            likely: labels that are listed before a letter is typed.
        """
        self._newest = asked, typed, likely
        if self._is_looking:
            return
        self._is_looking = True
        try:
            while self._newest is not None:
                (asked, typed, likely), self._newest = self._newest, None
                found = await asyncio.to_thread(meant, self._book, typed, likely)
                if self._newest is None:
                    self._draw_found(asked, typed, found)
        finally:
            self._is_looking = False

    def _draw_found(
        self, asked: str, typed: str, found: Sequence[tuple[str, KnownLabel | None]]
    ) -> None:
        self._list.clear()
        self._list.props["data-asked"] = asked
        self._list.props["data-typed"] = typed
        self._list.update()
        with self._list:
            for name, label in found:
                _option(name, label)


def meant(
    book: LabelBook, typed: str, likely: Sequence[str] = ()
) -> list[tuple[str, KnownLabel | None]]:
    """Returns what letters may mean, each with its label, or None for a new one; Enter takes the first.

    That is a label which begins with the letters, else the letters themselves.
    """
    if not typed.strip():
        known = [book.by_name[name] for name in likely if name in book.by_name]
        usual = [one for one in book.found("", most=MOST_FOUND) if one not in known]
        return [(one.name, one) for one in [*known, *usual][:MOST_FOUND]]
    try:
        written = label_name(typed)
    except ReviewError:  # no letters that can be written
        return [(one.name, one) for one in book.found(typed, most=MOST_FOUND)]
    found = book.found(written, most=MOST_FOUND)
    names: list[tuple[str, KnownLabel | None]] = [(one.name, one) for one in found]
    if not any(one.is_called(written) for one in found):
        names.insert(len(names) if found and found[0].begins(written) else 0, (written, None))
    return names


def draw_note_field() -> None:
    """Draws the field for a remark, closed."""
    with _closed("note"):
        text("label", "Note").props("for=review-note-text")
        ui.element("textarea").props(f"id=review-note-text rows=4 maxlength={MAX_NOTE}")
        note("Ctrl and Enter keep it.")
        text("p", "").classes("review-told").props("role=alert")
        with ui.element("div").classes("review-answers"):
            _button("Keep", "keep")
            _button("Cancel", "close").props("flat")


def _closed(what: str) -> Element:
    """Returns a closed dialog with a heading; review.js writes what it is about."""
    dialog = ui.element("dialog").classes("review-ask")
    dialog.props(f"id=review-{what} aria-labelledby=review-{what}-about")
    with dialog:
        text("h2", "").classes("first").props(f"id=review-{what}-about")
    return dialog


def _button(title: str, does: str) -> ui.button:
    button = ui.button(title)
    button.on("click", js_handler=f"() => holotypeReview.{does}()")
    return button


def _option(name: str, label: KnownLabel | None) -> None:
    says = NEW if label is None else _says(label)
    option = ui.element("div").props("role=option aria-selected=false")
    option.props["aria-label"] = f"{name}, {says}"
    option.props["data-name"] = name
    option.props["data-new"] = "true" if label is None else "false"
    with option:
        text("span", name).classes("name")
        text("span", says).classes("says new" if label is None else "says")


def _says(label: KnownLabel) -> str:
    records = f", {some(label.records, 'record')}" if label.records else ""
    also = f", also written {first_few(label.also, limit=2)}" if label.also else ""
    return f"{label.says}{records}{also}"
