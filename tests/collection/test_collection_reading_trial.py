"""What dies while it reads a file costs its own process alone."""

import sys

import pytest

from holotype.collection.reading.trial import check_survived
from holotype.errors import SourceError

READERS = """
import os

def whole(path):
    assert path.read_text() == "content"

def error(path):
    raise ValueError(path)

def death(path):
    os.kill(os.getpid(), 11)

def end(path):
    os._exit(77)
"""


@pytest.fixture
def path(tmp_path, monkeypatch):
    (tmp_path / "readers_on_trial.py").write_text(READERS)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "a file.h5").write_text("content")
    return tmp_path / "a file.h5"


@pytest.mark.parametrize("function", ["whole", "error"])
def test_what_is_read_or_raises_survives(path, function):
    check_survived("readers_on_trial", function, path)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals of that kind")
def test_a_death_is_told_with_its_signal(path):
    with pytest.raises(
        SourceError, match=r"a file\.h5: a process .* died \(signal 11\): .* again\.$"
    ):
        check_survived("readers_on_trial", "death", path)


def test_an_end_of_another_kind_is_told(path):
    with pytest.raises(SourceError, match=r"died \(77\)"):
        check_survived("readers_on_trial", "end", path)


def test_nothing_is_imported_from_where_one_works(path, monkeypatch):
    sys.path.remove(str(path.parent))
    monkeypatch.chdir(path.parent)
    check_survived("readers_on_trial", "death", path)  # not found there, so nothing is tried


def test_where_no_process_can_be_started_nothing_is_tried(path, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    check_survived("readers_on_trial", "death", path)
