"""Claims tested: each is a difference that must reach so many points, and a verdict with its figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from holotype.evaluation.compare.pooled import EVERY_SPLIT, Runs, difference_bounds
from holotype.evaluation.compare.settings import ClaimSettings
from holotype.evaluation.compare.significance import Interval, difference_interval, paired
from holotype.evaluation.compare.tasks import (
    Better,
    Figure,
    Headline,
    better_of,
    is_share,
    named_figures,
)
from holotype.page.words import capital, percent, some


class Verdict(StrEnum):
    """What the figures say of a claim."""

    HOLDS = "holds"
    FAILS = "does not hold"
    NOT_SHOWN = "not shown"


@dataclass(frozen=True)
class Compared:
    """One figure of one claim.

    Attributes:
        figure: what was measured.
        first, second: the arms.
        first_value, second_value: their figures over the seeds and splits that both have.
        gain: by how much the first is better (lower, where lower is better).
        verdict: of this comparison alone.
    """

    figure: Figure
    first: str
    second: str
    first_value: float
    second_value: float
    gain: Interval
    verdict: Verdict


@dataclass(frozen=True)
class Tested:
    """A claim with its verdict, the sentence that answers it, and all that it rests on."""

    claim: ClaimSettings
    verdict: Verdict
    answer: str
    compared: tuple[Compared, ...]


def judge_claim(
    claim: ClaimSettings, runs: Runs, headlines: Sequence[Headline], split: str
) -> Tested:
    """Returns a claim with its verdict.

    It holds where the whole interval of every comparison lies at or above the points asked for; it does not
    hold where the whole interval of one lies below them; else it is not shown. To ask that all hold keeps
    the error rate of one test (intersection-union test, Berger 1982, doi:10.1080/00401706.1982.10487790).

    Args:
        claim: what is claimed.
        runs: all figures.
        headlines: those that were measured.
        split: what is judged where the claim names no split.
    """
    where = claim.split or split
    compared = []
    for written in claim.figures:
        for figure in named_figures(written, headlines, runs.figures):
            compared += [
                one
                for second in claim.second
                if (one := _compared(claim, runs, figure, second, where)) is not None
            ]
    verdict = _together([one.verdict for one in compared])
    return Tested(claim, verdict, _answer(claim, verdict, compared, where), tuple(compared))


def judged(gain: Interval, at_least: float) -> Verdict:
    """Returns what an interval says of a bound: wholly at or above, wholly below, or across it."""
    if gain.low is None or gain.high is None:
        return Verdict.NOT_SHOWN
    if gain.low >= at_least and (at_least != 0 or gain.low > 0):
        return Verdict.HOLDS
    return Verdict.FAILS if gain.high < at_least else Verdict.NOT_SHOWN


def _together(verdicts: Sequence[Verdict]) -> Verdict:
    if not verdicts:
        return Verdict.NOT_SHOWN
    if Verdict.FAILS in verdicts:
        return Verdict.FAILS
    return Verdict.NOT_SHOWN if Verdict.NOT_SHOWN in verdicts else Verdict.HOLDS


def _compared(
    claim: ClaimSettings, runs: Runs, figure: Figure, second: str, split: str
) -> Compared | None:
    higher = better_of(figure) is Better.HIGHER
    pairs = runs.pairs(figure, claim.first, second, split)
    if not pairs:
        return None
    gain = difference_interval(
        [paired(a, b) if higher else paired(b, a) for a, b in pairs],
        bounds=difference_bounds(figure),
    )
    mine, other = (
        float(np.mean([one.value_S.mean() for one in arm])) for arm in zip(*pairs, strict=True)
    )
    verdict = judged(gain, claim.at_least / 100 if is_share(figure.metric) else claim.at_least)
    return Compared(figure, claim.first, second, mine, other, gain, verdict)


def _answer(
    claim: ClaimSettings, verdict: Verdict, compared: Sequence[Compared], split: str
) -> str:
    """Returns the answer in a sentence or two, with the comparison that decides it."""
    if not compared:
        return f"Not shown: {claim.first} and {' or '.join(claim.second)} have no figure on the same queries."
    decides = min(
        (one for one in compared if one.verdict is verdict), key=lambda one: one.gain.value
    )
    words = {Verdict.HOLDS: "Holds", Verdict.FAILS: "Does not hold", Verdict.NOT_SHOWN: "Not shown"}
    count = sum(one.verdict is Verdict.HOLDS for one in compared)
    of_many = f" in {count} of {some(len(compared), 'comparison')}" if len(compared) > 1 else ""
    lead = "" if len(compared) == 1 else "Least: " if verdict is Verdict.HOLDS else "Against it: "
    asked = (
        f"at least {_points(claim.at_least, decides.figure)}" if claim.at_least else "more than 0"
    )
    held = f"; holds{of_many}" if of_many and verdict is not Verdict.HOLDS else of_many
    where = "" if split == EVERY_SPLIT else f", on {split}"
    said = told(decides)
    said = f"{lead}{said}" if lead else capital(said)
    return f"{words[verdict]}{held}. {said}{where}. Asked: {asked}."


def told(one: Compared) -> str:
    """Returns a comparison in words, with figures, interval, seeds and queries."""
    share = is_share(one.figure.metric)
    shown = [
        f"{percent(value)} %" if share else f"{value:.3f}"
        for value in (one.first_value, one.second_value)
    ]
    unit = " points" if share else ""
    scale = 100 if share else 1
    gain = one.gain
    around = "no interval"
    if gain.low is not None and gain.high is not None:
        around = f"95 % interval {scale * gain.low:+.1f} to {scale * gain.high:+.1f}"
        if not share:
            around = f"95 % interval {gain.low:+.3f} to {gain.high:+.3f}"
    value = f"{scale * gain.value:+.1f}" if share else f"{gain.value:+.3f}"
    return (
        f"{one.figure.said}: {one.first} {shown[0]}, {one.second} {shown[1]}, difference {value}{unit} "
        f"({around}; {some(gain.seeds, 'seed')}, {some(gain.n, 'query', 'queries')})"
    )


def _points(value: float, figure: Figure) -> str:
    return f"{value:+g} points" if is_share(figure.metric) else f"{value:+g}"


def default_split(splits: Sequence[str]) -> str:
    """Returns what a claim is judged on: the only split, else the mean over all."""
    return splits[0] if len(splits) == 1 else EVERY_SPLIT
