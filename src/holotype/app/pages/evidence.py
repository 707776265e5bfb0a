"""The page Evidence: how good the model is, by its report and by its own validation records."""

from dataclasses import dataclass
from threading import Lock

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from nicegui import app, run, ui

from holotype.app.pages import assess, assess_begin, evidence_figures, evidence_parts
from holotype.app.pages.evidence_facts import (
    PAGE,
    Facts,
    Report,
    facts_of,
    find_report,
    report_folders,
)
from holotype.app.pages.frame import frame
from holotype.app.pages.text import heading, paragraph, text
from holotype.app.workbench import Workbench
from holotype.jobs import Jobs

FULL = "/evidence/report"
STYLE = """
table.plain td.word { min-width: 9rem; max-width: 32rem; }
.small { font-size: .78rem; white-space: nowrap; }
table.plain .sort:hover { color: var(--ink); }
table.heat td { min-width: 5.5rem; text-align: center; }
.h0 { background: var(--heat0); } .h1 { background: var(--heat1); } .h2 { background: var(--heat2); }
.h0, .h1, .h2 { color: var(--heat-ink); }
.facts { margin: .3rem 0; display: grid; gap: .15rem; }
.facts div { display: flex; flex-wrap: wrap; gap: .1rem .6rem; }
.facts dt { color: var(--dim); min-width: 10rem; }
.facts dd { margin: 0; overflow-wrap: anywhere; min-width: 0; }
.parts { display: flex; flex-wrap: wrap; gap: .3rem 1rem; margin: .8rem 0 0; padding: 0; list-style: none; }
.as-button {
  display: inline-block; padding: .4rem .9rem; border: 1px solid var(--link); border-radius: 4px;
  text-decoration: none;
}
.beside { margin-top: 1rem; }
section.part { padding-top: .2rem; }
"""


@dataclass(frozen=True)
class _Known:
    """What the page draws from."""

    facts: Facts
    report: Report | None


class _Reader:
    """Reads the facts of the bundle once, as bundles do not change, and looks for its report each time."""

    def __init__(self, workbench: Workbench) -> None:
        self._workbench, self._lock = workbench, Lock()
        self._facts: Facts | None = None
        self._jobs = Jobs(workbench.workspace / "jobs")

    def known(self) -> _Known:
        """Returns both; takes seconds the first time."""
        with self._lock:
            if self._facts is None:
                self._facts = facts_of(self._workbench.identifier.bundle)
        return _Known(self._facts, self.report())

    def report(self) -> Report | None:
        """Returns the report as it is now."""
        bundle = self._workbench.identifier.bundle
        folders = report_folders(self._workbench.settings.report, bundle.path, self._jobs.all())
        return find_report(folders, model=bundle.fingerprint)


def register(workbench: Workbench) -> None:
    """Defines the page, the way to the whole report, and the pages that assess a visitor's own data."""
    reader = _Reader(workbench)
    app.include_router(_full(reader))
    assess.register(workbench)

    @ui.page("/evidence", response_timeout=60)
    async def page() -> None:
        known = await run.io_bound(reader.known)
        ui.add_css(STYLE + evidence_figures.STYLE)
        with frame("Evidence", "/evidence"):
            if known is not None:
                _draw(workbench, known)


def _draw(workbench: Workbench, known: _Known) -> None:
    report, facts = known.report, known.facts
    paragraph(
        "How good is the model, and does it know when it is not? Figures of the report are of records that "
        "it never saw; figures of its validation records are read from the model itself."
    ).classes("lead")
    with ui.element("div").classes("row"):
        ui.link("Assess it on your own data", assess_begin.PATH).classes("as-button")
        if report is not None and (report.folder / PAGE).is_file():
            ui.link("The whole report", f"{FULL}/{PAGE}", new_tab=True).classes("as-button")
    _about_report(report)
    if facts.decisions is None or not facts.decisions.decisions.channels:
        with ui.element("div").classes("panel beside"):
            text("strong", "This model cannot say how sure it may be.")
            paragraph(facts.why_not)
            ui.link("Calibrate it", "/jobs?command=calibrate").classes("as-button")
    content = None if report is None else report.content
    parts = evidence_parts.parts_of(workbench.identifier.bundle, facts, content)
    with (
        ui.element("nav").props('aria-label="Parts of this page"'),
        ui.element("ul").classes("parts"),
    ):
        for part in parts:
            with ui.element("li"):
                ui.link(part.title, f"#{part.name}")
    for part in parts:
        with (
            ui.element("section")
            .classes("part")
            .props(f'id="{part.name}" aria-labelledby="{part.name}-title"')
        ):
            heading(2, part.title).props(f'id="{part.name}-title"')
            paragraph(part.lead).classes("lead")
            part.draw()


def _about_report(report: Report | None) -> None:
    """Says whose figures these are, or how to come by them."""
    if report is None:
        with ui.element("div").classes("panel beside"):
            text("strong", "There is no report of this model here.")
            paragraph(
                "Examine it on the test part of a split: the figures then appear on this page. Or start the "
                "server with --report and the folder of a report."
            )
            ui.link("Examine the model", "/jobs?command=evaluate").classes("as-button")
    elif not report.is_of_model:
        of = report.content.get("model") or {}
        paragraph(
            f"The report that was found is of other weights: {of.get('name')} ({of.get('fingerprint')}). Its "
            "figures are not those of the model that answers here."
        ).classes("bad").props('role="alert"')


def _full(reader: _Reader) -> APIRouter:
    """Returns the route of the report as one page; it alone is served of its folder."""
    routes = APIRouter(include_in_schema=False)

    @routes.get(f"{FULL}/{PAGE}")
    def full() -> Response:
        found = reader.report()
        try:
            assert found is not None
            content = (found.folder / PAGE).read_bytes()
        except (AssertionError, OSError):
            return HTMLResponse("There is no report.", status_code=404)
        return HTMLResponse(content)

    return routes
