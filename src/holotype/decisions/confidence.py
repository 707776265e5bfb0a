"""From features of a way down the tree to the probability that each of its nodes is right.

One logistic regression for each level that has validation records enough, and one over all levels for the
rest. Its features are the model's own probability of the node and how the nearest references lie within and
outside it. No node is more certain than the one above it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holotype.decisions.answer_tree import LEVELS, OPEN, RIGHT, AnswerTree
from holotype.decisions.evidence import Way
from holotype.decisions.logistic import Logistic, fit_logistic

ENOUGH = 60
"""Records that a level needs for a regression of its own, with this share of each outcome."""
RAREST = 10


@dataclass(frozen=True)
class Confidence:
    """What turns features into probabilities.

    Attributes:
        of_level: by level that has its own; the others use ``of_all``.
        of_all: over all levels; its last features say which level it is.
    """

    of_level: dict[int, Logistic]
    of_all: Logistic

    def __call__(self, way: Way) -> NDArray[np.float64]:
        """Returns the probability that each node is right, float64 (B, K), falling; NaN without a node."""
        found_BK = np.full(way.node_BK.shape, np.nan)
        for level in range(len(LEVELS)):
            rows = np.flatnonzero(way.node_BK[:, level] >= 0)
            feature_RF = way.feature_BKF[rows, level]
            if level in self.of_level:
                found_BK[rows, level] = self.of_level[level](feature_RF)
            else:
                found_BK[rows, level] = self.of_all(_with_level(feature_RF, level))
        return falling(found_BK)

    def as_json(self) -> dict[str, Any]:
        """Returns it as plain values."""
        of_level = {LEVELS[level]: fitted.as_json() for level, fitted in self.of_level.items()}
        return {"of_level": of_level, "of_all": self.of_all.as_json()}

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> "Confidence":
        """Returns what ``as_json`` told."""
        of_level = {
            LEVELS.index(level): Logistic.from_json(fitted)
            for level, fitted in told["of_level"].items()
        }
        return cls(of_level, Logistic.from_json(told["of_all"]))


def fit_confidence(way: Way, right_BK: NDArray[np.int8]) -> Confidence | None:
    """Returns the confidence fitted on records of known identity, None where there is nothing to fit on.

    Args:
        way: of the records.
        right_BK: int8, RIGHT, WRONG or OPEN of each node on the way.
    """
    judged_BK = (way.node_BK >= 0) & (right_BK != OPEN)
    if judged_BK.sum() < ENOUGH:
        return None
    of_level = {}
    for level in range(right_BK.shape[1]):
        rows = np.flatnonzero(judged_BK[:, level])
        right = right_BK[rows, level] == RIGHT
        if len(rows) >= ENOUGH and min(right.sum(), (~right).sum()) >= RAREST:
            of_level[level] = fit_logistic(way.feature_BKF[rows, level], right)
    row_R, level_R = np.nonzero(judged_BK)
    parts = [
        _with_level(way.feature_BKF[row_R[level_R == level], level], level)
        for level in range(right_BK.shape[1])
    ]
    rights = [
        right_BK[row_R[level_R == level], level] == RIGHT for level in range(right_BK.shape[1])
    ]
    return Confidence(of_level, fit_logistic(np.concatenate(parts), np.concatenate(rights)))


def _with_level(feature_RF: NDArray[np.float64], level: int) -> NDArray[np.float64]:
    depth = np.full((len(feature_RF), 1), float(level))
    return np.concatenate([feature_RF, depth], axis=1)


def falling(confidence_BK: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns confidences of which none is above one of a higher level; NaN stays."""
    filled = np.where(np.isnan(confidence_BK), np.inf, confidence_BK)
    lowest = np.minimum.accumulate(filled, axis=1)
    return np.where(np.isnan(confidence_BK), np.nan, lowest)


def spread_over_tree(
    tree: AnswerTree, mass_BN: NDArray[np.float64], way: Way, confidence_BK: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Returns a calibrated probability of every node, float64 (B, N).

    On the way it is the confidence. Beside it a node keeps its own mass, or its share of what the way
    leaves to its siblings where that is less; below it masses are scaled with their parent. Children
    never add up to more than their parent: what is missing is for taxa that were not learnt.
    """
    calibrated_BN = np.zeros_like(mass_BN)
    on_way_BN = np.zeros(mass_BN.shape, dtype=np.bool_)
    rows, levels = np.nonzero(way.node_BK >= 0)
    on_way_BN[rows, way.node_BK[rows, levels]] = True
    calibrated_BN[rows, way.node_BK[rows, levels]] = confidence_BK[rows, levels]
    one_B1 = np.ones((len(mass_BN), 1))
    for of in tree.generations:
        is_top = of.parent_F[0] < 0
        above_BF = one_B1 if is_top else calibrated_BN[:, of.parent_F]
        above_mass_BF = one_B1 if is_top else mass_BN[:, of.parent_F]
        way_BC, mass_BC = on_way_BN[:, of.child_C], mass_BN[:, of.child_C]
        own_BC = np.where(way_BC, calibrated_BN[:, of.child_C], 0)
        has_way_BF = np.logical_or.reduceat(way_BC, of.first_F, axis=1)
        taken_BF = np.add.reduceat(own_BC, of.first_F, axis=1)
        way_mass_BF = np.add.reduceat(np.where(way_BC, mass_BC, 0), of.first_F, axis=1)
        left_BF = np.where(has_way_BF, above_BF - taken_BF, above_BF)
        left_mass_BF = np.where(has_way_BF, above_mass_BF - way_mass_BF, above_mass_BF)
        scale_BF = np.clip(left_BF / np.maximum(left_mass_BF, 1e-12), 0.0, 1.0)
        calibrated_BN[:, of.child_C] = np.where(way_BC, own_BC, mass_BC * scale_BF[:, of.family_C])
    return calibrated_BN
