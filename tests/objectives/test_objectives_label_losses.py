"""The table of losses, and options that are refused where they would do nothing."""

import tomllib

import pytest
import torch
from pydantic import Field
from torch.nn import functional

from holotype.config import Settings, as_toml, checked
from holotype.errors import RecipeError
from holotype.objectives.imbalance import effective_number_weights, ldam_loss
from holotype.objectives.label_losses import LABEL_LOSSES, Asked, label_loss
from holotype.objectives.labels import agreeing_labels_loss
from holotype.objectives.settings import LABEL_LOSS_OPTIONS, LabelLoss, LabelLossSettings

COUNT_L = torch.tensor([40.0, 9, 2])
LOGIT_BL = torch.tensor([[0.3, -1.0, 0.8], [2.0, 0.1, -0.5], [0.0, 0.4, 0.4], [1.0, 1.0, 1.0]])
AGREES_BL = torch.tensor([[1, 0, 0], [0, 0, 1], [0, 1, 0], [0, 1, 1]]).bool()


class Part(Settings):
    loss: LabelLossSettings = Field(default_factory=LabelLossSettings)


def loss_of(head_scale: float = 1.0, **options: object) -> float:
    settings = LabelLossSettings.model_validate(options)
    asked = Asked(LOGIT_BL, AGREES_BL, COUNT_L, settings, head_scale)
    found = LABEL_LOSSES[settings.kind](asked)
    return float(found)


def test_every_kind_is_in_the_table_and_has_its_options() -> None:
    assert set(LABEL_LOSSES) == set(LABEL_LOSS_OPTIONS) == set(LabelLoss)


@pytest.mark.parametrize("kind", LabelLoss)
def test_every_option_of_a_kind_has_an_effect(kind: LabelLoss) -> None:
    for name, default in LABEL_LOSS_OPTIONS[kind].items():
        changed = loss_of(kind=kind, **{name: default + 0.25})
        assert changed != pytest.approx(loss_of(kind=kind), abs=1e-6), name


@pytest.mark.parametrize("kind", LabelLoss)
def test_options_of_other_kinds_are_refused(kind: LabelLoss) -> None:
    every = {name for own in LABEL_LOSS_OPTIONS.values() for name in own}
    for name in sorted(every - set(LABEL_LOSS_OPTIONS[kind])):
        with pytest.raises(RecipeError, match=f"{name} does nothing for kind = '{kind}'"):
            checked(LabelLossSettings, {"kind": kind.value, name: 0.5}, where="a.toml")


def test_the_kinds_differ() -> None:
    found = [round(loss_of(kind=kind), 6) for kind in LabelLoss]
    assert len(set(found)) == len(found)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"kind": "focal", "margin": 0.1}, "margin .* 'focal'; it belongs to cross_entropy, ldam"),
        ({"beta": 0.9}, "beta does nothing without reweight_after"),
        ({"kind": "balanced_softmax", "reweight_after": 0.5}, "belongs to cross_entropy, focal"),
        (
            {"kind": "asymmetric", "smoothing": 0, "gamma_negative": 2},
            "gamma_negative of kind = 'asymmetric' does nothing with smoothing = 0",
        ),
        ({"kind": "focal", "gamma": -1}, "loss.gamma: .*greater than or equal to 0"),
        ({"kind": "vocal"}, "loss.kind: .*'focal'"),
        ({"kind": ["focal"]}, "loss.kind: "),
        ({"gama": 1}, "unknown key 'loss.gama'. Did you mean 'gamma'"),
    ],
)
def test_wrong_settings_say_what_is_wrong(content: dict[str, object], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        checked(Part, {"loss": content}, where="a.toml")


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"kind": "focal"},
        {"kind": "asymmetric", "smoothing": 0.0},
        {"kind": "ldam", "reweight_after": 0.8},
        {"kind": "asymmetric_sigmoid", "shift": 0.1},
    ],
)
def test_settings_are_written_complete_and_read_back(content: dict[str, object]) -> None:
    settings = checked(LabelLossSettings, content, where="a.toml")
    written = tomllib.loads(as_toml(settings))
    assert set(content) <= set(written)
    assert checked(LabelLossSettings, written, where="b.toml") == settings
    assert LabelLossSettings.model_validate(settings.model_dump()) == settings


def test_defaults_are_those_of_the_authors() -> None:
    asymmetric = LabelLossSettings(kind=LabelLoss.ASYMMETRIC)
    assert (asymmetric.smoothing, asymmetric.gamma, asymmetric.gamma_negative) == (0.1, 0.0, 4.0)
    deferred = LabelLossSettings(kind=LabelLoss.LDAM, reweight_after=0.8)
    assert (deferred.margin, deferred.beta) == (0.5, 0.9999)
    assert (deferred.gamma, deferred.smoothing) == (None, None)


def test_a_margin_of_cross_entropy_is_in_cosines() -> None:
    # CosFace: the right label's logit loses scale times margin.
    cosine_BL, label_B = LOGIT_BL / 4, torch.tensor([0, 2, 1, 1])
    agrees_BL = functional.one_hot(label_B, 3).bool()
    settings = LabelLossSettings(margin=0.2)
    found = label_loss(
        16 * cosine_BL, agrees_BL, count_L=COUNT_L, settings=settings, head_scale=16.0
    )
    expected = functional.cross_entropy(16 * (cosine_BL - 0.2 * agrees_BL), label_B)
    assert float(found) == pytest.approx(float(expected), rel=1e-6)


def test_rare_labels_weigh_more_after_the_time_set() -> None:
    settings = LabelLossSettings(kind=LabelLoss.LDAM, reweight_after=0.75, beta=0.9)

    def at(progress: float) -> float:
        found = label_loss(
            LOGIT_BL, AGREES_BL, count_L=COUNT_L, settings=settings, progress=progress
        )
        return float(found)

    plain = ldam_loss(LOGIT_BL, AGREES_BL, COUNT_L, margin=0.5)
    weight_B = effective_number_weights(COUNT_L, AGREES_BL, beta=0.9)
    weighted = ldam_loss(LOGIT_BL, AGREES_BL, COUNT_L, margin=0.5, weight_B=weight_B)
    assert at(0.0) == at(0.74) == float(plain)
    assert at(0.75) == at(1.0) == float(weighted)
    assert float(plain) != pytest.approx(float(weighted), abs=1e-3)


def test_without_settings_it_is_plain_cross_entropy() -> None:
    found = label_loss(LOGIT_BL, AGREES_BL, count_L=COUNT_L, settings=LabelLossSettings())
    assert float(found) == float(agreeing_labels_loss(LOGIT_BL, AGREES_BL))
