"""A killed run, started again with the same command, ends with the same bytes."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from safetensors import safe_open

import holotype
from holotype.training import running
from holotype.training.checkpoint import CHECKPOINT
from holotype.training.train import TrainReport

# All that a run must remember is on: a running mean, the best weights, patience, drawing by
# weights, dropout, clipping, two views, smaller images first.
FULL = (
    "schedule.epochs=3",
    "model.images.side_px=24",
    "model.images.width=4",
    "model.barcodes.max_bp=200",
    "model.barcodes.feature_dim=16",
    "model.barcodes.kmer_bp=2",
    "model.barcodes.width=8",
    "schedule.average=0.9",
    "schedule.keep=best",
    "schedule.patience=3",
    "schedule.balance=0.5",
    "schedule.checkpoint_steps=2",
    "schedule.clip=1.0",
    "schedule.small_sides=[[0.5, 16]]",
    'align.pairs=[["image", "image"], ["image", "barcode"], ["barcode", "caption"]]',
)

STREAMED = (
    *FULL,
    "schedule.pixels=stream",
    "schedule.shuffle_groups=2",
    "schedule.chunk_size=12",
    "schedule.balance_instruments=0.5",
)

COMMAND = "from holotype.cli.app import main; main()"

# Dies as a power cut would, in the middle of one write.
DYING = """
import os, signal, sys
from holotype import files
from holotype.models import bundle
from holotype.training import checkpoint

place = sys.argv.pop(1)
calls = 0

if place.isdigit():  # a step: the optimiser moved, nothing is saved yet
    from holotype.training import running
    move = running.Run.move
    def moving(run, **given):
        global calls
        calls += 1
        move(run, **given)
        if calls == int(place):
            os.kill(os.getpid(), signal.SIGKILL)
    running.Run.move = moving

def dying(write, at):
    def wrapped(*given, **named):
        global calls
        calls += 1
        if calls < at:
            return write(*given, **named)
        if len(given) > 1:  # the tensors and their path
            write(*given, **named)
            with open(given[1], "rb+") as handle:
                handle.truncate(1000)
        os.kill(os.getpid(), signal.SIGKILL)
    return wrapped

if place == "checkpoint":
    checkpoint.save_file = dying(checkpoint.save_file, 4)
elif place == "weights":
    bundle.save_file = dying(bundle.save_file, 1)
elif place == "manifest":
    from holotype.training import train
    write_json = files.write_json
    def only_the_manifest(path, value):
        if path.name == "bundle.json":
            os.kill(os.getpid(), signal.SIGKILL)
        write_json(path, value)
    files.write_json = only_the_manifest
elif place == "cleaning":
    remove_folder = files.remove_folder
    def all_but_resume(path):
        if path.name == "resume":
            os.kill(os.getpid(), signal.SIGKILL)
        remove_folder(path)
    files.remove_folder = all_but_resume
from holotype.cli.app import main
main()
"""


@pytest.fixture(scope="module")
def train_again(tiny_collection: Path, tiny_split: Path, tiny_recipe: Path):
    def train(out: Path, overrides: tuple[str, ...] = FULL) -> TrainReport:
        return holotype.train(
            tiny_recipe,
            collection=tiny_collection,
            split=tiny_split,
            out=out,
            overrides=overrides,
            accelerator="cpu",
        )

    return train


@pytest.fixture(scope="module")
def words(tiny_collection: Path, tiny_split: Path, tiny_recipe: Path):
    """The words of the same training on the command line."""

    def of(out: Path, overrides: tuple[str, ...] = FULL) -> list[str]:
        paths = ["--collection", tiny_collection, "--split", tiny_split, "--out", out]
        changes = [word for change in overrides for word in ("--set", change)]
        return ["train", *map(str, [tiny_recipe, *paths]), *changes, "--accelerator", "cpu"]

    return of


@pytest.fixture(scope="module")
def uninterrupted(train_again, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("uninterrupted") / "run"
    train_again(out)
    return out


def same(run: Path, uninterrupted: Path) -> None:
    for name in ("model.safetensors", "bundle.json", "recipe.toml"):
        assert (run / name).read_bytes() == (uninterrupted / name).read_bytes(), name


def test_death_in_the_middle_of_each_write_changes_nothing(
    words, train_again, uninterrupted: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    # At a checkpoint, the weights, the manifest, and the clearing away, one after another.
    for place in ("checkpoint", "weights", "manifest", "cleaning"):
        died = subprocess.run(
            [sys.executable, "-c", DYING, place, *words(run)], capture_output=True, check=False
        )
        assert died.returncode == -signal.SIGKILL, died.stderr
        assert (run / "bundle.json").exists() is (place == "cleaning")
        assert (run / CHECKPOINT).is_file()
    capsys.readouterr()
    train_again(run)
    assert "nothing to do" in capsys.readouterr().err
    same(run, uninterrupted)
    assert not (run / "resume").exists()


def killed(arguments: list[str], *, after_epoch: int, delay_s: float) -> bool:
    """Starts a command and kills it some time after an epoch's line; whether it was still alive."""
    with subprocess.Popen(
        [sys.executable, "-c", COMMAND, *arguments], stderr=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True,
    ) as started:  # fmt: skip
        assert started.stderr is not None
        for line in started.stderr:
            if line.startswith(f"epoch {after_epoch}/"):
                break
        time.sleep(delay_s)
        os.kill(started.pid, signal.SIGKILL)
        return started.wait() == -signal.SIGKILL


def test_killed_after_the_first_epoch_and_again_later(
    words, train_again, uninterrupted: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    assert killed(words(run), after_epoch=1, delay_s=0.0)
    assert not (run / "bundle.json").exists()
    killed(words(run), after_epoch=2, delay_s=0.1)
    train_again(run)
    same(run, uninterrupted)


@pytest.mark.parametrize("overrides", [FULL, STREAMED], ids=["memory", "stream"])
def test_killed_within_an_epoch(
    words, train_again, uninterrupted: Path, tmp_path: Path, overrides: tuple[str, ...]
) -> None:
    run, expected = tmp_path / "run", uninterrupted
    if overrides is STREAMED:
        expected = tmp_path / "expected"
        train_again(expected, overrides)
    died = subprocess.run(
        [sys.executable, "-c", DYING, "8", *words(run, overrides)], capture_output=True, check=False
    )
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert steps_saved(run) == (1, 2)  # one epoch of five steps, two of the next
    train_again(run, overrides)
    same(run, expected)


def steps_saved(run: Path) -> tuple[int, int]:
    """Epochs finished, and steps done of the next, in a run's saved state."""
    with safe_open(run / CHECKPOINT, framework="pt") as stored:
        progress = json.loads(stored.metadata()["progress"])
    return progress["epoch"], progress["done"]


def test_an_interrupt_saves_the_step_at_hand(
    train_again, uninterrupted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    move, calls = running.Run.move, iter(range(100))

    def moving(run: running.Run, **given: float) -> None:
        move(run, **given)
        if next(calls) == 7:
            signal.raise_signal(signal.SIGINT)

    run = tmp_path / "run"
    with monkeypatch.context() as patched:
        patched.setattr(running.Run, "move", moving)
        with pytest.raises(KeyboardInterrupt):
            train_again(run)
    assert steps_saved(run) == (1, 3)
    train_again(run)
    same(run, uninterrupted)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_killed_at_random_moments(
    seed: int, words, train_again, uninterrupted: Path, tmp_path: Path
) -> None:
    rng = random.Random(seed)
    run = tmp_path / "run"
    for epoch in (1, 2):
        killed(words(run), after_epoch=epoch, delay_s=rng.uniform(0.0, 0.4))
    train_again(run)
    same(run, uninterrupted)
