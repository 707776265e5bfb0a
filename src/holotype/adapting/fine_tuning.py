"""Training a model on from where it is, on a user's labels, through the training loop of ``holotype train``.

The head starts as the probe that was solved on the same images, so the tower is not torn by a random one.

Shapes: N images, L labels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from holotype.adapting.choice import Examples, Method, folds_of
from holotype.adapting.new_model import NewModel
from holotype.errors import CollectionError
from holotype.inputs.augment import Augmentation
from holotype.inputs.materials import Materials
from holotype.models.aligned import AlignedModel, merged
from holotype.models.encode import encode
from holotype.models.labels import LabelSpace, Target
from holotype.models.settings import TuningKind, TuningSettings
from holotype.models.towers import Modality
from holotype.randomness import stream_seed
from holotype.training.devices import fabric_of
from holotype.training.lesson import Lesson
from holotype.training.loop import fit
from holotype.training.recipe import ClassifySettings, Recipe
from holotype.training.schedule import Schedule
from holotype.training.teaching import teaching_of

PARTS = 10
"""Of ten parts two are for the test and one for validation."""
WORTH_TRYING = 50
"""With so many images of the middle label, ``auto`` tries fine-tuning."""
IMAGES_SEEN = 40_000
LEAST_EPOCHS, MOST_EPOCHS = 8, 40
PEAK_LR = 5e-4
KINDS = {Method.FULL: TuningKind.ALL, Method.LORA: TuningKind.LORA}
"""What of the tower learns, for each method that trains."""


@dataclass(frozen=True)
class Parts:
    """Which images are learnt from, chosen by, and examined; bool, each image in one of them."""

    train_N: NDArray[np.bool_]
    val_N: NDArray[np.bool_]
    test_N: NDArray[np.bool_]


@dataclass(frozen=True)
class Tuned:
    """A fine-tuned model, its recipe, and the figures of its epochs."""

    model: NewModel
    recipe: Recipe
    history: list[dict[str, Any]]


def tuned_by(method: Method, start: NewModel) -> NewModel:
    """Returns the model with what learns set by the method; its weights are the same."""
    tuning = TuningSettings(kind=KINDS[method])
    settings = start.settings.with_parts({Modality.IMAGE: {"tuning": tuning}})
    return NewModel(settings, start.weights)


def worth_trying(examples: Examples) -> bool:
    """Returns whether half of the labels have enough images to move a tower by."""
    counts = np.bincount(examples.label_N, minlength=examples.num_labels)
    return bool(np.median(counts) >= WORTH_TRYING)


def parted(examples: Examples, *, seed: int) -> Parts:
    """Returns the images parted in 7 : 1 : 2, label by label, groups whole.

    Raises:
        CollectionError: when a part is empty, or too little is left to learn from.
    """
    fold_N = folds_of(examples.label_N, examples.group_N, folds=PARTS, seed=seed)
    parts = Parts(np.isin(fold_N, [-1, *range(3, PARTS)]), fold_N == 2, np.isin(fold_N, [0, 1]))
    counts = [int(part.sum()) for part in (parts.train_N, parts.val_N, parts.test_N)]
    if min(counts) < 2:
        raise CollectionError(
            f"{len(examples):,} images are too few to fine-tune ({counts[0]} to learn from, {counts[1]} to "
            f"validate, {counts[2]} to test). Use --method prototypes, or give more."
        )
    return parts


def recipe_of(start: NewModel, *, images: int, epochs: int | None, seed: int) -> Recipe:
    """Returns the recipe of a fine-tuning run."""
    fitting = int(np.clip(IMAGES_SEEN // images, LEAST_EPOCHS, MOST_EPOCHS))
    return Recipe(
        name="adapted",
        about="A model trained on from a parent on other labels; its head starts as a solved probe.",
        seed=seed,
        target=Target.WRITTEN_LABEL,
        model=start.settings,
        classify=ClassifySettings(smoothing=0.1),
        augment=Augmentation(),
        schedule=Schedule(
            epochs=fitting if epochs is None else epochs,
            batch_size=max(8, min(64, images // 8)),
            peak_lr=PEAK_LR,
            warmup=0.1,
            clip=1.0,
        ),
    )


def fine_tune(
    start: NewModel,
    materials: Materials,
    labels: LabelSpace,
    names: Sequence[str | None],
    parts: Parts,
    *,
    epochs: int | None,
    seed: int,
    folder: Path,
) -> Tuned:
    """Returns the model after training on the ``train`` images; ``folder`` holds its state meanwhile."""
    row_T = np.flatnonzero(parts.train_N)
    row_V = np.flatnonzero(parts.val_N)
    recipe = recipe_of(start, images=len(row_T), epochs=epochs, seed=seed)
    teaching = teaching_of(materials, labels, list(names))
    lesson = Lesson(recipe, materials, teaching, row_T, "adapted")
    (folder / "resume").mkdir(parents=True, exist_ok=True)
    torch.manual_seed(stream_seed(seed, "weights"))
    model = start.built(len(labels))
    model.fix_temperature(None)

    def validate(judged: AlignedModel, side_px: int | None) -> dict[str, float]:
        encoded = encode(judged, materials, rows=row_V, side_px=side_px)[Modality.IMAGE]
        assert encoded.logit_RL is not None
        right = encoded.logit_RL.argmax(axis=1) == teaching.label_N[encoded.row_R]
        return {"val_top1_image": float(right.mean()), "score": float(right.mean())}

    weights, history = fit(fabric_of("auto", 1), model, lesson, folder, validate)
    quiet = [{k: v for k, v in row.items() if k != "seconds"} for row in history]
    settings, plain = merged(model.settings, weights)
    return Tuned(NewModel(settings, plain), recipe, quiet)


def logits(model: AlignedModel, materials: Materials) -> NDArray[np.float32]:
    """Returns the logits of every image, float32 (N, L)."""
    found = encode(model, materials)[Modality.IMAGE].logit_RL
    assert found is not None
    return found
