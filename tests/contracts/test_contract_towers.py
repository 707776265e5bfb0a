"""What every tower promises, whichever a recipe names."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from holotype.inputs.captions import encode_captions
from holotype.inputs.dna import encode_barcodes
from holotype.models.towers import (
    IMAGE_TOWERS,
    BarcodeSettings,
    CaptionSettings,
    ImageSettings,
    barcode_tower,
    caption_tower,
    image_tower,
)


def images() -> tuple[Tensor, ...]:
    generator = torch.Generator().manual_seed(0)
    nan = float("nan")
    sizes = [[30.0, 20.0, nan, nan], [64.0, 64.0, 9e3, 9e3], [nan, nan, 80, 60], [900, 12, 9e4, 1e3]]
    return torch.randn((4, 1, 32, 32), generator=generator), torch.tensor(sizes)


def barcodes() -> tuple[Tensor, ...]:
    letters = np.random.default_rng(0).choice(list("ACGT"), size=(4, 120))
    sequences = ["".join(row)[: 40 + 25 * n] for n, row in enumerate(letters)]
    base_BL4, mask_BL = encode_barcodes(sequences, max_bp=200)
    return torch.from_numpy(base_BL4), torch.from_numpy(mask_BL)


def captions() -> tuple[Tensor, ...]:
    texts = ["Copepoda", "Copepoda Calanoida", "bubble", "Animalia Cnidaria Hydrozoa, larvae"]
    return (torch.from_numpy(encode_captions(texts)),)


Case = tuple[Callable[[], nn.Module], Callable[[], tuple[Tensor, ...]]]
TIMM = {"architecture": "resnet18"}
CASES: dict[str, Case] = {
    **{
        name: (
            lambda name=name: image_tower(
                ImageSettings(
                    side_px=32, tower=name, width=8, depth=1, **(TIMM if name == "timm" else {})
                )
            ),
            images,
        )
        for name in IMAGE_TOWERS
    },
    "barcode": (
        lambda: barcode_tower(
            BarcodeSettings(max_bp=200, feature_dim=32, kmer_bp=3, width=16, depth=1), seed=0
        ),
        barcodes,
    ),
    "caption": (lambda: caption_tower(CaptionSettings(width=16, depth=1)), captions),
}


@pytest.fixture(params=sorted(CASES), scope="module")
def case(request: pytest.FixtureRequest) -> tuple[nn.Module, tuple[Tensor, ...]]:
    make, inputs = CASES[request.param]
    torch.manual_seed(0)
    return make(), inputs()


def test_features_are_finite_and_as_wide_as_said(case) -> None:
    tower, inputs = case
    with torch.no_grad():
        features_BD = tower.eval()(*inputs)
    assert features_BD.shape == (4, tower.feature_dim)
    assert features_BD.dtype == torch.float32
    assert torch.isfinite(features_BD).all()


def test_records_do_not_touch_each_other(case) -> None:
    tower, inputs = case
    order = torch.tensor([2, 0, 3, 1])
    with torch.no_grad():
        whole = tower.eval()(*inputs)
        permuted = tower(*(part[order] for part in inputs))
        one = tower(*(part[1:2] for part in inputs))
    assert torch.allclose(permuted, whole[order], atol=1e-4)
    assert torch.allclose(one, whole[1:2], atol=1e-4)
    assert (torch.cdist(whole, whole) + torch.eye(4)).min() > 1e-4  # and none are alike


def test_evaluation_is_repeatable(case) -> None:
    tower, inputs = case
    with torch.no_grad():
        first, again = (tower.eval()(*inputs) for _ in range(2))
    assert torch.equal(first, again)


def test_every_weight_can_learn(case) -> None:
    tower, inputs = case
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in tower.parameters():
            parameter.add_(0.02 * torch.randn(parameter.shape))  # nothing rests at zero
    tower.train()
    features_BD = tower(*inputs)
    features_BD.square().sum().backward()
    still = [
        name
        for name, parameter in tower.named_parameters()
        if parameter.grad is None or not parameter.grad.abs().max() > 0
    ]
    assert still == []


def test_weights_go_through_a_state_dict(case) -> None:
    tower, inputs = case
    state = {name: value.clone() for name, value in tower.state_dict().items()}
    with torch.no_grad():
        before = tower.eval()(*inputs)
        for parameter in tower.parameters():
            parameter.add_(1.0)
        assert not torch.equal(tower(*inputs), before)
        tower.load_state_dict(state)
        assert torch.equal(tower(*inputs), before)
