"""What tests of faults share: small inputs that operations read."""

import hashlib
import io
import json
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
import xarray as xr
from faults_server import SERVER
from faults_tracing import why_not
from safetensors.torch import save

import holotype
from holotype.identify.columns import RANKS

CALANUS = (
    "Animalia",
    "Arthropoda",
    "Copepoda",
    "Calanoida",
    "Calanidae",
    "Calanus",
    "Calanus finmarchicus",
)
DATASET = f"""
title = "A net sample"
abstract = "{"Specimens of one net, imaged and named by a machine. " * 6}"
licence = "CC0-1.0"
[[creators]]
organisation = "A laboratory"
"""


CATALOGUE = """
name = "lab"
title = "A laboratory's crops"
kind = "images"
how = "direct"
page = "{base}/about"
citation = "The laboratory (2026)"
[[licences]]
of = "images"
written = "CC BY-NC 4.0"
stated_at = "README"
[layout]
reads_as = "image-folder"
class_root = "imgs/<class>/*"
"""


@pytest.fixture(scope="session")
def traceable() -> Iterator[None]:
    """Skips where no system call can be seen; else readies the process that operations are forked from."""
    SERVER.start()
    if (reason := SERVER.ask(why_not)) is not None:
        pytest.skip(reason)
    yield
    SERVER.end()


class Host(BaseHTTPRequestHandler):
    """A host that does everything right: ranges, strong marks, and the list of a hub with checksums."""

    protocol_version = "HTTP/1.1"

    def __init__(self, files: dict[str, bytes], *words: object) -> None:
        self.files = files
        super().__init__(*words)

    def do_GET(self) -> None:
        self.close_connection = True
        path = self.path.partition("?")[0]
        content = self.files.get(path)
        if content is None:
            self._say(404, b"")
            return
        mark = '"' + hashlib.sha256(content).hexdigest() + '"'
        asked = self.headers.get("Range", "")
        start = int(asked.removeprefix("bytes=").partition("-")[0]) if asked else 0
        if start and self.headers.get("If-Range", mark) == mark:
            told = f"bytes {start}-{len(content) - 1}/{len(content)}"
            self._say(206, content[start:], mark, told)
        else:
            self._say(200, content, mark)

    do_HEAD = do_GET

    def _say(self, code: int, body: bytes, mark: str = "", told: str = "") -> None:
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Connection", "close")
        for name, value in (("ETag", mark), ("Content-Range", told)):
            if value:
                self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    """A host on this machine, with the catalogue of one source of two files, and a hub of one model."""
    root = tmp_path_factory.mktemp("served")
    noise = np.random.default_rng(5).integers(0, 256, 40_000, dtype=np.uint8).tobytes()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as made:
        made.writestr("imgs/Copepoda/1.png", noise)
    weights = save({"visual.proj": torch.arange(30_000, dtype=torch.float32)})
    sources = {"a.zip": packed.getvalue(), "b.tsv": b"id\tname\n1\tAcartia\n"}
    model = {"open_clip_config.json": b'{"model_cfg": {}}', "open_clip_model.safetensors": weights}
    rows = [
        {
            "rfilename": name,
            "size": len(content),
            "lfs": {"sha256": hashlib.sha256(content).hexdigest()},
        }
        for name, content in model.items()
    ]
    commit = "3f2a" * 10
    listed = json.dumps({"sha": commit, "siblings": rows}).encode()
    files = {f"/{name}": content for name, content in sources.items()}
    files |= {f"/org/name/resolve/{commit}/{name}": content for name, content in model.items()}
    files["/api/models/org/name/revision/main"] = listed
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Host, files))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    base = f"http://127.0.0.1:{server.server_port}"
    text = CATALOGUE.format(base=base)
    for name, content in sources.items():
        sha = hashlib.sha256(content).hexdigest()
        text += f'[[files]]\nname = "{name}"\nurls = ["{base}/{name}"]\nsha256 = "{sha}"\n'
        (root / name).write_bytes(content)
    (root / "lab.toml").write_text(text)
    (root / "endpoint").write_text(base)
    (root / "weights").write_bytes(weights)
    yield {"catalogue": root / "lab.toml", "endpoint": root / "endpoint", "served": root}
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def given(
    tmp_path_factory: pytest.TempPathFactory,
    png,
    tiny_run,
    tiny_collection,
    tiny_split,
    tiny_recipe,
) -> dict[str, Path]:
    """The inputs by name; read only."""
    root = tmp_path_factory.mktemp("given")
    for folder, numbers in (("crops", range(12)), ("more", range(20, 25))):
        for number in numbers:
            path = root / folder / ("egg", "copepod")[number % 2] / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(png(number)[: 40 if number in (3, 4) else None])
    for number in range(12):
        path = root / "shapes" / ("dim", "bars")[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        image = cv2.imdecode(np.frombuffer(png(100 + number), np.uint8), cv2.IMREAD_GRAYSCALE)
        cv2.imwrite(str(path), image // 3 if number % 2 else image | 0x80)
    for name, folder in (("kept", "crops"), ("kept-more", "more")):
        holotype.import_("image-folder", [root / folder], into=root / name, source=name)
    holotype.predict(tiny_run, [root / "crops"], out=root / "answers.parquet")
    holotype.predict(
        tiny_run,
        [root / "kept"],
        out=root / "kept-answers.parquet",
        embeddings=root / "kept-z.parquet",
    )
    first = pq.read_table(root / "answers.parquet")["label"].drop_null()[0].as_py()
    (root / "label").write_text(first)
    (root / "dataset.toml").write_text(DATASET)
    _write_backbone(root / "backbone.parquet")
    _write_grid(root / "grid.nc")
    return {
        "run": tiny_run, "collection": tiny_collection, "split": tiny_split, "recipe": tiny_recipe,
        "answers": root / "answers.parquet", "kept-answers": root / "kept-answers.parquet",
        "kept-z": root / "kept-z.parquet", "dataset": root / "dataset.toml",
        "backbone": root / "backbone.parquet", "grid": root / "grid.nc",
        **{name: root / name for name in ("crops", "more", "shapes", "kept", "kept-more", "label")},
    }  # fmt: skip


def _write_grid(out: Path) -> None:
    degrees = {"lat": [40.0, 41.0, 42.0], "lon": [4.0, 5.0, 6.0]}
    values = np.arange(9.0).reshape(3, 3)
    named = {"thetao": (("lat", "lon"), values, {"units": "degC"})}
    xr.Dataset(named, coords=degrees).to_netcdf(out, engine="h5netcdf")


def _write_backbone(out: Path) -> None:
    from holotype.taxonomy.backbone.build import write_rows
    from holotype.taxonomy.backbone.lineages import rows_of_lineages
    from holotype.taxonomy.lineage import Lineage

    taxa = ((CALANUS, "104464"), (("Animalia", "Ctenophora", "", "", "", "", ""), "1248"))
    rows = [
        (Lineage.from_names(dict(zip(RANKS, names, strict=True))), (("aphia_id", aphia),))
        for names, aphia in taxa
    ]
    raw, problems = rows_of_lineages(rows)
    write_rows(raw, problems, kind="lineages", out=out, sha256="", snapshot="1", name="hand")
