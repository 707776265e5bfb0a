"""Records a second in training: our loop against open_clip's own, on the same model, batch and machine.

Both train the same ViT and text tower of open_clip with CLIP's loss on records decoded in memory, each
with the AdamW that it comes with (ours is fused). Epochs come in turn, so that what else runs falls
on both. open_clip gets its tokens ready made; ours writes and tokenises its captions anew in every step. On a
GPU a larger model follows in bf16.

Run: python benchmarks/speed/training.py [--epochs 6]
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset
from torch.utils.flop_counter import FlopCounterMode

sys.path.insert(0, str(Path(__file__).parents[1] / "quality"))
from machine import machine_line

from holotype.inputs.materials import Materials
from holotype.models.aligned import AlignedModel
from holotype.models.labels import build_label_space, label_names
from holotype.taxonomy.label_table import Concept
from holotype.taxonomy.lineage import Lineage
from holotype.training.devices import fabric_of
from holotype.training.lesson import Lesson
from holotype.training.loop import fit
from holotype.training.recipe import Recipe, read_recipe
from holotype.training.teaching import teaching_of

RESULTS = Path(__file__).parent / "results"
MEAN, STD = (0.481, 0.458, 0.408), (0.269, 0.261, 0.276)


@dataclass(frozen=True)
class Size:
    """How large the contest is."""

    device: str
    precision: str
    theirs: str
    side_px: int
    patch_px: int
    width: int
    layers: int
    text_width: int
    text_layers: int
    context: int
    batch_size: int
    records: int


CPU = Size("cpu", "32-true", "fp32", 64, 8, 128, 4, 128, 3, 24, 48, 192)
GPU = Size("cuda", "bf16-mixed", "amp_bf16", 224, 16, 768, 12, 512, 12, 32, 512, 8192)


def main() -> None:
    """Runs the contest and writes the page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=6)
    asked = parser.parse_args()
    sizes = [CPU, *([GPU] if torch.cuda.is_available() else [])]
    content = {"machine": machine_line(), "runs": [contest(size, asked.epochs) for size in sizes]}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "training.json").write_text(json.dumps(content, indent=2) + "\n")
    (RESULTS / "training.md").write_text(page(content))
    print(page(content))


def contest(size: Size, epochs: int) -> dict[str, Any]:
    """Returns the figures of one size: an epoch of each, in turn."""
    import open_clip

    if size.device == "cpu":
        # One thread each: several would wait for one another wherever the machine has other work.
        torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        described = model_config(size)
        (folder / "bench-vit.json").write_text(json.dumps(described))
        open_clip.add_model_config(folder / "bench-vit.json")
        materials = records(size)
        recipe = recipe_of(size, folder, epochs + 1)
        their_epoch, their_model = open_clip_epochs(size, materials, epochs + 1)
        lesson, model = our_lesson(recipe, materials)
        flops = flops_of_step(their_model, size)
        took: dict[str, list[float]] = {"holotype": [], "open_clip": [], "peak": []}
        theirs = iter(range(epochs + 1))

        def alternate(*_: object) -> dict[str, float]:
            started = time.perf_counter()
            seconds = their_epoch(next(theirs))
            took["open_clip"].append(seconds)
            took["peak"].append(matmul_flops(size))
            alternate.spent = time.perf_counter() - started
            took["holotype"].append(alternate.spent)  # taken off below
            return {"score": 0.0}

        fabric = fabric_of(size.device, 1, precision=size.precision)
        _, history = fit(fabric, model, lesson, folder / "run", alternate)
        ours = [
            row["seconds"] - spent for row, spent in zip(history, took["holotype"], strict=True)
        ]
    rate = {
        "holotype": [size.records / seconds for seconds in ours[1:]],  # the first epoch warms up
        "open_clip": [size.records / seconds for seconds in took["open_clip"][1:]],
    }
    median = {name: statistics.median(values) for name, values in rate.items()}
    ratios = [a / b for a, b in zip(rate["holotype"], rate["open_clip"], strict=True)]
    peak = statistics.median(took["peak"])
    per_record = flops / size.batch_size
    return {
        "size": vars(size),
        "threads": torch.get_num_threads(),
        "records_per_s": rate,
        "median_records_per_s": median,
        "ratio_of_medians": median["holotype"] / median["open_clip"],
        "ratios": ratios,
        "data_wait": [row["data_wait"] for row in history[1:]],
        "gflop_per_record": per_record / 1e9,
        "matmul_peak_gflops": peak / 1e9,
        "share_of_peak": {name: value * per_record / peak for name, value in median.items()},
    }


def model_config(size: Size) -> dict[str, Any]:
    """Returns the model in open_clip's own words."""
    return {
        "embed_dim": size.width,
        "vision_cfg": {
            "image_size": size.side_px, "layers": size.layers, "width": size.width,
            "patch_size": size.patch_px, "head_width": 64,
        },
        "text_cfg": {
            "context_length": size.context, "vocab_size": 49408, "width": size.text_width,
            "heads": size.text_width // 64, "layers": size.text_layers,
        },
    }  # fmt: skip


def records(size: Size) -> Materials:
    """Returns random images, each of a species of its own."""
    rng = np.random.default_rng(0)
    count = size.records
    names = [
        {"class": "Copepoda", "genus": f"Genus{i // 8}", "species": f"Genus{i // 8} epithet{i}"}
        for i in range(count)
    ]
    none = np.full(count, -1, dtype=np.int64)
    shape = (count, size.side_px, size.side_px, 3)
    return Materials(
        record_id=tuple(map(str, range(count))),
        concept_N=tuple(Concept(Lineage.from_names(name)) for name in names),
        pixels_MSSC=rng.integers(0, 256, shape, dtype=np.uint8),
        size_M4=np.full((count, 4), float(size.side_px), dtype=np.float32),
        image_N=np.arange(count, dtype=np.int64),
        barcode_N=(None,) * count,
        haplotype_N=none,
        marker_N=none,
    )


def recipe_of(size: Size, folder: Path, epochs: int) -> Recipe:
    """Returns CLIP as a recipe."""
    path = folder / "clip.toml"
    path.write_text(
        f"""name = "clip"
precision = "{size.precision}"
[model]
embedding_dim = {size.width}
[model.images]
tower = "open_clip"
architecture = "bench-vit"
side_px = {size.side_px}
channels = 3
preparation = "squashed"
mean = {list(MEAN)}
std = {list(STD)}
[model.captions]
tower = "open_clip"
architecture = "bench-vit"
[align]
targets = "identity"
truncate_probability = 0.0
pairs = [["image", "caption"]]
[schedule]
epochs = {epochs}
batch_size = {size.batch_size}
peak_lr = 5e-4
weight_decay = 0.2
"""
    )
    return read_recipe(path)


def our_lesson(recipe: Recipe, materials: Materials) -> tuple[Lesson, AlignedModel]:
    """Returns what our loop learns from."""
    names = label_names(recipe.target, [None] * len(materials), materials.concept_N)
    labels = build_label_space(recipe.target, names, materials.concept_N)
    rows = np.arange(len(materials), dtype=np.int64)
    lesson = Lesson(recipe, materials, teaching_of(materials, labels, names), rows, "speed")
    torch.manual_seed(0)
    return lesson, AlignedModel(recipe.model, num_labels=len(labels))


class Decoded(Dataset[tuple[torch.Tensor, torch.Tensor]]):
    """Images in memory, normalised one by one as open_clip's transforms do; tokens ready made."""

    def __init__(self, materials: Materials, context: int) -> None:
        from open_clip.tokenizer import SimpleTokenizer

        self.pixels = torch.from_numpy(np.asarray(materials.pixels_MSSC))
        written = [concept.lineage.text() for concept in materials.concept_N if concept is not None]
        self.tokens = SimpleTokenizer(context_length=context)(written)
        self.mean, self.std = (torch.tensor(part).reshape(3, 1, 1) for part in (MEAN, STD))

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, at: int) -> tuple[torch.Tensor, torch.Tensor]:
        image = self.pixels[at].permute(2, 0, 1).float() / 255
        return (image - self.mean) / self.std, self.tokens[at]


def open_clip_epochs(size: Size, materials: Materials, epochs: int) -> tuple[Any, torch.nn.Module]:
    """Returns what runs an epoch of open_clip's loop and says its seconds, and its model."""
    import open_clip
    from open_clip_train.data import DataInfo
    from open_clip_train.scheduler import cosine_lr
    from open_clip_train.train import train_one_epoch

    torch.manual_seed(0)
    model = open_clip.create_model("bench-vit", device=size.device, output_dict=True)
    named = list(model.named_parameters())
    plain = [p for n, p in named if p.ndim < 2 or "bn" in n or "ln" in n or "bias" in n]
    others = [p for _, p in named if not any(p is q for q in plain)]
    groups = [{"params": plain, "weight_decay": 0.0}, {"params": others, "weight_decay": 0.2}]
    optimizer = torch.optim.AdamW(groups, lr=5e-4, betas=(0.9, 0.98), eps=1e-6)
    loader = DataLoader(
        Decoded(materials, size.context), batch_size=size.batch_size, shuffle=True, drop_last=True,
        num_workers=1 if size.device == "cpu" else 8, persistent_workers=True,
        pin_memory=size.device != "cpu",
    )  # fmt: skip
    loader.num_batches, loader.num_samples = len(loader), len(materials)
    args = Namespace(
        device=size.device, precision=size.theirs, accum_freq=1, skip_scheduler=False, distill=False,
        grad_clip_norm=None, horovod=False, world_size=1, rank=0, local_rank=0, wandb=False,
        log_every_n_steps=100, batch_size=size.batch_size, log_local=False,
    )  # fmt: skip
    scheduler = cosine_lr(optimizer, 5e-4, 2, len(loader) * epochs)
    loss = open_clip.ClipLoss(cache_labels=True)
    fed = {"train": DataInfo(loader)}

    def epoch(number: int) -> float:
        started = time.perf_counter()
        train_one_epoch(model, fed, loss, number, optimizer, None, scheduler, None, args)
        if size.device == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - started

    return epoch, model


def flops_of_step(model: torch.nn.Module, size: Size) -> int:
    """Returns the floating point operations of the matrix products of a step, there and back."""
    images = torch.zeros(size.batch_size, 3, size.side_px, size.side_px, device=size.device)
    tokens = torch.ones(size.batch_size, size.context, dtype=torch.int64, device=size.device)
    with FlopCounterMode(display=False) as counted:
        found = model(images, tokens)
        (found["image_features"] @ found["text_features"].T).sum().backward()
    model.zero_grad()
    return int(counted.get_total_flops())


def matmul_flops(size: Size) -> float:
    """Returns the operations a second of a large matrix product in the precision of the contest."""
    side = 1024 if size.device == "cpu" else 8192
    kind = torch.float32 if size.precision == "32-true" else torch.bfloat16
    a, b = (torch.randn(side, side, device=size.device, dtype=kind) for _ in range(2))
    times = []
    for _ in range(5):
        started = time.perf_counter()
        a @ b
        if size.device == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - started)
    return 2 * side**3 / min(times)


def page(content: dict[str, Any]) -> str:
    """Returns the page of the results."""
    lines = [
        "# Training speed",
        "",
        "Medians over epochs in turn; the same ViT and text tower of open_clip, CLIP's loss, the same batch.",
        "",
        (
            "| device, precision | batch | Holotype, records/s | open_clip, records/s "
            "| ratio (least, most) | share of matrix peak, ours / theirs | data wait |"
        ),
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for run in content["runs"]:
        size, median, share = run["size"], run["median_records_per_s"], run["share_of_peak"]
        low, high = min(run["ratios"]), max(run["ratios"])
        lines.append(
            f"| {size['device']}, {size['precision']} | {size['batch_size']} | "
            f"{median['holotype']:.1f} | {median['open_clip']:.1f} | "
            f"{run['ratio_of_medians']:.2f} ({low:.2f}, {high:.2f}) | "
            f"{share['holotype']:.0%} / {share['open_clip']:.0%} | "
            f"{statistics.median(run['data_wait']):.1%} |"
        )
    if all(run["size"]["device"] == "cpu" for run in content["runs"]):
        lines += ["", "No GPU was there: bf16 is not measured."]
    return "\n".join([*lines, "", f"Machine: {content['machine']}"]) + "\n"


if __name__ == "__main__":
    main()
