"""What every tower promises, whichever a recipe names."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from holotype.models.towers import (
    BARCODE_TOWERS,
    CAPTION_TOWERS,
    IMAGE_TOWERS,
    BarcodeSettings,
    CaptionSettings,
    ImageSettings,
    barcode_tower,
    caption_tower,
    image_tower,
)

CLIP = {
    "model_cfg": {
        "embed_dim": 16,
        "vision_cfg": {
            "image_size": 32,
            "layers": 2,
            "width": 64,
            "patch_size": 8,
            "head_width": 32,
        },
        "text_cfg": {"vocab_size": 49408, "width": 32, "heads": 2, "layers": 2},
    }
}
BERT = {
    "vocab_size": 64,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "max_position_embeddings": 140,
}
PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "copepoda", "calanoida", "bubble", "larvae"]
WORDS = {"config": BERT, "pieces": PIECES, "lower": True}
TEXTS = ["Copepoda", "Copepoda Calanoida", "bubble", "Animalia Cnidaria Hydrozoa, larvae"]


def laid_out(**layout: Any) -> str:
    return json.dumps(layout)


IMAGE_CASES = {
    "crops": {"width": 8, "depth": 1},
    "timm": {"architecture": "resnet18"},
    "open_clip": {"channels": 3, "layout": laid_out(**CLIP)},
    "clibd": {
        "channels": 3,
        "side_px": 256,
        "layout": laid_out(architecture="vit_tiny_patch16_224", dim=24),
    },
}
BARCODE_CASES = {
    "spectrum": {"max_bp": 200, "feature_dim": 32, "kmer_bp": 3, "width": 16, "depth": 1},
    "barcodebert": {"max_bp": 200, "kmer_bp": 3, "width": 32, "depth": 2},
    "clibd": {"max_bp": 660, "layout": laid_out(config={**BERT, "vocab_size": 1027}, dim=24)},
}
CAPTION_CASES = {
    "ngrams": {"width": 16, "depth": 1},
    "open_clip": {"layout": laid_out(**CLIP)},
    "bert": {"layout": laid_out(**WORDS)},
    "clibd": {"layout": laid_out(**WORDS, dim=24)},
}
"""Towers that others trained are built from their layout alone, at random."""
Case = tuple[nn.Module, tuple[Tensor, ...]]


def image_case(name: str) -> Case:
    settings = ImageSettings(tower=name, **({"side_px": 32} | IMAGE_CASES[name]))
    nan = float("nan")
    sizes = [
        [30.0, 20.0, nan, nan],
        [64.0, 64.0, 9e3, 9e3],
        [nan, nan, 80, 60],
        [900, 12, 9e4, 1e3],
    ]
    generator = torch.Generator().manual_seed(0)
    shape = (4, settings.channels, settings.side_px, settings.side_px)
    return image_tower(settings), (torch.randn(shape, generator=generator), torch.tensor(sizes))


def barcode_case(name: str) -> Case:
    letters = np.random.default_rng(0).choice(list("ACGT"), size=(4, 120))
    sequences = ["".join(row)[: 40 + 25 * n] for n, row in enumerate(letters)]
    tower = barcode_tower(BarcodeSettings(tower=name, **BARCODE_CASES[name]), seed=0)
    return tower, tower.tokenise(sequences)


def caption_case(name: str) -> Case:
    tower = caption_tower(CaptionSettings(tower=name, **CAPTION_CASES[name]))
    return tower, tower.tokenise(TEXTS)


CASES: dict[str, Callable[[], Case]] = {
    **{f"image {name}": lambda name=name: image_case(name) for name in IMAGE_CASES},
    **{f"barcode {name}": lambda name=name: barcode_case(name) for name in BARCODE_CASES},
    **{f"caption {name}": lambda name=name: caption_case(name) for name in CAPTION_CASES},
}


def test_every_tower_is_held_to_its_promises() -> None:
    assert set(IMAGE_CASES) == set(IMAGE_TOWERS)
    assert set(BARCODE_CASES) == set(BARCODE_TOWERS)
    assert set(CAPTION_CASES) == set(CAPTION_TOWERS)


@pytest.fixture(params=sorted(CASES), scope="module")
def case(request: pytest.FixtureRequest) -> tuple[nn.Module, tuple[Tensor, ...]]:
    torch.manual_seed(0)
    return CASES[request.param]()


@pytest.mark.parametrize("name", sorted(name for name in CASES if not name.startswith("image")))
def test_tokens_fit_in_the_longest_and_padding_changes_nothing(name: str) -> None:
    tower, tokens = CASES[name]()
    kind, _, _ = name.partition(" ")
    texts = ["ACGTTGACCAGT" * 9, "TTGAC"] if kind == "barcode" else TEXTS
    padded = tower.tokenise(texts, at_least=tower.longest)
    assert {part.shape[1] for part in padded} == {tower.longest}
    assert all(part.shape[1] <= tower.longest for part in tokens)
    with torch.no_grad():
        alone = torch.cat([tower.eval()(*tower.tokenise([text])) for text in texts])
        assert torch.allclose(tower(*padded), alone, atol=1e-5)


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
