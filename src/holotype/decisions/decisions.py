"""All that a bundle knows of how sure it is: one value, fitted on validation records, kept in its folder.

A channel (image, barcode, both) has its confidence, its novelty score and the control records that turn an
allowed error into a threshold.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holotype.decisions.answer_tree import OPEN, RIGHT, AnswerTree
from holotype.decisions.channels import ENOUGH, Channel, fit_pool
from holotype.decisions.confidence import Confidence, fit_confidence
from holotype.decisions.evidence import Evidence, Way, way_down
from holotype.decisions.novelty import Novelty, fit_novelty
from holotype.decisions.reading import Reading
from holotype.decisions.risk import Control, Threshold, joined_controls, safe_threshold
from holotype.decisions.stand_ins import StandIns
from holotype.randomness import generator

STAND_IN_DRAW = -(1 << 40)
FOLDS = 4
"""Parts of the validation records, each of which is judged by what was fitted on the others."""


@dataclass(frozen=True)
class ChannelDecisions:
    """What is known of one channel.

    Attributes:
        pool: weights of the parts of the evidence.
        confidence: of the nodes on the way down.
        novelty: None where there were too few records to fit it.
        control: validation records, judged by what was fitted on others.
    """

    pool: dict[str, float]

    confidence: Confidence
    novelty: Novelty | None
    control: Control


@dataclass(frozen=True)
class Decisions:
    """What a bundle knows of how sure it is.

    Attributes:
        channels: those with validation records enough.
        without: channel -> why it has no decisions.
    """

    channels: dict[Channel, ChannelDecisions]
    without: dict[Channel, str]

    def threshold(self, channel: Channel, *, max_error: float) -> Threshold:
        """Returns the confidence at which answers of a channel are safe."""
        if channel in self.channels:
            return safe_threshold(self.channels[channel].control, max_error=max_error)
        reason = self.without.get(channel, "the model was not calibrated for it")
        return Threshold(2.0, max_error, {}, {}, reason)

    def as_json(self) -> dict[str, Any]:
        """Returns it as plain values, the control records aside."""
        return {
            "without": {channel.value: reason for channel, reason in self.without.items()},
            "channels": {
                channel.value: {
                    "pool": of.pool,
                    "confidence": of.confidence.as_json(),
                    "novelty": of.novelty.as_json() if of.novelty is not None else None,
                    "control_records": len(of.control),
                }
                for channel, of in self.channels.items()
            },
        }

    @classmethod
    def from_json(cls, told: dict[str, Any], controls: dict[Channel, Control]) -> "Decisions":
        """Returns what ``as_json`` told, with its control records."""
        channels = {
            Channel(name): ChannelDecisions(
                {part: float(weight) for part, weight in of["pool"].items()},
                Confidence.from_json(of["confidence"]),
                Novelty.from_json(of["novelty"]) if of["novelty"] is not None else None,
                controls[Channel(name)],
            )
            for name, of in told["channels"].items()
        }
        without = {Channel(name): reason for name, reason in told["without"].items()}
        return cls(channels, without)


@dataclass(frozen=True)
class Examinees:
    """Validation records of one channel, B of them.

    Attributes:
        reading: what is known of them.
        stand_ins: known ones of them as if a taxon of theirs had not been learnt.
        truth_BN: int8, what is right of every answer (``AnswerTree.truths``).
        draw_B: int64, what was drawn independently: groups of the split; of unseen taxa, whole taxa.
        unseen_B: whether their taxon was held out of training.
        known_B: whether their label is one of the space.
        own_BL: the labels that agree with each.
        few_unseen: whether unseen taxa are so few that stand-ins are judged beside them.
    """

    reading: Reading
    stand_ins: StandIns
    truth_BN: NDArray[np.int8]
    draw_B: NDArray[np.int64]
    unseen_B: NDArray[np.bool_]
    known_B: NDArray[np.bool_]
    own_BL: NDArray[np.bool_]
    few_unseen: bool

    def __len__(self) -> int:
        return len(self.draw_B)

    def take(self, rows: NDArray[np.int64]) -> "Examinees":
        """Returns some of the records."""
        return Examinees(
            self.reading.take(rows),
            self.stand_ins.take(rows),
            self.truth_BN[rows],
            self.draw_B[rows],
            self.unseen_B[rows],
            self.known_B[rows],
            self.own_BL[rows],
            self.few_unseen,
        )


def fit_channel(
    tree: AnswerTree,
    examinees: Examinees,
    *,
    seed: int,
) -> ChannelDecisions | None:
    """Returns the decisions of a channel, None where too few records can be judged.

    What controls the error was fitted on other records: draws are dealt to ``FOLDS`` folds, and each fold is
    judged by what was fitted on the others. What answers later is fitted on all of them.
    """
    fold_B = folds(examinees.draw_B, seed=seed)
    fitted = _fitted(tree, examinees)
    if fitted is None:
        return None
    controls = []
    for fold in range(FOLDS):
        inner = _fitted(tree, examinees.take(np.flatnonzero(fold_B != fold)))
        if inner is None:
            return None
        asked = _asked(tree, examinees.take(np.flatnonzero(fold_B == fold)), inner.pool)
        names = np.asarray(tree.labels.names, dtype=np.str_)
        probability_BL = asked.evidence.probability_BL
        controls.append(
            Control(
                inner.confidence(asked.way),
                right_on_way(asked.way.node_BK, asked.truth_BN),
                np.where(asked.unseen_B, "unseen", "seen"),
                names[probability_BL.argmax(axis=1)],
                probability_BL.max(axis=1),
                asked.draw_B,
            )
        )
    control = joined_controls(controls)
    shuffled = control.take(generator(seed, "control").permutation(len(control)))
    return ChannelDecisions(fitted.pool, fitted.confidence, fitted.novelty, shuffled)


@dataclass(frozen=True)
class _Fitted:
    pool: dict[str, float]
    confidence: Confidence
    novelty: Novelty | None


def _fitted(tree: AnswerTree, examinees: Examinees) -> _Fitted | None:
    """Returns what is fitted on some records, None where they are too few."""
    agrees_BL = labels_that_agree(tree, examinees)
    named = np.flatnonzero(agrees_BL.any(axis=1))
    if len(named) < ENOUGH:
        return None
    parts = {name: part[named] for name, part in examinees.reading.parts.items()}
    pool = fit_pool(parts, agrees_BL[named])
    asked = _asked(tree, examinees, pool)
    confidence = fit_confidence(asked.way, right_on_way(asked.way.node_BK, asked.truth_BN))
    if confidence is None:
        return None
    novelty = fit_novelty(
        examinees.reading.evidence(pool),
        known_B=examinees.known_B & ~examinees.unseen_B,
        unseen_B=examinees.unseen_B,
        stand_ins=examinees.stand_ins.reading.evidence(pool),
    )
    return _Fitted(pool, confidence, novelty)


@dataclass(frozen=True)
class _Asked:
    evidence: Evidence
    way: Way
    truth_BN: NDArray[np.int8]
    unseen_B: NDArray[np.bool_]
    draw_B: NDArray[np.int64]


def _asked(tree: AnswerTree, examinees: Examinees, pool: dict[str, float]) -> _Asked:
    """Returns the records as they are judged; where unseen taxa are few, stand-ins for them come after."""
    evidence = examinees.reading.evidence(pool)
    rows = np.arange(len(examinees))
    draw_B = examinees.draw_B
    if examinees.few_unseen:
        added = examinees.stand_ins
        evidence = evidence.followed_by(added.reading.evidence(pool))
        rows = np.concatenate([rows, added.of_S])
        draw_B = np.concatenate([draw_B, STAND_IN_DRAW - added.taxon_S])
    stand_in = np.arange(len(rows)) >= len(examinees)
    unseen_B = examinees.unseen_B[rows] | stand_in
    return _Asked(evidence, way_down(tree, evidence), examinees.truth_BN[rows], unseen_B, draw_B)


def labels_that_agree(tree: AnswerTree, examinees: Examinees) -> NDArray[np.bool_]:
    """Returns the labels that agree with each record, bool (B, L).

    Of a record of no known label these are the labels below the narrowest taxon that is right.
    """
    is_right_BN = (examinees.truth_BN == RIGHT)[:, : tree.num_taxa]
    level_N = tree.level_N[: tree.num_taxa]
    deepest_B = np.where(is_right_BN, level_N, -1).max(axis=1, initial=-1)
    narrowest_BN = is_right_BN & (level_N == deepest_B[:, None])
    under_BL = (
        narrowest_BN.astype(np.float32) @ tree.under_NL[: tree.num_taxa].astype(np.float32) > 0
    )
    found: NDArray[np.bool_] = np.where(examinees.known_B[:, None], examinees.own_BL, under_BL)
    return found


def right_on_way(node_BK: NDArray[np.int64], truth_BN: NDArray[np.int8]) -> NDArray[np.int8]:
    """Returns what is right of the nodes of each way, int8 (B, K), OPEN where there is no node."""
    found = np.take_along_axis(truth_BN, np.maximum(node_BK, 0), axis=1)
    return np.where(node_BK >= 0, found, np.int8(OPEN))


def folds(draw_B: NDArray[np.int64], *, seed: int) -> NDArray[np.int64]:
    """Returns the fold of each record, int64, 0 to ``FOLDS`` - 1; records of one draw share it."""
    draws, which_B = np.unique(draw_B, return_inverse=True)
    dealt = generator(seed, "decisions").permutation(len(draws)) % FOLDS
    found: NDArray[np.int64] = dealt[which_B]
    return found
