"""Embeddings and labels -> a classifier, solved at once: class means, or a logistic regression.

The tower stays as it is. Both answers are heads that a bundle can hold: a shift of the embedding, a matrix
and a bias.

Shapes: N images, L labels, D embedding.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from holotype.media.kmers import unit_rows

STRENGTHS = (1.0, 10.0, 100.0)
"""How far a probe follows its examples against the pull to zero (C of a logistic regression)."""
MAX_STEPS, HISTORY = 200, 10


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
    """Returns a logistic regression on standardised embeddings, solved by L-BFGS (Liu and Nocedal 1989).

    Args:
        z_ND: embeddings as the tower gives them.
        label_N: labels from 0.
        num_labels: L.
        strength: C: the loss is C times the summed cross-entropy plus half the squared weights.
    """
    centre_D, spread_D = z_ND.mean(axis=0), z_ND.std(axis=0)
    scale_D = np.sqrt(z_ND.shape[1]) * np.where(spread_D > 1e-6 * spread_D.max(), spread_D, np.inf)
    x_ND = torch.from_numpy(((z_ND - centre_D) / scale_D).astype(np.float32))
    truth_N = torch.from_numpy(label_N)
    weight_DL = torch.zeros(z_ND.shape[1], num_labels, requires_grad=True)
    bias_L = torch.zeros(num_labels, requires_grad=True)
    pull = 0.5 / (strength * len(label_N))
    solver = torch.optim.LBFGS(
        [weight_DL, bias_L], max_iter=MAX_STEPS, tolerance_grad=1e-6, history_size=HISTORY,
        line_search_fn="strong_wolfe",
    )  # fmt: skip

    def loss() -> Tensor:
        solver.zero_grad()
        value = functional.cross_entropy(x_ND @ weight_DL + bias_L, truth_N)
        value = value + pull * weight_DL.square().sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    solver.step(loss)  # type: ignore[no-untyped-call]
    weight_LD = (weight_DL.detach().numpy() / scale_D[:, None]).T
    found_L = bias_L.detach().numpy()
    return Head(
        np.ascontiguousarray(weight_LD, dtype=np.float32), found_L - found_L.mean(), centre_D,
        is_cosine=False,
    )  # fmt: skip
