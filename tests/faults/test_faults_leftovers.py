"""What killed processes left unfinished is removed, and nothing else is."""

import os
import subprocess
import sys

import pytest

from holotype import files, unfinished
from holotype.errors import CollectionError

KILLED = """
import os, signal, sys
from pathlib import Path
from holotype import files, unfinished
with files.written_whole(Path(sys.argv[1]) / "weights.bin") as temporary:
    temporary.write_bytes(b"half")
    with files.folder_written_whole(Path(sys.argv[1]) / "archive") as made:
        (made / "table.csv").write_text("half")
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def left(tmp_path):
    """A folder in which a process was killed while it wrote a file and a folder."""
    subprocess.run([sys.executable, "-c", KILLED, tmp_path], check=False)
    assert len(names(tmp_path)) == 2
    return tmp_path


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def renamed(path, *, machine=None, process=None):
    """Gives an unfinished file the name that another machine or process would give it."""
    head, _, rest = path.name[: -len(".part")].rpartition(".")
    told = (machine or rest[:5]) + (process or rest[5:12]) + rest[12:]
    return path.rename(path.with_name(f"{head}.{told}.part"))


def test_what_killed_processes_left_goes_and_what_others_write_stays(left):
    first, second = sorted(left.iterdir())
    alive = renamed(first, process=f"{os.getppid():07d}")
    elsewhere = renamed(second, machine=f"{(unfinished._machine() + 1) % 10**5:05d}")
    for name in ("notes.part", ".notes.part", ".download.zip.77.part"):
        (left / name).write_text("somebody else's")
    there = names(left)
    subprocess.run([sys.executable, "-c", KILLED, left], check=False)  # of another process
    files.write_text(left / "mine.txt", "mine")
    assert names(left) == sorted([*there, "mine.txt"])
    assert alive.is_dir()
    assert elsewhere.read_bytes() == b"half"


def test_another_file_of_the_same_folder_is_enough(left):
    files.write_text(left / "other.txt", "other")
    assert names(left) == ["other.txt"]


def test_a_name_that_is_taken_meanwhile_is_refused(tmp_path):
    def write():
        with files.folder_written_whole(tmp_path / "a") as made:
            (made / "x").write_text("ours")
            (tmp_path / "a").mkdir()
            (tmp_path / "a" / "x").write_text("theirs")

    with pytest.raises(CollectionError, match="another process has written there meanwhile"):
        write()
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a" / "x").read_text() == "theirs"


def test_an_empty_folder_of_that_name_is_replaced(tmp_path):
    (tmp_path / "a").mkdir()
    with files.folder_written_whole(tmp_path / "a") as made:
        (made / "b").mkdir()
        (made / "b" / "x").write_text("ours")
    assert (tmp_path / "a" / "b" / "x").read_text() == "ours"
    assert names(tmp_path) == ["a"]


def test_a_library_may_write_files_of_its_own_beside_the_one_it_is_given(tmp_path):
    def stopped():
        with files.written_whole_aside(tmp_path / "w.bin") as temporary:
            temporary.with_name(".own.tmp").write_text("left behind")
            raise KeyError

    with pytest.raises(KeyError):
        stopped()
    assert names(tmp_path) == []
    with files.written_whole_aside(tmp_path / "w.bin") as temporary:
        temporary.with_name(".own.tmp").write_text("left behind")
        temporary.write_bytes(b"whole")
    assert names(tmp_path) == ["w.bin"]
    assert (tmp_path / "w.bin").read_bytes() == b"whole"


def test_a_folder_that_is_taken_away_has_lost_its_name_before_anything_in_it_goes(
    tmp_path, monkeypatch
):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x").write_text("ours")

    def stopped(_):
        raise KeyError

    monkeypatch.setattr(files.shutil, "rmtree", stopped)
    with pytest.raises(KeyError):
        files.take_away_folder(tmp_path / "a")
    (left,) = names(tmp_path)
    assert unfinished.is_unfinished(left)
    assert names(tmp_path / left) == ["x"]
    monkeypatch.undo()
    files.take_away_folder(tmp_path / left)
    files.take_away_folder(tmp_path / left)  # nothing is there
    assert names(tmp_path) == []
