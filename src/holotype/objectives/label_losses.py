"""The table of the losses of labels, and the one call that the trainer needs.

Shapes: B records, L labels.
"""

from collections.abc import Mapping
from typing import Protocol

from torch import Tensor

from holotype.objectives.asymmetric import asymmetric_loss, asymmetric_sigmoid_loss
from holotype.objectives.imbalance import (
    balanced_softmax_loss,
    effective_number_weights,
    focal_loss,
    ldam_loss,
)
from holotype.objectives.labels import agreeing_labels_loss
from holotype.objectives.settings import LabelLoss, LabelLossSettings


class LabelLossFunction(Protocol):
    """What the table of losses holds."""

    def __call__(
        self,
        logit_BL: Tensor,
        agrees_BL: Tensor,
        *,
        count_L: Tensor,
        settings: LabelLossSettings,
        head_scale: float | Tensor = 1.0,
        weight_B: Tensor | None = None,
    ) -> Tensor:
        """Returns the loss, a scalar."""


def _cross_entropy(
    logit_BL: Tensor,
    agrees_BL: Tensor,
    *,
    count_L: Tensor,
    settings: LabelLossSettings,
    head_scale: float | Tensor = 1.0,
    weight_B: Tensor | None = None,
) -> Tensor:
    if settings.margin:
        logit_BL = logit_BL - settings.margin * head_scale * agrees_BL
    smoothing = settings.smoothing or 0.0
    return agreeing_labels_loss(logit_BL, agrees_BL, smoothing=smoothing, weight_B=weight_B)


def _focal(
    logit_BL: Tensor,
    agrees_BL: Tensor,
    *,
    count_L: Tensor,
    settings: LabelLossSettings,
    head_scale: float | Tensor = 1.0,
    weight_B: Tensor | None = None,
) -> Tensor:
    return focal_loss(logit_BL, agrees_BL, gamma=settings.gamma or 0.0, weight_B=weight_B)


def _balanced_softmax(
    logit_BL: Tensor,
    agrees_BL: Tensor,
    *,
    count_L: Tensor,
    settings: LabelLossSettings,
    head_scale: float | Tensor = 1.0,
    weight_B: Tensor | None = None,
) -> Tensor:
    smoothing = settings.smoothing or 0.0
    return balanced_softmax_loss(
        logit_BL, agrees_BL, count_L, smoothing=smoothing, weight_B=weight_B
    )


def _ldam(
    logit_BL: Tensor,
    agrees_BL: Tensor,
    *,
    count_L: Tensor,
    settings: LabelLossSettings,
    head_scale: float | Tensor = 1.0,
    weight_B: Tensor | None = None,
) -> Tensor:
    return ldam_loss(
        logit_BL, agrees_BL, count_L,
        margin=settings.margin or 0.0, head_scale=head_scale, weight_B=weight_B,
    )  # fmt: skip


def _asymmetric(
    logit_BL: Tensor,
    agrees_BL: Tensor,
    *,
    count_L: Tensor,
    settings: LabelLossSettings,
    head_scale: float | Tensor = 1.0,
    weight_B: Tensor | None = None,
) -> Tensor:
    return asymmetric_loss(
        logit_BL,
        agrees_BL,
        gamma=settings.gamma or 0.0,
        gamma_negative=settings.gamma_negative or 0.0,
        smoothing=settings.smoothing or 0.0,
        weight_B=weight_B,
    )


def _asymmetric_sigmoid(
    logit_BL: Tensor,
    agrees_BL: Tensor,
    *,
    count_L: Tensor,
    settings: LabelLossSettings,
    head_scale: float | Tensor = 1.0,
    weight_B: Tensor | None = None,
) -> Tensor:
    return asymmetric_sigmoid_loss(
        logit_BL,
        agrees_BL,
        gamma=settings.gamma or 0.0,
        gamma_negative=settings.gamma_negative or 0.0,
        shift=settings.shift or 0.0,
        weight_B=weight_B,
    )


LABEL_LOSSES: Mapping[LabelLoss, LabelLossFunction] = {
    LabelLoss.CROSS_ENTROPY: _cross_entropy,
    LabelLoss.FOCAL: _focal,
    LabelLoss.BALANCED_SOFTMAX: _balanced_softmax,
    LabelLoss.LDAM: _ldam,
    LabelLoss.ASYMMETRIC: _asymmetric,
    LabelLoss.ASYMMETRIC_SIGMOID: _asymmetric_sigmoid,
}
"""Every loss of labels, called alike."""


def label_loss(
    logit_BL: Tensor,
    agrees_BL: Tensor,
    *,
    count_L: Tensor,
    settings: LabelLossSettings,
    head_scale: float | Tensor = 1.0,
    progress: float = 0.0,
) -> Tensor:
    """Returns the loss that the settings name, a scalar, with deferred re-weighting where they ask for it.

    Args:
        logit_BL: float, of the head.
        agrees_BL: bool, the labels that agree with each record, at least one.
        count_L: float, training records of each label.
        settings: which loss, and its options.
        head_scale: what a cosine head multiplied cosines by; margins are in cosines.
        progress: share of the run that is done, from 0 to 1.
    """
    weight_B = None
    if settings.reweight_after is not None and progress >= settings.reweight_after:
        assert settings.beta is not None
        weight_B = effective_number_weights(count_L, agrees_BL, beta=settings.beta)
    return LABEL_LOSSES[settings.kind](
        logit_BL, agrees_BL,
        count_L=count_L, settings=settings, head_scale=head_scale, weight_B=weight_B,
    )  # fmt: skip
