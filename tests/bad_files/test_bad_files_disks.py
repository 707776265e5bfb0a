"""Disks that fill, cannot be written, or whose clock is wrong: nothing half-written is taken for whole."""

import errno
import json
import os
import resource
import signal
import subprocess
import sys
import time
import zipfile

import numpy as np
import pyarrow.parquet as pq
import pytest

import holotype
from exchange.net_answers import DATED, FIN, NET, answer, table
from holotype.collection.store import open_collection
from holotype.errors import CollectionError, HolotypeError
from holotype.exchange.answers.publish import publish_table
from holotype.files import only_one
from holotype.models.bundle import open_bundle

FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.fixture
def crops(tmp_path, png):
    """Twelve images of two classes, two of them damaged."""
    folder = tmp_path / "crops"
    for number in range(12):
        path = folder / ("egg", "copepod")[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(number)[: 40 if number in (3, 4) else None])
    return folder


class FullAfter:
    """A disk on which so many files have room: each file of ours is flushed once before it counts."""

    def __init__(self, room: int) -> None:
        self.room, self.flushed, self.fsync = room, 0, os.fsync

    def __call__(self, descriptor: int) -> None:
        if self.flushed == self.room:
            raise FULL
        self.flushed += 1
        self.fsync(descriptor)


def bytes_of(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_an_import_on_a_disk_that_fills_at_any_write_goes_on(crops, tmp_path, monkeypatch):
    endless = FullAfter(10**9)
    monkeypatch.setattr(os, "fsync", endless)
    holotype.import_("image-folder", [crops], into=tmp_path / "whole" / "c")
    assert endless.flushed >= 4
    for room in range(endless.flushed):
        into = tmp_path / f"{room}" / "c"
        monkeypatch.setattr(os, "fsync", FullAfter(room))
        with pytest.raises(OSError, match="No space left"):
            holotype.import_("image-folder", [crops], into=into)
        with pytest.raises(CollectionError):
            open_collection(into)
        monkeypatch.setattr(os, "fsync", endless)
        holotype.import_("image-folder", [crops], into=into)
        assert bytes_of(into) == bytes_of(tmp_path / "whole" / "c"), room


def test_a_prediction_on_a_disk_that_fills_at_any_write_goes_on(
    tiny_run, crops, tmp_path, monkeypatch
):
    endless = FullAfter(10**9)
    monkeypatch.setattr(os, "fsync", endless)
    holotype.predict(tiny_run, [crops], out=tmp_path / "a.csv")
    whole = (tmp_path / "a.csv").read_bytes()
    assert endless.flushed >= 3
    for room in range(endless.flushed):
        out = tmp_path / f"{room}" / "a.csv"
        monkeypatch.setattr(os, "fsync", FullAfter(room))
        with pytest.raises(OSError, match="No space left"):
            holotype.predict(tiny_run, [crops], out=out)
        assert not out.exists() or out.read_bytes() == whole
        monkeypatch.setattr(os, "fsync", endless)
        holotype.predict(tiny_run, [crops], out=out)
        assert out.read_bytes() == whole, room


def test_a_training_on_a_disk_that_fills_at_any_write_goes_on(
    tiny_collection, tiny_split, tiny_recipe, tmp_path, monkeypatch
):
    def train(out):
        changes = ["schedule.epochs=1", "schedule.batch_size=64"]
        words = {"collection": tiny_collection, "split": tiny_split, "accelerator": "cpu"}
        holotype.train(tiny_recipe, out=out, overrides=changes, **words)

    endless = FullAfter(10**9)
    monkeypatch.setattr(os, "fsync", endless)
    train(tmp_path / "whole")
    weights = (tmp_path / "whole" / "model.safetensors").read_bytes()
    run = tmp_path / "run"
    stopped = 0
    for room in range(endless.flushed):  # one run: it gets one write further each time
        monkeypatch.setattr(os, "fsync", FullAfter(room))
        try:
            train(run)
        except OSError as reason:
            if reason.errno != errno.ENOSPC:
                raise
            stopped += 1
            with pytest.raises(HolotypeError):
                open_bundle(run)
        else:
            break
    assert stopped >= 3
    monkeypatch.setattr(os, "fsync", endless)
    train(run)
    assert open_bundle(run).labels == open_bundle(tmp_path / "whole").labels
    assert (run / "model.safetensors").read_bytes() == weights


def small_files(most_bytes: int):
    """Makes every write beyond so many bytes of a file fail, as on a disk that fills in its middle."""

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))

    return limit


COMMAND = [sys.executable, "-c", "from holotype.cli.app import main; main()"]


@pytest.mark.parametrize("most_bytes", [1, 700, 6_000])
def test_a_write_that_stops_half_way_is_said_and_leaves_nothing(crops, tmp_path, most_bytes):
    words = ["import", "image-folder", str(crops), "--into", str(tmp_path / "c")]
    done = subprocess.run(
        [*COMMAND, *words], preexec_fn=small_files(most_bytes), capture_output=True, text=True, check=False
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert "File too large" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "c" / "collection.json").exists()
    holotype.import_("image-folder", [crops], into=tmp_path / "c")
    holotype.import_("image-folder", [crops], into=tmp_path / "whole" / "c")
    assert bytes_of(tmp_path / "c") == bytes_of(tmp_path / "whole" / "c")


@pytest.mark.parametrize("command", ["import", "predict", "evidence", "publish"])
def test_a_folder_that_cannot_be_written_is_said(tiny_run, crops, tmp_path, command):
    locked = "/proc/holotype"  # no one, not even root, can make anything there
    holotype.predict(tiny_run, [crops], out=tmp_path / "a.csv")
    words = {
        "import": ["image-folder", crops, "--into", f"{locked}/c"],
        "predict": [tiny_run, crops, "--out", f"{locked}/a.csv"],
        "evidence": [tmp_path / "a.csv", "--out", f"{locked}/e.html"],
        "publish": [tmp_path / "a.csv", "--to", "pybioclip", "--out", f"{locked}/p.csv"],
    }[command]
    done = subprocess.run(
        [*COMMAND, command, *map(str, words)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2, done.stderr
    assert locked in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_clock_that_goes_back_changes_nothing(crops, tiny_run, tmp_path, monkeypatch):
    holotype.import_("image-folder", [crops], into=tmp_path / "whole" / "c")
    holotype.predict(tiny_run, [crops], out=tmp_path / "whole.csv")
    hours = iter(range(10**6, 0, -1))
    monkeypatch.setattr(time, "time", lambda: 3_600.0 * next(hours))
    monkeypatch.setattr(time, "time_ns", lambda: 3_600_000_000_000 * next(hours))
    for path in crops.rglob("*.png"):
        os.utime(path, (0, 0))  # a camera whose clock was never set
    holotype.import_("image-folder", [crops], into=tmp_path / "c")
    holotype.predict(tiny_run, [crops], out=tmp_path / "a.csv")
    assert bytes_of(tmp_path / "c") == bytes_of(tmp_path / "whole" / "c")
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_images_of_1970_are_published_in_a_zip(crops, tmp_path, monkeypatch):
    image = next(crops.rglob("1.png"))
    os.utime(image, (0, 0))
    monkeypatch.setattr(time, "time", lambda: 0.0)
    row = answer("a", FIN, **NET) | {"input": str(image)}
    report = publish_table(table(row), to="ecotaxa", out=tmp_path / "o.zip", dated=DATED)
    assert report.written == 1
    with zipfile.ZipFile(tmp_path / "o.zip") as archive:
        assert image.read_bytes() in [archive.read(name) for name in archive.namelist()]


@pytest.mark.parametrize("command", ["import", "drop", "predict", "train"])
def test_what_another_process_is_changing_is_refused(
    tiny_run, tiny_recipe, crops, tmp_path, command
):
    into, out, run = tmp_path / "c", tmp_path / "a.csv", tmp_path / "run"
    split = tmp_path / "s.parquet"
    holotype.import_("image-folder", [crops], into=into)
    before = bytes_of(into)
    holotype.split(into, out=split, method="stratified")
    held = {"predict": out.with_name("a.csv.partial"), "train": run}.get(command, into)
    words = {
        "import": ["image-folder", crops, "--into", into],
        "drop": [into, "--source", "crops"],
        "predict": [tiny_run, crops, "--out", out],
        "train": [tiny_recipe, "--collection", into, "--split", split, "--out", run],
    }[command]
    with only_one(held):
        done = subprocess.run(
            [*COMMAND, command, *map(str, words)], capture_output=True, text=True, check=False
        )
    assert done.returncode == 2, done.stderr
    assert "another process is changing it" in done.stderr
    assert bytes_of(into) == before
    assert not out.exists()
    assert not (run / "recipe.toml").exists()


def test_two_imports_at_once_end_with_one_whole_collection(crops, tmp_path):
    words = ["import", "image-folder", str(crops), "--into", str(tmp_path / "c")]
    both = [subprocess.Popen([*COMMAND, *words], stderr=subprocess.PIPE) for _ in range(2)]
    codes = sorted((one.communicate(), one.returncode)[1] for one in both)
    assert codes in (
        [3, 3],
        [2, 3],
    )  # the second found it done, or was refused while the first worked
    collection = open_collection(tmp_path / "c")
    assert len(collection) == 10
    assert (
        json.loads((tmp_path / "c" / "collection.json").read_text())["outcomes"]["imported"] == 10
    )


@pytest.mark.parametrize("classes", [0, 1])
def test_no_class_to_learn_is_an_error_and_one_class_is_a_model_of_one(
    tiny_recipe, png, tmp_path, classes
):
    folder = tmp_path / "in"
    (folder / "copepod").mkdir(parents=True)
    for number in range(40):
        name = folder / ("copepod" if classes else ".") / f"{number}.png"
        name.write_bytes(png(number))
    holotype.import_("image-folder", [folder], into=tmp_path / "c")
    holotype.split(tmp_path / "c", out=tmp_path / "s.parquet", method="stratified")

    def train():
        return holotype.train(
            tiny_recipe, collection=tmp_path / "c", split=tmp_path / "s.parquet", out=tmp_path / "run",
            overrides=["schedule.epochs=1"], accelerator="cpu",
        )  # fmt: skip

    if classes:
        assert train().labels == 1
        holotype.predict(tmp_path / "run", [folder], out=tmp_path / "a.parquet")
        scores = pq.read_table(tmp_path / "a.parquet")["score"].to_numpy()
        assert np.isfinite(scores).all()
    else:
        with pytest.raises(HolotypeError, match="no training record has a tree"):
            train()
        assert not (tmp_path / "run" / "bundle.json").exists()
