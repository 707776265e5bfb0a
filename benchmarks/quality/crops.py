"""Plankton crops in 25 minutes: our recipe on one core, a plain ResNet-18 on the other, at the same time.

PlanktonSet 1.0 (Cowen et al. 2015, doi:10.7289/V5D21VJD), 121 written labels, 70/10/20 split. The peer is
timm's ResNet-18 at 64 px in a plain PyTorch loop with rotation, flip and scale augmentation, cosine schedule,
as many epochs as fit in the time.

Run: python benchmarks/quality/crops.py [--minutes 25]
"""

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from machine import real_data, write_results


def main() -> None:
    """Prepares the collection, starts both contestants, and writes what they reached."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=25.0)
    parser.add_argument("--contestant", choices=["ours", "resnet"])
    parser.add_argument("--scratch", type=Path)
    asked = parser.parse_args()
    if asked.contestant:
        contest = {"ours": ours, "resnet": resnet}[asked.contestant]
        found = contest(asked.scratch, asked.minutes)
        (asked.scratch / f"{asked.contestant}.json").write_text(json.dumps(found))
        return
    import holotype

    with tempfile.TemporaryDirectory() as folder:
        scratch, data = Path(folder), real_data()
        holotype.import_(
            "image-folder",
            [data / "plankton/isiis/planktonset1.zip"],
            into=scratch / "collection",
            source="planktonset1.0",
            labels=data / "taxonomy/planktonzilla_taxonomy.csv",
        )
        holotype.split(scratch / "collection", out=scratch / "split.parquet", seed=0)
        alone = {**os.environ, "OMP_NUM_THREADS": "1"}
        command = [sys.executable, __file__, "--minutes", str(asked.minutes), "--scratch", folder]
        running = [
            subprocess.Popen([*command, "--contestant", name], env=alone)
            for name in ("ours", "resnet")
        ]
        codes = [process.wait() for process in running]
        if any(codes):
            raise SystemExit("a contestant failed")
        found = [json.loads((scratch / f"{n}.json").read_text()) for n in ("ours", "resnet")]
    write_results("crops", {"minutes": asked.minutes, "contestants": found}, page(found))


def page(found: list[dict[str, Any]]) -> list[str]:
    """Returns the figures as a Markdown table."""
    lines = [
        "# PlanktonSet 1.0, 121 written labels, test part of a 70/10/20 split",
        "",
        "Both at the same time, each on one core (one thread).",
        "",
        "| | top-1 | 95 % interval | top-5 | macro-F1 | epochs | wall | CPU |",
        "| --- | --: | --- | --: | --: | --: | --: | --: |",
    ]
    for one in found:
        span = f"{one['low']:.3f} to {one['high']:.3f}"
        lines.append(
            f"| {one['name']} | {one['top1']:.3f} | {span} | {one['top5']:.3f} | "
            f"{one['macro_f1']:.3f} | {one['epochs']} | {one['seconds']:.0f} s | "
            f"{one['cpu_seconds']:.0f} s |"
        )
    return lines


def ours(scratch: Path, minutes: float) -> dict[str, Any]:
    """Trains ``recipes/crops-supervised.toml`` and evaluates it."""
    del minutes
    import holotype

    started, cpu = time.monotonic(), sum(os.times()[:2])
    place, parted = scratch / "collection", scratch / "split.parquet"
    trained = holotype.train(
        "crops-supervised", collection=place, split=parted, out=scratch / "run"
    )
    seconds, cpu_seconds = time.monotonic() - started, sum(os.times()[:2]) - cpu
    holotype.evaluate(scratch / "run", collection=place, split=parted, out=scratch / "report")
    scores = json.loads((scratch / "report" / "report.json").read_text())["scores"]
    mine = {
        s["metric"]: s
        for s in scores
        if s["task"] == "classification"
        and s["method"] == "model"
        and s["rank"] == "label"
        and s["part"] == "all"
    }
    return {
        "name": "recipes/crops-supervised.toml",
        "top1": mine["top1_micro"]["value"],
        "low": mine["top1_micro"]["low"],
        "high": mine["top1_micro"]["high"],
        "top5": mine["top5_micro"]["value"],
        "macro_f1": mine["macro_f1"]["value"],
        "epochs": trained.epochs,
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
    }


def resnet(scratch: Path, minutes: float) -> dict[str, Any]:
    """Trains timm's ResNet-18 in a plain loop for the time given and scores it once."""
    import numpy as np
    import timm
    import torch
    from torch.nn import functional

    from holotype.collection.store import open_collection
    from holotype.evaluation.metrics import macro_f1, micro_accuracy
    from holotype.inputs.augment import Augmentation, augment_images
    from holotype.inputs.materials import prepare_collection
    from holotype.media.preparation import PixelPreparation, PreparationKind
    from holotype.splits.plan import Role, read_split

    started, cpu = time.monotonic(), sum(os.times()[:2])
    collection, parted = (
        open_collection(scratch / "collection"),
        read_split(scratch / "split.parquet"),
    )
    rows = np.arange(len(collection), dtype=np.int64)
    as_read = PixelPreparation(PreparationKind.PADDED, 64, 3)
    ready = prepare_collection(collection, pixels=as_read, rows=rows)
    written = collection.columns(["written_label"])["written_label"].to_pylist()
    known = sorted(set(written))
    label_N = torch.tensor([known.index(name) for name in written])
    pixels = torch.from_numpy(ready.pixels_MSSC).permute(0, 3, 1, 2)
    size_N4 = torch.from_numpy(ready.size_M4)
    train_rows = torch.from_numpy(parted.rows(Role.TRAIN))
    torch.manual_seed(0)
    model = timm.create_model("resnet18", pretrained=False, num_classes=len(known))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.05)
    change = Augmentation(shear=0.0, contrast=1.0, brightness=0.0, shift=0.0)
    stream = torch.Generator().manual_seed(0)

    def step(chosen: torch.Tensor, rate: float) -> None:
        for group in optimizer.param_groups:
            group["lr"] = rate
        image, _ = augment_images(pixels[chosen].float() / 255, size_N4[chosen], change, stream)
        loss = functional.cross_entropy(model((image - 0.95) / 0.15), label_N[chosen])
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()

    batches = len(train_rows) // 64
    begun = time.monotonic()
    for chosen in train_rows[torch.randperm(len(train_rows), generator=stream)][: 64 * 20].split(
        64
    ):
        step(chosen, 1e-3)
    left = minutes * 60 - (time.monotonic() - started)
    epochs = max(1, int(left / ((time.monotonic() - begun) / 20 * batches)))
    total, done = epochs * batches, 0
    for epoch in range(epochs):
        order = train_rows[torch.randperm(len(train_rows), generator=stream)]
        for chosen in order[: batches * 64].split(64):
            step(chosen, 1e-3 * 0.5 * (1 + math.cos(math.pi * done / total)))
            done += 1
        print(f"resnet-18 epoch {epoch + 1}/{epochs}", file=sys.stderr)
        if time.monotonic() - started > minutes * 60:
            break
    seconds, cpu_seconds = time.monotonic() - started, sum(os.times()[:2]) - cpu
    model.eval()
    test = torch.from_numpy(parted.rows(Role.TEST))
    with torch.inference_mode():
        logit = torch.cat(
            [model((pixels[part].float() / 255 - 0.95) / 0.15) for part in test.split(256)]
        )
    truth, order = label_N[test].numpy(), logit.argsort(dim=1, descending=True).numpy()
    found = micro_accuracy(order[:, 0] == truth, parted.group_N[test.numpy()], seed=0)
    return {
        "name": "timm ResNet-18, 64 px, plain loop",
        "top1": found.value,
        "low": found.low,
        "high": found.high,
        "top5": float((order[:, :5] == truth[:, None]).any(axis=1).mean()),
        "macro_f1": macro_f1(truth, order[:, 0]),
        "epochs": epoch + 1,
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
    }


if __name__ == "__main__":
    main()
