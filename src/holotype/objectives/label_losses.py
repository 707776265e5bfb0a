"""The table of the losses of labels, and the one call that the trainer needs.

Shapes: B records, L labels.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Asked:
    """What a loss of labels is made of.

    Attributes:
        logit_BL: float, of the head.
        agrees_BL: bool, the labels that agree with each record, at least one.
        count_L: float, training records of each label.
        settings: the options, complete.
        head_scale: what a cosine head multiplied cosines by; margins are in cosines.
        weight_B: float, how much each record counts; None for all alike.
    """

    logit_BL: Tensor
    agrees_BL: Tensor
    count_L: Tensor
    settings: LabelLossSettings
    head_scale: float | Tensor = 1.0
    weight_B: Tensor | None = None

    def option(self, name: str) -> float:
        """Returns an option of the settings; they hold every one that belongs to their kind."""
        return float(getattr(self.settings, name) or 0.0)


def _cross_entropy(asked: Asked) -> Tensor:
    logit_BL, margin = asked.logit_BL, asked.option("margin")
    if margin:
        logit_BL = logit_BL - margin * asked.head_scale * asked.agrees_BL
    return agreeing_labels_loss(
        logit_BL, asked.agrees_BL, smoothing=asked.option("smoothing"), weight_B=asked.weight_B
    )


def _focal(asked: Asked) -> Tensor:
    return focal_loss(
        asked.logit_BL, asked.agrees_BL, gamma=asked.option("gamma"), weight_B=asked.weight_B
    )


def _balanced_softmax(asked: Asked) -> Tensor:
    return balanced_softmax_loss(
        asked.logit_BL, asked.agrees_BL, asked.count_L,
        smoothing=asked.option("smoothing"), weight_B=asked.weight_B,
    )  # fmt: skip


def _ldam(asked: Asked) -> Tensor:
    return ldam_loss(
        asked.logit_BL, asked.agrees_BL, asked.count_L,
        margin=asked.option("margin"), head_scale=asked.head_scale, weight_B=asked.weight_B,
    )  # fmt: skip


def _asymmetric(asked: Asked) -> Tensor:
    focus = {name: asked.option(name) for name in ("gamma", "gamma_negative", "smoothing")}
    return asymmetric_loss(asked.logit_BL, asked.agrees_BL, **focus, weight_B=asked.weight_B)


def _asymmetric_sigmoid(asked: Asked) -> Tensor:
    focus = {name: asked.option(name) for name in ("gamma", "gamma_negative", "shift")}
    return asymmetric_sigmoid_loss(
        asked.logit_BL, asked.agrees_BL, **focus, weight_B=asked.weight_B
    )


LABEL_LOSSES: Mapping[LabelLoss, Callable[[Asked], Tensor]] = {
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
    asked = Asked(logit_BL, agrees_BL, count_L, settings, head_scale, weight_B)
    return LABEL_LOSSES[settings.kind](asked)
