"""The page Identify: drop images, archives or FASTA, or paste barcodes; each answer with what it rests on."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from nicegui import app, events, ui

from holotype.app.identifications import (
    FILES,
    PASTED,
    TABLES,
    Identification,
    as_fasta,
    cards,
    identify,
    new_folder,
    open_identification,
)
from holotype.app.identifying import BusyError
from holotype.app.pages.dropping import DropPlace
from holotype.app.pages.frame import frame
from holotype.app.pages.identify_downloads import DOWNLOADS, download_router
from holotype.app.pages.text import heading, note, paragraph, text
from holotype.app.uploads import Upload
from holotype.app.workbench import Workbench
from holotype.errors import HolotypeError
from holotype.exchange.answers.forms import FORMS
from holotype.identify.columns import DECISIONS, Decision
from holotype.identify.evidence.choosing import ORDERS, Order, chosen
from holotype.identify.evidence.look import STYLE
from holotype.page.words import some

PAGE_CARDS = 12
PASTED_LETTERS = 500_000
"""More does not fit a message of the browser: it is brought as a file."""


def register(workbench: Workbench) -> None:
    """Defines the page and the downloads of its answers."""
    app.include_router(download_router(workbench))

    @ui.page("/")
    async def page(run: str = "") -> None:  # the address of answers: /?run=KEY
        ui.add_css(STYLE)
        with frame("Identify", "/"):
            bench = _Desk(workbench)
            bench.draw()
            found = open_identification(workbench.workspace, run) if run else None
            if found is not None:
                await bench.show(found)
            elif run:
                with bench.results:
                    note("These answers are no longer kept. Bring the files again.")


class _Desk:
    """What one visitor brings and sees."""

    def __init__(self, workbench: Workbench) -> None:
        self._workbench = workbench
        self._place = DropPlace(workbench.settings, self._new_place)
        self._is_busy = False
        self.results: ui.element

    def draw(self) -> None:
        """Draws where things are brought, and the place of the answers."""
        modalities = self._workbench.identifier.modalities
        _about(self._workbench)
        with ui.element("div").classes("two"):
            self._draw_files(modalities)
            if "barcode" in modalities:
                self._draw_barcodes()
        with ui.element("div").classes("row identify-do"):
            self._button = ui.button("Identify", on_click=self._identify)
            self._place.draw_status()
        self.results = ui.element("section").props('aria-label="Answers"')

    def _draw_files(self, modalities: tuple[str, ...]) -> None:
        limits = self._workbench.settings
        kinds = "Images or a zip" if "image" in modalities else "FASTA files"
        with ui.element("section").classes("panel").props('aria-label="Files"'):
            heading(2, "Files").classes("first")
            note(
                f"{kinds} of them; FASTA too. An image and a barcode of one name are one specimen. "
                f"At most {limits.max_files:,} files, {limits.max_upload_bytes >> 20:,} MB."
            )
            self._place.draw()

    def _draw_barcodes(self) -> None:
        with ui.element("section").classes("panel").props('aria-label="Barcodes"'):
            heading(2, "Barcodes").classes("first")
            note(f"Up to {PASTED_LETTERS:,} letters; bring more as a file.")
            self._pasted = (
                ui.textarea(label="Paste FASTA, or one sequence")
                .props(
                    f'outlined autogrow input-class="letters" spellcheck=false '
                    f"maxlength={PASTED_LETTERS}"
                )
                .classes("paste")
            )

    def _new_place(self) -> Path:
        return new_folder(self._workbench.workspace) / FILES

    async def _identify(self) -> None:
        pasted = str(self._pasted.value or "").strip() if hasattr(self, "_pasted") else ""
        if self._is_busy:
            return
        self._is_busy = True
        try:
            is_whole = await self._place.is_whole()
        finally:
            self._is_busy = False
        if not is_whole:
            return
        if not pasted and self._place.is_empty:
            ui.notify("Bring files, or paste a barcode, first.", type="warning")
            return
        self._is_busy = True
        self._button.props("loading").disable()
        self._place.say("identifying …")
        taken = self._place.take()
        uploads = taken.uploads
        try:
            if pasted:
                path = taken.folder / PASTED
                path.write_text(as_fasta(pasted), encoding="utf-8")
                uploads.append(Upload(PASTED, path))
            done = await identify(self._workbench, taken.folder.parent, uploads)
        except (HolotypeError, BusyError) as reason:
            self._place.give_back(taken)
            ui.notify(
                str(reason), type="negative", multi_line=True, timeout=15_000, close_button="Close"
            )
            return
        finally:
            self._is_busy = False
            self._button.props(remove="loading").enable()
        self._place.say("")
        ui.navigate.history.replace(f"/?run={done.key}")
        await self.show(done)
        ui.run_javascript("document.getElementById('answers').focus()")

    async def show(self, done: Identification) -> None:
        """Draws the answers."""
        self.results.clear()
        with self.results:
            await _Answers(self._workbench, done).draw()


@dataclass
class _View:
    """Which answers are shown."""

    order: Order = Order.DOUBT
    decisions: tuple[Decision, ...] = ()
    first: int = 0


class _Answers:
    """The answers on the page: counts, downloads, cards."""

    def __init__(self, workbench: Workbench, done: Identification) -> None:
        self._workbench, self._done, self._view = workbench, done, _View()
        self._cards: ui.element

    async def draw(self) -> None:
        """Draws everything."""
        table = await asyncio.to_thread(lambda: self._done.table)
        heading(2, some(table.num_rows, "answer")).props("tabindex=-1 id=answers")
        for one in self._done.refused:
            paragraph(f"Not read: {one.name}: {one.reason}").classes("bad")
        counted = Counter[str](table["decision"].to_pylist())
        with ui.element("div").classes("row identify-tools"):
            self._choices(counted)
            ui.space()
            self._menu()
        self._cards = ui.element("div").props('aria-live="polite"')
        await self._fill()

    def _choices(self, counted: Counter[str]) -> None:
        orders = {order.value: order.value.capitalize() for order in ORDERS}
        ui.select(
            orders, value=self._view.order.value, label="First", on_change=self._ordered
        ).props("outlined dense options-dense").classes("narrow")
        kinds = {
            one.value: f"{one.value} ({counted[one.value]:,})"
            for one in DECISIONS
            if counted[one.value]
        }
        if len(kinds) > 1:
            ui.select(kinds, multiple=True, value=[], label="Only", on_change=self._narrowed).props(
                "outlined dense options-dense clearable"
            ).classes("narrow")

    def _menu(self) -> None:
        path = f"{DOWNLOADS}/{self._done.key}"
        ui.link("Page to send", f"{path}/page.html", new_tab=True).classes("as-button")
        with (
            ui.button("Download", icon="download").props('outline aria-haspopup="menu"'),
            ui.menu(),
        ):
            for form, says in {**dict.fromkeys(TABLES, "The answers"), **_forms()}.items():
                ui.menu_item(
                    f"{form}: {says}",
                    on_click=lambda form=form: ui.navigate.to(f"{path}/{form}", new_tab=True),
                )

    async def _ordered(self, event: events.ValueChangeEventArguments[Any]) -> None:
        self._view = _View(Order(event.value), self._view.decisions)
        await self._fill()

    async def _narrowed(self, event: events.ValueChangeEventArguments[Any]) -> None:
        wanted = tuple(Decision(one) for one in event.value or [])
        self._view = _View(self._view.order, wanted)
        await self._fill()

    async def _fill(self) -> None:
        """Draws the cards of the present view."""
        view, table = self._view, self._done.table
        found = chosen(table, most=table.num_rows, decisions=view.decisions, order=view.order)
        shown = found.row_S[view.first : view.first + PAGE_CARDS]
        rows = table.take(pa.array(shown)).to_pylist()
        drawn = await asyncio.to_thread(cards, self._workbench, self._done, rows)
        self._cards.clear()
        with self._cards:
            with ui.element("div").classes("evidence-list"):
                for card in drawn:
                    # Written by holotype.identify.evidence, which escapes all that comes from files.
                    ui.html(card.html(), sanitize=False).classes("card-place")
            self._turn(found.matching)

    def _turn(self, matching: int) -> None:
        if matching <= PAGE_CARDS:
            return
        first = self._view.first
        with ui.element("nav").classes("row").props('aria-label="Pages of answers"'):
            for title, to in (("Previous", first - PAGE_CARDS), ("Next", first + PAGE_CARDS)):
                button = ui.button(title, on_click=lambda to=to: self._to(to)).props("outline")
                button.set_enabled(0 <= to < matching)
            last = min(first + PAGE_CARDS, matching)
            text("span", f"{first + 1:,} to {last:,} of {matching:,}").classes("dim")

    async def _to(self, first: int) -> None:
        self._view = _View(self._view.order, self._view.decisions, first)
        await self._fill()


def _about(workbench: Workbench) -> None:
    """Says which model answers, and of what."""
    identifier = workbench.identifier
    training = identifier.bundle.manifest["training"]
    seen = ", ".join(training.get("instruments", {})) or "instruments that nobody named"
    paragraph(
        f"{training['recipe']['name']} ({identifier.bundle.fingerprint}) knows "
        f"{len(identifier.labels):,} labels, learnt from {training['records']:,} records of {seen}. "
        "An answer goes as deep as is safe: at most "
        f"{workbench.settings.max_error:.0%} of them may be wrong, where the model can promise that."
    ).classes("lead")


def _forms() -> dict[str, str]:
    """Returns the formats that answers alone can be written in."""
    return {name: form.about for name, form in FORMS.items()}
