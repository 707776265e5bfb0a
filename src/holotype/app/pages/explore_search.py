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
  if (!keys.includes(e.key) || e.isComposing || (e.key === 'Enter' && e.repeat)) return;
  if (e.key !== 'Enter') e.preventDefault();
  emit(e.key, e.target.value);
}"""
"""A key tells what stood in the box when it was pressed: the suggestions may be those of fewer letters."""
_PAUSE_S = 0.15
_LIST = "search-suggestions"
NOTHING = "No name is like this."


class SearchBox:
    """A combobox: taxa, written labels and record ids; and what the model can find by words."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._found: tuple[Suggestion, ...] = ()
        self._found_for = ""
        self._at = -1
        self._asked = ""
        self._keys = asyncio.Lock()

    def draw(self) -> None:
        """Draws the box."""
        with ui.element("div").classes("search").props('role=search aria-label="Search"'):
            self._box = ui.input(
                label="Search names, labels or record ids", on_change=self._typed
            ).props(f"outlined dense autocomplete=off role=combobox aria-controls={_LIST}")
            self._box.props("aria-expanded=false aria-autocomplete=list clearable")
            self._box.on("keydown", self._key, js_handler=_KEYS)
            self._box.on("blur", self._left)
            self._list = ui.element("ul").classes("suggestions")
            self._list.props(f'id={_LIST} role=listbox aria-label="Suggestions"')
            self._list.set_visibility(False)
            self._told = text("span", "").classes("spoken").props('role="status"')

    async def _typed(self, event: events.ValueChangeEventArguments[str | None]) -> None:
        asked = self._asked = str(event.value or "")
        await asyncio.sleep(_PAUSE_S)
        if asked == self._asked != self._found_for:
            await self._find(asked)

    async def _find(self, asked: str) -> None:
        """Lists what some letters may mean; of several at once only the last one is shown."""
        self._asked = asked
        shown = self._desk.shown
        found = await asyncio.to_thread(
            suggestions, shown.explored.facts, shown.explored.rows, asked
        )
        if asked == self._asked:
            self._found, self._found_for, self._at = found, asked, -1
            self._fill()

    def _fill(self) -> None:
        words = " ".join(self._found_for.split())
        self._list.clear()
        with self._list:
            for at, one in enumerate(self._choices()):
                self._item(at, one)
        self._open(is_open=bool(self._choices()))
        if len(words) > 1:
            told = some(len(self._found), "suggestion") if self._found else NOTHING
            self._told.set_text(told)

    def _choices(self) -> list[Suggestion | str]:
        """Returns what can be chosen: what was found, and the words themselves if the model reads words."""
        words = " ".join(self._found_for.split())
        reads = self._desk.shared.likeness.reads_words and len(words) > 1
        return [*self._found, *([words] if reads else [])]

    def _item(self, at: int, one: Suggestion | str) -> None:
        if isinstance(one, Suggestion):
            name, what = one.text, _what(one)
            many = count(one.records) if one.records > 1 else ""
        else:
            name, what, many = one, "records that look like this", ""
        item = ui.element("li").props(f"id={_LIST}-{at} role=option")
        item.props["aria-selected"] = "true" if at == self._at else "false"
        named(item, aria_label=", ".join(part for part in (name, what, many) if part))
        item.on("mousedown.prevent", lambda: self._choose(one))
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
        """Does what a key asks, of the letters that stood there; keys are taken one after another."""
        key, letters = event.args if isinstance(event.args, list) else (event.args, self._asked)
        if key == "Escape":
            self._open(is_open=False)
            return
        async with self._keys:
            if letters != self._found_for:
                await self._find(str(letters or ""))
            choices = self._choices()
            if key == "Enter":
                if choices:
                    await self._choose(choices[max(self._at, 0)])
                elif self._found_for.strip():
                    ui.notify(NOTHING, type="warning")
            elif choices:
                by = 1 if key == "ArrowDown" else -1
                self._at = (self._at + by) % len(choices) if self._at >= 0 or by > 0 else -1
                self._at %= len(choices)
                self._fill()

    def _left(self) -> None:
        self._open(is_open=False)

    async def _choose(self, one: Suggestion | str) -> None:
        """Empties the box, then shows what was chosen."""
        self._box.value = ""
        self._asked, self._found, self._found_for, self._at = "", (), "", -1
        self._open(is_open=False)
        if isinstance(one, Suggestion):
            await self._taken(one)
        else:
            await self._desk.change(replace(self._desk.asked, words=one, page=1))

    async def _taken(self, one: Suggestion) -> None:
        asked = self._desk.asked
        if one.means is Means.RECORD:
            await self._desk.open_record(one.text)
        elif one.means is Means.TAXON:
            await self._desk.change(asked.with_filters(replace(asked.filters, taxon=one.path)))
        else:
            chosen = asked.filters.chosen | {("written_label", one.text)}
            await self._desk.change(asked.with_filters(replace(asked.filters, chosen=chosen)))


def _what(one: Suggestion) -> str:
    return one.detail if one.means is Means.TAXON else one.means.value
