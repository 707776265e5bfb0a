"""From a step's inputs to gradients: the same on one device, on several, and for batches larger than memory.

Shapes: R rows of one process, G rows of all, D features.
"""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from holotype.inputs.batches import Batch
from holotype.models.aligned import AlignedModel, Embeddings
from holotype.models.towers import Modality
from holotype.randomness import stream_seed
from holotype.training.batching import StepInputs
from holotype.training.gathering import Share, gathered
from holotype.training.joint_norm import JointBatchNorm, kept_statistics
from holotype.training.lesson import Lesson
from holotype.training.objective import Seen, step_losses
from holotype.training.recipe import Recipe

MASKED = "masked"
Rows = dict[str, Tensor]
"""Embeddings by modality, and what each barcode's hidden tokens add under ``MASKED``: a row a record, all."""
Views = tuple[Rows, ...]
"""The rows of each view of a step."""


class Learner(nn.Module):
    """A model whose every use while training goes through ``forward``.

    DDP and FSDP watch a module's forward: what happens to the weights elsewhere they would not see.
    """

    def __init__(self, model: AlignedModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, work: Callable[[AlignedModel], Any]) -> Any:
        """Returns what ``work`` makes of the model."""
        return work(self.model)


@dataclass(frozen=True)
class Gradients:
    """How the gradients of a step come about.

    Attributes:
        fabric: the devices.
        learner: the model, set up by ``fabric``.
        lesson: what is learnt.
        share: which part of a step is this process's.
    """

    fabric: Fabric
    learner: Any
    lesson: Lesson
    share: Share

    def add(self, inputs: StepInputs, *, done: float) -> dict[str, Tensor]:
        """Adds the gradients of a step to the weights; returns the weighted losses by name.

        With ``schedule.chunk_size`` this is gradient caching (Gao et al. 2021, arXiv 2101.06983): embeddings
        chunk by chunk without a graph, the loss of all of them and its gradient by embedding, then every
        chunk again with a graph. Dropout is drawn anew with the same seeds; the running statistics of batch
        normalisation change in the second pass only.

        Args:
            inputs: this process's part.
            done: share of the run that is done, from 0 to 1.
        """
        chunks = _chunks(inputs, self.lesson.recipe.schedule.chunk_size, self.share)
        if len(chunks) == 1:
            total, losses = self.learner(partial(self._whole, inputs=inputs, done=done))
            self.fabric.backward(total)
            return _detached(losses)
        works = [
            partial(self._read, inputs=inputs, views=views, chunk=chunk)
            for chunk, views in enumerate(chunks)
        ]
        with torch.no_grad(), kept_statistics(self.learner.module):
            read: list[Views] = [self.learner(work) for work in works]
        leaves = _joined(read)
        with self.fabric.no_backward_sync(self.learner, enabled=True):
            total, losses = self.learner(
                partial(self._losses, inputs=inputs, own=leaves, done=done)
            )
            self.fabric.backward(total)
        for at, (work, slopes) in enumerate(zip(works, _slopes(leaves, read), strict=True)):
            more = at < len(works) - 1
            with self.fabric.no_backward_sync(self.learner, enabled=more):
                pulled = self.learner(partial(_pulled, work=work, slopes=slopes))
                self.fabric.backward(pulled)
        return _detached(losses)

    def _whole(
        self, model: AlignedModel, *, inputs: StepInputs, done: float
    ) -> tuple[Tensor, dict[str, Tensor]]:
        own = self._read(model, inputs=inputs, views=inputs.views, chunk=0)
        return self._losses(model, inputs=inputs, own=own, done=done)

    def _read(
        self, model: AlignedModel, *, inputs: StepInputs, views: tuple[Batch, ...], chunk: int
    ) -> Views:
        """Returns the own rows, float32."""
        seed = self.lesson.recipe.seed
        torch.manual_seed(stream_seed(seed, "dropout", inputs.number, self.share.rank, chunk))
        lowered = any(weight.dtype is torch.bfloat16 for weight in model.towers.parameters())
        found = []
        for batch in views:
            parts = _readable(model, batch)
            with (
                torch.autocast(self.fabric.device.type, torch.bfloat16)
                if lowered
                else nullcontext()
            ):
                embedding, masked_K3 = model.read(parts)
            read: Rows = {modality: z_RD.float() for modality, z_RD in embedding.items()}
            if masked_K3 is not None:
                read[MASKED] = masked_K3
            fillers = _fillers(parts)
            found.append({m: z_RD[:0] if m in fillers else z_RD for m, z_RD in read.items()})
        return tuple(found)

    def _losses(
        self, model: AlignedModel, *, inputs: StepInputs, own: Views, done: float
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Returns the sum of the losses over the rows of all processes, and each of them."""
        seed, lesson = self.lesson.recipe.seed, self.lesson
        torch.manual_seed(stream_seed(seed, "dropout", inputs.number, "head"))
        with torch.autocast(self.fabric.device.type, enabled=False):
            joined = [
                {m: gathered(z, count=_count(inputs, m), share=self.share) for m, z in view.items()}
                for view in own
            ]
            seen = Seen(
                embedding=_embeddings(joined[0]),
                views=_embeddings(joined[1]) if len(joined) > 1 else None,
                row_of=inputs.row_of,
                texts=inputs.texts,
                masked=tuple(view[MASKED] for view in joined if MASKED in view),
            )
            losses = step_losses(
                model, lesson.recipe, lesson.teaching, lesson.materials, seen, progress=done
            )
            # a step may have no loss; it still is a step, on every process
            nothing = 0.0 * torch.stack([z.sum() for view in joined for z in view.values()]).sum()
            return torch.stack([*losses.values(), nothing]).sum(), losses


def wants_two_views(recipe: Recipe) -> bool:
    """Returns whether a recipe aligns a modality with itself."""
    return recipe.align is not None and any(a == b for a, b in recipe.align.pairs)


def _chunks(inputs: StepInputs, chunk_size: int | None, share: Share) -> list[tuple[Batch, ...]]:
    """Returns the views in chunks; as many on every process."""
    if chunk_size is None:
        return [inputs.views]
    modalities = [*inputs.row_of, *([Modality.CAPTION] if inputs.texts is not None else [])]
    most = max(max(share.counts(inputs.count(modality))) for modality in modalities)
    count = -(-most // chunk_size)
    return [
        tuple(view.part(Share(at, count).of, fill=share.world > 1) for view in inputs.views)
        for at in range(count)
    ]


def _count(inputs: StepInputs, name: str) -> int:
    """Returns how many rows of a name all processes have together."""
    return inputs.count(Modality.BARCODE if name == MASKED else Modality(name))


def _embeddings(rows: Rows) -> Embeddings:
    return {Modality(name): z_RD for name, z_RD in rows.items() if name != MASKED}


def _fillers(batch: Batch) -> set[str]:
    parts = {
        Modality.IMAGE: batch.images,
        Modality.BARCODE: batch.barcodes,
        MASKED: batch.barcodes,
        Modality.CAPTION: batch.captions,
    }
    return {modality for modality, part in parts.items() if part is not None and part.filler}


def _readable(model: AlignedModel, batch: Batch) -> Batch:
    """Returns the batch without the row of a filler image that batch statistics would count.

    Convolutions read no rows at all as well; not all other layers do.
    """
    images = batch.images
    if images is None or not images.filler:
        return batch
    if not any(isinstance(module, JointBatchNorm) for module in model.towers["image"].modules()):
        return batch
    pixels, sizes = images.image_ICSS[:0], images.size_I4[:0]
    return batch._replace(images=images._replace(image_ICSS=pixels, size_I4=sizes))


def _joined(read: list[Views]) -> Views:
    """Returns the embeddings of all chunks together, as leaves of a graph."""
    joined = []
    for parts in zip(*read, strict=True):
        present = dict.fromkeys(modality for part in parts for modality in part)
        joined.append(
            {
                modality: torch.cat([part[modality] for part in parts if modality in part])
                for modality in present
            }
        )
    return tuple({m: z_RD.requires_grad_() for m, z_RD in view.items()} for view in joined)


def _slopes(leaves: Views, read: list[Views]) -> list[Views]:
    """Returns the gradient of the loss by the embeddings of each chunk."""
    left = [
        {m: torch.zeros_like(z) if z.grad is None else z.grad for m, z in view.items()}
        for view in leaves
    ]
    found = []
    for chunk in read:
        slopes: list[Rows] = []
        for rest, view in zip(left, chunk, strict=True):
            slopes.append({m: rest[m][: len(z_RD)] for m, z_RD in view.items()})
            rest.update({m: rest[m][len(z_RD) :] for m, z_RD in view.items()})
        found.append(tuple(slopes))
    return found


def _pulled(model: AlignedModel, *, work: Callable[[AlignedModel], Views], slopes: Views) -> Tensor:
    """Returns a number whose gradient by the weights is that of the loss through a chunk's rows."""
    parts = [
        (z_RD * slope[modality]).sum()
        for view, slope in zip(work(model), slopes, strict=True)
        for modality, z_RD in view.items()
    ]
    return torch.stack(parts).sum()


def _detached(losses: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.detach() for name, value in losses.items()}
