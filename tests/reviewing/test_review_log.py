"""The log: nothing is lost, nothing torn is taken for whole, nobody's word is changed by another."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holotype import journal
from holotype.reviewing.errors import ReviewError
from holotype.reviewing.events import Asked, Event, Kind
from holotype.reviewing.log import LOG, TORN, ReviewLog, new_log
from holotype.reviewing.state import State

WRITER = """
import sys
from pathlib import Path
from holotype.reviewing.events import Asked, Kind
from holotype.reviewing.log import ReviewLog
folder, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
log = ReviewLog(folder)
print("ready", flush=True)
for number in range(count):
    records = tuple(f"r{number}-{k}" for k in range(40))
    event = log.append(name, Asked(Kind.CONFIRM, records, tuple("x" * 200 for _ in records)))
    print(event.id, flush=True)
"""


@pytest.fixture(autouse=True)
def empty_log(tmp_path):
    """As of a new session."""
    new_log(tmp_path)


def writer(folder, name, count):
    command = [sys.executable, "-c", WRITER, str(folder), name, str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def confirm(*records, label="Calanus"):
    return Asked(Kind.CONFIRM, tuple(records), (label,) * len(records))


def test_an_event_is_the_same_after_its_line():
    event = Event("a", "2026-01-02T03:04:05.678+00:00", "Zoë\u2028", Kind.RELABEL, ("r",), ("x\ny",), (None,),
                  ("x\ny",))  # fmt: skip
    line = event.as_line()
    assert line.count(b"\n") == 1
    assert Event.from_line(line[:-1]) == event


def test_two_processes_at_once_lose_nothing(tmp_path):
    people = [writer(tmp_path, name, 60) for name in ("Anna", "Bo", "Chi")]
    told = {}
    for name, one in zip(("Anna", "Bo", "Chi"), people, strict=True):
        out, _ = one.communicate(timeout=120)
        assert one.returncode == 0
        told[name] = out.split()[1:]
    log = ReviewLog(tmp_path)
    log.refresh()
    assert log.damaged == {}
    for name, ids in told.items():
        assert [e.id for e in log.state.events.values() if e.reviewer == name] == ids
    assert len((tmp_path / LOG).read_bytes().splitlines()) == 180


def test_what_was_told_is_there_after_kill_9(tmp_path):
    for round_ in range(3):
        victim, other = (
            writer(tmp_path, f"V{round_}", 100_000),
            writer(tmp_path, f"O{round_}", 100_000),
        )
        told = {"V": [], "O": []}
        deadline = time.monotonic() + 60
        assert victim.stdout.readline() == "ready\n"
        assert other.stdout.readline() == "ready\n"
        while len(told["V"]) < 15 and time.monotonic() < deadline:
            told["V"].append(victim.stdout.readline().strip())
        os.kill(victim.pid, signal.SIGKILL)
        told["V"] += [line for line in victim.stdout.read().split("\n")[:-1] if line]
        while len(told["O"]) < 25:
            told["O"].append(other.stdout.readline().strip())
        os.kill(other.pid, signal.SIGKILL)
        told["O"] += [line for line in other.stdout.read().split("\n")[:-1] if line]
        for one in (victim, other):
            one.stdout.close()
            one.wait()
        log = ReviewLog(tmp_path)
        log.append("After", confirm(f"after {round_}"))
        for letter, ids in told.items():
            mine = [e.id for e in log.state.events.values() if e.reviewer == f"{letter}{round_}"]
            assert mine[: len(ids)] == ids
            assert len(mine) - len(ids) <= 1  # written, but the word of it was cut
        assert log.damaged == {}


@given(cut=st.integers(min_value=1))
def test_a_torn_line_is_set_aside_and_never_read_as_whole(tmp_path_factory, cut):
    folder = tmp_path_factory.mktemp("torn")
    new_log(folder)
    log = ReviewLog(folder)
    first = log.append("Anna", confirm("r1"))
    whole = Event("torn", "2026", "Anna", Kind.CONFIRM, ("r2",), ("Übel",), (None,)).as_line()
    part = whole[: 1 + (cut - 1) % (len(whole) - 1)]  # never with its end
    with (folder / LOG).open("ab") as handle:
        handle.write(part)
    reader = ReviewLog(folder)
    assert [event.id for event in reader.refresh()] == [first.id]
    later = reader.append("Bo", confirm("r3"))
    again = ReviewLog(folder)
    again.refresh()
    assert list(again.state.events) == [first.id, later.id]
    assert again.damaged == {}
    (kept,) = again.torn()
    assert kept.text == part.decode("utf-8", errors="backslashreplace")
    assert (folder / TORN).read_text(encoding="utf-8").endswith("}\n")


def test_a_line_that_is_no_event_is_told_and_costs_no_other(tmp_path):
    log = ReviewLog(tmp_path)
    log.append("Anna", confirm("r1"))
    with (tmp_path / LOG).open("ab") as handle:
        handle.write(b"\0\0\0\n[1]\n" + json.dumps({"id": "x"}).encode() + b"\n")
    log.append("Anna", confirm("r2"))
    read = ReviewLog(tmp_path)
    assert len(read.refresh()) == 2
    assert sorted(read.damaged) == [2, 3, 4]


def test_it_is_read_while_it_is_written(tmp_path):
    mine, theirs = ReviewLog(tmp_path), ReviewLog(tmp_path)
    assert theirs.refresh() == []
    for number in range(5):
        event = mine.append("Anna", confirm(f"r{number}"))
        assert theirs.refresh() == [event]
        assert theirs.refresh() == []
    assert theirs.state == mine.state


def test_a_log_that_shrinks_is_an_error(tmp_path):
    log = ReviewLog(tmp_path)
    log.append("Anna", confirm("r1"))
    (tmp_path / LOG).write_bytes(b"")
    with pytest.raises(ReviewError, match="shorter than it was"):
        log.append("Anna", confirm("r2"))


def test_a_log_that_is_gone_is_an_error_and_not_begun_anew(tmp_path):
    log = ReviewLog(tmp_path)
    log.append("Anna", confirm("r1"))
    (tmp_path / LOG).unlink()
    for late in (log, ReviewLog(tmp_path)):
        with pytest.raises(ReviewError, match="is gone"):
            late.refresh()
        with pytest.raises(ReviewError, match="is gone"):
            late.append("Anna", confirm("r2"))
    assert not (tmp_path / LOG).exists()


def test_a_line_that_the_disk_refuses_was_seen_by_nobody(tmp_path, monkeypatch):
    """It is written, but not safe yet, when a reader looks; then the disk fails, and it is cut off."""
    mine, theirs = ReviewLog(tmp_path), ReviewLog(tmp_path)
    first = mine.append("Anna", confirm("r1"))
    seen = []
    look = threading.Thread(target=lambda: seen.append(theirs.refresh()))

    def refuse(descriptor):
        look.start()
        look.join(0.3)  # long enough for a reader that does not wait
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(ReviewError, match="Input/output error"):
        mine.append("Anna", confirm("r2"))
    monkeypatch.undo()
    look.join(10)
    assert seen == [[first]]
    third = mine.append("Anna", confirm("r3"))
    assert theirs.refresh() == [third]


@pytest.mark.parametrize("sign", ["\u2028", "\u0085"])
def test_a_torn_line_may_hold_any_sign(tmp_path, sign):
    whole = Event("a", "2026", "Anna", Kind.NOTE, ("r",), (None,), (None,), text=f"seen{sign}again")
    (tmp_path / LOG).write_bytes(whole.as_line()[:-3])
    log = ReviewLog(tmp_path)
    log.append("Bo", confirm("r1"))
    assert [one.text for one in log.torn()] == [whole.as_line()[:-3].decode()]


def test_a_torn_line_that_was_cut_itself_costs_no_other(tmp_path):
    (tmp_path / TORN).write_bytes('{"time": "2026", "offset": 0, "text": "Ü'.encode()[:-1])
    (tmp_path / LOG).write_bytes(b'{"id": "x')
    log = ReviewLog(tmp_path)
    log.append("Bo", confirm("r1"))
    assert [(one.offset, one.text) for one in log.torn()] == [(0, '{"id": "x')]


def half_of_one_write():
    """``os.write`` of a disk that takes half of one write, and is full from then on."""
    write = os.write
    calls = []

    def half(descriptor, content):
        calls.append(1)
        if len(calls) > 1:
            raise OSError(28, "No space left on device")
        return write(descriptor, bytes(content)[: len(content) // 2])

    return half


def test_nothing_is_cut_off_that_cannot_be_set_aside(tmp_path, monkeypatch):
    (tmp_path / LOG).write_bytes(b'{"id": "x')
    monkeypatch.setattr(os, "write", half_of_one_write())
    log = ReviewLog(tmp_path)
    with pytest.raises(ReviewError, match="No space left"):
        log.append("Bo", confirm("r1"))
    monkeypatch.undo()
    assert ((tmp_path / LOG).read_bytes(), (tmp_path / TORN).read_bytes()) == (b'{"id": "x', b"")
    log.append("Bo", confirm("r1"))
    assert len(journal.torn_lines(tmp_path / TORN)) == 1


def test_a_full_disk_keeps_nothing_of_the_event(tmp_path, monkeypatch):
    log = ReviewLog(tmp_path)
    log.append("Anna", confirm("r1"))
    before = (tmp_path / LOG).read_bytes()
    monkeypatch.setattr(os, "write", half_of_one_write())
    with pytest.raises(ReviewError, match="No space left"):
        log.append("Anna", confirm("r2"))
    monkeypatch.undo()
    assert (tmp_path / LOG).read_bytes() == before
    log.append("Anna", confirm("r2"))
    assert log.state.num_decided == 2


def test_asking_twice_writes_once(tmp_path):
    asked = confirm("r1")
    first = ReviewLog(tmp_path).append("Anna", asked)
    assert ReviewLog(tmp_path).append("Anna", asked) == first
    log = ReviewLog(tmp_path)
    assert log.undo("Anna", event_id="u") == ReviewLog(tmp_path).undo("Anna", event_id="u")
    assert (tmp_path / LOG).read_bytes().count(b"\n") == 2


def test_undo_takes_back_ones_own_newest_alone(tmp_path):
    anna, bo = ReviewLog(tmp_path), ReviewLog(tmp_path)
    anna.append("Anna", confirm("r1", "r2", label="A"))
    anna.append("Anna", Asked(Kind.RELABEL, ("r2",), ("B",)))
    bo.append("Bo", Asked(Kind.UNCLASSIFY, ("r1",)))
    taken = anna.undo("Anna")
    assert anna.state.events[taken.undoes].kind is Kind.RELABEL
    state = anna.state
    assert state.label_by("Anna", "r2") == "A"  # what she had said before stands again
    assert {n: d.label for n, d in state.decisions("r1").items()} == {"Anna": "A", "Bo": None}
    assert anna.undo("Anna").undoes != taken.undoes
    assert anna.undo("Anna") is None
    assert list(state.decisions("r1")) == ["Bo"]
    assert not state.is_decided("r2")
    assert bo.undo("Nobody") is None


def test_an_undo_of_anothers_or_of_an_older_event_takes_nothing_back():
    state = State()
    state.take(Event("1", "1", "Anna", Kind.CONFIRM, ("r",), ("A",), (None,)))
    state.take(Event("2", "2", "Anna", Kind.RELABEL, ("r",), ("B",), ("A",)))
    state.take(Event("3", "3", "Bo", Kind.UNDO, undoes="2"))
    state.take(Event("4", "4", "Anna", Kind.UNDO, undoes="1"))
    assert state.refused == {"3", "4"}
    assert state.label_by("Anna", "r") == "B"


def test_what_it_replaces_is_written(tmp_path):
    log = ReviewLog(tmp_path)
    log.append("Anna", confirm("r1", label="A"))
    log.append("Bo", Asked(Kind.RELABEL, ("r1",), ("X",)))
    event = log.append("Anna", Asked(Kind.RELABEL, ("r2", "r1"), ("C", "C")))
    assert event.replaces == (None, "A")


@given(
    st.lists(
        st.tuples(st.sampled_from("AB"), st.sampled_from("crun"), st.integers(0, 3)), max_size=25
    ),
    st.data(),
)
def test_the_state_is_that_of_a_slow_fold_wherever_it_is_cut(tmp_path_factory, done, data):
    folder = tmp_path_factory.mktemp("fold")
    new_log(folder)
    log = ReviewLog(folder)
    stacks = {"A": [], "B": []}  # the oracle: what each did, in order, less what was undone
    for who, what, number in done:
        record = f"r{number}"
        if what == "u":
            log.undo(who)
            stacks[who] and stacks[who].pop()
        elif what == "n":
            log.append(who, Asked(Kind.NOTE, (record,), text="hm"))
            stacks[who].append((record, "note"))
        else:
            label = f"L{len(stacks[who])}{what}"
            log.append(who, Asked(Kind.RELABEL, (record,), (label,)))
            stacks[who].append((record, label))
    late = ReviewLog(folder)
    late.refresh()
    cut = State()
    events = list(late.state.events.values())
    for event in [*events[: data.draw(st.integers(0, len(events)))], *events]:
        cut.take(event)
    for state in (log.state, late.state, cut):
        for number in range(4):
            record = f"r{number}"
            said = {
                w: [lb for r, lb in s if r == record and lb != "note"] for w, s in stacks.items()
            }
            assert {n: d.label for n, d in state.decisions(record).items()} == {
                w: found[-1] for w, found in said.items() if found
            }
            notes = sum((r, lb) == (record, "note") for s in stacks.values() for r, lb in s)
            assert len(state.notes(record)) == notes


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (lambda: Asked(Kind.UNDO, ("r",)), "undo"),
        (lambda: Asked(Kind.CONFIRM, (), ()), "0 records"),
        (lambda: Asked(Kind.CONFIRM, ("r", "r"), ("a", "a")), "named twice"),
        (lambda: Asked(Kind.CONFIRM, ("r",)), "no label"),
        (lambda: Asked(Kind.UNCLASSIFY, ("r",), ("a",)), "takes no label"),
        (lambda: Asked(Kind.NOTE, ("r",), text=""), "note"),
        (lambda: Asked(Kind.CONFIRM, ("r", "s"), ("a",)), "1 labels for 2"),
    ],
)
def test_what_makes_no_sense_is_refused(asked, said):
    with pytest.raises(ReviewError, match=said):
        asked()


@pytest.mark.parametrize("name", ["", "  \t", "x" * 81])
def test_a_reviewer_has_a_name(tmp_path, name):
    with pytest.raises(ReviewError, match="name has"):
        ReviewLog(tmp_path).append(name, confirm("r"))


@pytest.mark.parametrize("written", ["anna", " ANNA ", "\uff21nna"])
def test_capitals_make_no_second_reviewer(tmp_path, written):
    log, other = ReviewLog(tmp_path), ReviewLog(tmp_path)
    log.append("Anna", confirm("r1"))
    assert other.append(written, confirm("r1")).reviewer == "Anna"
    assert list(other.state.decisions("r1")) == ["Anna"]
    undone = log.undo(written)
    assert (undone.reviewer, log.state.reviewers) == ("Anna", ["Anna"])


def test_a_name_is_of_one_person(tmp_path):
    with pytest.raises(ReviewError, match="no ';'"):
        ReviewLog(tmp_path).append("Anna; Bob", confirm("r1"))
