"""The page Jobs: what runs in the background, how far it is, and the form that starts more."""

from nicegui import app, run, ui

from holotype.app.pages.frame import frame
from holotype.app.pages.jobs_form import StartForm, trouble_of, who_asks
from holotype.app.pages.jobs_list import JobList
from holotype.app.pages.text import paragraph
from holotype.app.workbench import Workbench
from holotype.jobs import Job, Jobs

REFRESH_SECONDS = 1.0
STYLE = """
.jobs { list-style: none; margin: 0; padding: 0; display: grid; gap: .9rem; }
.job { min-width: 0; }
.job .command, .log pre { display: block; font-size: .82rem; overflow-wrap: anywhere; white-space: pre-wrap; }
.job .command { color: var(--dim); margin: .2rem 0 .6rem; }
.state { display: inline-flex; align-items: center; gap: .3rem; font-weight: 600; }
.state.done { color: var(--good); }
.state.failed, .state.interrupted { color: var(--bad); }
.state.waiting, .state.cancelled { color: var(--dim); }
.job .bar { margin: .5rem 0; border-radius: 4px; }
.job .buttons { margin-top: .6rem; gap: .5rem; }
.job .buttons .q-btn { padding: .2rem .7rem; }
.log { margin-top: .6rem; }
.log pre {
  max-height: 22rem; overflow: auto; margin: .4rem 0 0; padding: .7rem;
  background: var(--paper); color: var(--ink); border: 1px solid var(--line); border-radius: 6px;
}
.facts { margin: .3rem 0; display: grid; gap: .15rem; }
.facts div { display: flex; flex-wrap: wrap; gap: .1rem .6rem; }
.facts dt { color: var(--dim); min-width: 8rem; }
.facts dd { margin: 0; overflow-wrap: anywhere; min-width: 0; }
.field { margin-top: .8rem; }
.field.q-field--with-bottom { padding-bottom: 0; }
.field .q-field__bottom {
  position: static; transform: none; min-height: 0; padding: .25rem .75rem 0; color: var(--dim);
}
.field .q-field__messages { line-height: 1.35; }
.field.q-field--error .q-field__bottom { color: var(--bad); }
.start { margin-top: 1rem; }
.to-start { display: none; }
@media (max-width: 860px) { .to-start { display: inline-block; margin-top: .5rem; } }
.jobs-page { margin-top: 1.2rem; }
.folders { margin-top: .8rem; }
.folders summary { display: list-item; cursor: pointer; }
.folders ul { padding-left: 1.2rem; list-style: disc; }
.folders li { overflow-wrap: anywhere; }
"""


def register(workbench: Workbench) -> None:
    """Defines the page, and lets what waits begin while the server runs."""
    jobs = Jobs(workbench.workspace / "jobs")
    app.on_startup(jobs.attend)
    app.on_shutdown(jobs.close)

    @ui.page("/jobs")
    async def page(command: str = "") -> None:  # a form to begin with: /jobs?command=adapt
        ui.add_css(STYLE)
        trouble = await run.io_bound(trouble_of, workbench)
        with frame("Jobs", "/jobs"):
            paragraph(
                "Long work runs in the background, one job at a time. It goes on when this page is closed "
                "and when the server starts again."
            ).classes("lead")
            listed = JobList(jobs, who=who_asks)

            async def started(job: Job) -> None:
                ui.notify(f"{job.title}: {job.state}")
                await listed.refresh()

            ui.link("Start a job", "#start-title").classes("to-start")
            with ui.element("div").classes("two jobs-page"):
                listed.draw()
                form = StartForm(
                    workbench, jobs, started, who=who_asks, command=command, trouble=trouble or ""
                )
                form.draw()
            await listed.refresh()
            ui.timer(REFRESH_SECONDS, listed.refresh)
