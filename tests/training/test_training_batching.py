"""A step's batch: the same each time it is made, and small when the recipe says so."""

import numpy as np
import pytest
import torch

from holotype.inputs.batches import Batch, ImageBatch, shrunk
from holotype.models.towers import Modality
from holotype.training.batching import side_at, step_inputs
from holotype.training.gathering import Share


def parts(batch: Batch) -> list[torch.Tensor]:
    found = [*batch.images[:2]] if batch.images is not None else []
    found += [*batch.barcodes.tokens] if batch.barcodes is not None else []
    return found + ([*batch.captions.tokens] if batch.captions is not None else [])


@pytest.fixture(scope="module")
def made(recipe_with, lesson_of, start_of):
    """Makes the inputs of a step of the tiny recipe with changes."""

    def make(step: int, *overrides: str, rows=None, **given):
        recipe = recipe_with(*overrides)
        lesson, labels = lesson_of(recipe)
        model = start_of(recipe, len(labels))
        rows = np.arange(16) if rows is None else rows
        return step_inputs(
            recipe, model, lesson.materials, lesson.teaching, rows, step=step, views=2, **given
        )

    return make


def test_a_step_is_the_same_whenever_it_is_made(made) -> None:
    first, again = made(5), made(5)
    for one, other in zip(first.views, again.views, strict=True):
        pairs = zip(parts(one), parts(other), strict=True)
        assert all(torch.equal(a.nan_to_num(), b.nan_to_num()) for a, b in pairs)
    assert first.texts.texts == again.texts.texts


@pytest.mark.parametrize("other", ["step", "seed", "view"])
def test_another_step_seed_or_view_changes_pixels_and_bases(made, other: str) -> None:
    first = made(5)
    step, seed = (6 if other == "step" else 5), (1 if other == "seed" else 0)
    changed = made(step, f"seed={seed}").views[1 if other == "view" else 0]
    assert not torch.equal(first.views[0].images.image_ICSS, changed.images.image_ICSS)
    before, after = first.views[0].barcodes.tokens[0], changed.barcodes.tokens[0]
    assert before.shape != after.shape or not torch.equal(before, after)
    assert (changed.captions is None) is (other == "view")  # one view alone has captions


@pytest.mark.parametrize("world", [2, 3, 5])
def test_processes_read_the_step_of_one_process_in_parts(made, world: int) -> None:
    rows = np.arange(75)  # more than two blocks, and no multiple of one
    joint = made(5, rows=rows)
    shares = [made(5, rows=rows, share=Share(rank, world)) for rank in range(world)]
    for view in (0, 1):
        whole, own = joint.views[view], [one.views[view] for one in shares]
        for name in ("image_ICSS", "size_I4", "at_I"):
            together = torch.cat([getattr(batch.images, name) for batch in own])
            expected = getattr(whole.images, name)
            assert torch.equal(together.nan_to_num(), expected.nan_to_num()), name
        assert torch.equal(torch.cat([b.barcodes.at_K for b in own]), whole.barcodes.at_K)
        bases = [row[mask] for b in own for row, mask in zip(*b.barcodes.tokens, strict=True)]
        expected = [row[mask] for row, mask in zip(*whole.barcodes.tokens, strict=True)]
        assert all(torch.equal(a, b) for a, b in zip(bases, expected, strict=True))
    for one in shares:
        assert one.texts.texts == joint.texts.texts
        assert all(one.row_of[m].tolist() == r.tolist() for m, r in joint.row_of.items())


def test_a_process_without_rows_has_a_filler(made) -> None:
    first, last = (made(0, rows=np.arange(1), share=Share(rank, 3)) for rank in (0, 2))
    assert first.views[0].images.filler
    assert len(first.views[0].images.image_ICSS) == 1
    assert first.count(Modality.IMAGE) == last.count(Modality.IMAGE) == 1
    assert not last.views[0].images.filler


def test_without_augmentation_and_damage_records_are_shown_as_they_are(
    recipe_with, lesson_of, start_of
) -> None:
    recipe = recipe_with()
    plain = recipe.model_copy(update={"augment": None, "damage": None})
    lesson, labels = lesson_of(plain)
    rows, model = np.arange(16), start_of(plain, len(labels))
    batch = step_inputs(plain, model, lesson.materials, lesson.teaching, rows, step=0).views[0]
    shown = lesson.materials.image_N[rows[batch.images.at_I.numpy()]]
    pixels = torch.from_numpy(lesson.materials.pixels_MSSC[shown]).permute(0, 3, 1, 2) / 255
    assert torch.equal(batch.images.image_ICSS, pixels)
    lengths = [len(lesson.materials.barcode_N[rows[at]]) for at in batch.barcodes.at_K.tolist()]
    assert batch.barcodes.tokens[1].sum(dim=1).tolist() == lengths


def test_rows_by_modality_are_those_that_the_batch_shows(made) -> None:
    inputs = made(0, rows=np.arange(100, 116))
    first = inputs.views[0]
    assert {name.value: rows.tolist() for name, rows in inputs.row_of.items()} == {
        "image": (100 + first.images.at_I).tolist(),
        "barcode": (100 + first.barcodes.at_K).tolist(),
    }


def test_parts_of_a_batch_are_its_rows_in_order(made) -> None:
    batch = made(0).views[0]
    cut = [batch.part(Share(at, 3).of) for at in range(3)]
    assert torch.equal(torch.cat([c.images.image_ICSS for c in cut]), batch.images.image_ICSS)
    for at, tensor in enumerate(batch.barcodes.tokens):
        assert torch.equal(torch.cat([c.barcodes.tokens[at] for c in cut]), tensor)
    many = len(batch.images.image_ICSS) + 1
    assert batch.part(Share(0, many).of).images is None
    assert batch.part(Share(0, many).of, fill=True).images.filler


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
