"""What a model and its references say of records, as arrays; and the features that confidence is learnt from.

Shapes: B records, L labels, N nodes of the answer tree, K levels, V neighbours, F features.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from holotype.decisions.answer_tree import AnswerTree

IDENTITY = "identity"
"""The kind of closeness that alignment of barcodes gives, in per cent."""


@dataclass(frozen=True)
class Neighbours:
    """The nearest references of each record, best first.

    Attributes:
        label_BV: int64, the label of each, -1 for none (no label of the space, or no neighbour).
        closeness_BV: float64, cosine, or identity in per cent; NaN where there is none.
        far: closeness of what is no neighbour: what stands where none is within.
    """

    label_BV: NDArray[np.int64]
    closeness_BV: NDArray[np.float64]
    far: float

    def best(self, eligible_BV: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Returns the closeness of the nearest eligible one, float64 (B,), or the floor."""
        floor_B = self.floor
        if not self.closeness_BV.shape[1]:
            return floor_B
        usable = eligible_BV & np.isfinite(self.closeness_BV)
        best_B = np.where(usable, self.closeness_BV, -np.inf).max(axis=1)
        return np.where(np.isfinite(best_B), best_B, floor_B)

    @property
    def floor(self) -> NDArray[np.float64]:
        """The closeness of the furthest neighbour found: nothing that was not found is closer."""
        if not self.closeness_BV.shape[1]:
            return np.full(len(self.closeness_BV), self.far)
        known = np.where(np.isfinite(self.closeness_BV), self.closeness_BV, np.inf).min(axis=1)
        return np.where(np.isfinite(known), known, self.far)

    def by_label(self, num_labels: int) -> NDArray[np.float64]:
        """Returns the closeness of the nearest reference of each label, float64 (B, L); or the floor."""
        found_BL = np.repeat(self.floor[:, None], num_labels, axis=1)
        usable = (self.label_BV >= 0) & np.isfinite(self.closeness_BV)
        row, place = np.nonzero(usable)
        np.maximum.at(found_BL, (row, self.label_BV[row, place]), self.closeness_BV[row, place])
        return found_BL

    def nearest(self, count: int) -> "Neighbours":
        """Returns the first ``count`` that are there."""
        absent = ~np.isfinite(self.closeness_BV)
        order = np.argsort(absent, axis=1, kind="stable")[:, :count]
        return replace(
            self,
            label_BV=np.take_along_axis(self.label_BV, order, axis=1),
            closeness_BV=np.take_along_axis(self.closeness_BV, order, axis=1),
        )

    def without(self, hidden_BL: NDArray[np.bool_]) -> "Neighbours":
        """Returns the neighbours as if references of some labels were not there."""
        named = self.label_BV >= 0
        hidden = named & np.take_along_axis(hidden_BL, np.maximum(self.label_BV, 0), axis=1)
        return replace(self, closeness_BV=np.where(hidden, np.nan, self.closeness_BV))

    def followed_by(self, other: "Neighbours") -> "Neighbours":
        """Returns those of the records of both."""
        label_BV = np.concatenate([self.label_BV, other.label_BV])
        return Neighbours(
            label_BV, np.concatenate([self.closeness_BV, other.closeness_BV]), self.far
        )

    def take(self, rows: NDArray[np.int64]) -> "Neighbours":
        """Returns those of some records."""
        return replace(self, label_BV=self.label_BV[rows], closeness_BV=self.closeness_BV[rows])


@dataclass(frozen=True)
class Evidence:
    """What is known of B records through one channel (image, barcode, or both).

    Attributes:
        logit_BL: float64, pooled logits: their softmax are probabilities.
        model: by part, float64 (B, L), what the model alone says.
        near: by kind of closeness (``image``, ``barcode``, ``identity``), the nearest references.
    """

    logit_BL: NDArray[np.float64]
    model: dict[str, NDArray[np.float64]]
    near: dict[str, Neighbours]

    def __len__(self) -> int:
        return len(self.logit_BL)

    @property
    def probability_BL(self) -> NDArray[np.float64]:
        """Probabilities of the labels, rows adding up to 1."""
        from scipy.special import softmax

        found: NDArray[np.float64] = softmax(self.logit_BL, axis=1)
        return found

    def reweighted(self, weight_BL: NDArray[np.float64]) -> "Evidence":
        """Returns the evidence with probabilities multiplied by weights above 0 (Bayes)."""
        return replace(self, logit_BL=self.logit_BL + np.log(weight_BL))

    def take(self, rows: NDArray[np.int64]) -> "Evidence":
        """Returns the evidence of some records."""
        model = {name: logit_BL[rows] for name, logit_BL in self.model.items()}
        near = {kind: of.take(rows) for kind, of in self.near.items()}
        return Evidence(self.logit_BL[rows], model, near)

    def followed_by(self, other: "Evidence") -> "Evidence":
        """Returns the evidence of the records of both."""
        model = {
            name: np.concatenate([logit_BL, other.model[name]])
            for name, logit_BL in self.model.items()
        }
        near = {kind: of.followed_by(other.near[kind]) for kind, of in self.near.items()}
        return Evidence(np.concatenate([self.logit_BL, other.logit_BL]), model, near)


@dataclass(frozen=True)
class Way:
    """The way down the tree that the evidence points to.

    Attributes:
        node_BK: int64, -1 where a level is skipped.
        feature_BKF: float64, NaN where there is no node.
    """

    node_BK: NDArray[np.int64]
    feature_BKF: NDArray[np.float64]


def way_down(tree: AnswerTree, evidence: Evidence) -> Way:
    """Returns the likeliest way down the tree with the features of each of its nodes."""
    mass_BN = tree.mass(evidence.probability_BL)
    node_BK = tree.descend(mass_BN)
    here_BK = np.maximum(node_BK, 0)
    mass_BK = np.take_along_axis(mass_BN, here_BK, axis=1)
    features = [log_odds(mass_BK)]
    for near in evidence.near.values():
        within = np.full(node_BK.shape, np.nan)
        outside = np.full(node_BK.shape, np.nan)
        named_BV = near.label_BV >= 0
        for level in range(node_BK.shape[1]):
            inside_BV = named_BV & tree.under_NL[here_BK[:, [level]], np.maximum(near.label_BV, 0)]
            within[:, level] = near.best(inside_BV)
            outside[:, level] = near.best(~inside_BV)
        features += [within, within - outside]
    feature_BKF = np.stack(features, axis=-1)
    return Way(node_BK, np.where((node_BK >= 0)[:, :, None], feature_BKF, np.nan))


def log_odds(probability: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns log(p / (1 - p)), with p kept within 1e-6 of 0 and 1."""
    kept = np.clip(probability, 1e-6, 1 - 1e-6)
    found: NDArray[np.float64] = np.log(kept) - np.log1p(-kept)
    return found
