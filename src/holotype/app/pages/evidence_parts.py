"""The parts of the page Evidence, in their order; a part without evidence is left out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from nicegui import ui

from holotype.app.pages import evidence_doubt
from holotype.app.pages.evidence_facts import Cell, Facts
from holotype.app.pages.evidence_figures import table
from holotype.app.pages.evidence_table import Heading, RowTable
from holotype.app.pages.text import heading, note, text
from holotype.models.bundle import Bundle
from holotype.page.words import (
    DASH,
    capital,
    count,
    interval,
    metric_name,
    pair_name,
    part_name,
    some,
    with_unit,
)

MAY = {"share": "shared", "adapt": "changed", "commercial": "used commercially"}


@dataclass(frozen=True)
class Part:
    """One part: its id, heading, one sentence, and what draws it."""

    name: str
    title: str
    lead: str
    draw: Callable[[], None]


def parts_of(bundle: Bundle, facts: Facts, report: Mapping[str, Any] | None) -> list[Part]:
    """Returns the parts that there is evidence for."""
    found = [
        Part("model", "The model", "What it learnt from, and what may be done with it.",
             lambda: _model(bundle)),
    ]  # fmt: skip
    content = report or {}
    if content.get("scores"):
        found.append(
            Part("figures", "First figures", "Test records: the model beside what needs no model.",
                 lambda: _figures(content["scores"]))
        )  # fmt: skip
    if content.get("decisions") or facts.by_instrument:
        found.append(
            Part("reliability", "Reliability", "Of answers that are 80 % sure, 80 % should be right.",
                 lambda: evidence_doubt.reliability(facts, content.get("decisions") or {}))
        )  # fmt: skip
    if facts.decisions is not None and facts.decisions.decisions.channels:
        found.append(
            Part("thresholds", "Thresholds and coverage",
                 "How sure must an answer be to keep an error rate, and how much is then answered?",
                 lambda: evidence_doubt.thresholds(facts))
        )  # fmt: skip
    if content.get("decisions"):
        found.append(
            Part("errors", "Errors allowed and found",
                 "Was the promise kept on test records: for all, for unseen species, on each instrument?",
                 lambda: evidence_doubt.errors(content["decisions"]))
        )  # fmt: skip
    scores = [s for s in content.get("scores") or [] if s.get("task") == "cross_instrument"]
    if len(facts.instruments) > 1 or scores:
        found.append(
            Part("instruments", "Across instruments",
                 "Does a picture find its like among those that another instrument took?",
                 lambda: _instruments(facts, scores))
        )  # fmt: skip
    if any(of.get("novelty") for of in (content.get("decisions") or {}).values()):
        found.append(
            Part("novelty", "Novelty", "Are records of taxa that were held out told from the others?",
                 lambda: evidence_doubt.novelty(content["decisions"]))
        )  # fmt: skip
    if content.get("per_class"):
        found.append(
            Part("classes", "Classes", "Each label on test records, the least found first.",
                 lambda: _classes(content["per_class"]))
        )  # fmt: skip
    return found


def facts_list(rows: Mapping[str, str]) -> None:
    """Draws names and what they are."""
    with ui.element("dl").classes("facts"):
        for name, value in rows.items():
            with ui.element("div"):
                text("dt", name)
                text("dd", value)


def _model(bundle: Bundle) -> None:
    training = bundle.manifest["training"]
    recipe = training["recipe"]

    def counted(name: str) -> str:
        return "; ".join(f"{one} ({count(n)})" for one, n in (training.get(name) or {}).items())

    may = training.get("may") or {}
    said = "; ".join(f"{MAY[key]}: {one['answer']}" for key, one in may.items() if key in MAY)
    rows = {
        "Name": str(recipe["name"]),
        "About": str(recipe.get("about") or ""),
        "Fingerprint": bundle.fingerprint,
        "Training records": count(training["records"]),
        "Validation records": count(training.get("validation_records")),
        "Labels": count(len(bundle.labels)),
        "Instruments": counted("instruments"),
        "Sources": counted("sources"),
        "Licences, as stated": counted("licences"),
        "May be": said,
        "Collection": str((training.get("collection") or {}).get("name") or ""),
        "Split": str((training.get("split") or {}).get("method") or ""),
    }
    facts_list({name: value for name, value in rows.items() if value})
    note("What may be done is a reading of the licences, not legal advice.")
    labels = [
        {"label": one.name, "kind": one.concept.kind.value, "lineage": one.concept.lineage.text()}
        for one in bundle.labels.labels
    ]  # fmt: skip
    with ui.expansion(f"The {some(len(labels), 'label')}").classes("w-full"):
        RowTable(
            [
                Heading("Label", "label", str, is_text=True),
                Heading("Kind", "kind", str, is_text=True),
                Heading("Lineage", "lineage", lambda one: one or DASH, is_text=True),
            ],
            labels, noun="labels", by="label",
        ).draw()  # fmt: skip


def _figures(scores: list[dict[str, Any]]) -> None:
    """Draws the first figures of classification and retrieval."""
    _beside(
        [
            s for s in scores
            if s["part"] != "harmonic"
            and s["metric"] in ("top1_micro", "top1_macro", "macro_f1")
            and (
                (s["task"], s["part"], s["rank"]) == ("classification", "all", "label")
                or (s["task"], s["rank"], s["metric"]) == ("retrieval", "species", "top1_micro")
            )
        ],
        "Figure", lambda s: f"{_TASKS[s['task']]}, {pair_name(s['pair'])}, "
        f"{part_name(s['part'])}: {metric_name(s['metric'])}",
    )  # fmt: skip


_TASKS = {"classification": "Label", "retrieval": "Nearest species"}


def _beside(
    scores: list[dict[str, Any]], title: str, called: Callable[[dict[str, Any]], str]
) -> None:
    """Draws one row a question: the model, and the best of what needs no model."""
    asked: dict[str, list[dict[str, Any]]] = {}
    for score in scores:
        asked.setdefault(called(score), []).append(score)
    rows = []
    for name, of in asked.items():
        model = next((s for s in of if s["method"] == "model"), None)
        if model is None or model["value"] is None:
            continue
        others = [s for s in of if s["method"] != "model" and s["value"] is not None]
        best = max(others, key=lambda s: s["value"], default=None)
        rows.append(
            [
                name, with_unit(model["value"]), interval(model["low"], model["high"]),
                DASH if best is None else with_unit(best["value"]),
                "" if best is None else best["method"], count(model["n"]),
            ]
        )  # fmt: skip
    columns = [title, "Model", "95 %", "Best baseline", "Which", "n"]
    table(columns, rows, says=f"{title}: the model beside the best baseline", words=[4])


def _instruments(facts: Facts, scores: list[dict[str, Any]]) -> None:
    if len(facts.instruments) > 1:
        heading(3, "The nearest reference, by instrument")
        note(
            f"Of {some(facts.queries, 'validation image')}: how often the nearest of the references that the "
            "instrument of the column took has the right label, where that instrument has the label at all. "
            "The diagonal is the instrument itself; far less beside it means that the model sorts by camera."
        )
        matrix(facts.instruments, facts.across)
    if scores:
        heading(3, "Retrieval across instruments, on test records")
        ranks = ("label", "species", "genus", "family", "order")
        own = [
            s for s in scores
            if s["metric"] == "top1_micro" and s["rank"] in ranks and s["part"] != "harmonic"
        ]  # fmt: skip
        own.sort(key=lambda s: ranks.index(s["rank"]))
        _beside(own, "Rank, part", lambda s: f"{capital(s['rank'])}, {part_name(s['part'])}")


def matrix(names: tuple[str, ...], cells: Mapping[str, Mapping[str, Cell]]) -> None:
    """Draws shares of a query instrument (row) among keys of another (column)."""
    with (
        ui.element("div")
        .classes("scroll")
        .props('tabindex=0 role="region" aria-label="Nearest references by instrument"'),
        ui.element("table").classes("plain heat"),
    ):
        with ui.element("thead"), ui.element("tr"):
            for title in ("Asked by, found among", *names):
                text("th", title).props('scope="col"')
        with ui.element("tbody"):
            for asked in names:
                with ui.element("tr"):
                    text("th", asked).props('scope="row"')
                    for held in names:
                        _cell(cells[asked][held])


def _cell(cell: Cell) -> None:
    share, around = cell.share, cell.interval
    if share is None or around is None:
        text("td", DASH)
        return
    with ui.element("td").classes(f"h{min(2, int(share * 3))}"):
        text("strong", with_unit(share))
        text("div", f"{interval(*around)}, n {count(cell.n)}").classes("small")


def _classes(rows: list[dict[str, Any]]) -> None:
    def number(value: Any) -> str:
        return count(value) if value is not None else DASH

    RowTable(
        [
            Heading("Label", "label", str, is_text=True),
            Heading("Found", "recall", with_unit),
            Heading("Right when said", "precision", with_unit),
            Heading("Test records", "test", number),
            Heading("Training records", "train", number),
            Heading("Kind", "kind", lambda one: str(one or DASH), is_text=True),
        ],
        rows, noun="labels", searched=["lineage"], by="recall",
    ).draw()  # fmt: skip
