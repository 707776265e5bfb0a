"""Which classifier fits a user's labels, and how good it is, by cross-validation.

The way of choosing is itself examined: in each fold the choice is made anew from the other folds, so that the
figure is not one of the best of several tries.

Shapes: N images, L labels, D embedding.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from holotype.adapting.heads import STRENGTHS, Head, probe, prototypes
from holotype.evaluation.metrics import Estimate, macro_accuracy, micro_accuracy
from holotype.randomness import generator

FOLDS = 5
INNER_FOLDS = 3
FEW = 2_000
"""Up to so many images, every inner fold is tried; above it, one of them tells enough."""
LEAST_EXAMINED = 30
"""Fewer examined images say nothing of how good a model is: no figure is given."""


COSINE_SCALE = 16.0
"""The inverse temperature of a cosine head before calibration."""


class Method(StrEnum):
    """How a model is adapted."""

    AUTO = "auto"
    PROTOTYPES = "prototypes"
    PROBE = "probe"
    LORA = "lora"
    FULL = "full"


@dataclass(frozen=True)
class Examples:
    """Embeddings with labels.

    Attributes:
        z_ND: float32, as the tower gives them.
        label_N: int64, from 0.
        group_N: int64, images with one number are never parted.
        num_labels: L.
    """

    z_ND: NDArray[np.float32]
    label_N: NDArray[np.int64]
    group_N: NDArray[np.int64]
    num_labels: int

    def __len__(self) -> int:
        return len(self.label_N)

    def at(self, chosen: NDArray[np.bool_]) -> "Examples":
        """Returns some of the examples."""
        return Examples(
            self.z_ND[chosen], self.label_N[chosen], self.group_N[chosen], self.num_labels
        )


@dataclass(frozen=True)
class Examined:
    """How good a classifier is on images that it did not learn from.

    Attributes:
        accuracy, macro: with intervals; None where too few images could be examined.
        images: how many could be examined.
        hit_N: bool, for all images; False where not examined.
        examined_N: bool, which were.
    """

    accuracy: Estimate | None
    macro: Estimate | None
    images: int
    hit_N: NDArray[np.bool_]
    examined_N: NDArray[np.bool_]


Candidate = tuple[Method, float]
"""A way to solve a head, and the strength of a probe."""

CANDIDATES: dict[Method, tuple[Candidate, ...]] = {
    Method.PROTOTYPES: ((Method.PROTOTYPES, 0.0),),
    Method.PROBE: tuple((Method.PROBE, strength) for strength in STRENGTHS),
}
CANDIDATES[Method.AUTO] = (*CANDIDATES[Method.PROTOTYPES], *CANDIDATES[Method.PROBE])
"""What is chosen from, for each method that solves a head."""


def solved(candidate: Candidate, examples: Examples) -> Head:
    """Returns the head of a candidate."""
    method, strength = candidate
    if method is Method.PROTOTYPES:
        return prototypes(examples.z_ND, examples.label_N, num_labels=examples.num_labels)
    return probe(examples.z_ND, examples.label_N, num_labels=examples.num_labels, strength=strength)


def folds_of(
    label_N: NDArray[np.int64], group_N: NDArray[np.int64], *, folds: int, seed: int
) -> NDArray[np.int64]:
    """Returns the fold of each image, int64 (N,), -1 where it must always be learnt from.

    Groups are dealt label by label, so each fold has its share of every label. A label with one group alone
    is never examined: nothing would be left to learn it from.
    """
    groups, first_G, group_index_N = np.unique(group_N, return_index=True, return_inverse=True)
    label_G = label_N[first_G]
    fold_G = np.full(len(groups), -1, dtype=np.int64)
    rng = generator(seed, "folds")
    start = 0
    for label in np.unique(label_G):
        own = rng.permutation(np.flatnonzero(label_G == label))
        if len(own) > 1:
            fold_G[own] = (start + np.arange(len(own))) % folds
            start += len(own)
    fold_N: NDArray[np.int64] = fold_G[group_index_N]
    return fold_N


def choose(candidates: tuple[Candidate, ...], examples: Examples, *, seed: int) -> Candidate:
    """Returns the candidate with the most images right in cross-validation; the first one of equals."""
    if len(candidates) == 1:
        return candidates[0]
    fold_N = folds_of(examples.label_N, examples.group_N, folds=INNER_FOLDS, seed=seed)
    tried = range(INNER_FOLDS if len(examples) <= FEW else 1)

    def right(candidate: Candidate) -> int:
        total = 0
        for fold in tried:
            held = fold_N == fold
            if held.any():
                logit_NL = solved(candidate, examples.at(~held)).logits(examples.z_ND[held])
                total += int((logit_NL.argmax(axis=1) == examples.label_N[held]).sum())
        return total

    return max(candidates, key=right)


def out_of_fold(
    method: Method, examples: Examples, *, seed: int
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Returns the logits of each image by a head that did not see it, (N, L), and which images have any.

    What ``method`` chooses from is chosen anew in each fold.
    """

    def chosen_and_solved(rest: Examples) -> Head:
        return solved(choose(CANDIDATES[method], rest, seed=seed), rest)

    fold_N = folds_of(examples.label_N, examples.group_N, folds=FOLDS, seed=seed)
    return _by_others(chosen_and_solved, examples, fold_N), fold_N >= 0


def held_out_logits(
    candidate: Candidate, examples: Examples, *, seed: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Returns the logits of each image by a head of one kind that did not see its fold, and the folds.

    Logits of heads of several kinds are not of one scale, so confidence is learnt from those of one kind.
    """
    fold_N = folds_of(examples.label_N, examples.group_N, folds=FOLDS, seed=seed)
    return _by_others(lambda rest: solved(candidate, rest), examples, fold_N), fold_N


def _by_others(
    solve: Callable[[Examples], Head], examples: Examples, fold_N: NDArray[np.int64]
) -> NDArray[np.float32]:
    logit_NL = np.zeros((len(examples), examples.num_labels), dtype=np.float32)
    for fold in range(FOLDS):
        held = fold_N == fold
        if held.any():
            head = solve(examples.at(~held))
            logit_NL[held] = head.logits(examples.z_ND[held], scale=COSINE_SCALE)
    return logit_NL


def examined(
    hit_N: NDArray[np.bool_], examined_N: NDArray[np.bool_], examples: Examples, *, seed: int
) -> Examined:
    """Returns accuracy and its mean over labels, with intervals, unless too few images were examined."""
    count = int(examined_N.sum())
    figures: list[Estimate | None] = [None, None]
    if count >= LEAST_EXAMINED and len(np.unique(examples.label_N[examined_N])) > 1:
        hit, label = hit_N[examined_N], examples.label_N[examined_N]
        group = examples.group_N[examined_N]
        figures = [
            micro_accuracy(hit, group, seed=seed),
            macro_accuracy(hit, label, group, seed=seed),
        ]
    return Examined(figures[0], figures[1], count, hit_N & examined_N, examined_N)
