"""The command ``train``: a recipe, a collection and a split -> a run folder, which is a bundle."""

import json
import platform
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from threadpoolctl import threadpool_limits

from holotype import files
from holotype.collection.licensing import licence_counts, what_may_be_done
from holotype.collection.store import Collection, open_collection
from holotype.config import as_toml
from holotype.decisions.calibrating import calibrate_on
from holotype.decisions.course import Course, course_of
from holotype.decisions.store import open_decisions
from holotype.errors import RecipeError
from holotype.inputs.captions import common_names
from holotype.models.aligned import AlignedModel, merged
from holotype.models.bundle import open_bundle, write_bundle
from holotype.models.labels import LabelSpace, build_label_space, label_names
from holotype.models.places import MANIFEST
from holotype.progress import note
from holotype.randomness import stream_seed
from holotype.splits.plan import Role, Split, Status, check_fits, read_split
from holotype.training.card import model_card
from holotype.training.checkpoint import refuse_another_run
from holotype.training.devices import Strategy, fabric_of
from holotype.training.lesson import Lesson, lesson_instruments, lesson_materials
from holotype.training.loop import fit
from holotype.training.provenance import write_provenance
from holotype.training.recipe import Recipe, read_recipe
from holotype.training.teaching import teaching_of
from holotype.training.validation import temperatures, validation

LEFT_BEHIND = ("groups_GD", "token_head.")
"""Beginnings of the names of weights that only losses read, so that a bundle has no use for them."""


@dataclass(frozen=True)
class TrainReport:
    """What a training run did.

    Attributes:
        run: its folder.
        labels: how many labels it learnt.
        records: how many records it learnt from.
        epochs: how many it took.
        seconds: from start to finished bundle, this sitting only.
        figures: of the last epoch.
    """

    run: str
    labels: int
    records: int
    epochs: int
    seconds: float
    figures: dict[str, Any] = field(default_factory=dict)


def train(
    recipe: str | Path | Recipe,
    *,
    collection: Path | str,
    split: Path | str,
    out: Path | str,
    overrides: Sequence[str] = (),
    accelerator: str = "auto",
    devices: int | str = "auto",
    strategy: Strategy | str = Strategy.AUTO,
) -> TrainReport:
    """Trains a model and writes it as a bundle; goes on where an interrupted run of the same stopped.

    Args:
        recipe: a TOML file, the name of a shipped recipe, or a ``Recipe``.
        collection: the collection's folder.
        split: the split file; only its ``train`` and ``val`` records are read.
        out: the run's folder.
        overrides: ``a.b=c`` changes of the recipe.
        accelerator: ``cpu``, ``cuda``, ``mps`` or ``auto``.
        devices: how many, or ``auto`` (one on a CPU, or what torchrun started).
        strategy: how several devices share a model: ``ddp`` (``auto``) or ``fsdp``.

    Raises:
        RecipeError, CollectionError, SplitError, BundleError: when these do not fit together.
    """
    chosen = recipe if isinstance(recipe, Recipe) else read_recipe(recipe, tuple(overrides))
    folder = Path(out)
    opened, parts = open_collection(Path(collection)), read_split(Path(split))
    check_fits(parts, opened)
    run = _fingerprint(chosen, opened, parts)
    if (folder / MANIFEST).is_file():
        return _finished_before(folder, run, opened, parts, chosen.seed)
    refuse_another_run(folder, run)
    fabric = fabric_of(accelerator, devices, strategy=strategy, precision=chosen.precision)
    fabric.launch()
    alone = files.only_one(folder) if fabric.is_global_zero else nullcontext()
    with alone:
        return _trained(fabric, chosen, folder, opened, parts, run)


def _trained(
    fabric: Fabric, chosen: Recipe, folder: Path, opened: Collection, parts: Split, run: str
) -> TrainReport:
    """Trains, and writes the bundle; the folder is this process's alone."""
    started = time.monotonic()
    (folder / "resume").mkdir(parents=True, exist_ok=True)
    files.write_text(folder / "recipe.toml", as_toml(chosen))
    lesson, labels, row_V = _prepare(chosen, opened, parts, run)
    torch.manual_seed(stream_seed(chosen.seed, "weights"))
    model = AlignedModel(
        chosen.model,
        num_labels=len(labels),
        seed=chosen.seed,
        num_groups=lesson.teaching.num_groups if chosen.groups is not None else 0,
        tells_tokens=chosen.masked is not None,
    )
    barcodes = (lesson.materials.barcode_N[row] for row in lesson.row_T.tolist())
    model.learn_from([barcode for barcode in barcodes if barcode is not None])
    contrasted = chosen.align is not None or chosen.taxa is not None
    if not contrasted or (chosen.align is not None and chosen.align.temperature is not None):
        model.fix_temperature(chosen.align.temperature if chosen.align else None)

    def validate(judged: AlignedModel, side_px: int | None) -> dict[str, float]:
        return validation(judged, lesson, row_V, side_px)

    with threadpool_limits(limits=1, user_api="blas"):  # NumPy's threads would fight torch's
        weights, history = fit(fabric, model, lesson, folder, validate)
    model.load_state_dict(weights)
    if fabric.is_global_zero:
        training = _summary(lesson, labels, opened, parts, history, row_V)
        temperature = temperatures(model, lesson.materials, lesson.teaching, row_V)
        card = model_card(chosen, labels, training)
        write_provenance(folder, opened, parts, name=chosen.name)
        kept = {n: value for n, value in weights.items() if not n.startswith(LEFT_BEHIND)}
        settings, kept = merged(model.settings, kept)
        write_bundle(folder, settings, kept, labels, temperature, training, card)
        if len(labels):
            calibrate_on(open_bundle(folder), _course(lesson, opened, parts), seed=chosen.seed)
        else:
            note(
                f"{folder}: no record has a name, so it answers nothing; recipes can start from it"
            )
    fabric.barrier()
    return TrainReport(
        run=str(folder),
        labels=len(labels),
        records=len(lesson.row_T),
        epochs=len(history),
        seconds=round(time.monotonic() - started, 1),
        figures=history[-1] if history else {},
    )


def _course(lesson: Lesson, collection: Collection, split: Split) -> Course:
    """Returns the records of a training run, for calibration."""
    train, val = split.rows(Role.TRAIN), split.rows(Role.VAL)
    rows = np.concatenate([train, val])
    table = collection.columns().take(rows)
    unseen_N = split.status_N[rows] == Status.UNSEEN.value
    is_train_N = np.arange(len(rows)) < len(train)
    return Course(lesson.materials, table, is_train_N, split.group_N[rows], unseen_N)


def _fingerprint(recipe: Recipe, collection: Collection, split: Split) -> str:
    described = {
        "recipe": recipe.model_dump(mode="json"),
        "collection": collection.fingerprint,
        "split": [split.made_by, split.role_N.tolist()],
    }
    return files.sha256_bytes(json.dumps(described, sort_keys=True).encode())[:16]


def _finished_before(
    folder: Path, run: str, collection: Collection, split: Split, seed: int
) -> TrainReport:
    bundle = open_bundle(folder)
    training = bundle.manifest["training"]
    if training["run"] != run:
        raise RecipeError(
            f"{folder}: holds a finished run of another recipe, collection or split. "
            "Name another folder with --out."
        )
    files.remove_folder(folder / "resume")
    if len(bundle.labels) and open_decisions(bundle) is None:
        calibrate_on(bundle, course_of(bundle, collection, split), seed=seed)
    note(f"{folder}: this run was finished before; nothing to do")
    history = training["history"]
    figures = history[-1] if history else {}
    return TrainReport(
        str(folder), len(bundle.labels), training["records"], len(history), 0.0, figures
    )


def _prepare(
    recipe: Recipe, collection: Collection, split: Split, run: str
) -> tuple[Lesson, LabelSpace, np.ndarray[Any, np.dtype[np.int64]]]:
    """Returns what to learn from, the labels, and the rows of the materials to validate on."""
    train_rows, val_rows = split.rows(Role.TRAIN), split.rows(Role.VAL)
    if not len(train_rows):
        raise RecipeError("the split has no training records.")
    images = recipe.model.images
    rows = np.concatenate([train_rows, val_rows])
    materials = lesson_materials(recipe, collection, rows)
    columns = collection.columns(["written_label", "vernacular_name"])
    columns = columns.take(np.concatenate([train_rows, val_rows]))
    names = label_names(recipe.target, columns["written_label"].to_pylist(), materials.concept_N)
    count = len(train_rows)
    labels = LabelSpace(recipe.target, ())
    if recipe.masked is None or any(name is not None for name in names[:count]):
        labels = build_label_space(recipe.target, names[:count], materials.concept_N[:count])
    common = columns["vernacular_name"].to_pylist()[:count]
    vernaculars = common_names(zip(materials.concept_N[:count], common, strict=True))
    teaching = teaching_of(
        materials,
        labels,
        names,
        taught=count,
        vernaculars=vernaculars,
        alike=recipe.alike,
    )
    row_T = np.arange(count, dtype=np.int64)
    usable = materials.image_N >= 0 if images else np.zeros(len(materials), dtype=np.bool_)
    if recipe.model.barcodes is not None:
        usable |= np.asarray([barcode is not None for barcode in materials.barcode_N])
    taught = usable[:count]
    instrument_T = lesson_instruments(recipe, collection, train_rows[taught])
    lesson = Lesson(recipe, materials, teaching, row_T[taught], run, instrument_T)
    left_out = count - len(lesson.row_T)
    if not len(lesson.row_T):
        raise RecipeError("no training record has what the recipe's towers read.")
    if left_out:
        note(f"{left_out:,} training records have nothing that the recipe's towers read: left out")
    row_V = np.arange(count, len(materials), dtype=np.int64)
    return lesson, labels, row_V[usable[count:]]


def _summary(
    lesson: Lesson,
    labels: LabelSpace,
    collection: Collection,
    split: Split,
    history: list[dict[str, Any]],
    row_V: np.ndarray[Any, np.dtype[np.int64]],
) -> dict[str, Any]:
    """Returns what a bundle says of its training: data, licences, versions, figures."""
    columns = collection.columns(["licence", "instrument", "source"]).take(split.rows(Role.TRAIN))
    counted = {
        name: dict(sorted(Counter(str(v) for v in columns[name].to_pylist() if v).items()))
        for name in ("instrument", "source")
    }
    licences = licence_counts(columns)
    quiet = [{k: v for k, v in row.items() if k not in ("seconds", "data_wait")} for row in history]
    return {
        "run": lesson.fingerprint,
        "recipe": lesson.recipe.model_dump(mode="json"),
        "collection": {"name": collection.name, "fingerprint": collection.fingerprint},
        "split": {k: v for k, v in split.made_by.items() if k != "fingerprint"},
        "records": len(lesson.row_T),
        "validation_records": len(row_V),
        "labels": len(labels),
        "licences": licences,
        "may": what_may_be_done(licences),
        "instruments": counted["instrument"],
        "sources": counted["source"],
        "versions": {"torch": torch.__version__, "python": platform.python_version()},
        "history": quiet,
    }
