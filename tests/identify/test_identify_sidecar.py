"""What stands beside the answers: enough to say how they were made, and to make them again."""

import hashlib
import json
import sys
from pathlib import Path

import pytest

import holotype
from holotype.identify.answers import AnswerSettings
from holotype.identify.sidecar import command_words, sidecar_path


@pytest.fixture(scope="module")
def told(tiny_run: Path, png, tmp_path_factory):
    """The sidecar of a run over a folder, a table with odd values, and a list; its folder."""
    root = tmp_path_factory.mktemp("told")
    (root / "crops").mkdir()
    for number in range(5):
        (root / "crops" / f"{number}.png").write_bytes(png(number))
    (root / "crops" / "note.txt").write_text("no image")
    (root / "t.csv").write_text("record_id,barcode,latitude_deg\n1,ACGTTGCAACGT,91\n2,MKVLE*,12\n")
    (root / "list.txt").write_text(f"{root / 'crops' / '1.png'}\n{root / 'nowhere.png'}\n")
    inputs = [root / "crops", root / "t.csv", f"@{root / 'list.txt'}"]
    report = holotype.predict(
        tiny_run,
        inputs,
        out=root / "a.csv",
        embeddings=root / "e.parquet",
        settings=AnswerSettings(max_error=0.1),
    )
    assert report.sidecar == str(root / "a.csv.run.json")
    return json.loads((root / "a.csv.run.json").read_text()), root, report


def test_it_lies_beside_the_answers() -> None:
    assert sidecar_path(Path("x/a.tar.csv")) == Path("x/a.tar.csv.run.json")


def test_it_names_the_model_by_its_weights(told, tiny_run: Path) -> None:
    sidecar, _, _ = told
    assert (sidecar["format"], sidecar["version"]) == ("holotype-run", 1)
    weights = hashlib.sha256((tiny_run / "model.safetensors").read_bytes()).hexdigest()
    assert sidecar["model"]["weights_sha256"] == weights
    labels = json.loads((tiny_run / "bundle.json").read_text())["labels"]
    assert sidecar["model"]["taxonomy"]["labels"] == len(labels)
    assert sidecar["versions"]["holotype"] == holotype.__version__
    assert {"torch", "numpy", "pillow", "pyarrow", "python"} <= set(sidecar["versions"])


def test_it_names_the_settings(told) -> None:
    sidecar, _, _ = told
    assert sidecar["settings"]["max_error"] == 0.1
    assert sidecar["reading"] == {"kind": None, "preset": None, "images": None, "records": None}
    assert {one["max_error"] for one in sidecar["thresholds"].values()} == {0.1}


def test_it_names_the_inputs_and_what_became_of_them(told) -> None:
    sidecar, root, report = told
    folder, table, listed = sidecar["inputs"]
    assert folder == {"path": str(root / "crops")}
    assert table["bytes"] == (root / "t.csv").stat().st_size
    assert table["sha256"] == hashlib.sha256((root / "t.csv").read_bytes()).hexdigest()
    assert listed["path"] == f"@{root / 'list.txt'}"
    assert listed["bytes"] == (root / "list.txt").stat().st_size
    assert sidecar["kinds"] == {"images": 1, "table": 1, "image": 1}
    assert sidecar["left_aside"] == {str(root / "crops"): 1}
    assert sidecar["remarks"]["bounds"]["count"] == 1
    assert "column latitude_deg: '91'" in sidecar["remarks"]["bounds"]["first"]
    assert sidecar["counts"]["rows"] == report.rows == 9
    assert sidecar["counts"]["failures"] == report.failures == 2
    assert sum(sidecar["counts"]["decisions"].values()) == 9
    assert sidecar["counts"]["decisions"]["failed"] == 2


def test_it_names_the_files_written(told) -> None:
    sidecar, root, _ = told
    for output in sidecar["outputs"]:
        content = (root / output["path"]).read_bytes()
        assert output["bytes"] == len(content)
        assert output["sha256"] == hashlib.sha256(content).hexdigest()
    assert [output["table"] for output in sidecar["outputs"]] == ["answers", "embeddings"]


def test_times_alone_differ_between_two_runs(told, tiny_run: Path) -> None:
    first, root, _ = told
    inputs = [one["path"] for one in first["inputs"]]
    given = {"out": root / "a.csv", "embeddings": root / "e.parquet"}
    holotype.predict(tiny_run, inputs, settings=AnswerSettings(max_error=0.1), **given)
    second = json.loads((root / "a.csv.run.json").read_text())
    assert list(first)[-1] == "times"
    assert set(first.pop("times")) == set(second.pop("times")) == {"started", "ended"}
    assert first == second


def test_the_command_is_told_as_typed(monkeypatch) -> None:
    monkeypatch.setattr(
        sys, "argv", ["/some/where/bin/holotype", "predict", "x.zip", "--out", "a.csv"]
    )
    assert command_words() == ["holotype", "predict", "x.zip", "--out", "a.csv"]
    monkeypatch.setattr(sys, "argv", ["/some/where/ipython"])
    assert command_words() == []
