"""The parts of the page Evidence about doubt: reliability, thresholds, errors kept, novelty."""

from collections.abc import Callable, Mapping
from typing import Any

from nicegui import run, ui

from holotype.app.pages import evidence_figures as figures
from holotype.app.pages.evidence_facts import ALLOWED, SHOWN_ALLOWED, Facts
from holotype.app.pages.evidence_figures import table
from holotype.app.pages.text import heading, note
from holotype.evaluation.report.doubt import CHANNELS
from holotype.page.words import DASH, capital, count, interval, with_unit


def reliability(facts: Facts, channels: Mapping[str, Any]) -> None:
    """Draws curves of the answer and its ranks (test), and of the best label by instrument (validation)."""
    if channels:

        def of_channel(name: str) -> None:
            found = channels[name]["calibration"]
            curves = {one["of"]: one["bins"] for one in found if one["of"] in _SHOWN}
            figures.reliability(
                curves, title="The answer and its ranks, test records",
                says="Share of right answers by confidence.",
                caption="On the line, a confidence of 80 % is right four times of five. Bars: 95 %.",
            )  # fmt: skip
            table(
                ["Confidence of", "Expected calibration error", "Records"],
                [
                    [capital(one["of"]), with_unit(one["error"]), count(one["records"])]
                    for one in found
                ],
                says="Calibration error by rank",
            )

        _chosen(
            of_channel,
            ("Answered by", {name: CHANNELS.get(name, name) for name in channels}, ""),
        )
    if facts.by_instrument:
        figures.reliability(
            facts.by_instrument, title="The best label by instrument, validation images",
            says="Share of right best labels by score, for each instrument.",
            caption="Of labels that it was taught, where the record's own name goes as deep; scores before "
            "calibration on the tree. Below the line the model is too sure of itself.",
        )  # fmt: skip


_SHOWN = ("answer", "family", "genus", "species", "label")


def thresholds(facts: Facts) -> None:
    """Draws what keeps an error that is chosen: thresholds by rank, and the curve they lie on."""
    assert facts.decisions is not None
    of = facts.decisions.decisions.channels

    def of_channel(name: str, allowed: str) -> None:
        promise = facts.promise(name, float(allowed))
        rows = [
            [
                capital(name), DASH if value is None else with_unit(value),
                DASH if value is None else with_unit(share), remark,
            ]
            for name, value, share, remark in (promise.everything, *promise.levels)
        ]  # fmt: skip
        columns = ["Answers of", "Confidence needed", "Answered", "Remark"]
        _remarked(columns, rows, says="Thresholds by rank")
        if promise.curve:
            figures.coverage(
                promise.curve,
                caption="Validation records; stricter thresholds to the left. The band is a 95 % interval.",
            )

    _chosen(
        of_channel,
        ("Answered by", {str(name): CHANNELS.get(str(name), str(name)) for name in of}, ""),
        ("Error allowed", {str(one): with_unit(one) for one in ALLOWED}, str(SHOWN_ALLOWED)),
        prepare=lambda name, allowed: facts.promise(name, float(allowed)),
    )
    note("A dash: nothing is promised at this error, for the reason beside it.")


def errors(channels: Mapping[str, Any]) -> None:
    """Draws the errors that were allowed and found, by part of the test records."""

    def of_channel(name: str, allowed: str) -> None:
        rows = [
            [
                capital(row["part"]), with_unit(row["error"]),
                interval(row["low"], row["high"]), count(row["judged"]),
                with_unit(row["answered"] / row["records"]) if row["records"] else DASH,
                with_unit(row["named"] / row["records"]) if row["records"] else DASH, row["remark"] or "",
            ]
            for row in channels[name]["errors"] if str(row["allowed"]) == allowed
        ]  # fmt: skip
        columns = ["Part", "Error", "95 %", "Judged", "Answered", "With a label", "Remark"]
        _remarked(columns, rows, says="Errors by part of the test records")
        heading(3, "By rank, where 5 % may be wrong")
        levels = [
            [
                capital(row["level"]), with_unit(row["share_at_least"]), with_unit(row["share"]),
                with_unit(row["wrong"] / row["judged"]) if row["judged"] else DASH, count(row["judged"]),
            ]
            for row in channels[name]["levels"]
        ]  # fmt: skip
        table(
            ["Rank", "Answered here or deeper", "Answered here", "Error", "Judged"], levels,
            says="Coverage and error by rank",
        )  # fmt: skip

    allowed = {
        str(row["allowed"]): row["allowed"] for of in channels.values() for row in of["errors"]
    }
    _chosen(
        of_channel,
        ("Answered by", {name: CHANNELS.get(name, name) for name in channels}, ""),
        ("Error allowed", {key: with_unit(one) for key, one in allowed.items()}, "0.05"),
    )


def novelty(channels: Mapping[str, Any]) -> None:
    """Draws how well held-out taxa are told from known ones."""
    there = {name: of for name, of in channels.items() if of.get("novelty")}

    def of_channel(name: str) -> None:
        rows = [
            [
                f"{row['held_out']}: {row['method']}", with_unit(row["value"]),
                interval(row["low"], row["high"]), count(row["novel"]), count(row["taxa"]),
                count(row["known"]),
            ]
            for row in there[name]["novelty"]
        ]  # fmt: skip
        columns = ["Held out: method", "Area under ROC", "95 %", "Novel", "Of taxa", "Known"]
        table(columns, rows, says="Novelty beside baselines")

    _chosen(of_channel, ("Answered by", {name: CHANNELS.get(name, name) for name in there}, ""))


def _remarked(columns: list[str], rows: list[list[str]], *, says: str) -> None:
    """Draws a table whose last column has remarks; one that most rows share stands below it, once."""
    remarks = [row[-1] for row in rows if row[-1]]
    common = max(remarks, key=remarks.count, default="")
    if remarks.count(common) < 2:
        table(columns, rows, says=says, words=[len(columns) - 1])
        return
    shown = [[*row[:-1], "*" if row[-1] == common else row[-1]] for row in rows]
    table(columns, shown, says=says, words=[len(columns) - 1])
    note(f"* {capital(common)}.")


def _chosen(
    draw: Callable[..., None],
    *choices: tuple[str, dict[str, str], str],
    prepare: Callable[..., object] | None = None,
) -> None:
    """Draws selectors, and what belongs to what is chosen.

    Args:
        draw: gets the key of each choice.
        choices: title, key -> written option, and the key chosen at first, "" for the first one; a choice of
            one option is not shown.
        prepare: what takes long, done in a thread before something else is drawn.
    """
    state = [first if first in options else next(iter(options)) for _, options, first in choices]

    @ui.refreshable
    def shown() -> None:
        draw(*state)

    async def changed(at: int, value: Any) -> None:
        state[at] = str(value)
        if prepare is not None:
            await run.io_bound(prepare, *state)
        shown.refresh()

    with ui.element("div").classes("row"):
        for at, (title, options, _) in enumerate(choices):
            if len(options) > 1:
                ui.select(
                    options, value=state[at], label=title,
                    on_change=lambda event, at=at: changed(at, event.value),
                ).props("outlined dense options-dense").classes("narrow")  # fmt: skip
    shown()
