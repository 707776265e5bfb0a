"""The list of jobs, live: each job keeps its place on the page and changes where it stands."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from nicegui import run, ui

from holotype.app.pages.jobs_text import (
    ICONS,
    command_line,
    progress_told,
    result_rows,
    state_told,
    when_told,
)
from holotype.app.pages.text import heading, note, text
from holotype.errors import HolotypeError
from holotype.jobs import Job, JobError, Jobs, LogPage, Progress, State
from holotype.jobs.job import RESUMABLE, now

PAGE_JOBS = 10
LOG_LINES = 200


@dataclass(frozen=True)
class Seen:
    """What a page reads of the jobs at one moment.

    Attributes:
        jobs: those of the page, with how far they are.
        count: how many there are.
        unreadable: folders of the page that are no jobs, with the reason.
    """

    jobs: tuple[tuple[Job, Progress | None], ...]
    count: int
    unreadable: tuple[tuple[str, str], ...]


def seen(jobs: Jobs, *, most: int) -> Seen:
    """Returns the latest jobs, at most so many."""
    found, torn = [], []
    ids = jobs.ids()
    for name in ids[:most]:
        try:
            found.append((jobs.get(name), jobs.progress(name)))
        except HolotypeError as reason:
            torn.append((name, str(reason)))
    return Seen(tuple(found), len(ids), tuple(torn))


class JobList:
    """The list.

    Args:
        jobs: what is listed.
        who: says who presses a button.
    """

    def __init__(self, jobs: Jobs, *, who: Callable[[], str]) -> None:
        self._jobs, self._who, self._most = jobs, who, PAGE_JOBS
        self._cards: dict[str, _Card] = {}
        self._torn: tuple[tuple[str, str], ...] = ()

    def draw(self) -> None:
        """Draws the place of the list; ``refresh`` fills it."""
        with ui.element("section").props('aria-labelledby="jobs-title"'):
            heading(2, "Running and past").classes("first").props("id=jobs-title")
            self._none = note("No job yet. Start one here, or on another page.")
            self._place = ui.element("ol").classes("jobs")
            self._broken = ui.element("div")
            self._more = ui.button("Earlier jobs", on_click=self._further).props("outline")
            self._none.set_visibility(False)
            self._more.set_visibility(False)

    async def refresh(self) -> None:
        """Reads the jobs and brings the page up to them."""
        found = await run.io_bound(seen, self._jobs, most=self._most)
        if found is None:  # the server is ending
            return
        self._none.set_visibility(not found.count)
        self._more.set_visibility(found.count > self._most)
        wanted = {job.id for job, _ in found.jobs}
        for gone in self._cards.keys() - wanted:
            self._cards.pop(gone).element.delete()
        for at, (job, progress) in enumerate(found.jobs):
            if job.id not in self._cards:
                with self._place:
                    self._cards[job.id] = _Card(self._jobs, job, self._done, self._who)
                    self._cards[job.id].element.move(target_index=at)
            await self._cards[job.id].show(job, progress)
        if found.unreadable != self._torn:
            self._torn = found.unreadable
            self._broken.clear()
            with self._broken:
                for name, why in found.unreadable:
                    text("p", f"{name}: {why}").classes("bad")

    async def _further(self) -> None:
        self._most += PAGE_JOBS
        await self.refresh()

    async def _done(self, change: Callable[[], object]) -> None:
        """Does something to a job and shows what came of it."""
        try:
            await run.io_bound(change)
        except (HolotypeError, OSError) as reason:
            ui.notify(str(reason), type="negative", multi_line=True, close_button="Close")
        await self.refresh()


class _Card:
    """One job on the page."""

    def __init__(
        self,
        jobs: Jobs,
        job: Job,
        done: Callable[[Callable[[], object]], Awaitable[None]],
        who: Callable[[], str],
    ) -> None:
        self._jobs, self._done, self._who, self._key = jobs, done, who, job.id
        self._shown: tuple[Job, Progress | None] | None = None
        self._log_state: State | None = None
        title = f"job-{job.id}"
        self.element = ui.element("li").classes("panel job").props(f'aria-labelledby="{title}"')
        with self.element:
            with ui.element("div").classes("row"):
                heading(3, job.title).classes("first").props(f'id="{title}"')
                self._badge = ui.element("span").classes("state")
                with self._badge:
                    self._icon = ui.icon("").props('aria-hidden="true"')
                    self._state = text("span", "").props('role="status"')
            self._when = text("p", "").classes("note")
            text("code", command_line(job)).classes("command")
            self._bar = ui.linear_progress(0, show_value=False, size="8px").classes("bar")
            self._bar.props["aria-label"] = f"Progress of {_name(job)}"
            self._far = text("p", "").classes("note")
            self._results = ui.element("dl").classes("facts")
            self._buttons(job)
            self._log = _Log(jobs, job)

    def _buttons(self, job: Job) -> None:
        named = _name(job)
        with ui.element("div").classes("row buttons"):
            self._cancel = _button("Cancel", "stop", f"Cancel {named}", self._on_cancel)
            self._resume = _button("Go on", "replay", f"Go on with {named}", self._on_resume)
            self._remove = _button(
                "Remove", "delete", f"Remove {named} from the list", self._on_remove
            )
            self._see = _button("Log", "article", f"Log of {named}", self._on_log)
            self._see.props('aria-expanded="false"')

    async def show(self, job: Job, progress: Progress | None) -> None:
        """Brings the card up to the job."""
        moment = now()
        self._when.set_text(when_told(job, moment))
        far = "" if progress is None else progress_told(progress, job, moment)
        self._far.set_text(far)
        self._far.set_visibility(bool(far) and job.state is not State.DONE)
        if job.state is State.RUNNING:
            share = None if progress is None else progress.share
            self._bar.value = share or 0.0
            self._bar.props(remove="indeterminate") if share is not None else self._bar.props(
                "indeterminate"
            )
        if self._shown is None or self._shown[0] != job:
            self._tell(job)
        if self._log.is_open and (job.state is State.RUNNING or job.state is not self._log_state):
            await self._log.follow()
            self._log_state = job.state
        self._shown = (job, progress)

    def _tell(self, job: Job) -> None:
        """Writes what changes seldom."""
        self._state.set_text(state_told(job))
        self._icon.set_name(ICONS[job.state])
        self._badge.classes(replace=f"state {job.state.value}")
        self._bar.set_visibility(job.state is State.RUNNING)
        self._cancel.set_visibility(not job.is_over)
        self._cancel.set_enabled(not job.being_cancelled)
        self._resume.set_visibility(job.state in RESUMABLE)
        self._remove.set_visibility(job.is_over)
        self._results.clear()
        with self._results:
            for name, value in result_rows(job.result):
                with ui.element("div"):
                    text("dt", name)
                    text("dd", value)

    async def _on_cancel(self) -> None:
        who = self._who()  # a thread does not know whose page this is
        await self._done(lambda: self._jobs.cancel(self._key, asked_by=who))

    async def _on_resume(self) -> None:
        who = self._who()
        await self._done(lambda: self._jobs.resume(self._key, asked_by=who))

    async def _on_remove(self) -> None:
        await self._done(lambda: self._jobs.remove(self._key))

    async def _on_log(self) -> None:
        self._see.props(f'aria-expanded="{"false" if self._log.is_open else "true"}"')
        await self._log.toggle()


class _Log:
    """The log of a job: its last lines, and those above by the page."""

    def __init__(self, jobs: Jobs, job: Job) -> None:
        self._jobs, self._key = jobs, job.id
        self._before: int | None = None
        self._page: LogPage | None = None
        self.is_open = False
        self._place = ui.element("div").classes("log")
        with self._place:
            with ui.element("div").classes("row"):
                self._above = _button("Earlier lines", "expand_less", "", self._earlier)
                self._latest = _button("Latest lines", "expand_more", "", self._to_the_end)
            self._lines = text("pre", "").props('tabindex=0 role="log" aria-live="off"')
            self._lines.props["aria-label"] = f"Log of {_name(job)}"
        self._place.set_visibility(False)

    async def toggle(self) -> None:
        """Opens or closes it."""
        self.is_open = not self.is_open
        self._place.set_visibility(self.is_open)
        if self.is_open:
            await self._to_the_end()

    async def follow(self) -> None:
        """Shows what was written since, where the end is shown."""
        if self._before is None:
            await self._show(None)

    async def _earlier(self) -> None:
        await self._show(self._page.start if self._page is not None else None)

    async def _to_the_end(self) -> None:
        await self._show(None)

    async def _show(self, before: int | None) -> None:
        self._before = before
        try:
            page = await run.io_bound(self._jobs.log, self._key, tail=LOG_LINES, before=before)
        except JobError:
            return
        if page is None or page == self._page:
            return
        self._page = page
        self._lines.set_text(page.text or "Nothing was written yet.")
        self._above.set_enabled(page.start > 0)
        self._latest.set_enabled(page.end < page.size)
        if before is None:
            self._lines.run_method("scrollTo", 0, 10**7)


def _name(job: Job) -> str:
    """Returns how a job is called in the names of its controls."""
    return f"{job.title} {int(job.id.partition('-')[0])}"


def _button(title: str, icon: str, says: str, act: Callable[[], Awaitable[None]]) -> ui.button:
    made = ui.button(title, icon=icon, on_click=act).props("outline dense")
    if says:
        made.props["aria-label"] = says
    return made
