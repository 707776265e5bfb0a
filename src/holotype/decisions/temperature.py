"""Validation scores -> one temperature: so that a score of 0.8 is right four times of five."""

import numpy as np
from numpy.typing import NDArray


def fit_temperature(logit_BL: NDArray[np.floating], agrees_BL: NDArray[np.bool_]) -> float:
    """Returns what to divide logits by, from 0.05 to 20, so that the labels are most likely.

    Temperature scaling (Guo et al. 2017, arXiv 1706.04599), with "any label that agrees" in the place of
    the label. Under 20 records say too little: 1 is returned.

    Args:
        logit_BL: scores of records held out from training.
        agrees_BL: the labels that agree with each record, at least one.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import logsumexp

    if len(logit_BL) < 20:
        return 1.0
    logit_BL = np.asarray(logit_BL, dtype=np.float64)
    right_BL = np.where(agrees_BL, logit_BL, -np.inf)

    def loss(log_temperature: float) -> float:
        t = np.exp(log_temperature)
        return float(np.mean(logsumexp(logit_BL / t, axis=1) - logsumexp(right_BL / t, axis=1)))

    found = minimize_scalar(loss, bounds=(np.log(0.05), np.log(20.0)), method="bounded")
    return float(np.exp(found.x))
