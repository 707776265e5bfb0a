"""Jobs run, wait, end, are ended and go on; also when the server or the job is killed."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from holotype.jobs import Job, JobError, Jobs, State, runner
from holotype.jobs.attempts import EXIT, PROCESS, PROGRESS
from holotype.jobs.processes import Identity, identity_of, is_alive
from holotype.jobs.reading import number_of

SAYS = """
import json, os, signal, sys, time
words = sys.argv[1:]
sys.stderr.write("began\\n"); sys.stderr.flush()
if words[0] == "sleep":
    open(words[1], "a").write("begun\\n")
    try:
        time.sleep(float(words[2]))
    except KeyboardInterrupt:
        sys.stderr.write("state saved\\n")
        sys.exit(2)
if words[0] == "stubborn":
    signal.signal(signal.SIGINT, signal.SIG_IGN); signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.stderr.write("deaf\\n"); sys.stderr.flush()
    time.sleep(60)
if words[0] == "once":
    if not os.path.exists(words[1]):
        open(words[1], "w").write("half")
        os.kill(os.getpid(), signal.SIGKILL)
if words[0] == "fail":
    sys.exit(2)
print(json.dumps({"words": words, "folder": os.getcwd(), "token": os.environ.get("HOLOTYPE_TOKEN")}))
sys.exit(3 if words[0] == "some" else 0)
"""
"""A command that does as it is told; the real ones are in the test of commands below."""


@pytest.fixture
def command(tmp_path: Path) -> tuple[str, ...]:
    script = tmp_path / "says.py"
    script.write_text(SAYS)
    return (sys.executable, str(script))


@pytest.fixture
def jobs(tmp_path: Path, command: tuple[str, ...]) -> Iterator[Jobs]:
    """Jobs that nobody attends: the tests take the turns."""
    found = Jobs(tmp_path / "jobs", grace_seconds=0.3, command=command)
    yield found
    for job in found.all():
        if not job.is_over:
            found.cancel(job.id)
    turns(found, lambda: all(job.is_over for job in found.all()))


def until(is_so: Callable[[], bool], *, seconds: float = 30.0) -> None:
    """Waits for something; fails where it does not come."""
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "did not come"
        time.sleep(0.02)


def turns(jobs: Jobs, is_so: Callable[[], bool]) -> None:
    """Takes turns until something is so."""
    until(lambda: (jobs.turn(), is_so())[1])


def over(jobs: Jobs, job: Job) -> Job:
    turns(jobs, lambda: jobs.get(job.id).is_over)
    return jobs.get(job.id)


def begun(jobs: Jobs, job: Job) -> Job:
    """Waits until the command itself says something."""
    turns(jobs, lambda: bool(jobs.log(job.id).text))
    return jobs.get(job.id)


def test_words_reach_the_command_as_they_are(jobs, tmp_path, monkeypatch):
    monkeypatch.setenv("HOLOTYPE_TOKEN", "of the server")
    words = ["a b", "it's", 'say "no"', "$(touch made)", "; rm -r x", "--json", "ä\nö", ""]
    job = over(jobs, jobs.start("Words", words, asked_by="Ada", folder=tmp_path))
    assert job.result == {"words": words, "folder": str(tmp_path), "token": None}
    assert (job.state, job.exit_code, job.words, job.asked_by) == (
        State.DONE, 0, tuple(words), "Ada",
    )  # fmt: skip
    assert not (tmp_path / "made").exists()
    assert job.started is not None
    assert job.ended is not None
    assert job.asked <= job.started <= job.ended


@pytest.mark.parametrize(
    ("word", "state", "code"),
    [("some", State.DONE, 3), ("fail", State.FAILED, 2), ("fine", State.DONE, 0)],
)
def test_the_exit_code_says_what_became_of_it(jobs, word, state, code):
    job = over(jobs, jobs.start("x", [word]))
    assert (job.state, job.exit_code, job.result) == (state, code, None)


def test_what_cannot_be_a_command_is_refused(jobs):
    for words in ([], ["a\0b"]):
        with pytest.raises(JobError, match="no command"):
            jobs.start("x", words)
    assert jobs.all() == []


def test_a_command_that_cannot_be_started_has_failed(tmp_path):
    jobs = Jobs(tmp_path / "jobs", command=["/no/such/program"])
    job = over(jobs, jobs.start("x", ["y"]))
    assert (job.state, job.exit_code) == (State.FAILED, 127)
    assert "cannot be started" in jobs.log(job.id).text


def test_others_wait_in_their_order_also_for_a_new_server(jobs, tmp_path, command):
    place = str(tmp_path / "order")
    first = begun(jobs, jobs.start("1", ["sleep", place, "30"]))
    others = [jobs.start(str(at), ["sleep", str(tmp_path / f"o{at}"), "0"]) for at in range(3)]
    assert [job.state for job in others] == [State.WAITING] * 3
    again = Jobs(jobs.folder, grace_seconds=0.3, command=command)  # the server was started anew
    assert again.get(first.id).state is State.RUNNING
    again.cancel(first.id)
    turns(again, lambda: all(job.is_over for job in again.all()))
    done = sorted((again.get(job.id) for job in others), key=lambda job: job.started)
    assert [job.id for job in done] == [job.id for job in others]
    for earlier, later in pairwise(done):
        assert earlier.ended <= later.started


def test_as_many_run_as_are_allowed(tmp_path, command):
    jobs = Jobs(tmp_path / "jobs", at_once=2, grace_seconds=0.2, command=command)
    made = [jobs.start("x", ["sleep", str(tmp_path / "x"), "30"]) for _ in range(3)]
    assert [jobs.get(job.id).state for job in made] == ["running", "running", "waiting"]
    for job in made:
        jobs.cancel(job.id)
    turns(jobs, lambda: all(job.state is State.CANCELLED for job in jobs.all()))


def test_a_cancelled_job_saves_its_state_and_goes_on(jobs, tmp_path):
    place = tmp_path / "state"
    job = begun(jobs, jobs.start("x", ["sleep", str(place), "30"]))
    until(place.exists)
    time.sleep(0.1)
    asked = jobs.cancel(job.id, asked_by="Bea")
    assert asked.being_cancelled or asked.is_over
    ended = over(jobs, job)
    assert (ended.state, ended.exit_code) == (State.CANCELLED, 2)
    assert "state saved" in jobs.log(job.id).text
    gone_on = begun(jobs, jobs.resume(job.id))
    assert (gone_on.attempt, gone_on.state) == (2, State.RUNNING)
    assert "state saved" in jobs.log(job.id, attempt=1).text
    assert "state saved" not in jobs.log(job.id).text
    with pytest.raises(JobError, match="running"):
        jobs.resume(job.id)
    until(lambda: place.read_text() == "begun\nbegun\n")


def test_a_job_that_does_not_hear_is_killed(jobs):
    job = jobs.start("x", ["stubborn"])
    turns(jobs, lambda: "deaf" in jobs.log(job.id).text)
    jobs.cancel(job.id)
    group = jobs.get(job.id).path / "attempt-1" / PROCESS
    command = json.loads(group.read_text())["command"]["pid"]
    ended = over(jobs, job)
    assert ended.state is State.CANCELLED
    told = json.loads((ended.path / "attempt-1" / "cancel.json").read_text())
    assert told["sent"] == ["SIGINT", "SIGTERM", "SIGKILL"]
    until(lambda: identity_of(command) is None)


def test_a_waiting_job_that_is_cancelled_never_begins(jobs, tmp_path):
    first = begun(jobs, jobs.start("1", ["sleep", str(tmp_path / "a"), "30"]))
    waiting = jobs.start("2", ["sleep", str(tmp_path / "b"), "0"])
    assert jobs.cancel(waiting.id).state is State.CANCELLED
    jobs.cancel(first.id)
    turns(jobs, lambda: jobs.get(first.id).is_over)
    jobs.turn()
    assert jobs.get(waiting.id).started is None
    assert not (tmp_path / "b").exists()


def test_a_job_that_was_killed_is_interrupted_and_goes_on(jobs, tmp_path):
    job = over(jobs, jobs.start("x", ["once", str(tmp_path / "half"), "--json"]))
    assert (job.state, job.exit_code) == (State.INTERRUPTED, -9)
    done = over(jobs, jobs.resume(job.id))
    assert (done.state, done.attempt) == (State.DONE, 2)
    with pytest.raises(JobError, match="done"):
        jobs.resume(job.id)


def test_runner_and_command_killed_at_once_is_interrupted(jobs, tmp_path):
    """As after the end of the machine: nobody was there to write how it ended."""
    job = begun(jobs, jobs.start("x", ["sleep", str(tmp_path / "a"), "30"]))
    told = json.loads((job.path / "attempt-1" / PROCESS).read_text())
    os.killpg(told["runner"]["pid"], signal.SIGKILL)
    until(lambda: jobs.get(job.id).state is State.INTERRUPTED)
    assert jobs.get(job.id).exit_code is None
    assert begun(jobs, jobs.resume(job.id)).state is State.RUNNING


def test_a_command_that_outlives_its_runner_still_runs(jobs, tmp_path):
    """Else going on with it would have two at work on the same files."""
    job = begun(jobs, jobs.start("x", ["sleep", str(tmp_path / "a"), "30"]))
    told = json.loads((job.path / "attempt-1" / PROCESS).read_text())
    os.kill(told["runner"]["pid"], signal.SIGKILL)
    until(lambda: identity_of(told["runner"]["pid"]) is None)
    assert jobs.get(job.id).state is State.RUNNING
    jobs.cancel(job.id)
    assert over(jobs, job).state is State.CANCELLED


def test_a_number_given_again_is_not_the_job(jobs, tmp_path):
    job = over(jobs, jobs.start("x", ["fine"]))
    attempt = job.path / "attempt-1"
    (attempt / EXIT).unlink()
    told = json.loads((attempt / PROCESS).read_text())
    mine = identity_of(os.getpid())
    assert mine is not None
    for who in ("runner", "command"):
        told[who] = {"pid": mine.pid, "started": "1", "boot": mine.boot}
    (attempt / PROCESS).write_text(json.dumps(told))
    assert Jobs(jobs.folder).get(job.id).state is State.INTERRUPTED
    assert is_alive(mine)
    assert not is_alive(Identity(mine.pid, mine.started, "another start of the machine"))
    assert not is_alive(None)


def test_a_second_runner_of_an_attempt_does_nothing(jobs, tmp_path, command):
    place = tmp_path / "a"
    job = over(jobs, jobs.start("x", ["sleep", str(place), "0"]))
    runner.run(job.path, job.path / "attempt-1", command)
    assert place.read_text() == "begun\n"


SERVER = """
import sys, time
from pathlib import Path
from holotype.jobs import Jobs
jobs = Jobs(Path(sys.argv[1]), grace_seconds=0.3, command=[sys.executable, sys.argv[2]])
jobs.start("1", ["sleep", sys.argv[3] + "1", "2", "--json"])
jobs.start("2", ["sleep", sys.argv[3] + "2", "0", "--json"])
jobs.attend()
print("serving", flush=True)
time.sleep(60)
"""


def test_a_server_that_is_killed_loses_nothing(tmp_path, command):
    folder, place = tmp_path / "jobs", str(tmp_path / "made")
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(folder), command[1], place],
        stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert server.stdout is not None
    with server.stdout as said:
        assert said.readline() == "serving\n"
    os.killpg(server.pid, signal.SIGKILL)
    server.wait()
    jobs = Jobs(folder, command=command)
    second, first = jobs.all()
    assert (first.state, second.state) == (State.RUNNING, State.WAITING)
    jobs.attend()
    try:
        until(lambda: all(job.is_over for job in jobs.all()))
    finally:
        jobs.close()
    assert [job.state for job in jobs.all()] == [State.DONE, State.DONE]
    assert Path(place + "1").read_text() == Path(place + "2").read_text() == "begun\n"


def test_torn_files_cost_nothing_else(jobs, command):
    whole, torn, half = (over(jobs, jobs.start("x", ["fine", "--json"])) for _ in range(3))
    (torn.path / "job.json").write_text('{"format": "holotype-j')
    for name in (EXIT, PROGRESS, PROCESS):
        (half.path / "attempt-1" / name).write_text('{"code"')
    (half.path / "attempt-1" / "stdout").write_text('{"words": [')
    (jobs.folder / "000099-left").mkdir()
    jobs = Jobs(jobs.folder, command=command)  # what was over is not read again by the same server
    assert {job.id for job in jobs.all()} == {whole.id, half.id}
    assert set(jobs.unreadable()) == {torn.id, "000099-left"}
    assert jobs.get(half.id).state is State.INTERRUPTED
    assert jobs.progress(half.id) is None
    new = over(jobs, jobs.start("x", ["fine"]))
    assert new.id == "000100-fine"
    assert new.state is State.DONE
    jobs.remove(torn.id)
    assert set(jobs.unreadable()) == {"000099-left"}


def test_logs_are_read_by_the_page(jobs):
    job = over(jobs, jobs.start("x", ["fine"]))
    path = job.path / "attempt-1" / "stderr"
    path.write_text("".join(f"line {at}\n" for at in range(1000)))
    last = jobs.log(job.id, tail=10)
    assert last.lines == [f"line {at}" for at in range(990, 1000)]
    above = jobs.log(job.id, tail=10, before=last.start)
    assert above.lines == [f"line {at}" for at in range(980, 990)]
    assert jobs.log(job.id, tail=5000).lines[0] == "line 0"
    assert jobs.log(job.id, tail=10, before=0).text == ""
    path.write_bytes(b"x" * 3_000_000)
    assert len(jobs.log(job.id).text) <= 256 << 10
    path.write_bytes(b"no end \xff")
    assert jobs.log(job.id).text == "no end \ufffd"


def test_only_what_is_over_is_removed(jobs, tmp_path):
    job = begun(jobs, jobs.start("x", ["sleep", str(tmp_path / "a"), "30"]))
    with pytest.raises(JobError, match="not over"):
        jobs.remove(job.id)
    jobs.cancel(job.id)
    over(jobs, job)
    jobs.remove(job.id)
    assert jobs.ids() == []
    assert not (jobs.folder / job.id).exists()
    for wrong in (job.id, "../jobs", "", "000001/../x"):
        with pytest.raises(JobError, match="no job"):
            jobs.get(wrong)


def test_the_number_of_a_removed_job_is_not_given_again(jobs, tmp_path, command):
    """Else the new job seems to have been begun a moment ago, and an old page cancels it."""
    first = over(jobs, jobs.start("x", ["fine"]))
    old = over(jobs, jobs.start("x", ["fine"]))
    jobs.remove(old.id)
    new = jobs.start("x", ["sleep", str(tmp_path / "a"), "0"])
    assert (first.id, old.id, new.id) == ("000001-fine", "000002-fine", "000003-sleep")
    assert new.state is not State.WAITING  # nothing else ran
    with pytest.raises(JobError, match="no job"):
        jobs.cancel(old.id)
    over(jobs, new)
    for job in jobs.all():
        jobs.remove(job.id)
    again = Jobs(jobs.folder, grace_seconds=0.3, command=command)  # the server was started anew
    assert over(again, again.start("x", ["fine"])).id == "000004-fine"


def test_numbers_of_before_they_were_kept_are_not_given_again(jobs):
    job = over(jobs, jobs.start("x", ["fine"]))
    for torn in ("", "1\0"):
        (jobs.folder / ".number").write_text(torn)
        jobs.remove(job.id)
        fresh = over(jobs, jobs.start("x", ["fine"]))
        assert number_of(fresh.path) == number_of(job.path) + 1
        job = fresh


def test_a_job_that_was_removed_by_hand_is_forgotten(jobs, tmp_path):
    """A copy put back under the name of a removed job is begun at once."""
    job = over(jobs, jobs.start("x", ["sleep", str(tmp_path / "a"), "0"]))
    kept = tmp_path / "kept"
    shutil.copytree(job.path, kept)
    for name in (PROCESS, EXIT):
        (kept / "attempt-1" / name).unlink()
    shutil.rmtree(job.path)
    jobs.turn()
    shutil.copytree(kept, job.path)
    over(jobs, job)
    assert (tmp_path / "a").read_text() == "begun\nbegun\n"
