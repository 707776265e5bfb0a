"""Embeddings and labels -> a classifier, solved at once: class means, or a logistic regression.

The tower stays as it is. Both answers are heads that a bundle can hold: a shift of the embedding, a matrix
and a bias.

Shapes: N images, L labels, D embedding.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holotype.media.kmers import unit_rows

STRENGTHS = (1.0, 10.0, 100.0)
"""How far a probe follows its examples against the pull to zero (C of a logistic regression)."""
MAX_STEPS = 200


@dataclass(frozen=True)
class Head:
    """A classifier over embeddings.

    Attributes:
        weight_LD: float32, one row a label.
        bias_L: float32, zeros for a cosine head.
        centre_D: float32, taken off the embedding first.
        is_cosine: whether directions are compared, else inner products.
    """

    weight_LD: NDArray[np.float32]
    bias_L: NDArray[np.float32]
    centre_D: NDArray[np.float32]
    is_cosine: bool

    def logits(self, z_ND: NDArray[np.float32], *, scale: float = 1.0) -> NDArray[np.float32]:
        """Returns the logits of embeddings, float32 (N, L); ``scale`` multiplies cosines alone."""
        moved_ND = (z_ND - self.centre_D).astype(np.float32)
        if self.is_cosine:
            return scale * (unit_rows(moved_ND) @ unit_rows(self.weight_LD).T)
        return moved_ND @ self.weight_LD.T + self.bias_L


def prototypes(z_ND: NDArray[np.float32], label_N: NDArray[np.int64], *, num_labels: int) -> Head:
    """Returns the means of the labels' images: the nearest one in direction names a new image.

    Embeddings are centred on the mean of all images, then brought to length one (CL2N of SimpleShot: Wang et
    al. 2019, arXiv 1911.04623). Deviation: the nearest mean is by cosine, not by distance.
    """
    centre_D = z_ND.mean(axis=0)
    unit_ND = unit_rows((z_ND - centre_D).astype(np.float32))
    mean_LD = np.zeros((num_labels, z_ND.shape[1]), dtype=np.float32)
    np.add.at(mean_LD, label_N, unit_ND)
    return Head(unit_rows(mean_LD), np.zeros(num_labels, np.float32), centre_D, is_cosine=True)


def probe(
    z_ND: NDArray[np.float32], label_N: NDArray[np.int64], *, num_labels: int, strength: float
) -> Head:
    """Returns a logistic regression on standardised embeddings, solved by L-BFGS.

    Args:
        z_ND: embeddings as the tower gives them.
        label_N: labels from 0.
        num_labels: L.
        strength: C: the loss is C times the summed cross-entropy plus half the squared weights.
    """
    from scipy.optimize import minimize

    centre_D, spread_D = z_ND.mean(axis=0), z_ND.std(axis=0)
    width = z_ND.shape[1]
    scale_D = np.sqrt(width) * np.where(spread_D > 1e-6 * spread_D.max(), spread_D, np.inf)
    x_ND = ((z_ND - centre_D) / scale_D).astype(np.float64)
    truth_NL = np.eye(num_labels)[label_N]

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weight_DL, bias_L = (
            flat[: width * num_labels].reshape(width, num_labels),
            flat[-num_labels:],
        )
        logit_NL = x_ND @ weight_DL + bias_L
        logit_NL -= logit_NL.max(axis=1, keepdims=True)
        chance_NL = np.exp(logit_NL)
        total_N = chance_NL.sum(axis=1)
        value = strength * (np.log(total_N).sum() - (logit_NL * truth_NL).sum())
        slope_NL = strength * (chance_NL / total_N[:, None] - truth_NL)
        slope_DL = x_ND.T @ slope_NL + weight_DL
        slope = np.concatenate([slope_DL.ravel(), slope_NL.sum(axis=0)])
        return float(value + 0.5 * (weight_DL**2).sum()), slope

    start = np.zeros(width * num_labels + num_labels)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": MAX_STEPS}).x
    weight_LD = found[: width * num_labels].reshape(width, num_labels).T / scale_D
    bias_L = found[-num_labels:] - found[-num_labels:].mean()
    return Head(weight_LD.astype(np.float32), bias_L.astype(np.float32), centre_D, is_cosine=False)
