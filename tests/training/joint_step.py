"""What one process or several make of the same steps; tests start it once a process.

Words: collection, split, recipe, file to write, strategy.
"""

import dataclasses
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from safetensors.torch import save_file
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from holotype.collection.store import open_collection
from holotype.inputs.materials import prepare_collection
from holotype.models.aligned import AlignedModel
from holotype.models.labels import build_label_space, label_names
from holotype.models.towers import Modality
from holotype.splits.plan import Role, read_split
from holotype.training.batching import step_inputs
from holotype.training.checkpoint import whole
from holotype.training.devices import fabric_of
from holotype.training.lesson import Lesson
from holotype.training.loop import fit
from holotype.training.recipe import Recipe, read_recipe
from holotype.training.running import started
from holotype.training.teaching import teaching_of

PAIRS = '[["image", "image"], ["image", "barcode"], ["image", "caption"], ["barcode", "caption"]]'
PLAIN = ("model.classifier.dropout=0.0", f"align.pairs={PAIRS}", "schedule.batch_size=40")
"""Cosine head, learnt temperatures, batch normalisation, two views, random changes: all but dropout."""
MASKED: dict[str, Any] = {
    "name": "masked",
    "target": "tree",
    "model": {
        "barcodes": {
            **{"tower": "barcodebert", "max_bp": 660},
            **{"kmer_bp": 3, "width": 16, "depth": 1, "heads": 2},
        },
        "classifier": {},
    },
    "classify": {"probe": True},
    "masked": {"weight": 0.7},
    "damage": {},
}
"""Half of the tokens hidden, and a probe."""


def lesson_of(recipe: Recipe, collection: Path, split: Path) -> tuple[Lesson, AlignedModel]:
    """The training records as a lesson, and the model at its start."""
    rows = read_split(split).rows(Role.TRAIN)
    assert recipe.model.images is not None
    pixels = recipe.model.images.pixels
    materials = prepare_collection(open_collection(collection), pixels=pixels, rows=rows)
    names = label_names(recipe.target, [None] * len(rows), materials.concept_N)
    labels = build_label_space(recipe.target, names, materials.concept_N)
    lesson = Lesson(
        recipe, materials, teaching_of(materials, labels, names), np.arange(len(rows)), "x"
    )
    torch.manual_seed(0)
    model = AlignedModel(recipe.model, num_labels=len(labels))
    for block in model.towers["barcode"].blocks:
        block._dropout = 0.0  # each process drops units of its own
    return lesson, model


def masked_lesson_of(
    collection: Path, split: Path, *, chunk_size: int | None = None
) -> tuple[Lesson, AlignedModel]:
    """The same with hidden tokens and without images; nothing is dropped out."""
    recipe = Recipe.model_validate({**MASKED, "schedule": {"chunk_size": chunk_size}})
    rows = read_split(split).rows(Role.TRAIN)
    materials = prepare_collection(open_collection(collection), pixels=None, rows=rows)
    names = label_names(recipe.target, [None] * len(rows), materials.concept_N)
    labels = build_label_space(recipe.target, names, materials.concept_N)
    lesson = Lesson(
        recipe, materials, teaching_of(materials, labels, names), np.arange(len(rows)), "x"
    )
    torch.manual_seed(0)
    model = AlignedModel(recipe.model, num_labels=len(labels), tells_tokens=True)
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    return lesson, model


def sparse(lesson: Lesson) -> Lesson:
    """The lesson with three images and one barcode in the first twelve records."""
    image_N, barcodes = lesson.materials.image_N.copy(), list(lesson.materials.barcode_N)
    image_N[3:12] = -1
    kept = next(barcode for barcode in barcodes if barcode is not None)
    barcodes[:12] = [None] * 11 + [kept]
    changed = dataclasses.replace(lesson.materials, image_N=image_N, barcode_N=tuple(barcodes))
    return dataclasses.replace(lesson, materials=changed)


def gradients(
    fabric: Fabric,
    lesson: Lesson,
    model: AlignedModel,
    rows: np.ndarray,
    *,
    frozen_norms: bool = False,
) -> dict[str, Tensor]:
    """The gradients of a step, and the running statistics after it, whole."""
    with tempfile.TemporaryDirectory() as folder:
        run = started(fabric, model, lesson, Path(folder))
    run.trained.train()
    for module in run.trained.modules():
        if isinstance(module, _BatchNorm) and frozen_norms:
            module.eval()
    inputs = step_inputs(
        lesson.recipe, run.trained, lesson.materials, lesson.teaching, rows,
        step=3, views=2, share=run.gradients.share,
    )  # fmt: skip
    losses = run.gradients.add(inputs, done=0.0)
    found = {f"loss/{name}": value for name, value in losses.items()}
    for name, weight in run.trained.named_parameters():
        if weight.grad is not None:
            found[f"gradient/{name}"] = whole(weight.grad).clone()
    for name, value in run.trained.state_dict().items():
        if "running" in name:
            found[f"statistic/{name}"] = whole(value).clone()
    return found


def all_cases(
    fabric: Fabric, collection: Path, split: Path, recipe: Path
) -> dict[str, dict[str, Tensor]]:
    """Every case by name; the same on any number of processes."""
    found = {}
    rows = np.arange(40)
    for name, overrides in {
        "whole": (),
        "frozen": (),
        "chunked": ("schedule.chunk_size=7",),
    }.items():
        settings = read_recipe(recipe, (*PLAIN, *overrides))
        lesson, model = lesson_of(settings, collection, split)
        found[name] = gradients(fabric, lesson, model, rows, frozen_norms=name != "whole")
    settings = read_recipe(recipe, PLAIN)
    lesson, model = lesson_of(settings, collection, split)
    found["sparse"] = gradients(fabric, sparse(lesson), model, rows[:12])
    lesson, model = masked_lesson_of(collection, split)
    found["masked"] = gradients(fabric, lesson, model, rows)
    lesson, model = masked_lesson_of(collection, split, chunk_size=7)
    found["masked-chunked"] = gradients(fabric, lesson, model, rows)
    lesson, model = masked_lesson_of(collection, split)
    found["masked-sparse"] = gradients(fabric, sparse(lesson), model, rows[:12])
    fitting = (*PLAIN, "schedule.epochs=1", "schedule.average=0.8", "schedule.clip=1.0")
    settings = read_recipe(recipe, (*fitting, "schedule.peak_lr=1e-3"))
    lesson, model = lesson_of(settings, collection, split)
    start = {name: value.clone() for name, value in model.state_dict().items()}
    with tempfile.TemporaryDirectory() as folder:
        weights, _ = fit(fabric, model, lesson, Path(folder), lambda *_: {"score": 0.0})
    found["fitted"] = {name: (value - start[name]).float() for name, value in weights.items()}
    assert Modality.IMAGE in model.modalities
    return found


if __name__ == "__main__":
    collection, split, recipe, out = map(Path, sys.argv[1:5])
    fabric = fabric_of("cpu", "auto", strategy=sys.argv[5])
    fabric.launch()
    cases = all_cases(fabric, collection, split, recipe)
    if fabric.is_global_zero:
        flat = {
            f"{case}|{k}": v.contiguous() for case, part in cases.items() for k, v in part.items()
        }
        save_file({name: value.detach().cpu() for name, value in flat.items()}, out)
    fabric.barrier()
