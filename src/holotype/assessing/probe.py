"""A classifier of embeddings that never judges a record it learnt from: out-of-fold probabilities.

Linear discriminant analysis with a shrunken covariance (Friedman 1989, doi:10.1080/01621459.1989.10478752),
in closed form, so that tens of thousands of records take seconds. N records, C classes, D numbers.
"""

import numpy as np
from numpy.typing import NDArray

from holotype.randomness import generator

FOLDS = 5
SHRINK = 0.2
"""Part of the covariance that is replaced by an even one."""


def out_of_fold(
    z_ND: NDArray[np.float32], class_N: NDArray[np.int64], group_N: NDArray[np.int64], *, seed: int
) -> NDArray[np.float64]:
    """Returns calibrated probabilities of the classes, each record's by a probe that did not see its group.

    Args:
        z_ND: unit rows.
        class_N: 0 to C - 1.
        group_N: what goes together (copies of one image, one specimen).
        seed: of the folds.

    Returns:
        float64 (N, C); a class that a record's probe never saw has 0.
    """
    classes = int(class_N.max()) + 1 if len(class_N) else 0
    fold_N = _folds(class_N, group_N, seed=seed)
    logit_NC = np.full((len(z_ND), classes), -np.inf)
    for fold in np.unique(fold_N).tolist():
        taught, asked = fold_N != fold, fold_N == fold
        if taught.any():
            logit_NC[asked] = discriminant(z_ND[taught], class_N[taught], z_ND[asked], classes)
    return _calibrated(logit_NC, class_N)


def discriminant(
    z_ND: NDArray[np.float32],
    class_N: NDArray[np.int64],
    query_QD: NDArray[np.float32],
    classes: int,
) -> NDArray[np.float64]:
    """Returns the log of each class's density times its share, float64 (Q, C); minus infinity for none."""
    count_C = np.bincount(class_N, minlength=classes).astype(np.float64)
    x_ND = z_ND.astype(np.float64)
    sum_CD = np.zeros((classes, x_ND.shape[1]))
    np.add.at(sum_CD, class_N, x_ND)
    mean_CD = sum_CD / np.maximum(count_C, 1)[:, None]
    left_ND = x_ND - mean_CD[class_N]
    scatter_DD = left_ND.T @ left_ND / max(1, len(x_ND) - int((count_C > 0).sum()))
    size = scatter_DD.shape[0]
    even = np.trace(scatter_DD) / size + 1e-9
    covariance_DD = (1 - SHRINK) * scatter_DD + SHRINK * even * np.eye(size)
    solved_DC = np.linalg.solve(covariance_DD, mean_CD.T)
    with np.errstate(divide="ignore"):
        prior_C = np.log(count_C / count_C.sum())
    offset_C = prior_C - 0.5 * np.einsum("cd,dc->c", mean_CD, solved_DC)
    logit_QC: NDArray[np.float64] = query_QD.astype(np.float64) @ solved_DC + offset_C
    return logit_QC


def _folds(
    class_N: NDArray[np.int64], group_N: NDArray[np.int64], *, seed: int
) -> NDArray[np.int64]:
    """Returns a fold for each record: groups stay whole, each class is dealt to the folds in turn."""
    groups, first, index_N = np.unique(group_N, return_index=True, return_inverse=True)
    shuffled = generator(seed, "probe folds").permutation(len(groups))
    order = shuffled[np.argsort(class_N[first][shuffled], kind="stable")]
    fold_G = np.empty(len(groups), dtype=np.int64)
    fold_G[order] = np.arange(len(groups)) % FOLDS
    return fold_G[index_N]


def _calibrated(logit_NC: NDArray[np.float64], class_N: NDArray[np.int64]) -> NDArray[np.float64]:
    """Returns softmax probabilities at the temperature that makes the classes given most likely."""
    from scipy.optimize import minimize_scalar
    from scipy.special import log_softmax

    known = np.isfinite(logit_NC[np.arange(len(class_N)), class_N])
    if not known.any():
        return np.zeros_like(logit_NC)

    def loss(log_temperature: float) -> float:
        log_p = log_softmax(logit_NC[known] / np.exp(log_temperature), axis=1)
        return -float(log_p[np.arange(int(known.sum())), class_N[known]].mean())

    best = minimize_scalar(loss, bounds=(-2.0, 5.0), method="bounded")
    some = np.isfinite(logit_NC).any(axis=1)
    found_NC = np.zeros_like(logit_NC)
    found_NC[some] = np.exp(log_softmax(logit_NC[some] / np.exp(best.x), axis=1))
    return found_NC
