"""How the model learned and how its classifier names: curves, then ranks beside baselines."""

from collections import defaultdict
from typing import Any

from holotype.evaluation.report import figures
from holotype.evaluation.report.scoring import evidence, pick, values_of
from holotype.page.layout import (
    Choice,
    Section,
    panels,
    paragraph,
    plot,
)
from holotype.page.words import (
    METRICS,
    PARTS,
    count,
    finite,
    interval,
    part_name,
    plain,
    with_unit,
)

_SUM, _MEAN = "sum", "mean, by which an epoch was chosen"
MODALITIES = ("image", "barcode", "caption")
_SINGLE = {"macro_f1": "Macro-F1", "calibration_error": "Calibration error"}


def learning(content: dict[str, Any]) -> Section | None:
    """Returns the learning curves."""
    history = (content.get("model") or {}).get("history") or []
    losses: dict[str, list[tuple[float, float]]] = defaultdict(list)
    checks: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for row in history:
        epoch = finite(row.get("epoch"))
        for name, value in row.items():
            number = finite(value)
            if epoch is None or number is None:
                continue
            if name == "loss" or name.startswith("loss_"):
                losses[_loss_name(name)].append((epoch, number))
            elif name == "score" or name.startswith("val_"):
                checks[_check_name(name)].append((epoch, number))
    for series in (losses, checks):
        if len(series) == 2:  # a total of one part says nothing more
            series.pop(_SUM, None)
            series.pop(_MEAN, None)
    drawn = []
    for at, (series, title, axis, share) in enumerate(
        (
            (losses, "Loss on the training part", "loss", False),
            (checks, "Figures on the validation part", "per cent", True),
        )
    ):
        if series:
            spec = figures.lines(dict(series), axis=axis, share=share)
            height = 330 + 20 * (len(series) // 2)
            says = f"{title} by epoch: {', '.join(series)}."
            drawn.append(plot(f"learning-{at}", spec, says=says, height=height, title=title))
    if not drawn:
        return None
    lead = (
        "Did the model learn, and did it still learn at the end? The loss should fall; figures on the "
        "validation part should rise and then stay."
    )
    body = f'<div class="facets two">{"".join(drawn)}</div>'
    body += paragraph("Curves have no interval: each epoch was measured once.", kind="note")
    return Section("learning", "Learning curves", lead, body)


def _loss_name(name: str) -> str:
    part = name.removeprefix("loss").removeprefix("_")
    return _SUM if not part else part.replace("-", " with ").replace("_", " ")


def _check_name(name: str) -> str:
    if name == "score":
        return _MEAN
    kind, _, modality = name.removeprefix("val_").rpartition("_")
    said = {"top1": "classifier, top-1", "nearest": "nearest record, top-1"}
    return f"{modality}: {said.get(kind, kind.replace('_', ' '))}" if kind else modality


def classification(content: dict[str, Any]) -> Section | None:
    """Returns how the classifier names at each rank, beside baselines."""
    lead = (
        "How often does the classifier give the right name, or the right name among its first five? "
        "Micro counts every record alike, macro every taxon alike; rare taxa pull macro down."
    )
    return _named("classification", "Classification", lead, content)


def caption_classification(content: dict[str, Any]) -> Section | None:
    """Returns how the captions of the names that were taught name at each rank."""
    lead = (
        "How well do captions name what was taught? The same queries and names as the classifier's, each "
        "name put into words: a model without a classifier names in this way."
    )
    return _named("caption_classification", "Classification by captions", lead, content)


def _named(task: str, title: str, lead: str, content: dict[str, Any]) -> Section | None:
    scores = pick(content.get("scores") or [], task=task)
    if not scores:
        return None
    choices = [
        Choice("Query", {p: p for p in values_of(scores, "pair", MODALITIES)}),
        Choice("Queries of", {p: part_name(p) for p in values_of(scores, "part", PARTS[::-1])}),
    ]

    def body(keys: tuple[str, ...], name: str) -> str | None:
        chosen = pick(scores, pair=keys[0], part=keys[1])
        f1 = "".join(
            f'<p class="single">{said} of {plain(s["rank"])}s, {plain(s["method"])}: '
            f"<b>{with_unit(s['value'])}</b> <small>({_around(s)}, n {count(s['n'])})</small></p>"
            for metric, said in _SINGLE.items()
            for s in pick(chosen, metric=metric)
        )
        ranks = evidence(
            name,
            [s for s in chosen if s["metric"] not in _SINGLE],
            rows="rank",
            columns="metric",
            column_order=METRICS,
            axis="per cent right",
            row_title="rank",
        )
        return f1 + ranks if ranks else None

    name = task.replace("_", "-")
    return Section(name, title, lead, panels(name, choices, body))


def _around(score: dict[str, Any]) -> str:
    if finite(score.get("low")) is None:
        return "no interval"
    return f"interval {interval(score.get('low'), score.get('high'))}"
