"""``adapt``: own labels from folders, tables, collections; ordinary bundles; no figure of too few."""

import csv
import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import holotype
from holotype import files
from holotype.adapting.adapt import adapt
from holotype.adapting.own_labels import read_own_labels
from holotype.collection.store import open_collection
from holotype.errors import BundleError, CollectionError, RecipeError, SourceError
from holotype.models.bundle import open_bundle


@pytest.fixture(scope="module")
def folders(own_images) -> Path:
    return own_images(12)


@pytest.fixture(scope="module")
def adapted(folders: Path, tiny_run: Path, tmp_path_factory) -> dict[str, tuple[Path, object]]:
    root = tmp_path_factory.mktemp("adapted")
    return {
        method: (root / method, adapt(tiny_run, [folders], out=root / method, method=method))
        for method in ("prototypes", "probe", "auto")
    }


@pytest.mark.parametrize("method", ["prototypes", "probe", "auto"])
def test_the_new_bundle_names_own_labels(
    method: str, adapted, folders: Path, tmp_path: Path
) -> None:
    out, report = adapted[method]
    assert report.images == report.examined == 36
    assert report.labels == 3
    assert report.known_labels == 0
    assert report.accuracy[0] > 0.8
    assert report.accuracy[1] <= report.accuracy[0] <= report.accuracy[2]
    assert report.before == (0.0, 0.0, 0.0)
    assert report.method in {"prototypes", "probe"}
    holotype.predict(out, [folders], out=tmp_path / "a.csv")
    with (tmp_path / "a.csv").open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    right = [row["label"] == Path(row["input"]).parent.name for row in rows]
    assert sum(right) >= 34
    assert all(0 < float(row["score"]) <= 1 for row in rows)


def test_the_bundle_says_where_it_comes_from(adapted, tiny_run: Path, folders: Path) -> None:
    out, report = adapted["probe"]
    bundle, parent = open_bundle(out), open_bundle(tiny_run)
    training = bundle.manifest["training"]
    assert training["parent"]["fingerprint"] == parent.fingerprint
    assert training["examined"]["accuracy"]["value"] == report.accuracy[0]
    assert sum(training["licences"].values()) == 36 + parent.manifest["training"]["records"]
    rows = pq.read_table(out / "training-records.parquet").num_rows
    assert rows == 36 + pq.read_table(tiny_run / "training-records.parquet").num_rows
    seen = holotype.trained_on(out, [str(folders / "bars" / "3.png")])
    assert seen.counts["same"] == 1
    card = (out / "README.md").read_text()
    assert f"{report.accuracy[0]:.3f}" in card
    assert parent.fingerprint in card


def test_an_adapted_model_can_be_evaluated_and_adapted_again(
    adapted, folders: Path, tmp_path: Path
) -> None:
    out, _ = adapted["prototypes"]
    holotype.import_("image-folder", [folders], into=tmp_path / "c")
    holotype.split(tmp_path / "c", out=tmp_path / "s", fractions=(0.5, 0.1, 0.4))
    report = holotype.evaluate(
        out, collection=tmp_path / "c", split=tmp_path / "s", out=tmp_path / "report"
    )
    scores = json.loads((tmp_path / "report" / "report.json").read_text())["scores"]
    top1 = next(
        s for s in scores
        if s["task"] == "classification" and s["method"] == "model" and s["metric"] == "top1_micro"
    )  # fmt: skip
    assert top1["value"] > 0.8
    assert report.report
    again = adapt(out, [tmp_path / "c"], out=tmp_path / "again", method="probe")
    assert again.known_labels == 3
    assert again.before[0] > 0.8


def test_the_same_seed_gives_the_same_weights(adapted, folders: Path, tiny_run, tmp_path) -> None:
    adapt(tiny_run, [folders], out=tmp_path / "again", method="probe")
    first = open_bundle(adapted["probe"][0]).fingerprint
    assert open_bundle(tmp_path / "again").fingerprint == first


def test_a_table_and_a_collection_give_what_folders_give(
    adapted, folders: Path, tiny_run: Path, tmp_path: Path
) -> None:
    table = tmp_path / "labels.csv"
    lines = [f"{p.relative_to(folders)},{p.parent.name}" for p in sorted(folders.rglob("*.png"))]
    table.write_text(
        "\ufeffFile,Label\n" + "\n".join([*lines, "bars/0.png,", "none.png,bars"]) + "\n"
    )
    report = adapt(tiny_run, [folders], labels=table, out=tmp_path / "t", method="prototypes")
    assert report.images == 36
    assert report.accuracy[0] == pytest.approx(adapted["prototypes"][1].accuracy[0], abs=0.1)


def test_too_few_images_are_learnt_from_but_nothing_is_claimed(
    own_images, tiny_run: Path, tmp_path: Path
) -> None:
    report = adapt(tiny_run, [own_images(3)], out=tmp_path / "few")
    assert report.examined == 9
    assert report.accuracy is report.macro_accuracy is report.before is None
    assert "Not known: 9 images" in (tmp_path / "few" / "README.md").read_text()
    assert len(open_bundle(tmp_path / "few").labels) == 3
    single = adapt(tiny_run, [own_images(1)], out=tmp_path / "one")
    assert (single.images, single.examined, single.method) == (3, 0, "prototypes")


def test_training_goes_on_from_the_parent(own_images, tiny_run: Path, tmp_path: Path) -> None:
    report = adapt(tiny_run, [own_images(15)], out=tmp_path / "full", method="full", epochs=2)
    assert report.method == "full"
    assert 8 <= report.examined <= 10
    bundle = open_bundle(tmp_path / "full")
    assert len(bundle.manifest["training"]["history"]) == 2
    assert (tmp_path / "full" / "recipe.toml").is_file()
    own, theirs = bundle.model.state_dict(), open_bundle(tiny_run).model.state_dict()
    moved = [
        float((own[name] - theirs[name]).abs().max())
        for name in own
        if name.startswith("towers.image.") and name.endswith("conv.weight")
    ]
    assert 0 < max(moved) < 0.1


def test_labels_that_the_parent_knows_get_their_lineage(
    tiny_run: Path, tiny_collection: Path, tmp_path: Path
) -> None:
    opened = open_collection(tiny_collection)
    columns = opened.columns(["genus"])["genus"].to_pylist()
    chosen = sorted({name for name in columns if name})[:3]
    for genus, (record_id, content) in zip(columns, opened.images(), strict=True):
        if genus in chosen and content is not None:
            place = tmp_path / "own" / genus.lower()
            place.mkdir(parents=True, exist_ok=True)
            (place / f"{record_id.rpartition('/')[2]}.png").write_bytes(content)
    report = adapt(tiny_run, [tmp_path / "own"], out=tmp_path / "new", method="probe")
    labels = open_bundle(tmp_path / "new").labels.labels
    assert [label.name for label in labels] == [name.lower() for name in chosen]
    assert [label.concept.lineage.name for label in labels] == chosen
    assert report.known_labels == len(chosen)
    assert 0 < report.before[0] < 1


@pytest.mark.parametrize(
    ("given", "kind", "said"),
    [
        ({"method": "prob"}, RecipeError, "Did you mean 'probe'"),
        ({"method": "probe", "epochs": 3}, RecipeError, "--epochs goes with"),
        ({"model": "nowhere"}, BundleError, r"no bundle\.json"),
        ({"inputs": []}, SourceError, "no images given"),
        ({"inputs": ["none"]}, SourceError, "none"),
        ({"labels": "wrong.csv"}, SourceError, "no column for the label"),
        ({"inputs": ["bars"]}, CollectionError, "two labels at least"),
        ({"out": "run"}, BundleError, "holds a model already"),
    ],
)
def test_what_cannot_be_is_refused(
    given, kind, said, folders: Path, tiny_run: Path, tmp_path: Path
) -> None:
    (tmp_path / "wrong.csv").write_text("file,colour\na.png,red\n")
    places = {
        "model": tiny_run, "inputs": [folders], "out": tmp_path / "x", "labels": None, "method": "auto"
    }  # fmt: skip
    if "labels" in given:
        given = {"labels": tmp_path / given["labels"]}
    if given.get("out") == "run":
        given = {"out": tiny_run}
    if given.get("inputs") == ["bars"]:
        given = {"inputs": [folders / "bars"]}
    asked = {**places, **given}
    with pytest.raises(kind, match=said):
        adapt(
            asked["model"], asked["inputs"], out=asked["out"], labels=asked["labels"],
            method=asked["method"], epochs=asked.get("epochs"),
        )  # fmt: skip
    assert [path.name for path in tmp_path.iterdir()] == ["wrong.csv"]


def test_a_folder_that_another_process_makes_a_model_in_is_refused_before_it_learns(
    folders: Path, tiny_run: Path, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr("holotype.adapting.adapt.read_own_labels", lambda *_: pytest.fail("learns"))
    with files.only_one(tmp_path / "x"), pytest.raises(CollectionError, match="another process"):
        adapt(tiny_run, [folders], out=tmp_path / "x")


def test_odd_labels_are_told(folders: Path, tiny_run: Path, tmp_path: Path, capsys) -> None:
    lines = [f"{p.relative_to(folders)},{p.parent.name}" for p in sorted(folders.rglob("*.png"))]
    copy = tmp_path / "images"
    shutil.copytree(folders, copy)
    shutil.copyfile(folders / "bars" / "0.png", copy / "copy.png")
    table = tmp_path / "labels.csv"
    table.write_text("file,label\n" + "\n".join([*lines, "copy.png,Bars"]) + "\n")
    own = read_own_labels([copy], table, open_bundle(tiny_run).labels, tmp_path / "own")
    assert len(own) == 37
    said = " ".join(capsys.readouterr().err.split())
    assert "images with two labels or more: 1;" in said
    assert "capitals or spaces alone are learnt as different ones: Bars, bars" in said
