"""What an assessment found, on the page: how good, whether the promise is kept, what fails, what differs."""

from collections.abc import Mapping
from typing import Any

from nicegui import ui

from holotype.app.pages import evidence_figures as figures
from holotype.app.pages.evidence_figures import table
from holotype.app.pages.evidence_table import Heading, RowTable
from holotype.app.pages.text import heading, note, text
from holotype.assessing.report import PROMISE, measured_share
from holotype.page.words import DASH, capital, count, interval, percent, some, with_unit

MOST_WRONG = 60
MOST_CONFUSIONS = 25


def draw_report(content: Mapping[str, Any], address: str) -> None:
    """Draws a report as in docs/formats/assessment.md.

    Args:
        content: of ``report.json``.
        address: of the assessment's page: pictures and the whole report are below it.
    """
    heading(2, "How good it is").props("id=found tabindex=-1")
    text(
        "p",
        f"On {some(content['labelled'], 'labelled record')}, which stand for {count(content['records'])}."
        + _left_out(content),
    )
    found, promise = content["accuracy"], content["promise"]
    rows = [
        ["The best label is right", *_share(found["label"])],
        ["A safe answer is given", *_share(found["answered"])],
        ["The safe answer is right", *_share(found["answer"])],
        ["Of a taxon that it was never taught", *_share(found["untaught"])],
    ]
    table(["Figure", "Share", "95 %", "Labelled"], rows, says="How good it is")
    wide = some(found["judged_as_far_as_the_label_goes"], "record")
    note(
        f"{wide} judged as far as your label goes: a wider name than the answer's counts as right where "
        "the answer is within it."
    )
    text(
        "p",
        f"Error of safe answers: {measured_share(promise['error'])}. The promise of at most "
        f"{percent(promise['max_error'])} %: {PROMISE[promise['verdict']]}.",
    ).classes("answer")
    text("p", str(content["instrument"]["sentence"])).classes("answer")
    looks = content["looks"]
    if looks is not None:
        text("p", f"Your images: {looks['in_words']}.")
        with ui.element("ul"):
            for one in looks["differences"]:
                text("li", str(one))
    ui.link("The report as one page", f"{address}/report", new_tab=True)
    _not_understood(content["not_understood"])
    _calibration(content["calibration"].get("label"))
    _classes(content["classes"])
    _confusions(content["confusions"])
    _wrong(content["wrong"], address)


def _left_out(content: Mapping[str, Any]) -> str:
    """Returns how many drawn records have no say, where people could not tell them."""
    unsure = content["unsure"]
    return f" Left out: {some(unsure, 'record')} of which you could not tell." if unsure else ""


def _share(of: Mapping[str, Any]) -> list[str]:
    if of["value"] is None:
        return [DASH, DASH, count(of["n"])]
    return [with_unit(of["value"]), interval(of["low"], of["high"]), count(of["n"])]


def _not_understood(rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    heading(3, "Not understood, and left out")
    with ui.element("ul"):
        for one in rows:
            told = f"“{one['label']}” ({some(one['records'], 'record')}). {one['detail']}"
            text("li", told.strip()).classes("bad")


def _calibration(of: Mapping[str, Any] | None) -> None:
    if not of or not of.get("bins"):
        return
    heading(3, "Does the score say how often it is right?")
    gap = of["too_sure_by"]
    text(
        "p",
        f"Mean score less share right: {100 * gap['value']:+.1f} points "
        f"({100 * gap['low']:+.1f} to {100 * gap['high']:+.1f}).",
    )
    bins = [
        {
            "confidence": one["score"], "right": one["right"]["value"], "low": one["right"]["low"],
            "high": one["right"]["high"], "records": one["right"]["n"],
        }
        for one in of["bins"] if one["right"]["n"] and one["right"]["low"] is not None
    ]  # fmt: skip
    if bins:
        figures.reliability(
            {"best label": bins}, title="Reliability on your records",
            says="Share of right best labels by score.",
            caption="On the line a score of 80 % is right four times of five.",
        )  # fmt: skip


def _classes(rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    heading(3, "Classes, the worst first")
    note("Worst is the lower of the two; it is told of classes with five labelled records.")

    def shown(value: Any) -> str:
        return DASH if value is None else with_unit(value)

    flat = [
        {
            "label": one["label"], "worst": one["worst"],
            "recall": one["recall"]["value"], "precision": one["precision"]["value"],
            "n": one["recall"]["n"],
        }
        for one in rows
    ]  # fmt: skip
    RowTable(
        [
            Heading("Label", "label", str, is_text=True),
            Heading("Worst", "worst", shown),
            Heading("Found", "recall", shown),
            Heading("Right when said", "precision", shown),
            Heading("Labelled", "n", lambda one: count(one) if one is not None else DASH),
        ],
        flat, noun="classes", by="worst",
    ).draw()  # fmt: skip


def _confusions(rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    heading(3, "What is taken for what")
    shown = [
        [str(one["is"]), str(one["said"]), count(one["n"]), count(one["stands_for"])]
        for one in rows[:MOST_CONFUSIONS]
    ]
    table(["Is", "Said", "Seen", "Stands for"], shown, says="What is taken for what", words=[1])


def _wrong(rows: list[dict[str, Any]], address: str) -> None:
    if not rows:
        return
    heading(3, "Wrong, as you see it")
    note("Look at them once more: a label may be wrong too.")
    with ui.element("ul").classes("wrong"):
        for one in rows[:MOST_WRONG]:
            with ui.element("li"):
                picture = ui.element("img").props('loading="lazy"')
                picture.props["src"] = f"{address}/picture/{int(one['number'])}"
                picture.props["alt"] = f"Record {one['number']}"
                text("div", f"{one['number']}: {capital(str(one['is']))}")
                text("div", f"said {one['said']}").classes("dim")
