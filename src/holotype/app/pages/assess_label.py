"""The desk where drawn records are labelled, one at a time, by keyboard; every label is on disk at once.

The browser knows which record is present and what was typed for it (``assess_label.js``); it sends a label
with its number. Here it is written, and told what others wrote meanwhile.
"""

import asyncio
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nicegui import background_tasks, events, run, ui

from holotype.app.pages.assess_folder import Assessment, suggestions
from holotype.app.pages.assess_written import MOST_LETTERS, Written
from holotype.app.pages.text import note, text
from holotype.models.bundle import Bundle
from holotype.page.words import count

KEYS = (
    ("Enter", "write the name and go on"),
    ("↑ ↓", "choose among the names"),
    ("?", "and Enter: you cannot tell"),
    ("Page Up, Page Down", "back and on, without a change"),
)
BUTTONS = (
    ("Back", "go(-1)", "outline"), ("Write and go on", "put()", "unelevated"),
    ("Cannot tell", "put('?')", "outline"), ("On", "go(1)", "outline"),
    ("First without a label", "open()", "flat"),
)  # fmt: skip
LOOK_EVERY_S = 2.0
SCRIPT = (Path(__file__).parent / "assess_label.js").read_text(encoding="utf-8")
"""Stands in the page before the desk is drawn."""


@dataclass(frozen=True)
class _Record:
    """One drawn record as the browser has it, without what the model said of it.

    Attributes:
        number: of the draw.
        input: what it was read from; shown where there is no picture.
        name: the name of its file alone: its folder may be called by what someone took it for.
        picture: whether there is one.
        label: what stands, "" for none.
        by: who wrote it.
    """

    number: int
    input: str
    name: str
    picture: bool
    label: str
    by: str


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
        self._numbers: frozenset[int] = frozenset()
        self._labels: dict[int, str] = {}
        self._own: dict[int, str] = {}
        self._state = (0, 0)
        self._writing = asyncio.Lock()

    async def draw(self) -> None:
        """Draws the desk at the first record without a label, and begins to look at what others write.

        Raises:
            SourceError: when the draw is of another model.
        """
        read = await run.io_bound(self._read)
        if read is None:
            return
        records, self._state = read
        self._numbers = frozenset(one.number for one in records)
        self._labels = {one.number: one.label for one in records}
        note(
            "Say what each is: a label of the model, or any taxon, as narrow as you are sure of. "
            "What the model said is not shown, so that it leads nobody."
        )
        with ui.element("div").classes("row"):
            self._done = text("span", "").props('role="status"')
            self._bar = ui.linear_progress(0, show_value=False, size="8px")
            self._bar.props('aria-label="Labelled"').classes("narrow").style("flex: 1")
        with ui.element("div").classes("desk"):
            self._shown = ui.element("div").classes("shown").props("id=label-shown")
            with ui.element("div"):
                self._draw_field()
        self._count()
        ui.on("label-typed", self._typed)
        ui.on("label-written", self._asked)
        ui.timer(LOOK_EVERY_S, self._look)
        first = next((at for at, one in enumerate(records) if not one.label), len(records) - 1)
        self._say(
            "start",
            {
                "records": [asdict(one) for one in records],
                "pictures": f"/assess/{self._found.key}/picture",
                "at": max(0, first),
            },
        )
        background_tasks.create(self._enlarge([one for one in records if one.picture]))

    @staticmethod
    def _draw_field() -> None:
        text("p", "").classes("note").style("overflow-wrap: anywhere").props("id=label-name")
        text("label", "What is it?").props("for=label-field").classes("label-of")
        ui.element("input").classes("label-field").props(
            "id=label-field type=text autocomplete=off autocapitalize=off spellcheck=false role=combobox "
            'aria-autocomplete="list" aria-controls="suggested" aria-expanded="false" '
            f"aria-describedby=label-told maxlength={MOST_LETTERS}"
        )
        names = ui.element("ul").classes("suggested")
        names.props('id="suggested" role="listbox" aria-label="Names"')
        note("").props("id=label-told role=status")
        with ui.element("div").classes("row").style("margin-top: .8rem"):
            for title, act, look in BUTTONS:
                button = ui.button(title).props(look)
                button.on("click", js_handler=f"() => holotypeLabels.{act}")
        with ui.element("div").classes("keys"):
            for key, does in KEYS:
                with ui.element("div"):
                    text("kbd", key)
                    text("span", f" {does}")

    def _read(self) -> tuple[list[_Record], tuple[int, int]]:
        table = self._found.sample(model=self._bundle.fingerprint).table
        state, written = self._found.written.state(), self._found.written.read()
        nobody = Written("", "")
        records = []
        for row in table.select(["number", "input", "picture"]).to_pylist():
            number, read_from = int(row["number"]), str(row["input"])
            stands = written.get(number, nobody)
            records.append(
                _Record(
                    number, read_from, _short(read_from), row["picture"] is not None,
                    stands.label, stands.by,
                )
            )  # fmt: skip
        return sorted(records, key=lambda one: one.number), state

    async def _enlarge(self, pictured: list[_Record]) -> None:
        """Makes the pictures large, then shows the present one so."""
        await run.io_bound(self._found.make_pictures, {one.input: one.number for one in pictured})
        self._say("enlarged")

    def _say(self, what: str, *told: object) -> None:
        """Tells the browser."""
        if not self._shown.is_deleted:
            said = ", ".join(json.dumps(one) for one in told)
            self._shown.client.run_javascript(f"holotypeLabels.{what}({said})")

    def _count(self) -> None:
        """Says how many labels are on disk."""
        written = sum(bool(self._labels.get(number)) for number in self._numbers)
        self._done.set_text(f"{count(written)} of {count(len(self._numbers))} labelled")
        self._bar.value = written / max(1, len(self._numbers))

    async def _look(self) -> None:
        """Shows what others wrote since the last look."""
        async with self._writing:
            read = await run.io_bound(self._looked)
        if read is None:
            return
        self._state, written = read
        told = [
            (number, one.label, one.by)
            for number, one in written.items()
            if number in self._numbers and one.label != self._labels.get(number, "")
        ]
        self._labels |= {number: label for number, label, _ in told}
        if told:
            self._say("others", told)
            self._count()

    def _looked(self) -> tuple[tuple[int, int], dict[int, Written]] | None:
        state = self._found.written.state()
        return None if state == self._state else (state, self._found.written.read())

    def _typed(self, event: events.GenericEventArguments) -> None:
        """Lists names for the letters that stand in the field."""
        typed = str(_told(event).get("typed") or "")[:MOST_LETTERS]
        names, chosen = self._named_for(typed)
        plain = " ".join(typed.split())
        told = [(name, name == plain and name not in self._known) for name in names]
        self._say("suggest", typed, told, chosen)

    def _named_for(self, typed: str) -> tuple[list[str], int]:
        """Returns the names for a text, and which is chosen at first; the text itself is the last of them."""
        found = suggestions(self._names, typed)
        plain = " ".join(typed.split())
        exact = any(one.casefold() == plain.casefold() for one in found)
        names = found if exact or not plain else [*found, plain]
        begins = bool(found) and found[0].casefold().startswith(plain.casefold())
        return names, 0 if begins else max(0, len(names) - 1)

    def _meant(self, typed: str, steps: int) -> str:
        """Returns what letters and so many steps of the arrow keys stand for."""
        names, chosen = self._named_for(typed)
        return names[(chosen + steps) % len(names)] if names else ""

    async def _asked(self, event: events.GenericEventArguments) -> None:
        """Writes a label to the record that it was given for, in the order in which they were given.

        Tells when something else stood there than the browser showed: somebody wrote it meanwhile.
        """
        told = _told(event)
        number, name, steps = told.get("number"), told.get("name"), told.get("steps")
        if not isinstance(number, int) or number not in self._numbers:
            return
        meant = self._meant(str(told.get("typed") or ""), steps if isinstance(steps, int) else 0)
        label = " ".join((name if isinstance(name, str) else meant).split())
        try:
            async with self._writing:
                stood = await run.io_bound(self._found.write, number, label, by=self._who)
        except (OSError, ValueError) as reason:
            self._say("refused", told.get("id"), number, self._labels.get(number, ""))
            ui.notify(f"Not written: {reason}", type="negative", close_button="Close", timeout=0)
            return
        expected = {str(told.get("shown") or ""), self._own.get(number, ""), label}
        self._labels[number] = self._own[number] = label
        self._say("wrote", told.get("id"), number, label)
        self._count()
        if stood is not None and stood.label not in expected:
            ui.notify(
                f"Record {number}: {stood.by or 'somebody'} wrote “{stood.label}” meanwhile, and you wrote "
                f"“{label}” over it.",
                type="warning", multi_line=True, close_button="Close", timeout=0,
            )  # fmt: skip


def _told(event: events.GenericEventArguments) -> dict[str, Any]:
    return event.args if isinstance(event.args, dict) else {}


def _short(written: str) -> str:
    """Returns the name of a file alone: its folder may be called by what someone took it for."""
    return written.replace("\\", "/").rpartition("/")[2]
