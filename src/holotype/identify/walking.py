"""The files of a folder, of any number, in a fixed order and with bounded memory.

The order is that of ``media.members``: files by name, then the folders by name, each likewise. Names that do
not fit in memory are sorted in pieces on disk and merged.
"""

import heapq
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from holotype.media.file_names import readable_name, reason_to_skip
from holotype.media.locations import FileAt
from holotype.media.members import Member

SORTED_AT_ONCE = 50_000
_FILE, _FOLDER, _LINK, _OTHER = "f", "d", "l", "o"


def folder_members(folder: Path | str, prefix: str = "") -> Iterator[Member]:
    """Yields the members of a folder and of the folders in it; links are not followed.

    A folder that cannot be read is one damaged member.
    """
    place = str(folder)
    try:
        for kind, name in _sorted_entries(place, _FILE + _LINK + _OTHER):
            yield _member(place, prefix, kind, name)
        for _, name in _sorted_entries(place, _FOLDER):
            yield from folder_members(f"{place}/{name}", f"{prefix}{readable_name(name)}/")
    except OSError as reason:
        said = (
            f"cannot be read ({reason.strerror or reason}). Mend its permissions, or leave it out."
        )
        yield Member.damaged(prefix.rstrip("/") or readable_name(Path(place).name), said)


def file_names(folder: Path | str) -> Iterator[str]:
    """Yields the paths of all files inside a folder, in no order; what cannot be read is left out."""
    pending = [(str(folder), "")]
    while pending:
        place, prefix = pending.pop()
        try:
            with os.scandir(place) as entries:
                for entry in entries:
                    if entry.is_symlink():
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        pending.append((entry.path, f"{prefix}{entry.name}/"))
                    else:
                        yield f"{prefix}{entry.name}"
        except OSError:
            continue


def _member(place: str, prefix: str, kind: str, name: str) -> Member:
    inside = prefix + readable_name(name)
    if kind == _LINK:
        return Member(inside, "a link", None, 0)
    if reason := reason_to_skip(inside):
        return Member(inside, reason, None, 0)
    if kind == _OTHER:
        return Member(inside, "no ordinary file", None, 0)
    path = f"{place}/{name}"
    try:
        return Member(inside, None, FileAt(path), os.stat(path).st_size)  # noqa: PTH116 - millions
    except OSError as reason_given:
        return Member.damaged(inside, f"cannot be read ({reason_given.strerror}).")


def _sorted_entries(place: str, kinds: str) -> Iterator[tuple[str, str]]:
    """Yields (kind, name) of the entries of some kinds, by name."""
    with ExitStack() as pieces:
        runs: list[Iterator[str]] = []
        names: list[str] = []
        for kind, name in _entries(place):
            if kind in kinds:
                names.append(f"{name}/{kind}")
            if len(names) == SORTED_AT_ONCE:
                runs.append(pieces.enter_context(_Run(names)).lines())
                names = []
        names.sort(key=_name_of)
        runs.append(iter(names))
        merged = iter(names) if len(runs) == 1 else heapq.merge(*runs, key=_name_of)
        for line in merged:
            yield line[-1], line[:-2]


def _name_of(line: str) -> str:
    return line[:-2]


def _entries(place: str) -> Iterator[tuple[str, str]]:
    with os.scandir(place) as found:
        for entry in found:
            if entry.is_symlink():
                yield _LINK, entry.name
            elif entry.is_dir():
                yield _FOLDER, entry.name
            else:
                yield (_FILE if entry.is_file() else _OTHER), entry.name


class _Run:
    """Sorted names in a file of its own that goes when it is closed."""

    def __init__(self, names: list[str]) -> None:
        self._file = tempfile.TemporaryFile(  # noqa: SIM115 - closed by __exit__
            "w+", encoding="utf-8", errors="surrogateescape", newline=""
        )
        self._file.writelines(f"{name}\0\n" for name in sorted(names, key=_name_of))
        self._file.seek(0)

    def __enter__(self) -> "_Run":
        return self

    def __exit__(self, *raised: object) -> None:
        self._file.close()

    def lines(self) -> Iterator[str]:
        """Yields the names; one may hold a line end, none a zero byte."""
        held = ""
        for line in self._file:
            held += line
            if held.endswith("\0\n"):
                yield held[:-2]
                held = ""
