"""The training loop: one step after another, resumable at any step, the same on one device or several.

Every random choice of a step comes from (seed, step), so a resumed run repeats the uninterrupted one.
"""

import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor

from holotype.models.aligned import AlignedModel
from holotype.progress import note
from holotype.training.batching import StepInputs, side_at, step_inputs
from holotype.training.checkpoint import Progress, whole
from holotype.training.figures import EpochLog
from holotype.training.interrupts import Interrupts, interrupts
from holotype.training.learner import wants_two_views
from holotype.training.lesson import Lesson
from holotype.training.loading import ready_ahead
from holotype.training.optimizer import learning_rate
from holotype.training.running import Run, started
from holotype.training.sampling import epoch_batches
from holotype.training.tally import Tally

Validate = Callable[[AlignedModel, int | None], dict[str, float]]
"""Scores a model with images of the side that it was just trained on.

The key ``score`` is what ``keep = "best"`` goes by, higher is better."""

AHEAD = 4
"""Steps made ready in the background."""
LOOK_EVERY = 8
"""Steps between looks at losses and signals where a look costs waiting: on GPUs and several processes."""
NOTE_EVERY_S = 60.0


def fit(
    fabric: Fabric, model: AlignedModel, lesson: Lesson, folder: Path, validate: Validate
) -> tuple[dict[str, Tensor], list[dict[str, Any]]]:
    """Trains a model to the end of its recipe, from a checkpoint in ``folder`` when there is one.

    Returns:
        The weights to keep (last, averaged or best, as the recipe says) and one row of figures an epoch.

    Raises:
        KeyboardInterrupt: after SIGINT or SIGTERM, when the state is saved.
        FloatingPointError: when the loss is no number.
    """
    recipe, schedule = lesson.recipe, lesson.recipe.schedule
    run = started(fabric, model, lesson, folder)
    with (
        EpochLog(folder, run.progress, active=fabric.is_global_zero) as log,
        interrupts() as signals,
    ):
        while not _is_over(run.progress, schedule.epochs, schedule.patience):
            row = _train_epoch(run, signals)
            progress, begun = run.progress, time.monotonic()
            if progress.epoch % schedule.validate_every == 0 or progress.epoch == schedule.epochs:
                judged = run.judged()
                row |= validate(judged, side_at(recipe, progress.epoch - 1))
                if progress.best_score is None or row["score"] > progress.best_score:
                    progress.best_score, progress.best_epoch = row["score"], progress.epoch
                    if schedule.keep == "best":
                        run.best = _copied(judged)
            row["seconds"] = round(row["seconds"] + time.monotonic() - begun, 2)
            progress.history.append(row)
            log.write(progress, schedule.epochs)
            _agreed(run, signals, due=True)
            run.save()
            _end_if_asked(run, signals)
    kept = run.best if schedule.keep == "best" and run.best is not None else _copied(run.judged())
    return {name: value.cpu() for name, value in kept.items()}, run.progress.history


def _train_epoch(run: Run, signals: Interrupts) -> dict[str, Any]:
    """Takes the steps of an epoch that are left; returns its figures."""
    fabric, lesson, progress = run.fabric, run.lesson, run.progress
    recipe, schedule = lesson.recipe, lesson.recipe.schedule
    batches = epoch_batches(lesson, progress.epoch)
    total, first = len(batches) * schedule.epochs, progress.step - progress.done
    side_px = side_at(recipe, progress.epoch)
    views = 2 if wants_two_views(recipe) else 1
    tally, saved, told = Tally(progress.tally), time.monotonic(), time.monotonic()

    def made(at: int) -> StepInputs:
        return step_inputs(
            recipe, run.trained, lesson.materials, lesson.teaching, batches[at],
            step=first + at, views=views, side_px=side_px,
            share=run.gradients.share, device=fabric.device,
        )  # fmt: skip

    run.trained.train()
    workers = 1 if fabric.device.type == "cpu" else 4
    left = range(progress.done, len(batches))
    began, before = time.perf_counter(), tally.seconds
    with closing(ready_ahead(made, left, depth=AHEAD, workers=workers)) as inputs:
        for ready in inputs:
            losses = run.gradients.add(ready.value, done=progress.step / total)
            tally.add(progress.step, losses)
            if _looks(fabric, progress.done, len(batches)):
                tally.settle()
            rate = learning_rate(schedule, step=progress.step, total=total)
            run.move(rate=rate)
            progress.step, progress.done = progress.step + 1, progress.done + 1
            tally.waited += ready.waited_s
            tally.seconds = before + time.perf_counter() - began
            if progress.done == len(batches) or not _looks(fabric, progress.done - 1, len(batches)):
                continue
            if _agreed(run, signals, due=_due(run, since=saved)):
                tally.settle()
                progress.tally, saved = tally.kept(), time.monotonic()
                run.save()
                _end_if_asked(run, signals)
            if fabric.is_global_zero and time.monotonic() - told > NOTE_EVERY_S:
                told = time.monotonic()
                note(
                    f"epoch {progress.epoch + 1}/{schedule.epochs}, step {progress.done:,} of "
                    f"{len(batches):,}: loss {tally.latest:.4f}, data_wait {tally.data_wait:.4f}"
                )
    tally.settle()
    progress.epoch, progress.done, progress.tally = progress.epoch + 1, 0, {}
    scale = float(whole(run.trained.scale.detach()))
    row = {"epoch": progress.epoch, "step": progress.step, "rate": rate, **tally.means()}
    return {**row, "scale": scale, "data_wait": tally.data_wait, "seconds": tally.seconds}


def _looks(fabric: Fabric, done: int, steps: int) -> bool:
    """Returns whether losses and signals are looked at after this step of an epoch."""
    cheap = fabric.device.type == "cpu" and fabric.world_size == 1
    return cheap or done % LOOK_EVERY == LOOK_EVERY - 1 or done == steps - 1


def _due(run: Run, *, since: float) -> bool:
    """Returns whether it is time to save the state within an epoch."""
    schedule = run.lesson.recipe.schedule
    if schedule.checkpoint_steps is not None and run.progress.done % schedule.checkpoint_steps == 0:
        return True
    return time.monotonic() - since > 60 * schedule.checkpoint_minutes


def _agreed(run: Run, signals: Interrupts, *, due: bool) -> bool:
    """Returns whether any process wants the state saved; all take note of a signal that one has seen."""
    if run.fabric.world_size > 1:
        asked = torch.tensor([float(due), float(signals.asked)], device=run.fabric.device)
        torch.distributed.all_reduce(asked, torch.distributed.ReduceOp.MAX)
        due, signals.asked = (value > 0 for value in asked.tolist())
    return due or signals.asked


def _end_if_asked(run: Run, signals: Interrupts) -> None:
    """Ends the run after a signal, when there is something left to do.

    Raises:
        KeyboardInterrupt: then.
    """
    if not signals.asked or run.progress.epoch == run.lesson.recipe.schedule.epochs:
        return
    if run.fabric.is_global_zero:
        note(f"{run.folder}: stopped after step {run.progress.step}; the same command goes on")
    raise KeyboardInterrupt


def _is_over(progress: Progress, epochs: int, patience: int | None) -> bool:
    if progress.epoch >= epochs:
        return True
    if patience is None or progress.best_epoch is None:
        return False
    return progress.epoch - progress.best_epoch >= patience


def _copied(model: AlignedModel) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in model.state_dict().items()}
