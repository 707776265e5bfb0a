"""Scores of held-out records with true labels -> probabilities that mean what they say, label by label.

Shapes: V records, L labels that are scored, K labels that have held-out records.
Correction by expectation-maximisation is as good as its probabilities: Alexandari, Kundaje & Shrikumar 2020
(arXiv 1901.06852). One temperature leaves whole labels wrong, above all coarse labels of a tree, whose
records may be scored as any finer label.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Real = NDArray[np.float64]
Whole = NDArray[np.int64]

LEAST = 1e-6
"""Probabilities below it are read as it."""
PENALTIES = (1.0, 3.0, 10.0, 30.0)
BIAS_PENALTY = 0.1
FOLDS = 3
MOST_ENTRIES = 250_000
"""A matrix of labels by labels with more entries is left at 0: scale and bias alone are fitted."""


@dataclass(frozen=True)
class Recalibration:
    """A map from probabilities of L labels to those of K.

    ``softmax(scale * log p[known] + bias + standardised(log p) @ matrix)``: Dirichlet calibration (Kull et
    al. 2019, arXiv 1910.12656), with all entries of the matrix drawn to 0 and the diagonal in ``scale``.

    Attributes:
        known_K: int64, the labels that have records.
        scale: of the logarithms.
        bias_K: added.
        matrix_LK: added, times the standardised logarithms.
        centre_L: their means.
        spread: their common standard deviation.
    """

    known_K: Whole
    scale: float
    bias_K: Real
    matrix_LK: Real
    centre_L: Real
    spread: float

    def apply(self, probability_NL: NDArray[np.floating]) -> Real:
        """Returns recalibrated probabilities, float64 (N, K), rows adding up to 1."""
        log_NL = _logarithm(probability_NL)
        logit_NK = self.scale * log_NL[:, self.known_K] + self.bias_K
        if self.matrix_LK.any():
            logit_NK += ((log_NL - self.centre_L) / self.spread) @ self.matrix_LK
        return _softmax(logit_NK)


def fit_recalibration(
    probability_VL: NDArray[np.floating],
    label_V: Whole,
    *,
    penalty: float,
    weight_V: Real | None = None,
    start: Recalibration | None = None,
) -> Recalibration:
    """Returns the map under which the true labels are most likely, less the penalties.

    Args:
        probability_VL: of held-out records.
        label_V: their true labels, 0 to L - 1.
        penalty: half of it, times the sum of squares of the matrix, is added to the loss.
        weight_V: how often each record counts; once by default.
        start: a map of the same labels to begin with; fewer steps are taken then.
    """
    from scipy.optimize import minimize

    known_K = np.unique(label_V) if start is None else start.known_K
    true_V = np.searchsorted(known_K, label_V)
    weight_V = np.ones(len(label_V)) if weight_V is None else weight_V
    log_VL = _logarithm(probability_VL)
    centre_L = log_VL.mean(axis=0) if start is None else start.centre_L
    spread = (float((log_VL - centre_L).std()) or 1.0) if start is None else start.spread
    base_VK, size = log_VL[:, known_K], len(known_K)
    feature_VL = (log_VL - centre_L) / spread
    if feature_VL.shape[1] * size > MOST_ENTRIES:
        feature_VL = feature_VL[:, :0]
    rows = np.arange(len(label_V))

    def loss(flat: Real) -> tuple[float, Real]:
        scale, bias_K, matrix = flat[0], flat[1 : 1 + size], flat[1 + size :].reshape(-1, size)
        found_VK = _softmax(scale * base_VK + bias_K + feature_VL @ matrix)
        chance_V = np.maximum(found_VK[rows, true_V], 1e-300)
        value = -float(weight_V @ np.log(chance_V))
        value += BIAS_PENALTY / 2 * float(bias_K @ bias_K) + penalty / 2 * float((matrix**2).sum())
        found_VK[rows, true_V] -= 1.0
        slope_VK = found_VK * weight_V[:, None]
        slopes = (
            np.asarray([(slope_VK * base_VK).sum()]),
            slope_VK.sum(axis=0) + BIAS_PENALTY * bias_K,
            (feature_VL.T @ slope_VK + penalty * matrix).ravel(),
        )
        return value, np.concatenate(slopes)

    begin = np.zeros(1 + size + feature_VL.shape[1] * size)
    begin[0] = 1.0
    if start is not None:
        matrix = start.matrix_LK[: feature_VL.shape[1]].ravel()
        begin = np.concatenate([[start.scale], start.bias_K, matrix])
    steps = 200 if start is None else 40
    found = minimize(loss, begin, jac=True, method="L-BFGS-B", options={"maxiter": steps}).x
    matrix_LK = np.zeros((log_VL.shape[1], size))
    matrix_LK[: feature_VL.shape[1]] = found[1 + size :].reshape(-1, size)
    return Recalibration(known_K, float(found[0]), found[1 : 1 + size], matrix_LK, centre_L, spread)


def cross_fitted(
    probability_VL: NDArray[np.floating], label_V: Whole, group_V: Whole, rng: np.random.Generator
) -> tuple[float, Real]:
    """Returns the best penalty, and each record's probabilities by a map that did not see its group, (V, K).

    The best penalty is the one under which true labels are most likely in the part left out.
    """
    known_K = np.unique(label_V)
    groups, index_V = np.unique(group_V, return_inverse=True)
    fold_V = (rng.permutation(len(groups)) % FOLDS)[index_V]
    best: tuple[float, float, Real] | None = None
    for penalty in PENALTIES:
        found_VK = np.full((len(label_V), len(known_K)), LEAST)
        for fold in range(FOLDS):
            left_V = fold_V == fold
            if left_V.all() or not left_V.any():
                continue
            one = fit_recalibration(probability_VL[~left_V], label_V[~left_V], penalty=penalty)
            place = np.searchsorted(known_K, one.known_K)
            found_VK[np.ix_(left_V, place)] += one.apply(probability_VL[left_V])
        found_VK /= found_VK.sum(axis=1, keepdims=True)
        true_V = np.searchsorted(known_K, label_V)
        total = float(np.log(found_VK[np.arange(len(label_V)), true_V]).sum())
        if best is None or total > best[0]:
            best = total, penalty, found_VK
    assert best is not None
    return best[1], best[2]


def _logarithm(probability_NL: NDArray[np.floating]) -> Real:
    return np.log(np.maximum(np.asarray(probability_NL, dtype=np.float64), LEAST))


def _softmax(logit_NK: Real) -> Real:
    shifted = np.exp(logit_NK - logit_NK.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))
