"""What of a tower learns: all of it, nothing, its last blocks, or a low-rank change of its attention.

The low-rank change stands beside the weight it changes and is added to it whenever the weight is used, so one
way serves separate projections (BERT), joint ones (timm) and the joint weight of torch's own attention
(open_clip). Queries and values change, keys do not.

Shapes: P parts of a weight, R rank, N rows of a part, K columns.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from holotype.errors import RecipeError
from holotype.models.settings import TuningKind, TuningSettings

_SEPARATE = frozenset({"query", "value", "q_proj", "v_proj", "q", "v"})
_BLOCKS = frozenset({"blocks", "resblocks", "stages", "layers", "layer"})
_AFTER = (
    "norm",
    "fc_norm",
    "ln_post",
    "ln_final",
    "final_norm",
    "proj",
    "text_projection",
    "head",
    "pooler",
)
"""Parts that follow the blocks, in the names of timm, open_clip and ours."""
_CHANGE = ".parametrizations.{}.0."


class LowRankChange(nn.Module):
    """Adds a product of two narrow matrices to a weight, to all its rows or to those of queries and values.

    The product starts at zero, so a tower starts as it was.

    Reference: Hu et al. 2021, "LoRA", arXiv 2106.09685.
    """

    def __init__(self, weight: Tensor, *, parts: int, rank: int, scale: float) -> None:
        super().__init__()
        rows = weight.shape[0] if parts == 1 else weight.shape[0] // 3
        columns = weight.shape[1]
        self.down_PRK = nn.Parameter(torch.empty(parts, rank, columns))
        self.up_PNR = nn.Parameter(torch.zeros(parts, rows, rank))
        self.scale = scale
        for down_RK in self.down_PRK:
            nn.init.kaiming_uniform_(down_RK, a=math.sqrt(5))

    def forward(self, weight: Tensor) -> Tensor:
        """Returns the changed weight, of the same shape."""
        return changed_weight(weight, self.down_PRK, self.up_PNR, self.scale)


def changed_weight(weight: Tensor, down_PRK: Tensor, up_PNR: Tensor, scale: float) -> Tensor:
    """Returns a weight with its low-rank change added.

    One part changes all rows; two parts change the first and the last third (queries and values).
    """
    change_PNK = scale * up_PNR @ down_PRK
    if len(change_PNK) == 1:
        return weight + change_PNK[0]
    query_NK, value_NK = change_PNK
    return weight + torch.cat([query_NK, torch.zeros_like(query_NK), value_NK])


@dataclass(frozen=True)
class Tuned:
    """What of a tower learns, as counts of numbers.

    Attributes:
        learning: numbers that learn.
        total: all numbers of the tower.
    """

    learning: int
    total: int


def tune(tower: nn.Module, settings: TuningSettings, *, key: str) -> Tuned:
    """Sets what of a tower learns, in place, and returns how much that is.

    Args:
        tower: fresh or pretrained.
        settings: what learns.
        key: the recipe's key, for errors, as ``images.tuning``.

    Raises:
        RecipeError: when the tower has no attention to change, or fewer blocks than asked for.
    """
    if settings.kind is not TuningKind.ALL:
        for parameter in tower.parameters():
            parameter.requires_grad = False
    if settings.kind is TuningKind.LORA:
        _add_changes(tower, settings, key)
    elif settings.kind is TuningKind.LAST_BLOCKS:
        for parameter in _last_parameters(tower, settings.last_blocks, key):
            parameter.requires_grad = True
    return counted(tower)


def counted(module: nn.Module) -> Tuned:
    """Returns how many numbers of a module learn, and how many there are."""
    sizes = [(p.numel(), p.requires_grad) for p in module.parameters()]
    return Tuned(sum(size for size, learns in sizes if learns), sum(size for size, _ in sizes))


def _add_changes(tower: nn.Module, settings: TuningSettings, key: str) -> None:
    found = list(_attention_weights(tower))
    if not found:
        raise RecipeError(
            f"{key}.kind = lora: this tower has no attention to change. Take last_blocks, frozen or all."
        )
    for module, name, parts in found:
        weight: Tensor = getattr(module, name)
        change = LowRankChange(weight, parts=parts, rank=settings.rank, scale=settings.lora_scale)
        parametrize.register_parametrization(module, name, change)
        module.parametrizations[name].original.requires_grad = False  # type: ignore[index, union-attr]


def _attention_weights(tower: nn.Module) -> Iterator[tuple[nn.Module, str, int]]:
    """Yields the weights of queries and values: module, name, and 1 part or 2 of a joint one."""
    for path, module in tower.named_modules():
        leaf = path.rpartition(".")[2]
        if isinstance(module, nn.MultiheadAttention) and module.in_proj_weight is not None:
            yield module, "in_proj_weight", 2
        elif isinstance(module, nn.Linear) and leaf in _SEPARATE:
            yield module, "weight", 1
        elif (
            isinstance(module, nn.Linear)
            and leaf == "qkv"
            and module.out_features == 3 * module.in_features
        ):
            yield module, "weight", 2


def _last_parameters(tower: nn.Module, count: int, key: str) -> Iterator[nn.Parameter]:
    lists = [
        (sum(p.numel() for p in module.parameters()), path, module)
        for path, module in tower.named_modules()
        if isinstance(module, nn.ModuleList | nn.Sequential) and path.rpartition(".")[2] in _BLOCKS
    ]
    if not lists:
        raise RecipeError(
            f"{key}.kind = last_blocks: this tower has no blocks. Take frozen or all."
        )
    _, chosen, blocks = max(lists, key=lambda entry: (entry[0], -len(entry[1])))
    if count > len(blocks):
        raise RecipeError(f"{key}.last_blocks = {count}: this tower has {len(blocks)} blocks.")
    for block in list(blocks)[-count:]:
        yield from block.parameters()
    for name, parameter in tower.named_parameters():
        inside = name.startswith(f"{chosen}.")
        if not inside and any(part in _AFTER for part in name.split(".")):
            yield parameter


def merged_weights(weights: Mapping[str, Tensor], scales: Mapping[str, float]) -> dict[str, Tensor]:
    """Returns weights with every low-rank change added, by the names of a model without changes.

    Args:
        weights: of a model, or an average of them.
        scales: by the beginning of a name, as ``towers.image.``: what its changes are multiplied by.
    """
    found: dict[str, Tensor] = {}
    for name, value in weights.items():
        stem, mark, rest = name.partition(".parametrizations.")
        if not mark:
            found[name] = value
            continue
        leaf, _, kind = rest.partition(".")
        if kind != "original":
            continue
        change = stem + _CHANGE.format(leaf)
        scale = next(s for beginning, s in scales.items() if name.startswith(beginning))
        down_PRK, up_PNR = weights[f"{change}down_PRK"], weights[f"{change}up_PNR"]
        found[f"{stem}.{leaf}"] = changed_weight(value, down_PRK, up_PNR, scale)
    return found
