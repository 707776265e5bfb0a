"""A first day at the command line: archives in, a split, a model, names out; and starting over."""

import csv
import json

import pytest

import holotype
from holotype.collection.store import open_collection
from holotype.splits.plan import read_split


def test_from_archives_to_a_split(tmp_path, tiny_collection, holotype_command):
    """Images in class folders and sequences in a file become one collection and one split."""
    folder, fasta = tmp_path / "crops", tmp_path / "barcodes.fasta"
    collection = open_collection(tiny_collection)
    rows = collection.columns().to_pylist()
    lines = []
    for row, (_, content) in zip(rows, collection.images(), strict=True):
        place = folder / (row["order"] or "unsorted") / f"{row['specimen_id']}.png"
        if content is not None:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        if row["barcode"] and row["species"]:
            lines.append(
                f">{row['specimen_id']};tax=s:{row['species'].replace(' ', '_')};\n{row['barcode']}\n"
            )
    fasta.write_text("".join(lines))

    into = tmp_path / "c"
    images = holotype_command("import", "image-folder", folder, "--into", into, "--json")
    assert images.returncode == 0, images.stderr
    barcodes = holotype_command("import", "fasta", fasta, "--into", into, "--json")
    assert barcodes.returncode == 0, barcodes.stderr
    num_images = sum(row["image_sha256"] is not None for row in rows)
    assert json.loads(images.stdout)["records"] == num_images
    assert json.loads(barcodes.stdout)["records"] == num_images + len(lines)

    done = holotype_command(
        "split", into, "--out", tmp_path / "s.parquet", "--require", "image", "--json"
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["audit"]["clean"]
    assert report["audit"]["unused"] == {"image is required": len(lines)}
    assert sum(report["counts"].values()) == num_images + len(lines)
    assert len(read_split(tmp_path / "s.parquet").record_id) == num_images + len(lines)


def test_the_command_and_the_function_do_the_same(
    tmp_path, tiny_collection, tiny_split, holotype_command
):
    done = holotype_command(
        "split", tiny_collection, "--out", tmp_path / "s.parquet", "--method", "seen-unseen",
        "--require", "image",
    )  # fmt: skip
    assert done.returncode == 0
    assert (tmp_path / "s.parquet").read_bytes() == tiny_split.read_bytes()
    assert "audit: nothing crosses" in done.stdout


def test_predicting_from_a_mixed_folder(tmp_path, tiny_collection, tiny_run, holotype_command):
    """Good images get names and scores; a broken one gets a row that says why, and exit code 3."""
    folder = tmp_path / "new"
    folder.mkdir()
    wanted = 6
    for name, content in open_collection(tiny_collection).images():
        if content is not None and wanted:
            wanted -= 1
            (folder / f"{name.rpartition('/')[2]}.png").write_bytes(content)
    (folder / "broken.png").write_bytes(b"no image")
    done = holotype_command("predict", tiny_run, folder, "--out", tmp_path / "p.csv", "--json")
    assert done.returncode == 3, done.stderr
    report = json.loads(done.stdout)
    assert (report["rows"], report["failures"]) == (7, 1)
    with (tmp_path / "p.csv").open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == 7
    (broken,) = [
        row for row in rows if any("broken.png" in (value or "") for value in row.values())
    ]
    assert any("not an image" in (value or "") for value in broken.values())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["import", "image-foldr", "x", "--into", "c"], "Did you mean 'image-folder'"),
        (["import", "fasta", "none.fasta", "--into", "c"], "none.fasta: no such file"),
        (
            ["import", "table", "none.csv", "--into", "c", "--column", "genus"],
            "write it as name=value",
        ),
        (["split", "none", "--out", "s.parquet"], "no collection.json here"),
        (["split", "none", "--out", "s.parquet", "--fractions", "a,b"], "write three numbers"),
        (
            ["split", "none", "--out", "s.parquet", "--method", "stratifed"],
            "Did you mean 'stratified'",
        ),
        (
            ["train", "trimodl", "--collection", "c", "--split", "s", "--out", "r"],
            "Did you mean 'trimodal'",
        ),
        (["evaluate", "none", "--collection", "c", "--split", "s", "--out", "r"], "none"),
        (["predict", "none", "x.png", "--out", "p.csv"], "none"),
        (["import", "fasta"], "Missing"),
        (["improt"], "No such command"),
    ],
)
def test_mistakes_end_with_code_2_and_one_clear_line(tmp_path, holotype_command, words, message):
    places = {"x", "x.png", "c", "s", "r", "p.csv", "s.parquet", "none", "none.csv", "none.fasta"}
    done = holotype_command(*(tmp_path / word if word in places else word for word in words))
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_missing_collection_is_not_blamed_on_the_method(tmp_path, holotype_command):
    done = holotype_command("split", tmp_path / "nosuch", "--out", tmp_path / "s.parquet")
    assert done.returncode == 2
    assert "nosuch" in done.stderr
    assert "--method" not in done.stderr


def test_a_split_of_another_collection_is_refused_by_training(tmp_path, tiny_split, tiny_recipe):
    (tmp_path / "in.fasta").write_text(">a|Aus bus\nACGTACGT\n>b|Aus cus\nACGTACGG\n")
    holotype.import_("fasta", [tmp_path / "in.fasta"], into=tmp_path / "c")
    from holotype.errors import SplitError

    with pytest.raises(SplitError, match="Make the split again"):
        holotype.train(
            tiny_recipe,
            collection=tmp_path / "c",
            split=tiny_split,
            out=tmp_path / "r",
            accelerator="cpu",
        )
