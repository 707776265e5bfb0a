"""The form that starts a job: one command of the table, its fields, and what is wrong with them."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from nicegui import app, events, run, ui
from nicegui.elements.mixins.validation_element import ValidationElement

from holotype.app.pages.text import heading, note, text
from holotype.app.workbench import Workbench
from holotype.errors import HolotypeError, first_few
from holotype.jobs import Job, JobError, Jobs
from holotype.jobs.allowed import Allowed
from holotype.jobs.fields import Field, FieldKind, FieldsError
from holotype.jobs.offers import OFFERS, Offer, offer_of, written_by

WHO = "reviewer"
"""Under which key a person's name is kept, as on the page Review."""


def allowed_of(workbench: Workbench) -> Allowed:
    """Returns which files may be named on the pages of a workbench; a broken collection may be named too."""
    named = [workbench.run, workbench.collection_folder, workbench.index]
    return Allowed.of(workbench.folders, named, workspace=workbench.workspace)


def defaults_of(workbench: Workbench) -> dict[str, str]:
    """Returns what stands in fields at first: the model, collection and index of the server."""
    found = {
        "model": workbench.run,
        "collection": workbench.collection_folder,
        "index": workbench.index,
    }
    return {name: str(value) for name, value in found.items() if value is not None}


def trouble_of(workbench: Workbench) -> str:
    """Returns why the collection of a workbench cannot be read now; "" where it can, or there is none."""
    try:
        _ = workbench.collection
    except (HolotypeError, OSError, KeyError, TypeError) as reason:
        return str(reason)
    return ""


def who_asks() -> str:
    """Returns the name of the person at this browser, "" where nobody said it; not from a thread."""
    return str(app.storage.user.get(WHO, ""))


def check_unclaimed(jobs: Jobs, words: Sequence[str]) -> None:
    """Raises ``JobError`` where a job that waits or runs writes what a command line would write."""
    wanted = written_by(words)
    for job in jobs.all() if wanted else ():
        if not job.is_over and (shared := wanted & written_by(job.words)):
            raise JobError(
                f"{first_few(sorted(shared))}: job {int(job.id.partition('-')[0])}, {job.title}, writes "
                "there. Wait until it has ended, or name another place."
            )


class StartForm:
    """The form.

    Args:
        workbench: whose model and collection stand in the fields.
        jobs: where the job is asked for.
        started: what is done with a new job.
        who: says who asks.
        command: the command that is chosen at first.
        trouble: what is wrong with the collection of the server, said above the fields.
    """

    def __init__(
        self,
        workbench: Workbench,
        jobs: Jobs,
        started: Callable[[Job], Awaitable[None]],
        *,
        who: Callable[[], str],
        command: str = "",
        trouble: str = "",
    ) -> None:
        self._jobs, self._started, self._who = jobs, started, who
        self._trouble = trouble
        self._allowed, self._defaults = allowed_of(workbench), defaults_of(workbench)
        names = [offer.name for offer in OFFERS]
        self._offer = offer_of(command if command in names else names[0])
        self._inputs: dict[str, ValidationElement[Any]] = {}

    def draw(self) -> None:
        """Draws the form."""
        with ui.element("section").classes("panel").props('aria-labelledby="start-title"'):
            heading(2, "Start").classes("first").props("id=start-title")
            if self._trouble:
                told = f"The collection of this server cannot be read: {self._trouble}"
                text("p", told).classes("bad").props('role="alert"')
            titles = {offer.name: offer.title for offer in OFFERS}
            ui.select(titles, value=self._offer.name, label="What", on_change=self._chosen).props(
                "outlined dense options-dense"
            ).classes("w-full").mark("command")
            self._place = ui.element("div")
            self._draw_fields()

    def _chosen(self, event: events.ValueChangeEventArguments[Any]) -> None:
        self._offer = offer_of(str(event.value))
        self._draw_fields()

    def _draw_fields(self) -> None:
        self._inputs = {}
        self._place.clear()
        with self._place:
            note(self._offer.about)
            for field in self._offer.fields:
                self._inputs[field.name] = self._input(field)
            self._refusal = text("p", "").classes("bad").props('role="alert"')
            ui.button("Start", icon="play_arrow", on_click=self._start).classes("start")
            with ui.element("details").classes("note folders"):
                text("summary", "Which files may be named")
                text(
                    "p",
                    "All below these folders of the server; a name without one is below the first.",
                )
                with ui.element("ul"):
                    for folder in self._allowed.folders:
                        text("li", str(folder))

    def _input(self, field: Field) -> ValidationElement[Any]:
        """Draws the control of a field; what it is for stands below it."""
        value = self._defaults.get(field.name, field.default)
        label = field.title if field.needed else f"{field.title} (optional)"
        made: ValidationElement[Any]
        if field.kind is FieldKind.CHOICE:
            made = ui.select(list(field.choices), label=label, value=value or None)
            made.props("options-dense outlined dense")
        elif field.kind is FieldKind.INPUTS:
            made = ui.textarea(label, value=value).props("autogrow")
        else:
            made = ui.input(label, value=value)
        if field.kind in (FieldKind.NUMBER, FieldKind.WHOLE):
            made.props("inputmode=decimal")
        if field.kind is not FieldKind.CHOICE:
            made.props("outlined dense spellcheck=false autocomplete=off")
        made.classes("w-full field")
        if field.about:
            made.props["hint"] = field.about
        made.on_value_change(lambda: self._mended(field.name))
        return made.mark(f"field-{field.name}")

    def _mended(self, name: str) -> None:
        self._inputs[name].error = None
        self._refusal.set_text("")

    def _values(self) -> dict[str, Any]:
        return {name: getattr(made, "value", None) for name, made in self._inputs.items()}

    async def _start(self) -> None:
        offer, values = self._offer, self._values()
        try:
            job = await run.io_bound(self._asked, offer, values, self._who())
        except FieldsError as reason:
            self._refuse(reason.reasons)
        except (HolotypeError, OSError) as reason:
            self._refusal.set_text(str(reason))
        else:
            if job is not None:
                await self._started(job)

    def _asked(self, offer: Offer, values: Mapping[str, Any], who: str) -> Job:
        words = offer.command(values, self._allowed)
        check_unclaimed(self._jobs, words)
        return self._jobs.start(offer.title, words, asked_by=who)

    def _refuse(self, reasons: Mapping[str, str]) -> None:
        for name, made in self._inputs.items():
            made.error = reasons.get(name)
        first = next((made for name, made in self._inputs.items() if name in reasons), None)
        some = "1 field" if len(reasons) == 1 else f"{len(reasons)} fields"
        self._refusal.set_text(f"Not started: {some} to mend.")
        if first is not None:
            first.run_method("focus")
