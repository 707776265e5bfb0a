"""The comparison as one page that opens offline: claims first, then who wins what, then all the figures."""

from typing import Any

from holotype.evaluation.compare import page_claims, page_differences, page_figures, page_runs
from holotype.page.document import document
from holotype.page.words import plain, some

SECTIONS = (
    page_claims.claims,
    page_figures.heat,
    page_figures.dots,
    page_differences.differences,
    page_differences.everything,
    page_runs.tree,
    page_runs.learning,
    page_runs.cost,
    page_runs.fairness,
    page_runs.method,
)
_SHORT = {
    "claims": "Claims",
    "wins": "Who wins",
    "tasks": "Tasks",
    "differences": "Differences",
    "everything": "All figures",
    "tree": "The tree",
    "learning": "Learning",
    "cost": "Cost",
    "fairness": "Fairness",
    "method": "Method",
}


def page(content: dict[str, Any]) -> str:
    """Returns the report as HTML; the same content gives the same bytes.

    Args:
        content: as in docs/formats/report.md. Sections without evidence are left out.
    """
    sections = [found for make in SECTIONS if (found := make(content)) is not None]
    title = f"Comparison: {content['name']}"
    return document(title, _top(content, title), sections, _SHORT, style=page_figures.STYLE)


def _top(content: dict[str, Any], title: str) -> str:
    """Returns the head of the page: what is compared, on what, and what went wrong."""
    lines = [f"<h1>{plain(title)}</h1>"]
    if content.get("about"):
        lines.append(f'<p class="about">{plain(content["about"])}</p>')
    runs = content["runs"]
    failed = [one for one in runs if one["state"] != "done"]
    arms, splits, seeds = content["arms"], content["splits"], content["seeds"]
    collection = content["collection"]
    lines.append(
        f'<p class="dim">{some(len(arms), "arm")}, {some(len(seeds), "seed")}, '
        f"{some(len(splits), 'split')}: {some(len(runs), 'run')}. Collection "
        f"{plain(collection['name'])}, {some(collection['records'], 'record')}.</p>"
    )
    if content["fairness"]["unequal"]:
        lines.append(
            '<p class="verdict bad">✗ Unequal: the arms differ in what should be the same. See Fairness.'
            "</p>"
        )
    if failed:
        reasons = "".join(
            f"<li>{plain(one['arm'])}, seed {plain(one['seed'])}, {plain(one['split'])}: "
            f"{plain(one['reason'])}</li>"
            for one in failed
        )
        lines.append(
            f'<p class="verdict bad">✗ {some(len(failed), "run")} of {len(runs)} failed:</p>'
            f'<ul class="notes">{reasons}</ul>'
        )
    return "".join(lines)
