"""A run in parts: killed anywhere it goes on, and in the end no file differs from those of the whole run."""

import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import holotype
from holotype.errors import CollectionError, SourceError
from holotype.identify import answering, stream
from holotype.identify.answers import AnswerSettings

PART_ROWS, CHUNK = 16, 8


@pytest.fixture(autouse=True)
def small_parts(monkeypatch) -> None:
    monkeypatch.setattr(stream, "PART_ROWS", PART_ROWS)
    monkeypatch.setattr(answering, "CHUNK", CHUNK)


@pytest.fixture(scope="module")
def crops(tmp_path_factory, png) -> list[Path]:
    """90 images in two folders and a zip, some damaged, and a table that ends in a bad barcode."""
    root = tmp_path_factory.mktemp("crops")
    for number in range(60):
        place = root / "a" / f"{number % 7}" / f"{number}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(png(number)[: 60 if number % 13 == 5 else None])
    with zipfile.ZipFile(root / "b.zip", "w") as archive:
        for number in range(60, 90):
            archive.writestr(f"{number}.png", png(number))
    (root / "c.csv").write_text(
        "record_id,barcode,site\n=1+1,ACGTTGCAACGTACCATG,-3\nx,MKVLE*,@home\n"
    )
    return [root / "a", root / "b.zip", root / "c.csv", root / "missing.tar"]


def outputs(folder: Path) -> dict[str, Path]:
    return {"scores": folder / "s.parquet", "embeddings": folder / "e.parquet"}


def run(tiny_run: Path, crops, folder: Path, ending: str = "csv", **given):
    folder.mkdir(exist_ok=True)
    return holotype.predict(
        tiny_run, crops, out=folder / f"answers.{ending}", **outputs(folder), **given
    )


def contents(folder: Path) -> dict[str, bytes]:
    """Every file, the times in the sidecar left out."""
    found = {}
    for path in sorted(folder.iterdir()):
        found[path.name] = path.read_bytes()
        if path.name.endswith(".run.json"):
            told = json.loads(found[path.name])
            del told["times"], told["command"]
            found[path.name] = json.dumps(told).encode()
    return found


@pytest.fixture(scope="module")
def whole(tiny_run: Path, crops, tmp_path_factory) -> dict[str, dict[str, bytes]]:
    """The files of runs that nothing broke off, by the ending of the answers."""
    patch = pytest.MonkeyPatch()
    patch.setattr(stream, "PART_ROWS", PART_ROWS)
    patch.setattr(answering, "CHUNK", CHUNK)
    found = {}
    for ending in ("csv", "json", "parquet"):
        folder = tmp_path_factory.mktemp(ending)
        report = run(tiny_run, crops, folder, ending)
        assert (report.rows, report.failures) == (93, 7)
        found[ending] = contents(folder)
    patch.undo()
    return found


def killed_after(parts: int, tiny_run: Path, crops, folder: Path, ending: str) -> None:
    """Runs the prediction in a process of its own and kills it when so many parts are done."""
    told = {name: str(path) for name, path in outputs(folder).items()}
    code = (
        "import holotype\nfrom holotype.identify import answering, stream\n"
        f"stream.PART_ROWS, answering.CHUNK = {PART_ROWS}, {CHUNK}\n"
        f"holotype.predict({str(tiny_run)!r}, {list(map(str, crops))!r}, "
        f"out={str(folder / f'answers.{ending}')!r}, **{told!r})\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    journal = folder / f"answers.{ending}.partial" / stream.JOURNAL
    try:
        while process.poll() is None:
            if journal.is_file() and journal.read_bytes().count(b"\n") > parts:
                process.send_signal(signal.SIGKILL)
                break
            time.sleep(0.0005)
    finally:
        process.kill()
        assert process.wait() == -signal.SIGKILL


def test_killed_it_goes_on_and_ends_with_the_same_files(
    tiny_run: Path, crops, whole, tmp_path: Path, capsys
) -> None:
    killed_after(2, tiny_run, crops, tmp_path, "parquet")
    assert not (tmp_path / "answers.parquet").exists()
    run(tiny_run, crops, tmp_path, "parquet")
    assert "specimens are done; going on from there" in capsys.readouterr().err
    assert contents(tmp_path) == whole["parquet"]


class Died(BaseException):
    """The process ended here, as far as the test goes."""


@pytest.mark.parametrize("call", range(0, 34, 5))
def test_broken_off_before_any_write_is_safe_it_goes_on(
    call: int, tiny_run: Path, crops, whole, tmp_path: Path, monkeypatch
) -> None:
    """Every write ends with a call of fsync: it dies before one of them, wherever that is."""
    done = []
    fsync = os.fsync

    def dying(descriptor: int) -> None:
        done.append(descriptor)
        if len(done) > call:
            raise Died
        fsync(descriptor)

    ending = ("csv", "json")[call % 2]
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", dying)
        with pytest.raises(Died):
            run(tiny_run, crops, tmp_path, ending)
    run(tiny_run, crops, tmp_path, ending)
    assert contents(tmp_path) == whole[ending]


def half_done(tiny_run: Path, crops, folder: Path, monkeypatch, parts: int = 3) -> Path:
    """Breaks a run off after some parts; returns its folder of parts."""
    add = stream.PartialRun.add

    def add_some(self, *given):
        if len(self.parts) == parts:
            raise KeyboardInterrupt
        add(self, *given)

    with monkeypatch.context() as patch:
        patch.setattr(stream.PartialRun, "add", add_some)
        with pytest.raises(KeyboardInterrupt):
            run(tiny_run, crops, folder)
    return folder / "answers.csv.partial"


def test_what_a_power_cut_leaves_is_mended(
    tiny_run: Path, crops, whole, tmp_path: Path, monkeypatch
) -> None:
    partial = half_done(tiny_run, crops, tmp_path, monkeypatch)
    torn = (partial / stream.JOURNAL).read_bytes()
    (partial / stream.JOURNAL).write_bytes(torn + b'{"number": 3, "first": 48, "en')
    (partial / ".answers-000003.parquet.4711.part").write_bytes(b"half")
    (partial / "scores-000002.parquet").write_bytes(b"PAR1 cut")
    run(tiny_run, crops, tmp_path)
    assert contents(tmp_path) == whole["csv"]


def test_done_parts_are_not_answered_again(
    tiny_run: Path, crops, tmp_path: Path, monkeypatch
) -> None:
    half_done(tiny_run, crops, tmp_path, monkeypatch)
    answered = []
    answer = answering.Answerer.answer

    def counted(self, chunk):
        answered.extend(one.specimen.input for one in chunk)
        return answer(self, chunk)

    monkeypatch.setattr(answering.Answerer, "answer", counted)
    run(tiny_run, crops, tmp_path)
    assert len(answered) == 93 - 3 * PART_ROWS


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"settings": AnswerSettings(max_error=0.2)}, "another max_error"),
        ({"kind": "image-folder"}, "another kind"),
        ({"scores": None}, "another tables"),
    ],
)
def test_another_command_does_not_go_on(
    changed, said: str, tiny_run: Path, crops, tmp_path: Path, monkeypatch
) -> None:
    partial = half_done(tiny_run, crops, tmp_path, monkeypatch)
    before = contents(partial)
    wanted = {"out": tmp_path / "answers.csv", **outputs(tmp_path), **changed}
    with pytest.raises(CollectionError, match=f"{said}.*--restart"):
        holotype.predict(tiny_run, crops, **wanted)
    assert contents(partial) == before
    report = holotype.predict(tiny_run, crops, restart=True, **wanted)
    assert report.rows > 90
    assert not partial.exists()


def test_other_inputs_do_not_go_on(tiny_run: Path, crops, png, tmp_path: Path, monkeypatch) -> None:
    own = tmp_path / "in"
    own.mkdir()
    for number in range(40):
        (own / f"{number:02}.png").write_bytes(png(number))
    half_done(tiny_run, [own], tmp_path, monkeypatch, parts=2)
    (own / "17.png").write_bytes(png(99) + b" ")
    with pytest.raises(CollectionError, match="specimens 17 to 32 are others now"):
        run(tiny_run, [own], tmp_path)
    with pytest.raises(CollectionError, match="another inputs"):
        run(tiny_run, crops, tmp_path)


def test_inputs_that_grew_after_the_last_part_do_not_go_on(
    tiny_run: Path, png, tmp_path: Path, monkeypatch
) -> None:
    own = tmp_path / "in"
    own.mkdir()
    for number in range(20):
        (own / f"{number:02}.png").write_bytes(png(number))

    def broken(*given, **named):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("holotype.identify.predict.write_tables", broken)
        with pytest.raises(KeyboardInterrupt):
            run(tiny_run, [own], tmp_path)
    (own / "99.png").write_bytes(png(99))
    with pytest.raises(CollectionError, match="specimens 17 to 20 are others now"):
        run(tiny_run, [own], tmp_path)


def test_two_runs_do_not_write_one_file(tiny_run: Path, crops, tmp_path: Path) -> None:
    from holotype.files import only_one

    with (
        only_one(tmp_path / "answers.csv.partial"),
        pytest.raises(CollectionError, match="another process"),
    ):
        run(tiny_run, crops, tmp_path)


def test_files_of_others_in_the_folder_of_parts_stay(tiny_run: Path, crops, tmp_path: Path) -> None:
    partial = tmp_path / "answers.csv.partial"
    partial.mkdir()
    (partial / "notes.txt").write_text("mine")
    run(tiny_run, crops, tmp_path)
    assert [path.name for path in partial.iterdir()] == ["notes.txt"]


def test_scores_and_embeddings_go_with_the_answers(tiny_run: Path, crops, tmp_path: Path) -> None:
    run(tiny_run, crops, tmp_path, "parquet")
    answers = pq.read_table(tmp_path / "answers.parquet").to_pylist()
    scores = pq.read_table(tmp_path / "s.parquet").to_pylist()
    vectors = pq.read_table(tmp_path / "e.parquet")
    assert vectors.schema.field("embedding").type.list_size == 32
    z_BD = np.asarray(vectors["embedding"].to_pylist())
    for row, score, z_D in zip(answers, scores, z_BD, strict=True):
        assert row["input"] == score.pop("input")
        if row["decision"] == "failed":
            assert set(score.values()) == {None}
            assert np.isnan(z_D).all()
        else:
            assert max(score, key=score.get) == row["label"]
            assert score[row["label"]] == pytest.approx(row["score"], abs=1e-6)
            assert sum(score.values()) == pytest.approx(1.0, abs=1e-5)
            assert np.linalg.norm(z_D) == pytest.approx(1.0, abs=1e-5)
    groups = pq.ParquetFile(tmp_path / "answers.parquet").metadata
    assert [groups.row_group(k).num_rows for k in range(groups.num_row_groups)] == [16] * 5 + [13]


def test_tables_need_files_of_their_own(tiny_run: Path, crops, tmp_path: Path) -> None:
    out = tmp_path / "a.parquet"
    with pytest.raises(SourceError, match="a file of its own"):
        holotype.predict(tiny_run, crops, out=out, scores=out)
    with pytest.raises(SourceError, match=r"s\.csv: end it in \.parquet"):
        holotype.predict(tiny_run, crops, out=out, scores=tmp_path / "s.csv")


@pytest.fixture
def defects(monkeypatch) -> list[bytes]:
    """Contents that are no whole image."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "bad_files"))
    from test_bad_files_import import broken_images

    return [content for content, _ in broken_images().values()]


def test_200_defects_among_2000_cost_the_others_nothing(
    tiny_run: Path, png, defects, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(stream, "PART_ROWS", 4096)
    monkeypatch.setattr(answering, "CHUNK", 512)
    bad = set(np.random.default_rng(5).permutation(2000)[:200].tolist())
    for name in ("clean", "mixed"):
        (tmp_path / name).mkdir()
    for number in range(2000):
        good = png(number)
        broken = [*defects, good[: len(good) // 2]]
        if number not in bad:
            (tmp_path / "clean" / f"{number:04}.png").write_bytes(good)
        content = broken[number % len(broken)] if number in bad else good
        (tmp_path / "mixed" / f"{number:04}.png").write_bytes(content)
    rows = {}
    for name, failures in (("clean", 0), ("mixed", 200)):
        out = tmp_path / f"{name}.parquet"
        report = holotype.predict(tiny_run, [tmp_path / name], out=out)
        assert report.failures == failures
        rows[name] = {row.pop("input")[-8:]: row for row in pq.read_table(out).to_pylist()}
    failed = {name for name, row in rows["mixed"].items() if row["decision"] == "failed"}
    assert failed == {f"{number:04}.png" for number in bad}
    assert all(rows["mixed"][name]["failure"] for name in failed)
    assert {name: row for name, row in rows["mixed"].items() if name not in failed} == rows["clean"]


def peak_kb(tiny_run: Path, images: int, folder: Path) -> int:
    """Predicts so many images in a process of its own and returns the most memory it held."""
    code = (
        "import sys, resource, holotype\n"
        "run, inputs, out = sys.argv[1:]\n"
        "holotype.predict(run, [inputs], out=out)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
    )
    out = folder / f"{images}.parquet"
    words = [sys.executable, "-c", code, str(tiny_run), str(folder / f"{images}"), str(out)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert pq.read_metadata(out).num_rows == images
    return int(done.stdout)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_images(
    tiny_run: Path, png, tmp_path: Path
) -> None:
    (tmp_path / "seed").mkdir()
    for number in range(500):
        (tmp_path / "seed" / f"{number}.png").write_bytes(png(number))
    peaks = []
    for images in (20_000, 200_000):
        (tmp_path / f"{images}").mkdir()
        for number in range(images):
            os.link(
                tmp_path / "seed" / f"{number % 500}.png", tmp_path / f"{images}" / f"{number}.png"
            )
        peaks.append(peak_kb(tiny_run, images, tmp_path))
    assert peaks[1] < 1.10 * peaks[0]
