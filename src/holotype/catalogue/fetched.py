"""What has been fetched into a folder: a manifest written last, a journal until then, and a lock.

``fetched.json`` is there when, and only when, everything that was asked for is whole. A folder that merely
holds files is not complete.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from holotype.errors import SourceError
from holotype.files import read_manifest, sha256_file, write_json

FORMAT = "holotype-fetched"
VERSION = 1
MANIFEST = "fetched.json"
JOURNAL = "fetching.json"
LOCK = ".fetching.lock"
OWN_NAMES = frozenset({MANIFEST, JOURNAL, LOCK})


class FolderState(StrEnum):
    """What a folder of a source is."""

    COMPLETE = "complete"
    """The manifest is there and every file that it names has its size."""
    DAMAGED = "damaged"
    """The manifest is there, and a file that it names is missing or of another size."""
    UNFINISHED = "unfinished"
    """A download was begun here."""
    ABSENT = "absent"
    """Nothing of ours is here, whatever else may be."""


@dataclass(frozen=True)
class FetchedFile:
    """One file that is whole.

    Attributes:
        file: path below the folder.
        url: where it came from; None where a person put it there.
        bytes: its size.
        sha256: its checksum.
        verified: what agreed with what was known before: ``sha256``, ``md5``, ``size``, ``ending``.
        etag: the host's mark of the version, or None.
        last_modified: as the host said, or None.
        fetched: when, in UTC, as ISO 8601.
    """

    file: str
    url: str | None
    bytes: int
    sha256: str
    verified: tuple[str, ...]
    etag: str | None
    last_modified: str | None
    fetched: str


def read_fetched(folder: Path) -> dict[str, FetchedFile] | None:
    """Returns the files of a folder's manifest by name, or None where there is no manifest.

    Raises:
        SourceError: the manifest is of another format or cannot be read.
    """
    path = folder / MANIFEST
    if not path.is_file():
        return None
    content = read_manifest(path, format_name=FORMAT, version=VERSION, error=SourceError)
    return _files(content, path)


def read_journal(folder: Path) -> dict[str, FetchedFile]:
    """Returns the files that an unfinished download had finished; none where its journal is unreadable."""
    path = folder / JOURNAL
    try:
        return _files(json.loads(path.read_text(encoding="utf-8")), path)
    except (OSError, ValueError, SourceError):
        return {}


def _files(content: Any, path: Path) -> dict[str, FetchedFile]:
    try:
        found = [
            FetchedFile(**{**row, "verified": tuple(row["verified"])}) for row in content["files"]
        ]
    except (KeyError, TypeError) as reason:
        raise SourceError(f"{path}: not a list of fetched files ({reason}).") from reason
    return {row.file: row for row in found}


def write_journal(folder: Path, files: Mapping[str, FetchedFile]) -> None:
    """Writes down what is whole so far."""
    write_json(folder / JOURNAL, {"files": [asdict(row) for row in files.values()]})


def write_fetched(folder: Path, files: Mapping[str, FetchedFile], about: Mapping[str, Any]) -> None:
    """Writes the manifest, which makes the folder complete, and removes the journal."""
    content = {
        "format": FORMAT,
        "version": VERSION,
        **about,
        "files": [asdict(row) for row in files.values()],
    }
    write_json(folder / MANIFEST, content)
    (folder / JOURNAL).unlink(missing_ok=True)


def unfit(folder: Path, files: Sequence[FetchedFile], *, checksums: bool) -> dict[str, str]:
    """Returns the files that are not as they were written down, each with what is wrong."""
    found: dict[str, str] = {}
    for row in files:
        path = folder / row.file
        if not path.is_file():
            found[row.file] = "missing"
        elif path.stat().st_size != row.bytes:
            found[row.file] = f"has {path.stat().st_size:,} bytes, had {row.bytes:,}"
        elif checksums and sha256_file(path) != row.sha256:
            found[row.file] = "has another checksum"
    return found


def folder_state(folder: Path) -> FolderState:
    """Returns what a folder of a source is, from its manifest and the sizes of its files.

    Raises:
        SourceError: the manifest cannot be read.
    """
    files = read_fetched(folder)
    if files is not None:
        wrong = unfit(folder, list(files.values()), checksums=False)
        return FolderState.DAMAGED if wrong else FolderState.COMPLETE
    begun = (folder / JOURNAL).is_file() or (folder.is_dir() and any(folder.glob("*.part")))
    return FolderState.UNFINISHED if begun else FolderState.ABSENT


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keeps other processes of this machine from fetching into the folder meanwhile.

    The operating system lets go of the lock when the process ends, however it ends.

    Raises:
        SourceError: another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / LOCK
    with path.open("a+b") as handle:
        try:
            _take(handle.fileno())
        except OSError as reason:
            raise SourceError(
                f"{folder}: another process is fetching into this folder. Wait for it, or stop it."
            ) from reason
        yield


def _take(handle: int) -> None:
    if os.name == "nt":
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        return
    import fcntl

    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
