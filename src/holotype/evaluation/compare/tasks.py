"""The figures that a comparison speaks of: what they are called, and which of them people ask for first."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from holotype.errors import RecipeError, did_you_mean
from holotype.evaluation.evidence import Score
from holotype.page.words import METRIC_NAMES, RANKS, pair_name, part_name

NAMING = "naming"
"""Naming by the head, or by the labels' captions where a model has no head."""
NARROWEST = "narrowest"
LABEL_OR_NARROWEST = "label-or-narrowest"
_SHARES = ("top", "macro_f1", "calibration_error", "_shot", "neighbour_of", "_agree")
_LOWER = ("calibration_error", "severity")


@dataclass(frozen=True, order=True)
class Figure:
    """What was measured: the five words that tell a figure from all others."""

    task: str
    pair: str
    rank: str
    part: str
    metric: str

    @property
    def words(self) -> str:
        """The five words, as claims write them."""
        return f"{self.task} {self.pair} {self.rank} {self.part} {self.metric}"

    @property
    def said(self) -> str:
        """The figure in a reader's words."""
        metric = METRIC_NAMES.get(self.metric, self.metric.replace("_", " "))
        part = "" if self.part == "all" else f", {part_name(self.part)}"
        return f"{self.task.replace('_', ' ')}, {pair_name(self.pair)}, {self.rank}{part}: {metric}"


class Better(StrEnum):
    """Which way a figure is better."""

    HIGHER = "higher"
    LOWER = "lower"


@dataclass(frozen=True)
class Headline:
    """A figure that people ask for first.

    Attributes:
        name: as claims write it.
        title: as the report writes it.
        figure: its rank may be ``narrowest``: the narrowest rank that was asked.
        is_task: whether it counts among ``tasks``, where a school wins or loses.
        better: which way.
    """

    name: str
    title: str
    figure: Figure
    is_task: bool = True
    better: Better = Better.HIGHER


def _retrieval(query: str, key: str) -> list[Headline]:
    return [
        Headline(
            f"{query}-{key}-{part}" if part != "all" else f"{query}-{key}",
            f"{query.capitalize()} → {key}, {part_name(part)}",
            Figure("retrieval", f"{query}-{key}", NARROWEST, part, "top1_macro"),
        )
        for part in ("seen", "unseen", "all")
    ]


HEADLINES: tuple[Headline, ...] = (
    Headline("naming", "Naming images", Figure(NAMING, "image", "label", "all", "top1_macro")),
    Headline(
        "naming-micro", "Naming images, micro",
        Figure(NAMING, "image", "label", "all", "top1_micro"), is_task=False,
    ),
    Headline(
        "naming-f1", "Naming images, macro-F1",
        Figure(NAMING, "image", "label", "all", "macro_f1"), is_task=False,
    ),
    Headline(
        "naming-barcodes", "Naming barcodes", Figure(NAMING, "barcode", "label", "all", "top1_macro")
    ),
    Headline(
        "zero-shot-unseen", "Zero-shot, unseen species",
        Figure("zero_shot", "image-caption", NARROWEST, "unseen", "top1_macro"),
    ),
    Headline(
        "zero-shot", "Zero-shot", Figure("zero_shot", "image-caption", NARROWEST, "all", "top1_macro")
    ),
    Headline("one-shot", "One example", Figure("few_shot", "image", NARROWEST, "all", "1_shot")),
    Headline("five-shot", "Five examples", Figure("few_shot", "image", NARROWEST, "all", "5_shot")),
    *_retrieval("image", "image"),
    *_retrieval("image", "barcode"),
    *_retrieval("barcode", "barcode"),
    Headline(
        "cross-instrument", "Image → image across instruments",
        Figure("cross_instrument", "image-image", LABEL_OR_NARROWEST, "all", "top1_macro"),
    ),
    Headline(
        "tree", "Neighbour of another taxon, same wider one",
        Figure("hierarchy", "image", NARROWEST, "all", "neighbour_of_another_*"), is_task=False,
    ),
    Headline(
        "tree-distance", "Tree distance, rank correlation",
        Figure("hierarchy", "image-image", "tree", "all", "tree_distance_spearman"), is_task=False,
    ),
    Headline(
        "severity", "Ranks between answer and truth",
        Figure("hierarchy", "image-image", "tree", "all", "mean_severity"), is_task=False,
        better=Better.LOWER,
    ),
    Headline(
        "calibration", "Calibration error",
        Figure(NAMING, "image", "label", "all", "calibration_error"),
        is_task=False, better=Better.LOWER,
    ),
)  # fmt: skip
"""A headline of all records (``all``) stands only where the split has no unseen species."""

TASKS = "tasks"
"""What a claim writes for every headline that is a task."""


def is_share(metric: str) -> bool:
    """Returns whether a metric is a share, to be written in per cent; others are plain numbers."""
    return any(word in metric for word in _SHARES)


def better_of(figure: Figure) -> Better:
    """Returns which way a figure is better."""
    lower = any(word in figure.metric for word in _LOWER)
    return Better.LOWER if lower else Better.HIGHER


def resolved(
    figures: Iterable[Figure], headlines: Sequence[Headline] = HEADLINES
) -> list[Headline]:
    """Returns the headlines that were measured, with their narrowest rank and whole metric filled in."""
    known = sorted(set(figures))
    has_unseen = {(f.task, f.pair) for f in known if f.part == "unseen"}
    found = []
    for one in headlines:
        asked = one.figure
        by_part = asked.part == "all" and asked.task in ("retrieval", "zero_shot")
        if one.name and by_part and (asked.task, asked.pair) in has_unseen:
            continue
        alike = [f for f in known if _fits(f, asked)]
        if alike:
            found.append(replace(one, figure=min(alike, key=lambda f: _place(f.rank, asked.rank))))
    return found


def named_figures(
    written: str, headlines: Sequence[Headline], known: Iterable[Figure]
) -> list[Figure]:
    """Returns the figures that a claim writes: a headline's name, ``tasks``, or five words.

    Args:
        written: the words.
        headlines: those that were measured.
        known: every figure that was measured; of five words the rank may be ``narrowest``.

    Raises:
        RecipeError: when it is none of these.
    """
    if written == TASKS:
        return [one.figure for one in headlines if one.is_task]
    words = written.split()
    if len(words) == 5:
        return [one.figure for one in resolved(known, [Headline("", "", Figure(*words))])]
    every = [one.name for one in HEADLINES]
    if written not in every:
        raise RecipeError(
            f"claim: no figure '{written}'.{did_you_mean(written, every)} Or write five words: task "
            "pair rank part metric."
        )
    return [one.figure for one in headlines if one.name == written]


def with_naming(scores: Sequence[Score]) -> list[Score]:
    """Returns the scores with those of naming added: by the head, by captions where there is no head."""
    headed = {score.pair for score in scores if score.task == "classification"}
    return [
        *scores,
        *(
            replace(score, task=NAMING)
            for score in scores
            if score.task == "classification"
            or (score.task == "caption_classification" and score.pair not in headed)
        ),
    ]


def _fits(figure: Figure, asked: Figure) -> bool:
    return (
        (figure.task, figure.pair, figure.part) == (asked.task, asked.pair, asked.part)
        and (asked.rank in (NARROWEST, LABEL_OR_NARROWEST) or figure.rank == asked.rank)
        and (
            figure.metric == asked.metric
            or (asked.metric.endswith("*") and figure.metric.startswith(asked.metric[:-1]))
        )
    )


def _place(rank: str, asked: str) -> int:
    """Returns how early a rank is chosen: the narrowest first, labels last or first."""
    order = ["species", *reversed(RANKS[:-1])]
    if rank in order:
        return order.index(rank)
    return -1 if asked == LABEL_OR_NARROWEST else len(order)
