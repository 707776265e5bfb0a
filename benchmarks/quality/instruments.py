"""Another instrument: train on four, name the crops of the fifth, with and without each device.

Five instruments (UVP6, ZooLake's Scripps camera, ISIIS-2, FlowCam, IFCB) in one collection. The groups are
the classes that two or more of them show, phyla that more of them show, and detritus. For each instrument
held out a small tower learns the groups from the other four; then it names the held-out crops at once, and
with 1, 5 and 10 of them as support (nearest class mean). Devices are added one by one to the plain way.

Run: python benchmarks/quality/instruments.py [--seeds 3] [--steps 150] [--workers 2] [--only VARIANT ...]
"""

import argparse
import json
import os
import tempfile
import time
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from instruments_page import DRAWS, INSTRUMENTS, SHOTS, Answer, Crops, described, figures, page
from instruments_thumbnails import (
    features,
    named_by_thumbnails,
    thumbnail_figures,
    thumbnails,
)
from machine import real_data, write_results
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

import holotype
from holotype.collection.quality.copies import identical_images
from holotype.collection.quality.finding import Check
from holotype.collection.store import Collection, open_collection
from holotype.inputs.augment import Augmentation, augment_images
from holotype.inputs.materials import prepare_collection
from holotype.media.images import read_pixels
from holotype.media.marks import Marks, find_marks
from holotype.media.pixels import Pixels
from holotype.media.preparation import PixelPreparation, PreparationKind
from holotype.models.crop_tower import CropTower
from holotype.models.sizes import SizeReading, size_features
from holotype.randomness import generator

SIDE_PX, WIDTH, DEPTH, BATCH = 40, 24, 1, 64
LEAST_CROPS = 8
"""An instrument shows a group when it has this many crops of it."""
MOST_CROPS = 150
"""An instrument gives at most this many crops of a group, drawn once by seed 0."""
NOT_ONE_GROUP = {"Chordata": "fish on ZooLake, tunicates on ISIIS"}
PIXEL_UM = {"uvp6": "73", "isiis": "70", "ifcb": repr(1 / 3.4)}
"""Nominal figures of the instruments; the data state none. FlowCam and ZooLake: not known."""
BODY = {"full_body", "egg", "larvae", "nauplius", "mix", ""}
"""Qualifiers that show a whole organism; parts, skins and look-alikes are left out."""

STYLE = {
    "invert": 0.5, "new_background": 0.5, "gradient": 0.1, "vignette": 0.2, "gamma": 1.6,
    "coarsening": 3.0, "noise": 0.04, "fewest_levels": 24,
}  # fmt: skip
SUBJECT_STYLE = {"gamma": 1.6, "coarsening": 3.0, "noise": 0.04, "fewest_levels": 24}


@dataclass(frozen=True)
class Variant:
    """One way of reading crops."""

    kind: PreparationKind = PreparationKind.PADDED
    size: SizeReading = SizeReading.PX
    marks: Marks = Marks.KEEP
    style: dict[str, float] = field(default_factory=dict)


SUBJECT = PreparationKind.SUBJECT
VARIANTS = {
    "plain": Variant(),
    "subject, size not read": Variant(SUBJECT, SizeReading.NONE),
    "style": Variant(style=STYLE),
    "all (subject, um, marks, style)": Variant(
        SUBJECT, SizeReading.UM, Marks.REMOVE, SUBJECT_STYLE
    ),
    "size in um": Variant(size=SizeReading.UM),
    "size not read": Variant(size=SizeReading.NONE),
    "subject": Variant(SUBJECT),
    "subject, size in um": Variant(SUBJECT, SizeReading.UM),
    "subject, size not read, style": Variant(SUBJECT, SizeReading.NONE, style=SUBJECT_STYLE),
}


def build(into: Path) -> None:
    """Imports the five instruments into one collection."""
    crops = real_data() / "plankton"
    um = {"pixel_size_um": PIXEL_UM["isiis"], "instrument": "isiis"}
    labels = real_data() / "taxonomy/planktonzilla_taxonomy.csv"
    holotype.import_(
        "image-folder", [crops / "isiis/planktonset1.zip"], into=into, source="planktonset1.0",
        labels=labels, constants=um,
    )  # fmt: skip
    for name in ("uvp6", "zoolake", "flowcam", "ifcb"):
        constants = {"pixel_size_um": PIXEL_UM[name]} if name in PIXEL_UM else {}
        holotype.import_(
            "table", [crops / name / "labels.csv"], into=into, source=name, preset="crops",
            constants=constants,
        )  # fmt: skip


def shared_crops(collection: Collection) -> Crops:
    """Returns the crops of the groups that two or more instruments show."""
    wanted = ["record_id", "source", "kind", "qualifier", "phylum", "class", "written_label"]
    table = collection.columns(wanted)
    conflicting = {
        found.record_id
        for found in identical_images(collection)
        if found.check is Check.CONFLICTING_IMAGES
    }
    records = table.to_pylist()
    kept = [n for n, record in enumerate(records) if record["record_id"] not in conflicting]
    kept = [n for n in kept if _is_whole(records[n])]
    groups = _groups([records[n] for n in kept])
    cells: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row in kept:
        group = next((g for rank, g in groups if records[row][rank] == g), None)
        if group is not None:
            cells[_instrument(records[row]), group].append(row)
    rng = generator(0, "instruments", "sample")
    rows, names = [], []
    for cell, members in sorted(cells.items()):
        if len(members) < LEAST_CROPS:
            continue
        chosen = rng.permutation(members)[:MOST_CROPS]
        rows += sorted(chosen.tolist())
        names += [cell] * len(chosen)
    instrument, group = (np.asarray(part) for part in zip(*names, strict=True))
    label = np.asarray([records[row]["written_label"] for row in rows])
    return Crops(np.asarray(rows), instrument, group, label, len(conflicting))


def _instrument(record: dict[str, Any]) -> str:
    return {"planktonset1.0": "isiis"}.get(record["source"], record["source"])


def _is_whole(record: dict[str, Any]) -> bool:
    skins = record["written_label"].endswith("_skins")
    return record["kind"] == "detritus" or ((record["qualifier"] or "") in BODY and not skins)


def _groups(records: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Returns the shared groups as (column, name).

    Classes that two or more instruments show; a phylum in their place where more instruments show the phylum
    than any class of it; detritus.
    """
    counts: Counter[tuple[str, str, str]] = Counter()
    phylum_of: dict[str, str] = {}
    for record in records:
        for rank in ("class", "phylum"):
            counts[rank, record[rank] or "", _instrument(record)] += 1
        phylum_of[record["class"] or ""] = record["phylum"] or ""
    shown: Counter[tuple[str, str]] = Counter()
    for (rank, name, _), count in counts.items():
        shown[rank, name] += bool(name) and count >= LEAST_CROPS
    classes = {name for (rank, name), n in shown.items() if rank == "class" and n > 1}
    phyla = set()
    for (rank, name), n in shown.items():
        widest = max((shown["class", c] for c in classes if phylum_of[c] == name), default=1)
        if rank == "phylum" and n > widest and name not in NOT_ONE_GROUP:
            phyla.add(name)
    classes = {name for name in classes if phylum_of[name] not in phyla}
    ranked = [*(("class", n) for n in sorted(classes)), *(("phylum", n) for n in sorted(phyla))]
    return [*ranked, ("kind", "detritus")]


@cache
def _decoded(place: str) -> tuple[Crops, list[Pixels], Tensor]:
    """Returns the crops, their pixels as decoded, and their sizes (N, 4) in px and um."""
    torch.set_num_threads(1)
    collection = open_collection(Path(place))
    crops = shared_crops(collection)
    at_row = {row: n for n, row in enumerate(crops.row_N.tolist())}
    pixels: list[Pixels] = [np.zeros((1, 1, 1), np.uint8)] * len(at_row)
    for row, (_, content) in enumerate(collection.images()):
        if row in at_row and content is not None:
            pixels[at_row[row]] = read_pixels(content)
    whole = PixelPreparation(PreparationKind.PADDED, 16, 1)
    sized = prepare_collection(collection, pixels=whole, rows=crops.row_N)
    return crops, pixels, torch.from_numpy(sized.size_M4)


@cache
def _ready(place: str, variant: str) -> tuple[Crops, Tensor, Tensor]:
    """Returns the crops, their squares in [0, 1] (N, 1, S, S), and their sizes."""
    asked = VARIANTS[variant]
    preparation = PixelPreparation(asked.kind, SIDE_PX, 1, asked.marks)
    crops, decoded, size_N4 = _decoded(place)
    squares = np.stack([preparation.apply(pixels) for pixels in decoded])
    return crops, torch.from_numpy(squares).permute(0, 3, 1, 2).float() / 255, size_N4


def answer(place: str, variant: str, held_out: str, seed: int, steps: int) -> Answer:
    """Trains on the other instruments and returns what the model says of the held-out one."""
    crops, pixels, size_N4 = _ready(place, variant)
    inside_N = crops.instrument_N != held_out
    groups = sorted(set(crops.group_N[inside_N].tolist()))
    train_T = np.flatnonzero(inside_N)
    test_Q, _ = _tested(crops, held_out)
    target_T = np.asarray([groups.index(g) for g in crops.group_N[train_T]])
    mean, std = pixels[train_T].mean(), pixels[train_T].std()
    torch.manual_seed(seed)
    tower = CropTower(width=WIDTH, depth=DEPTH, size=VARIANTS[variant].size)
    head = nn.Linear(tower.feature_dim, len(groups))
    weights = [*tower.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(weights, lr=2e-3, weight_decay=0.05)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps)
    chance_T = 1 / np.sqrt(np.bincount(target_T)[target_T])
    rng = generator(seed, "instruments", "order", held_out)
    change, stream = Augmentation(**VARIANTS[variant].style), torch.Generator().manual_seed(seed)
    for _ in range(steps):
        drawn = rng.choice(len(train_T), size=BATCH, p=chance_T / chance_T.sum())
        image, size = augment_images(
            pixels[train_T[drawn]], size_N4[train_T[drawn]], change, stream
        )
        logit = head(tower((image - mean) / std, size))
        loss = functional.cross_entropy(
            logit, torch.from_numpy(target_T[drawn]), label_smoothing=0.1
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        rate.step()
    with torch.inference_mode():
        tower.eval()
        feature_QD = tower((pixels[test_Q] - mean) / std, size_N4[test_Q])
        said_Q = head(feature_QD).argmax(dim=1).numpy()
    hit_Q = np.asarray(groups)[said_Q] == crops.group_N[test_Q]
    _, names_Q = _tested(crops, held_out)
    shots = {k: _few_shot(feature_QD.numpy(), names_Q, k, seed) for k in SHOTS}
    return Answer(hit_Q, shots)


def _tested(crops: Crops, held_out: str) -> tuple[NDArray[np.int64], NDArray[np.str_]]:
    """Returns the crops of an instrument whose group others show too, and their names for few-shot.

    Names are the groups; where there is one group only, the written labels.
    """
    inside_N = crops.instrument_N != held_out
    test_Q = np.flatnonzero(~inside_N & np.isin(crops.group_N, crops.group_N[inside_N]))
    alone = len(set(crops.group_N[test_Q].tolist())) == 1
    return test_Q, (crops.label_N if alone else crops.group_N)[test_Q]


def _few_shot(
    feature_QD: NDArray[np.float32], name_Q: NDArray[np.str_], shots: int, seed: int
) -> list[float]:
    """Returns the macro accuracies of nearest class means (CL2N) over draws of the support."""
    counts = Counter(name_Q.tolist())
    classes = sorted(name for name, count in counts.items() if count >= shots + 3)
    if len(classes) < 2:
        return []
    rng = generator(seed, "instruments", "support", shots)
    found = []
    for _ in range(DRAWS):
        support, query = [], []
        for name in classes:
            members = rng.permutation(np.flatnonzero(name_Q == name))
            support.append(members[:shots])
            query.append(members[shots:])
        centre_D = feature_QD[np.concatenate(support)].mean(axis=0)
        unit_QD = feature_QD - centre_D
        unit_QD = unit_QD / np.linalg.norm(unit_QD, axis=1, keepdims=True)
        mean_CD = np.stack([unit_QD[rows].mean(axis=0) for rows in support])
        offset_C = (mean_CD**2).sum(axis=1)
        near = [(offset_C - 2 * unit_QD[rows] @ mean_CD.T).argmin(axis=1) for rows in query]
        found.append(float(np.mean([np.mean(said == n) for n, said in enumerate(near)])))
    return found


def kept_answer(
    place: str, keep: str, variant: str, held_out: str, seed: int, steps: int
) -> Answer:
    """Returns an answer, from the folder of answers where it is there already."""
    name = variant.replace(" ", "_")
    path = Path(keep) / f"{name}-{held_out}-{seed}-{SIDE_PX}px-{WIDTH}-{steps}.json"
    if not path.is_file():
        found = answer(place, variant, held_out, seed, steps)
        content = {"hit": found.hit_Q.tolist(), "few_shot": found.few_shot}
        path.write_text(json.dumps(content), encoding="utf-8")
    content = json.loads(path.read_text(encoding="utf-8"))
    few_shot = {int(shots): values for shots, values in content["few_shot"].items()}
    return Answer(np.asarray(content["hit"], dtype=np.bool_), few_shot)


def main() -> None:
    """Builds the collection, runs every variant on every instrument, and writes what came out."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=3, help="0 leaves the tower out")
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", nargs="*", default=list(VARIANTS), choices=list(VARIANTS))
    parser.add_argument(
        "--keep", type=Path, help="folder of the collection and of finished answers"
    )
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        keep = asked.keep or Path(scratch)
        keep.mkdir(parents=True, exist_ok=True)
        place = keep / "collection"
        if not place.is_dir():
            build(place)
        variants = list(dict.fromkeys(["plain", *asked.only]))
        jobs = [
            (variant, held_out, seed)
            for seed in range(asked.seeds)
            for variant in variants
            for held_out in INSTRUMENTS
        ]
        started, context = time.monotonic(), get_context("spawn")
        fixed = str(place), str(keep)
        if asked.workers == 1:
            answers = {job: kept_answer(*fixed, *job, asked.steps) for job in jobs}
        else:
            with ProcessPoolExecutor(asked.workers, mp_context=context) as pool:
                running = [pool.submit(kept_answer, *fixed, *job, asked.steps) for job in jobs]
                answers = dict(zip(jobs, (each.result() for each in running), strict=True))
        seconds = time.monotonic() - started
        crops = _decoded(str(place))[0]
        content = described(crops) | {"seeds": asked.seeds}
        if asked.seeds:
            content |= figures(crops, answers, variants, asked.seeds)
        content["thumbnails"] = thumbnail_content(str(place))
        content |= {
            "steps": asked.steps, "seconds": seconds, "changed": changed_by_removal(place),
            "tower": {"width": WIDTH, "depth": DEPTH, "side_px": SIDE_PX, "batch": BATCH},
            "most_crops": MOST_CROPS,
        }  # fmt: skip
        write_results("instruments", content, page(content))


def thumbnail_content(place: str) -> dict[str, Any]:
    """Returns the figures of the 20 nearest thumbnails, by way of reading crops."""
    crops, decoded, size_N4 = _decoded(place)
    small: dict[tuple[PreparationKind, Marks], NDArray[np.float32]] = {}
    hits: dict[str, dict[str, NDArray[np.bool_]]] = {}
    few_shot: dict[str, dict[str, dict[int, list[float]]]] = {}
    for name, asked in VARIANTS.items():
        if asked.style:
            continue
        way = asked.kind, asked.marks
        if way not in small:
            small[way] = thumbnails(decoded, PixelPreparation(asked.kind, SIDE_PX, 1, asked.marks))
        size_NF = size_features(size_N4, asked.size).numpy()
        hits[name] = {i: named_by_thumbnails(crops, small[way], size_NF, i) for i in INSTRUMENTS}
        feature_ND = features(small[way], size_NF)
        few_shot[name] = {}
        for held_out in INSTRUMENTS:
            test_Q, names_Q = _tested(crops, held_out)
            few_shot[name][held_out] = {
                shots: _few_shot(feature_ND[test_Q], names_Q, shots, 0) for shots in SHOTS
            }
    return thumbnail_figures(crops, hits, few_shot)


def changed_by_removal(place: Path) -> int:
    """Returns how many crops of the shared groups bear a mark that would be removed."""
    return sum(bool(find_marks(pixels)) for pixels in _decoded(str(place))[1])


if __name__ == "__main__":
    main()
