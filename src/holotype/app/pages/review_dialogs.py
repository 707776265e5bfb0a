"""Dialogs of a review: another label with type-ahead, a note, the keys."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager

from nicegui import events, ui
from nicegui.element import Element
from nicegui.elements.mixins.text_element import TextElement

from holotype.app.pages.text import heading, text
from holotype.errors import first_few
from holotype.page.words import some
from holotype.reviewing.errors import ReviewError
from holotype.reviewing.events import MAX_LABEL, MAX_NOTE, label_name
from holotype.reviewing.labels import KnownLabel, LabelBook

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
MOST_FOUND = 12
NEW = "new: without a lineage"
_MOVE = """(event) => {
  if (!['ArrowDown', 'ArrowUp', 'Enter'].includes(event.key)) return;
  event.preventDefault();
  event.stopPropagation();
  emit(event.key === 'Enter' ? ['Enter', event.target.value] : [event.key, '']);
  if (event.key === 'Enter') holotypeReview.answered(event.target);
}"""
_GONE = "(...args) => { window.holotypeReview?.back(); emit(...args); }"
Then = Callable[[str], Awaitable[None]]


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


def ask_note(number: int, then: Then) -> None:
    """Opens a field for a remark on some records."""
    with asking(f"Note on {some(number, 'record')}") as dialog:
        said = ui.textarea(label="Note").props(f"outlined autofocus maxlength={MAX_NOTE}")

        async def keep() -> None:
            written = str(said.value or "").strip()
            dialog.close()
            if written:
                await then(written)

        said.on("keydown.ctrl.enter", keep)
        with ui.element("div").classes("review-answers"):
            ui.button("Keep", on_click=keep)
            ui.button("Cancel", on_click=dialog.close).props("flat")


def ask_label(book: LabelBook, number: int, likely: Sequence[str], then: Then) -> None:
    """Opens a field with type-ahead over the labels of a session.

    Args:
        book: the labels.
        number: how many records are to be labelled.
        likely: labels that are shown before a letter is typed.
        then: what is done with the label chosen.
    """
    _LabelDialog(book, number, likely, then).draw()


class _LabelDialog:
    """A field, and the labels that its letters may mean; arrow keys choose, Enter takes."""

    def __init__(self, book: LabelBook, number: int, likely: Sequence[str], then: Then) -> None:
        self._book, self._number, self._likely, self._then = book, number, likely, then
        self._names: list[str] = []
        self._new: str | None = None
        self._at = 0
        self._typed_last = ""
        self._options: list[Element] = []
        self._list: Element
        self._takes: TextElement
        self._dialog: ui.dialog

    def draw(self) -> None:
        """Draws it, open."""
        with asking(f"Label of {some(self._number, 'record')}") as self._dialog:
            field = ui.input(label="Label or taxon", on_change=self._typed).props(
                f"outlined autofocus maxlength={MAX_LABEL} autocomplete=off spellcheck=false role=combobox "
                "aria-expanded=true aria-controls=review-found aria-autocomplete=list"
            )
            field.on("keydown", self._moved, js_handler=_MOVE)
            self._list = ui.element("div").classes("review-found")
            self._list.props("role=listbox id=review-found aria-label='Labels'")
            self._takes = text("p", "").classes("note").props("role=status")
            with ui.element("div").classes("review-answers"):
                ui.button("Cancel", on_click=self._dialog.close).props("flat")
        self._show("")

    def _typed(self, event: events.ValueChangeEventArguments[str | None]) -> None:
        self._show(str(event.value or ""))

    def _show(self, typed: str) -> None:
        """Draws the labels that the letters may mean, and the letters themselves as a new one.

        What Enter takes comes first: a label that begins with the letters, else the letters themselves.
        """
        self._typed_last = typed
        if typed.strip():
            found = self._book.found(typed, most=MOST_FOUND)
        else:
            known = [
                self._book.by_name[name] for name in self._likely if name in self._book.by_name
            ]
            usual = [one for one in self._book.found("", most=MOST_FOUND) if one not in known]
            found = [*known, *usual][:MOST_FOUND]
        options = [(one.name, _says(one)) for one in found]
        self._new = _new_name(typed, self._book)
        if self._new is not None:
            is_meant = bool(found) and found[0].begins(typed)
            options.insert(len(options) if is_meant else 0, (self._new, NEW))
        self._names = [name for name, _ in options]
        self._at = 0
        self._list.clear()
        self._options = []
        with self._list:
            for name, says in options:
                self._option(name, says, is_new=name == self._new)
        self._mark()

    def _option(self, name: str, says: str, *, is_new: bool) -> None:
        option = ui.element("div").props("role=option aria-selected=false")
        option.props["aria-label"] = f"{name}, {says}"
        with option:
            text("span", name).classes("name")
            text("span", says).classes("says new" if is_new else "says")
        option.on("click", lambda name=name: self._take(name))
        self._options.append(option)

    def _mark(self) -> None:
        for at, option in enumerate(self._options):
            option.props["aria-selected"] = "true" if at == self._at else "false"
            option.update()
        if not self._names:
            self._takes.set_text("")
            return
        name = self._names[self._at]
        told = ", a new label without a lineage" if name == self._new else ""
        self._takes.set_text(f"Enter takes “{name}”{told}. Arrow keys choose another one.")

    async def _moved(self, event: events.GenericEventArguments) -> None:
        key, typed = str(event.args[0]), str(event.args[1])
        if key == "Enter":
            if typed.strip() != self._typed_last.strip():
                self._show(typed)  # the last letters have come with this key
            await self._take(self._names[self._at]) if self._names else self._dialog.close()
            return
        step = 1 if key == "ArrowDown" else -1
        self._at = max(0, min(len(self._names) - 1, self._at + step))
        self._mark()

    async def _take(self, name: str) -> None:
        self._dialog.close()
        await self._then(name)


def _says(label: KnownLabel) -> str:
    records = f", {some(label.records, 'record')}" if label.records else ""
    also = f", also written {first_few(label.also, limit=2)}" if label.also else ""
    return f"{label.says}{records}{also}"


def _new_name(typed: str, book: LabelBook) -> str | None:
    """Returns what was typed as a label, None where a label is called so already."""
    try:
        written = label_name(typed)
    except ReviewError:
        return None
    is_known = any(one.is_called(written) for one in book.found(written, most=3))
    return None if is_known else written
