"""A run under way: the model on its devices, the optimiser, the running mean, and how far it is."""

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies.model_parallel import ModelParallelStrategy
from torch import Tensor

from holotype.models.aligned import AlignedModel
from holotype.progress import note
from holotype.training import checkpoint
from holotype.training.checkpoint import Progress, state_tensors, whole
from holotype.training.gathering import Share
from holotype.training.joint_norm import join_norms
from holotype.training.learner import Gradients, Learner
from holotype.training.lesson import Lesson
from holotype.training.optimizer import build_optimizer, clip_gradients, updated_average


@dataclass
class Run:
    """A run under way.

    Attributes:
        fabric: its devices.
        lesson: what it learns.
        folder: where its state is kept.
        trained: the model that learns, whole or parted over processes.
        shown: the model that is validated and kept: the same, or a whole copy that ``judged`` fills.
        gradients: how a step's gradients come about.
        optimizer: the optimiser.
        stepper: the same, set up by ``fabric``.
        average: the running mean of weights, where the recipe asks for one.
        best: the best weights so far, where the recipe keeps them.
        progress: how far it is.
    """

    fabric: Fabric
    lesson: Lesson
    folder: Path
    trained: AlignedModel
    shown: AlignedModel
    gradients: Gradients
    optimizer: torch.optim.Optimizer
    stepper: Any
    average: dict[str, Tensor] | None
    best: dict[str, Tensor] | None
    progress: Progress

    def move(self, *, rate: float) -> None:
        """Takes the optimiser's step with the gradients there are, and clears them."""
        schedule = self.lesson.recipe.schedule
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        if schedule.clip is not None:
            clip_gradients(self.trained.parameters(), largest=schedule.clip)
        self.stepper.step()
        self.stepper.zero_grad()
        if self.average is not None and schedule.average is not None:
            current = self.trained.state_dict()
            step = self.progress.step
            updated_average(self.average, current, decay=schedule.average, step=step)

    def judged(self) -> AlignedModel:
        """Returns the model to validate or keep; every process must ask."""
        if self.shown is not self.trained:
            weights = self.average if self.average is not None else self.trained.state_dict()
            self.shown.load_state_dict({name: whole(value) for name, value in weights.items()})
        return self.shown

    def save(self) -> None:
        """Writes the state; every process must ask, the first one writes."""
        kept = {"average": self.average} if self.average is not None else {}
        if self.best is not None:
            kept["best"] = self.best
        tensors = state_tensors(self.trained, self.optimizer, kept)
        if self.fabric.is_global_zero:
            checkpoint.save_checkpoint(self.folder, self.progress, tensors)


def started(fabric: Fabric, model: AlignedModel, lesson: Lesson, folder: Path) -> Run:
    """Returns a run at its start, or where the checkpoint in ``folder`` left it."""
    schedule = lesson.recipe.schedule
    share = Share(fabric.global_rank, fabric.world_size)
    apart = (
        schedule.average is not None
        or lesson.recipe.precision == "bf16-true"
        or isinstance(fabric.strategy, ModelParallelStrategy)
    )
    trained = copy.deepcopy(model) if apart else model
    if share.world > 1:
        join_norms(trained)
    learner = fabric.setup_module(Learner(trained.to(fabric.device)))
    optimizer = build_optimizer(trained, schedule)
    stepper = fabric.setup_optimizers(optimizer)
    model.to(fabric.device)
    progress = Progress(lesson.fingerprint)
    average = None
    if schedule.average is not None:
        average = {
            name: value.detach().clone().float() if value.is_floating_point() else value.clone()
            for name, value in trained.state_dict().items()
        }
    run = Run(
        fabric=fabric,
        lesson=lesson,
        folder=folder,
        trained=trained,
        shown=model,
        gradients=Gradients(fabric, learner, lesson, share),
        optimizer=optimizer,
        stepper=stepper,
        average=average,
        best=None,
        progress=progress,
    )
    if (folder / checkpoint.CHECKPOINT).is_file():
        _go_on(run)
    return run


def _go_on(run: Run) -> None:
    run.progress, kept = checkpoint.load_checkpoint(
        run.folder, run.lesson.fingerprint, run.trained, run.optimizer
    )
    run.best = kept.get("best")
    if run.average is not None:
        for name, value in kept["average"].items():
            run.average[name].copy_(checkpoint.parted_like(value, run.average[name]))
    if run.fabric.is_global_zero:
        after = f" and {run.progress.done} steps" if run.progress.done else ""
        note(f"{run.folder}: going on after epoch {run.progress.epoch}{after}")
