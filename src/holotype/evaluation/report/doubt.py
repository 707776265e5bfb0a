"""How sure the model is, and rightly so: reliability, coverage against error, errors kept, and novelty."""

from typing import Any

from holotype.evaluation.report.doubt_figures import coverage_figure, reliability_figure
from holotype.page.layout import Choice, Section, panels, paragraph, plot
from holotype.page.tables import table
from holotype.page.words import capital, count, interval, percent, plain, with_unit

ALLOWED = 0.05
CHANNELS = {"image": "Image", "barcode": "Barcode", "both": "Image and barcode"}


def decisions(content: dict[str, Any]) -> Section | None:
    """Returns what the safe answers are worth; None where the model was never calibrated."""
    channels = content.get("decisions") or {}
    if not channels:
        return None
    choice = Choice("Answered by", {name: CHANNELS[name] for name in channels})

    def body(keys: tuple[str, ...], part_id: str) -> str | None:
        found = channels[keys[0]]
        parts = [
            plot(
                f"{part_id}-reliability",
                reliability_figure(found["calibration"]),
                says="Share of right answers by confidence: the answer, and the ranks.",
                height=360,
                title="Reliability",
                caption="On the line a confidence of 80 % is right four times of five.",
            ),
            plot(
                f"{part_id}-coverage",
                coverage_figure(found["curve"]),
                says="Error among answered records by the share that is answered.",
                height=330,
                title="Error by coverage",
                caption="Stricter thresholds to the left. The band is a 95 % interval.",
            ),
            _errors(found["errors"]),
            _levels(found["levels"]),
            _expected(found["calibration"]),
            _novelty(found),
        ]
        return "".join(part for part in parts if part)

    return Section(
        "decisions",
        "How sure, and rightly so",
        "An answer goes down the tree as far as the allowed error permits. Thresholds were set on validation "
        "records; everything here is of test records, and an error is one at the rank that was answered.",
        panels("decisions", [choice], body),
    )


def _errors(rows: list[dict[str, Any]]) -> str:
    shown = [
        [
            f"{with_unit(row['allowed'])}, {row['part']}",
            with_unit(row["error"]),
            interval(row["low"], row["high"]),
            count(row["judged"]),
            with_unit(row["answered"] / row["records"]),
            with_unit(row["named"] / row["records"]),
            row["remark"] or "",
        ]
        for row in rows
    ]
    columns = ["Allowed, part", "Error", "95 %", "Judged", "Answered", "With a label", "Remark"]
    return table(columns, shown, says="Errors allowed and found", words=[6], caption="Errors")


def _levels(rows: list[dict[str, Any]]) -> str:
    shown = [
        [
            capital(row["level"]),
            with_unit(row["share_at_least"]),
            with_unit(row["share"]),
            with_unit(row["wrong"] / row["judged"]) if row["judged"] else "",
            count(row["judged"]),
        ]
        for row in rows
    ]
    columns = ["Rank", "Answered here or deeper", "Answered here", "Error", "Judged"]
    caption = f"By rank, where {percent(ALLOWED)} % may be wrong"
    return table(columns, shown, says="Coverage and error by rank", caption=caption)


def _expected(rows: list[dict[str, Any]]) -> str:
    shown = [[capital(row["of"]), with_unit(row["error"]), count(row["records"])] for row in rows]
    columns = ["Confidence of", "Expected calibration error", "Records"]
    return table(columns, shown, says="Calibration error by rank", caption="Calibration")


def _novelty(found: dict[str, Any]) -> str:
    if not found["novelty"]:
        return paragraph("No taxon was held out, so novelty was not examined.", kind="note")
    scaled = {
        "unseen": "Scaled by validation records of unseen taxa.",
        "stand_ins": "Scaled by stand-ins: known records with a taxon of theirs hidden.",
    }
    shown = [
        [
            f"{plain(row['held_out'])}: {plain(row['method'])}",
            with_unit(row["value"]),
            interval(row["low"], row["high"]),
            count(row["novel"]),
            count(row["taxa"]),
            count(row["known"]),
        ]
        for row in found["novelty"]
    ]
    columns = ["Held out: method", "Area under ROC", "95 %", "Novel", "Of taxa", "Known"]
    caption = (
        "Novelty, records of held-out taxa against the others; intervals over these taxa. "
        f"{scaled[found['novelty_scaled_by']]}"
    )
    return table(columns, shown, says="Novelty beside baselines", caption=caption)
