"""How the arms learned, what they cost, whether they were equal, and how the figures were made."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from holotype.evaluation.report import figures
from holotype.evaluation.report.tree_figures import agreement, pairs_of, severity
from holotype.page.layout import Section, heading, paragraph, plot
from holotype.page.tables import table
from holotype.page.words import DASH, count, finite, plain

_CHECKS = {"top1": "classifier, top-1", "nearest": "nearest record, top-1"}


def tree(content: dict[str, Any]) -> Section | None:
    """Returns whether the spaces follow the tree: similarity and mistakes by common ancestor."""
    found: dict[str, dict[str, Any]] = {}
    for one in content.get("exhibits") or []:
        found.setdefault(one["arm"], one["exhibit"])  # the first seed on the first split
    drawn = [
        part
        for kind, make in (("curves", agreement), ("mistakes", severity))
        for at, pair in enumerate(pairs_of(found, kind))
        if (part := make(found, f"tree-{at}", pair=pair)) is not None
    ]
    if not drawn:
        return None
    lead = (
        "Does the space follow the tree? Similarity should fall the wider the rank at which two records "
        "meet; mistakes should stay near. One seed of each arm."
    )
    body = f'<div class="facets two">{"".join(drawn)}</div>'
    return Section("tree", "The space and the tree", lead, body)


def learning(content: dict[str, Any]) -> Section | None:
    """Returns the validation figures by epoch, an arm a curve, mean over its seeds."""
    curves: dict[str, dict[str, dict[float, list[float]]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(list))
    )
    split = content["splits"][0]["name"]
    for run in content["runs"]:
        for row in run["history"] if run["split"] == split else []:
            epoch = finite(row.get("epoch"))
            for name, value in row.items():
                number = finite(value)
                if epoch is not None and number is not None and _drawn(name):
                    curves[name][run["arm"]][epoch].append(number)
    parts = []
    for place, name in enumerate(sorted(curves, key=lambda one: (one == "loss", one))):
        series = {
            arm: [(epoch, float(np.mean(values))) for epoch, values in sorted(points.items())]
            for arm, points in curves[name].items()
        }
        share = name != "loss"
        spec = figures.lines(series, axis="per cent" if share else "loss", share=share)
        title = _title(name)
        says = f"{title} by epoch: {', '.join(series)}."
        height = 330 + 20 * (len(series) // 2)
        parts.append(plot(f"learning-{place}", spec, says=says, height=height, title=title))
    if not parts:
        return None
    lead = (
        "Were all arms done learning at this budget? Means over seeds, on the validation part; an arm that "
        "still rises at the end would gain from a longer budget."
    )
    body = f'<div class="facets two">{"".join(parts)}</div>'
    body += paragraph(
        f"Split {split}. Losses of different objectives have different scales.", kind="note"
    )
    return Section("learning", "Learning curves", lead, body)


def _drawn(name: str) -> bool:
    return name == "loss" or name.startswith("val_")


def _title(name: str) -> str:
    if name == "loss":
        return "Loss on the training part"
    kind, _, modality = name.removeprefix("val_").rpartition("_")
    return f"{modality}: {_CHECKS.get(kind, kind.replace('_', ' '))}"


def cost(content: dict[str, Any]) -> Section | None:
    """Returns what each arm cost, as means over its runs."""
    rows = []
    for arm in content["arms"]:
        runs = [r for r in content["runs"] if r["arm"] == arm["name"] and r["state"] == "done"]
        if runs:
            rows.append(
                [
                    arm["name"],
                    ", ".join(arm["modalities"] or []) or DASH,
                    arm["parameters"],
                    _mean(runs, "records"),
                    _mean(runs, "records_seen"),
                    _mean(runs, "seconds"),
                    _mean(runs, "cpu_seconds"),
                    len(runs),
                ]
            )
    if not rows:
        return None
    columns = [
        "Arm", "Reads", "Parameters", "Training records", "Records seen", "Seconds", "CPU seconds", "Runs",
    ]  # fmt: skip
    lead = (
        "What did each arm cost? Training alone, the mean of its runs; each with one thread. Seconds depend "
        "on what else the machine did, CPU seconds less so."
    )
    note = paragraph(
        "A dash: the run was broken off and gone on with, so that its time is not known.",
        kind="note",
    )
    return Section(
        "cost", "Cost", lead, table(columns, rows, says="Cost of each arm", words=(1,)) + note
    )


def _mean(runs: Sequence[dict[str, Any]], name: str) -> int | str:
    values = [number for run in runs if (number := finite(run.get(name))) is not None]
    return round(float(np.mean(values))) if values else DASH


def fairness(content: dict[str, Any]) -> Section:
    """Returns what was the same for all arms and what was not."""
    found = content["fairness"]
    same = (
        "✓ Same schedule, batch, target, augmentation and towers."
        if not found["unequal"]
        else "✗ The arms differ in what should be the same (marked unequal below)."
    )
    order = (
        "✓ Arms of one seed read the same records in the same order."
        if found["same_order"]
        else "✗ Arms of one seed did not read the same records in the same order: their towers read "
        "different records, or their budgets differ."
    )
    parts = [
        f'<p class="verdict {"bad" if text.startswith("✗") else "good"}">{plain(text)}</p>'
        for text in (same, order)
    ]
    arms = [arm["name"] for arm in content["arms"]]
    rows = [
        [one["key"], one["kind"], *(_value(one["values"].get(arm)) for arm in arms)]
        for one in found["differences"]
    ]
    if rows:
        parts.append(heading("What differs between the recipes"))
        columns = ["Key", "What it is", *arms]
        words = tuple(range(1, len(columns)))
        parts.append(table(columns, rows, says="Differences between recipes", words=words))
    lead = "Is it the objective that makes the difference? All else should be the same."
    return Section("fairness", "Fairness", lead, "".join(parts))


def _value(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join("-".join(v) if isinstance(v, list) else str(v) for v in value) or "none"
    return plain(None) if value is None else str(value)


def method(content: dict[str, Any]) -> Section:
    """Returns how figures, intervals and verdicts were made, and every run."""
    seeds = len(content["seeds"])
    notes = [
        "Every arm is asked the same queries: the test part of the split. Keys are the same for all.",
        (
            "Naming is by the head. A model without a head names by the captions of the same labels, at its "
            "own temperature; its probabilities are not calibrated."
        ),
        (
            "Intervals hold the sampling of queries (whole groups drawn anew, 300 times, the same draws for "
            "every arm) and the variance between seeds."
            if seeds > 1
            else "There is one seed: intervals hold the sampling of queries alone. What another seed would "
            "change is not in them."
        ),
        (
            "Differences are paired over queries and seeds; their intervals use Student's t, so that few "
            "seeds count as few."
        ),
        "Fewer than ten queries carry no interval.",
    ]
    if len(content["splits"]) > 1:
        notes.append(
            "A mean over splits counts every split alike; splits are taken as independent."
        )
    inside = "".join(f"<li>{plain(note)}</li>" for note in notes)
    rows = [
        [
            f"{run['arm']}, seed {run['seed']}",
            run["split"],
            run["state"],
            run["reason"] or run["fingerprint"] or DASH,
        ]
        for run in content["runs"]
    ]
    columns = ["Run", "Split", "State", "Weights, or why it failed"]
    body = f'<ul class="notes">{inside}</ul>{heading("Runs")}' + table(
        columns, rows, says="Runs", words=(1, 2, 3)
    )
    facts = [
        ["Holotype version", content["holotype"]],
        ["Report format", f"{content['format']} {content['version']}"],
        ["Collection", f"{content['collection']['name']} {content['collection']['fingerprint']}"],
        *(
            [f"Split {one['name']}", f"{one.get('method')}, {_counts(one['counts'])}"]
            for one in content["splits"]
        ),
    ]
    body += heading("Provenance") + table(["What", "Value"], facts, says="Provenance", words=(1,))
    lead = "How were the figures made, and from what?"
    return Section("method", "Method and provenance", lead, body)


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{count(number)} {name}" for name, number in counts.items())
