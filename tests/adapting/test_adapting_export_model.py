"""A model for other programs, and one that names sooner: the same answers, or nothing is written."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image
from typer.main import get_command

import holotype
from holotype.cli.app import app
from holotype.collection.store import open_collection
from holotype.errors import BundleError, SourceError
from holotype.identify.inputs import specimens
from holotype.identify.loading import load, materials_of
from holotype.identify.read_answers import read_answers
from holotype.models.bundle import open_bundle
from holotype.models.encode import encode
from holotype.models.towers import Modality

openvino = pytest.importorskip("openvino")


@pytest.fixture(scope="module")
def crops(tiny_collection, tmp_path_factory):
    folder = tmp_path_factory.mktemp("crops")
    contents = [content for _, content in open_collection(tiny_collection).images() if content]
    for number, content in enumerate(contents[:60]):
        (folder / f"{number:03d}.png").write_bytes(content)
    return folder


@pytest.fixture(scope="module")
def fast(tiny_run, crops, tmp_path_factory):
    out = tmp_path_factory.mktemp("exported") / "fast"
    report = holotype.export_model(
        tiny_run, out=out, form="openvino", inputs=[crops], precision="float32"
    )
    assert (report.precision, report.calibrated_on) == ("float32", 0)
    assert report.agreement.specimens == 40
    assert report.agreement.same_label == 1
    assert report.agreement.least_cosine > 0.9999
    return out


def test_answers_are_those_of_the_model(tiny_run, fast, crops, tmp_path):
    ours, theirs = (
        read_answers(holotype.predict(run, [crops], out=tmp_path / f"{at}.parquet").out)
        for at, run in enumerate((tiny_run, fast))
    )
    assert ours["label"].to_pylist() == theirs["label"].to_pylist()
    assert ours["decision"].to_pylist() == theirs["decision"].to_pylist()
    assert set(ours["model"].to_pylist()).isdisjoint(theirs["model"].to_pylist())
    np.testing.assert_allclose(ours["score"], theirs["score"], atol=1e-4)


def test_the_engine_alone_reads_images(fast, crops):
    bundle = open_bundle(fast)
    with_engine = encode(bundle.model, materials(bundle, crops))[Modality.IMAGE].z_RD
    for weight in bundle.model.towers["image"].parameters():
        weight.data.zero_()
    again = encode(bundle.model, materials(bundle, crops))[Modality.IMAGE].z_RD
    np.testing.assert_array_equal(with_engine, again)
    plain = open_bundle(fast, is_plain=True)
    assert plain.model.image_engine is None
    assert plain.fingerprint != bundle.fingerprint


def test_what_was_changed_or_computes_something_else_is_refused(fast, tmp_path):
    changed = shutil.copytree(fast, tmp_path / "changed")
    weights = changed / "engine" / "images.bin"
    weights.write_bytes(weights.read_bytes()[:-4] + b"\0\0\0\0")
    with pytest.raises(BundleError, match=r"images\.bin: missing, or not what bundle\.json names"):
        open_bundle(changed)
    other = shutil.copytree(fast, tmp_path / "other")
    manifest = json.loads((other / "bundle.json").read_text())
    manifest["engine"]["golden"] = (-np.asarray(manifest["engine"]["golden"])).tolist()
    (other / "bundle.json").write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match=r"computes something else on this machine \(cosine -1"):
        open_bundle(other)
    manifest["engine"]["kind"] = "abacus"
    (other / "bundle.json").write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match="'abacus', which this version does not know"):
        open_bundle(other)


def test_eight_bits_are_written_only_where_they_keep_the_labels(tiny_run, crops, tmp_path, capfd):
    out = tmp_path / "int8"
    with pytest.raises(SourceError, match=r"int8 needs images"):
        holotype.export_model(tiny_run, out=out, form="openvino", precision="int8")
    with pytest.raises(SourceError, match=r"too far from the model: on 40 images"):
        holotype.export_model(
            tiny_run, out=out, form="openvino", precision="int8", inputs=[crops], least_same_label=1.01
        )  # fmt: skip
    assert not out.exists()
    assert list(tmp_path.iterdir()) == []
    report = holotype.export_model(tiny_run, out=out, form="openvino", inputs=[crops])
    said = json.loads((out / "bundle.json").read_text())["engine"]
    assert said["precision"] == report.precision
    assert report.agreement.same_label >= 0.995
    assert report.agreement.mean_cosine >= 0.998
    if report.precision != "int8":
        assert "int8: on 40 images the same label for" in capfd.readouterr().err
    assert len(read_answers(holotype.predict(out, [crops], out=tmp_path / "a.csv").out)) == 60


def test_onnx_names_as_the_model_does(tiny_run, crops, tmp_path):
    out = tmp_path / "onnx"
    report = holotype.export_model(tiny_run, out=out, form="onnx", inputs=[crops])
    assert report.agreement.same_label == 1
    told = json.loads((out / "model.json").read_text())
    bundle = open_bundle(tiny_run)
    found = materials(bundle, crops)
    compiled = openvino.Core().compile_model(str(out / "model.onnx"), "CPU")
    z_ND, probability_NL = (compiled([found.pixels_MSSC, found.size_M4])[at] for at in (0, 1))
    assert [one["name"] for one in told["labels"]] == list(bundle.labels.names)
    assert probability_NL.shape == (60, len(told["labels"]))
    np.testing.assert_allclose(probability_NL.sum(axis=1), 1, atol=1e-3)
    np.testing.assert_allclose(np.linalg.norm(z_ND, axis=1), 1, atol=1e-2)
    with pytest.raises(SourceError, match="ONNX is written in float32"):
        holotype.export_model(tiny_run, out=tmp_path / "x", form="onnx", precision="int8")


def test_what_cannot_be_exported_is_told(tiny_run, crops, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "note.txt").write_text("mine")
    with pytest.raises(BundleError, match="not empty"):
        holotype.export_model(tiny_run, out=tmp_path / "full", form="onnx")
    with pytest.raises(SourceError, match="no precision 'int4'"):
        holotype.export_model(tiny_run, out=tmp_path / "x", form="openvino", precision="int4")
    Image.new("L", (20, 20)).save(tmp_path / "one.png")
    with pytest.raises(SourceError, match="no images to calibrate and compare on"):
        holotype.export_model(
            tiny_run, out=tmp_path / "x", form="openvino", inputs=[tmp_path / "one.png"]
        )


def test_the_command_says_what_it_made(tiny_run, tiny_collection, tmp_path):
    made = command("export", tiny_run, "--form", "openvino", "--out", tmp_path / "fast")
    assert made.text.splitlines() == [
        f"{tmp_path / 'fast'}: openvino, bfloat16",
        "  not compared with the model: name images by --images",
    ]
    with pytest.raises(SourceError, match="--images: no option of a collection"):
        command("export", tiny_collection, "--out", tmp_path / "x", "--images", "a")
    with pytest.raises(SourceError, match="--split: no option of a model"):
        command("export", tiny_run, "--form", "onnx", "--out", tmp_path / "x", "--split", "a")


def command(*words):
    return get_command(app).main([str(word) for word in words], standalone_mode=False)


def materials(bundle, folder):
    loaded = [load(one, bundle.pixels) for one in specimens([str(folder)])]
    return materials_of(loaded, bundle.pixels)
