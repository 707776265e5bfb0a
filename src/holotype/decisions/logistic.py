"""Logistic regression on a handful of features: fitted on validation records, kept as plain numbers."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Logistic:
    """``p = sigmoid(bias + weight . (x - centre) / spread)``.

    Attributes:
        centre, spread, weight: float64 (F,).
        bias: a number.
    """

    centre: NDArray[np.float64]
    spread: NDArray[np.float64]
    weight: NDArray[np.float64]
    bias: float

    def __call__(self, feature_BF: NDArray[np.float64]) -> NDArray[np.float64]:
        """Returns probabilities, float64 (B,)."""
        from scipy.special import expit

        scaled = (feature_BF - self.centre) / self.spread
        found: NDArray[np.float64] = expit(scaled @ self.weight + self.bias)
        return found

    def as_json(self) -> dict[str, Any]:
        """Returns it as plain values."""
        return {
            "centre": self.centre.tolist(),
            "spread": self.spread.tolist(),
            "weight": self.weight.tolist(),
            "bias": self.bias,
        }

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> "Logistic":
        """Returns what ``as_json`` told."""
        centre, spread, weight = (
            np.asarray(told[name], dtype=np.float64) for name in ("centre", "spread", "weight")
        )
        return cls(centre, spread, weight, float(told["bias"]))


def fit_logistic(
    feature_BF: NDArray[np.float64],
    right_B: NDArray[np.bool_],
    *,
    weight_B: NDArray[np.float64] | None = None,
    penalty: float = 0.1,
    rising: bool = False,
) -> Logistic:
    """Returns the regression of most likelihood under a ridge penalty on standardised weights.

    Args:
        feature_BF: float64, finite.
        right_B: what is to be told.
        weight_B: of the records; 1 by default.
        penalty: of half the squared weights; it keeps them finite where the features separate all.
        rising: no weight may be below 0: more of a feature never lowers the probability.
    """
    from scipy.optimize import minimize
    from scipy.special import expit

    weight_B = np.ones(len(right_B)) if weight_B is None else weight_B
    centre, spread = feature_BF.mean(axis=0), feature_BF.std(axis=0)
    spread = np.where(spread > 1e-9, spread, 1.0)
    scaled, sign_B = (feature_BF - centre) / spread, np.where(right_B, 1.0, -1.0)

    def loss(theta: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        margin_B = sign_B * (scaled @ theta[1:] + theta[0])
        value = float(weight_B @ np.logaddexp(0, -margin_B) + 0.5 * penalty * theta[1:] @ theta[1:])
        pull_B = -weight_B * sign_B * expit(-margin_B)
        return value, np.concatenate([[pull_B.sum()], pull_B @ scaled + penalty * theta[1:]])

    free: tuple[float | None, float | None] = (None, None)
    bounds = [(-20.0, 20.0), *[(0.0, None) if rising else free] * feature_BF.shape[1]]
    start = np.zeros(feature_BF.shape[1] + 1)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    return Logistic(centre, spread, found[1:], float(found[0]))
