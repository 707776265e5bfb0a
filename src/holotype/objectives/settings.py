"""Which loss of labels, and its options.

An option belongs to some losses only; given to another it is refused, so that a recipe says what happens.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from pydantic import Field, model_validator

from holotype.config import Settings


class LabelLoss(StrEnum):
    """How labels are learnt; the long tail is met by all but the first."""

    CROSS_ENTROPY = "cross_entropy"
    FOCAL = "focal"
    BALANCED_SOFTMAX = "balanced_softmax"
    LDAM = "ldam"
    ASYMMETRIC = "asymmetric"
    ASYMMETRIC_SIGMOID = "asymmetric_sigmoid"


LABEL_LOSS_OPTIONS: Mapping[LabelLoss, Mapping[str, float]] = {
    LabelLoss.CROSS_ENTROPY: {"smoothing": 0.0, "margin": 0.0},
    LabelLoss.FOCAL: {"gamma": 2.0},
    LabelLoss.BALANCED_SOFTMAX: {"smoothing": 0.0},
    LabelLoss.LDAM: {"margin": 0.5},
    LabelLoss.ASYMMETRIC: {"smoothing": 0.1, "gamma": 0.0, "gamma_negative": 4.0},
    LabelLoss.ASYMMETRIC_SIGMOID: {"gamma": 0.0, "gamma_negative": 4.0, "shift": 0.05},
}
"""The options of each loss, with the value that its authors propose."""

_REWEIGHTED = (LabelLoss.CROSS_ENTROPY, LabelLoss.FOCAL, LabelLoss.LDAM)
_OF_ONE_LOSS = ("smoothing", "gamma", "gamma_negative", "margin", "shift")


class LabelLossSettings(Settings):
    """A loss of labels. Options left out take the value that the loss's authors propose."""

    kind: LabelLoss = LabelLoss.CROSS_ENTROPY
    """Which loss."""
    smoothing: float | None = Field(None, ge=0, lt=1)
    """cross_entropy, balanced_softmax, asymmetric: share of the target spread over all labels
    (Szegedy et al. 2016, arXiv 1512.00567)."""
    gamma: float | None = Field(None, ge=0)
    """focal, asymmetric, asymmetric_sigmoid: how little a record counts that is already right."""
    gamma_negative: float | None = Field(None, ge=0)
    """asymmetric, asymmetric_sigmoid: how little a wrong label counts that is already improbable."""
    margin: float | None = Field(None, ge=0, lt=1)
    """cross_entropy, ldam: taken off the right label's cosine (CosFace, arXiv 1801.09414); for ldam the
    margin of the rarest label."""
    shift: float | None = Field(None, ge=0, lt=1)
    """asymmetric_sigmoid: wrong labels of a lower probability than this teach nothing."""
    reweight_after: float | None = Field(None, ge=0, lt=1)
    """cross_entropy, focal, ldam: share of the run after which rare labels weigh more (deferred
    re-weighting, Cao et al. 2019, arXiv 1906.07413)."""
    beta: float | None = Field(None, gt=0, lt=1)
    """With reweight_after: how far the weights go, 0.9999 by default (Cui et al. 2019,
    arXiv 1901.05555)."""

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, given: Any) -> Any:
        """Returns the options with the loss's own defaults; refuses those that would do nothing."""
        if not isinstance(given, Mapping):
            return given
        kind = given.get("kind", LabelLoss.CROSS_ENTROPY)
        if kind not in list(LabelLoss):
            return given  # the field itself says what is wrong
        kind = LabelLoss(kind)
        own = LABEL_LOSS_OPTIONS[kind]
        written = {name for name, value in given.items() if value is not None}
        for name in _OF_ONE_LOSS:
            if name in written and name not in own:
                raise ValueError(f"{name} does nothing for kind = '{kind}'; {_whose(name)}")
        if "reweight_after" in written and kind not in _REWEIGHTED:
            raise ValueError(
                f"reweight_after does nothing for kind = '{kind}'; it belongs to "
                + ", ".join(_REWEIGHTED)
            )
        if "beta" in written and "reweight_after" not in written:
            raise ValueError("beta does nothing without reweight_after")
        unsmoothed = kind is LabelLoss.ASYMMETRIC and given.get("smoothing") == 0
        if unsmoothed and "gamma_negative" in written:
            raise ValueError(
                "gamma_negative of kind = 'asymmetric' does nothing with smoothing = 0"
            )
        completed = {**given, **{name: own[name] for name in own if name not in written}}
        if unsmoothed:
            completed.pop("gamma_negative", None)
        if "reweight_after" in written and "beta" not in written:
            completed["beta"] = 0.9999
        return completed


def _whose(name: str) -> str:
    kinds = [kind.value for kind, own in LABEL_LOSS_OPTIONS.items() if name in own]
    return "it belongs to " + ", ".join(kinds)
