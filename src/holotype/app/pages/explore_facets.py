"""One facet among the filters of the page Explore: its commonest values, and all others by name."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from nicegui import events, ui
from nicegui.elements.mixins.text_element import TextElement

from holotype.app.exploring.facts import FACETS
from holotype.app.exploring.filters import Filters
from holotype.app.exploring.view import Value
from holotype.app.pages.explore_state import Desk, Shown, named
from holotype.app.pages.text import text
from holotype.page.words import count, some

NO_VALUE = "not stated"
_FIRST, _MOST, _MOST_FOUND = 7, 60, 20
_OPEN = ("decision", "instrument", "licence", "source", "label_status")


@dataclass(frozen=True)
class Choice:
    """A box to choose by, with the number of records that it would give."""

    box: ui.checkbox
    many: TextElement
    row: ui.element

    @classmethod
    def drawn(cls, said: str, chosen: Callable[[bool], Awaitable[None]]) -> "Choice":
        """Draws a box that is not chosen yet.

        Args:
            said: what it is called.
            chosen: told when somebody chooses it, or no longer.
        """
        with ui.element("div").classes("value") as row:
            box = ui.checkbox(said, on_change=lambda event: chosen(bool(event.value)))
            many = text("span", "").classes("many").props("aria-hidden=true")
        return cls(box.props("dense"), many, row)

    def show(self, records: int, *, is_chosen: bool) -> None:
        """Writes the number, and whether it is chosen."""
        self.box.value = is_chosen
        self.many.set_text(count(records))
        self.row.classes(add="" if records else "none", remove="none" if records else "")
        named(self.box, aria_label=f"{self.box.text}, {count(records)}").update()


class Facet:
    """The values of one facet.

    Args:
        desk: the page.
        name: of the facet.
        values: all that the collection has, the commonest first.
    """

    def __init__(self, desk: Desk, name: str, values: tuple[Value, ...]) -> None:
        self._desk, self._name, self._values = desk, name, values
        self._choices: dict[str | None, Choice] = {}
        self._found: dict[str | None, Choice] = {}
        self._many: Mapping[str | None, int] = {}

    def draw(self, filters: Filters) -> None:
        """Draws the facet, without counts: open where a value of it is chosen."""
        chosen = filters.values(self._name)
        first = [one.value for one in self._values[:_FIRST]]
        first += [one.value for one in self._values[_FIRST:] if one.value in chosen]
        rest = [one.value for one in self._values[_FIRST:_MOST] if one.value not in chosen]
        with ui.element("details") as details:
            if self._name in _OPEN or chosen:
                details.props("open")
            text("summary", FACETS[self._name])
            with ui.element("div").classes("facet-values").props("role=group") as group:
                named(group, aria_label=FACETS[self._name])
                self._choices |= {value: self._choice(value) for value in first}
            if rest:
                with ui.element("details"):
                    text("summary", f"{count(len(rest))} more").classes("note")
                    with ui.element("div").classes("facet-values"):
                        self._choices |= {value: self._choice(value) for value in rest}
            if len(self._values) > _MOST:
                self._draw_find()

    def _draw_find(self) -> None:
        """Draws the field that finds the values which are not listed."""
        field = ui.input(f"Find among {count(len(self._values))}", on_change=self._find)
        named(field, aria_label=f"Find in {FACETS[self._name]}")
        field.props("outlined dense clearable autocomplete=off spellcheck=false")
        self._list = ui.element("div").classes("facet-values").props("role=group")
        named(self._list, aria_label=f"Found in {FACETS[self._name]}")
        self._told = text("p", "").classes("note").props('role="status"')

    def _choice(self, value: str | None) -> Choice:
        async def toggled(is_chosen: bool) -> None:  # noqa: FBT001
            # A value that is written from here is told like one that is chosen: that is no change.
            asked = self._desk.asked
            if is_chosen != (value in asked.filters.values(self._name)):
                await self._desk.change(
                    asked.with_filters(asked.filters.toggled(self._name, value))
                )

        return Choice.drawn(NO_VALUE if value is None else value, toggled)

    def show(self, shown: Shown) -> None:
        """Writes counts and choices of the present filters; nothing is drawn again."""
        chosen = shown.asked.filters.values(self._name)
        self._many = {one.value: one.records for one in shown.view.facets.get(self._name, ())}
        for drawn in (self._choices, self._found):
            for value, choice in drawn.items():
                choice.show(self._many.get(value, 0), is_chosen=value in chosen)

    def _find(self, event: events.ValueChangeEventArguments[str | None]) -> None:
        asked = " ".join(str(event.value or "").split()).casefold()
        found = matching(self._values, asked)
        self._list.clear()
        with self._list:
            self._found = {value: self._choice(value) for value in found[:_MOST_FOUND]}
        chosen = self._desk.asked.filters.values(self._name)
        for value, choice in self._found.items():
            choice.show(self._many.get(value, 0), is_chosen=value in chosen)
        more = len(found) - len(self._found)
        told = f"{count(more)} more: write on." if more else some(len(found), "value")
        self._told.set_text(told if asked else "")


def matching(values: tuple[Value, ...], asked: str) -> list[str]:
    """Returns the values that hold a folded text, those that begin with it first, then the commonest.

    >>> matching((Value("Villefranche", 9, False), Value("Franche", 2, False)), "fran")
    ['Franche', 'Villefranche']
    """
    if not asked:
        return []
    folded = [(one.value, one.value.casefold()) for one in values if one.value is not None]
    found = [
        (not letters.startswith(asked), value) for value, letters in folded if asked in letters
    ]
    return [value for _, value in sorted(found, key=lambda one: one[0])]
