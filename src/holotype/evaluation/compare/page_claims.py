"""The claims in words, each with its verdict and the figures that it rests on."""

from typing import Any

from holotype.evaluation.compare.tasks import Figure, is_share
from holotype.evaluation.report import figures
from holotype.page.figures import short
from holotype.page.layout import Section, plot
from holotype.page.tables import table
from holotype.page.words import count, finite, percent, plain

_BADGES = {"holds": ("good", "✓ Holds"), "does not hold": ("bad", "✗ Does not hold")}
_SHOWN_BADGE = ("none", "? Not shown")


def claims(content: dict[str, Any]) -> Section | None:
    """Returns the claims with their verdicts."""
    found = content.get("claims") or []
    if not found:
        return None
    lead = (
        "A claim holds where the whole 95 % interval reaches what it says, against each arm and in each "
        "figure that it names; it does not hold where the whole interval of one stays below. All else is "
        "not shown: these data cannot tell."
    )
    return Section(
        "claims",
        "The claims",
        lead,
        "".join(_claim(one, place) for place, one in enumerate(found)),
    )


def _claim(one: dict[str, Any], place: int) -> str:
    kind, said = _BADGES.get(one["verdict"], _SHOWN_BADGE)
    title = f'<span class="badge {kind}">{said}</span> {plain(one["says"])}'
    parts = [
        f'<article class="claim" aria-labelledby="claim-{place}">',
        f'<h3 id="claim-{place}">{title}</h3>',
        f'<p class="claim-answer">{plain(one["answer"])}</p>',
    ]
    compared = one["compared"]
    if len(compared) > 1:
        summary = f"All {count(len(compared))} comparisons"
        parts.append(f"<details><summary>{summary}</summary>{_table(compared)}</details>")
    shares = [row for row in compared if is_share(row["metric"])]
    if 1 < len(shares) <= 12:
        parts.append(_drawn(shares, place))
    return "".join([*parts, "</article>"])


def _table(compared: list[dict[str, Any]]) -> str:
    rows = []
    for row in compared:
        share = is_share(row["metric"])
        rows.append(
            [
                _said(row),
                row["first"],
                _number(row["first_value"], share=share),
                row["second"],
                _number(row["second_value"], share=share),
                gain(row, share=share),
                row["n"],
                row["verdict"],
            ]
        )
    columns = ["Figure", "First", "Its figure", "Second", "Its figure", "Gain", "n", "Verdict"]
    return table(columns, rows, says="All comparisons of the claim", words=(1, 3, 7))


def _drawn(shares: list[dict[str, Any]], place: int) -> str:
    found = [
        figures.Dot(finite(r["value"]), finite(r["low"]), finite(r["high"]), r["n"]) for r in shares
    ]
    ends = [abs(v) for dot in found for v in (dot.value, dot.low, dot.high) if v is not None]
    reach = min(1.0, max([*ends, 0.05]) * 1.05)
    spec = figures.dots(
        [short(f"{_said(r)}, against {r['second']}", 60) for r in shares],
        [figures.Series("gain", found)],
        axis="points by which the first is better",
        mark_of={"gain": figures.MODEL_MARK},
        bounds=(-reach, reach),
    )
    return plot(
        f"claim-{place}",
        spec,
        says="Each gain with its interval. The table has the figures.",
        height=figures.dots_height(len(shares), 2),
        kind="wide",
    )


def _said(row: dict[str, Any]) -> str:
    return Figure(*(row[name] for name in ("task", "pair", "rank", "part", "metric"))).said


def _number(value: Any, *, share: bool) -> str:
    number = finite(value)
    if number is None:
        return plain(None)
    return percent(number) if share else f"{number:.3f}"


def gain(row: dict[str, Any], *, share: bool) -> str:
    """Returns a difference with its interval, signed; points where the figures are shares."""
    scale, digits = (100, 1) if share else (1, 3)
    ends = [finite(row[name]) for name in ("value", "low", "high")]
    value, low, high = (None if e is None else f"{scale * e:+.{digits}f}" for e in ends)
    if value is None:
        return plain(None)
    return value if low is None else f"{value} ({low} to {high})"
