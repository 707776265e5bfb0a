"""``adapt`` from a published CLIP model: files of its layout with random weights, and no network."""

import json
import shutil
from pathlib import Path

import open_clip
import pytest
import torch
from safetensors.torch import save_file

from holotype.adapting.adapt import adapt
from holotype.adapting.parents import open_parent
from holotype.errors import RecipeError
from holotype.models.bundle import open_bundle

CLIP = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 64, "patch_size": 8, "head_width": 32},
    "text_cfg": {"context_length": 8, "vocab_size": 64, "width": 32, "heads": 2, "layers": 1},
}


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """A CLIP model as a hub holds it."""
    folder = tmp_path / "clip"
    folder.mkdir()
    torch.manual_seed(0)
    state = open_clip.CLIP(**CLIP).state_dict()
    save_file({k: v.contiguous() for k, v in state.items()}, folder / "open_clip_model.safetensors")
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": CLIP}))
    return folder


@pytest.mark.parametrize("method", ["prototypes", "lora"])
def test_a_published_model_is_adapted_and_then_needed_no_more(
    method: str, published: Path, own_images, tmp_path: Path
) -> None:
    asked = {"epochs": 2} if method == "lora" else {}
    report = adapt(published, [own_images(15)], out=tmp_path / "own", method=method, **asked)
    assert (report.method, report.labels, report.known_labels) == (method, 3, 0)
    assert report.before is None
    before = open_parent(published).model.state_dict()
    shutil.rmtree(published)
    bundle = open_bundle(tmp_path / "own")
    assert bundle.manifest["training"]["parent"]["records"] == 0
    own = bundle.model.state_dict()
    moved = {name for name, v in before.items() if name in own and not torch.equal(own[name], v)}
    towers = {name for name in moved if name.startswith("towers.")}
    if method == "lora":
        assert towers == {
            f"towers.image.model.transformer.resblocks.{n}.attn.in_proj_weight" for n in (0, 1)
        }
    else:
        assert towers == set()


def test_a_published_model_that_is_not_here_says_how_to_get_it(own_images, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="not on this machine"):
        adapt("published:bioclip", [own_images(2)], out=tmp_path / "x")
