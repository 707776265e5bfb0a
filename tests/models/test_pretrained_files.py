"""Files of weights: what is read, what is refused, where it is looked for, and how it is fetched."""

import hashlib
import json
import pickle  # noqa: TID251 - to make what must be refused
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
from safetensors.torch import save, save_file

from holotype.catalogue.web_settings import WebSettings
from holotype.errors import RecipeError, SourceError
from holotype.models.pretrained.checkpoints import read_checkpoint
from holotype.models.pretrained.fetch import get_model, list_models
from holotype.models.pretrained.places import place_of, weights_in
from holotype.models.pretrained.published import published_model, published_models

COMMIT = "3f2a" * 10
WEIGHTS = save({"visual.proj": torch.arange(60_000, dtype=torch.float32)})
CONFIG = b'{"model_cfg": {}}'
REPOSITORY = {
    "open_clip_config.json": CONFIG,
    "open_clip_model.safetensors": WEIGHTS,
    "pytorch_model.bin": b"an older copy that nobody needs",
    "README.md": b"# a card",
}
QUICK = WebSettings(attempts=3, sleep=lambda _: None, disk_reserve_bytes=0)


class Hub(BaseHTTPRequestHandler):
    """A hub's layout over one repository: the list with checksums, and files by commit."""

    def __init__(self, state: dict, *args: object) -> None:
        self.state = state
        super().__init__(*args)

    def do_GET(self) -> None:
        self.state["asked"].append(self.path)
        if self.path.startswith("/api/models/org/name/revision/main?blobs=true"):
            rows = [
                {"rfilename": name, "size": len(content)}
                | (
                    {"lfs": {"sha256": hashlib.sha256(content).hexdigest()}}
                    if len(content) > 99
                    else {}
                )
                for name, content in REPOSITORY.items()
            ]
            return self.answer(200, json.dumps({"sha": COMMIT, "siblings": rows}).encode())
        if "/gated/" in self.path:
            return self.answer(403, b"no")
        name = self.path.removeprefix(f"/org/name/resolve/{COMMIT}/")
        if name not in REPOSITORY:
            return self.answer(404, b"nothing")
        content = self.state.get("instead", {}).get(name, REPOSITORY[name])
        start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
        cut = self.state.pop("cut", None) if name.endswith(".safetensors") else None
        return self.answer(206 if start else 200, content[start:], start, len(content), cut)

    def answer(
        self, status: int, body: bytes, start: int = 0, total: int = 0, cut: int | None = None
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"one"')
        if status == 206:
            self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        self.end_headers()
        self.wfile.write(body if cut is None else body[:cut])
        if cut is not None:
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def hub() -> Iterator[tuple[str, dict]]:
    state: dict = {"asked": []}
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Hub, state))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", state
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOLOTYPE_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "models"


def test_a_model_is_fetched_checked_and_found(hub: tuple[str, dict], own_folder: Path) -> None:
    endpoint, state = hub
    report = get_model("hf-hub:org/name", endpoint=endpoint, settings=QUICK)
    names = {file.name: file for file in report.files}
    assert set(names) == {"open_clip_config.json", "README.md", "open_clip_model.safetensors"}
    weights = names["open_clip_model.safetensors"]
    assert (weights.sha256, weights.verified) == (hashlib.sha256(WEIGHTS).hexdigest(), True)
    assert report.revision == COMMIT
    folder = own_folder / "org--name"
    manifest = json.loads((folder / "fetched.json").read_text())
    assert {row["name"]: row["sha256"] for row in manifest["files"]} == {
        name: hashlib.sha256(REPOSITORY[name]).hexdigest() for name in names
    }
    place = place_of("hf-hub:org/name", key="images.weights")
    assert weights_in(place) == folder / "open_clip_model.safetensors"
    state["asked"].clear()
    again = get_model("hf-hub:org/name", endpoint=endpoint, settings=QUICK)
    assert {f.state for f in again.files if f.verified} == {"kept"}
    assert not any("safetensors" in path for path in state["asked"])


def test_a_broken_download_goes_on_where_it_ended(hub: tuple[str, dict], own_folder: Path) -> None:
    endpoint, state = hub
    state["cut"] = 100_000
    get_model("hf-hub:org/name", endpoint=endpoint, settings=QUICK)
    assert (own_folder / "org--name" / "open_clip_model.safetensors").read_bytes() == WEIGHTS


def test_a_file_with_another_checksum_is_not_kept(hub: tuple[str, dict], own_folder: Path) -> None:
    endpoint, state = hub
    state["instead"] = {"open_clip_model.safetensors": b"x" * len(WEIGHTS)}
    with pytest.raises(SourceError, match=r"open_clip_model\.safetensors could not be fetched"):
        get_model("hf-hub:org/name", endpoint=endpoint, settings=QUICK)
    assert not (own_folder / "org--name" / "open_clip_model.safetensors").exists()
    assert not (own_folder / "org--name" / "fetched.json").exists()


def test_what_cannot_be_fetched_is_said(hub: tuple[str, dict]) -> None:
    endpoint, _ = hub
    with pytest.raises(RecipeError, match=r"accounts that accepted its terms.*gated/model"):
        get_model("hf-hub:gated/model", endpoint=endpoint + "/gated", settings=QUICK)
    with pytest.raises(SourceError, match="404"):
        get_model("hf-hub:org/other", endpoint=endpoint, settings=QUICK)
    with pytest.raises(RecipeError, match="Did you mean 'bioclip'"):
        get_model("bioclipp", endpoint=endpoint, settings=QUICK)
    with pytest.raises(SourceError, match="cannot be reached"):
        get_model("bioclip", endpoint="http://127.0.0.1:9", settings=replace(QUICK, attempts=1))


def test_absent_weights_say_how_to_get_them(tmp_path: Path, own_folder: Path) -> None:
    with pytest.raises(RecipeError) as raised:
        place_of("published:bioclip", key="images.weights")
    told = str(raised.value)
    assert "holotype models get published:bioclip" in told
    assert str(own_folder / "imageomics--bioclip") in told
    assert "HOLOTYPE_MODELS" in told
    with pytest.raises(RecipeError, match=r"no such file or folder"):
        place_of(str(tmp_path / "no.safetensors"), key="images.weights")
    with pytest.raises(RecipeError, match="write it as hf-hub:ORG/NAME"):
        place_of("hf-hub:../../etc", key="images.weights")


def test_files_put_there_by_hand_or_in_the_hubs_own_cache_are_found(
    tmp_path: Path, own_folder: Path
) -> None:
    cached = tmp_path / "hub" / "models--imageomics--bioclip"
    (cached / "refs").mkdir(parents=True)
    (cached / "refs" / "main").write_text("abc")
    (cached / "snapshots" / "abc").mkdir(parents=True)
    (cached / "snapshots" / "abc" / "open_clip_config.json").write_bytes(CONFIG)
    assert place_of("published:bioclip", key="x") == cached / "snapshots" / "abc"
    by_hand = own_folder / "imageomics--bioclip"
    by_hand.mkdir(parents=True)
    (by_hand / "open_clip_config.json").write_bytes(CONFIG)
    assert place_of("published:bioclip", key="x") == by_hand
    inner = own_folder / "bioscan-ml--clibd" / str(published_model("clibd-1m").file)
    inner.parent.mkdir(parents=True)
    inner.touch()
    assert place_of("published:clibd-1m", key="x") == inner
    assert [
        row.here is not None for row in list_models().models if row.model["name"] == "clibd-1m"
    ] == [True]


def test_the_table_names_each_model_once_with_its_terms() -> None:
    models = published_models()
    assert len(models) == 13
    assert models["bioclip"].hub == "imageomics/bioclip"
    assert models["bioclip-2"].architecture == "ViT-L-14"
    assert all(model.licence and model.paper for model in models.values())
    known = {"images", "barcodes", "captions"}
    for model in models.values():
        assert {tower.partition(": ")[0] for tower in model.towers} <= known


class Sneaky:
    """An object whose unpickling would run a command of its own."""

    def __reduce__(self) -> tuple:
        return (Path.touch, (Path("ran"),))


@pytest.mark.parametrize("ending", [".pt", ".pth", ".bin", ".ckpt"])
def test_pickles_of_more_than_tensors_are_refused_unopened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"state_dict": {"w": torch.ones(2)}, "args": Sneaky()}, tmp_path / f"m{ending}")
    with pytest.raises(RecipeError, match=r"opening those could run code, so it is refused"):
        read_checkpoint(tmp_path / f"m{ending}")
    (tmp_path / f"plain{ending}").write_bytes(pickle.dumps(Sneaky(), protocol=2))
    with pytest.raises(RecipeError, match=f"plain{ending}"):
        read_checkpoint(tmp_path / f"plain{ending}")
    assert not (tmp_path / "ran").exists()


def test_tensors_are_found_in_what_training_programs_save(tmp_path: Path) -> None:
    w = torch.arange(3.0)
    for content in (
        {"w": w},
        {"state_dict": {"module.w": w}, "epoch": 3, "name": "x"},
        {"model": {"w": w}, "optimizer": {"lr": [0.1]}, "bert_config": {"vocab_size": 258}},
    ):
        torch.save(content, tmp_path / "m.pt")
        read = read_checkpoint(tmp_path / "m.pt")
        assert {k: v.tolist() for k, v in read.tensors.items()} == {"w": [0.0, 1.0, 2.0]}
    assert read.others["bert_config"] == {"vocab_size": 258}
    assert read.part("x.", "") == read.tensors


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("m.safetensors", b"not", "no safetensors file"),
        ("m.pt", b"", "m.pt"),
        ("m.npz", b"", "weights end in one of"),
    ],
)
def test_damaged_files_are_named(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(RecipeError, match=said):
        read_checkpoint(tmp_path / name)


def test_a_folder_must_say_which_file_it_means(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="Found: none"):
        weights_in(tmp_path)
    save_file({"w": torch.ones(1)}, tmp_path / "a.safetensors")
    assert weights_in(tmp_path) == tmp_path / "a.safetensors"
    save_file({"w": torch.ones(1)}, tmp_path / "b.safetensors")
    with pytest.raises(RecipeError, match=r"a\.safetensors, b\.safetensors"):
        weights_in(tmp_path)
    save_file({"w": torch.ones(1)}, tmp_path / "model.safetensors")
    assert weights_in(tmp_path).name == "model.safetensors"
