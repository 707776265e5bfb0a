"""The state of a run on disk: one safetensors file, whole or absent, from which training goes on exactly.

The file holds whole tensors, however many processes shared them: a run may go on with another number.
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from holotype import files
from holotype.errors import BundleError

CHECKPOINT = Path("resume") / "checkpoint.safetensors"
VERSION = 2


@dataclass
class Progress:
    """How far a run is.

    Attributes:
        run: fingerprint of recipe, collection and split; a checkpoint of another run is refused.
        epoch: epochs finished.
        step: optimiser steps done.
        done: steps done of the epoch that is not finished.
        tally: sums and counts of its losses so far, and the seconds that it took and waited.
        history: one row of figures for each finished epoch.
        best_score, best_epoch: of the validations so far.
    """

    run: str
    epoch: int = 0
    step: int = 0
    done: int = 0
    tally: dict[str, dict[str, float]] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    best_score: float | None = None
    best_epoch: int | None = None


def whole(tensor: Tensor) -> Tensor:
    """Returns a tensor as it is, or put together from the parts of all processes, which must all ask."""
    from torch.distributed.tensor import DTensor

    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def state_tensors(
    model: nn.Module, optimizer: torch.optim.Optimizer, kept: dict[str, dict[str, Tensor]]
) -> dict[str, Tensor]:
    """Returns all tensors of a run's state, whole and on the CPU; every process must ask.

    Args:
        model: the trained model.
        optimizer: its optimiser.
        kept: further weights by name, such as ``average`` and ``best``.
    """
    tensors = {f"model/{name}": value for name, value in model.state_dict().items()}
    for kind, weights in kept.items():
        tensors |= {f"{kind}/{name}": value for name, value in weights.items()}
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer/{index}/{k}": torch.as_tensor(v) for k, v in state.items()}
    return {
        name: whole(value).detach().cpu().contiguous().clone() for name, value in tensors.items()
    }


def save_checkpoint(folder: Path, progress: Progress, tensors: dict[str, Tensor]) -> None:
    """Writes the state of a run; one process does it."""
    described = {"version": VERSION, **asdict(progress)}
    with files.written_whole_aside(folder / CHECKPOINT) as temporary:
        save_file(tensors, temporary, metadata={"progress": json.dumps(described)})


def refuse_another_run(folder: Path, run: str) -> None:
    """Raises ``BundleError`` when the folder holds a checkpoint of another recipe, data or version."""
    if not (folder / CHECKPOINT).is_file():
        return
    with safe_open(folder / CHECKPOINT, framework="pt") as stored:
        found = json.loads(stored.metadata()["progress"])
    if found["run"] != run or found.get("version") != VERSION:
        raise BundleError(
            f"{folder}: holds an unfinished run of another recipe, collection, split or version. "
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
        described = json.loads(stored.metadata()["progress"])
        tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
    del described["version"]
    parts: dict[str, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        kind, _, rest = name.partition("/")
        parts.setdefault(kind, {})[rest] = value
    fill(model, parts.pop("model"))
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    states: dict[int, dict[str, Tensor]] = {}
    for name, value in parts.pop("optimizer", {}).items():
        index, _, key = name.partition("/")
        states.setdefault(int(index), {})[key] = parted_like(value, weights[int(index)])
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": states, "param_groups": groups})
    return Progress(**described), parts


def fill(model: nn.Module, weights: dict[str, Tensor]) -> None:
    """Gives a model, whole or parted, whole weights."""
    templates = model.state_dict()
    model.load_state_dict(
        {name: parted_like(value, templates[name]) for name, value in weights.items()}
    )


def parted_like(value: Tensor, template: Tensor) -> Tensor:
    """Returns a whole tensor parted over the processes as the template is, if it is."""
    from torch.distributed.tensor import DTensor, distribute_tensor

    if not isinstance(template, DTensor) or value.shape != template.shape:
        return value
    return distribute_tensor(value.to(template.device), template.device_mesh, template.placements)
