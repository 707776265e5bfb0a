"""How far answers on collections are: of how many, and from what was kept."""

import json
import os
from datetime import UTC, datetime, timedelta

import pytest

from holotype.app.pages.jobs_text import progress_told
from holotype.collection.store import open_collection
from holotype.jobs import Job, Jobs, Progress, State
from holotype.jobs.extent import counted

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
FOUND = Progress("predict", 100, None, AT)


@pytest.fixture
def job(tmp_path):
    """Makes a job of some words that runs since half a minute before the progress."""

    def make(*words):
        began = AT - timedelta(seconds=30)
        return Job(
            "000001-x", "x", words, "", began, 1, State.RUNNING, began, None, None, False, None,
            folder=tmp_path, path=tmp_path,
        )  # fmt: skip

    return make


@pytest.fixture
def kept(tmp_path):
    """Leaves three parts of a run: two from before, one of the present attempt."""

    def make(out):
        partial = tmp_path / f"{out}.partial"
        partial.mkdir(parents=True)
        lines = [{"format": "holotype-partial"}]
        for number, minutes in enumerate((-9, -8, 1)):
            lines.append({"number": number, "end": 4096 * (number + 1)})
            part = partial / f"answers-{number:06d}.parquet"
            part.write_bytes(b"x")
            moment = (AT + timedelta(minutes=minutes)).timestamp()
            os.utime(part, (moment, moment))
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (partial / "journal.jsonl").write_text(text + '{"number": 3, "en')
        return tmp_path / out

    return make


def test_the_total_is_that_of_the_collections(job, tiny_collection, tmp_path):
    many = len(open_collection(tiny_collection))
    where, out = str(tiny_collection), f"--out={tmp_path}/x.csv"
    assert counted(FOUND, job("predict", "--model=starter", where, out)).total == many
    assert counted(FOUND, job("predict", where, where, out)).total == 2 * many
    assert counted(FOUND, job("assess", "starter", where, out)).total == many
    assert counted(FOUND, job("predict", where, str(tmp_path), out)) == FOUND
    assert counted(FOUND, job("summary", where, out)) == FOUND
    other = Progress("embed", 1, None, AT)
    assert counted(other, job("predict", where, out)) == other


def test_what_was_kept_is_counted(job, kept, tiny_collection):
    words = ["predict", "--model=starter", str(tiny_collection), f"--out={kept('x.csv')}"]
    found = counted(FOUND, job(*words))
    assert (found.done, found.kept) == (8292, 8192)
    out = kept("draw/answers.parquet").parent
    found = counted(FOUND, job("assess", "starter", str(tiny_collection), f"--out={out}"))
    assert (found.done, found.kept) == (8292, 8192)


def test_the_time_left_is_told_by_the_pace_of_this_attempt(job):
    found = Progress("predict", 8292, 10292, AT, kept=8192)  # 100 in 30 s, 2,000 to do
    assert progress_told(found, job("predict"), AT).endswith("about 10 min left")
    none_yet = Progress("predict", 8192, 10292, AT, kept=8192)
    assert "left" not in progress_told(none_yet, job("predict"), AT)


def test_jobs_tell_the_total(tmp_path, tiny_collection):
    jobs = Jobs(tmp_path / "jobs", command=["true"])
    asked = jobs.start("x", ["predict", str(tiny_collection), f"--out={tmp_path}/x.csv"])
    told = {"title": "predict", "done": 3, "total": None, "at": AT.isoformat()}
    (asked.path / "attempt-1" / "progress.json").write_text(json.dumps(told))
    found = jobs.progress(asked.id)
    assert found is not None
    assert (found.done, found.total) == (3, len(open_collection(tiny_collection)))
