"""Published CLIP models: what our towers give is what open_clip gives, and nothing is changed in silence."""

import json
import tomllib
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional

from holotype.config import checked
from holotype.errors import RecipeError
from holotype.inputs.batches import Batch, ImageBatch
from holotype.media.preparation import PixelPreparation, PreparationKind
from holotype.models.aligned import AlignedModel, ModelSettings
from holotype.models.bundle import open_bundle, write_bundle
from holotype.models.encode import encode_captions
from holotype.models.labels import Target, build_label_space
from holotype.models.pretrained.checkpoints import Checkpoint
from holotype.models.pretrained.open_clip_towers import (
    OpenClipCaptionTower,
    OpenClipImageTower,
    _half,
)
from holotype.models.towers import CaptionSettings, ImageSettings, Modality

MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
TINY = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 64, "patch_size": 8, "head_width": 32},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 2},
}
IMAGES = {
    "tower": "open_clip", "side_px": 32, "channels": 3, "preparation": "centre_crop",
    "mean": list(MEAN), "std": list(STD),
}  # fmt: skip
CAPTIONS = ["a photo of Calanus finmarchicus.", "copepoda", "x " * 200]


def publish(folder: Path, *, ending: str = ".safetensors", **changes: object) -> nn.Module:
    """Writes a model as a hub holds it, and returns it as open_clip reads it back."""
    folder.mkdir(parents=True, exist_ok=True)
    config = {"model_cfg": {**TINY, **changes}, "preprocess_cfg": {"mean": MEAN, "std": STD}}
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    torch.manual_seed(1)
    model = open_clip.CLIP(**{k: v for k, v in config["model_cfg"].items() if k != "custom_text"})
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
        model.logit_scale.fill_(float(np.log(80.0)))
    state = {name: value.contiguous() for name, value in model.state_dict().items()}
    if ending == ".safetensors":
        save_file(state, folder / "open_clip_model.safetensors")
    else:
        torch.save({"state_dict": {f"module.{k}": v for k, v in state.items()}, "epoch": 3},
                   folder / "open_clip_pytorch_model.bin")  # fmt: skip
    return open_clip.create_model(f"local-dir:{folder}").eval()


def settings_of(folder: Path, images: dict | None = None, **others: object) -> ModelSettings:
    content = {
        "images": IMAGES | {"weights": str(folder)} | (images or {}),
        "captions": {"tower": "open_clip", "weights": str(folder)},
        "embedding_dim": 16,
        "projection": "none",
    }
    return checked(ModelSettings, content | others, where="x.toml")


@pytest.mark.parametrize("quick", [False, True], ids=["gelu", "quick gelu"])
@pytest.mark.parametrize("ending", [".safetensors", ".bin"])
def test_zero_shot_equals_the_original_library(tmp_path: Path, ending: str, quick: bool) -> None:
    original = publish(tmp_path / "m", ending=ending, quick_gelu=quick)
    model = AlignedModel(settings_of(tmp_path / "m"), num_labels=3).eval()
    rng = np.random.default_rng(0)
    photos = [Image.fromarray(rng.integers(0, 256, (50, 41 + n, 3), np.uint8)) for n in range(3)]
    theirs = image_transform_v2(PreprocessCfg(**original.visual.preprocess_cfg), is_train=False)
    pixels = [
        PixelPreparation(PreparationKind.CENTRE_CROP, 32, 3).apply(np.asarray(p)) for p in photos
    ]
    image_ICSS = torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2).float() / 255
    batch = Batch(np.arange(3), ImageBatch(image_ICSS, torch.ones(3, 4), torch.arange(3)))
    tokeniser = open_clip.get_tokenizer(f"local-dir:{tmp_path / 'm'}")
    with torch.no_grad():
        expected_BL, _ = original.get_logits(
            torch.stack([theirs(p) for p in photos]), tokeniser(CAPTIONS)
        )
        z_BD = functional.normalize(model(batch)[Modality.IMAGE], dim=1)
    z_LD = torch.from_numpy(encode_captions(model, CAPTIONS))
    assert float(model.scale.detach()) == pytest.approx(80.0, rel=1e-6)
    assert torch.equal(model.tokenise(Modality.CAPTION)(CAPTIONS)[0], tokeniser(CAPTIONS))
    assert torch.allclose(model.scale * z_BD @ z_LD.T, expected_BL, atol=2e-4)  # of up to 80
    assert torch.allclose(z_BD @ z_LD.T, expected_BL / 80, atol=1e-5)


def test_the_newer_layout_with_separate_text_is_read_too(tmp_path: Path) -> None:
    publish(tmp_path / "m")
    torch.manual_seed(2)
    model = open_clip.CustomTextCLIP(**TINY).eval()
    save_file({k: v.contiguous() for k, v in model.state_dict().items()},
              tmp_path / "m" / "open_clip_model.safetensors")  # fmt: skip
    tower = OpenClipCaptionTower(CaptionSettings(tower="open_clip", weights=str(tmp_path / "m")))
    tokens = tower.tokenise(CAPTIONS)
    with torch.no_grad():
        assert torch.allclose(tower.eval()(*tokens), model.encode_text(*tokens), atol=1e-5)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"side_px": 64}, "side_px is 64, published 32"),
        ({"mean": 0.5}, r"mean is 0.5, published \(0.48145466"),
        ({"std": list(MEAN)}, "std is"),
        ({"preparation": "squashed"}, "preparation is squashed, published centre_crop"),
        ({"channels": 1, "mean": 0.5, "std": 0.5}, "channels is 1, published 3"),
    ],
)
def test_another_preprocessing_is_refused_by_its_values(
    tmp_path: Path, change: dict, said: str
) -> None:
    publish(tmp_path / "m")
    with pytest.raises(RecipeError, match=said) as raised:
        AlignedModel(settings_of(tmp_path / "m", images=change), num_labels=3)
    lines = str(raised.value).split("Write:\n")[1].split("\nor ")[0]
    told = tomllib.loads(lines)  # what the error says to write is what works
    AlignedModel(settings_of(tmp_path / "m", images=told), num_labels=3)


def test_a_recipe_may_depart_when_it_says_so(tmp_path: Path) -> None:
    publish(tmp_path / "m")
    own = {"preparation": "padded", "mean": 0.5, "std": 0.25, "preprocessing": "own"}
    model = AlignedModel(settings_of(tmp_path / "m", images=own), num_labels=3)
    assert model.pixel_mean.item() == 0.5


@pytest.mark.parametrize("said", [{"resize_mode": "longest"}, {"interpolation": "bilinear"}])
def test_a_way_that_we_do_not_have_is_refused(tmp_path: Path, said: dict) -> None:
    publish(tmp_path / "m")
    path = tmp_path / "m" / "open_clip_config.json"
    config = json.loads(path.read_text())
    config["preprocess_cfg"] |= said
    path.write_text(json.dumps(config))
    with pytest.raises(RecipeError, match="in a way that Holotype does not have"):
        AlignedModel(settings_of(tmp_path / "m"), num_labels=3)


def test_squashing_is_recognised(tmp_path: Path) -> None:
    publish(tmp_path / "m")
    path = tmp_path / "m" / "open_clip_config.json"
    config = json.loads(path.read_text())
    config["preprocess_cfg"]["resize_mode"] = "squash"
    path.write_text(json.dumps(config))
    AlignedModel(settings_of(tmp_path / "m", images={"preparation": "squashed"}), num_labels=3)
    with pytest.raises(RecipeError, match="published squashed"):
        AlignedModel(settings_of(tmp_path / "m"), num_labels=3)


def test_a_single_file_needs_its_architecture_and_must_fit_it(tmp_path: Path) -> None:
    publish(tmp_path / "m")
    alone = tmp_path / "alone.safetensors"
    alone.write_bytes((tmp_path / "m" / "open_clip_model.safetensors").read_bytes())
    given = {"weights": str(alone)}
    with pytest.raises(RecipeError, match="open_clip has no 'None'"):
        OpenClipImageTower(ImageSettings(**IMAGES | given))
    with pytest.raises(RecipeError, match="Did you mean 'ViT-B-16'"):
        OpenClipImageTower(ImageSettings(**IMAGES | given | {"architecture": "ViTB16"}))
    published = IMAGES | given | {"architecture": "ViT-S-32-alt", "side_px": 224}
    with pytest.raises(RecipeError, match=r"not the weights of this architecture.*missing: "):
        OpenClipImageTower(ImageSettings(**published))


def test_towers_of_different_models_do_not_share_a_space(tmp_path: Path) -> None:
    publish(tmp_path / "a")
    publish(tmp_path / "b")
    path = tmp_path / "b" / "open_clip_model.safetensors"
    save_file({**load_file(path), "logit_scale": torch.tensor(2.0)}, path)
    other = {"captions": {"tower": "open_clip", "weights": str(tmp_path / "b")}}
    with pytest.raises(RecipeError, match=r"image 80, caption 7\.389"):
        AlignedModel(settings_of(tmp_path / "a", **other), num_labels=3)
    AlignedModel(settings_of(tmp_path / "a", **other, **{"projection": "linear"}), num_labels=3)


def test_without_weights_the_tower_says_that_it_is_random(capsys: pytest.CaptureFixture) -> None:
    plain = ImageSettings(tower="open_clip", architecture="ViT-S-32-alt", side_px=32, channels=3)
    tower = OpenClipImageTower(plain)
    assert "the tower ViT-S-32-alt starts at random" in capsys.readouterr().err
    assert tower.log_scale is None
    OpenClipImageTower(plain.model_copy(update={"layout": tower.layout}))  # as a bundle opens it
    assert capsys.readouterr().err == ""


def test_a_bundle_opens_without_the_publishers_files(tmp_path: Path) -> None:
    publish(tmp_path / "m")
    labels = build_label_space(Target.WRITTEN_LABEL, ["a", "b"], [None, None])
    settings = settings_of(tmp_path / "m", images={"tuning": {"kind": "lora"}})
    model = AlignedModel(settings, num_labels=2).eval()
    tokens = model.tokenise(Modality.CAPTION)(CAPTIONS)
    write_bundle(tmp_path / "b", model.settings, dict(model.state_dict()), labels, {}, {}, "card")
    for path in (tmp_path / "m").iterdir():
        path.unlink()
    opened = open_bundle(tmp_path / "b").model
    image_BCSS = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        for name, inputs in (("image", (image_BCSS, torch.ones(2, 4))), ("caption", tokens)):
            assert torch.equal(opened.towers[name](*inputs), model.towers[name](*inputs))
    assert opened.scale == model.scale


@pytest.mark.parametrize("name", ["ViT-B-16", "ViT-L-14", "ViT-H-14"])
def test_the_published_sizes_have_the_names_and_shapes_of_their_towers(name: str) -> None:
    """BioCLIP is a ViT-B-16, BioCLIP 2 a ViT-L-14, BioCLIP 2.5 a ViT-H-14; nothing is allocated."""
    config = open_clip.get_model_config(name)
    layout = json.dumps({"model_cfg": config})
    with torch.device("meta"):
        original = open_clip.CLIP(**open_clip.get_model_config(name))
        image = OpenClipImageTower(
            ImageSettings(tower="open_clip", side_px=224, channels=3, layout=layout)
        )
        caption = OpenClipCaptionTower(CaptionSettings(tower="open_clip", layout=layout))
    checkpoint = Checkpoint(Path("x"), dict(original.state_dict()), {})
    for tower, prefix in ((image, "visual."), (caption, "text.")):
        published = {k: v.shape for k, v in _half(checkpoint, prefix).items()}
        assert published == {k: v.shape for k, v in tower.model.state_dict().items()}


@pytest.mark.parametrize("mode", ["squash", "shortest"])
@pytest.mark.parametrize("size", [(31, 87), (200, 64), (64, 64), (65, 64), (333, 1000), (5, 3)])
def test_our_pixels_are_open_clips_to_the_byte(size: tuple[int, int], mode: str) -> None:
    photo = np.random.default_rng(1).integers(0, 256, (*size, 3), np.uint8)
    kinds = {"squash": PreparationKind.SQUASHED, "shortest": PreparationKind.CENTRE_CROP}
    ours = PixelPreparation(kinds[mode], 64, 3).apply(photo)
    config = PreprocessCfg(size=64, mean=(0,) * 3, std=(1,) * 3, resize_mode=mode)
    theirs = image_transform_v2(config, is_train=False)(Image.fromarray(photo))
    assert np.array_equal(ours, (theirs.permute(1, 2, 0) * 255).round().byte().numpy())
