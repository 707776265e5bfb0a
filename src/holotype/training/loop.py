"""The training loop: one step after another, resumable, the same on one device or several.

Every random choice of a step comes from (seed, step), so a resumed run repeats the uninterrupted one.
"""

import copy
import csv
import io
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor, nn

from holotype import files
from holotype.inputs.batches import Batch, shrunk, shuffled
from holotype.inputs.materials import Materials
from holotype.models.aligned import AlignedModel
from holotype.progress import note
from holotype.randomness import generator, stream_seed
from holotype.training import checkpoint
from holotype.training.batching import rows_by_modality, side_at, training_batch
from holotype.training.checkpoint import Progress
from holotype.training.objective import Seen, step_losses
from holotype.training.optimizer import build_optimizer, learning_rate, updated_average
from holotype.training.recipe import Recipe
from holotype.training.teaching import Teaching

Validate = Callable[[AlignedModel, int | None], dict[str, float]]
"""Scores a model with images of the side that it was just trained on.

The key ``score`` is what ``keep = "best"`` goes by, higher is better."""


@dataclass(frozen=True)
class Lesson:
    """All that a run learns from.

    Attributes:
        recipe: the run.
        materials: the records.
        teaching: what they teach.
        row_T: int64, the rows to train on.
        fingerprint: of recipe, collection and split.
    """

    recipe: Recipe
    materials: Materials
    teaching: Teaching
    row_T: NDArray[np.int64]
    fingerprint: str


def fit(
    fabric: Fabric, model: AlignedModel, lesson: Lesson, folder: Path, validate: Validate
) -> tuple[dict[str, Tensor], list[dict[str, Any]]]:
    """Trains a model to the end of its recipe, from a checkpoint in ``folder`` when there is one.

    Returns:
        The weights to keep (last, averaged or best, as the recipe says) and one row of figures an epoch.
    """
    recipe, schedule = lesson.recipe, lesson.recipe.schedule
    optimizer = build_optimizer(model, schedule)
    average = copy.deepcopy(model) if schedule.average is not None else None
    progress, best = Progress(lesson.fingerprint), None
    wrapped, stepper = fabric.setup(model, optimizer)
    if (folder / checkpoint.CHECKPOINT).is_file():
        progress, kept = checkpoint.load_checkpoint(folder, lesson.fingerprint, model, optimizer)
        best = kept.get("best")
        if average is not None:
            average.load_state_dict(kept["average"])
        note(f"{folder}: going on after epoch {progress.epoch}")
    if average is not None:
        average.to(fabric.device)
    logger = _TensorBoard(folder / "tensorboard", purge_after=progress.step)
    while progress.epoch < schedule.epochs and not _patience_is_over(progress, schedule.patience):
        started = time.monotonic()
        row = _train_epoch(fabric, wrapped, stepper, average, lesson, progress)
        judged = average if average is not None else model
        last = progress.epoch == schedule.epochs
        if progress.epoch % schedule.validate_every == 0 or last:
            row |= validate(judged, side_at(recipe, progress.epoch - 1))
            if progress.best_score is None or row["score"] > progress.best_score:
                progress.best_score, progress.best_epoch = row["score"], progress.epoch
                best = {name: v.detach().clone() for name, v in judged.state_dict().items()}
        row["seconds"] = round(time.monotonic() - started, 2)
        progress.history.append(row)
        if fabric.is_global_zero:
            note(_told(row, schedule.epochs))
            files.write_text(folder / "metrics.csv", _as_csv(progress.history))
            logger.write(row, progress.step)
            kept = {"average": average.state_dict()} if average is not None else {}
            if schedule.keep == "best" and best is not None:
                kept["best"] = best
            checkpoint.save_checkpoint(folder, progress, model, optimizer, kept)
    logger.close()
    judged = average if average is not None else model
    weights = best if schedule.keep == "best" and best is not None else judged.state_dict()
    return {name: value.detach().cpu() for name, value in weights.items()}, progress.history


def _train_epoch(
    fabric: Fabric,
    wrapped: Any,
    optimizer: torch.optim.Optimizer,
    average: nn.Module | None,
    lesson: Lesson,
    progress: Progress,
) -> dict[str, Any]:
    recipe, schedule = lesson.recipe, lesson.recipe.schedule
    model: AlignedModel = wrapped.module
    rng = generator(recipe.seed, "order", progress.epoch)
    weight_T = _drawing_weights(lesson) if schedule.balance else None
    batches = list(
        shuffled(lesson.row_T, batch_size=schedule.batch_size, rng=rng, weight_R=weight_T)
    )
    total, side_px = len(batches) * schedule.epochs, side_at(recipe, progress.epoch)
    sums: dict[str, float] = {}
    counts: dict[str, int] = {}
    wrapped.train()
    for row_B in batches:
        rate = learning_rate(schedule, step=progress.step, total=total)
        for group in optimizer.param_groups:
            group["lr"] = rate
        torch.manual_seed(stream_seed(recipe.seed, "dropout", progress.step))
        share_B = row_B[fabric.global_rank :: fabric.world_size]
        losses = _losses(fabric, wrapped, lesson, share_B, step=progress.step, side_px=side_px)
        loss = torch.stack([*losses.values(), _nothing(model)]).sum()
        if not math.isfinite(float(loss.detach())):
            raise FloatingPointError(f"the loss is {float(loss.detach())} at step {progress.step}")
        fabric.backward(loss)
        if schedule.clip is not None:
            fabric.clip_gradients(wrapped, optimizer, max_norm=schedule.clip)
        optimizer.step()
        optimizer.zero_grad()
        if average is not None and schedule.average is not None:
            updated_average(
                average.state_dict(),
                model.state_dict(),
                decay=schedule.average,
                step=progress.step,
            )
        progress.step += 1
        for name, value in losses.items():
            sums[name] = sums.get(name, 0.0) + float(value.detach())
            counts[name] = counts.get(name, 0) + 1
    progress.epoch += 1
    figures = {f"loss_{name}": value / counts[name] for name, value in sums.items()}
    row = {"epoch": progress.epoch, "step": progress.step, "rate": rate, **figures}
    return {**row, "loss": sum(figures.values()), "scale": float(model.scale.detach())}


def _nothing(model: nn.Module) -> Tensor:
    """Returns a zero that gradients flow through: a share without a loss still takes part in the step."""
    return 0.0 * next(p for p in model.parameters() if p.requires_grad).sum()


def _drawing_weights(lesson: Lesson) -> NDArray[np.float64]:
    """Returns how often to draw each training row: by the frequency of its label, to a power."""
    label_T = lesson.teaching.label_N[lesson.row_T]
    count = np.bincount(label_T[label_T >= 0], minlength=1).astype(np.float64)
    frequency_T = np.where(label_T >= 0, count[np.maximum(label_T, 0)], 1.0)
    weight_T: NDArray[np.float64] = frequency_T**-lesson.recipe.schedule.balance
    return weight_T


def _losses(
    fabric: Fabric,
    wrapped: Any,
    lesson: Lesson,
    row_B: NDArray[np.int64],
    *,
    step: int,
    side_px: int | None,
) -> dict[str, Tensor]:
    """Returns the weighted losses of a step, by name."""
    recipe = lesson.recipe

    def ready(view: str) -> tuple[Batch, Any]:
        batch, captions = training_batch(
            recipe, wrapped.module, lesson.materials, lesson.teaching, row_B, step=step, view=view
        )
        batch = shrunk(batch, side_px) if side_px is not None else batch
        return batch.to(fabric.device), captions

    batch, captions = ready("first")
    embedding, row_of = wrapped(batch), rows_by_modality(batch)
    twice = recipe.align is not None and any(a == b for a, b in recipe.align.pairs)
    views = wrapped(ready("second")[0]) if twice else None
    seen = Seen(embedding, views, row_of, captions)
    return step_losses(wrapped.module, recipe, lesson.teaching, lesson.materials, seen)


def _patience_is_over(progress: Progress, patience: int | None) -> bool:
    if patience is None or progress.best_epoch is None:
        return False
    return progress.epoch - progress.best_epoch >= patience


def _told(row: dict[str, Any], epochs: int) -> str:
    shown = [f"{k} {v:.4f}" for k, v in row.items() if isinstance(v, float) and k != "rate"]
    return f"epoch {row['epoch']}/{epochs}: " + ", ".join(shown)


def _as_csv(history: list[dict[str, Any]]) -> str:
    names = list(dict.fromkeys(name for row in history for name in row))
    written = io.StringIO()
    writer = csv.DictWriter(written, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(history)
    return written.getvalue()


class _TensorBoard:
    """The figures of epochs for TensorBoard; what a resumed run repeats is purged."""

    def __init__(self, folder: Path, *, purge_after: int) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(str(folder), purge_step=purge_after + 1)

    def write(self, row: dict[str, Any], step: int) -> None:
        for name, value in row.items():
            if isinstance(value, float):
                self._writer.add_scalar(name, value, step)

    def close(self) -> None:
        self._writer.close()
