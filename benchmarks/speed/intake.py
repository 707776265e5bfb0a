"""Intake of image crops: every file decoded, hashed, measured and written, beside two peers on the same.

Run: python benchmarks/speed/intake.py [--crops 200000] [--keep FOLDER] [--ray]

Work: class folders of PNG crops (PlanktonSet 1.0 where the real data is there, else the simulated
collection; each turned and given its own noise, so that no two are equal). Every part has its own process:
- holotype: decode, SHA-256, perceptual hash, grey levels, object size, flags, Parquet with the ledger;
- a plain Pillow loop that does the same work for each file (ImageHash for the perceptual hash);
- Hugging Face ``datasets``: imagefolder to Parquet, which decodes and checks nothing.
Memory is the largest sum of the proportional set sizes of a process and its children, sampled.
"""

import argparse
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[1] / "quality"))

PARTS = ("holotype", "pillow", "huggingface")


def main() -> None:
    """Makes the crops, runs every part, writes the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--crops", type=int, default=200_000)
    parser.add_argument("--parts", nargs="+", default=list(PARTS))
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--ray", action="store_true", help="also on a Ray cluster of two workers")
    parser.add_argument("--keep", type=Path, help="folder of the crops, kept between runs")
    parser.add_argument("--part", help=argparse.SUPPRESS)
    parser.add_argument("--place", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.part:
        print(json.dumps(RUN[asked.part](asked.place, asked.out)))
        return
    with tempfile.TemporaryDirectory() as scratch:
        place = (asked.keep or Path(scratch)) / f"crops-{asked.crops}"
        make_crops(place, asked.crops)
        parts = [*asked.parts, *(["ray"] if asked.ray else [])]
        rows = [
            run_part(part, place, Path(scratch) / f"out-{part}", asked.crops)
            for _ in range(asked.repeats)
            for part in parts
        ]
    report(rows, asked.crops)


def run_part(part: str, place: Path, out: Path, crops: int) -> dict[str, Any]:
    """Runs one part in a process of its own and returns its figures."""
    shutil.rmtree(out, ignore_errors=True)
    command = [sys.executable, __file__, "--part", part, "--place", str(place), "--out", str(out)]
    environment = {**os.environ, "HF_DATASETS_CACHE": str(out) + "-cache", "HF_HUB_OFFLINE": "1"}
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True)
    memory = Memory(process.pid)
    answer, _ = process.communicate()
    seconds = time.perf_counter() - start
    if process.returncode:
        raise SystemExit(f"{part} failed")
    shutil.rmtree(str(out) + "-cache", ignore_errors=True)
    found = json.loads(answer.splitlines()[-1])
    if found["records"] != crops:
        raise SystemExit(f"{part} wrote {found['records']} of {crops} records")
    row = {"part": part, "crops": crops, "seconds": round(seconds, 1), "peak_mib": memory.stop()}
    print(row | found, file=sys.stderr)
    return row | found | {"crops_per_s": round(crops / seconds)}


class Memory(threading.Thread):
    """Samples the memory of a process and its children: the peak of the sum of their PSS, in MiB."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid, self._peak_kib, self._going = pid, 0, True
        self.start()

    def run(self) -> None:
        """Samples five times a second."""
        while self._going:
            self._peak_kib = max(self._peak_kib, sum(map(pss_kib, family(self._pid))))
            time.sleep(0.2)

    def stop(self) -> int:
        """Returns the peak."""
        self._going = False
        return self._peak_kib // 1024


def family(pid: int) -> list[int]:
    """Returns a process and all below it."""
    found = [pid]
    for parent in found:
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                found += [int(child) for child in task.read_text().split()]
            except OSError:
                continue
    return found


def pss_kib(pid: int) -> int:
    """Returns the proportional set size of a process."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in text.splitlines() if line[:4] == "Pss:"), 0)


def make_crops(place: Path, crops: int) -> None:
    """Writes so many PNG crops in class folders, unless they are there."""
    import cv2
    import numpy as np

    done = place / "done"
    if done.is_file():
        return
    originals = list(original_crops())
    rng = np.random.default_rng(0)
    for number in range(crops):
        label, pixels = originals[number % len(originals)]
        turned = np.rot90(pixels, number // len(originals) % 4)
        noise = rng.integers(-3, 4, turned.shape[:2])
        noisy = np.clip(turned.astype(np.int16) + noise[..., None], 0, 255).astype(np.uint8)
        folder = place / label
        folder.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / f"{number:07d}.png"), noisy)
    done.write_text(str(crops))
    done.rename(place.with_suffix(".done"))


def original_crops() -> Any:
    """Yields (label, pixels) of real crops, or of simulated ones without the real data."""
    from holotype.collection.sources import sources
    from holotype.collection.sources.item import SourceOptions
    from holotype.media.images import read_pixels
    from holotype.media.locations import read_location

    try:
        from machine import real_data

        path, kind = real_data() / "plankton/isiis/planktonset1.zip", "image-folder"
    except SystemExit:
        path, kind = Path(tempfile.mkdtemp()) / "settings.toml", "simulated"
        path.write_text("")
    for number, item in enumerate(sources()[kind].read(path, SourceOptions())):
        content = item.content or (read_location(item.image) if item.image else None)
        if content is not None and number % 3 == 0:
            label = item.fields.get("written_label") or item.fields.get("genus", "unnamed")
            yield label, read_pixels(content)


def with_holotype(place: Path, out: Path, engine: str = "local") -> dict[str, Any]:
    """Imports the crops."""
    import holotype

    report = holotype.import_("image-folder", [place], into=out / "c", source="c", engine=engine)
    from holotype.collection.store import open_collection

    opened = open_collection(out / "c")
    return {"records": report.records, "fingerprint": opened.fingerprint}


def with_pillow(place: Path, out: Path) -> dict[str, Any]:
    """Does for each file, one after the other, what intake does: open, hash, measure, collect, write."""
    import imagehash
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq
    from PIL import Image

    out.mkdir(parents=True)
    rows: list[dict[str, Any]] = []
    written = 0

    def flush() -> None:
        nonlocal rows, written
        table = pa.Table.from_pylist(rows)
        pq.write_table(table, out / f"{written:07d}.parquet", row_group_size=256)
        written += len(rows)
        rows = []

    for path in sorted(place.rglob("*.png")):
        content = path.read_bytes()
        with Image.open(path) as image:
            image.load()
            grey = np.asarray(image.convert("L"))
            border = np.concatenate((grey[0], grey[-1], grey[:, 0], grey[:, -1]))
            away = np.abs(grey.astype(np.int16) - int(np.median(border)))
            found = away > max(6, away.mean() + away.std())
            area = int(found.sum())
            sides = (found[0], found[-1], found[:, 0], found[:, -1])
            rows.append(
                {
                    "record_id": path.name,
                    "label": path.parent.name,
                    "image": {"bytes": content, "path": path.name},
                    "sha256": hashlib.sha256(content).hexdigest(),
                    "phash": str(imagehash.phash(image)),
                    "width": image.width,
                    "height": image.height,
                    "grey_mean": float(grey.mean()),
                    "grey_sd": float(grey.std()),
                    "esd": 2 * (area / np.pi) ** 0.5,
                    "contact": max(int(side.sum()) for side in sides),
                    "bar": longest_run(away > 60),
                }
            )
        if len(rows) == 8192:
            flush()
    flush()
    return {"records": written}


def longest_run(strong: Any) -> int:
    """Returns the longest horizontal run of a mask: how a burnt-in scale bar is looked for."""
    import numpy as np

    padded = np.pad(strong.astype(np.int8), ((0, 0), (1, 1)))
    edges = np.flatnonzero(np.diff(padded.ravel()))
    return int(np.diff(edges)[::2].max(initial=0))


def with_huggingface(place: Path, out: Path) -> dict[str, Any]:
    """Imagefolder to one Parquet file, image bytes inside."""
    from datasets import load_dataset

    out.mkdir(parents=True)
    found = {"train": [f"{place}/**/*.png"]}
    loaded = load_dataset("imagefolder", data_files=found, drop_labels=False, split="train")
    loaded.to_parquet(str(out / "all.parquet"))
    return {"records": len(loaded)}


RUN: dict[str, Any] = {
    "holotype": with_holotype,
    "pillow": with_pillow,
    "huggingface": with_huggingface,
    "ray": lambda place, out: with_holotype(place, out, "ray"),
}


def report(rows: list[dict[str, Any]], crops: int) -> None:
    """Writes medians and ratios."""
    from machine import machine_line

    parts = list(dict.fromkeys(row["part"] for row in rows))
    rate = {
        part: statistics.median(row["crops_per_s"] for row in rows if row["part"] == part)
        for part in parts
    }
    lines = [
        f"# Intake of {crops:,} crops",
        "",
        "| part | crops/s (median) | peak memory (MiB) | holotype is faster by |",
        "| --- | --- | --- | --- |",
    ]
    for part in parts:
        peak = max(row["peak_mib"] for row in rows if row["part"] == part)
        ratio = rate.get("holotype", 0) / rate[part]
        lines.append(f"| {part} | {rate[part]:,.0f} | {peak:,} | {ratio:.2f} |")
    prints = {row["fingerprint"] for row in rows if "fingerprint" in row}
    lines += ["", f"Fingerprints of the collections: {', '.join(sorted(prints))}"]
    results = Path(__file__).parent / "results"
    results.mkdir(exist_ok=True)
    page = "\n".join([*lines, "", f"Machine: {machine_line()}"]) + "\n"
    (results / "intake.json").write_text(json.dumps({"rows": rows}, indent=2) + "\n")
    (results / "intake.md").write_text(page)
    print(page)


if __name__ == "__main__":
    main()
