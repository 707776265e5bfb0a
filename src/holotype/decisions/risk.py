"""An error rate that the user allows -> the threshold of confidence that keeps it, with a guarantee.

Every record of a control part is answered at the deepest level whose confidence is at least a threshold.
Thresholds are tried from the strictest down; one is accepted as long as an exact binomial test rejects "the
error is above what is allowed" (fixed sequence testing: Angelopoulos et al. 2021, arXiv 2110.01052; selective
risk: Geifman & El-Yaniv 2017, arXiv 1705.08500). So with probability 1 - ``doubt`` over the control part the
error among answered records is at most what was allowed, if new records are drawn as those were. The test is
made for each group of records by itself (species seen and unseen in training): then it holds for any
mixture of the groups.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from holotype.decisions.answer_tree import OPEN, WRONG

DOUBT = 0.1
"""How often, over control parts, the guarantee may fail."""
STARTS = (0.7, 0.3, 0.1)
"""Shares of answered records at which a sequence of tests starts; ``DOUBT`` is divided among them. Where one
sequence ends early, at a strict threshold with few records, another may go on. Where a kind is so small
that all would wait for the same number of its records, one is made and has all of the doubt."""


LOOSER = (0.1, 0.2)
"""Errors at which each kind may have records enough: what they ask for is asked at stricter ones too."""
MIXED = "mixed"
"""The kind of all records where one kind has too few to be controlled by itself."""


@dataclass(frozen=True)
class Control:
    """What is known of the control records, B of them, in random order.

    Attributes:
        confidence_BK: float64, of each level of each way down; NaN where there is no node; falling with K.
        right_BK: int8, RIGHT, WRONG or OPEN.
        kind_B: to which kind each belongs (seen or unseen), each of which is controlled.
        label_B: the label of the highest score.
        score_B: float64, that score: the probability of the label before calibration on the tree.
        draw_B: int64, records of one number were not drawn independently; the first of each is tested.
    """

    confidence_BK: NDArray[np.float64]
    right_BK: NDArray[np.int8]
    kind_B: NDArray[np.str_]
    label_B: NDArray[np.str_]
    score_B: NDArray[np.float64]
    draw_B: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.kind_B)

    def take(self, rows: NDArray[np.integer]) -> "Control":
        """Returns some of the records."""
        return Control(
            self.confidence_BK[rows],
            self.right_BK[rows],
            self.kind_B[rows],
            self.label_B[rows],
            self.score_B[rows],
            self.draw_B[rows],
        )

    @cached_property
    def independent(self) -> "Control":
        """The first record of each draw."""
        _, first = np.unique(self.draw_B, return_index=True)
        return self.take(np.sort(first))


def joined_controls(controls: Sequence[Control]) -> Control:
    """Returns the records of several, in order."""
    return Control(
        np.concatenate([one.confidence_BK for one in controls]),
        np.concatenate([one.right_BK for one in controls]),
        np.concatenate([one.kind_B for one in controls]),
        np.concatenate([one.label_B for one in controls]),
        np.concatenate([one.score_B for one in controls]),
        np.concatenate([one.draw_B for one in controls]),
    )


@dataclass(frozen=True)
class Threshold:
    """The confidence at which answers are safe.

    Attributes:
        value: answers need at least this; above 1 where nothing can be promised.
        max_error: what was asked for.
        answered, wrong: of the control records at this threshold, by kind.
        reason: why nothing can be promised, or None.
        limits: what the promise does not hold for, or None.
    """

    value: float
    max_error: float
    answered: dict[str, int]
    wrong: dict[str, int]
    reason: str | None = None
    limits: str | None = None

    @property
    def holds(self) -> bool:
        """Whether the error is controlled."""
        return self.reason is None

    @property
    def remark(self) -> str | None:
        """What restricts the promise, in words, or None."""
        return self.limits if self.holds else f"not promised: {self.reason}"


def level_answered(confidence_BK: NDArray[np.float64], threshold: float) -> NDArray[np.int64]:
    """Returns the deepest level with at least this confidence, int64 (B,), -1 for none."""
    places = np.arange(confidence_BK.shape[1])
    safe_BK = np.nan_to_num(confidence_BK, nan=-1.0) >= threshold
    found: NDArray[np.int64] = np.where(safe_BK, places, -1).max(axis=1, initial=-1)
    return found


def answered_and_wrong(
    control: Control, threshold: float
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Returns which records have an answer that can be judged, and which a wrong one."""
    level_B = level_answered(control.confidence_BK, threshold)
    right_B = np.take_along_axis(control.right_BK, np.maximum(level_B, 0)[:, None], axis=1)[:, 0]
    judged_B = (level_B >= 0) & (right_B != OPEN)
    return judged_B, judged_B & (right_B == WRONG)


def safe_threshold(control: Control, *, max_error: float, doubt: float = DOUBT) -> Threshold:
    """Returns the lowest threshold that keeps the error among answered records at or below ``max_error``.

    Args:
        control: the control part.
        max_error: above 0, below 1.
        doubt: how often the promise may fail.
    """
    fewest = fewest_answered(max_error, doubt / len(STARTS))
    tested = control.independent
    short = [kind for kind in kinds_of(control) if (tested.kind_B == kind).sum() < fewest]
    limits, rare = None, None
    if short and len(kinds_of(control)) > 1:
        rare = control.take(np.flatnonzero(np.isin(control.kind_B, short)))
        tested = replace(tested, kind_B=np.full(len(tested), MIXED, dtype="<U8"))
        limits = f"too few {' and '.join(short)} records to promise it for each kind"
    kinds = kinds_of(tested)
    starts = starts_for(min(_counts(tested, kinds).values(), default=0), fewest)
    each = doubt / len(starts)
    begun = fewest_answered(max_error, each)
    tried = [_tried(tested, value, kinds) for value in candidates(tested.confidence_BK)]
    passed = [
        all(one.kept(kind, max_error, each) for kind in kinds)
        and (rare is None or _share_wrong(rare, one.value) <= max_error)
        for one in tried
    ]
    best: _Tried | None = None
    for share in starts:
        enough = [one.covers(share, begun) for one in tried]
        for one, passes in (
            list(zip(tried, passed, strict=True))[enough.index(True) :] if any(enough) else []
        ):
            if not passes:
                break
            if best is None or one.value < best.value:
                best = one
    if best is not None:
        if limits is not None:
            best = _not_laxer(best, tested, kinds, [
                safe_threshold(control, max_error=looser, doubt=doubt).value
                for looser in LOOSER if looser > max_error and len(control) >= fewest
            ])  # fmt: skip
        value = _eased(best.value, control.confidence_BK, max_error)
        return Threshold(value, max_error, best.answered, best.wrong, limits=limits)
    told = ", ".join(f"{count} {kind}" for kind, count in _counts(tested, kinds).items())
    reason = (
        f"the validation records ({told or 'none'}; at least {fewest} of each kind are needed) are not "
        "answered that well at any level"
    )
    nothing = dict.fromkeys(kinds, 0)
    return Threshold(2.0, max_error, nothing, nothing, reason)


def fewest_answered(max_error: float, doubt: float) -> int:
    """Returns how many answers, none of them wrong, show that an error is kept."""
    return int(np.ceil(np.log(doubt) / np.log1p(-max_error)))


def starts_for(records: int, fewest: int) -> tuple[float, ...]:
    """Returns the shares at which sequences of tests start: one where all wait for ``fewest`` of few records.

    It asks how many records there are, not what is right of them, so that the tests stay exact.

    Args:
        records: of the smallest kind.
        fewest: answers with which any sequence starts.
    """
    all_alike = STARTS[0] * records <= fewest <= records
    return STARTS[:1] if all_alike else STARTS


def _eased(value: float, confidence_BK: NDArray[np.float64], max_error: float) -> float:
    """Returns a lower threshold that answers the control records alike: halfway to the next confidence below.

    Not below 1 less the error allowed, though nothing in the control part speaks against it. What is only a
    hair less sure than the least sure of many right answers is answered as well.
    """
    below = confidence_BK[confidence_BK < value]
    halfway = (value + float(below.max())) / 2 if len(below) else 0.0
    return min(value, max(halfway, 1 - max_error))


def _not_laxer(best: "_Tried", tested: Control, kinds: list[str], values: list[float]) -> "_Tried":
    """Returns the strictest of a threshold and others; those above 1 say nothing."""
    strictest = max([best.value, *(value for value in values if value <= 1)])
    return best if strictest == best.value else _tried(tested, strictest, kinds)


def kinds_of(control: Control) -> list[str]:
    """Returns the kinds of control records, in alphabetical order."""
    return sorted(set(control.kind_B.tolist()))


def _share_wrong(control: Control, threshold: float) -> float:
    judged_B, wrong_B = answered_and_wrong(control, threshold)
    return float(wrong_B.sum()) / max(int(judged_B.sum()), 1)


@dataclass(frozen=True)
class _Tried:
    value: float
    records: dict[str, int]
    answered: dict[str, int]
    wrong: dict[str, int]

    def covers(self, share: float, fewest: int) -> bool:
        return all(n >= max(fewest, share * self.records[k]) for k, n in self.answered.items())

    def kept(self, kind: str, max_error: float, doubt: float) -> bool:
        from scipy.special import bdtr  # of the binomial; scipy.stats takes a second to import

        return bool(bdtr(float(self.wrong[kind]), self.answered[kind], max_error) <= doubt)


def _tried(control: Control, value: float, kinds: list[str]) -> _Tried:
    judged_B, wrong_B = answered_and_wrong(control, value)
    of = {kind: control.kind_B == kind for kind in kinds}
    return _Tried(
        float(value),
        _counts(control, kinds),
        {kind: int(judged_B[here].sum()) for kind, here in of.items()},
        {kind: int(wrong_B[here].sum()) for kind, here in of.items()},
    )


def _counts(control: Control, kinds: list[str]) -> dict[str, int]:
    return {kind: int((control.kind_B == kind).sum()) for kind in kinds}


def candidates(confidence_BK: NDArray[np.float64]) -> list[float]:
    """Returns thresholds from the strictest down, at most 400: quantiles of the confidences that occur."""
    known = np.unique(confidence_BK[np.isfinite(confidence_BK)])
    if len(known) > 400:
        tail = 1 - np.geomspace(1e-4, 1.0, 200)
        known = np.unique(np.quantile(known, np.concatenate([tail, np.linspace(0, 1, 200)])))
    return [float(value) for value in known[::-1]]
