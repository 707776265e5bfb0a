"""The whole path as a user walks it: one command after another, each in a process of its own."""

import csv
import json
import zipfile
from pathlib import Path

import pyarrow.parquet as pq

RECIPE = """
name = "journey"
target = "tree"
[model]
embedding_dim = 16
[model.images]
side_px = 16
width = 4
depth = 1
[model.barcodes]
max_bp = 300
feature_dim = 16
kmer_bp = 2
width = 8
depth = 0
[model.classifier]
kind = "cosine"
[classify]
[align]
pairs = [["image", "barcode"]]
[schedule]
epochs = 2
batch_size = 32
"""
SIMULATION = (
    "seed = 5\nnum_species = 16\nmedian_specimens_per_species = 10.0\nabundance_sigma = 0.3\n"
    "max_specimens_per_species = 14\n"
)


def test_from_archives_to_names(holotype_command, tmp_path: Path) -> None:
    def done(*words: object) -> dict:
        finished = holotype_command(*words, "--json", timeout=120)
        assert finished.returncode == 0, finished.stderr
        return json.loads(finished.stdout)  # and nothing else

    (tmp_path / "simulation.toml").write_text(SIMULATION)
    (tmp_path / "recipe.toml").write_text(RECIPE)
    place, parts, run = tmp_path / "collection", tmp_path / "split.parquet", tmp_path / "run"

    imported = done("import", "simulated", tmp_path / "simulation.toml", "--into", place)
    assert imported["records"] == imported["items"] > 100
    assert sum(imported["outcomes"].values()) == imported["items"]

    divided = done("split", place, "--out", parts, "--method", "seen-unseen", "--require", "image")
    assert divided["audit"]["clean"] is True
    assert sum(divided["counts"].values()) == imported["records"]

    common = ["--collection", place, "--split", parts]
    trained = done("train", tmp_path / "recipe.toml", *common, "--out", run, "--accelerator", "cpu")
    in_training = sum(n for name, n in divided["counts"].items() if name.startswith("train"))
    assert trained["records"] == in_training
    assert trained["epochs"] == 2

    examined = done("evaluate", run, *common, "--out", tmp_path / "report")
    report = json.loads((tmp_path / "report" / "report.json").read_text())
    assert examined["headline"] == report["headline"]
    assert (tmp_path / "report" / "index.html").is_file()

    embedded = done("embed", run, "--collection", place, "--out", tmp_path / "z.parquet")
    assert sum(embedded["rows"].values()) == pq.read_metadata(tmp_path / "z.parquet").num_rows

    shard = pq.read_table(next((place / "records").glob("*.parquet"))).to_pylist()
    with zipfile.ZipFile(tmp_path / "new.zip", "w") as zipped:
        for row in [row for row in shard if row["image"]][:5]:
            zipped.writestr(f"{row['source_item']}.png", row["image"]["bytes"])
        zipped.writestr("broken.jpg", b"no image")
    named = holotype_command("predict", run, tmp_path / "new.zip", "--out", tmp_path / "a.csv")
    assert named.returncode == 3  # done, but one input failed
    assert f"{tmp_path / 'a.csv'}: 6 rows (" in named.stdout
    assert ", 1 with a failure\n" in named.stdout
    with (tmp_path / "a.csv").open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    known = {label["name"] for label in json.loads((run / "bundle.json").read_text())["labels"]}
    assert [row["label"] in known for row in rows] == [True] * 5 + [False]
    assert rows[-1]["failure"]
