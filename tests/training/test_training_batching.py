"""A step's batch: the same each time it is made, and small when the recipe says so."""

import numpy as np
import pytest
import torch

from holotype.inputs.batches import Batch, ImageBatch, shrunk
from holotype.training.batching import rows_by_modality, side_at, training_batch


def parts(batch: Batch) -> list[torch.Tensor]:
    images, barcodes, captions = batch[1:]
    return [*images, *barcodes.tokens, barcodes.at_K, *(captions.tokens if captions else ())]


@pytest.fixture(scope="module")
def made(recipe_with, lesson_of, start_of):
    """Makes the batch of a step of the tiny recipe with changes."""

    def make(step: int, *overrides: str, view: str = "first"):
        recipe = recipe_with(*overrides)
        lesson, labels = lesson_of(recipe)
        model, rows = start_of(recipe, len(labels)), np.arange(16)
        return training_batch(
            recipe, model, lesson.materials, lesson.teaching, rows, step=step, view=view
        )

    return make


def test_a_step_is_the_same_whenever_it_is_made(made) -> None:
    (first, captions), (again, captions_again) = made(5), made(5)
    assert all(torch.equal(a, b) for a, b in zip(parts(first), parts(again), strict=True))
    assert captions.texts == captions_again.texts


@pytest.mark.parametrize("other", ["step", "seed", "view"])
def test_another_step_seed_or_view_changes_pixels_and_bases(made, other: str) -> None:
    first, _ = made(5)
    step, seed = (6 if other == "step" else 5), (1 if other == "seed" else 0)
    view = "second" if other == "view" else "first"
    changed, captions = made(step, f"seed={seed}", view=view)
    assert not torch.equal(first.images.image_ICSS, changed.images.image_ICSS)
    base, other_base = first.barcodes.tokens[0], changed.barcodes.tokens[0]
    assert base.shape != other_base.shape or not torch.equal(base, other_base)
    assert (captions is None) is (other == "view")  # one view alone has captions


def test_without_augmentation_and_damage_records_are_shown_as_they_are(
    recipe_with, lesson_of, start_of
) -> None:
    recipe = recipe_with()
    plain = recipe.model_copy(update={"augment": None, "damage": None})
    lesson, labels = lesson_of(plain)
    model = start_of(plain, len(labels))
    rows = np.arange(16)
    batch, _ = training_batch(plain, model, lesson.materials, lesson.teaching, rows, step=0)
    shown = lesson.materials.image_N[rows[batch.images.at_I.numpy()]]
    pixels = torch.from_numpy(lesson.materials.pixels_MSSC[shown]).permute(0, 3, 1, 2) / 255
    assert torch.equal(batch.images.image_ICSS, pixels)
    lengths = [len(lesson.materials.barcode_N[rows[at]]) for at in batch.barcodes.at_K.tolist()]
    assert batch.barcodes.tokens[1].sum(dim=1).tolist() == lengths


def test_rows_by_modality_are_those_that_the_batch_shows(made) -> None:
    batch, _ = made(0)
    batch = batch._replace(row_B=np.arange(100, 116))
    found = rows_by_modality(batch)
    assert {name.value: rows.tolist() for name, rows in found.items()} == {
        "image": (100 + batch.images.at_I).tolist(),
        "barcode": (100 + batch.barcodes.at_K).tolist(),
    }


@pytest.mark.parametrize(
    ("epoch", "side_px"), [(0, 16), (1, 16), (2, 24), (4, 24), (5, 32), (9, 32)]
)
def test_sides_by_epoch(recipe_with, epoch: int, side_px: int) -> None:
    # Given in any order: up to 20 % of ten epochs 16 px, up to 50 % 24 px, then the full 32.
    recipe = recipe_with("schedule.epochs=10", "schedule.small_sides=[[0.5, 24], [0.2, 16]]")
    assert side_at(recipe, epoch) == side_px


def test_no_images_no_side(recipe_with) -> None:
    recipe = recipe_with()
    blind = recipe.model.model_copy(update={"images": None})
    assert side_at(recipe.model_copy(update={"model": blind}), 0) is None


def test_shrinking_averages() -> None:
    image_ICSS = torch.zeros(1, 1, 8, 8)
    image_ICSS[..., ::2] = 1.0  # stripes of one pixel become an even grey
    images = ImageBatch(image_ICSS, torch.ones(1, 4), torch.tensor([0]))
    small = shrunk(Batch(np.arange(1), images), 4).images
    assert small.image_ICSS.shape == (1, 1, 4, 4)
    assert float(small.image_ICSS.mean()) == pytest.approx(0.5, abs=0.02)
    assert float(small.image_ICSS[..., 1:3].std()) < 0.1
    assert torch.equal(small.size_I4, images.size_I4)  # the organism is as large as it was
