"""What the pages Evidence and Assess stand on: reports found, facts of a bundle, labels kept, rows sorted."""

import csv
import io
import json
import multiprocessing
import shutil
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from holotype.app.pages.assess_folder import (
    Started,
    assessments,
    begin,
    new_folder,
    open_assessment,
    suggestions,
    take_in,
)
from holotype.app.pages.evidence_facts import (
    Cell,
    facts_of,
    find_report,
    promise_of,
    report_folders,
)
from holotype.app.pages.evidence_figures import COLOURS, drawn
from holotype.app.pages.evidence_table import chosen_rows
from holotype.app.pages.jobs_text import duration, progress_told, result_rows, state_told, when_told
from holotype.app.uploads import Upload, UploadLimits
from holotype.assessing.sheet import read_labels
from holotype.errors import SourceError
from holotype.evaluation.report.doubt_figures import reliability_figure
from holotype.jobs import Job, Progress, State
from holotype.models.bundle import open_bundle

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def job_of(**changes):
    said = {
        "id": "000001-predict", "title": "Identify many", "words": ("predict", "a b"), "asked_by": "Ada",
        "asked": NOON, "attempt": 1, "state": State.RUNNING, "started": NOON + timedelta(minutes=1),
        "ended": None, "exit_code": None, "being_cancelled": False, "result": None,
        "folder": Path(), "path": Path(),
    }  # fmt: skip
    return Job(**{**said, **changes})


def report_in(folder, model, **changes):
    folder.mkdir(parents=True)
    content = {
        "format": "holotype-report",
        "version": 1,
        "model": {"fingerprint": model},
        **changes,
    }
    (folder / "report.json").write_text(json.dumps(content))
    return folder


def test_the_report_of_this_model_is_found_before_others(tmp_path):
    other, own = report_in(tmp_path / "other", "b"), report_in(tmp_path / "own", "a")
    torn = tmp_path / "torn"
    torn.mkdir()
    (torn / "report.json").write_text('{"format": "holotype-rep')
    newer = report_in(tmp_path / "newer", "a", version=99)
    folders = [None, tmp_path / "none", torn, newer, other, own]
    found = find_report(folders, model="a")
    assert found is not None
    assert (found.folder, found.is_of_model) == (own, True)
    found = find_report(folders[:-1], model="a")
    assert found is not None
    assert (found.folder, found.is_of_model) == (other, False)
    assert find_report(folders[:4], model="a") is None


def test_reports_of_jobs_done_here_are_looked_at(tmp_path):
    jobs = [
        job_of(words=("evaluate",), state=State.DONE, result={"report": "made"}),
        job_of(words=("evaluate",), state=State.FAILED, result={"report": "half"}),
        job_of(words=("predict",), state=State.DONE, result={"report": "x"}),
        job_of(words=("evaluate",), state=State.DONE, result=None),
    ]
    named, bundle = tmp_path / "named", tmp_path / "runs" / "run"
    found = report_folders(named, bundle, jobs)
    assert found == [named, Path("made"), bundle / "report", tmp_path / "runs" / "report"]


@pytest.fixture(scope="module")
def facts():
    """Of the model that ships: one that is calibrated."""
    return facts_of(open_bundle("starter"))


def test_facts_of_a_bundle_add_up(facts):
    assert facts.decisions is not None
    assert facts.queries > 0
    assert len(facts.instruments) >= 2
    asked = {one: facts.across[one][one].n for one in facts.instruments}
    assert 0 < sum(asked.values()) <= facts.queries
    for cells in facts.across.values():
        for cell in cells.values():
            assert 0 <= cell.right <= cell.n
            if cell.n:
                low, high = cell.interval
                assert low <= cell.share <= high
    whole = sum(one["records"] for one in facts.by_instrument["all"])
    parts = [
        sum(one["records"] for one in bins)
        for name, bins in facts.by_instrument.items()
        if name != "all"
    ]
    assert sum(parts) <= whole <= facts.queries
    assert Cell(0, 0).share is None


def test_a_promise_is_kept_on_the_records_it_was_made_on(facts):
    assert facts.decisions.decisions.channels
    for of in facts.decisions.decisions.channels.values():
        loose, strict = (promise_of(of.control, max_error=one) for one in (0.9, 0.01))
        assert len(loose.levels) == len(strict.levels) == 8
        for promise in (loose, strict):
            for _, value, share, remark in (promise.everything, *promise.levels):
                assert value is not None or (share == 0.0 and remark)
                assert 0 <= share <= 1
        assert 0 < strict.curve[0]["coverage"] < strict.curve[-1]["coverage"] <= 1


def test_a_model_that_was_never_calibrated_says_so(tiny_run, tmp_path):
    copy = tmp_path / "run"
    shutil.copytree(tiny_run, copy, ignore=shutil.ignore_patterns("decisions"))
    facts = facts_of(open_bundle(copy))
    assert facts.decisions is None
    assert "never calibrated" in facts.why_not
    few = facts_of(open_bundle(tiny_run))
    assert "too few" in few.why_not


def test_figures_name_every_colour():
    bins = [{"confidence": 0.5, "right": 0.4, "low": 0.1, "high": 0.8, "records": 9}]
    found = drawn(
        reliability_figure([{"of": "answer", "bins": bins}, {"of": "label", "bins": bins}])
    )
    assert "var(--" not in json.dumps(found)
    assert found["data"][1]["line"]["color"] == COLOURS["c1"]


def test_rows_are_searched_and_sorted_with_the_missing_last():
    rows = [
        {"label": "b", "recall": 0.5, "lineage": "Animalia Copepoda"},
        {"label": "A", "recall": None, "lineage": "Animalia Copepoda"},
        {"label": "c", "recall": 0.1, "lineage": "Plantae"},
    ]
    keys = ["label", "lineage"]

    def names(**asked):
        return [row["label"] for row in chosen_rows(rows, keys=keys, **asked)]

    assert names(words="", by="recall", down=False) == ["c", "b", "A"]
    assert names(words="", by="recall", down=True) == ["b", "c", "A"]
    assert names(words="copepoda ANIMAL", by="label", down=False) == ["A", "b"]
    assert names(words="x", by="label", down=False) == []


def test_jobs_in_words():
    job = job_of()
    now = NOON + timedelta(minutes=3)
    assert when_told(job, now).endswith("running for 2 min")
    assert "by Ada" in when_told(job, now)
    half = Progress("predict", 500, 1000, NOON + timedelta(minutes=2))
    assert progress_told(half, job, NOON + timedelta(minutes=2)).endswith("about 1 min left")
    assert progress_told(Progress("predict", 5, None, NOON), job, now) == "predict: 5 done"
    assert state_told(job_of(state=State.DONE, exit_code=3)) == "done, some inputs failed"
    assert duration(timedelta(seconds=-5)) == "0 s"
    rows = result_rows(
        {
            "rows": 5179,
            "decisions": {"named": 67},
            "none": None,
            "x": [1, 2],
            "y": [{}],
            "z": 0.12345,
        }
    )
    assert rows == [
        ("rows", "5\u202f179"), ("decisions", "named: 67"), ("x", "1, 2"), ("y", "1"), ("z", "0.1235"),
    ]  # fmt: skip
    assert result_rows(["no", "table"]) == []
    assert len(result_rows({str(at): "x" * 1000 for at in range(99)})) == 31


@pytest.fixture
def found(tmp_path):
    folder = new_folder(tmp_path)
    return begin(folder, Started("000001-assess", "crops", ("a.zip",), 10, "Ada", (("x", "no"),)))


def test_an_assessment_is_found_again(found, tmp_path):
    again = open_assessment(tmp_path, found.key)
    assert again == found
    assert assessments(tmp_path) == [found]
    assert not again.is_drawn
    assert again.report() is None
    for wrong in ("../x", "", f"{found.key}/..", "20260101-000000-00000000"):
        assert open_assessment(tmp_path, wrong) is None
    (found.folder / "started.json").write_text('{"job"')
    assert assessments(tmp_path) == []


def test_labels_are_on_disk_at_once_and_the_last_one_holds(found):
    found.write(3, "  Calanus   finmarchicus ", by="Ada")
    found.write(1, "?")
    found.write(3, "Copepoda")
    found.write(1, "")
    assert found.labels() == {3: "Copepoda", 1: ""}
    with pytest.raises(SourceError, match="letters"):
        found.write(1, "x" * 201)


def test_a_torn_line_costs_no_other(found):
    found.write(1, "a")
    with (found.folder / "labels.jsonl").open("ab") as handle:
        handle.write(b'{"number": 2, "lab')
    assert found.labels() == {1: "a"}
    found.write(3, "ü")
    assert found.labels() == {1: "a", 3: "ü"}


def _label(folder: str, first: int) -> None:
    found = open_assessment(Path(folder).parent.parent, Path(folder).name)
    for number in range(first, first + 50):
        found.write(number, f"label {number}")


def test_two_people_lose_nothing(found):
    context = multiprocessing.get_context("spawn")
    people = [context.Process(target=_label, args=(str(found.folder), at)) for at in (0, 50)]
    for one in people:
        one.start()
    for one in people:
        one.join()
    assert found.labels() == {number: f"label {number}" for number in range(100)}


def test_labels_are_written_so_that_they_are_read_as_they_were_meant(found, monkeypatch):
    meant = {1: "=1+1", 2: "'quoted", 3: "-", 4: 'a "b", c', 5: "?", 6: "Éa"}
    for number, label in meant.items():
        found.write(number, label)
    read = {}
    monkeypatch.setattr(
        "holotype.app.pages.assess_folder.assess",
        lambda run, path, out: read.update(read_labels(path)),
    )
    found.make_report("starter")
    assert read == meant
    text = (found.folder / "labels.csv").read_text(encoding="utf-8")
    assert next(csv.reader(io.StringIO(text))) == ["number", "input", "label", "comment"]


def test_what_is_brought_becomes_plain_files(tmp_path, png):
    folder = new_folder(tmp_path)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("deep/../../a.png", png(1))
        archive.writestr("b/c.png", png(2))
    uploads = [
        Upload("../../x y.png", content=png(3)),
        Upload("crops.zip", content=packed.getvalue()),
        Upload("bad.png", content=b"no image"),
        Upload("virus.exe", content=b"MZ"),
    ]
    place, refused = take_in(folder, uploads, UploadLimits())
    names = sorted(one.name for one in place.iterdir())
    assert len(names) == 3
    assert {"x y.png", "bad.png"} < set(names)  # the model says later what it cannot read
    assert all((place / name).resolve().parent == place.resolve() for name in names)
    assert len(refused) == 2
    assert refused[-1].name == "virus.exe"
    with pytest.raises(SourceError, match="Nothing to draw from"):
        take_in(new_folder(tmp_path), uploads[3:], UploadLimits())


def test_names_are_suggested_by_how_they_begin():
    names = ["Oithona", "Copepoda", "Copepoda nauplius", "Microcopepod", "A Copepod"]
    assert suggestions(names, " COPEPOD") == [
        "Copepoda", "Copepoda nauplius", "A Copepod", "Microcopepod",
    ]  # fmt: skip
    assert suggestions(names, " ") == suggestions(names, "(") == []
    assert len(suggestions(names * 9, "o", most=4)) == 4
