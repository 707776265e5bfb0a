"""Who wins what: a table of arms and tasks, and dots with intervals task by task."""

from typing import Any

from holotype.evaluation.report import figures
from holotype.page.figures import short
from holotype.page.layout import Choice, Section, panels, paragraph, plot, scrolling
from holotype.page.words import (
    count,
    finite,
    interval,
    metric_name,
    ordered,
    percent,
    plain,
)

STYLE = """
.claim { border-top: 1px solid var(--line); padding: .9rem 0 .6rem; break-inside: avoid; }
.claim h3 { margin: 0 0 .4rem; font-size: 1.08rem; }
.claim .badge { margin-right: .4rem; white-space: nowrap; }
.claim-answer { max-width: 50rem; margin: .2rem 0 .6rem; }
.claim summary { cursor: pointer; font-size: .9rem; color: var(--link); margin: .3rem 0; }
.heat.arms td small { display: block; color: inherit; opacity: .85; white-space: nowrap; }
.heat.arms .best b::before { content: "★ "; }
.heat.arms .tied { outline: 2px solid var(--ink); outline-offset: -3px; }
.heat.arms th small { display: block; }
"""
_LEVELS = 5
_NO_RIVAL = ("ceiling", "random vectors")
"""What no model can beat, and what none should fall to."""


def heat(content: dict[str, Any]) -> Section | None:
    """Returns the table of arms and headlines, coloured within each row."""
    headlines = content.get("headlines") or []
    if not headlines:
        return None
    lead = (
        "Which school wins what? The stronger a colour the better, from the worst arm of a row to the best. "
        "A star marks the best; a frame, those not shown to be worse: their paired difference from the best "
        "does not exclude zero."
    )
    choices = [Choice("Split", {name: name for name in splits_of(content)})]

    def body(keys: tuple[str, ...], name: str) -> str | None:
        del name
        return _heat_table(content, keys[0])

    sentences = _won(content)
    return Section("wins", "Who wins what", lead, panels("wins", choices, body) + sentences)


def splits_of(content: dict[str, Any]) -> list[str]:
    """Returns the names of the splits, the one that claims are judged on first."""
    found = list(dict.fromkeys(row["split"] for row in content["figures"]))
    return ordered(found, [content["shown_split"]])


def _heat_table(content: dict[str, Any], split: str) -> str:
    arms = [arm["name"] for arm in content["arms"]]
    where = _by_place(content, split)
    won = {one["headline"]: one for one in content["wins"] if one["split"] == split}
    rows = []
    for headline in content["headlines"]:
        found = {arm: where.get((_key(headline), arm)) for arm in arms}
        values = {a: v for a, r in found.items() if r and (v := finite(r["value"])) is not None}
        if not values:
            continue
        first = next(iter(row for row in found.values() if row))
        cells = "".join(
            _cell(found[arm], values, headline, won.get(headline["name"]), arm) for arm in arms
        )
        note = f"{headline['rank']}, n {count(first['n'])}"
        if headline["better"] == "lower":
            note += ", lower is better"
        rows.append(
            f'<tr><th scope="row">{plain(headline["title"])}<small>{plain(note)}</small></th>'
            f"{cells}<td>{_baseline(content, headline, split)}</td></tr>"
        )
    head = "".join(f'<th scope="col">{plain(short(arm, 28))}</th>' for arm in arms)
    return paragraph(
        "Per cent, with 95 % intervals over seeds and queries.", kind="note"
    ) + scrolling(
        f'<table class="heat arms"><thead><tr><th scope="col">Task</th>{head}'
        f'<th scope="col">Best without a model</th></tr></thead><tbody>{"".join(rows)}</tbody></table>',
        says="Arms and tasks",
    )


def _cell(
    row: dict[str, Any] | None,
    values: dict[str, float],
    headline: dict[str, Any],
    won: dict[str, Any] | None,
    arm: str,
) -> str:
    if row is None or arm not in values:
        return "<td></td>"
    least, most = min(values.values()), max(values.values())
    place = (values[arm] - least) / (most - least) if most > least else 1.0
    level = round((_LEVELS - 1) * (1 - place if headline["better"] == "lower" else place))
    kinds = [f"h{level}"]
    if won is not None and arm in won["tied"]:
        kinds.append("tied")
    if won is not None and arm == won["best"]:
        kinds.append("best")
    shown = _shown(row, share=headline["share"])
    return f'<td class="{" ".join(kinds)}">{shown}</td>'


def _shown(row: dict[str, Any], *, share: bool) -> str:
    low, high = finite(row["low"]), finite(row["high"])
    value = percent(row["value"]) if share else f"{row['value']:.3f}"
    around = interval(low, high) if share else f"{low:.3f} to {high:.3f}" if low is not None else ""
    return f"<b>{value}</b><small>{around}</small>"


def _baseline(content: dict[str, Any], headline: dict[str, Any], split: str) -> str:
    found = _baselines_of(content, headline, split)
    if not found:
        return plain(None)
    choose = min if headline["better"] == "lower" else max
    best = choose(found, key=lambda row: float(row["value"]))
    value = percent(best["value"]) if headline["share"] else f"{best['value']:.3f}"
    return f"{value}<small>{plain(best['method'])}</small>"


def _baselines_of(
    content: dict[str, Any], headline: dict[str, Any], split: str
) -> list[dict[str, Any]]:
    return [
        row
        for row in content["baselines"]
        if _key(row) == _key(headline)
        and row["split"] == split
        and row["method"] not in _NO_RIVAL
        and finite(row["value"]) is not None
    ]


def _won(content: dict[str, Any]) -> str:
    """Returns for each arm what it wins, in a sentence: alone, or with others."""
    lines = []
    tasks = {one["name"] for one in content["headlines"]}
    for arm in (one["name"] for one in content["arms"]):
        alone: list[str] = []
        shared: list[str] = []
        able: list[str] = []
        for one in content["wins"]:
            if one["split"] != content["shown_split"] or one["headline"] not in tasks:
                continue
            if arm in one["tied"]:
                several = "shared" if len(one["tied"]) > 1 else "alone"
                kind = several if one["asked"] > 1 else "able"
                {"alone": alone, "shared": shared, "able": able}[kind].append(one["title"])
        said = []
        if alone:
            said.append(f"wins alone: {'; '.join(alone)}")
        if shared:
            said.append(f"among the best, not told apart: {'; '.join(shared)}")
        if able:
            said.append(f"the only arm with the parts for it: {'; '.join(able)}")
        lines.append(f"<li><b>{plain(arm)}</b> {plain('. '.join(said) or 'wins nothing')}.</li>")
    return f'<ul class="notes">{"".join(lines)}</ul>'


def dots(content: dict[str, Any]) -> Section | None:
    """Returns a figure for each headline: arms with their intervals, and what needs no model."""
    headlines = [one for one in content.get("headlines") or [] if one["share"]]
    if not headlines:
        return None
    choices = [Choice("Split", {name: name for name in splits_of(content)})]

    def body(keys: tuple[str, ...], name: str) -> str | None:
        split = keys[0]
        where = _by_place(content, split)
        drawn = [
            found
            for place, headline in enumerate(headlines)
            if (found := _facet(content, headline, split, where, f"{name}-{place}"))
        ]
        return f'<div class="facets two">{"".join(drawn)}</div>' if drawn else None

    lead = "How far apart are the arms? Dots with 95 % intervals; crosses need no model."
    return Section("tasks", "Task by task", lead, panels("tasks", choices, body))


def _facet(
    content: dict[str, Any],
    headline: dict[str, Any],
    split: str,
    where: dict[tuple[tuple[str, ...], str], dict[str, Any]],
    name: str,
) -> str:
    arms = [arm["name"] for arm in content["arms"] if (_key(headline), arm["name"]) in where]
    if not arms:
        return ""
    others = _baselines_of(content, headline, split)
    rows = [where[_key(headline), arm] for arm in arms]
    names = [*arms, *(row["method"] for row in others)]
    blank: list[figures.Dot | None] = [None] * len(names)
    mine = [*map(_dot, rows), *blank[len(rows) :]]
    without = [*blank[: len(rows)], *map(_dot, others)]
    series = [figures.Series("arm", mine), figures.Series("without a model", without)]
    spec = figures.dots(
        [short(one, 28) for one in names],
        series,
        axis="per cent",
        mark_of={"arm": figures.MODEL_MARK, "without a model": figures.CHANCE_MARK},
    )
    return plot(
        name,
        spec,
        says=f"{headline['title']}: dots with intervals. The table above has the figures.",
        height=figures.dots_height(len(names), 1),
        title=f"{headline['title']} ({headline['rank']}, {metric_name(headline['metric'])})",
    )


def _by_place(
    content: dict[str, Any], split: str
) -> dict[tuple[tuple[str, ...], str], dict[str, Any]]:
    return {(_key(row), row["arm"]): row for row in content["figures"] if row["split"] == split}


def _key(row: dict[str, Any]) -> tuple[str, ...]:
    return tuple(str(row[name]) for name in ("task", "pair", "rank", "part", "metric"))


def _dot(row: dict[str, Any]) -> figures.Dot:
    return figures.Dot(
        finite(row.get("value")), finite(row.get("low")), finite(row.get("high")), row.get("n")
    )
