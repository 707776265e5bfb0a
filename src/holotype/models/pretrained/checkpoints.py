"""Files of weights -> tensors, without running anything that a file says.

safetensors is read as it is. Older files are pickles; they are read in the mode that admits tensors, numbers,
text and plain containers only, and refused where they hold anything else.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from holotype.errors import RecipeError, first_few

_PICKLES = frozenset({".pt", ".pth", ".bin", ".ckpt"})
_WRAPPERS = ("state_dict", "model_state_dict", "model")


@dataclass(frozen=True)
class Checkpoint:
    """What a file of weights holds.

    Attributes:
        path: the file.
        tensors: by name, on the CPU; ``module.`` of parallel training is cut off.
        others: what stands beside them, as the configuration of a model.
    """

    path: Path
    tensors: dict[str, Tensor]
    others: dict[str, Any]

    def part(self, *prefixes: str) -> dict[str, Tensor]:
        """Returns the tensors under the first prefix that any has, without it; empty if none has."""
        for prefix in prefixes:
            found = {
                k.removeprefix(prefix): v for k, v in self.tensors.items() if k.startswith(prefix)
            }
            if found:
                return found
        return {}


def read_checkpoint(path: Path) -> Checkpoint:
    """Returns the tensors of a file of weights.

    Raises:
        RecipeError: for another kind of file, a damaged one, or a pickle of more than tensors.
    """
    if path.suffix == ".safetensors":
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            return Checkpoint(path, load_file(path), {})
        except SafetensorError as reason:
            raise RecipeError(
                f"{path}: no safetensors file ({reason}). Fetch it again."
            ) from reason
    if path.suffix not in _PICKLES:
        known = ", ".join([".safetensors", *sorted(_PICKLES)])
        raise RecipeError(f"{path}: weights end in one of {known}.")
    content = _unpickled(path)
    if not isinstance(content, Mapping):
        raise RecipeError(f"{path}: holds a {type(content).__name__}, not tensors by name.")
    inner = next((content[k] for k in _WRAPPERS if isinstance(content.get(k), Mapping)), content)
    tensors = {
        str(name).removeprefix("module."): value
        for name, value in inner.items()
        if isinstance(value, Tensor)
    }
    if not tensors:
        raise RecipeError(f"{path}: holds no tensors. Give the file of the weights.")
    others = {str(k): v for k, v in content.items() if v is not inner and not isinstance(v, Tensor)}
    return Checkpoint(path, tensors, others)


def _unpickled(path: Path) -> Any:
    import pickle  # noqa: TID251 - for the name of its error alone

    try:
        return torch.load(path, map_location="cpu", weights_only=True)  # noqa: TID251 - tensors only
    except (pickle.UnpicklingError, AttributeError, ModuleNotFoundError) as reason:
        first_line = str(reason).splitlines()[0] if str(reason) else type(reason).__name__
        raise RecipeError(
            f"{path}: holds Python objects beside tensors, and opening those could run code, so it is "
            f"refused ({first_line}). Have its publisher's program save the tensors as safetensors."
        ) from reason
    except (RuntimeError, EOFError, ValueError, OSError) as reason:
        raise RecipeError(f"{path}: cannot be read ({reason}). Fetch it again.") from reason


def load_exactly(
    module: nn.Module, tensors: Mapping[str, Tensor], *, where: str, ignored: Iterable[str] = ()
) -> None:
    """Loads tensors into a module: every one has a place and every place gets one.

    Args:
        module: what to fill.
        tensors: by name.
        where: the file, for errors.
        ignored: beginnings of names that the module has no use for.

    Raises:
        RecipeError: names what is missing, left over, or of another shape.
    """
    used = {k: v for k, v in tensors.items() if not k.startswith(tuple(ignored))}
    wanted = module.state_dict()
    missing, left = sorted(wanted.keys() - used.keys()), sorted(used.keys() - wanted.keys())
    shapes = [
        f"{k} is {list(used[k].shape)}, not {list(v.shape)}"
        for k, v in wanted.items()
        if k in used and used[k].shape != v.shape
    ]
    told = [
        f"{what}: {first_few(names)}"
        for what, names in (("missing", missing), ("left over", left), ("shapes", shapes))
        if names
    ]
    if told:
        raise RecipeError(
            f"{where}: not the weights of this architecture ({'; '.join(told)}). Check the name of the "
            "architecture and of the file."
        )
    module.load_state_dict(used)


def read_json(path: Path) -> dict[str, Any]:
    """Returns the object in a JSON file.

    Raises:
        RecipeError: when it is no JSON object.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as reason:
        raise RecipeError(f"{path}: no JSON ({reason}). Fetch it again.") from reason
    if not isinstance(content, dict):
        raise RecipeError(f"{path}: no JSON object. Fetch it again.")
    return content
