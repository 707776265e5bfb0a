"""Are the safe answers safe? Error at the rank answered, coverage, calibration and novelty on the test part.

Every figure is of records that neither training nor calibration saw. Errors have exact intervals (Clopper &
Pearson 1934), areas under the ROC curve bootstrap intervals over held-out taxa and over groups of the others.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from holotype.decisions.answer_tree import LEVELS, OPEN, RIGHT, WRONG
from holotype.decisions.curves import exact_interval, risk_curve
from holotype.decisions.decisions import right_on_way
from holotype.decisions.evidence import Evidence
from holotype.decisions.risk import Control
from holotype.decisions.store import open_decisions
from holotype.decisions.verdicts import Verdicts, verdicts
from holotype.evaluation.exam import Exam
from holotype.models.bundle import Bundle
from holotype.models.encode import Encoded
from holotype.randomness import generator
from holotype.splits.plan import Role, Status
from holotype.taxonomy.lineage import LINNAEAN_RANKS

ALLOWED = (0.01, 0.05, 0.1)
BINS = 10
DRAWS = 300
FEWEST = 10
"""Records of a part below which no figure is made."""
NOVEL_AT = ("species", "genus", "family")


def decisions_exhibit(bundle: Bundle, exam: Exam) -> dict[str, Any] | None:
    """Returns how safe the answers to the test records are, by channel; None for an uncalibrated bundle.

    Keys of each channel: ``errors`` (by allowed error, part and instrument), ``levels`` (coverage and error
    at 5 %), ``calibration`` (expected error and bins, of the answers and by level), ``curve`` (coverage
    against error) and ``novelty`` (area under the ROC curve, ours and the baselines').
    """
    opened = open_decisions(bundle)
    if opened is None:
        return None
    reader = opened.reader(bundle)
    tests = {m: _of_test(exam, encoded) for m, encoded in exam.encoded.items()}
    read = reader.read_encoded({m: e for m, e in tests.items() if len(e)}, exam.materials.barcode_N)
    found: dict[str, Any] = {}
    for channel, reading in read.readings.items():
        of = opened.decisions.channels.get(channel)
        if of is None:
            continue
        rows = reading.row_R
        truth_RN = reader.tree.truths(
            [exam.materials.concept_N[row] for row in rows.tolist()], exam.names_of("label", rows)
        )
        evidence = reading.evidence(of.pool)
        asked = _Asked(exam, rows, evidence, truth_RN)
        judged = {}
        for allowed in ALLOWED:
            threshold = opened.decisions.threshold(channel, max_error=allowed)
            judged[allowed] = threshold, verdicts(reader.tree, of, threshold, evidence)
        at_five = judged[0.05][1]
        found[channel.value] = {
            "records": len(rows),
            "errors": [
                row
                for allowed, (threshold, said) in judged.items()
                for row in _errors(asked, said, allowed, threshold.remark)
            ],
            "levels": _levels(asked, at_five),
            "calibration": _calibration(asked, at_five),
            "curve": _curve(asked, at_five),
            "novelty": _novelty(asked, at_five, seed=exam.seed),
            "novelty_scaled_by": of.novelty.scaled_by.value if of.novelty is not None else None,
        }
    return found


class _Asked:
    """Test records of one channel, and what is right of every answer."""

    def __init__(
        self, exam: Exam, rows: NDArray[np.int64], evidence: Evidence, truth_RN: NDArray[np.int8]
    ) -> None:
        self.exam, self.rows, self.evidence, self.truth_RN = exam, rows, evidence, truth_RN
        self.unseen_R = exam.status_N[rows] == Status.UNSEEN.value
        self.group_R = exam.group_N[rows]
        instruments = exam.table["instrument"].to_pylist()
        self.instrument_R = np.asarray([str(instruments[row] or "") for row in rows.tolist()])

    def right(self, said: Verdicts) -> NDArray[np.int8]:
        """Returns what is known of the answers, int8 (R,), OPEN without one."""
        answer = said.answer_B
        known = np.take_along_axis(self.truth_RN, np.maximum(answer, 0)[:, None], axis=1)[:, 0]
        return np.where(answer >= 0, known, OPEN)


def _of_test(exam: Exam, encoded: Encoded) -> Encoded:
    at = exam.among(encoded, Role.TEST)
    logit = encoded.logit_RL[at] if encoded.logit_RL is not None else None
    return Encoded(encoded.row_R[at], encoded.z_RD[at], logit)


def _errors(
    asked: _Asked, said: Verdicts, allowed: float, remark: str | None
) -> list[dict[str, Any]]:
    everything = np.ones(len(asked.rows), dtype=np.bool_)
    parts = {"all": everything, "seen": ~asked.unseen_R, "unseen": asked.unseen_R}
    if not asked.unseen_R.any():
        parts = {"all": everything}
    named = sorted(set(asked.instrument_R.tolist()) - {""})
    if len(named) > 1:
        parts |= {f"instrument {name}": asked.instrument_R == name for name in named}
    return [
        {"allowed": allowed, "part": name, "remark": remark, **_error(asked, said, part)}
        for name, part in parts.items()
        if part.sum() >= FEWEST
    ]


def _error(asked: _Asked, said: Verdicts, part: NDArray[np.bool_]) -> dict[str, Any]:
    right_R = asked.right(said)
    answered, judged = part & (said.answer_B >= 0), part & (right_R != OPEN)
    count, wrong = int(judged.sum()), int((judged & (right_R == WRONG)).sum())
    low, high = exact_interval(wrong, count) if count else (None, None)
    return {
        "records": int(part.sum()),
        "answered": int(answered.sum()),
        "judged": count,
        "wrong": wrong,
        "error": wrong / count if count else None,
        "low": low,
        "high": high,
        "named": int((part & said.is_named_B).sum()),
    }


def _levels(asked: _Asked, said: Verdicts) -> list[dict[str, Any]]:
    """Returns coverage and error by the rank of the answer (labels by the rank of their taxon)."""
    right_R = asked.right(said)
    found = []
    for level, name in enumerate(LEVELS):
        at = said.level_B == level
        judged, wrong = at & (right_R != OPEN), at & (right_R == WRONG)
        found.append(
            {
                "level": name,
                "share": float(at.mean()),
                "share_at_least": float((said.level_B >= level).mean()),
                "judged": int(judged.sum()),
                "wrong": int(wrong.sum()),
            }
        )
    return found


def _calibration(asked: _Asked, said: Verdicts) -> list[dict[str, Any]]:
    right_RK = right_on_way(said.node_BK, asked.truth_RN)
    parts = [("answer", said.score_B, asked.right(said))]
    parts += [
        (name, said.confidence_BK[:, level], right_RK[:, level])
        for level, name in enumerate(LEVELS)
    ]
    found = []
    for name, confidence, right in parts:
        judged = (right != OPEN) & np.isfinite(confidence)
        if judged.sum() >= FEWEST:
            bins = reliability(confidence[judged], right[judged] == RIGHT)
            expected = sum(b["records"] * abs(b["confidence"] - b["right"]) for b in bins)
            count = int(judged.sum())
            found.append({"of": name, "records": count, "error": expected / count, "bins": bins})
    return found


def reliability(
    confidence_B: NDArray[np.float64], right_B: NDArray[np.bool_]
) -> list[dict[str, Any]]:
    """Returns mean confidence and share of right answers in equal steps of confidence."""
    step_B = np.clip((confidence_B * BINS).astype(int), 0, BINS - 1)
    found = []
    for step in range(BINS):
        here = step_B == step
        if here.any():
            low, high = exact_interval(int(right_B[here].sum()), int(here.sum()))
            found.append(
                {
                    "confidence": float(confidence_B[here].mean()),
                    "right": float(right_B[here].mean()),
                    "low": low,
                    "high": high,
                    "records": int(here.sum()),
                }
            )
    return found


def _curve(asked: _Asked, said: Verdicts) -> list[dict[str, float]]:
    right_RK = right_on_way(said.node_BK, asked.truth_RN)
    count = len(asked.rows)
    nothing = np.full(count, "", dtype=np.str_)
    points = risk_curve(
        Control(said.confidence_BK, right_RK, nothing, nothing, np.zeros(count), np.arange(count))
    )
    return [
        {"coverage": one.coverage, "error": one.error, "low": one.low, "high": one.high}
        for one in points
    ]


def _novelty(asked: _Asked, said: Verdicts, *, seed: int) -> list[dict[str, Any]]:
    """Returns areas under the ROC curve for records of held-out taxa against the others, by rank."""
    if np.isnan(said.novelty_B).any() or not asked.unseen_R.any():
        return []
    scores = {"novelty": said.novelty_B}
    for name, logit in asked.evidence.model.items():
        shifted = np.exp(logit - logit.max(axis=1, keepdims=True))
        scores[f"largest probability of the {name}"] = -(1 / shifted.sum(axis=1))
    for kind, near in asked.evidence.near.items():
        everything = np.ones(near.label_BV.shape, dtype=np.bool_)
        scores[f"distance to the nearest {kind}"] = -near.best(everything)
    found = []
    for rank, (novel, taxon_R) in _held_out(asked).items():
        use = novel | ~asked.unseen_R
        if novel.sum() < FEWEST or (~asked.unseen_R).sum() < FEWEST:
            continue
        unit_R = np.where(novel, taxon_R, asked.group_R.astype(str))
        for method, score in scores.items():
            value, low, high = _area(score[use], novel[use], unit_R[use], seed=seed)
            found.append(
                {"held_out": rank, "method": method, "value": value, "low": low, "high": high,
                 "novel": int(novel.sum()), "known": int((~asked.unseen_R).sum()),
                 "taxa": len(np.unique(taxon_R[novel]))}
            )  # fmt: skip
    return found


def _held_out(asked: _Asked) -> dict[str, tuple[NDArray[np.bool_], NDArray[np.str_]]]:
    """Returns which unseen records are of a taxon that no label has, and which taxon, by rank.

    ``any``: all of them, by what they are called.
    """
    concepts = [asked.exam.materials.concept_N[row] for row in asked.rows.tolist()]
    called = np.asarray([f"taxon {concept}" for concept in concepts])
    found = {"any": (asked.unseen_R, called)}
    for rank in LINNAEAN_RANKS:
        if rank.value not in NOVEL_AT:
            continue
        names = [c.lineage.name_at(rank) if c is not None else None for c in concepts]
        known = {n for n, unseen in zip(names, asked.unseen_R, strict=True) if n and not unseen}
        known |= _learnt_names(asked, rank.value)
        new = np.asarray([n is not None and n not in known for n in names], dtype=np.bool_)
        found[rank.value] = asked.unseen_R & new, np.asarray([f"taxon {name}" for name in names])
    return found


def _learnt_names(asked: _Asked, rank: str) -> set[str]:
    exam = asked.exam
    rows = np.flatnonzero(exam.role_N == Role.TRAIN.value)
    return {name for name in exam.names_of(rank, rows) if name is not None}


def _area(
    score_B: NDArray[np.float64],
    novel_B: NDArray[np.bool_],
    unit_B: NDArray[np.str_],
    *,
    seed: int,
) -> tuple[float, float | None, float | None]:
    """Returns the area under the ROC curve, and a 95 % interval over units where the novel are of several."""
    from sklearn.metrics import roc_auc_score

    value = float(roc_auc_score(novel_B, score_B))
    if len(np.unique(unit_B[novel_B])) < 2:
        return value, None, None
    groups, which_B = np.unique(unit_B, return_inverse=True)
    chances = np.full(len(groups), 1 / len(groups))
    drawn_RG = generator(seed, "novelty").multinomial(len(groups), chances, size=DRAWS)
    again = [
        roc_auc_score(novel_B, score_B, sample_weight=weight_G[which_B])
        for weight_G in drawn_RG
        if weight_G[which_B][novel_B].any() and weight_G[which_B][~novel_B].any()
    ]
    low, high = np.quantile(again, [0.025, 0.975])
    return value, float(low), float(high)
