"""The figures of all runs, pooled over seeds and splits: arms, baselines, differences, and who wins what."""

import itertools
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from holotype.evaluation.compare.significance import (
    Interval,
    Sample,
    difference_interval,
    figure_interval,
    holm,
    paired,
)
from holotype.evaluation.compare.tasks import Better, Figure, Headline, better_of, is_share
from holotype.evaluation.evidence import Score

EVERY_SPLIT = "mean over splits"
Place = tuple[Figure, str, str]
"""Figure, arm, split."""


@dataclass(frozen=True)
class Runs:
    """The scores of all runs that ended well.

    Attributes:
        arms, splits: in the order of the comparison.
        measured: by figure, arm and split, the score of each seed; of the model alone.
        baselines: by figure, split and method, a score that needs no model.
    """

    arms: tuple[str, ...]
    splits: tuple[str, ...]
    measured: dict[Place, dict[int, Score]]
    baselines: dict[tuple[Figure, str, str], Score]

    @property
    def figures(self) -> list[Figure]:
        """Every figure that some arm has."""
        return sorted({figure for figure, _, _ in self.measured})

    def samples(
        self, figure: Figure, arm: str, split: str, *, seeds: Sequence[int] | None = None
    ) -> list[Sample]:
        """Returns a sample for each split in question that has the figure, of these seeds (or all)."""
        found = []
        for one in self.splits if split == EVERY_SPLIT else (split,):
            by_seed = self.measured.get((figure, arm, one), {})
            chosen = sorted(by_seed) if seeds is None else [s for s in seeds if s in by_seed]
            scores = [by_seed[seed] for seed in chosen]
            if scores:
                found.append(_sample(one, scores))
        return found

    def pairs(
        self, figure: Figure, first: str, second: str, split: str
    ) -> list[tuple[Sample, Sample]]:
        """Returns both arms' samples of the seeds and splits that both have.

        Arms that were not asked the same number of queries are not compared.
        """
        found = []
        for one in self.splits if split == EVERY_SPLIT else (split,):
            a, b = (self.measured.get((figure, arm, one), {}) for arm in (first, second))
            common = sorted(a.keys() & b.keys())
            if common and all(a[seed].n == b[seed].n for seed in common):
                mine, others = ([scores[seed] for seed in common] for scores in (a, b))
                found.append((_sample(one, mine), _sample(one, others)))
        return found

    def compared(self, figure: Figure, first: str, second: str, split: str) -> Interval | None:
        """Returns first minus second over what both have; None where that is nothing."""
        found = [paired(a, b) for a, b in self.pairs(figure, first, second, split)]
        return difference_interval(found, bounds=difference_bounds(figure)) if found else None


@dataclass(frozen=True)
class Difference:
    """Two arms on one headline: first minus second, its p and Holm's over the table of its split."""

    headline: str
    split: str
    first: str
    second: str
    found: Interval
    p_holm: float | None


@dataclass(frozen=True)
class Win:
    """A headline on one split.

    Attributes:
        headline, split: which.
        best: the arm with the best figure.
        tied: the arms not shown to be worse, the best among them.
        asked: how many arms have the figure at all.
    """

    headline: str
    split: str
    best: str
    tied: tuple[str, ...]
    asked: int


def gather(
    runs: Mapping[tuple[str, int, str], Sequence[Score]],
    arms: Sequence[str],
    splits: Sequence[str],
) -> Runs:
    """Returns the scores of runs by what they measure.

    Args:
        runs: (arm, seed, split) -> scores.
        arms: in order.
        splits: in order.
    """
    measured: dict[Place, dict[int, Score]] = defaultdict(dict)
    baselines: dict[tuple[Figure, str, str], Score] = {}
    for (arm, seed, split), scores in runs.items():
        for score in scores:
            figure = Figure(score.task, score.pair, score.rank, score.part, score.metric)
            if score.method.startswith(_MODEL):  # asked in other words: a figure of its own
                wording = score.method.removeprefix(_MODEL).replace(",", "").replace(" ", "-")
                figure = replace(figure, task=f"{score.task}:{wording}")
                measured[figure, arm, split][seed] = score
            elif score.method != "model":
                baselines.setdefault((figure, split, score.method), score)
            elif np.isfinite(score.value):
                measured[figure, arm, split][seed] = score
    return Runs(tuple(arms), tuple(splits), dict(measured), baselines)


def pooled_figure(runs: Runs, figure: Figure, arm: str, split: str) -> Interval | None:
    """Returns an arm's figure over its seeds, on one split or as the mean over all; None without one."""
    samples = runs.samples(figure, arm, split)
    if not samples:
        return None
    return figure_interval(samples, bounds=(0.0, 1.0) if is_share(figure.metric) else UNBOUNDED)


def difference_bounds(figure: Figure) -> tuple[float, float]:
    """Returns between what a difference of two such figures lies."""
    return (-1.0, 1.0) if is_share(figure.metric) else UNBOUNDED


UNBOUNDED = (-np.inf, np.inf)
_MODEL = "model, "


def all_differences(runs: Runs, headlines: Sequence[Headline], split: str) -> list[Difference]:
    """Returns every two arms on every headline of a split, with Holm's correction over all of them."""
    found = [
        (headline.name, first, second, interval)
        for headline in headlines
        for first, second in itertools.combinations(runs.arms, 2)
        if (interval := runs.compared(headline.figure, first, second, split)) is not None
    ]
    adjusted = holm([interval.p for *_, interval in found])
    return [
        Difference(name, split, first, second, interval, p)
        for (name, first, second, interval), p in zip(found, adjusted, strict=True)
    ]


def wins(runs: Runs, headlines: Sequence[Headline], split: str) -> list[Win]:
    """Returns for each headline the best arm, and those whose difference from it does not exclude zero."""
    found = []
    for headline in headlines:
        figure = headline.figure
        values = {
            arm: pooled.value
            for arm in runs.arms
            if (pooled := pooled_figure(runs, figure, arm, split)) is not None
        }
        if not values:
            continue
        sign = 1 if better_of(figure) is Better.HIGHER else -1
        best = max(values, key=lambda arm: sign * values[arm])
        tied = [best]
        for arm in values:
            gap = runs.compared(figure, best, arm, split) if arm != best else None
            if gap is None and arm != best:
                continue  # not asked the same: cannot be told
            if gap is not None and (gap.low is None or gap.low <= 0 <= float(gap.high or 0)):
                tied.append(arm)
        found.append(
            Win(headline.name, split, best, tuple(a for a in runs.arms if a in tied), len(values))
        )
    return found


def _sample(split: str, scores: Sequence[Score]) -> Sample:
    replicates = [score.replicate_R for score in scores]
    stacked = None
    if all(one is not None and np.isfinite(one).all() for one in replicates):
        stacked = np.stack([one for one in replicates if one is not None])
    values = np.asarray([score.value for score in scores], dtype=np.float64)
    stated = None
    if stacked is None and all(_has_interval(score) for score in scores):
        widths = [float(score.high or 0.0) - float(score.low or 0.0) for score in scores]
        stated = float(np.mean([(width / (2 * 1.959964)) ** 2 for width in widths]))
    return Sample(split, values, stacked, scores[0].n, stated)


def _has_interval(score: Score) -> bool:
    return score.low is not None and score.high is not None and bool(np.isfinite(score.low))
