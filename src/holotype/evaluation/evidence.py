"""The tidy table that all evidence goes into: one row a figure, with its interval and its question."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holotype.evaluation.metrics import (
    Estimate,
    harmonic_mean,
    macro_accuracy,
    micro_accuracy,
    numbered_names,
    top_k_hits,
)


@dataclass(frozen=True)
class Score:
    """One figure.

    Attributes:
        task: classification, caption_classification, retrieval, cross_instrument, zero_shot, few_shot or
            hierarchy.
        method: ``model``, or the name of a baseline.
        pair: what is compared with what: ``image``, ``image-barcode`` (query first) and so on.
        rank: ``label`` or a rank.
        part: ``all``, ``seen``, ``unseen`` or ``harmonic``.
        metric: ``top1_micro``, ``top1_macro``, ``top5_micro``, ``top5_macro``, ``macro_f1`` ...
        value, low, high: the figure and its 95 % interval (bootstrap over groups; for few-shot over the draws
            of examples too); None where no interval is made (chance).
        n: queries.
        left_out: queries that could not be asked (their taxon has no key, or no name at the rank).
        replicate_R: the bootstrap's values, where there are any: models asked the same questions are
            compared by them. Not written.
    """

    task: str
    method: str
    pair: str
    rank: str
    part: str
    metric: str
    value: float
    low: float | None
    high: float | None
    n: int
    left_out: int = 0
    replicate_R: NDArray[np.float64] | None = field(default=None, compare=False, repr=False)

    def as_json(self) -> dict[str, Any]:
        """Returns the row with figures rounded to six digits, and None in the place of NaN."""
        row = {name: getattr(self, name) for name in _WRITTEN}
        for name in ("value", "low", "high"):
            figure = row[name]
            row[name] = None if figure is None or np.isnan(figure) else round(float(figure), 6)
        return row


_WRITTEN = tuple(f.name for f in fields(Score) if f.name != "replicate_R")


@dataclass(frozen=True)
class Answers:
    """What one method answers to one set of questions.

    Attributes:
        task, method, pair: as in ``Score``.
        candidates_by_rank: rank -> for each query the names of its candidates, best first.
    """

    task: str
    method: str
    pair: str
    candidates_by_rank: dict[str, list[list[str | None]]]


@dataclass(frozen=True)
class Questions:
    """The queries and their true names.

    Attributes:
        truth_by_rank: rank (or ``label``) -> the true name of each query, None where it has none.
        part_Q: ``seen`` or ``unseen``.
        group_Q: int64, queries that are resampled together.
        answerable_by_rank: rank -> names that can be answered at all (that have a key or a label).
        seed: of the bootstrap.
        open_by_rank: rank -> bool (Q,), whether the query may be asked at all, beyond what is answerable;
            None where nothing else bars it.
    """

    truth_by_rank: dict[str, list[str | None]]
    part_Q: NDArray[np.str_]
    group_Q: NDArray[np.int64]
    answerable_by_rank: dict[str, set[str]]
    seed: int
    open_by_rank: dict[str, NDArray[np.bool_]] | None = None


def score_answers(answers: Answers, questions: Questions) -> list[Score]:
    """Returns top-1 and top-5, micro and macro, at every rank, for all, seen, unseen and both."""
    scores: list[Score] = []
    parts = sorted(set(questions.part_Q.tolist()))
    for rank, candidates in answers.candidates_by_rank.items():
        truth = questions.truth_by_rank[rank]
        answerable = questions.answerable_by_rank[rank]
        asked = np.asarray([name is not None and name in answerable for name in truth])
        if questions.open_by_rank is not None:
            asked &= questions.open_by_rank[rank]
        named = np.asarray([name is not None for name in truth])
        numbers, known = numbered_names([*truth, *(n for row in candidates for n in row)])
        width = max(map(len, candidates), default=1)
        truth_Q = numbers[: len(truth)]
        candidate_QK = np.full((len(truth), width), -2, dtype=np.int64)
        place = {name: number for number, name in enumerate(known)}
        for row, names in enumerate(candidates):
            unique = dict.fromkeys(name for name in names if name is not None)
            candidate_QK[row, : len(unique)] = [place[name] for name in unique]
        for k in (1, 5):
            hit_Q = top_k_hits(candidate_QK, truth_Q, k=k)
            found: dict[tuple[str, str], Estimate] = {}
            for part in ["all", *parts] if len(parts) > 1 else ["all"]:
                of_part = questions.part_Q == part if part != "all" else np.ones(len(truth), bool)
                use = asked & of_part
                left_out = int((named & of_part & ~asked).sum())
                for metric, estimate in (
                    (
                        "micro",
                        micro_accuracy(hit_Q[use], questions.group_Q[use], seed=questions.seed),
                    ),
                    (
                        "macro",
                        macro_accuracy(
                            hit_Q[use], truth_Q[use], questions.group_Q[use], seed=questions.seed
                        ),
                    ),
                ):
                    found[part, metric] = estimate
                    scores.append(
                        _score(answers, rank, part, f"top{k}_{metric}", estimate, left_out)
                    )
            for metric in ("micro", "macro"):
                if ("seen", metric) in found and ("unseen", metric) in found:
                    both = harmonic_mean(found["seen", metric], found["unseen", metric])
                    scores.append(_score(answers, rank, "harmonic", f"top{k}_{metric}", both, 0))
    return scores


def _score(
    answers: Answers, rank: str, part: str, metric: str, estimate: Estimate, left_out: int
) -> Score:
    place = (answers.task, answers.method, answers.pair, rank, part, metric)
    return score_of(place, estimate, left_out=left_out)


def score_of(
    place: tuple[str, str, str, str, str, str], estimate: Estimate, *, left_out: int = 0
) -> Score:
    """Returns an estimate as a row of the table.

    Args:
        place: task, method, pair, rank, part, metric.
        estimate: the figure, its interval and replicates.
        left_out: queries that could not be asked.
    """
    return Score(
        *place,
        estimate.value,
        estimate.low,
        estimate.high,
        estimate.n,
        left_out,
        estimate.replicate_R,
    )


def pick(scores: Sequence[Score], **wanted: str) -> list[Score]:
    """Returns the scores whose fields have the values wanted."""
    return [s for s in scores if all(getattr(s, key) == value for key, value in wanted.items())]
