"""The desk where drawn records are labelled, one at a time, by keyboard; every label is on disk at once."""

import asyncio
from dataclasses import dataclass
from typing import Any

from nicegui import background_tasks, events, run, ui

from holotype.app.pages.assess_folder import Assessment, suggestions
from holotype.app.pages.text import note, text
from holotype.models.bundle import Bundle
from holotype.page.words import count

KEYS = (
    ("Enter", "write the name and go on"),
    ("↑ ↓", "choose among the names"),
    ("?", "and Enter: you cannot tell"),
    ("Page Up, Page Down", "back and on, without a change"),
)


_TAKEN = """(e) => {
  if (e.isComposing) return;
  const said = e.target.value;
  e.target.value = "";
  e.target.dispatchEvent(new Event("input", {bubbles: true}));
  setTimeout(() => emit(said), 0);
}"""
"""What the browser does at Enter: it empties the field itself, so that letters typed meanwhile are kept.

The field tells that it is empty first, and what stood in it after that.
"""


@dataclass(frozen=True)
class _Record:
    """One drawn record, without what the model said of it."""

    number: int
    input: str
    has_picture: bool
    barcode: str | None


class LabelDesk:
    """The desk of one visitor.

    Args:
        bundle: whose labels are suggested; the drawn records are of its answers.
        found: what is labelled.
        who: who labels.
    """

    def __init__(self, bundle: Bundle, found: Assessment, who: str) -> None:
        self._bundle, self._found, self._who = bundle, found, who
        taxa = [node.name or "" for node in bundle.labels.tree.nodes]
        self._names = [one for one in dict.fromkeys([*bundle.labels.names, *taxa]) if one]
        self._known = frozenset(self._names)
        self._records: list[_Record] = []
        self._labels: dict[int, str] = {}
        self._written: dict[int, str] = {}
        self._at, self._chosen = 0, 0
        self._suggested: list[str] = []
        self._suggested_for = ""
        self._picked = ("", "")
        self._writing = asyncio.Lock()

    async def draw(self) -> None:
        """Draws the desk at the first record without a label.

        Raises:
            SourceError: when the draw is of another model.
        """
        read = await run.io_bound(self._read)
        if read is None:
            return
        self._records, self._labels = read
        self._written = dict(self._labels)
        self._at = self._first_open()
        note(
            "Say what each is: a label of the model, or any taxon, as narrow as you are sure of. "
            "What the model said is not shown, so that it leads nobody."
        )
        with ui.element("div").classes("row"):
            self._done = text("span", "").props('role="status"')
            self._bar = ui.linear_progress(0, show_value=False, size="8px").props(
                'aria-label="Labelled"'
            )
            self._bar.classes("narrow").style("flex: 1")
        with ui.element("div").classes("desk"):
            self._shown = ui.element("div").classes("shown")
            with ui.element("div"):
                self._named = text("p", "").classes("note").style("overflow-wrap: anywhere")
                self._draw_input()
                with ui.element("div").classes("row").style("margin-top: .8rem"):
                    ui.button("Back", on_click=lambda: self._go(-1)).props("outline")
                    ui.button("Write and go on", on_click=self._write)
                    ui.button("Cannot tell", on_click=lambda: self._put("?")).props("outline")
                    ui.button("On", on_click=lambda: self._go(1)).props("outline")
                    ui.button("First without a label", on_click=self._to_open).props("flat")
                with ui.element("div").classes("keys"):
                    for key, does in KEYS:
                        with ui.element("div"):
                            text("kbd", key)
                            text("span", f" {does}")
        self._show()
        background_tasks.create(self._enlarge())

    def _draw_input(self) -> None:
        self._input = ui.input("What is it?", on_change=self._typed)
        self._input.props(
            'outlined autofocus autocomplete=off spellcheck=false role="combobox" aria-autocomplete="list" '
            'aria-controls="suggested" aria-expanded="false" maxlength=200'
        ).classes("w-full")
        self._input.on("keydown.enter", self._entered, js_handler=_TAKEN)
        for key, act in (
            ("down.prevent", lambda: self._choose(1)),
            ("up.prevent", lambda: self._choose(-1)),
            ("page-up.prevent", lambda: self._go(-1)),
            ("page-down.prevent", lambda: self._go(1)),
        ):
            self._input.on(f"keydown.{key}", act)
        self._list = ui.element("ul").classes("suggested")
        self._list.props('id="suggested" role="listbox" aria-label="Names"')

    def _read(self) -> tuple[list[_Record], dict[int, str]]:
        table = self._found.sample(model=self._bundle.fingerprint).table
        rows = table.select(["number", "input", "picture"]).to_pylist()
        records = [_Record(r["number"], r["input"], r["picture"] is not None, None) for r in rows]
        return sorted(records, key=lambda one: one.number), self._found.labels()

    async def _enlarge(self) -> None:
        """Makes the pictures large, then shows the present one so."""
        numbers = {one.input: one.number for one in self._records if one.has_picture}
        await run.io_bound(self._found.make_pictures, numbers)
        if not self._shown.is_deleted:
            self._draw_picture()

    def _first_open(self) -> int:
        for at, one in enumerate(self._records):
            if not self._labels.get(one.number):
                return at
        return max(0, len(self._records) - 1)

    def _show(self, *, is_emptied: bool = False) -> None:
        """Shows the present record. A field that the browser emptied is left alone: people type on."""
        one, self._picked = self._records[self._at], ("", "")
        self._draw_picture()
        self._named.set_text(f"Record {one.number} of {len(self._records)}: {_short(one.input)}")
        label = self._labels.get(one.number, "")
        if label or not is_emptied:
            self._input.value = label
        self._suggest("")
        self._count()

    def _count(self) -> None:
        """Says how many labels are on disk."""
        written = sum(bool(self._written.get(record.number)) for record in self._records)
        self._done.set_text(f"{count(written)} of {count(len(self._records))} labelled")
        self._bar.value = written / max(1, len(self._records))

    def _draw_picture(self) -> None:
        one = self._records[self._at]
        self._shown.clear()
        with self._shown:
            if one.has_picture:
                picture = ui.element("img")
                large = int(self._found.picture(one.number) is not None)
                picture.props["src"] = (
                    f"/assess/{self._found.key}/picture/{one.number}?large={large}"
                )
                picture.props["alt"] = f"Record {one.number}, to be named"
            else:
                text("code", one.input)

    def _typed(self, event: events.ValueChangeEventArguments[Any]) -> None:
        typed = str(event.value or "")
        is_written = typed == self._labels.get(self._records[self._at].number, "")
        self._suggest("" if is_written else typed)

    def _suggest(self, typed: str) -> None:
        """Lists names for what was typed; the first is chosen where it begins so, else what was typed is."""
        self._suggested_for = typed
        self._suggested, self._chosen = self._named_for(typed)
        self._draw_suggested(" ".join(typed.split()))

    def _named_for(self, typed: str) -> tuple[list[str], int]:
        """Returns the names for a text, and which is chosen at first; the text itself is the last of them."""
        found = suggestions(self._names, typed)
        plain = " ".join(typed.split())
        exact = any(one.casefold() == plain.casefold() for one in found)
        names = found if exact or not plain else [*found, plain]
        begins = bool(found) and found[0].casefold().startswith(plain.casefold())
        return names, 0 if begins else max(0, len(names) - 1)

    def _draw_suggested(self, typed: str) -> None:
        self._list.clear()
        with self._list:
            for at, name in enumerate(self._suggested):
                is_typed = name == typed and name not in self._known
                row = text("li", f"“{name}”, as written" if is_typed else name)
                row.props(f'role="option" id="name-{at}"')
                row.on("click", lambda name=name: self._put(name))
        self._mark()

    def _mark(self) -> None:
        for at, row in enumerate(self._list.default_slot.children):
            row.props(f'aria-selected="{"true" if at == self._chosen else "false"}"')
        self._input.props(f'aria-expanded="{"true" if self._suggested else "false"}"')
        self._input.props["aria-activedescendant"] = (
            f"name-{self._chosen}" if self._suggested else ""
        )
        self._input.update()

    def _choose(self, by: int) -> None:
        if self._suggested:
            self._chosen = (self._chosen + by) % len(self._suggested)
            self._picked = self._suggested_for, self._suggested[self._chosen]
            self._mark()

    async def _entered(self, event: events.GenericEventArguments) -> None:
        """Takes what stood in the field when Enter was pressed; the browser has emptied it by then."""
        await self._put(self._pick(str(event.args or "")), is_emptied=True)

    async def _write(self) -> None:
        """Writes what is chosen, or what stands there; an empty field takes a label back."""
        await self._put(self._pick(str(self._input.value or "")))

    def _pick(self, typed: str) -> str:
        """Returns what a text stands for: the name chosen by arrows, itself, or the first that begins so."""
        if self._picked[0] == typed and self._picked[1]:
            return self._picked[1]
        if typed == self._labels.get(self._records[self._at].number, ""):
            return typed
        names, chosen = self._named_for(typed)
        return names[chosen] if names else typed

    async def _put(self, label: str, *, is_emptied: bool = False) -> None:
        """Goes on at once, so that nobody who types fast waits; counts a label when it is on disk.

        Labels reach the disk in the order they were given: the last one of a record holds.
        """
        at, number, plain = self._at, self._records[self._at].number, " ".join(label.split())
        before = self._labels.get(number, "")
        self._labels[number] = plain
        self._go(1, is_emptied=is_emptied)
        if plain == before:
            return
        try:
            async with self._writing:
                await run.io_bound(self._found.write, number, plain, by=self._who)
        except (OSError, ValueError) as reason:
            self._labels[number] = before
            self._at = at
            self._show()
            ui.notify(f"Not written: {reason}", type="negative", close_button="Close", timeout=0)
            return
        self._written[number] = plain
        self._count()

    def _go(self, by: int, *, is_emptied: bool = False) -> None:
        self._at = max(0, min(len(self._records) - 1, self._at + by))
        self._show(is_emptied=is_emptied)
        self._input.run_method("focus")

    def _to_open(self) -> None:
        self._at = self._first_open()
        self._show()
        self._input.run_method("focus")


def _short(written: str) -> str:
    """Returns the name of a file alone: its folder may be called by what someone took it for."""
    return written.replace("\\", "/").rpartition("/")[2]
