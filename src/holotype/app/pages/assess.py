"""The wizard that says how good the model is on a visitor's own data: bring, label, read the report."""

import base64

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from nicegui import app, run, ui

from holotype.app.pages import evidence_figures
from holotype.app.pages.assess_begin import PATH, Beginning
from holotype.app.pages.assess_folder import (
    Assessment,
    assessments,
    open_assessment,
)
from holotype.app.pages.assess_label import SCRIPT, LabelDesk
from holotype.app.pages.assess_report import draw_report
from holotype.app.pages.assess_style import STYLE
from holotype.app.pages.frame import frame
from holotype.app.pages.jobs_form import who_asks
from holotype.app.pages.jobs_text import progress_told, state_told
from holotype.app.pages.text import heading, paragraph, text
from holotype.app.workbench import Workbench
from holotype.errors import HolotypeError
from holotype.jobs import Job, Jobs, Progress
from holotype.jobs.job import now
from holotype.page.words import some

REFRESH_SECONDS = 1.0


def register(workbench: Workbench) -> None:
    """Defines the pages: one to begin, and one for each assessment."""
    jobs = Jobs(workbench.workspace / "jobs")
    app.include_router(_routes(workbench))

    @ui.page(PATH)
    async def beginning() -> None:
        ui.add_css(STYLE)
        with frame("Assess your data", "/evidence"):
            paragraph(
                "A report on somebody else's images says little about yours. The model names yours, some are "
                "drawn, you say what they are, and you see how good it is on all of them."
            ).classes("lead")
            Beginning(workbench, jobs).draw()
            found = await run.io_bound(assessments, workbench.workspace)
            _earlier(found or [])

    @ui.page(PATH + "/{key}", response_timeout=30)
    async def one(key: str) -> None:
        ui.add_css(STYLE + evidence_figures.STYLE)
        ui.add_body_html(f"<script>{SCRIPT}</script>")
        found = await run.io_bound(open_assessment, workbench.workspace, key)
        with frame("Assess your data", "/evidence"):
            if found is None:
                paragraph("There is no such assessment here.").classes("bad")
                ui.link("Begin one", PATH)
                return
            await _Assessing(workbench, jobs, found).draw()


def _earlier(found: list[Assessment]) -> None:
    if not found:
        return
    heading(2, "Begun already")
    with ui.element("ul"):
        for one in found:
            with ui.element("li"):
                ui.link(f"{one.started.title}", f"{PATH}/{one.key}")
                written = sum(bool(label) for label in one.labels().values())
                report = ", with a report" if one.report() is not None else ""
                text("span", f" {some(written, 'label')} written{report}").classes("dim")


class _Assessing:
    """One assessment on the page of one visitor: being drawn, then labelled."""

    def __init__(self, workbench: Workbench, jobs: Jobs, found: Assessment) -> None:
        self._workbench, self._jobs, self._found = workbench, jobs, found
        self._timer: ui.timer | None = None

    async def draw(self) -> None:
        """Draws what there is to do now."""
        heading(2, self._found.started.title).classes("titled")
        for name, why in self._found.started.refused[:20]:
            paragraph(f"Not read: {name}: {why}").classes("bad")
        self._place = ui.element("div")
        if self._found.is_drawn:
            await self._label()
            return
        with self._place:
            text(
                "p",
                "The model names your files, then some of them are drawn. You may close this page.",
            )
            self._bar = ui.linear_progress(0, show_value=False, size="8px").props(
                'aria-label="Progress"'
            )
            self._bar.props("indeterminate")
            self._far = text("p", "").classes("note").props('role="status"')
            self._again = ui.button("Go on", icon="replay", on_click=self._resume)
            self._again.set_visibility(False)
            ui.link("Its log is on the page Jobs, where it can be cancelled too", "/jobs")
        self._timer = ui.timer(REFRESH_SECONDS, self._look)
        await self._look()

    async def _resume(self) -> None:
        """Draws again what was broken off; answers that are there are kept."""
        who = who_asks()
        try:
            await run.io_bound(self._jobs.resume, self._found.started.job, asked_by=who)
        except HolotypeError as reason:
            ui.notify(str(reason), type="negative", close_button="Close")
            return
        ui.navigate.reload()

    async def _look(self) -> None:
        """Says how far the draw is; begins labelling when it is whole."""
        found = await run.io_bound(self._seen)
        if found is None:
            return
        job, progress, log = found
        if self._found.is_drawn:
            if self._timer is not None:
                self._timer.cancel()
            self._place.clear()
            await self._label()
        elif job is None or job.is_over:
            if self._timer is not None:
                self._timer.cancel()
            self._bar.set_visibility(False)
            said = "is no longer there" if job is None else state_told(job)
            self._far.set_text(f"The draw: {said}. {log}".strip())
            self._far.classes("bad")
            self._again.set_visibility(job is not None)
        else:
            far = "" if progress is None else progress_told(progress, job, now())
            self._far.set_text(f"{state_told(job)}. {far}".strip())

    def _seen(self) -> tuple[Job | None, Progress | None, str]:
        name = self._found.started.job
        try:
            lines = self._jobs.log(name, tail=3).lines
            return self._jobs.get(name), self._jobs.progress(name), " ".join(lines)
        except HolotypeError:
            return None, None, ""

    async def _label(self) -> None:
        with self._place:
            report = ui.element("section").props('aria-label="Report" aria-live="polite"')
            desk = LabelDesk(self._workbench.identifier.bundle, self._found, who_asks())
            try:
                await desk.draw()
            except HolotypeError as reason:
                paragraph(str(reason)).classes("bad")
                return
            with ui.element("div").classes("row begin"):
                made = ui.button("Say how good it is", icon="insights")
                refusal = text("p", "").classes("bad").props('role="alert"')
            report.move(target_index=-1)

        async def make() -> None:
            refusal.set_text("")
            made.props("loading").disable()
            try:
                await run.io_bound(self._found.make_report, self._workbench.run)
            except (HolotypeError, OSError) as reason:
                refusal.set_text(str(reason))
            else:
                self._show(report)
                ui.run_javascript("document.getElementById('found')?.focus()")
            finally:
                made.props(remove="loading").enable()

        made.on_click(make)
        self._show(report)

    def _show(self, place: ui.element) -> None:
        content = self._found.report()
        place.clear()
        if content is not None:
            with place:
                draw_report(content, f"{PATH}/{self._found.key}")


def _routes(workbench: Workbench) -> APIRouter:
    """Returns the routes of pictures and of the report as one page."""
    routes = APIRouter(include_in_schema=False)
    gone = HTMLResponse("There is no such thing here.", status_code=404)

    @routes.get(PATH + "/{key}/picture/{number}")
    def picture(key: str, number: int) -> Response:
        found = open_assessment(workbench.workspace, key)
        content = None if found is None else found.picture(number)
        if found is not None and content is None and found.is_drawn:
            small = _small(found, workbench.identifier.bundle.fingerprint, number)
            content = small
        if content is None:
            return gone
        kind = "image/png" if content.startswith(b"\x89PNG") else "image/jpeg"
        return Response(content, media_type=kind, headers={"Cache-Control": "private, no-cache"})

    @routes.get(PATH + "/{key}/report")
    def report(key: str) -> Response:
        found = open_assessment(workbench.workspace, key)
        if found is None or not found.page.is_file():
            return gone
        return HTMLResponse(found.page.read_bytes())

    return routes


def _small(found: Assessment, model: str, number: int) -> bytes | None:
    """Returns the small picture that the draw keeps."""
    try:
        table = found.sample(model=model).table
    except HolotypeError:
        return None
    numbers = table["number"].to_pylist()
    if number not in numbers:
        return None
    written = table["picture"][numbers.index(number)].as_py()
    return None if written is None else base64.b64decode(written.partition(",")[2])
