"""Cost curves: what the main commands take at three sizes each, and how it grows.

Each command runs in a process of its own on PNG crops (PlanktonSet 1.0 where the real data is there, else the
simulated collection; each turned and given its own noise). Memory is the largest sum of the proportional set
sizes of the process and its children, sampled. The exponent is the slope of log seconds over log size between
the last two sizes: 1 is linear. Searches in an index and among barcodes have curves of their own pages.

Run: python benchmarks/speed/growth.py [--shrink 1]
"""

import argparse
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "quality"))
from intake import Memory, make_crops
from machine import machine_line

RESULTS = Path(__file__).parent / "results"
HOLOTYPE = (sys.executable, "-m", "holotype")
Words = Callable[[Path, int], Sequence[str]]
"""Folder of all, a size -> the words of the command."""


@dataclass(frozen=True)
class Curve:
    """A command at three sizes.

    Attributes:
        what: it does, in words.
        words: of it; ``crops-SIZE`` lies in the folder, and the collections of those before.
        sizes: rising.
    """

    what: str
    words: Words
    sizes: tuple[int, int, int]


def importing(root: Path, size: int) -> Sequence[str]:
    """Returns the words that import crops."""
    return ("import", "image-folder", str(crops(root, size)), "--into", str(collection(root, size)))


def naming(root: Path, size: int) -> Sequence[str]:
    """Returns the words that name crops by the starter."""
    return ("predict", "starter", str(crops(root, size)), "--out", str(root / f"{size}.parquet"))


def indexing(root: Path, size: int) -> Sequence[str]:
    """Returns the words that make an index of a collection."""
    of = ("--collection", str(collection(root, size)))
    return ("index", "build", "starter", *of, "--out", str(root / f"index-{size}"))


def teaching(root: Path, size: int) -> Sequence[str]:
    """Returns the words that teach a head."""
    out = str(root / f"taught-{size}")
    return ("adapt", "starter", str(crops(root, size)), "--method", "probe", "--out", out)


def checking(root: Path, size: int) -> Sequence[str]:
    """Returns the words that look for duplicates and contradictions."""
    return ("check", str(collection(root, size)))


CURVES = (
    Curve("import crops", importing, (5_000, 20_000, 80_000)),
    Curve("check a collection", checking, (5_000, 20_000, 80_000)),
    Curve("name crops by the starter", naming, (1_250, 5_000, 20_000)),
    Curve("index a collection", indexing, (1_250, 5_000, 20_000)),
    Curve("teach the starter a head", teaching, (1_250, 5_000, 20_000)),
)


def crops(root: Path, size: int) -> Path:
    """Returns the folder of so many crops of all classes, linked where it is not there."""
    place = root / f"crops-{size}"
    if not place.is_dir():
        every = sorted((root / "crops").rglob("*.png"), key=lambda path: path.name)
        for path in every[:: len(every) // size][:size]:
            link = place / path.parent.name / path.name
            link.parent.mkdir(parents=True, exist_ok=True)
            link.hardlink_to(path)
    return place


def collection(root: Path, size: int) -> Path:
    """Returns where the collection of so many crops is."""
    return root / f"collection-{size}"


def main() -> None:
    """Runs every curve and writes the page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--shrink", type=int, default=1, help="divide every size: a quick look")
    asked = parser.parse_args()
    busy = os.getloadavg()[1]
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        make_crops(root / "crops", max(max(curve.sizes) for curve in CURVES) // asked.shrink)
        content = {
            "machine": machine_line(),
            "load_before": busy,
            "curves": [measured(curve, root, asked.shrink) for curve in CURVES],
        }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "growth.json").write_text(json.dumps(content, indent=2) + "\n")
    (RESULTS / "growth.md").write_text(page(content))
    print(page(content))


def measured(curve: Curve, root: Path, shrink: int) -> dict[str, Any]:
    """Returns seconds and memory of a command at its sizes."""
    points = []
    for asked_size in curve.sizes:
        size = asked_size // shrink
        crops(root, size)
        if curve.words in (indexing, checking) and not collection(root, size).is_dir():
            subprocess.run([*HOLOTYPE, *importing(root, size)], check=True, capture_output=True)
        if curve.words is importing:
            shutil.rmtree(collection(root, size), ignore_errors=True)
        points.append({"size": size, **run(curve.words(root, size))})
        print(curve.what, points[-1], file=sys.stderr)
    return {"what": curve.what, "points": points, "exponent": exponent(points)}


def run(words: Sequence[str]) -> dict[str, float]:
    """Runs a command; returns its seconds and the most memory it held."""
    started = time.perf_counter()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen([*HOLOTYPE, *words], stdout=said, stderr=said)
        memory = Memory(process.pid)
        if process.wait():
            said.seek(0)
            raise SystemExit(said.read().decode())
    return {"seconds": time.perf_counter() - started, "peak_mib": memory.stop()}


def exponent(points: Sequence[dict[str, float]]) -> float:
    """Returns the slope of log seconds over log size between the last two sizes.

    >>> exponent([{"size": 1, "seconds": 9}, {"size": 10, "seconds": 10}, {"size": 100, "seconds": 100}])
    1.0
    """
    before, last = points[-2:]
    return math.log(last["seconds"] / before["seconds"]) / math.log(last["size"] / before["size"])


def page(content: dict[str, Any]) -> str:
    """Returns the page of the results."""
    lines = [
        "# Cost curves",
        "",
        "Seconds and the most memory of a whole command, with its start, at three sizes. The exponent is the",
        f"slope between the last two: 1 is linear. Load before: {content['load_before']:.1f}.",
        "",
        "| command | size | seconds | a second | memory, MiB | exponent |",
        "| --- | --: | --: | --: | --: | --: |",
    ]
    for curve in content["curves"]:
        for place, point in enumerate(curve["points"]):
            cells = (
                "" if place else curve["what"], f"{point['size']:,}", f"{point['seconds']:.1f}",
                f"{point['size'] / point['seconds']:,.0f}", f"{point['peak_mib']:,.0f}",
                f"{curve['exponent']:.2f}" if place == len(curve["points"]) - 1 else "",
            )  # fmt: skip
            lines.append(f"| {' | '.join(cells)} |")
    lines += [
        "",
        "Below 1 the start counts. Searches: [vectors](index.md), [barcodes](barcode-search.md#growth).",
        "",
        f"Machine: {content['machine']}",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
