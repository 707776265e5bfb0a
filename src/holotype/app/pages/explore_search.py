"""The search box of the page Explore: names as they are typed, and records like words."""

import asyncio
from dataclasses import replace

from nicegui import events, ui

from holotype.app.exploring.searching import Means, Suggestion, suggestions
from holotype.app.pages.explore_state import Desk, named
from holotype.app.pages.text import text
from holotype.page.words import count, some

_KEYS = """(e) => {
  const keys = ['ArrowDown', 'ArrowUp', 'Enter', 'Escape'];
  if (keys.includes(e.key)) { if (e.key !== 'Enter') e.preventDefault(); emit(e.key); }
}"""
_LIST = "search-suggestions"


class SearchBox:
    """A combobox: taxa, written labels and record ids; and what the model can find by words."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._found: tuple[Suggestion, ...] = ()
        self._at = -1
        self._asked = ""

    def draw(self) -> None:
        """Draws the box."""
        with ui.element("div").classes("search").props('role=search aria-label="Search"'):
            self._box = ui.input(
                label="Search names, labels or record ids", on_change=self._typed
            ).props(
                f"outlined dense debounce=180 autocomplete=off role=combobox aria-controls={_LIST}"
            )
            self._box.props("aria-expanded=false aria-autocomplete=list clearable")
            self._box.on("keydown", self._key, js_handler=_KEYS)
            self._box.on("blur", self._left)
            self._list = ui.element("ul").classes("suggestions")
            self._list.props(f'id={_LIST} role=listbox aria-label="Suggestions"')
            self._list.set_visibility(False)
            self._told = text("span", "").classes("spoken").props('role="status"')

    async def _typed(self, event: events.ValueChangeEventArguments[str | None]) -> None:
        self._asked = str(event.value or "")
        asked, shown = self._asked, self._desk.shown
        found = await asyncio.to_thread(
            suggestions, shown.explored.facts, shown.explored.rows, asked
        )
        if asked == self._asked:
            self._found, self._at = found, -1
            self._fill()

    def _fill(self) -> None:
        words = " ".join(self._asked.split())
        self._list.clear()
        with self._list:
            for at, one in enumerate(self._found):
                self._item(at, one.text, _what(one), count(one.records) if one.records > 1 else "")
            if self._finds_words():
                self._item(len(self._found), words, "records that look like this", "")
        shows = bool(self._found) or self._finds_words()
        self._open(is_open=shows)
        if len(words) > 1:
            told = some(len(self._found), "suggestion") if self._found else "No name is like this."
            self._told.set_text(told)

    def _finds_words(self) -> bool:
        return self._desk.shared.likeness.reads_words and len(self._asked.strip()) > 1

    def _item(self, at: int, name: str, what: str, many: str) -> None:
        item = ui.element("li").props(f"id={_LIST}-{at} role=option")
        item.props["aria-selected"] = "true" if at == self._at else "false"
        named(item, aria_label=", ".join(part for part in (name, what, many) if part))
        item.on("mousedown.prevent", lambda: self._choose(at))
        with item:
            text("span", name)
            text("span", what).classes("what")
            text("span", many).classes("many")

    def _open(self, *, is_open: bool) -> None:
        self._list.set_visibility(is_open)
        self._box.props["aria-expanded"] = "true" if is_open else "false"
        self._box.props["aria-activedescendant"] = f"{_LIST}-{self._at}" if self._at >= 0 else ""
        self._box.update()

    async def _key(self, event: events.GenericEventArguments) -> None:
        last = len(self._found) - 1 + self._finds_words()
        if event.args == "Escape":
            self._open(is_open=False)
        elif event.args == "Enter":
            await self._choose(max(self._at, 0))
        elif last >= 0:
            by = 1 if event.args == "ArrowDown" else -1
            self._at = (self._at + by) % (last + 1) if self._at >= 0 or by > 0 else last
            self._fill()

    def _left(self) -> None:
        self._open(is_open=False)

    async def _choose(self, at: int) -> None:
        words = " ".join(self._asked.split())
        if at < len(self._found):
            await self._taken(self._found[at])
        elif self._finds_words():
            await self._desk.change(replace(self._desk.shown.asked, words=words, page=1))
        else:
            return
        self._box.value = ""
        self._asked, self._found, self._at = "", (), -1
        self._open(is_open=False)

    async def _taken(self, one: Suggestion) -> None:
        asked = self._desk.shown.asked
        if one.means is Means.RECORD:
            await self._desk.open_record(one.text)
        elif one.means is Means.TAXON:
            await self._desk.change(asked.with_filters(replace(asked.filters, taxon=one.path)))
        else:
            chosen = asked.filters.chosen | {("written_label", one.text)}
            await self._desk.change(asked.with_filters(replace(asked.filters, chosen=chosen)))


def _what(one: Suggestion) -> str:
    return one.detail if one.means is Means.TAXON else one.means.value
