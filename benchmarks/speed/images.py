"""Images a second, from files to rows: ours against what people would use instead, on the same weights.

- ViT-B/16 at 224 px against pybioclip's own classifier (``CustomLabelsClassifier``, its default of ten images
  at a time). BioCLIP's weights cannot be fetched here, so both have those of a ViT-B that was trained for a
  moment, and the classifier has our head in the place of its texts: both compute the same probabilities.
- ViT-S/16 at 96 px, trained here for some epochs on plankton crops, against timm's model in a plain loop: one
  image at a time, and 16 at a time.

Ours is ``holotype predict`` on the model that ``holotype export --form openvino`` made; what it costs to
start (a run of one image) is taken off and told by itself, as the peers' models are open already. All read
the same files, in turn, with the same number of threads; their best labels are compared.

Needs: pip install pybioclip. Run: python benchmarks/speed/images.py [--repeats 3] [--only small]
"""

import argparse
import csv
import json
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.utils.flop_counter import FlopCounterMode

sys.path.insert(0, str(Path(__file__).parents[1] / "quality"))
from machine import machine_line, real_data

import holotype
from holotype.adapting.exporting import ModelExportReport
from holotype.collection.store import open_collection
from holotype.identify.read_answers import read_answers
from holotype.models.aligned import AlignedModel
from holotype.models.bundle import Bundle, open_bundle, write_bundle
from holotype.models.labels import Label, LabelSpace, Target
from holotype.models.model_settings import ModelSettings
from holotype.taxonomy.label_table import Concept
from holotype.taxonomy.lineage import Lineage

RESULTS = Path(__file__).parent / "results"
SPECIES = (
    "Calanus finmarchicus", "Oithona similis", "Temora longicornis", "Acartia tonsa", "Evadne nordmanni",
    "Oikopleura dioica", "Sagitta elegans", "Aurelia aurita", "Noctiluca scintillans", "Ceratium furca",
)  # fmt: skip
VIT_S = """
name = "vit-s-96"
target = "written_label"
seed = 0
[model]
embedding_dim = 256
[model.images]
side_px = 96
channels = 3
preparation = "squashed"
size = "none"
tower = "timm"
architecture = "vit_small_patch16_224"
[model.classifier]
kind = "cosine"
[classify]
[augment]
[schedule]
epochs = {epochs}
batch_size = 32
peak_lr = 3e-4
weight_decay = 0.05
"""
VIT_B = """
name = "vit-b-224"
target = "written_label"
seed = 0
[model]
projection = "none"
[model.images]
side_px = 224
channels = 3
preparation = "centre_crop"
size = "none"
tower = "open_clip"
architecture = "ViT-B-16"
mean = [0.48145466, 0.4578275, 0.40821073]
std = [0.26862954, 0.26130258, 0.27577711]
[model.classifier]
kind = "cosine"
[classify]
[augment]
[schedule]
epochs = 2
batch_size = 16
peak_lr = 1e-4
weight_decay = 0.05
"""
COMMON, FEW = 10, 30
"""ViT-B is trained on so many labels, and on so many crops of each."""
OF_LABELS = (
    "Labels show that the work is the same, not what is right: little was learnt. Ours are of the head and "
    "of the nearest references together, those of timm of the head alone; so they differ where a model knows "
    "little, and the two of ours are to be compared."
)
Run = Callable[[], dict[str, str]]
"""Names all images; returns the best label of each by file name."""
Contest = Callable[[Path, Path, argparse.Namespace], dict[str, Any]]
"""Folder to work in, collection of crops, what was asked -> figures."""


def main() -> None:
    """Runs both contests and writes the page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=int, default=600, help="of the small model")
    parser.add_argument("--large-images", type=int, default=160, help="of the large one")
    parser.add_argument("--epochs", type=int, default=6, help="of training the small one")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", choices=CONTESTS, help="the other figures stay as they are")
    asked = parser.parse_args()
    contests = {}
    if asked.only:
        kept = json.loads((RESULTS / "images.json").read_text())["contests"]
        contests = dict(zip(CONTESTS, kept, strict=True))
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        collection = crops(folder)
        for name in [asked.only] if asked.only else CONTESTS:
            contests[name] = CONTESTS[name](folder / name, collection, asked)
    content = {"contests": [contests[name] for name in CONTESTS]}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "images.json").write_text(json.dumps(content, indent=2) + "\n")
    (RESULTS / "images.md").write_text(page(content))
    print(page(content))


def crops(folder: Path) -> Path:
    """Returns a collection of PlanktonSet's crops."""
    holotype.import_(
        "image-folder",
        [real_data() / "plankton/isiis/planktonset1.zip"],
        into=folder / "collection",
        source="planktonset1.0",
    )
    return folder / "collection"


def files_of(collection: Path, folder: Path, count: int) -> list[Path]:
    """Returns so many crops, spread over the collection, as files."""
    folder.mkdir(parents=True)
    contents = [content for _, content in open_collection(collection).images() if content]
    chosen = np.linspace(0, len(contents) - 1, count).astype(int)
    written = []
    for place in chosen.tolist():
        path = folder / f"{place:06d}.{suffix(contents[place])}"
        path.write_bytes(contents[place])
        written.append(path)
    return written


def suffix(content: bytes) -> str:
    """Returns how the name of an image ends."""
    return "png" if content.startswith(b"\x89PNG") else "jpg"


def small(folder: Path, collection: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """ViT-S/16 at 96 px against timm in a plain loop."""
    images = files_of(collection, folder / "images", asked.images)
    recipe = folder / "vit-s.toml"
    recipe.write_text(VIT_S.format(epochs=asked.epochs))
    holotype.split(collection, out=folder / "split.parquet", seed=0)
    run = folder / "run"
    holotype.train(recipe, collection=collection, split=folder / "split.parquet", out=run)
    plain = open_bundle(run)
    exported = holotype.export_model(run, out=folder / "fast", form="openvino", inputs=[collection])
    peers = {
        "timm, one by one": lambda: eager(plain, images, 1),
        "timm, 16 at a time": lambda: eager(plain, images, 16),
        "holotype, the model itself": ours(run, images, folder / "plain.csv"),
    }
    weights = f"trained here for {asked.epochs} epochs"
    return {
        "weights": weights,
        **contest("ViT-S/16, 96 px", folder, images, exported, peers, plain, asked.repeats),
    }


def large(folder: Path, collection: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """ViT-B/16 at 224 px against pybioclip."""
    images = files_of(collection, folder / "images", asked.large_images)
    holotype.import_("image-folder", [common(collection, folder / "own")], into=folder / "few")
    holotype.split(folder / "few", out=folder / "split.parquet", seed=0)
    recipe, run = folder / "vit-b.toml", folder / "run"
    recipe.write_text(VIT_B)
    holotype.train(recipe, collection=folder / "few", split=folder / "split.parquet", out=run)
    plain = open_bundle(run)
    peer = classifier_like(plain, folder / "weights.pt")
    exported = holotype.export_model(run, out=folder / "fast", form="openvino", inputs=[collection])

    def by_pybioclip() -> dict[str, str]:
        rows = peer.predict([str(path) for path in images], k=1)
        return {Path(row["file_name"]).name: row["classification"] for row in rows}

    peers = {
        "pybioclip, 10 at a time": by_pybioclip,
        "holotype, the model itself": ours(run, images, folder / "plain.csv"),
    }
    weights = f"trained here for 2 epochs on {COMMON * FEW:,} crops"
    return {
        "weights": weights,
        **contest("ViT-B/16, 224 px", folder, images, exported, peers, plain, asked.repeats),
    }


CONTESTS: dict[str, Contest] = {"small": small, "large": large}


def common(collection: Path, folder: Path) -> Path:
    """Returns a folder of some crops of each of the commonest labels."""
    opened = open_collection(collection)
    labels = opened.columns(["written_label"])["written_label"].to_pylist()
    left = {name: FEW for name, _ in Counter(labels).most_common(COMMON)}
    for number, (label, (_, content)) in enumerate(zip(labels, opened.images(), strict=True)):
        if content and left.get(label, 0):
            left[label] -= 1
            path = folder / label / f"{number}.{suffix(content)}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    return folder


def classifier_like(bundle: Bundle, weights: Path) -> Any:
    """Returns pybioclip's classifier that computes what a bundle does: its tower, its head as texts."""
    import open_clip
    from bioclip.predict import CustomLabelsClassifier

    model = bundle.model
    assert model.head is not None
    tower = model.towers["image"].model.state_dict()
    whole = open_clip.create_model("ViT-B-16").state_dict()
    whole |= {f"visual.{name}": value for name, value in tower.items()}
    whole["logit_scale"] = model.log_head_scale.detach()
    torch.save(whole, weights)
    labels = list(bundle.labels.names)
    peer = CustomLabelsClassifier(labels, model_str="ViT-B-16", pretrained_str=str(weights))
    peer.txt_embeddings = torch.nn.functional.normalize(model.head.weight.detach(), dim=1).T
    return peer


def random_vit_s(folder: Path) -> Path:
    """Returns a bundle of ViT-S/16 at 96 px with random weights: what it costs, not what it knows."""
    settings = ModelSettings.model_validate(
        {
            "embedding_dim": 256,
            "images": {
                "side_px": 96, "channels": 3, "preparation": "squashed", "size": "none",
                "tower": "timm", "architecture": "vit_small_patch16_224",
            },
            "classifier": {"kind": "cosine"},
        }
    )  # fmt: skip
    torch.manual_seed(0)
    return written(AlignedModel(settings, num_labels=len(SPECIES)), folder)


def written(model: AlignedModel, folder: Path) -> Path:
    """Returns the bundle of a model that scores ``SPECIES``."""
    labels = tuple(
        Label(name, Concept(Lineage.from_names({"genus": name.split()[0], "species": name})), 1)
        for name in SPECIES
    )
    space = LabelSpace(Target.CONCEPT, labels)
    folder.mkdir(parents=True)
    training = {
        "recipe": {"name": "random", "about": "random weights"}, "records": 0, "history": [], "licences": {},
        "instruments": {}, "sources": {}, "collection": {"name": "none", "fingerprint": "0" * 16},
    }  # fmt: skip
    write_bundle(
        folder, model.settings, model.state_dict(), space, {}, training, "Random weights.\n"
    )
    return folder


@torch.inference_mode()
def eager(bundle: Bundle, images: Sequence[Path], batch: int) -> dict[str, str]:
    """Names images as a plain script would: Pillow, one batch after the other, a CSV of the best label."""
    model, side = bundle.model, bundle.pixels.shape[0]  # type: ignore[union-attr]
    found: dict[str, str] = {}
    with tempfile.TemporaryFile("w", newline="") as out:
        rows = csv.writer(out)
        for start in range(0, len(images), batch):
            part = images[start : start + batch]
            pixels = []
            for path in part:
                with Image.open(path) as image:
                    small = image.convert("RGB").resize((side, side), Image.Resampling.BICUBIC)
                    pixels.append(np.asarray(small))
            image_BCSS = torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2).float() / 255
            image_BCSS = (image_BCSS - model.pixel_mean) / model.pixel_std
            size_B4 = torch.full((len(part), 4), torch.nan)
            embedding_BD = model.embed_images(image_BCSS, size_B4)
            probability_BL = model.label_logits(embedding_BD).softmax(dim=1)
            for path, probability_L in zip(part, probability_BL, strict=True):
                best = int(probability_L.argmax())
                found[path.name] = bundle.labels.names[best]
                rows.writerow([path, found[path.name], float(probability_L[best])])
    return found


def ours(run: Path, images: Sequence[Path], out: Path) -> Run:
    """Returns what names a folder of images by ``holotype predict``."""

    def name() -> dict[str, str]:
        holotype.predict(run, [images[0].parent], out=out, restart=True)
        rows = read_answers(out)
        return dict(
            zip((Path(one).name for one in rows["input"].to_pylist()), rows["label"].to_pylist(), strict=True)
        )  # fmt: skip

    return name


def contest(
    title: str,
    folder: Path,
    images: Sequence[Path],
    exported: ModelExportReport,
    peers: dict[str, Run],
    plain: Bundle,
    repeats: int,
) -> dict[str, Any]:
    """Returns the figures of all on the same images, in turn."""
    alone = folder / "alone"
    alone.mkdir()
    (alone / images[0].name).write_bytes(images[0].read_bytes())
    engine = f"holotype, exported ({exported.precision})"
    runs = {**peers, engine: ours(folder / "fast", images, folder / "fast.csv")}
    starts = {
        "holotype, the model itself": ours(folder / "run", [alone / images[0].name], folder / "one.csv"),
        engine: ours(folder / "fast", [alone / images[0].name], folder / "one.csv"),
    }  # fmt: skip
    took: dict[str, list[float]] = {name: [] for name in runs}
    begun: dict[str, list[float]] = {name: [] for name in starts}
    labels: dict[str, dict[str, str]] = {}
    for _ in range(repeats + 1):
        for name, run in runs.items():
            start = 0.0
            if name in starts:
                started = time.perf_counter()
                starts[name]()
                start = time.perf_counter() - started
                begun[name].append(start)
            started = time.perf_counter()
            labels[name] = run()
            took[name].append(time.perf_counter() - started - start)
    rate = {
        name: [(len(images) - (name in starts)) / seconds for seconds in found[1:]]
        for name, found in took.items()
    }
    first = next(iter(runs))
    return {
        "title": title,
        "machine": machine_line(),
        "peaks_gflops": peaks(),
        "images": len(images),
        "threads": torch.get_num_threads(),
        "export": {"precision": exported.precision, "agreement": vars(exported.agreement or object)},
        "images_per_s": rate,
        "median": {name: statistics.median(found) for name, found in rate.items()},
        "ratio_to": {
            other: statistics.median(
                a / b for a, b in zip(rate[engine], rate[other], strict=True)
            )
            for other in peers
        },
        "same_label_as_first": {
            name: statistics.mean(labels[name][one] == labels[first][one] for one in labels[first])
            for name in runs
        },
        "start_s": {name: statistics.median(found) for name, found in begun.items()},
        "gflop_per_image": flops(plain),
    }  # fmt: skip


@torch.inference_mode()
def flops(bundle: Bundle) -> float:
    """Returns 10^9 floating point operations of one image."""
    side, _, channels = bundle.pixels.shape  # type: ignore[union-attr]
    counter = FlopCounterMode(display=False)
    with counter:
        bundle.model.embed_images(
            torch.zeros((1, channels, side, side)), torch.full((1, 4), torch.nan)
        )
    return counter.get_total_flops() / 1e9


def peaks(size: int = 2_048, repeats: int = 5) -> dict[str, float]:
    """Returns 10^9 operations a second that matrix products reach here, by number format."""
    found = {}
    for name, kind in (
        ("float32", torch.float32),
        ("bfloat16", torch.bfloat16),
        ("int8", torch.int8),
    ):
        whole = torch.randint(-8, 8, (size, size), dtype=torch.int8)
        first = whole if kind is torch.int8 else whole.to(kind)
        product = torch._int_mm if kind is torch.int8 else torch.mm
        took = []
        for _ in range(repeats + 1):
            started = time.perf_counter()
            product(first, first)
            took.append(time.perf_counter() - started)
        found[name] = 2 * size**3 / min(took[1:]) / 1e9
    return found


def page(content: dict[str, Any]) -> str:
    """Returns the figures as a Markdown page."""
    lines = [
        "# Images a second, from files to rows",
        "",
        "Medians of runs in turn, on the same files, weights and threads (PlanktonSet 1.0 crops).",
        "",
        OF_LABELS,
        "",
    ]
    for one in content["contests"]:
        near = one["export"]["agreement"]
        lines += [
            f"## {one['title']}, {one['gflop_per_image']:.2f} GFLOP an image, {one['images']:,} images",
            "",
            "| | images/s | exported: times as fast | same label as the first | GFLOP/s | start, s |",
            "| --- | --: | --: | --: | --: | --: |",
        ]
        for name, median in one["median"].items():
            ratio = one["ratio_to"].get(name)
            start = one["start_s"].get(name)
            lines.append(
                f"| {name} | {median:.1f} | {f'{ratio:.2f}' if ratio else ''} | "
                f"{one['same_label_as_first'][name]:.3f} | {median * one['gflop_per_image']:,.0f} | "
                f"{f'{start:.1f}' if start else ''} |"
            )
        said = (
            f"Weights: {one['weights']}. Exported as {one['export']['precision']}; on "
            f"{near['specimens']:,} other images the best label is the same for {near['same_label']:.4f}, "
            f"cosine of embeddings {near['mean_cosine']:.5f} on average, {near['least_cosine']:.5f} at least."
        )
        peak = ", ".join(f"{v:,.0f} GFLOP/s in {name}" for name, v in one["peaks_gflops"].items())
        ground = (
            f"{one['threads']} threads; matrix products reach {peak}. Machine: {one['machine']}"
        )
        lines += ["", said, "", ground, ""]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
