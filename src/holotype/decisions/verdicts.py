"""Evidence of records -> which node of the tree is the answer, what kind of answer it is, and why.

With probability 1 - ``DOUBT`` over the validation part, at most the allowed share of the answers is wrong,
where new records are drawn as those were. Records with image and barcode are answered jointly; where their
safe answers contradict one another, the answer is what both say.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holotype.decisions.answer_tree import LABEL_LEVEL, AnswerTree
from holotype.decisions.confidence import falling, spread_over_tree
from holotype.decisions.decisions import ChannelDecisions
from holotype.decisions.evidence import Evidence, way_down
from holotype.decisions.risk import Threshold, level_answered

FITS = 0.5
"""A taxon fits what was learnt where it is more likely right than not."""


@dataclass(frozen=True)
class Verdicts:
    """What is said of B records through one channel.

    Attributes:
        node_BK: int64, the way down, -1 at skipped levels.
        confidence_BK: float64, of its nodes, NaN without one.
        level_B: int64, the level that is answered, -1 for none.
        novelty_B: float64, NaN where it was not fitted.
        is_novel_B: whether novelty gives the alarm.
        calibrated_BN: float64, a probability of every node.
        probability_RL: float64, of the labels, before calibration on the tree.
        alarm: the novelty from which a record is novel, NaN where it was not fitted.
    """

    node_BK: NDArray[np.int64]
    confidence_BK: NDArray[np.float64]
    level_B: NDArray[np.int64]
    novelty_B: NDArray[np.float64]
    is_novel_B: NDArray[np.bool_]
    calibrated_BN: NDArray[np.float64]
    probability_RL: NDArray[np.float64]
    alarm: float = np.nan

    @property
    def answer_B(self) -> NDArray[np.int64]:
        """The node that is answered, int64, -1 for none."""
        at = np.maximum(self.level_B, 0)[:, None]
        return np.where(self.level_B >= 0, np.take_along_axis(self.node_BK, at, axis=1)[:, 0], -1)

    @property
    def score_B(self) -> NDArray[np.float64]:
        """The confidence of the answer, NaN without one."""
        at = np.maximum(self.level_B, 0)[:, None]
        found = np.take_along_axis(self.confidence_BK, at, axis=1)[:, 0]
        return np.where(self.level_B >= 0, found, np.nan)

    @property
    def fits_B(self) -> NDArray[np.int64]:
        """The deepest level at which the record still fits what was learnt, -1 for none."""
        return level_answered(self.confidence_BK, FITS)

    @property
    def is_named_B(self) -> NDArray[np.bool_]:
        """Whether the answer is a label."""
        found: NDArray[np.bool_] = self.level_B == LABEL_LEVEL
        return found


def verdicts(
    tree: AnswerTree, channel: ChannelDecisions, threshold: Threshold, evidence: Evidence
) -> Verdicts:
    """Returns what is said of records through a channel."""
    way = way_down(tree, evidence)
    confidence_BK = channel.confidence(way)
    probability_BL = evidence.probability_BL
    novelty_B = np.full(len(evidence), np.nan)
    is_novel_B = np.zeros(len(evidence), dtype=np.bool_)
    if channel.novelty is not None:
        novelty_B = channel.novelty(evidence)
        is_novel_B = novelty_B > channel.novelty.alarm
    return Verdicts(
        way.node_BK,
        confidence_BK,
        level_answered(confidence_BK, asked_for(threshold)),
        novelty_B,
        is_novel_B,
        spread_over_tree(tree, tree.mass(probability_BL), way, confidence_BK),
        probability_BL,
        channel.novelty.alarm if channel.novelty is not None else np.nan,
    )


def uncalibrated(tree: AnswerTree, threshold: Threshold, evidence: Evidence) -> Verdicts:
    """Returns what is said where nothing was calibrated: the model's own probabilities, as they are."""
    probability_BL = evidence.probability_BL
    mass_BN = tree.mass(probability_BL)
    node_BK = tree.descend(mass_BN)
    own_BK = np.take_along_axis(mass_BN, np.maximum(node_BK, 0), axis=1)
    confidence_BK = falling(np.where(node_BK >= 0, own_BK, np.nan))
    return Verdicts(
        node_BK,
        confidence_BK,
        level_answered(confidence_BK, asked_for(threshold)),
        np.full(len(evidence), np.nan),
        np.zeros(len(evidence), dtype=np.bool_),
        mass_BN,
        probability_BL,
    )


def asked_for(threshold: Threshold) -> float:
    """Returns the confidence that answers need; where no error can be promised, 1 less what was allowed."""
    return threshold.value if threshold.holds else 1 - threshold.max_error


def common_ancestor(tree: AnswerTree, first: int, second: int) -> int:
    """Returns the deepest node at or above both, -1 where there is none."""
    above = set(_line(tree, first))
    return next((node for node in _line(tree, second) if node in above), -1)


def contradict(tree: AnswerTree, first: int, second: int) -> bool:
    """Returns whether two answers cannot both be right: neither is at or above the other."""
    if first < 0 or second < 0:
        return False
    return common_ancestor(tree, first, second) not in (first, second)


def _line(tree: AnswerTree, node: int) -> list[int]:
    found = []
    while node >= 0:
        found.append(node)
        node = int(tree.parent_N[node])
    return found
