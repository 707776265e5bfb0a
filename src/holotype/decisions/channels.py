"""Channels of evidence: image, barcode, and both together; how their parts are pooled into one score.

The parts of a channel are the logits of the model and, of each kind of neighbour, the closeness of the
nearest reference of each label. A log-linear pool (Genest & Zidek 1986, doi:10.1214/ss/1177013825) weighs
them; its weights are fitted: a model's temperature (Guo et al. 2017, arXiv 1706.04599) is one of them.
"""

from collections.abc import Mapping
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from holotype.models.towers import Modality

ENOUGH = 60
"""Validation records that a pool is fitted on."""


class Channel(StrEnum):
    """What an answer rests on."""

    IMAGE = "image"
    BARCODE = "barcode"
    BOTH = "both"


OF_MODALITY = {Modality.IMAGE: Channel.IMAGE, Modality.BARCODE: Channel.BARCODE}


def pooled(
    parts: Mapping[str, NDArray[np.float64]], weight: Mapping[str, float]
) -> NDArray[np.float64]:
    """Returns the weighted sum of the parts, float64 (B, L): logits of calibrated probabilities."""
    return sum((weight.get(name, 0.0) * part for name, part in parts.items()), start=np.zeros(()))


def fit_pool(
    parts: Mapping[str, NDArray[np.float64]], agrees_BL: NDArray[np.bool_]
) -> dict[str, float]:
    """Returns weights, none below 0, that make the labels that agree most likely.

    Args:
        parts: float64 (B, L) each.
        agrees_BL: the labels that agree with each record, at least one.
    """
    from scipy.optimize import minimize
    from scipy.special import logsumexp, softmax

    names = list(parts)
    part_PBL = np.stack([parts[name] for name in names])
    spread_P = np.maximum(part_PBL.std(axis=2).mean(axis=1), 1e-9)
    part_PBL = part_PBL / spread_P[:, None, None]

    def loss(weight_P: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        logit_BL = np.tensordot(weight_P, part_PBL, axes=1)
        right_BL = np.where(agrees_BL, logit_BL, -np.inf)
        value = np.mean(logsumexp(logit_BL, axis=1) - logsumexp(right_BL, axis=1))
        pull_BL = softmax(logit_BL, axis=1) - softmax(right_BL, axis=1)
        return float(value), (part_PBL * pull_BL).sum(axis=2).mean(axis=1)

    start = np.full(len(names), 1.0 / len(names))
    bounds = [(0.0, 50.0)] * len(names)
    found_P = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    return dict(zip(names, (found_P / spread_P).tolist(), strict=True))
