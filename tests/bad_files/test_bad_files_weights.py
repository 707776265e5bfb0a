"""Weights of others: a header cannot ask for memory, and no file that is opened can run anything."""

import io
import json
import pickle  # noqa: TID251 - to be what must not be opened
import shutil
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import holotype
from holotype.errors import BundleError, CollectionError, HolotypeError, RecipeError
from holotype.files import sha256_file
from holotype.index.by_identity import barcode_library
from holotype.index.store import open_index
from holotype.index.vectors import Vectors
from holotype.index.writing import write_index
from holotype.models.bundle import open_bundle
from holotype.models.pretrained.checkpoints import read_checkpoint


def weights(header: object, body: bytes = b"") -> bytes:
    """Returns a safetensors file: the length of the header, the header, the numbers."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def tensor(shape: list[int], begin: int, end: int, dtype: str = "F32") -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


BOMBS = {
    "a-header-of-exabytes": struct.pack("<Q", 1 << 62) + b"{}",
    "a-header-longer-than-the-file": struct.pack("<Q", 90_000_000) + b"{}",
    "a-shape-of-yottabytes": weights({"w": tensor([1 << 40, 1 << 40], 0, 4)}, bytes(4)),
    "a-shape-that-overflows": weights({"w": tensor([1 << 62, 4], 0, 0)}),
    "a-shape-below-zero": weights({"w": tensor([-1], 0, 4)}, bytes(4)),
    "python-objects": weights({"w": tensor([1], 0, 4, "OBJECT")}, bytes(4)),
    "numbers-beyond-the-end": weights({"w": tensor([1 << 30], 0, 1 << 32)}, bytes(4)),
    "numbers-of-two": weights({"w": tensor([1], 0, 4), "v": tensor([1], 0, 4)}, bytes(4)),
    "a-hole": weights({"w": tensor([1], 4, 8)}, bytes(8)),
    "brackets-without-end": weights(b'{"w":' + b"[" * 100_000),
    "no-text": weights(b"\xff\xfe\xfd"),
    "nothing": b"",
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_headers_that_lie_are_refused_without_their_memory(tmp_path, bomb):
    path = tmp_path / "m.safetensors"
    path.write_bytes(BOMBS[bomb])
    tracemalloc.start()
    try:
        with pytest.raises(RecipeError, match=r"m\.safetensors: no safetensors file"):
            read_checkpoint(path)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("bomb", ["a-shape-of-yottabytes", "python-objects", "nothing"])
def test_a_bundle_of_such_weights_is_refused(tiny_run, tmp_path, bomb):
    bundle = Path(shutil.copytree(tiny_run, tmp_path / "bundle"))
    (bundle / "model.safetensors").write_bytes(BOMBS[bomb])
    manifest = json.loads((bundle / "bundle.json").read_text())
    manifest["weights_sha256"] = sha256_file(
        bundle / "model.safetensors"
    )  # whoever lies, lies twice
    (bundle / "bundle.json").write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match=r"model\.safetensors: does not fit bundle\.json"):
        open_bundle(bundle)


class Sneaky:
    """What a pickle of it does when it is opened: a file appears."""

    def __init__(self, sign: Path) -> None:
        self.sign = sign

    def __reduce__(self) -> tuple:
        return (Path.touch, (self.sign,))


def test_the_pickle_of_these_tests_does_run(tmp_path):
    pickle.loads(pickle.dumps(Sneaky(tmp_path / "ran")))
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("image-folder", "x.png"), ("image-folder", "x.zip"), ("image-folder", "x.tar"),
        ("table", "x.csv"), ("table", "x.parquet"), ("fasta", "x.fasta"), ("ecotaxa", "ecotaxa_x.tsv"),
        ("ifcb", "D20240101T000000_IFCB1_class.h5"), ("clibd", "x.hdf5"), ("darwin-core", "x.zip"),
        ("camtrap-dp", "datapackage.json"), ("coco-camera-traps", "x.json"), ("hf-parquet", "x.parquet"),
        ("simulated", "x.toml"), ("zooprocess", "x_dat1.pid"), ("bold", "x.tsv"),
    ],
)  # fmt: skip
def test_a_pickle_under_any_name_runs_nothing_when_imported(tmp_path, kind, name):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / name).write_bytes(pickle.dumps(Sneaky(tmp_path / "ran"), protocol=4))
    for given in (folder / name, folder):
        try:
            report = holotype.import_(kind, [given], into=tmp_path / f"c-{given.name}")
            assert "imported" not in report.outcomes
        except HolotypeError:
            pass
    assert not (tmp_path / "ran").exists()


def test_arrays_of_an_index_run_nothing(tmp_path):
    z_VD = np.eye(4, dtype=np.float32)
    table = pa.table({"record_id": list("abcd"), "barcode": ["ACGT" * 50, None, None, None]})
    write_index(tmp_path / "i", table, {"image": Vectors.of(z_VD)}, model="m")
    handle = io.BytesIO()
    np.save(handle, np.array([Sneaky(tmp_path / "ran")], dtype=object), allow_pickle=True)
    arrays = sorted((tmp_path / "i").rglob("*.npy"))
    assert len(arrays) > 2
    for path in arrays:
        whole = path.read_bytes()
        path.write_bytes(handle.getvalue())
        with pytest.raises(CollectionError, match=f"{path.name}: cannot be read"):
            barcode_library(open_index(tmp_path / "i"))
        path.write_bytes(whole)
    assert not (tmp_path / "ran").exists()
