"""``shrink``: the same model in less room, and what that changes, told on a user's own images."""

from pathlib import Path

import pytest

import holotype
from holotype import files
from holotype.adapting.shrinking import shrink
from holotype.errors import BundleError, CollectionError
from holotype.models import quantised
from holotype.models.bundle import open_bundle
from holotype.models.quantised import WeightKind


def test_a_smaller_bundle_answers_alike(
    tiny_run: Path, own_images, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quantised, "SMALL", 1000)
    images = own_images(4)
    (images / "broken.png").write_bytes(b"nothing")
    report = shrink(tiny_run, out=tmp_path / "small", inputs=[images])
    assert report.bytes_after < 0.6 * report.bytes_before
    assert report.agreement is not None
    assert report.agreement.specimens == 12
    assert report.agreement.least_cosine > 0.998
    assert report.agreement.same_label > 0.9
    small, large = open_bundle(tmp_path / "small"), open_bundle(tiny_run)
    assert small.weights is WeightKind.INT8
    assert small.labels == large.labels
    assert small.manifest["training"] == large.manifest["training"]
    seen = holotype.trained_on(tmp_path / "small", [str(images / "bars" / "0.png")])
    assert seen.counts["no"] == 1
    with pytest.raises(BundleError, match="holds a model already"):
        shrink(tiny_run, out=tmp_path / "small")


def test_a_folder_that_holds_something_or_is_held_is_refused(
    tiny_run: Path, tmp_path: Path
) -> None:
    out = tmp_path / "small"
    with files.only_one(out), pytest.raises(CollectionError, match="another process"):
        shrink(tiny_run, out=out)
    (out / "notes.txt").write_text("somebody else's")
    with pytest.raises(BundleError, match="not empty"):
        shrink(tiny_run, out=out)
    assert [path.name for path in tmp_path.rglob("*")] == ["small", "notes.txt"]
