"""What each setting of a schedule does to a run."""

import copy
import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch

from holotype.errors import BundleError
from holotype.training import checkpoint, learner, loop
from holotype.training.devices import fabric_of
from holotype.training.loop import fit
from holotype.training.sampling import drawing_weights

NO_DECAY = "schedule.weight_decay=0.0"
QUICK = ("schedule.epochs=1", "model.images.side_px=16", "model.images.width=4")


def silent(*_: object) -> dict[str, float]:
    return {"score": 0.0}


@pytest.fixture(scope="module")
def fitted(fabric, lesson_of, start_of, recipe_with):
    """Fits changes of the tiny recipe and returns start, final weights and history."""

    def run(folder: Path, *overrides: str, validate=silent):
        recipe = recipe_with(*overrides)
        lesson, labels = lesson_of(recipe)
        model = start_of(recipe, len(labels))
        start = {name: value.clone() for name, value in model.state_dict().items()}
        weights, history = fit(fabric, model, lesson, folder, validate)
        return start, weights, history

    return run


def moved(start: dict[str, torch.Tensor], weights: dict[str, torch.Tensor]) -> dict[str, float]:
    return {
        name: float((weights[name] - value).abs().max())
        for name, value in start.items()
        if value.is_floating_point() and "running" not in name
    }


def test_a_tiny_gradient_norm_keeps_the_weights(fitted, tmp_path: Path) -> None:
    # Adam divides by the gradient's size plus 1e-8, so only a norm far below that stops it.
    free, clipped = (
        max(moved(*fitted(tmp_path / str(clip), *QUICK, NO_DECAY, *clip)[:2]).values())
        for clip in ((), ("schedule.clip=1e-14",))
    )
    assert clipped < 1e-6 < 1e-3 < free


def test_averaging_changes_the_weights_but_not_the_path(fitted, tmp_path: Path) -> None:
    _, last, history = fitted(tmp_path / "last", *QUICK)
    _, mean, history_of_mean = fitted(tmp_path / "mean", *QUICK, "schedule.average=0.9")
    assert [row["loss"] for row in history] == [row["loss"] for row in history_of_mean]
    assert max(moved(last, mean).values()) > 1e-4


def test_a_probe_leaves_the_towers_alone(fitted, tmp_path: Path) -> None:
    start, weights, _ = fitted(
        tmp_path, *QUICK, NO_DECAY, "classify.probe=true", "align.weight=0.0"
    )
    far = moved(start, weights)
    assert far["head.weight"] > 1e-3
    assert {name for name, by in far.items() if by > 0} <= {"head.weight", "log_head_scale"}


def test_probe_margin_and_smoothing_each_change_a_run(fitted, tmp_path: Path) -> None:
    losses = {
        change: fitted(tmp_path / str(n), *QUICK, change)[2][0]["loss_labels"]
        for n, change in enumerate(
            ("seed=0", "classify.margin=0.3", "classify.smoothing=0.2", "classify.probe=true")
        )
    }
    assert losses["classify.margin=0.3"] > losses["seed=0"] + 0.5  # 0.3 of a scale of 16
    assert len(set(losses.values())) == 4


def test_loss_weights_scale_their_losses(fitted, tmp_path: Path) -> None:
    clipped = "schedule.clip=1e-14"  # the weights stay, so only the weighting differs
    _, _, (plain,) = fitted(tmp_path / "1", *QUICK, NO_DECAY, clipped)
    _, _, (half,) = fitted(
        tmp_path / "2", *QUICK, NO_DECAY, clipped, "classify.weight=0.5", "align.weight=0.25"
    )
    assert half["loss_labels"] == pytest.approx(0.5 * plain["loss_labels"], rel=1e-3)
    pair = "loss_image-barcode"
    assert half[pair] == pytest.approx(0.25 * plain[pair], rel=1e-3)
    parts = [value for name, value in plain.items() if name.startswith("loss_")]
    assert plain["loss"] == pytest.approx(sum(parts))


def seen_rows(monkeypatch: pytest.MonkeyPatch) -> tuple[list[np.ndarray], list[int]]:
    """Rows and sides of each step from here on."""
    rows: list[np.ndarray] = []
    sides: list[int] = []
    made = loop.step_inputs

    def step_inputs(recipe, model, materials, teaching, row_B, **given):
        inputs = made(recipe, model, materials, teaching, row_B, **given)
        rows.append(row_B)
        sides.extend(view.images.image_ICSS.shape[-1] for view in inputs.views)
        return inputs

    monkeypatch.setattr(loop, "step_inputs", step_inputs)
    return rows, sides


def test_balance_evens_the_labels(
    fitted, lesson_of, recipe_with, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = recipe_with(*QUICK)
    label_N = lesson_of(recipe)[0].teaching.label_N
    counts = np.bincount(label_N[label_N >= 0])
    common, rare = int(counts.argmax()), int(counts.argmin())
    assert counts[common] > 1.4 * counts[rare]  # or there is nothing to even out
    drawn = {}
    for balance, epochs in ((0.0, 1), (1.0, 3)):
        rows, _ = seen_rows(monkeypatch)
        overrides = (f"schedule.epochs={epochs}", "schedule.batch_size=16")
        fitted(tmp_path / str(balance), *QUICK, *overrides, f"schedule.balance={balance}")
        drawn[balance] = np.bincount(label_N[np.concatenate(rows)], minlength=len(counts))
    assert drawn[0.0].tolist() == counts.tolist()  # every row once
    # Even chances leave the noise of counting: a deviation of one over the root of the mean.
    spread = drawn[1.0].std() / drawn[1.0].mean()
    assert spread < 1.6 / np.sqrt(drawn[1.0].mean())
    weight_T = drawing_weights(lesson_of(recipe_with(*QUICK, "schedule.balance=0.5"))[0])
    expected_T = [counts[label] ** -0.5 if label >= 0 else 1.0 for label in label_N]
    assert weight_T.tolist() == pytest.approx(expected_T)


def test_small_sides_come_first(fitted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, sides = seen_rows(monkeypatch)
    _, _, history = fitted(tmp_path, "schedule.epochs=4", "schedule.small_sides=[[0.5, 16]]")
    steps = history[0]["step"]
    assert sides == [16] * 2 * steps + [32] * 2 * steps  # one view


@pytest.mark.parametrize("average", [(), ("schedule.average=0.8",)])
def test_best_keeps_the_best_epoch_and_patience_ends_the_run(
    fitted, tmp_path: Path, average: tuple[str, ...]
) -> None:
    scores = iter([0.1, 0.5, 0.4, 0.3, 0.9])
    judged: list[dict[str, torch.Tensor]] = []

    def validate(model, *_: object) -> dict[str, float]:
        judged.append(copy.deepcopy(model.state_dict()))
        return {"score": next(scores)}

    overrides = ("schedule.epochs=9", "schedule.keep=best", "schedule.patience=2", *average)
    _, weights, history = fitted(tmp_path, *QUICK, *overrides, validate=validate)
    assert [row["score"] for row in history] == [0.1, 0.5, 0.4, 0.3]
    assert all(torch.equal(weights[name], value) for name, value in judged[1].items())
    assert not torch.equal(weights["head.weight"], judged[3]["head.weight"])


def test_last_keeps_the_last_epoch(fitted, tmp_path: Path) -> None:
    scores = iter([0.5, 0.1])
    judged: list[dict[str, torch.Tensor]] = []

    def validate(model, *_: object) -> dict[str, float]:
        judged.append(copy.deepcopy(model.state_dict()))
        return {"score": next(scores)}

    _, weights, _ = fitted(tmp_path, *QUICK, "schedule.epochs=2", validate=validate)
    assert all(torch.equal(weights[name], value) for name, value in judged[1].items())


def test_validation_comes_every_so_often_and_at_the_end(fitted, tmp_path: Path) -> None:
    overrides = ("schedule.epochs=5", "schedule.validate_every=2")
    _, _, history = fitted(tmp_path, *QUICK, *overrides)
    assert [row["epoch"] for row in history if "score" in row] == [2, 4, 5]


def test_a_loss_that_is_no_number_stops_the_run(
    fitted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*given: object, **named: object) -> dict[str, torch.Tensor]:
        return {"labels": torch.tensor(float("nan"), requires_grad=True)}

    monkeypatch.setattr(learner, "step_losses", broken)
    with pytest.raises(FloatingPointError, match="at step 0"):
        fitted(tmp_path, *QUICK)


def test_a_checkpoint_of_another_run_is_refused(
    fitted, fabric, lesson_of, start_of, recipe_with, tmp_path: Path
) -> None:
    fitted(tmp_path, *QUICK)
    assert (tmp_path / checkpoint.CHECKPOINT).is_file()
    lesson, labels = lesson_of(recipe_with(*QUICK))
    other = type(lesson)(**{**vars(lesson), "fingerprint": "other"})
    with pytest.raises(BundleError, match="another recipe, collection, split or version"):
        fit(fabric, start_of(other.recipe, len(labels)), other, tmp_path, silent)


def test_a_finished_checkpoint_gives_its_weights_without_a_step(fitted, tmp_path: Path) -> None:
    _, weights, history = fitted(tmp_path, *QUICK)
    _, again, history_again = fitted(tmp_path, *QUICK)
    assert history == history_again
    assert all(torch.equal(weights[name], value) for name, value in again.items())


@pytest.mark.parametrize("ahead", [0, 7])
def test_how_far_ahead_inputs_are_made_changes_nothing(
    fitted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ahead: int
) -> None:
    _, expected, _ = fitted(tmp_path / "usual", *QUICK)
    monkeypatch.setattr(loop, "AHEAD", ahead)
    _, weights, (row,) = fitted(tmp_path / "other", *QUICK)
    assert all(torch.equal(weights[name], value) for name, value in expected.items())
    assert 0 < row["data_wait"] < 1


@contextmanager
def without_onednn() -> Iterator[None]:
    """PyTorch's own switch warns of devices that are not there, and is then left off."""
    torch._C._set_mkldnn_enabled(False)
    try:
        yield
    finally:
        torch._C._set_mkldnn_enabled(True)


def test_towers_in_bf16_learn_and_keep_float32(
    lesson_of, start_of, recipe_with, tmp_path: Path
) -> None:
    lesson, labels = lesson_of(recipe_with(*QUICK))
    lowered = lesson.recipe.model_copy(update={"precision": "bf16-true"})
    lesson = dataclasses.replace(lesson, recipe=lowered)
    model = start_of(lesson.recipe, len(labels))
    start = {name: value.clone() for name, value in model.state_dict().items()}
    fabric = fabric_of("cpu", 1, precision="bf16-true")
    with without_onednn():  # with it, convolutions in bf16 have given NaN now and then on a CPU
        weights, (row,) = fit(fabric, model, lesson, tmp_path, silent)
    kinds = {value.dtype for value in weights.values() if value.is_floating_point()}
    assert kinds == {torch.float32}
    assert max(moved(start, weights).values()) > 1e-3
    assert 0 < row["loss"] < 30


def test_mixed_precision_is_near_the_full_one(
    lesson_of, start_of, recipe_with, tmp_path: Path
) -> None:
    losses = []
    for precision in ("32-true", "bf16-mixed"):
        lesson, labels = lesson_of(recipe_with(*QUICK, f"precision={precision}"))
        fabric = fabric_of("cpu", 1, precision=precision)
        model = start_of(lesson.recipe, len(labels))
        with without_onednn():
            _, (row,) = fit(fabric, model, lesson, tmp_path / precision, silent)
        losses.append(row["loss"])
    assert losses[1] == pytest.approx(losses[0], rel=0.03)
    assert losses[1] != losses[0]
