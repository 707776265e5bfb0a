"""Is it unlike anything learnt? A score of novelty from probabilities and neighbours together.

Baselines use one sign each: the largest probability (Hendrycks & Gimpel 2017, arXiv 1610.02136) or the
nearest reference. Here a logistic regression reads both, the largest logit (Hendrycks et al. 2022, arXiv
1911.11132), how far the nearest reference of another label lies behind, and how close references of the
nearest label lie to one another: a distance that is large in a tight species is small in a variable one.
It is fitted on validation records of taxa that training did not see; where there are too few, each
validation record also stands for an unseen one, with one of its taxa taken away (``stand_ins``).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holotype.decisions.evidence import Evidence, Neighbours, log_odds
from holotype.decisions.logistic import Logistic, fit_logistic

REAL_ENOUGH = 50
"""Records of unseen taxa that are enough to learn from without stand-ins."""
FALSE_ALARMS = 0.05
"""Share of known validation records that may be called novel."""


@dataclass(frozen=True)
class Novelty:
    """A fitted score.

    Attributes:
        fitted: features to probability, at even odds of known and novel.
        tightness: by kind of closeness, float64 (L,): the usual closeness of references of a label to the
            nearest other one of it.
        alarm: scores from here on are called novel: ``FALSE_ALARMS`` of known records have them.
        learnt_from: ``unseen`` records or ``stand_ins``.
    """

    fitted: Logistic
    tightness: dict[str, NDArray[np.float64]]
    alarm: float
    learnt_from: str

    def __call__(self, evidence: Evidence) -> NDArray[np.float64]:
        """Returns the probability that each record is of a taxon that was not learnt, float64 (B,)."""
        return self.fitted(novelty_features(evidence, self.tightness))

    def as_json(self) -> dict[str, Any]:
        """Returns it as plain values."""
        tightness = {
            kind: [round(v, 5) for v in of.tolist()] for kind, of in self.tightness.items()
        }
        return {
            "fitted": self.fitted.as_json(),
            "tightness": tightness,
            "alarm": self.alarm,
            "learnt_from": self.learnt_from,
        }

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> "Novelty":
        """Returns what ``as_json`` told."""
        tightness = {
            kind: np.asarray(of, dtype=np.float64) for kind, of in told["tightness"].items()
        }
        fitted = Logistic.from_json(told["fitted"])
        return cls(fitted, tightness, float(told["alarm"]), str(told["learnt_from"]))


def novelty_features(
    evidence: Evidence, tightness: dict[str, NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Returns what novelty is told from, float64 (B, F), finite."""
    from scipy.special import softmax

    features: list[NDArray[np.float64]] = []
    for logit_BL in evidence.model.values():
        features += [logit_BL.max(axis=1), log_odds(softmax(logit_BL, axis=1).max(axis=1))]
    for kind, near in evidence.near.items():
        features += _of_neighbours(near, tightness[kind])
    return np.stack(features, axis=1)


def _of_neighbours(near: Neighbours, tight_L: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    everywhere = np.ones(near.label_BV.shape, dtype=np.bool_)
    best_B = near.best(everywhere)
    filled = np.where(np.isfinite(near.closeness_BV), near.closeness_BV, near.floor[:, None])
    mean_B = filled[:, :5].mean(axis=1) if filled.shape[1] else best_B
    label_B = _nearest_label(near)
    other_B = near.best(near.label_BV != label_B[:, None])
    usual_B = np.where(label_B >= 0, tight_L[np.maximum(label_B, 0)], np.nanmean(tight_L))
    return [best_B, mean_B, best_B - other_B, best_B - usual_B]


def _nearest_label(near: Neighbours) -> NDArray[np.int64]:
    if not near.label_BV.shape[1]:
        return np.full(len(near.label_BV), -1, dtype=np.int64)
    closeness = np.where(np.isfinite(near.closeness_BV), near.closeness_BV, -np.inf)
    place_B = closeness.argmax(axis=1)
    rows = np.arange(len(place_B))
    label_B = near.label_BV[rows, place_B]
    return np.where(np.isfinite(closeness[rows, place_B]), label_B, -1)


def tightness_of(
    near: Neighbours, label_R: NDArray[np.int64], num_labels: int
) -> NDArray[np.float64]:
    """Returns the median closeness of each label's references to the nearest other one of it, float64 (L,).

    Labels with fewer than three references take the median over all labels.

    Args:
        near: neighbours of the references among themselves, each without itself.
        label_R: int64, their labels.
        num_labels: L.
    """
    best_R = near.best(near.label_BV == label_R[:, None])
    found = np.full(num_labels, np.nan)
    for label in range(num_labels):
        of_label = best_R[label_R == label]
        if len(of_label) >= 3:
            found[label] = np.median(of_label)
    usual = np.nanmedian(found) if np.isfinite(found).any() else near.far
    return np.where(np.isfinite(found), found, usual)


def fit_novelty(
    evidence: Evidence,
    tightness: dict[str, NDArray[np.float64]],
    *,
    known_B: NDArray[np.bool_],
    unseen_B: NDArray[np.bool_],
    stand_ins: Evidence,
) -> Novelty | None:
    """Returns the score fitted on validation records, None where fewer than 50 of them are known.

    Args:
        evidence: of the records.
        tightness: as ``Novelty`` keeps it.
        known_B: records of labels that were learnt.
        unseen_B: records of taxa that were not.
        stand_ins: of known records as if their own labels had not been learnt.
    """
    known, unseen = np.flatnonzero(known_B), np.flatnonzero(unseen_B)
    if len(known) < REAL_ENOUGH:
        return None
    features = [novelty_features(evidence.take(known), tightness)]
    learnt_from = "unseen"
    if len(unseen):
        features.append(novelty_features(evidence.take(unseen), tightness))
    if len(unseen) < REAL_ENOUGH:
        if not len(stand_ins):
            return None
        features.append(novelty_features(stand_ins, tightness))
        learnt_from = "stand_ins"
    feature_BF = np.concatenate(features)
    novel_B = np.arange(len(feature_BF)) >= len(known)
    weight_B = np.where(novel_B, 0.5 / novel_B.mean(), 0.5 / (1 - novel_B.mean()))
    fitted = fit_logistic(feature_BF, novel_B, weight_B=weight_B)
    alarm = float(np.quantile(fitted(features[0]), 1 - FALSE_ALARMS))
    return Novelty(fitted, tightness, alarm, learnt_from)
