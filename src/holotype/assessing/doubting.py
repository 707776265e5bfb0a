"""How doubtful is each written label? A probe, the nearest records and, where it may, the model are asked.

Confident learning (Northcutt et al. 2021, doi:10.1613/jair.1.12125) on out-of-fold probabilities, with the
votes of the nearest neighbours (Zhu et al. 2022, arXiv 2110.06283). N records, C classes, K neighbours.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holotype.assessing.probe import out_of_fold
from holotype.index.exact import nearest_exact

NEIGHBOURS = 50
LEAST_EVIDENCE = 1e-3
"""Evidence below this is chance: odds are of what stands above it."""


@dataclass(frozen=True)
class Doubt:
    """What one modality says of the labels of N records.

    Attributes:
        suspicion_N: 0 to 1: evidence of the best other class, as a share of its sum with the written one's.
        best_N: int64, the class with most evidence among those that exclude the written one; -1 for none.
        agreeing_N: int64, neighbours whose label does not exclude the written one.
        asked_N: int64, neighbours.
        given_N: out-of-fold probability of the written label and of those that it does not exclude.
        other_N: out-of-fold probability of the best other class.
        confident_N: whether confident learning counts it as an error.
        near_NK: int64, the nearest records, best first, -1 for none.
        probe_NC: float64, the out-of-fold probabilities.
    """

    suspicion_N: NDArray[np.float64]
    best_N: NDArray[np.int64]
    agreeing_N: NDArray[np.int64]
    asked_N: NDArray[np.int64]
    given_N: NDArray[np.float64]
    other_N: NDArray[np.float64]
    confident_N: NDArray[np.bool_]
    near_NK: NDArray[np.int64]
    probe_NC: NDArray[np.float64]


def doubt(
    z_ND: NDArray[np.float32],
    class_N: NDArray[np.int64],
    group_N: NDArray[np.int64],
    excludes_CC: NDArray[np.bool_],
    *,
    model_NC: NDArray[np.float64] | None = None,
    asked_model_N: NDArray[np.bool_] | None = None,
    k: int = NEIGHBOURS,
    seed: int = 0,
) -> Doubt:
    """Returns how doubtful each label is.

    The evidence of a class is the mean of the probe's probability, the share of the neighbours and, for
    records that the model did not learn from, its probability. A record's own group never votes on it.

    Args:
        z_ND: unit rows.
        class_N: the written labels, 0 to C - 1.
        group_N: what goes together: copies of one image, one specimen.
        excludes_CC: whether two labels cannot both be right.
        model_NC: the model's probabilities of the classes.
        asked_model_N: for which records the model may be asked.
        k: neighbours.
        seed: of the folds.
    """
    n, classes = len(z_ND), len(excludes_CC)
    p_NC = out_of_fold(z_ND, class_N, group_N, seed=seed)
    p_NC = np.pad(p_NC, ((0, 0), (0, classes - p_NC.shape[1])))
    near_NK = _near(z_ND, group_N, k)
    vote_NC = np.zeros((n, classes))
    valid_NK = near_NK >= 0
    rows = np.repeat(np.arange(n), valid_NK.sum(axis=1))
    np.add.at(vote_NC, (rows, class_N[near_NK[valid_NK]]), 1.0)
    asked_N = valid_NK.sum(axis=1)
    evidence_NC = p_NC + vote_NC / np.maximum(asked_N, 1)[:, None]
    voices_N = np.where(p_NC.any(axis=1), 1.0, 0.0) + (asked_N > 0)
    if model_NC is not None and asked_model_N is not None:
        evidence_NC[asked_model_N] += model_NC[asked_model_N]
        voices_N = voices_N + asked_model_N
    evidence_NC /= np.maximum(voices_N, 1)[:, None]
    excluded_NC = excludes_CC[class_N]
    other_NC = np.where(excluded_NC, evidence_NC, -1.0)
    best_N = np.where(excluded_NC.any(axis=1), other_NC.argmax(axis=1), -1)
    most_N = np.maximum(other_NC.max(axis=1, initial=-1.0), 0.0)
    own_N = np.where(excluded_NC, 0.0, evidence_NC).sum(axis=1)
    given_N = np.where(excluded_NC, 0.0, p_NC).sum(axis=1)
    return Doubt(
        suspicion_N=(most_N + LEAST_EVIDENCE) / (most_N + own_N + 2 * LEAST_EVIDENCE),
        best_N=best_N,
        agreeing_N=np.where(excluded_NC, 0.0, vote_NC).sum(axis=1).astype(np.int64),
        asked_N=asked_N.astype(np.int64),
        given_N=given_N,
        other_N=np.where(best_N >= 0, p_NC[np.arange(n), np.maximum(best_N, 0)], 0.0),
        confident_N=_confident(p_NC, class_N, excluded_NC),
        near_NK=near_NK,
        probe_NC=p_NC,
    )


def _near(z_ND: NDArray[np.float32], group_N: NDArray[np.int64], k: int) -> NDArray[np.int64]:
    """Returns the k nearest records of other groups, int64 (N, k), -1 where there are fewer."""
    n = len(z_ND)
    largest = int(np.unique(group_N, return_counts=True)[1].max(initial=1))
    wide = min(n, k + min(largest, 4 * k))
    found_NW, _ = nearest_exact(z_ND, z_ND, k=wide)
    other_NW = (found_NW >= 0) & (group_N[np.maximum(found_NW, 0)] != group_N[:, None])
    order_NW = np.argsort(~other_NW, axis=1, kind="stable")
    kept_NW = np.take_along_axis(np.where(other_NW, found_NW, -1), order_NW, axis=1)[:, :k]
    if kept_NW.shape[1] < k:
        kept_NW = np.pad(kept_NW, ((0, 0), (0, k - kept_NW.shape[1])), constant_values=-1)
    return kept_NW.astype(np.int64)


def _confident(
    p_NC: NDArray[np.float64], class_N: NDArray[np.int64], excluded_NC: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Returns the off-diagonal of the confident joint: the likeliest class above its mean is another."""
    classes = p_NC.shape[1]
    count_C = np.bincount(class_N, minlength=classes)
    own_N = p_NC[np.arange(len(class_N)), class_N]
    mean_C = np.bincount(class_N, weights=own_N, minlength=classes) / np.maximum(count_C, 1)
    above_NC = np.where((p_NC >= mean_C) & (count_C > 0), p_NC, -1.0)
    best_N = above_NC.argmax(axis=1)
    rows = np.arange(len(class_N))
    found: NDArray[np.bool_] = (above_NC[rows, best_N] > 0) & excluded_NC[rows, best_N]
    return found
