"""How long users wait for a first word: ``holotype --help``, and a first answer of the starter for one image.

Run: python benchmarks/speed/start.py [--repeats 5]
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1] / "quality"))
from machine import machine_line

RESULTS = Path(__file__).parent / "results"
HOLOTYPE = [str(Path(sys.executable).with_name("holotype"))]


def main() -> None:
    """Times both and writes the page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    with tempfile.TemporaryDirectory() as scratch:
        image, out = Path(scratch) / "crop.png", Path(scratch) / "answers.csv"
        pixels = np.random.default_rng(0).integers(0, 256, (60, 80), dtype=np.uint8)
        Image.fromarray(pixels).save(image)
        seconds = {
            "holotype --help": [took("--help") for _ in range(repeats + 1)][1:],
            "first answer of the starter": [
                took("predict", str(image), "--out", str(out), "--restart")
                for _ in range(repeats + 1)
            ][1:],
        }
    content = {"machine": machine_line(), "seconds": seconds}
    lines = ["# Until the first word", "", f"Median of {repeats} runs after one that warms up.", ""]
    lines += ["| | median, s | least, most |", "| --- | --: | --- |"]
    lines += [
        f"| {name} | {statistics.median(found):.2f} | {min(found):.2f}, {max(found):.2f} |"
        for name, found in seconds.items()
    ]
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "start.json").write_text(json.dumps(content, indent=2) + "\n")
    page = "\n".join([*lines, "", f"Machine: {content['machine']}", ""])
    (RESULTS / "start.md").write_text(page)
    print(page)


def took(*words: str) -> float:
    """Returns the seconds of a command, from its start to its end."""
    started = time.perf_counter()
    subprocess.run([*HOLOTYPE, *words], check=True, capture_output=True)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
