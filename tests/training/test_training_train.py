"""The command: what it writes, and that equal seeds give equal bytes."""

import csv
import json
import math
from pathlib import Path

import pytest
import torch

import holotype
from holotype.collection.store import open_collection
from holotype.errors import BundleError, RecipeError, SplitError
from holotype.splits.plan import Role, read_split
from holotype.training.recipe import read_recipe

SMALL = ("schedule.epochs=2", "model.images.side_px=16", "model.images.width=4")


def test_equal_seeds_give_equal_bytes_and_others_do_not(trained, tmp_path: Path) -> None:
    for name, seed in (("first", 0), ("again", 0), ("other", 1)):
        trained(tmp_path / name, *SMALL, f"seed={seed}")
    first, again, other = (
        (tmp_path / name / "model.safetensors").read_bytes() for name in ("first", "again", "other")
    )
    assert first == again
    assert first != other
    manifests = [(tmp_path / name / "bundle.json").read_text() for name in ("first", "again")]
    assert manifests[0] == manifests[1]


def test_bf16_changes_the_arithmetic_but_not_the_weights_type(trained, tmp_path: Path) -> None:
    once = "schedule.epochs=1"
    whole, history = trained(tmp_path / "32", once)
    mixed, history_mixed = trained(tmp_path / "16", once, "precision=bf16-mixed")
    assert not torch.equal(whole["head.weight"], mixed["head.weight"])
    assert mixed["head.weight"].dtype == torch.float32
    assert history_mixed[-1]["loss"] == pytest.approx(history[-1]["loss"], rel=0.2)


def test_a_run_learns(tiny_run: Path) -> None:
    history = json.loads((tiny_run / "bundle.json").read_text())["training"]["history"]
    losses = [row["loss"] for row in history]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.9 * losses[0]


def test_what_a_run_writes(tiny_run: Path, tiny_recipe: Path, tiny_split: Path) -> None:
    names = {path.name for path in tiny_run.iterdir()}
    assert names == {
        "ATTRIBUTION.md", "README.md", "bundle.json", "metrics.csv", "model.safetensors",
        "recipe.toml", "tensorboard", "training-records.parquet", "decisions",
    }  # fmt: skip
    assert read_recipe(tiny_run / "recipe.toml") == read_recipe(tiny_recipe)
    with (tiny_run / "metrics.csv").open() as handle:
        rows = list(csv.DictReader(handle))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    training = json.loads((tiny_run / "bundle.json").read_text())["training"]
    parts = read_split(tiny_split)
    assert training["records"] == len(parts.rows(Role.TRAIN))
    assert training["validation_records"] == len(parts.rows(Role.VAL))
    assert sum(training["licences"].values()) == training["records"]  # all are CC0-1.0


def test_a_finished_run_is_not_trained_again(
    tiny_run: Path, tiny_collection: Path, tiny_split: Path, tiny_recipe: Path
) -> None:
    before = {path: path.stat().st_mtime_ns for path in tiny_run.rglob("*")}
    report = holotype.train(
        tiny_recipe, collection=tiny_collection, split=tiny_split, out=tiny_run, accelerator="cpu"
    )
    assert (report.epochs, report.seconds) == (3, 0.0)
    assert {path: path.stat().st_mtime_ns for path in tiny_run.rglob("*")} == before
    with pytest.raises(RecipeError, match="a finished run of another recipe"):
        holotype.train(
            tiny_recipe, collection=tiny_collection, split=tiny_split, out=tiny_run,
            overrides=["seed=5"], accelerator="cpu",
        )  # fmt: skip


def test_an_unfinished_run_of_another_recipe_is_left_as_it_is(
    tiny_collection: Path, tiny_split: Path, tiny_recipe: Path, tmp_path: Path, monkeypatch
) -> None:
    from holotype.training import train as command

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "write_bundle", stopped)

    def run(*overrides: str) -> None:
        holotype.train(
            tiny_recipe, collection=tiny_collection, split=tiny_split, out=tmp_path / "run",
            overrides=(*SMALL, *overrides), accelerator="cpu",
        )  # fmt: skip

    with pytest.raises(KeyboardInterrupt):
        run()
    before = {p: p.read_bytes() for p in (tmp_path / "run").rglob("*") if p.is_file()}
    with pytest.raises(BundleError, match="another recipe, collection, split"):
        run("seed=5")
    assert {p: p.read_bytes() for p in (tmp_path / "run").rglob("*") if p.is_file()} == before


def test_records_without_what_the_towers_read_are_left_out(
    tiny_collection: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    holotype.split(tiny_collection, out=tmp_path / "split.parquet", method="stratified")
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(
        "name = 'dna'\n[model.barcodes]\nfeature_dim = 16\nkmer_bp = 2\nwidth = 8\ndepth = 0\n"
        "[model.classifier]\n[classify]\n[schedule]\nepochs = 1\n"
    )
    report = holotype.train(
        recipe, collection=tiny_collection, split=tmp_path / "split.parquet",
        out=tmp_path / "run", accelerator="cpu",
    )  # fmt: skip
    rows = read_split(tmp_path / "split.parquet").rows(Role.TRAIN)
    barcodes = open_collection(tiny_collection).columns(["barcode"])["barcode"].take(rows)
    assert report.records == len(rows) - barcodes.null_count
    assert barcodes.null_count > 0
    assert f"{barcodes.null_count} training records have nothing" in capsys.readouterr().err


def test_a_split_of_another_collection_is_refused(
    tiny_collection: Path, tiny_recipe: Path, tmp_path: Path
) -> None:
    settings = tmp_path / "other.toml"
    settings.write_text("seed = 4\nnum_species = 6\nmedian_specimens_per_species = 3.0\n")
    holotype.import_("simulated", [settings], into=tmp_path / "other")
    holotype.split(tmp_path / "other", out=tmp_path / "split.parquet")
    with pytest.raises(SplitError, match="Make the split again"):
        holotype.train(
            tiny_recipe, collection=tiny_collection, split=tmp_path / "split.parquet",
            out=tmp_path / "run",
        )  # fmt: skip
    assert not (tmp_path / "run").exists()


def test_a_fixed_temperature_is_kept_in_the_weights(trained, tmp_path: Path) -> None:
    once = (*SMALL, "schedule.epochs=1")
    learnt, _ = trained(tmp_path / "learnt", *once)
    fixed, _ = trained(tmp_path / "fixed", *once, "align.temperature=0.25")
    assert fixed["log_scale"].item() == pytest.approx(math.log(4))
    assert abs(learnt["log_scale"].item() - math.log(1 / 0.07)) > 1e-4


def test_without_alignment_the_temperature_stays_where_it_starts(
    tiny_collection: Path, tiny_split: Path, tmp_path: Path
) -> None:
    from holotype.models.bundle import open_bundle

    recipe = tmp_path / "recipe.toml"
    recipe.write_text(
        "name = 'dna'\n[model.barcodes]\nfeature_dim = 16\nkmer_bp = 2\nwidth = 8\ndepth = 0\n"
        "[model.classifier]\n[classify]\n[schedule]\nepochs = 1\nweight_decay = 0.5\n"
    )
    holotype.train(
        recipe, collection=tiny_collection, split=tiny_split, out=tmp_path / "run",
        accelerator="cpu",
    )  # fmt: skip
    model = open_bundle(tmp_path / "run").model
    assert model.log_scale.item() == pytest.approx(math.log(1 / 0.07))


@pytest.mark.parametrize(
    ("accelerator", "devices"), [("abacus", "auto"), ("cpu", "x"), ("cpu", 0), ("cpu", -1)]
)
def test_devices_that_there_are_not_are_said(
    tiny_collection: Path, tiny_split: Path, tiny_recipe: Path, tmp_path: Path, accelerator: str,
    devices: int | str,
) -> None:  # fmt: skip
    with pytest.raises(
        RecipeError, match=f"--accelerator {accelerator} --devices {devices} --strategy auto: "
    ):
        holotype.train(
            tiny_recipe, collection=tiny_collection, split=tiny_split, out=tmp_path / "run",
            accelerator=accelerator, devices=devices,
        )  # fmt: skip
    assert not (tmp_path / "run").exists()
