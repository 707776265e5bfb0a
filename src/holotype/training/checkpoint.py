"""The state of a run on disk: one safetensors file, whole or absent, from which training goes on exactly."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from holotype import files
from holotype.errors import BundleError

CHECKPOINT = Path("resume") / "checkpoint.safetensors"


@dataclass
class Progress:
    """How far a run is.

    Attributes:
        run: fingerprint of recipe, collection and split; a checkpoint of another run is refused.
        epoch: epochs finished.
        step: optimiser steps done.
        history: one row of figures for each finished epoch.
        best_score, best_epoch: of the validations so far.
    """

    run: str
    epoch: int = 0
    step: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)
    best_score: float | None = None
    best_epoch: int | None = None


def save_checkpoint(
    folder: Path,
    progress: Progress,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    kept: dict[str, dict[str, Tensor]],
) -> None:
    """Writes the state after a finished epoch.

    Args:
        folder: the run.
        progress: how far it is.
        model: the trained model.
        optimizer: its optimiser.
        kept: further weights by name, such as ``average`` and ``best``.
    """
    tensors = {f"model/{name}": value for name, value in model.state_dict().items()}
    for kind, weights in kept.items():
        tensors |= {f"{kind}/{name}": value for name, value in weights.items()}
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer/{index}/{k}": torch.as_tensor(v) for k, v in state.items()}
    tensors = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    with files.written_whole(folder / CHECKPOINT) as temporary:
        save_file(tensors, temporary, metadata={"progress": json.dumps(vars(progress))})


def refuse_another_run(folder: Path, run: str) -> None:
    """Raises ``BundleError`` when the folder holds a checkpoint of another recipe or data."""
    if not (folder / CHECKPOINT).is_file():
        return
    with safe_open(folder / CHECKPOINT, framework="pt") as stored:
        found = json.loads(stored.metadata()["progress"])["run"]
    if found != run:
        raise BundleError(
            f"{folder}: holds an unfinished run of another recipe, collection or split. "
            "Name another folder with --out, or remove this one."
        )


def load_checkpoint(
    folder: Path, run: str, model: nn.Module, optimizer: torch.optim.Optimizer
) -> tuple[Progress, dict[str, dict[str, Tensor]]]:
    """Returns how far a run was and its further weights; fills the model and the optimiser.

    Raises:
        BundleError: when the checkpoint is of another recipe, collection or split.
    """
    refuse_another_run(folder, run)
    with safe_open(folder / CHECKPOINT, framework="pt") as stored:
        progress = Progress(**json.loads(stored.metadata()["progress"]))
        tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
    parts: dict[str, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        kind, _, rest = name.partition("/")
        parts.setdefault(kind, {})[rest] = value
    model.load_state_dict(parts.pop("model"))
    states: dict[int, dict[str, Tensor]] = {}
    for name, value in parts.pop("optimizer", {}).items():
        index, _, key = name.partition("/")
        states.setdefault(int(index), {})[key] = value
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": states, "param_groups": groups})
    return progress, parts
