"""Operations with planted faults, which the harness must find, and a sound one."""

import mmap
import os
from pathlib import Path
from typing import Any

from faults_logs import told
from faults_reading import whole_at
from faults_states import Given, Operation

TEXT = "of several letters"


def sound(place: Path, given: Given) -> None:
    from holotype import files

    files.write_text(place / "a", TEXT)


def in_place(place: Path, given: Given) -> None:
    (place / "a").write_text(TEXT)


def not_flushed(place: Path, given: Given) -> None:
    (place / ".a.part").write_text(TEXT)
    (place / ".a.part").replace(place / "a")


def leaves_behind(place: Path, given: Given) -> None:
    name = place / f".a.{os.getpid()}.part"
    with name.open("w") as handle:
        handle.write(TEXT)
        handle.flush()
        os.fsync(handle.fileno())
    name.replace(place / "a")


def says_too_soon(place: Path, given: Given) -> None:
    for line in "abc":
        told(place, line)
        with (place / "log").open("a") as handle:
            handle.write(f"{line}\n")


def lines_of(place: Path, given: Given) -> list[str]:
    return (place / "log").read_text().splitlines() if (place / "log").exists() else []


def goes_before_it_comes(place: Path, given: Given) -> None:
    (place / "a").unlink()
    sound(place, given)


def an_old_one(place: Path, given: Given) -> None:
    (place / "a").write_text("old")


def mapped(place: Path, given: Given) -> None:
    with (place / "a").open("wb+") as handle:
        handle.truncate(10)
        mmap.mmap(handle.fileno(), 10).close()


def not_gone_on_with(place: Path, given: Given) -> None:
    (place / "folder").mkdir()
    sound(place, given)


def a(place: Path, given: Given) -> Any:
    return whole_at(place / "a")


PLANTED_OPERATIONS = {
    "sound": Operation(sound, a),
    "in place": Operation(in_place, a),
    "not flushed": Operation(not_flushed, a),
    "leaves behind": Operation(leaves_behind, a),
    "says too soon": Operation(says_too_soon, lines_of, is_log=True, volatile="."),
    "goes before it comes": Operation(goes_before_it_comes, a, an_old_one, again=sound),
    "mapped": Operation(mapped, a),
    "not gone on with": Operation(not_gone_on_with, a),
}
PLANTED = {
    "in place": "take this for whole",
    "not flushed": ".a.part as a",
    "leaves behind": "is left over",
    "says too soon": "were acknowledged",
    "goes before it comes": "what was there before is gone",
    "mapped": "a",
    "not gone on with": "FileExistsError",
}
"""What is said of each."""
