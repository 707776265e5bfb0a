"""A model on disk: the same outputs when opened again, and refused when anything is wrong."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from holotype import files
from holotype.errors import BundleError
from holotype.inputs.materials import Materials
from holotype.media.preparation import PreparationKind
from holotype.models.bundle import PREPROCESSING, Bundle, open_bundle, softmax, write_bundle
from holotype.models.encode import encode
from holotype.models.places import bundle_folder, is_bundle
from holotype.models.towers import Modality


@pytest.fixture
def copy(tiny_run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_run, tmp_path / "bundle"))


def change(folder: Path, **changed: object) -> None:
    path = folder / "bundle.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changed}))


def test_a_bundle_written_again_gives_equal_outputs(
    tiny_bundle: Bundle, tiny_materials: Materials, tmp_path: Path
) -> None:
    write_bundle(
        tmp_path / "again",
        tiny_bundle.model.settings,
        tiny_bundle.model.state_dict(),
        tiny_bundle.labels,
        tiny_bundle.temperature,
        tiny_bundle.manifest["training"],
        "card",
    )
    again = open_bundle(tmp_path / "again")
    assert again.manifest == tiny_bundle.manifest
    assert again.labels == tiny_bundle.labels
    assert again.temperature == tiny_bundle.temperature
    rows = np.arange(40)
    first = encode(tiny_bundle.model, tiny_materials, rows=rows)
    second = encode(again.model, tiny_materials, rows=rows)
    for modality in first:
        assert np.array_equal(first[modality].z_RD, second[modality].z_RD)
        assert np.array_equal(first[modality].logit_RL, second[modality].logit_RL)


def test_an_open_bundle_says_what_it_reads(tiny_bundle: Bundle, tiny_run: Path) -> None:
    assert tiny_bundle.pixels.side_px == 32
    assert tiny_bundle.pixels.channels == 1
    assert not tiny_bundle.model.training
    assert files.sha256_file(tiny_run / "model.safetensors").startswith(tiny_bundle.fingerprint)
    assert set(tiny_bundle.temperature) == {Modality.IMAGE, Modality.BARCODE}
    assert (tiny_run / "README.md").read_text().startswith("# tiny\n")
    assert not (tiny_run / "resume").exists()


def test_no_folder_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"no bundle\.json here"):
        open_bundle(tmp_path)


def test_an_unfinished_run_is_refused(copy: Path) -> None:
    (copy / "resume").mkdir()
    (copy / "bundle.json").unlink()
    with pytest.raises(BundleError, match=r"has not finished\. Run holotype train again"):
        open_bundle(copy)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"version": 4}, "format version 4; this Holotype reads version 3"),
        ({"format": "holotype-collection"}, "this is a holotype-collection"),
        ({"preprocessing": {"images": "squeezed"}}, "another way of preparing inputs"),
        ({"model": {"images": {"side": 3}}}, "unknown key 'images.side'"),
    ],
)
def test_what_this_version_cannot_read_is_refused(
    copy: Path, changed: dict[str, object], said: str
) -> None:
    change(copy, **changed)
    with pytest.raises(BundleError if "model" not in changed else ValueError, match=said):
        open_bundle(copy)


def test_a_bundle_of_version_1_is_read(
    copy: Path, tiny_bundle: Bundle, tiny_materials: Materials
) -> None:
    manifest = json.loads((copy / "bundle.json").read_text())
    del manifest["weights"]
    del manifest["model"]["images"]["preparation"]
    del manifest["preprocessing"]["fingerprint"]
    (copy / "bundle.json").write_text(json.dumps({**manifest, "version": 1}))
    weights = load_file(copy / "model.safetensors")
    weights.pop("sigmoid_bias", None)
    save_file(weights, copy / "model.safetensors")
    change(copy, weights_sha256=files.sha256_file(copy / "model.safetensors"))
    rows = np.arange(10)
    old = encode(open_bundle(copy).model, tiny_materials, rows=rows)
    new = encode(tiny_bundle.model, tiny_materials, rows=rows)
    assert all(np.array_equal(old[m].z_RD, new[m].z_RD) for m in new)


def test_every_way_of_preparing_pixels_is_described() -> None:
    assert set(PREPROCESSING) == {kind.value for kind in PreparationKind}
    assert len(set(PREPROCESSING.values())) == len(PREPROCESSING)


def test_the_starter_goes_by_its_name_unless_a_folder_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert bundle_folder("starter").parent.name == "holotype"
    (tmp_path / "starter").mkdir()
    assert bundle_folder("starter") == Path("starter")
    assert bundle_folder(tmp_path) == tmp_path
    assert not is_bundle(tmp_path)


@pytest.mark.parametrize("at", [0, 100, -1])
def test_one_changed_byte_of_the_weights_is_found(copy: Path, at: int) -> None:
    content = bytearray((copy / "model.safetensors").read_bytes())
    content[at] ^= 1
    (copy / "model.safetensors").write_bytes(content)
    with pytest.raises(BundleError, match=r"not the weights that bundle\.json names\. Restore it"):
        open_bundle(copy)


def test_missing_weights_are_an_error_of_the_bundle(copy: Path) -> None:
    (copy / "model.safetensors").unlink()
    with pytest.raises(BundleError, match=r"model\.safetensors"):
        open_bundle(copy)


def test_weights_of_another_shape_are_refused(copy: Path) -> None:
    weights = load_file(copy / "model.safetensors")
    weights["head.weight"] = weights["head.weight"][:-1].clone()
    save_file(weights, copy / "model.safetensors")
    change(copy, weights_sha256=files.sha256_file(copy / "model.safetensors"))
    with pytest.raises(BundleError, match=r"does not fit bundle\.json"):
        open_bundle(copy)


def test_a_manifest_that_is_no_json_is_refused(copy: Path) -> None:
    (copy / "bundle.json").write_text("{")
    with pytest.raises(BundleError, match="not a holotype-bundle manifest"):
        open_bundle(copy)


UNPICKLED = """
import sys
found = []
sys.addaudithook(lambda event, args: found.append(args) if event == "pickle.find_class" else None)
from pathlib import Path
from holotype.models.bundle import open_bundle
open_bundle(Path(sys.argv[1]))
sys.exit(f"unpickled {found}" if found else 0)
"""


def test_opening_a_bundle_unpickles_nothing(tiny_run: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", UNPICKLED, str(tiny_run)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    pickled = [p for p in tiny_run.rglob("*") if p.is_file() and p.read_bytes()[:1] == b"\x80"]
    assert pickled == []


def test_softmax_by_hand() -> None:
    logit_BL = np.log(np.asarray([[1, 2, 5]], dtype=np.float32))
    assert softmax(logit_BL)[0].tolist() == pytest.approx([1 / 8, 2 / 8, 5 / 8])
    # Divided by one half: squares, 1 + 4 + 25 = 30.
    assert softmax(logit_BL, temperature=0.5)[0].tolist() == pytest.approx(
        [1 / 30, 4 / 30, 25 / 30]
    )
    assert softmax(np.asarray([[1e4, 0]], dtype=np.float32)).tolist() == [[1.0, 0.0]]


def test_weights_are_those_that_training_returned(tiny_run: Path, tiny_bundle: Bundle) -> None:
    stored = load_file(tiny_run / "model.safetensors")
    own = tiny_bundle.model.state_dict()
    assert stored.keys() == own.keys()
    assert all(torch.equal(stored[name], own[name]) for name in stored)
