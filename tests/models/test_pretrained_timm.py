"""timm models with published weights."""

import json
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file

from holotype.errors import RecipeError
from holotype.models.pretrained.timm_tower import TimmTower
from holotype.models.towers import ImageSettings

PUBLISHED = {
    "input_size": [3, 32, 32], "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5],
    "interpolation": "bicubic", "crop_pct": 1.0, "num_classes": 10,
}  # fmt: skip
SETTINGS = {
    "tower": "timm", "side_px": 32, "channels": 3, "preparation": "centre_crop", "mean": 0.5, "std": 0.5,
    "size": "none",
}  # fmt: skip


def publish(folder: Path, **said: object) -> torch.nn.Module:
    folder.mkdir(exist_ok=True)
    torch.manual_seed(0)
    model = timm.create_model("vit_tiny_patch16_224", img_size=32, num_classes=10).eval()
    save_file(model.state_dict(), folder / "model.safetensors")
    config = {"architecture": "vit_tiny_patch16_224", "pretrained_cfg": PUBLISHED | said}
    (folder / "config.json").write_text(json.dumps(config))
    return model


def test_features_equal_the_published_models(tmp_path: Path) -> None:
    original = publish(tmp_path)
    tower = TimmTower(ImageSettings(**SETTINGS, weights=str(tmp_path))).eval()
    image_BCHW = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        expected = original.forward_head(original.forward_features(image_BCHW), pre_logits=True)
        assert torch.allclose(tower(image_BCHW, torch.ones(2, 4)), expected, atol=1e-5)
    assert tower.feature_dim == 192
    again = TimmTower(ImageSettings(**SETTINGS, layout=tower.layout))  # as a bundle opens it
    again.load_state_dict(tower.state_dict())


def test_luma_reads_published_colour_filters_added_up(tmp_path: Path) -> None:
    original = publish(tmp_path)
    given = SETTINGS | {"channels": 1, "preprocessing": "own", "weights": str(tmp_path)}
    tower = TimmTower(ImageSettings(**given)).eval()
    grey = torch.randn(1, 1, 32, 32)
    with torch.no_grad():
        colour = original.forward_features(grey.expand(1, 3, 32, 32))
        assert torch.allclose(tower.model.forward_features(grey), colour, atol=1e-4)


@pytest.mark.parametrize(
    ("said", "change", "error"),
    [
        ({"mean": [0.485, 0.456, 0.406]}, {}, r"mean is 0.5, published \(0.485"),
        ({"crop_pct": 0.9}, {}, "crop_pct 0.9"),
        ({}, {"side_px": 64}, "side_px is 64, published 32"),
        ({}, {"architecture": "resnet18"}, "is a 'vit_tiny_patch16_224'"),
    ],
)
def test_what_contradicts_the_publisher_is_refused(
    tmp_path: Path, said: dict, change: dict, error: str
) -> None:
    publish(tmp_path, **said)
    with pytest.raises(RecipeError, match=error):
        TimmTower(ImageSettings(**SETTINGS | change, weights=str(tmp_path)))


def test_weights_of_another_model_are_refused(tmp_path: Path) -> None:
    publish(tmp_path)
    (tmp_path / "config.json").unlink()
    given = SETTINGS | {"architecture": "resnet18", "weights": str(tmp_path)}
    with pytest.raises(RecipeError, match="not the weights of 'resnet18'"):
        TimmTower(ImageSettings(**given))


def test_random_weights_are_said_to_be_random(capsys: pytest.CaptureFixture) -> None:
    TimmTower(ImageSettings(**SETTINGS, architecture="resnet18"))
    assert "the tower resnet18 starts at random" in capsys.readouterr().err


def test_settings_of_another_tower_are_refused() -> None:
    for wrong, said in (
        ({"tower": "timm", "width": 8}, "it is for tower crops, not timm"),
        (
            {"tower": "crops", "weights": "x"},
            "it is for tower clibd or open_clip or timm, not crops",
        ),
        ({"tower": "open_clip", "size": "um"}, "it is for tower crops or timm, not open_clip"),
        ({"tuning": {"kind": "frozen", "rank": 8}}, "it is for kind lora, not frozen"),
    ):
        with pytest.raises(ValueError, match=said):
            ImageSettings.model_validate(wrong)
    whole = ImageSettings(**SETTINGS, architecture="resnet18")
    assert (
        ImageSettings.model_validate(whole.model_dump(mode="json")) == whole
    )  # every default said
    assert np.isclose(whole.tuning.lora_scale, 1.0)
