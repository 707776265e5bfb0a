"""The command, end to end: the same figures twice, and a table that embeds."""

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import holotype
from holotype.collection.store import open_collection
from holotype.errors import SplitError
from holotype.evaluation.evaluate import write_report
from holotype.evaluation.report import page as page_module
from holotype.models.bundle import Bundle
from holotype.splits.plan import read_split, write_split


def test_one_seed_gives_one_report(
    tiny_run: Path, tiny_collection: Path, tiny_split: Path, tmp_path: Path
) -> None:
    given = {"collection": tiny_collection, "split": tiny_split}
    first = holotype.evaluate(tiny_run, **given, out=tmp_path / "first")
    holotype.evaluate(tiny_run, **given, out=tmp_path / "again")
    written = (tmp_path / "first" / "report.json").read_bytes()
    assert written == (tmp_path / "again" / "report.json").read_bytes()
    content = json.loads(written)
    assert (content["format"], content["version"]) == ("holotype-report", 1)
    assert first.scores == len(content["scores"])
    assert first.headline == content["headline"]
    tasks = {score["task"] for score in content["scores"]}
    assert tasks == {
        "classification", "caption_classification", "retrieval", "cross_instrument", "zero_shot",
        "few_shot", "hierarchy",
    }  # fmt: skip
    for score in content["scores"]:
        if score["low"] is not None and score["value"] is not None:
            least = -1.0 if "spearman" in score["metric"] else 0.0
            most = 30.0 if "severity" in score["metric"] else 1.0  # ranks apart
            assert least <= score["low"] <= score["high"] <= most
    labels = content["confusion"]["labels"]
    assert [row["label"] for row in content["per_class"]] == labels
    cells = content["confusion"]["cells"]
    assert sum(n for _, _, n in cells) == sum(row["test"] for row in content["per_class"])
    assert content["composition"]["records"] == len(open_collection(tiny_collection))
    assert (
        sum(n for _, n in content["composition"]["lineages"]) == content["composition"]["records"]
    )
    points = content["map"]
    assert len(points["x"]) == len(points["y"]) == len(points["status"])


def test_the_page_is_written_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "report"

    def stopped(_: object) -> str:
        assert json.loads((folder / "report.json").read_text()) == content
        raise KeyboardInterrupt

    content = {"scores": [], "headline": {}}
    monkeypatch.setattr(page_module, "page", stopped)
    with pytest.raises(KeyboardInterrupt):
        write_report(content, folder)
    assert [path.name for path in folder.iterdir()] == ["report.json"]


def test_nothing_to_test_on_is_said(
    tiny_run: Path, tiny_collection: Path, tiny_split: Path, tmp_path: Path
) -> None:
    parts = read_split(tiny_split)
    parts.role_N[parts.role_N == "test"] = "val"
    write_split(parts, tmp_path / "split.parquet")
    with pytest.raises(SplitError, match="no test record"):
        holotype.evaluate(
            tiny_run, collection=tiny_collection, split=tmp_path / "split.parquet",
            out=tmp_path / "report",
        )  # fmt: skip
    assert not (tmp_path / "report").exists()


def test_embed_writes_every_image_and_barcode(
    tiny_run: Path, tiny_collection: Path, examined: Bundle, tmp_path: Path
) -> None:
    report = holotype.embed(tiny_run, collection=tiny_collection, out=tmp_path / "z.parquet")
    table = pq.read_table(tmp_path / "z.parquet")
    columns = open_collection(tiny_collection).columns(["record_id", "image_sha256", "barcode"])
    has = {
        "image": columns.filter(columns["image_sha256"].is_valid())["record_id"].to_pylist(),
        "barcode": columns.filter(columns["barcode"].is_valid())["record_id"].to_pylist(),
    }
    assert report.rows == {name: len(ids) for name, ids in has.items()}
    for modality, ids in has.items():
        part = table.filter(np.asarray(table["modality"]) == modality)
        assert part["record_id"].to_pylist() == ids
    z_ND = np.stack(table["embedding"].to_numpy(zero_copy_only=False))
    assert z_ND.shape == (sum(map(len, has.values())), report.dim)
    assert np.linalg.norm(z_ND, axis=1) == pytest.approx(1.0, abs=1e-5)
    about = json.loads(table.schema.metadata[b"holotype"])
    assert about["model"] == examined.fingerprint
