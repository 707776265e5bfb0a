"""What a reader sees first: the question and its answer, and the figures that people ask for."""

import re
from collections import defaultdict
from typing import Any

from holotype.evaluation.report import figures
from holotype.evaluation.report.scoring import Scores, methods_of, pick
from holotype.page.figures import short
from holotype.page.layout import Section, paragraph, plot, scrolling
from holotype.page.words import (
    capital,
    count,
    finite,
    interval,
    measured,
    metric_name,
    pair_name,
    part_name,
    plain,
    with_unit,
)

_KEY = re.compile(r"(?P<pair>\S+) (?P<rank>\S+) (?P<what>\S+)")
_PARTS = ("seen", "unseen", "harmonic")


def question(content: dict[str, Any]) -> Section | None:
    """Returns the question asked of several models, with its answer."""
    asked = content.get("question")
    if not asked:
        return None
    rows = list(asked.get("rows") or [])
    parts = [f'<p class="answer">{plain(asked.get("answer"))}</p>']
    if rows:
        names = [str(row.get("name")) for row in rows]
        found = [
            figures.Dot(
                finite(row.get("value")),
                finite(row.get("low")),
                finite(row.get("high")),
                row.get("n"),
            )
            for row in rows
        ]
        spec = figures.dots(
            [short(name, 34) for name in names],
            [figures.Series("figure", found)],
            axis="per cent",
            mark_of={"figure": figures.MODEL_MARK},
            bounds=figures.bound([v for dot in found for v in (dot.value, dot.low)]),
        )
        parts.append(
            plot(
                "question",
                spec,
                says="Each model's figure with its interval. The table has the figures.",
                height=figures.dots_height(len(rows), 2),
                caption="Dots: the figure. Lines: its 95 % interval.",
            )
        )
        inside = "".join(
            f'<tr><th scope="row">{plain(name)}</th><td>'
            f"{measured(dot.value, dot.low, dot.high)}</td><td>{count(dot.n)}</td></tr>"
            for name, dot in zip(names, found, strict=True)
        )
        parts.append(
            scrolling(
                "<table><caption>The same figures in per cent, with 95 % intervals.</caption>"
                '<thead><tr><th scope="col">Model</th><th scope="col">Figure</th>'
                f'<th scope="col">n</th></tr></thead><tbody>{inside}</tbody></table>',
                says="Table of the answer",
            )
        )
    notes = asked.get("notes") or []
    if notes:
        parts.append(f'<ul class="notes">{"".join(f"<li>{plain(n)}</li>" for n in notes)}</ul>')
    lead = (
        "Several models are asked the same question; intervals far apart tell them from each other."
    )
    return Section("question", str(asked.get("title") or "The question"), lead, "".join(parts))


def headline(content: dict[str, Any]) -> Section | None:
    """Returns cards of the first figures, each beside what needs no model."""
    groups: dict[tuple[str, str], list[tuple[str, float | None]]] = defaultdict(list)
    for key, value in (content.get("headline") or {}).items():
        found = _KEY.fullmatch(str(key))
        pair, rank, what = found.group("pair", "rank", "what") if found else ("", "", str(key))
        groups[pair, rank].append((what, finite(value)))
    if not groups:
        return None
    scores = content.get("scores") or []
    cards = "".join(_card(pair, rank, rows, scores) for (pair, rank), rows in groups.items())
    lead = (
        "How often is the first name given the right one? Each card sets the model beside baselines that "
        "need no model; a model is of use where it lies beyond them and its interval does too."
    )
    return Section(
        "headline",
        "The first figures",
        lead,
        f'<div class="cards">{cards}</div>'
        + paragraph(
            "Large: the model. Band: its 95 % interval. Ticks: the baselines named below.",
            kind="note",
        ),
    )


def _card(pair: str, rank: str, rows: list[tuple[str, float | None]], scores: Scores) -> str:
    blocks = []
    for place, (what, value) in enumerate(rows):
        found = _matching(pair, rank, what, scores)
        model = next(iter(pick(found, method="model")), None)
        others = [s for m in methods_of(found) if m != "model" for s in pick(found, method=m)]
        figure = value if model is None else finite(model.get("value"))
        low, high = (None, None) if model is None else (model.get("low"), model.get("high"))
        asked = f" · n {count(model.get('n'))}" if model is not None else ""
        if model is not None and model.get("left_out"):
            asked += f", {count(model.get('left_out'))} left out"
        around = "no interval" if finite(low) is None else interval(low, high)
        baselines = "".join(
            f"<li><span>{plain(s['method'])}</span> <span>"
            f"{measured(s.get('value'), s.get('low'), s.get('high'))}</span></li>"
            for s in others
        )
        blocks.append(
            f'<div class="card-row{"" if place else " first"}"><p class="card-what">{plain(_said(what))}</p>'
            f'<p class="card-figure">{with_unit(figure)} <small>{around}{asked}</small></p>'
            f"{_strip(figure, finite(low), finite(high), others)}"
            f"{f'<ul>{baselines}</ul>' if baselines else ''}</div>"
        )
    return f'<article class="card"><h3>{plain(_title(pair, rank))}</h3>{"".join(blocks)}</article>'


def _matching(pair: str, rank: str, what: str, scores: Scores) -> Scores:
    if what in _PARTS:
        return pick(scores, task="retrieval", pair=pair, rank=rank, part=what, metric="top1_micro")
    return pick(scores, task="classification", pair=pair, rank=rank, part="all", metric=what)


def _said(what: str) -> str:
    if what in _PARTS:
        return capital(part_name(what)) + ", top-1, micro"
    return capital(metric_name(what))


def _title(pair: str, rank: str) -> str:
    if not pair:
        return "Other figures"
    if "-" in pair:
        return f"{capital(pair_name(pair))}: {rank} by the nearest key"
    return f"{capital(pair)}: {rank} by the classifier"


def _strip(value: float | None, low: float | None, high: float | None, others: Scores) -> str:
    """Returns a line from 0 to 100 with the figure, its interval and the baselines."""
    if value is None:
        return ""
    ticks = "".join(
        f'<i class="tick" style="left:{_at(number)}%"></i>'
        for score in others
        if (number := finite(score.get("value"))) is not None
    )
    band = ""
    if low is not None and high is not None:
        band = f'<i class="range" style="left:{_at(low)}%;width:{_at(high - low)}%"></i>'
    return (
        f'<div class="strip" aria-hidden="true">{band}{ticks}'
        f'<i class="dot" style="left:{_at(value)}%"></i></div>'
    )


def _at(share: float) -> str:
    return f"{min(100.0, max(0.0, 100 * share)):.2f}"
