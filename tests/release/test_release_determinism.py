"""The demo, run twice: other processes, other folders, another order of hashes, and the same bytes."""

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SMALL_DEMO = """
from holotype import demonstration

demonstration.SIMULATION = (
    "seed = 1\\nnum_species = 24\\nmedian_specimens_per_species = 10.0\\nabundance_sigma = 0.3\\n"
    "max_specimens_per_species = 14\\nunnamed_species_fraction = 0.2\\n"
)
demonstration.NEW_SPECIMENS = 6
demonstration.demo(
    out="demo", overrides=("schedule.epochs=2", "model.embedding_dim=32", "model.images.width=8")
)
"""
FIGURES = "tensorboard"
"""Its folder holds the times of its events."""


def run(folder: Path, *, hash_seed: str) -> Path:
    folder.mkdir(parents=True)
    done = subprocess.run(
        [sys.executable, "-c", SMALL_DEMO],
        cwd=folder,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder / "demo"


def written(folder: Path) -> dict[str, bytes]:
    """Returns the files of a demo by their places, without those of TensorBoard."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and FIGURES not in path.parts
    }


@pytest.mark.slow
def test_two_demos_write_the_same_bytes(tmp_path):
    first = written(run(tmp_path / "one", hash_seed="1"))
    second = written(run(tmp_path / "two" / "deeper", hash_seed="4711"))
    assert list(first) == list(second)
    differ = {name for name in first if first[name] != second[name]}
    assert differ <= {name for name in first if Path(name).name in UNTIMED}
    for made in (
        "collection/collection.json", "split.parquet", "run/model.safetensors", "run/bundle.json",
        "run/decisions/decisions.json", "run-without-dna/model.safetensors", "report/report.json",
        "report/index.html", "predictions.csv", "new-specimens.zip",
    ):  # fmt: skip
        assert made in first
    for name in differ:
        untimed = UNTIMED[Path(name).name]
        assert untimed(first[name]) == untimed(second[name]), name


def untimed_rows(content: bytes) -> list[dict[str, str]]:
    """Returns the rows of a run's figures without the two columns of seconds."""
    rows = list(csv.DictReader(content.decode().splitlines()))
    assert {"seconds", "data_wait"} <= set(rows[0])
    return [{k: v for k, v in row.items() if k not in ("seconds", "data_wait")} for row in rows]


def untimed_sidecar(content: bytes) -> dict[str, Any]:
    """Returns what lies beside a prediction without when it was made, and when its inputs were."""
    told = json.loads(content)
    assert set(told.pop("times")) == {"started", "ended"}
    for one in told["inputs"]:
        one.pop("modified")
    return told


UNTIMED: dict[str, Callable[[bytes], Any]] = {
    "metrics.csv": untimed_rows,
    "predictions.csv.run.json": untimed_sidecar,
}
"""The files that say when something was done or how long it took, and what is left without."""
