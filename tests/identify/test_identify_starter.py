"""The bundle that ships: small, without content of its data, answering offline, as good as its card says."""

import csv
import re
import zipfile
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import holotype
from holotype.files import sha256_bytes
from holotype.models.bundle import open_bundle
from holotype.models.places import bundle_folder
from holotype.models.quantised import WeightKind
from holotype.taxonomy.label_table import read_label_table
from holotype.taxonomy.lineage import Rank

MOST_BYTES = 10_000_000


def test_it_is_small_and_holds_no_content_of_its_data() -> None:
    folder = bundle_folder("starter")
    names = {path.name for path in folder.iterdir()}
    assert names == {
        "bundle.json", "model.safetensors", "recipe.toml", "training-records.parquet", "ATTRIBUTION.md",
        "README.md", "decisions",
    }  # fmt: skip
    found = [path for path in folder.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in found) <= MOST_BYTES
    references = next((folder / "decisions" / "references").rglob("records.parquet"))
    shown = pq.read_table(references, columns=["barcode", "thumbnail"])
    assert shown["barcode"].null_count == shown["thumbnail"].null_count == len(shown)
    kept = pq.read_schema(folder / "training-records.parquet").names
    assert set(kept) == {
        "record_id", "source", "image_sha256", "image_phash", "haplotype", "licence", "role"
    }  # fmt: skip


def test_it_says_what_it_learnt_from_and_under_which_terms() -> None:
    bundle = open_bundle("starter")
    assert bundle.weights is WeightKind.INT8
    training = bundle.manifest["training"]
    assert set(training["sources"]) == {
        "planktonset1.0", "crops-zoolake", "crops-flowcam", "crops-ifcb"
    }  # fmt: skip
    assert sum(training["licences"].values()) >= training["records"]
    card = (bundle.path / "README.md").read_text(encoding="utf-8")
    for section in ("## Terms", "## How good it is", "## Limits"):
        assert section in card
    assert not re.search(r"[{}]", card)


def test_predict_answers_without_a_model_of_ones_own(
    brought, tmp_path: Path, holotype_command
) -> None:
    (tmp_path / "photos").mkdir()
    for name, content in brought["images"]:
        (tmp_path / "photos" / name).write_bytes(content)
    done = holotype_command("predict", tmp_path / "photos", "--out", tmp_path / "a.csv")
    assert done.returncode == 0, done.stderr
    assert "starter (" in done.stderr
    assert "whatever it is shown, it names plankton" in done.stderr
    with (tmp_path / "a.csv").open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == len(brought["images"])
    assert all(row["label"] and float(row["score"]) > 0 for row in rows)


def test_a_first_word_that_is_nothing_is_a_model_that_is_missing(
    brought, tmp_path: Path, holotype_command
) -> None:
    (tmp_path / "x.png").write_bytes(brought["images"][0][1])
    done = holotype_command("predict", "rnu", tmp_path / "x.png", "--out", tmp_path / "a.csv")
    assert done.returncode == 2
    assert "rnu: no bundle.json" in done.stderr
    assert not (tmp_path / "a.csv").exists()


@pytest.mark.real
def test_it_names_crops_that_it_never_saw(real_data: Path, tmp_path: Path) -> None:
    bundle = open_bundle("starter")
    records = pq.read_table(bundle.path / "training-records.parquet")
    seen = set(records["image_sha256"].to_pylist())
    place = real_data / "plankton" / "isiis" / "planktonset1.zip"
    with zipfile.ZipFile(place) as zipped, zipfile.ZipFile(tmp_path / "new.zip", "w") as new:
        for name in zipped.namelist()[::6]:
            content = zipped.read(name)
            if name.endswith(".jpg") and sha256_bytes(content) not in seen:
                new.writestr(name, content)
    table = read_label_table(real_data / "taxonomy" / "planktonzilla_taxonomy.csv")
    holotype.predict("starter", [tmp_path / "new.zip"], out=tmp_path / "a.csv")
    with (tmp_path / "a.csv").open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    classes = {one.name: one.concept.lineage.name_at(Rank.CLASS) for one in bundle.labels.labels}
    guessed, safe = [], []
    for row in rows:
        concept = table.find("planktonset1.0", Path(row["input"]).parent.name)
        named = concept.lineage.name_at(Rank.CLASS) if concept is not None else None
        if named is not None:
            guessed.append(classes[row["label"]] == named)
            safe += [row["class"] == named] if row["class"] else []
    assert len(guessed) > 150
    assert sum(guessed) / len(guessed) > 0.75, "the best label, safe or not"
    assert len(safe) > len(guessed) / 3
    assert sum(safe) / len(safe) > 0.95
