"""Is it unlike anything learnt? A score of novelty from probabilities and neighbours together.

Baselines use one sign each: the largest probability (Hendrycks & Gimpel 2017, arXiv 1610.02136) or the
nearest reference. Here several count alike, each in units of its spread among known records: of images the
largest logit (Hendrycks et al. 2022, arXiv 1911.11132), the largest probability, and the closeness of the
nearest reference and of the five nearest; where barcodes were aligned, the closeness by embedding and by
identity. Weights fitted on unseen taxa did better where they were fitted and worse on other splits, so none
are. Unseen records, or stand-ins where these are few, turn the score into a probability.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holotype.decisions.evidence import IDENTITY, Evidence, Neighbours, log_odds
from holotype.decisions.logistic import Logistic, fit_logistic

ENOUGH = 50
"""Known records, and records of unseen taxa, that a score can be scaled by."""
FALSE_ALARMS = 0.05
"""Share of known validation records that may be called novel."""


class ScaledBy(StrEnum):
    """What stood for novel records when the score became a probability."""

    UNSEEN = "unseen"
    STAND_INS = "stand_ins"


@dataclass(frozen=True)
class Novelty:
    """A fitted score.

    Attributes:
        fitted: features to probability, at even odds of known and novel.
        alarm: scores from here on are called novel: ``FALSE_ALARMS`` of known records have them.
        scaled_by: what stood for novel records when the score became a probability.
    """

    fitted: Logistic
    alarm: float
    scaled_by: ScaledBy

    def __call__(self, evidence: Evidence) -> NDArray[np.float64]:
        """Returns the probability that each record is of a taxon that was not learnt, float64 (B,)."""
        return self.fitted(novelty_features(evidence))

    def as_json(self) -> dict[str, Any]:
        """Returns it as plain values."""
        fitted = self.fitted.as_json()
        return {"fitted": fitted, "alarm": self.alarm, "scaled_by": self.scaled_by.value}

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> "Novelty":
        """Returns what ``as_json`` told."""
        fitted, scaled_by = Logistic.from_json(told["fitted"]), ScaledBy(told["scaled_by"])
        return cls(fitted, float(told["alarm"]), scaled_by)


def novelty_features(evidence: Evidence) -> NDArray[np.float64]:
    """Returns what novelty is told from, float64 (B, F): closeness alone where barcodes were aligned."""
    if IDENTITY in evidence.near:
        return np.stack([_nearest(near) for near in evidence.near.values()], axis=1)
    from scipy.special import softmax

    features: list[NDArray[np.float64]] = []
    for logit_BL in evidence.model.values():
        features += [logit_BL.max(axis=1), log_odds(softmax(logit_BL, axis=1).max(axis=1))]
    for near in evidence.near.values():
        features += [_nearest(near), _mean_of_five(near)]
    return np.stack(features, axis=1)


def _nearest(near: Neighbours) -> NDArray[np.float64]:
    return near.best(np.ones(near.label_BV.shape, dtype=np.bool_))


def _mean_of_five(near: Neighbours) -> NDArray[np.float64]:
    filled = np.where(np.isfinite(near.closeness_BV), near.closeness_BV, near.floor[:, None])
    return filled[:, :5].mean(axis=1) if filled.shape[1] else near.floor


def fit_novelty(
    evidence: Evidence,
    *,
    known_B: NDArray[np.bool_],
    unseen_B: NDArray[np.bool_],
    stand_ins: Evidence,
) -> Novelty | None:
    """Returns the score fitted on validation records, None where fewer than 50 of them are known.

    Args:
        evidence: of the records.
        known_B: records of labels that were learnt.
        unseen_B: records of taxa that were not.
        stand_ins: of known records as if taxa of theirs had not been learnt.
    """
    known, unseen = np.flatnonzero(known_B), np.flatnonzero(unseen_B)
    if len(known) < ENOUGH or not len(unseen) + len(stand_ins):
        return None
    feature_BF = novelty_features(evidence)
    novel_UF, scaled_by = feature_BF[unseen], ScaledBy.UNSEEN
    if len(unseen) < ENOUGH:
        novel_UF = np.concatenate([novel_UF, novelty_features(stand_ins)])
        scaled_by = ScaledBy.STAND_INS
    fitted = even(feature_BF[known], novel_UF)
    alarm = float(np.quantile(fitted(feature_BF[known]), 1 - FALSE_ALARMS))
    return Novelty(fitted, alarm, scaled_by)


def even(known_KF: NDArray[np.float64], novel_UF: NDArray[np.float64]) -> Logistic:
    """Returns the mean of the features, in units of their spread among known records, as a probability."""
    centre, spread = known_KF.mean(axis=0), np.maximum(known_KF.std(axis=0), 1e-9)
    weight = np.full(known_KF.shape[1], -1 / known_KF.shape[1])
    score_B = ((np.concatenate([known_KF, novel_UF]) - centre) / spread) @ weight
    novel_B = np.arange(len(score_B)) >= len(known_KF)
    share_B = np.where(novel_B, 0.5 / novel_B.mean(), 0.5 / (1 - novel_B.mean()))
    scale = fit_logistic(score_B[:, None], novel_B, weight_B=share_B, rising=True)
    steep = float(scale.weight[0] / scale.spread[0])
    return Logistic(centre, spread, steep * weight, float(scale.bias - steep * scale.centre[0]))
