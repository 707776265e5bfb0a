"""What of a tower learns; low-rank changes against peft's; merging them away."""

import json

import numpy as np
import peft
import pytest
import torch
from torch import nn

from holotype.config import checked
from holotype.errors import RecipeError
from holotype.inputs.batches import Batch, CaptionBatch, ImageBatch
from holotype.models.aligned import AlignedModel, ModelSettings, merged
from holotype.models.towers import Modality, TuningSettings
from holotype.models.tuning import tune

CLIP = {
    "model_cfg": {
        "embed_dim": 16,
        "vision_cfg": {
            "image_size": 32,
            "layers": 3,
            "width": 64,
            "patch_size": 8,
            "head_width": 32,
        },
        "text_cfg": {"vocab_size": 49408, "width": 32, "heads": 2, "layers": 2},
    }
}
OPEN_CLIP = {"tower": "open_clip", "side_px": 32, "channels": 3, "layout": json.dumps(CLIP)}
VIT = {
    "tower": "timm",
    "side_px": 32,
    "channels": 3,
    "architecture": "vit_tiny_patch16_224",
    "size": "none",
}
RESNET = {"tower": "timm", "side_px": 32, "channels": 3, "architecture": "resnet18"}


def model_of(images: dict, tuning: dict, **others: object) -> AlignedModel:
    torch.manual_seed(0)
    content = {"images": images | {"tuning": tuning}, "classifier": {}} | others
    return AlignedModel(checked(ModelSettings, content, where="x"), num_labels=3)


def batch() -> Batch:
    generator = torch.Generator().manual_seed(1)
    image = torch.rand((4, 3, 32, 32), generator=generator)
    return Batch(np.arange(4), ImageBatch(image, torch.full((4, 4), 30.0), torch.arange(4)))


def one_step(model: AlignedModel) -> None:
    model.train()
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.5)
    for _ in range(2):  # the change starts at zero: its first factor moves in the second step
        optimizer.zero_grad()
        model.label_logits(model(batch())[Modality.IMAGE])[:, 0].sum().backward()
        optimizer.step()
    model.eval()


@pytest.mark.parametrize("images", [OPEN_CLIP, VIT], ids=["open_clip", "timm"])
def test_lora_starts_as_the_tower_was_learns_q_and_v_and_merges_away(images: dict) -> None:
    plain, tuned = (
        model_of(images, {}).eval(),
        model_of(images, {"kind": "lora", "alpha": 8.0}).eval(),
    )
    rest = {k.replace(".parametrizations.weight.original", ".weight").replace(
        ".parametrizations.in_proj_weight.original", ".in_proj_weight"): k
        for k in tuned.state_dict() if ".0." not in k.partition(".parametrizations")[2]}  # fmt: skip
    assert set(rest) == set(plain.state_dict())
    tuned.load_state_dict({rest[k]: v for k, v in plain.state_dict().items()}, strict=False)
    before = {k: v.clone() for k, v in tuned.state_dict().items()}
    with torch.no_grad():
        start = plain(batch())[Modality.IMAGE]
        assert torch.equal(tuned(batch())[Modality.IMAGE], start)
    one_step(tuned)
    changed = {k for k, v in tuned.state_dict().items() if not torch.equal(v, before[k])}
    assert all(k.startswith("head.") or ".down_PRK" in k or ".up_PNR" in k for k in changed)
    assert sum(".up_PNR" in k for k in changed) == (3 if images is OPEN_CLIP else 12)
    settings, weights = merged(tuned.settings, tuned.state_dict())
    assert settings.images is not None
    assert settings.images.tuning == TuningSettings()
    flat = AlignedModel(settings, num_labels=3).eval()
    flat.load_state_dict(weights)
    with torch.no_grad():
        after = tuned(batch())[Modality.IMAGE]
        assert not torch.allclose(after, start, atol=1e-3)
        assert torch.allclose(flat(batch())[Modality.IMAGE], after, atol=1e-5)
    joint = [k for k in weights if k.endswith(("qkv.weight", "in_proj_weight"))]
    for name in joint:
        width = len(weights[name]) // 3
        keys = slice(width, 2 * width)
        assert torch.equal(weights[name][keys], plain.state_dict()[name][keys])  # keys never change
        assert not torch.equal(weights[name][:width], plain.state_dict()[name][:width])


def test_state_goes_into_a_fresh_model_with_the_same_tuning() -> None:
    model = model_of(VIT, {"kind": "lora"}).eval()
    one_step(model)
    again = AlignedModel(model.settings, num_labels=3).eval()
    again.load_state_dict(model.state_dict())
    with torch.no_grad():
        assert torch.equal(again(batch())[Modality.IMAGE], model(batch())[Modality.IMAGE])


def test_our_change_is_pefts() -> None:
    torch.manual_seed(0)

    class Attention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.query, self.key, self.value = (nn.Linear(12, 12) for _ in range(3))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.query(x) * self.key(x) + self.value(x)

    ours = Attention()
    theirs = Attention()
    theirs.load_state_dict(ours.state_dict())
    settings = TuningSettings(kind="lora", rank=3, alpha=6.0)
    counts = tune(ours, settings, key="x")
    config = peft.LoraConfig(r=3, lora_alpha=6, target_modules=["query", "value"], lora_dropout=0.0)
    theirs = peft.inject_adapter_in_model(config, theirs)
    for name in ("query", "value"):
        change = getattr(ours, name).parametrizations.weight[0]
        adapter = getattr(theirs, name)
        with torch.no_grad():
            change.up_PNR.normal_()
            adapter.lora_A["default"].weight.copy_(change.down_PRK[0])
            adapter.lora_B["default"].weight.copy_(change.up_PNR[0])
    x = torch.randn(5, 12)
    assert torch.allclose(ours(x), theirs(x), atol=1e-5)
    assert counts.learning == sum(p.numel() for p in theirs.parameters() if p.requires_grad) == 144
    assert counts.total == 3 * (144 + 12) + 144


def test_the_last_blocks_and_what_follows_them_learn() -> None:
    model = model_of(OPEN_CLIP, {"kind": "last_blocks", "last_blocks": 1})
    learning = {n for n, p in model.towers["image"].named_parameters() if p.requires_grad}
    blocks = {n for n in learning if "resblocks" in n}
    assert blocks
    assert all("resblocks.2." in n for n in blocks)
    assert learning - blocks == {"model.proj", "model.ln_post.weight", "model.ln_post.bias"}
    one_step(model)
    with pytest.raises(
        RecipeError, match=r"images.tuning.last_blocks = 4: this tower has 3 blocks"
    ):
        model_of(OPEN_CLIP, {"kind": "last_blocks", "last_blocks": 4})


def test_a_tower_without_attention_has_nothing_for_lora() -> None:
    with pytest.raises(
        RecipeError, match=r"images\.tuning\.kind = lora: this tower has no attention"
    ):
        model_of(RESNET, {"kind": "lora"})


def test_each_modality_is_tuned_for_itself() -> None:
    captions = {"tower": "open_clip", "layout": json.dumps(CLIP), "tuning": {"kind": "frozen"}}
    model = model_of(OPEN_CLIP, {"kind": "lora", "rank": 2}, captions=captions, embedding_dim=16)
    assert model.learning["caption"].learning == 0
    assert model.learning["image"].learning == 3 * 2 * 2 * (64 + 64)
    tokens = model.tokenise(Modality.CAPTION)(["copepoda"])
    model.embed_captions(CaptionBatch(tokens)).sum().backward()
    assert {n for n, p in model.named_parameters() if p.grad is not None} == {
        "projections.caption.weight",
        "projections.caption.bias",
    }
