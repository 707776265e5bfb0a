"""The content of a comparison's report: plain values, as written to ``report.json`` and shown on the page."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from holotype._version import __version__
from holotype.collection.store import Collection
from holotype.evaluation.compare.claims import Tested, default_split, judge_claim
from holotype.evaluation.compare.examined import Examined, read_examined
from holotype.evaluation.compare.fairness import Difference as KeyDifference
from holotype.evaluation.compare.fairness import Kind
from holotype.evaluation.compare.pooled import (
    EVERY_SPLIT,
    Runs,
    all_differences,
    gather,
    pooled_figure,
    wins,
)
from holotype.evaluation.compare.running import Ended, State
from holotype.evaluation.compare.settings import Arm, ComparisonSettings
from holotype.evaluation.compare.significance import Interval
from holotype.evaluation.compare.tasks import Headline, better_of, is_share, resolved, with_naming
from holotype.splits.plan import Split

FORMAT = "holotype-comparison"
VERSION = 1


def comparison_content(
    settings: ComparisonSettings,
    arms: Sequence[Arm],
    found: Sequence[KeyDifference],
    ended: Sequence[Ended],
    collection: Collection,
    splits: dict[str, tuple[Path, Split]],
    *,
    unequal: bool,
) -> dict[str, Any]:
    """Returns the content of a report: figures, differences, wins, claims, cost, fairness."""
    examined = {
        (one.job.arm, one.job.seed, one.job.split): read_examined(Path(one.job.folder))
        for one in ended
        if one.state is State.DONE
    }
    scores = {key: with_naming(one.scores) for key, one in examined.items()}
    runs = gather(scores, [arm.name for arm in arms], list(splits))
    headlines = resolved(runs.figures)
    shown = default_split(runs.splits)
    judged = [*runs.splits, *([EVERY_SPLIT] if len(runs.splits) > 1 else [])]
    title = {one.name: one.title for one in headlines}
    return {
        "format": FORMAT,
        "version": VERSION,
        "holotype": __version__,
        "name": settings.name,
        "about": settings.about.strip(),
        "collection": {
            "name": collection.name,
            "fingerprint": collection.fingerprint,
            "records": len(collection),
        },
        "splits": [
            {"name": name, **split.made_by, "counts": split.counts()}
            for name, (_, split) in splits.items()
        ],
        "shown_split": shown,
        "seeds": sorted({one.job.seed for one in ended}),
        "arms": [_arm(arm, examined) for arm in arms],
        "fairness": _fairness(found, examined, unequal=unequal),
        "runs": [_run(one, examined) for one in ended],
        "headlines": [_headline(one) for one in headlines],
        "figures": [row for split in judged for row in _figures(runs, split)],
        "baselines": _baselines(runs),
        "differences": [
            {
                "headline": one.headline,
                "split": one.split,
                "first": one.first,
                "second": one.second,
                **_interval(one.found),
                "p": _rounded(one.found.p),
                "p_holm": _rounded(one.p_holm),
            }
            for split in judged
            for one in all_differences(runs, headlines, split)
        ],
        "wins": [
            {
                "headline": one.headline,
                "title": title[one.headline],
                "split": one.split,
                "best": one.best,
                "tied": list(one.tied),
                "asked": one.asked,
            }
            for split in judged
            for one in wins(runs, headlines, split)
        ],
        "claims": [_claim(judge_claim(claim, runs, headlines, shown)) for claim in settings.claim],
        "exhibits": [
            {"arm": arm, "seed": seed, "split": split, "exhibit": one.exhibit}
            for (arm, seed, split), one in examined.items()
            if one.exhibit is not None
        ],
    }


def _arm(arm: Arm, examined: dict[tuple[str, int, str], Examined]) -> dict[str, Any]:
    model = next((one.model for (name, *_), one in examined.items() if name == arm.name), {})
    recipe = arm.recipe
    return {
        "name": arm.name,
        "school": arm.school,
        "recipe": recipe.name,
        "about": recipe.about.strip(),
        "learns": {
            "labels": recipe.classify is not None,
            "pairs": ["-".join(pair) for pair in recipe.align.pairs] if recipe.align else [],
        },
        "modalities": model.get("modalities"),
        "head": model.get("head"),
        "parameters": model.get("parameters"),
        "labels": model.get("labels"),
    }


def _fairness(
    found: Sequence[KeyDifference],
    examined: dict[tuple[str, int, str], Examined],
    *,
    unequal: bool,
) -> dict[str, Any]:
    """Returns what differs, and whether all arms of a seed read the same records in the same order.

    The order is a function of the seed, the batch size and the records that the arm's towers can read.
    """
    records: dict[tuple[int, str], set[int]] = {}
    for (_, seed, split), one in examined.items():
        records.setdefault((seed, split), set()).add(int(one.model["records"]))
    wrong = [one for one in found if one.kind is Kind.UNEQUAL]
    return {
        "unequal": bool(wrong) and unequal,
        "same_order": not wrong and all(len(counts) == 1 for counts in records.values()),
        "differences": [
            {"key": one.key, "kind": one.kind.value, "values": one.values} for one in found
        ],
    }


def _run(one: Ended, examined: dict[tuple[str, int, str], Examined]) -> dict[str, Any]:
    key = (one.job.arm, one.job.seed, one.job.split)
    model = examined[key].model if key in examined else {}
    history = model.get("history") or []
    sittings = one.cost.get("sittings") or []
    whole = bool(sittings) and all(sitting["ended"] for sitting in sittings)
    return {
        "arm": one.job.arm,
        "seed": one.job.seed,
        "split": one.job.split,
        "state": one.state.value,
        "reason": one.reason,
        "seconds": sum(s["seconds"] for s in sittings) if whole else None,
        "cpu_seconds": sum(s["cpu_seconds"] for s in sittings) if whole else None,
        "sittings": len(sittings),
        "records": model.get("records"),
        "records_seen": int(model["records"]) * len(history) if model else None,
        "parameters": model.get("parameters"),
        "fingerprint": model.get("fingerprint"),
        "history": history,
    }


def _headline(one: Headline) -> dict[str, Any]:
    figure = one.figure
    return {
        "name": one.name,
        "title": one.title,
        "is_task": one.is_task,
        "better": better_of(figure).value,
        "share": is_share(figure.metric),
        **_words(figure),
    }


def _figures(runs: Runs, split: str) -> list[dict[str, Any]]:
    rows = []
    for figure in runs.figures:
        for arm in runs.arms:
            pooled = pooled_figure(runs, figure, arm, split)
            if pooled is None:
                continue
            scores = runs.measured.get((figure, arm, split), {})
            rows.append(
                {
                    **_words(figure),
                    "arm": arm,
                    "split": split,
                    **_interval(pooled),
                    "left_out": max((one.left_out for one in scores.values()), default=None),
                    "by_seed": {
                        str(seed): _rounded(one.value) for seed, one in sorted(scores.items())
                    },
                }
            )
    return rows


def _baselines(runs: Runs) -> list[dict[str, Any]]:
    rows = []
    for (figure, split, method), score in runs.baselines.items():
        written = score.as_json()
        rows.append(
            {
                **_words(figure),
                "method": method,
                "split": split,
                **{name: written[name] for name in ("value", "low", "high", "n")},
            }
        )
    return rows


def _claim(one: Tested) -> dict[str, Any]:
    return {
        "says": one.claim.says,
        "first": one.claim.first,
        "second": list(one.claim.second),
        "at_least": one.claim.at_least,
        "verdict": one.verdict.value,
        "answer": one.answer,
        "compared": [
            {
                **_words(row.figure),
                "first": row.first,
                "second": row.second,
                "first_value": _rounded(row.first_value),
                "second_value": _rounded(row.second_value),
                **_interval(row.gain),
                "verdict": row.verdict.value,
            }
            for row in one.compared
        ],
    }


def _words(figure: Any) -> dict[str, str]:
    return {name: getattr(figure, name) for name in ("task", "pair", "rank", "part", "metric")}


def _interval(found: Interval) -> dict[str, Any]:
    return {
        "value": _rounded(found.value),
        "low": _rounded(found.low),
        "high": _rounded(found.high),
        "n": found.n,
        "seeds": found.seeds,
        "over_queries": found.over_queries,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else round(float(value), 6)
