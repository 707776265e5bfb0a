"""Masked pre-training: who may ask for it, that parts make the whole, that it resumes and is built upon."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from safetensors.torch import load_file

import holotype
from holotype.errors import BundleError, RecipeError
from holotype.inputs.batches import Batch
from holotype.models.aligned import AlignedModel
from holotype.models.bundle import open_bundle
from holotype.training import running
from holotype.training.batching import step_inputs
from holotype.training.gathering import Share
from holotype.training.lesson import Lesson
from holotype.training.masking import masked_figures
from holotype.training.objective import Seen, step_losses
from holotype.training.recipe import Recipe, read_recipe
from holotype.training.running import started

MASKED = """
name = "masked"
target = "tree"
[model.barcodes]
max_bp = 660
tower = "barcodebert"
kmer_bp = 2
width = 16
depth = 1
heads = 2
[model.classifier]
[classify]
probe = true
[masked]
[schedule]
epochs = 1
batch_size = 32
peak_lr = 3e-3
"""


@pytest.fixture(scope="module")
def masked_recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("masked") / "masked.toml"
    path.write_text(MASKED)
    return path


@pytest.fixture
def lesson_and_model(
    masked_recipe: Path, lesson_of: Callable
) -> Callable[..., tuple[Lesson, AlignedModel]]:
    def made(*overrides: str) -> tuple[Lesson, AlignedModel]:
        lesson, labels = lesson_of(read_recipe(masked_recipe, overrides))
        torch.manual_seed(0)
        model = AlignedModel(lesson.recipe.model, num_labels=len(labels), tells_tokens=True)
        for module in model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        return lesson, model

    return made


def inputs_of(lesson: Lesson, model: AlignedModel, *, step: int = 0, share: Share = Share()):  # noqa: B008
    rows = np.arange(70)
    return step_inputs(
        lesson.recipe, model, lesson.materials, lesson.teaching, rows, step=step, share=share
    )


@pytest.mark.parametrize("tower", ["spectrum", "clibd"])
def test_towers_without_tokens_to_tell_refuse(tmp_path: Path, tower: str) -> None:
    path = tmp_path / "other.toml"
    path.write_text(
        f'name = "x"\n[model.barcodes]\ntower = "{tower}"\n[model.classifier]\n[classify]\n[masked]\n'
    )
    with pytest.raises(RecipeError, match=rf"\[masked\] hides tokens.*found: {tower}"):
        read_recipe(path)


def test_heads_that_do_not_divide_the_width_are_refused(masked_recipe: Path) -> None:
    with pytest.raises(RecipeError, match="heads = 3 does not divide width = 16"):
        read_recipe(masked_recipe, ("model.barcodes.heads=3",))


def test_half_of_the_tokens_are_hidden_anew_in_each_step(lesson_and_model) -> None:
    lesson, model = lesson_and_model()
    first, again, later = (
        inputs_of(lesson, model, step=step).views[0].barcodes for step in (0, 0, 1)
    )
    assert torch.equal(first.target_KT, again.target_KT)
    assert not torch.equal(first.target_KT, later.target_KT)
    hid = first.target_KT >= 0
    assert torch.equal(first.tokens[0] == 0, hid)
    assert 0.47 < float(hid.sum() / first.tokens[1].sum()) < 0.53


def test_processes_hide_what_one_process_hides(lesson_and_model) -> None:
    lesson, model = lesson_and_model()
    whole = inputs_of(lesson, model).views[0].barcodes
    parts = [inputs_of(lesson, model, share=Share(rank, 3)).views[0].barcodes for rank in range(3)]
    assert torch.equal(torch.cat([part.target_KT for part in parts]), whole.target_KT)
    assert torch.equal(torch.cat([part.tokens[0] for part in parts]), whole.tokens[0])


def test_a_loss_of_parts_is_that_of_the_whole_batch(lesson_and_model) -> None:
    """What the processes gather: sums of each barcode, however its batch was cut."""
    lesson, model = lesson_and_model()
    model.eval()
    batch = inputs_of(lesson, model).views[0]
    whole = model.read(batch).masked_K3
    parts = [model.read(batch.part(Share(rank, 3).of)).masked_K3 for rank in range(3)]
    torch.testing.assert_close(torch.cat(parts), whole)
    seen = Seen({}, None, {}, None, masked=(*parts,))
    losses = step_losses(model, lesson.recipe, lesson.teaching, lesson.materials, seen)
    assert losses.keys() == {"masked"}
    mean = (whole[:, 0].sum() / whole[:, 1].sum()).detach()
    assert float(losses["masked"].detach()) == pytest.approx(float(mean))


def test_chunks_have_the_gradients_of_the_whole_batch(
    lesson_and_model, fabric: Fabric, tmp_path: Path
) -> None:
    found = []
    for overrides in ((), ("schedule.chunk_size=16",)):
        lesson, model = lesson_and_model("masked.weight=0.7", *overrides)
        run = started(fabric, model, lesson, tmp_path)
        run.trained.train()
        losses = run.gradients.add(inputs_of(lesson, run.trained), done=0.0)
        assert set(losses) == {"labels", "masked"}
        grads = {n: w.grad for n, w in run.trained.named_parameters() if w.grad is not None}
        found.append((losses["masked"], grads))
    (loss, whole), (chunked_loss, chunked) = found
    torch.testing.assert_close(chunked_loss, loss)
    assert chunked.keys() == whole.keys()
    assert float(whole["token_head.weight"].abs().max()) > 1e-4
    assert max(float(g.abs().max()) for n, g in whole.items() if n.startswith("towers")) > 1e-4
    for name, value in whole.items():
        torch.testing.assert_close(chunked[name], value, rtol=1e-3, atol=1e-6, msg=name)


def test_names_are_not_needed(lesson_and_model, fabric: Fabric, tmp_path: Path) -> None:
    import dataclasses

    lesson, model = lesson_and_model()
    nameless = dataclasses.replace(
        lesson.teaching,
        label_N=np.full_like(lesson.teaching.label_N, -1),
        concept_N=np.full_like(lesson.teaching.concept_N, -1),
    )
    run = started(fabric, model, dataclasses.replace(lesson, teaching=nameless), tmp_path)
    losses = run.gradients.add(inputs_of(lesson, run.trained), done=0.0)
    assert set(losses) == {"masked"}
    assert (
        float(
            run.trained.towers["barcode"].model.embeddings.word_embeddings.weight.grad.abs().max()
        )
        > 0
    )


def test_a_collection_without_any_name_is_enough(masked_recipe: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    letters = np.array(list("ACGT"))
    barcodes = ["".join(letters[rng.integers(0, 4, size=80)]) for _ in range(30)]
    table = tmp_path / "nameless.tsv"
    rows = [f"b{number}\tCOI-5P\t{barcode}" for number, barcode in enumerate(barcodes)]
    table.write_text("\n".join(["processid\tmarker\tnucleotides", *rows]) + "\n")
    place, split = tmp_path / "collection", tmp_path / "split.parquet"
    holotype.import_("table", [table], into=place, preset="barcodes")
    holotype.split(place, out=split, require=["barcode"])
    asked = {"collection": place, "split": split, "accelerator": "cpu"}
    report = holotype.train(masked_recipe, out=tmp_path / "run", **asked)
    assert report.labels == 0
    assert report.records > 15
    assert "loss_labels" not in report.figures
    assert report.figures["loss_masked"] > 1
    assert open_bundle(tmp_path / "run").model.towers["barcode"].feature_dim == 16
    (tmp_path / "new.fasta").write_text(f">b\n{barcodes[0]}\n")
    with pytest.raises(BundleError, match=r"knows no label.*model\.barcodes\.weights"):
        holotype.predict(tmp_path / "run", [tmp_path / "new.fasta"], out=tmp_path / "a.csv")


class PowerCutError(Exception):
    pass


@pytest.fixture(scope="module")
def pretrained(
    tiny_collection: Path,
    tiny_split: Path,
    masked_recipe: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A run that was never broken off."""
    out = tmp_path_factory.mktemp("pretrained") / "run"
    holotype.train(
        masked_recipe, collection=tiny_collection, split=tiny_split, out=out, accelerator="cpu"
    )
    return out


def test_a_run_broken_off_within_an_epoch_ends_with_the_same_bytes(
    pretrained: Path, tiny_collection: Path, tiny_split: Path, masked_recipe: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    asked = {"collection": tiny_collection, "split": tiny_split, "accelerator": "cpu"}
    overrides = ("schedule.checkpoint_steps=1",)
    moved, move = [], running.Run.move

    def broken_off(run: running.Run, *, rate: float) -> None:
        if len(moved) == 2:
            raise PowerCutError
        moved.append(rate)
        move(run, rate=rate)

    with monkeypatch.context() as patched:
        patched.setattr(running.Run, "move", broken_off)
        with pytest.raises(PowerCutError):
            holotype.train(masked_recipe, out=tmp_path / "cut", overrides=overrides, **asked)
    holotype.train(masked_recipe, out=tmp_path / "cut", overrides=overrides, **asked)
    weights, expected = (
        load_file(at / "model.safetensors") for at in (tmp_path / "cut", pretrained)
    )
    assert weights.keys() == expected.keys()
    assert all(torch.equal(weights[name], value) for name, value in expected.items())


def test_a_bundle_keeps_the_tower_and_its_figures(pretrained: Path) -> None:
    bundle = open_bundle(pretrained)
    assert not any("token_head" in name for name in load_file(pretrained / "model.safetensors"))
    (row,) = bundle.manifest["training"]["history"]
    assert 0 < row["val_masked_top1"] < 1
    assert row["loss_masked"] < np.log(16) + 0.2


def test_a_recipe_starts_from_the_tower_of_a_bundle(pretrained: Path, masked_recipe: Path) -> None:
    text = masked_recipe.read_text().replace("[masked]\n", "").replace("probe = true\n", "")
    for key in ("kmer_bp = 2\n", "width = 16\n", "depth = 1\n", "heads = 2\n"):
        text = text.replace(key, "")
    text = text.replace('tower = "barcodebert"', f'tower = "barcodebert"\nweights = "{pretrained}"')
    path = masked_recipe.with_name("on.toml")
    path.write_text(text)
    recipe: Recipe = read_recipe(path)
    bundle = open_bundle(pretrained)
    started_from = AlignedModel(recipe.model, num_labels=3)
    expected = bundle.model.towers["barcode"].state_dict()
    for name, value in started_from.towers["barcode"].state_dict().items():
        assert torch.equal(value, expected[name]), name
    assert started_from.kmers.k == 2
    with pytest.raises(RecipeError, match="read 660 bases"):
        AlignedModel(read_recipe(path, ("model.barcodes.max_bp=600",)).model, num_labels=3)


def test_a_bundle_of_another_tower_is_no_start(tiny_run: Path, masked_recipe: Path) -> None:
    path = masked_recipe.with_name("wrong.toml")
    path.write_text(f"""
name = "wrong"
[model.barcodes]
tower = "barcodebert"
max_bp = 660
weights = "{tiny_run}"
[model.classifier]
[classify]
""")
    with pytest.raises(RecipeError, match="its tower of barcodes is spectrum, not barcodebert"):
        AlignedModel(read_recipe(path).model, num_labels=3)


def test_what_is_hidden_to_validate_is_the_same_every_time(lesson_and_model) -> None:
    lesson, model = lesson_and_model()
    rows = np.arange(60)
    first = masked_figures(model, lesson, rows)
    assert first == masked_figures(model, lesson, rows)
    assert 0 <= first["val_masked_top1"] < 0.5
    assert model.training
    assert masked_figures(model, lesson, rows[:0]) == {}


def test_embeddings_outside_training_hide_nothing(lesson_and_model) -> None:
    lesson, model = lesson_and_model()
    model.eval()
    batch: Batch = inputs_of(lesson, model).views[0]
    plain = batch._replace(barcodes=batch.barcodes._replace(target_KT=None))
    assert model.read(plain).masked_K3 is None
    assert model.read(batch).masked_K3.shape == (len(batch.barcodes.at_K), 3)
