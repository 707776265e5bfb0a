"""The end of a review: how far people agree, labels into the collection, files for others."""

import asyncio
from collections.abc import Sequence
from urllib.parse import quote

from nicegui import ui

from holotype.app.pages.review_dialogs import asking
from holotype.app.pages.review_store import FILES
from holotype.app.pages.text import heading, note, paragraph, text
from holotype.errors import HolotypeError, first_few
from holotype.page.words import DASH, count, some
from holotype.reviewing.agreement import Figure
from holotype.reviewing.apply import apply_review
from holotype.reviewing.review import Review, ReviewStatus
from holotype.reviewing.settle import Settle

SETTLES: dict[str, str] = {
    Settle.AGREED.value: "leave the record as it is",
    Settle.MAJORITY.value: "take what more than half say",
    Settle.NEWEST.value: "take what was said last",
}
MOST_DISPUTED = 50


async def show_agreement(review: Review) -> None:
    """Opens who decided how much, how far they agree, and where they differ."""
    status = await asyncio.to_thread(review.status)
    with asking("Agreement") as dialog:
        _people(status)
        found = status.agreement
        if not found.records:
            note("No record was decided on by two people yet.")
        else:
            paragraph(
                f"{some(found.records, 'record')} decided by two or more: all say the same on "
                f"{_share(found.share)}. Krippendorff’s alpha {_coefficient(found.alpha)}."
            )
            rows = [
                [" and ".join(one.reviewers), count(one.records), _share(one.share), _coefficient(one.kappa)]
                for one in found.pairs
            ]  # fmt: skip
            _table(["Reviewers", "Records", "The same", "Cohen’s kappa"], rows)
        _disputed(review, status.disputed)
        if status.new_labels:
            heading(3, "New labels")
            _table(["Label", "By"], [[name, who] for name, who in status.new_labels.items()])
        if status.torn or status.damaged:
            text(
                "p", f"Lines cut by a crash: {status.torn}; damaged: {len(status.damaged)}."
            ).classes("bad")
        with ui.element("div").classes("review-answers"):
            ui.button("Close", on_click=dialog.close).props("autofocus")


def _people(status: ReviewStatus) -> None:
    kinds = ", ".join(f"{count(number)} {kind}" for kind, number in status.kinds.items())
    paragraph(
        f"{count(status.decided)} of {some(status.records, 'record')} decided"
        + (f" ({kinds})." if kinds else ".")
    )
    if status.reviewers:
        rows = [[name, count(number)] for name, number in status.reviewers.items()]
        _table(["Reviewer", "Records"], rows)


def _disputed(review: Review, records: Sequence[str]) -> None:
    if not records:
        return
    heading(3, f"Disputed: {some(len(records), 'record')}")
    page = review.session.items["page"]
    rows = [
        [
            f"{record} (page {page[review.session.row_of[record]].as_py() + 1})",
            "; ".join(
                f"{n}: {d.label or 'unclassified'}" for n, d in review.decisions(record).items()
            ),
        ]
        for record in records[:MOST_DISPUTED]
    ]
    _table(["Record", "Decisions"], rows)
    if len(records) > MOST_DISPUTED:
        note(f"and {count(len(records) - MOST_DISPUTED)} more: see the table of decisions.")


def show_finish(review: Review) -> None:
    """Opens what can be done with the decisions: files, and labels into the collection."""
    name = quote(review.session.name, safe="")
    with asking("Write and export") as dialog:
        settle = ui.select(
            SETTLES, value=Settle.AGREED.value, label="Where reviewers differ"
        ).props("outlined options-dense")
        heading(3, "Files")
        with ui.element("ul").classes("review-said"):
            for form, (_, about) in FILES.items():
                with ui.element("li"):
                    link = ui.link(about, f"/review/{name}/files/{form}").props("download")
                    text("span", f" ({form})").classes("dim")
                    settle.on_value_change(
                        lambda event, link=link, form=form: _point(
                            link, f"/review/{name}/files/{form}", event.value
                        )
                    )
        heading(3, "Labels into the collection")
        note(
            f"Validated labels, with their lineage and your names, are written into "
            f"{review.session.manifest['collection']['name']}. What a record was called before is kept, so a "
            "decision that is taken back later can be written back too."
        )
        with ui.element("div").classes("review-answers"):
            ui.button("Write labels …", on_click=lambda: _ask_write(review, Settle(settle.value)))
            ui.button("Close", on_click=dialog.close).props("flat")


def _point(link: ui.link, path: str, settle: str) -> None:
    link.props["href"] = f"{path}?settle={settle}"
    link.update()


async def _ask_write(review: Review, settle: Settle) -> None:
    status = await asyncio.to_thread(review.status)
    with asking("Write labels into the collection?") as dialog:
        paragraph(
            f"{some(status.decided, 'record')} decided, {count(len(status.disputed))} of them disputed "
            f"({SETTLES[settle.value]})."
        )
        said = ui.element("div").props("role=status")

        async def write() -> None:
            button.props("loading").disable()
            try:
                report = await asyncio.to_thread(apply_review, review.session.path, settle=settle)
            except HolotypeError as reason:
                with said:
                    text("p", str(reason)).classes("bad")
                button.props(remove="loading").enable()
                return
            button.delete()
            with said:
                text("p", f"{some(report.changed, 'record')} changed.").classes("good")
                rows = [[outcome, count(number)] for outcome, number in report.outcomes.items()]
                _table(["Of the session", "Records"], rows)
                if report.new_labels:
                    text("p", without_lineage(report.new_labels)).classes("bad")

        with ui.element("div").classes("review-answers"):
            button = ui.button("Write", on_click=write)
            ui.button("Close", on_click=dialog.close).props("flat")


def without_lineage(labels: Sequence[str]) -> str:
    """Returns what is to be done with labels that were written without a lineage, in words."""
    return (
        f"Without a lineage: {first_few(labels, limit=12)}. Match the names of the collection "
        "(holotype names match)."
    )


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    with ui.element("div").classes("review-scroll"), ui.element("table").classes("review-table"):
        with ui.element("thead"), ui.element("tr"):
            for column in columns:
                text("th", column).props("scope=col")
        with ui.element("tbody"):
            for row in rows:
                with ui.element("tr"):
                    for cell in row:
                        text("td", cell)


def _share(one: Figure) -> str:
    if one.value is None or one.low is None or one.high is None:
        return DASH
    return f"{100 * one.value:.0f} % ({100 * one.low:.0f} to {100 * one.high:.0f})"


def _coefficient(one: Figure) -> str:
    if one.value is None:
        return "not defined"
    return f"{one.value:.2f}" + ("" if one.low is None else f" ({one.low:.2f} to {one.high:.2f})")
