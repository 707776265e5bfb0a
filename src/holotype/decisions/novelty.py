"""Is it unlike anything learnt? A score of novelty from probabilities and neighbours together.

Baselines use one sign each: the largest probability (Hendrycks & Gimpel 2017, arXiv 1610.02136) or the
nearest reference. Here both are read with the largest logit (Hendrycks et al. 2022, arXiv 1911.11132), how
far the nearest reference of another label lies behind, and how close references of the nearest label lie to
one another: a distance that is large in a tight species is small in a variable one. How the signs are
weighed is chosen by cross-validation over unseen taxa of the validation part; where these are too few they
count alike, and stand-ins set the scale.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holotype.decisions.evidence import Evidence, Neighbours, log_odds
from holotype.decisions.logistic import Logistic, fit_logistic

ENOUGH = 50
"""Known records, and records of unseen taxa, that a score can be learnt from."""
FEWEST_TAXA = 10
"""Unseen taxa that a way of weighing can be chosen by."""
FOLDS = 5
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
        way: how the signs are weighed, one of ``WAYS``.
    """

    fitted: Logistic
    tightness: dict[str, NDArray[np.float64]]
    alarm: float
    way: str

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
            "way": self.way,
        }

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> "Novelty":
        """Returns what ``as_json`` told."""
        tightness = {
            kind: np.asarray(of, dtype=np.float64) for kind, of in told["tightness"].items()
        }
        fitted = Logistic.from_json(told["fitted"])
        return cls(fitted, tightness, float(told["alarm"]), str(told["way"]))


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
    draw_B: NDArray[np.int64],
    stand_ins: Evidence,
) -> Novelty | None:
    """Returns the score fitted on validation records, None where fewer than 50 of them are known.

    Args:
        evidence: of the records.
        tightness: as ``Novelty`` keeps it.
        known_B: records of labels that were learnt.
        unseen_B: records of taxa that were not.
        draw_B: int64, what was drawn independently: groups, and whole unseen taxa.
        stand_ins: of known records as if their own taxa had not been learnt.
    """
    known, unseen = np.flatnonzero(known_B), np.flatnonzero(unseen_B)
    if len(known) < ENOUGH or not len(unseen) + len(stand_ins):
        return None
    feature_BF = novelty_features(evidence, tightness)
    stand_in_SF = novelty_features(stand_ins, tightness)
    usual = usual_features(evidence)
    chosen = WITHOUT_CHOICE
    if len(unseen) >= ENOUGH and len(np.unique(draw_B[unseen])) >= FEWEST_TAXA:
        chosen = best_way(feature_BF, stand_in_SF, known, unseen, draw_B, usual)
    fitted = WAYS[chosen](feature_BF[known], feature_BF[unseen], stand_in_SF, usual)
    alarm = float(np.quantile(fitted(feature_BF[known]), 1 - FALSE_ALARMS))
    return Novelty(fitted, tightness, alarm, chosen)


def usual_features(evidence: Evidence) -> NDArray[np.int64]:
    """Returns the features that ``even`` counts: logits, largest probabilities, and closeness."""
    first = 2 * len(evidence.model)
    places = [first + 4 * kind + at for kind in range(len(evidence.near)) for at in (0, 1)]
    return np.asarray([*range(first), *places], dtype=np.int64)


def _free(
    known_KF: NDArray[np.float64], unseen_UF: NDArray[np.float64], _: Any, __: Any
) -> Logistic:
    return _two_sided(known_KF, unseen_UF)


def _one_way(
    known_KF: NDArray[np.float64],
    unseen_UF: NDArray[np.float64],
    stand_in_SF: NDArray[np.float64],
    _: Any,
) -> Logistic:
    turned = _two_sided(-known_KF, -np.concatenate([unseen_UF, stand_in_SF]), rising=True)
    return Logistic(-turned.centre, turned.spread, -turned.weight, turned.bias)


def _even(
    known_KF: NDArray[np.float64],
    unseen_UF: NDArray[np.float64],
    stand_in_SF: NDArray[np.float64],
    usual: NDArray[np.int64],
) -> Logistic:
    centre, spread = known_KF.mean(axis=0), np.maximum(known_KF.std(axis=0), 1e-9)
    weight = np.zeros(known_KF.shape[1])
    weight[usual] = -1 / len(usual)
    novel = unseen_UF if len(unseen_UF) >= ENOUGH else np.concatenate([unseen_UF, stand_in_SF])
    scores = [((part - centre) / spread) @ weight for part in (known_KF, novel)]
    scale = _two_sided(scores[0][:, None], scores[1][:, None], rising=True)
    steep = float(scale.weight[0] / scale.spread[0])
    bias = float(scale.bias - scale.weight[0] * scale.centre[0] / scale.spread[0])
    return Logistic(centre, spread, steep * weight, bias)


def _two_sided(
    known_KF: NDArray[np.float64], novel_UF: NDArray[np.float64], *, rising: bool = False
) -> Logistic:
    """Returns a regression that tells novel from known at even odds."""
    novel_B = np.arange(len(known_KF) + len(novel_UF)) >= len(known_KF)
    weight_B = np.where(novel_B, 0.5 / novel_B.mean(), 0.5 / (1 - novel_B.mean()))
    features = np.concatenate([known_KF, novel_UF])
    return fit_logistic(features, novel_B, weight_B=weight_B, rising=rising)


WAYS = {"free": _free, "one_way": _one_way, "even": _even}
"""Ways to weigh the signs. ``free``: fitted on unseen records; ``one_way``: on these and stand-ins, no sign
may count against its meaning; ``even``: the usual signs count alike, in units of their spread."""
WITHOUT_CHOICE = "even"
"""The way where unseen taxa are too few to choose by: it needs to learn least."""


def best_way(
    feature_BF: NDArray[np.float64],
    stand_in_SF: NDArray[np.float64],
    known: NDArray[np.int64],
    unseen: NDArray[np.int64],
    draw_B: NDArray[np.int64],
    usual: NDArray[np.int64],
) -> str:
    """Returns the way that tells unseen taxa best which it was not fitted on (area under the ROC curve)."""
    draws = np.unique(draw_B)
    fold_B = (np.searchsorted(draws, draw_B) * 7919) % FOLDS
    areas: dict[str, list[float]] = {name: [] for name in WAYS}
    for fold in range(FOLDS):
        inside, outside = fold_B == fold, fold_B != fold
        parts = [rows[outside[rows]] for rows in (known, unseen)]
        asked = [rows[inside[rows]] for rows in (known, unseen)]
        if min(map(len, [*parts, *asked])) == 0:
            continue
        for name, way in WAYS.items():
            fitted = way(feature_BF[parts[0]], feature_BF[parts[1]], stand_in_SF, usual)
            areas[name].append(area(fitted(feature_BF[asked[0]]), fitted(feature_BF[asked[1]])))
    means = {name: float(np.mean(found)) for name, found in areas.items() if found}
    return max(means, key=lambda name: means[name]) if means else WITHOUT_CHOICE


def area(known_K: NDArray[np.float64], novel_U: NDArray[np.float64]) -> float:
    """Returns the area under the ROC curve: how often a novel record scores above a known one."""
    from scipy.stats import rankdata

    rank = rankdata(np.concatenate([known_K, novel_U]))[len(known_K) :]
    count = len(novel_U)
    return float((rank.sum() - count * (count + 1) / 2) / (count * len(known_K)))
