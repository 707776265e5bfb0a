"""The form that begins an assessment: what is brought or named, how many to label, which error is allowed."""

from pathlib import Path

from nicegui import run, ui

from holotype.app.pages.assess_folder import Assessment, Started, begin, new_folder, take_in
from holotype.app.pages.dropping import Brought, DropPlace
from holotype.app.pages.jobs_form import allowed_of, who_asks
from holotype.app.pages.text import heading, note, text
from holotype.app.uploads import Refused, Upload, UploadLimits
from holotype.app.workbench import Workbench
from holotype.errors import HolotypeError
from holotype.jobs import Jobs
from holotype.jobs.fields import FieldsError
from holotype.jobs.offers import offer_of
from holotype.page.words import some

PATH = "/assess"
N = 100


class Beginning:
    """What one visitor brings."""

    def __init__(self, workbench: Workbench, jobs: Jobs) -> None:
        self._workbench, self._jobs = workbench, jobs
        self._allowed = allowed_of(workbench)
        self._place = DropPlace(workbench.settings, lambda: new_folder(workbench.workspace))

    def draw(self) -> None:
        """Draws the form."""
        settings = self._workbench.settings
        with ui.element("div").classes("two bring"):
            with ui.element("section").classes("panel").props('aria-label="Bring files"'):
                heading(2, "Bring files").classes("first")
                note(
                    f"Images, or a zip of them. At most {settings.max_files:,} files, "
                    f"{settings.max_upload_bytes >> 20:,} MB."
                )
                self._place.draw()
            with ui.element("section").classes("panel").props('aria-label="Or name a folder"'):
                heading(2, "Or name a folder").classes("first")
                note(
                    "Of the server, below: " + ", ".join(str(one) for one in self._allowed.folders)
                )
                self._named = ui.textarea("Files and folders, one a line")
                self._named.props("outlined dense autogrow spellcheck=false").classes(
                    "w-full field"
                )
        with ui.element("div").classes("row begin"):
            self._n = ui.input("How many to label", value=str(N)).props(
                "outlined dense inputmode=numeric"
            )
            self._error = ui.input("Error allowed", value=f"{self._workbench.settings.max_error:g}")
            self._error.props("outlined dense inputmode=decimal")
            self._title = ui.input("Call it (optional)").props("outlined dense")
            self._button = ui.button("Draw", icon="casino", on_click=self._begin)
        self._place.draw_status()
        self._refusal = text("p", "").classes("bad").props('role="alert"')

    async def _begin(self) -> None:
        self._refusal.set_text("")
        self._button.props("loading").disable()
        if not await self._place.is_whole():
            self._button.props(remove="loading").enable()
            return
        taken = self._place.take()
        try:
            made = await run.io_bound(self._begun, taken, str(self._named.value or ""), who_asks())
        except FieldsError as reason:
            self._place.give_back(taken)
            self._refusal.set_text(
                "; ".join(f"{_FIELDS.get(k, k)}: {v}" for k, v in reason.reasons.items())
            )
        except (HolotypeError, OSError) as reason:
            self._place.give_back(taken)
            self._refusal.set_text(str(reason))
        else:
            if made is not None:
                ui.navigate.to(f"{PATH}/{made.key}")
        finally:
            self._button.props(remove="loading").enable()

    def _begun(self, taken: Brought, named: str, who: str) -> Assessment:
        folder, uploads = taken.folder, taken.uploads
        inputs = named
        refused: list[Refused] = []
        if uploads:
            place, refused = take_in(folder, uploads, UploadLimits.of(self._workbench.settings))
            inputs = f"{place}\n{named}"
        values = {
            "model": self._workbench.run, "inputs": inputs, "out": str(folder / "draw"),
            "n": self._n.value, "max_error": self._error.value,
        }  # fmt: skip
        words = offer_of("assess").command(values, self._allowed)
        read = [str(self._allowed.path(one.strip())) for one in inputs.splitlines() if one.strip()]
        title = str(self._title.value or "").strip()[:100] or _called(read, uploads)
        job = self._jobs.start(f"Draw: {title}", words, asked_by=who)
        told = tuple((one.name, one.reason) for one in refused)
        for one in uploads:
            if one.path is not None:
                one.path.unlink(missing_ok=True)
        return begin(
            folder, Started(job.id, title, tuple(read), int(float(self._n.value)), who, told)
        )


_FIELDS = {"inputs": "Files", "n": "How many to label", "max_error": "Error allowed"}


def _called(inputs: list[str], uploads: list[Upload]) -> str:
    """Returns what an assessment is called where nobody said."""
    if uploads:
        return uploads[0].name if len(uploads) == 1 else some(len(uploads), "uploaded file")
    return ", ".join(Path(one).name for one in inputs)[:100]
