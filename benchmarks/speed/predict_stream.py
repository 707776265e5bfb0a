"""A long prediction: killed and resumed it equals the uninterrupted one; memory with 10 times the images.

A small model, trained here on simulated specimens, names images in a folder. The work is done in processes of
its own: one runs through, one is killed (SIGKILL) in the middle and started again, two are measured for the
most memory that they hold.

Run: python benchmarks/speed/predict_stream.py [--images 50000] [--few 20000] [--many 200000]
"""

import argparse
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "quality"))
from machine import machine_line

import holotype
from holotype.collection.store import open_collection
from holotype.identify.stream import JOURNAL, PART_ROWS

RESULTS = Path(__file__).parent / "results"
DIFFERENT = 500
SIMULATION = """
seed = 3
num_species = 24
median_specimens_per_species = 30.0
max_specimens_per_species = 40
"""
RECIPE = """
name = "tiny"
target = "tree"
[model]
embedding_dim = 32
[model.images]
side_px = 32
width = 8
depth = 1
[model.classifier]
kind = "cosine"
dropout = 0.1
[classify]
[augment]
[damage]
[schedule]
epochs = 3
batch_size = 32
"""
PREDICT = """
import resource, sys, time
import holotype
started = time.monotonic()
report = holotype.predict(sys.argv[1], [sys.argv[2]], out=sys.argv[3], embeddings=sys.argv[4])
print(report.rows, time.monotonic() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def main() -> None:
    """Runs it and writes the page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=int, default=50_000)
    parser.add_argument("--few", type=int, default=20_000)
    parser.add_argument("--many", type=int, default=200_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="predict-stream-") as scratch:
        root = Path(scratch)
        run, seed = model_and_images(root)
        content = {
            "machine": machine_line(),
            "kill": kill_and_resume(run, folder_of(root, seed, asked.images), root),
            "memory": [
                whole_run(run, folder_of(root, seed, n), root) for n in (asked.few, asked.many)
            ],
        }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "predict_stream.json").write_text(json.dumps(content, indent=2) + "\n")
    (RESULTS / "predict_stream.md").write_text(page(content))
    print(page(content))


def model_and_images(root: Path) -> tuple[Path, Path]:
    """Trains the small model; returns its folder and one with different images."""
    (root / "simulation.toml").write_text(SIMULATION)
    (root / "tiny.toml").write_text(RECIPE)
    collection, split = root / "collection", root / "split.parquet"
    holotype.import_("simulated", [root / "simulation.toml"], into=collection, source="simulated")
    holotype.split(collection, out=split, require=["image"])
    holotype.train(
        root / "tiny.toml", collection=collection, split=split, out=root / "run", accelerator="cpu"
    )
    seed = root / "seed"
    seed.mkdir()
    contents = [
        content for _, content in open_collection(collection).images() if content is not None
    ]
    for number, content in enumerate(contents[:DIFFERENT]):
        (seed / f"{number}.png").write_bytes(content)
    return root / "run", seed


def folder_of(root: Path, seed: Path, images: int) -> Path:
    """Returns a folder with so many names of the different images."""
    folder = root / f"images-{images}"
    if not folder.is_dir():
        folder.mkdir()
        files = sorted(seed.iterdir())
        for number in range(images):
            os.link(files[number % len(files)], folder / f"{number:08d}.png")
    return folder


def started(run: Path, inputs: Path, out: Path) -> subprocess.Popen[str]:
    """Starts a prediction in a process of its own."""
    words = [sys.executable, "-c", PREDICT, str(run), str(inputs), str(out), f"{out}.z.parquet"]
    with Path(f"{out}.log").open("w") as log:
        return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=log, text=True)


def whole_run(run: Path, inputs: Path, root: Path) -> dict[str, Any]:
    """Runs through; returns images, seconds and the most memory held, in MiB."""
    out = root / f"{inputs.name}.parquet"
    told = started(run, inputs, out).communicate()[0]
    if not told:
        raise SystemExit(Path(f"{out}.log").read_text())
    rows, seconds, peak_kb = told.split()
    return {"images": int(rows), "seconds": float(seconds), "peak_mib": int(peak_kb) / 1024}


def kill_and_resume(run: Path, inputs: Path, root: Path) -> dict[str, Any]:
    """Compares a run that was killed in the middle and started again with one that ran through."""
    whole = whole_run(run, inputs, root)
    out = root / "killed.parquet"
    process = started(run, inputs, out)
    journal = out.with_name(out.name + ".partial") / JOURNAL
    half = max(1, whole["images"] // PART_ROWS // 2)
    while process.poll() is None:
        if journal.is_file() and journal.read_bytes().count(b"\n") > half:
            process.send_signal(signal.SIGKILL)
        time.sleep(0.002)
    assert process.returncode == -signal.SIGKILL, "it ended before it could be killed"
    begun = time.monotonic()
    rows = int(started(run, inputs, out).communicate()[0].split()[0])
    uninterrupted = root / f"{inputs.name}.parquet"
    return {
        **whole,
        "killed_after": half * PART_ROWS,
        "resumed_s": time.monotonic() - begun,
        "rows": rows,
        "equal": [
            digest(Path(f"{uninterrupted}{ending}")) == digest(Path(f"{out}{ending}"))
            for ending in ("", ".z.parquet")
        ],
    }


def digest(path: Path) -> str:
    """Returns the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def page(content: dict[str, Any]) -> str:
    """Returns the results as a page."""
    kill, (few, many) = content["kill"], content["memory"]
    growth = many["peak_mib"] / few["peak_mib"] - 1
    answers, vectors = ("yes" if equal else "NO" for equal in kill["equal"])
    speed = kill["images"] / kill["seconds"]
    return f"""# A long prediction

A small model (32 px crops) on simulated images in one folder; answers and embeddings as Parquet.

- **Killed and resumed.** {kill["images"]:,} images, killed (SIGKILL) after {kill["killed_after"]:,} and
  started again. Equal to the uninterrupted run, byte for byte: answers {answers}, embeddings {vectors}.
  {speed:,.0f} images a second without the kill; {kill["resumed_s"]:.0f} s to do the rest.
- **Memory.** At most {few["peak_mib"]:,.0f} MiB for {few["images"]:,} images, {many["peak_mib"]:,.0f} MiB for
  {many["images"]:,}: {growth:+.1%}.

Machine: {content["machine"]}
"""


if __name__ == "__main__":
    main()
