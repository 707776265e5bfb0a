"""What each release left is read today as it was then; what a later one leaves is refused with a remedy."""

import json
import re
import shutil
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from kept_artefacts import KEPT, READERS, read_all
from release_surface import formats

from holotype.errors import BundleError, HolotypeError
from holotype.models.bundle import OLDER, VERSION, open_bundle, write_bundle
from holotype.models.golden import golden_outputs

RELEASES = sorted(path.name.removesuffix(".tar.xz") for path in KEPT.glob("*.tar.xz"))
CLOSE = 2e-3
"""Of figures that a machine computes; what was written is the same to the letter."""


@pytest.fixture(scope="session", params=RELEASES)
def release(request, tmp_path_factory):
    """The unpacked artefacts of a release; read only."""
    folder = tmp_path_factory.mktemp(f"release-{request.param}")
    with tarfile.open(KEPT / f"{request.param}.tar.xz") as packed:
        packed.extractall(folder, filter="data")
    return folder


def same(found: Any, expected: Any) -> bool:
    """Whether two values of JSON are the same, numbers nearly."""
    if isinstance(expected, dict):
        return found.keys() == expected.keys() and all(
            same(found[k], v) for k, v in expected.items()
        )
    if isinstance(expected, list):
        pairs = zip(found, expected, strict=False)
        return len(found) == len(expected) and all(same(one, other) for one, other in pairs)
    if isinstance(expected, float):
        return bool(np.isclose(found, expected, atol=CLOSE))
    return bool(found == expected)


def test_a_release_is_kept():
    assert RELEASES
    assert sum(path.stat().st_size for path in KEPT.iterdir()) < 400_000 * len(RELEASES)


def test_what_a_release_left_is_read_as_it_was(release):
    name = re.search(r"release-(\S+?)\d$", release.name)[1]
    expected = json.loads((KEPT / f"{name}.json").read_text(encoding="utf-8"))
    found = json.loads(json.dumps(read_all(release)))
    assert found.keys() == expected.keys()
    for artefact, was in expected.items():
        assert same(found[artefact], was), artefact


def test_every_reader_has_something_to_read_and_no_version_of_bundles_is_left_out():
    newest = json.loads((KEPT / f"{RELEASES[-1]}.json").read_text(encoding="utf-8"))
    assert newest.keys() == READERS.keys()
    assert {f"bundle-{version}" for version in (*OLDER, VERSION)} == {
        name for name in READERS if name.startswith("bundle-")
    }


def of_tomorrow(told: dict[str, object]) -> str:
    """A manifest with the version after the one that is written now."""
    return json.dumps({**told, "version": formats()[str(told["format"])][0] + 1})


def later_json(path: Path) -> None:
    path.write_text(of_tomorrow(json.loads(path.read_text(encoding="utf-8"))), encoding="utf-8")


def later_parquet(path: Path) -> None:
    table = pq.read_table(path)
    told = json.loads(table.schema.metadata[b"holotype"])
    pq.write_table(table.replace_schema_metadata({"holotype": of_tomorrow(told)}), path)


LATER: dict[str, tuple[str, str, Callable[[Path], None]]] = {
    "collection": ("collection", "collection/collection.json", later_json),
    "split": ("split.parquet", "split.parquet", later_parquet),
    "bundle": ("bundle-3", "bundle-3/bundle.json", later_json),
    "decisions": ("bundle-3", "bundle-3/decisions/decisions.json", later_json),
    "index": ("index", "index/index.json", later_json),
    "barcode library": ("index", "index/data-1/barcodes/barcode-library.json", later_json),
    "answers": ("answers.parquet", "answers.parquet", later_parquet),
    "review": ("review", "review/session.json", later_json),
    "backbone": ("backbone.parquet", "backbone.parquet", later_parquet),
}
"""Format -> the artefact that is read, the file that bears its version, and what makes that a later one."""


@pytest.mark.parametrize("name", LATER)
def test_a_version_of_tomorrow_is_refused_with_a_remedy(release, tmp_path, name):
    artefact, bearer, make_later = LATER[name]
    folder = Path(shutil.copytree(release, tmp_path / "release"))
    READERS[artefact](folder / artefact)
    make_later(folder / bearer)
    with pytest.raises(HolotypeError) as caught:
        READERS[artefact](folder / artefact)
    said = str(caught.value)
    assert re.search(r"version \d", said), said
    assert re.search(r"this Holotype reads", said), said
    assert re.search(r"Use the Holotype that wrote it|again", said), said


def test_a_bundle_that_computes_something_else_is_refused(release, tmp_path, monkeypatch):
    folder = Path(shutil.copytree(release / f"bundle-{VERSION}", tmp_path / "bundle"))
    opened = open_bundle(folder)
    known = opened.manifest["golden"]
    assert (
        set(known)
        == {modality.value for modality in opened.model.modalities}
        == {"image", "barcode"}
    )
    normal = torch.nn.functional.gelu
    monkeypatch.setattr(torch.nn.functional, "gelu", lambda x, *_, **__: normal(x) * 1.2)
    monkeypatch.setattr(torch.nn.functional, "relu", lambda x, *_, **__: torch.abs(x))
    other = golden_outputs(opened.model)
    differ = [m for m in known if not np.allclose(other[m], known[m], atol=1e-2)]
    assert differ, "the planted fault changes a tower"
    with pytest.raises(BundleError, match=rf"its {differ[0]} tower computes something else here"):
        open_bundle(folder)


@pytest.mark.parametrize(
    "wrong", ["x", [1], {"image": "x"}, {"image": [[1.0]]}, {"sound": [[1.0]]}]
)
def test_golden_outputs_that_are_none_are_refused(release, tmp_path, wrong):
    folder = Path(shutil.copytree(release / f"bundle-{VERSION}", tmp_path / "bundle"))
    path = folder / "bundle.json"
    told = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**told, "golden": wrong}), encoding="utf-8")
    with pytest.raises(BundleError, match=r"damaged|computes something else"):
        open_bundle(folder)


@pytest.mark.skipif(sys.platform == "win32", reason="modes of files")
def test_whoever_may_read_a_bundle_may_read_its_weights(release, tmp_path):
    old = open_bundle(release / f"bundle-{VERSION}")
    told = old.model.settings, old.model.state_dict(), old.labels, old.temperature
    write_bundle(tmp_path / "new", *told, old.manifest["training"], "card")
    modes = {path.name: path.stat().st_mode for path in (tmp_path / "new").iterdir()}
    assert modes["model.safetensors"] == modes["bundle.json"]
    assert open_bundle(tmp_path / "new").manifest["golden"] == old.manifest["golden"]
