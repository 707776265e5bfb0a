"""The page of a new review session: the records are named in the background, then put on pages."""

import asyncio
from pathlib import Path
from urllib.parse import quote

import pyarrow as pa
import pyarrow.compute as pc
from nicegui import ui
from nicegui.elements.mixins.text_element import TextElement

from holotype import files
from holotype.app.exploring.selections import selection_of
from holotype.app.pages.jobs_form import check_unclaimed
from holotype.app.pages.review_person import reviewer
from holotype.app.pages.review_store import ReviewStore
from holotype.app.pages.text import note, paragraph, text
from holotype.app.workbench import Workbench
from holotype.collection.store import Collection, open_collection
from holotype.errors import HolotypeError, SourceError
from holotype.identify.columns import DECISIONS, Decision
from holotype.identify.sidecar import sidecar_path
from holotype.jobs import Job, JobError, Jobs, State
from holotype.jobs.offers import written_by
from holotype.page.words import count, some
from holotype.reviewing.make import new_session
from holotype.reviewing.session import Proposal, session_name
from holotype.reviewing.wanted import Wanted

ANSWERS = ".answers"
LOOK_EVERY_S = 2.0
TAKEN = frozenset({"new"})
"""Names that are addresses of other pages."""
PROPOSALS: dict[str, str] = {
    Proposal.LABEL.value: "the best label, safe or not",
    Proposal.ANSWER.value: "the safe answer, which may be a wider taxon",
    Proposal.COLLECTION.value: "what the collection calls it",
}


class NewSession:
    """The form of one visitor."""

    def __init__(self, workbench: Workbench, store: ReviewStore, *, selection: str) -> None:
        self._workbench, self._store, self._selection = workbench, store, selection
        self._jobs = Jobs(workbench.workspace / "jobs")
        self._ids: frozenset[str] = frozenset()
        self._collection: Collection
        self._answers: Path
        self._place: ui.element
        self._is_ready = False
        self._drawn: tuple[str, State | None] | None = None
        self._said: TextElement | None = None
        self._is_asking = False

    async def draw(self) -> None:
        """Draws the form; without a collection, what to do instead."""
        if self._workbench.collection is None:
            paragraph("No collection is open. Start the server with --collection.").classes("lead")
            return
        try:
            self._collection = open_collection(self._workbench.collection.path)
            self._ids = await asyncio.to_thread(self._chosen)
            self._answers = await asyncio.to_thread(self._answers_of)
        except HolotypeError as reason:
            text("p", str(reason)).classes("bad")
            return
        number = len(self._ids) or len(self._collection)
        paragraph(
            f"{some(number, 'record')} of {self._collection.name}"
            + (", selected on the page Explore." if self._ids else ".")
        ).classes("lead")
        self._place = ui.element("div").classes("review-form")
        await self._look()
        self._timer = ui.timer(LOOK_EVERY_S, self._look, immediate=False)

    def _chosen(self) -> frozenset[str]:
        if not self._selection:
            return frozenset()
        found = selection_of(self._workbench.workspace, self._selection)
        if Path(found.collection).resolve() != self._collection.path.resolve():
            raise SourceError(
                "these records were selected in another collection. Select them again."
            )
        return frozenset(found.record_ids)

    def _answers_of(self) -> Path:
        """Returns where the answers of this model to these records belong."""
        table = self._collection.columns(["record_id", "content_hash"])
        whole = self._answers_to(table)
        if not self._ids or _are_there(whole):
            return whole
        chosen = pc.is_in(table["record_id"], value_set=pa.array(sorted(self._ids)))
        return self._answers_to(table.filter(chosen))

    def _answers_to(self, records: pa.Table) -> Path:
        told = "\0".join(
            map(str, records["record_id"].to_pylist() + records["content_hash"].to_pylist())
        )
        key = f"{self._workbench.identifier.bundle.fingerprint}-{files.sha256_bytes(told.encode())[:16]}"
        return self._store.folder / ANSWERS / key / "answers.parquet"

    async def _look(self) -> None:
        """Draws the form once the records are named, else how far that is."""
        if self._is_ready:
            return
        if _are_there(self._answers):
            self._is_ready = True
            if hasattr(self, "_timer"):
                self._timer.cancel()
            self._place.clear()
            with self._place:
                self._draw_form()
            return
        job = await asyncio.to_thread(self._job)
        drawn = ("", None) if job is None else (job.id, job.state)
        if drawn != self._drawn:  # only then: what is drawn anew loses the focus
            self._drawn = drawn
            self._place.clear()
            with self._place:
                self._draw_wait(job)
        if job is not None and self._said is not None:
            self._said.set_text(self._how_far(job))

    def _job(self) -> Job | None:
        """Returns the newest job that names these records."""
        found = [job for job in self._jobs.all() if str(self._answers) in written_by(job.words)]
        return max(found, key=lambda job: job.id, default=None)

    def _how_far(self, job: Job) -> str:
        told = self._jobs.progress(job.id)
        if told is None:
            return "The records are being named."
        number = len(self._ids) or len(self._collection)
        return f"The records are being named: {count(told.done)} of {count(number)}."

    def _draw_wait(self, job: Job | None) -> None:
        self._said = None
        if job is not None and job.state in {State.RUNNING, State.WAITING}:
            with ui.element("div").classes("row"):
                ui.spinner()
                self._said = text("span", "").props("role=status")
            ui.link("See the job", "/jobs")
            return
        if job is not None and job.state is not State.DONE:
            text(
                "p", f"Naming the records has {job.state.value}. See the page Jobs, or try again."
            ).classes("bad")
        paragraph(
            "The model first names these records: the best label, how sure it is, and what looks alike. "
            "It is done in the background, once for all sessions of the same records."
        )
        self._asker = ui.button("Name the records", on_click=self._start)

    async def _start(self) -> None:
        if self._is_asking:
            return  # the second press of a double click
        self._is_asking = True
        self._asker.disable()
        try:
            await asyncio.to_thread(self._ask, reviewer() or "")
        except JobError:
            ui.notify("These records are being named already.", type="info")
        except (HolotypeError, OSError) as reason:
            ui.notify(str(reason), type="negative", multi_line=True)
        finally:
            self._is_asking = False
            self._asker.enable()
        await self._look()

    def _ask(self, who: str) -> None:
        """Asks for the answers, once: whoever else asks for the same ones meanwhile is refused.

        Raises:
            JobError: where a job that waits or runs writes them.
        """
        words = self._words()
        with self._store.naming:
            check_unclaimed(self._jobs, words)
            if _are_there(self._answers):
                return
            self._answers.parent.mkdir(parents=True, exist_ok=True)
            if self._ids:
                listed = "\n".join(sorted(self._ids)) + "\n"
                self._listed.write_text(listed, encoding="utf-8")
            self._jobs.start("Name the records for review", words, asked_by=who)

    @property
    def _listed(self) -> Path:
        return self._answers.with_name("records.txt")

    def _words(self) -> list[str]:
        run = self._workbench.run
        model = str(Path(run).resolve()) if Path(run).exists() else run
        words = [
            "predict", model, str(self._collection.path.resolve()),
            f"--out={self._answers}", f"--embeddings={_embeddings(self._answers)}", "--json",
        ]  # fmt: skip
        return [*words, "--records", str(self._listed)] if self._ids else words

    def _draw_form(self) -> None:
        self._name = ui.input(label="Name of the session").props("outlined maxlength=80 autofocus")
        kinds = {
            one.value: f"{one.value}: {said}"
            for one, said in DECISIONS.items()
            if one is not Decision.FAILED
        }
        self._decisions = ui.select(
            kinds, multiple=True, value=[], label="Only records decided so"
        ).props("outlined options-dense clearable use-chips")
        self._proposal = ui.select(
            PROPOSALS, value=Proposal.LABEL.value, label="Confirming gives"
        ).props("outlined options-dense")
        self._size = ui.number(
            label="Records on a page", value=40, min=1, max=200, precision=0
        ).props("outlined")
        self._button = ui.button("Make the session", on_click=self._make)
        self._wrong = ui.label("").classes("bad").props("role=alert")
        note("Records of one label that look alike share a page.")

    async def _make(self) -> None:
        self._wrong.set_text("")
        self._button.props("loading").disable()
        try:
            name = session_name(str(self._name.value or ""))
            if name in TAKEN or (self._store.folder / name).exists():
                raise SourceError(f"there is a session '{name}' already. Take another name.")
            wanted = Wanted(record_ids=self._ids, decisions=frozenset(self._decisions.value or ()))
            await asyncio.to_thread(
                lambda: new_session(
                    self._answers, collection=self._collection.path, embeddings=_embeddings(self._answers),
                    out=self._store.folder / name, model=self._workbench.identifier.bundle.path,
                    wanted=wanted, proposal=self._proposal.value, page_size=int(self._size.value or 40),
                )
            )  # fmt: skip
        except HolotypeError as reason:
            self._wrong.set_text(str(reason).replace(str(self._store.folder), "reviews"))
            return
        finally:
            self._button.props(remove="loading").enable()
        ui.navigate.to(f"/review/{quote(name, safe='')}")


def _embeddings(answers: Path) -> Path:
    """Returns where the embeddings belong that go with some answers."""
    return answers.with_name("embeddings.parquet")


def _are_there(answers: Path) -> bool:
    """Returns whether answers and their embeddings are whole."""
    return sidecar_path(answers).is_file() and _embeddings(answers).is_file()
