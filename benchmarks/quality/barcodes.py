"""Barcode retrieval on seen and unseen species: the trained tower beside k-mers and identity.

Run: python benchmarks/quality/barcodes.py [--splits 0 1 2]
"""

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from machine import real_data, write_results

import holotype
from holotype.collection.store import open_collection
from holotype.evaluation.evaluate import examine
from holotype.models.bundle import open_bundle
from holotype.splits.plan import read_split

COLLECTIONS = {
    "lepidoptera": ("dna/lepidoptera/sequences.tsv", ["barcode"]),
    "copepods": ("dna/copepods/sequences.tsv", ["marker=COI-5P"]),
}
METHODS = ("model", "nearest barcode by 5-mers", "nearest barcode by identity")


def main() -> None:
    """Trains and evaluates on each collection and split."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--splits", type=int, nargs="+", default=[0, 1, 2])
    asked = parser.parse_args()
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as scratch:
        for name, (table, require) in COLLECTIONS.items():
            place = Path(scratch) / name
            holotype.import_("table", [real_data() / table], into=place, preset="barcodes")
            for seed in asked.splits:
                rows += one_run(name, place, require, seed)
    write_results("barcodes", {"rows": rows}, page(rows, asked.splits))


def one_run(name: str, place: Path, require: list[str], seed: int) -> list[dict[str, Any]]:
    """Returns the species figures of one split, for the model and its peers."""
    parted, run = place.parent / f"{name}-{seed}.parquet", place.parent / f"{name}-{seed}"
    holotype.split(place, out=parted, method="seen-unseen", seed=seed, require=require)
    started, cpu = time.monotonic(), sum(os.times()[:2])
    holotype.train("barcodes", collection=place, split=parted, out=run)
    seconds, cpu_seconds = time.monotonic() - started, sum(os.times()[:2]) - cpu
    content = examine(open_bundle(run), open_collection(place), read_split(parted), seed=0)
    return [
        {
            "collection": name,
            "split": seed,
            "train_s": round(seconds, 1),
            "train_cpu_s": round(cpu_seconds, 1),
            **{key: score[key] for key in ("method", "part", "metric", "value", "low", "high")},
            "n": score["n"],
            "left_out": score["left_out"],
        }
        for score in content["scores"]
        if score["task"] == "retrieval"
        and score["rank"] == "species"
        and score["part"] in {"seen", "unseen"}
        and score["metric"] in {"top1_micro", "top1_macro"}
        and score["method"] in METHODS
    ]


def page(rows: list[dict[str, Any]], splits: list[int]) -> list[str]:
    """Returns the figures as a Markdown table."""
    lines = [
        "# Barcode to barcode retrieval, species top-1 (micro / macro, per cent)",
        "",
        "`recipes/barcodes.toml`, trained from nothing on each split; keys and queries share no haplotype.",
        "",
        "| collection | split | method | seen | unseen | queries | training |",
        "| --- | --: | --- | --- | --- | --- | --: |",
    ]
    for name in COLLECTIONS:
        for split in splits:
            for method in METHODS:
                found = [
                    row
                    for row in rows
                    if (row["collection"], row["split"], row["method"]) == (name, split, method)
                ]
                cell = {(row["part"], row["metric"]): row for row in found}
                shown = [
                    " / ".join(
                        f"{100 * cell[part, f'top1_{kind}']['value']:.1f}"
                        for kind in ("micro", "macro")
                    )
                    for part in ("seen", "unseen")
                ]
                counts = " + ".join(str(cell[p, "top1_micro"]["n"]) for p in ("seen", "unseen"))
                took = f"{found[0]['train_s']:.0f} s" if method == "model" else ""
                lines.append(
                    f"| {name} | {split} | {method} | {shown[0]} | {shown[1]} | {counts} | {took} |"
                )
    return lines


if __name__ == "__main__":
    main()
