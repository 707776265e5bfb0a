"""Paired differences between every two arms, and every figure at every rank."""

from collections import defaultdict
from typing import Any

from holotype.evaluation.compare.page_claims import gain
from holotype.evaluation.compare.page_figures import splits_of
from holotype.evaluation.compare.tasks import is_share
from holotype.evaluation.report.scoring import evidence
from holotype.page.layout import Choice, Section, panels
from holotype.page.tables import table
from holotype.page.words import (
    METRICS,
    PARTS,
    capital,
    finite,
    metric_name,
    ordered,
    pair_name,
    plain,
)


def differences(content: dict[str, Any]) -> Section | None:
    """Returns every two arms on each headline: the paired difference, p, and Holm's correction."""
    rows = content.get("differences") or []
    if not rows:
        return None
    titles = {one["name"]: one["title"] for one in content["headlines"]}
    share = {one["name"]: one["share"] for one in content["headlines"]}
    choices = [
        Choice("Task", {name: titles[name] for name in titles}),
        Choice("Split", {name: name for name in splits_of(content)}),
    ]

    def body(keys: tuple[str, ...], name: str) -> str | None:
        del name
        found = [r for r in rows if (r["headline"], r["split"]) == keys]
        if not found:
            return None
        return table(
            ["First", "Second", "First minus second", "p", "p, Holm", "Told apart", "n"],
            [
                [
                    r["first"],
                    r["second"],
                    gain(r, share=share[keys[0]]),
                    _p(r["p"]),
                    _p(r["p_holm"]),
                    _apart(r),
                    r["n"],
                ]
                for r in found
            ],
            says="Paired differences",
            words=(1,),
        )

    lead = (
        "Which differences are more than chance? Paired: the same queries, the same seeds. Holm's correction "
        "is over every two arms and every task of the split."
    )
    return Section("differences", "Paired differences", lead, panels("differences", choices, body))


def _p(value: Any) -> str:
    number = finite(value)
    if number is None:
        return plain(None)
    return "< 0.001" if number < 0.001 else f"{number:.3f}"


def _apart(row: dict[str, Any]) -> str:
    low, high = finite(row["low"]), finite(row["high"])
    if low is None or high is None:
        return "no interval"
    if low <= 0 <= high:
        return "no"
    corrected = finite(row["p_holm"])
    return "yes" if corrected is not None and corrected < 0.05 else "yes, but not after Holm"


_TASKS = ("naming", "zero_shot", "few_shot", "retrieval", "cross_instrument", "hierarchy")


def _task_place(key: str) -> int:
    task = key.partition(" ")[0]
    return _TASKS.index(task) if task in _TASKS else len(_TASKS)


def everything(content: dict[str, Any]) -> Section | None:
    """Returns every figure of every arm at every rank."""
    split = content["shown_split"]
    by_choice: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    titles: dict[str, str] = {}
    for row in content["figures"]:
        if row["split"] != split or row["task"] == "classification" or not is_share(row["metric"]):
            continue
        key = f"{row['task']} {row['pair']}"
        titles[key] = f"{capital(row['task'].replace('_', ' '))}, {pair_name(row['pair'])}"
        by_choice[key, row["metric"]].append({**row, "method": row["arm"]})
    if not by_choice:
        return None
    order = sorted(titles, key=lambda key: (_task_place(key), key))
    metrics = ordered([metric for _, metric in by_choice], METRICS)
    choices = [
        Choice("Task", {key: titles[key] for key in order}),
        Choice("Metric", {metric: metric_name(metric) for metric in metrics}),
    ]

    def body(keys: tuple[str, ...], name: str) -> str | None:
        scores = by_choice.get((keys[0], keys[1]), [])
        return evidence(
            name,
            scores,
            rows="rank",
            columns="part",
            column_order=PARTS,
            axis="per cent",
            row_title="rank",
            caption="Per cent, with 95 % intervals over seeds and queries; n: queries asked.",
        )

    lead = (
        "All ranks, all parts, all metrics. Naming is by the head, by captions where there is none."
    )
    return Section("everything", "Every figure", lead, panels("everything", choices, body))
