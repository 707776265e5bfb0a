"""Folders, zips and tars as one thing: a stream of named members, each read on demand.

What is unsafe (links, devices, paths that climb out) or no content (folders, the droppings of operating
systems) is yielded with the reason, never followed, so that every member is accounted for.
"""

import os
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from holotype.errors import MediaError, SourceError

MAX_MEMBER_BYTES = 1 << 30
DAMAGE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    OSError,
    EOFError,
    RuntimeError,
)
"""What reading one damaged or encrypted member of a zip or tar may raise."""
_JUNK_NAMES = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})


@dataclass(frozen=True)
class Member:
    """One file of a folder or archive.

    Attributes:
        name: path inside, with "/" between parts.
        skip_reason: why it is no content, or None.
        read: returns its bytes; call it before asking for the next member.
    """

    name: str
    skip_reason: str | None
    read: Callable[[], bytes]

    @property
    def suffix(self) -> str:
        """The lower-case ending, with its dot."""
        return PurePosixPath(self.name).suffix.lower()


def is_archive(path: Path) -> bool:
    """Returns whether a path is named like a zip or tar."""
    return path.name.lower().endswith((".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz"))


def members(path: Path) -> Iterator[Member]:
    """Yields the members of a folder, zip or tar, or the file itself, in a fixed order.

    Raises:
        SourceError: when the path is missing or the archive cannot be opened.
    """
    if path.is_dir():
        yield from _folder_members(path)
    elif not path.is_file():
        raise SourceError(f"{path}: no such file or folder. Check the path.")
    elif not is_archive(path):
        yield Member(path.name, None, path.read_bytes)
    elif path.name.lower().endswith(".zip"):
        yield from _zip_members(path)
    else:
        yield from _tar_members(path)


def _folder_members(root: Path) -> Iterator[Member]:
    for folder, subfolders, names in os.walk(root):
        subfolders.sort()
        linked = [name for name in subfolders if (Path(folder) / name).is_symlink()]
        for name in sorted([*names, *linked]):
            path = Path(folder) / name
            inside = path.relative_to(root).as_posix()
            reason = "a link" if path.is_symlink() else _reason_to_skip(inside)
            yield Member(inside, reason, path.read_bytes)


def _zip_members(path: Path) -> Iterator[Member]:
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                if entry.is_dir():
                    continue
                reason = _reason_to_skip(entry.filename)
                if entry.file_size > MAX_MEMBER_BYTES:
                    reason = f"{entry.file_size:,} bytes unpacked"
                elif entry.flag_bits & 1:
                    reason = "encrypted"

                def read(entry: zipfile.ZipInfo = entry) -> bytes:
                    try:
                        return archive.read(entry)
                    except DAMAGE as wrong:
                        raise MediaError(f"damaged in the archive: {wrong}") from wrong

                yield Member(entry.filename, reason, read)
    except zipfile.BadZipFile as reason_given:
        raise SourceError(f"{path}: not a whole zip ({reason_given}). Fetch it again.") from None


def _tar_members(path: Path) -> Iterator[Member]:
    try:
        with tarfile.open(path) as archive:
            for entry in archive:
                if entry.isdir():
                    continue
                reason = _reason_to_skip(entry.name)
                if not entry.isfile():
                    reason = "a link or device"
                elif entry.size > MAX_MEMBER_BYTES:
                    reason = f"{entry.size:,} bytes unpacked"

                def read(entry: tarfile.TarInfo = entry) -> bytes:
                    try:
                        handle = archive.extractfile(entry)
                        return handle.read() if handle is not None else b""
                    except DAMAGE as wrong:
                        raise MediaError(f"damaged in the archive: {wrong}") from wrong

                yield Member(entry.name, reason, read)
    except (tarfile.TarError, zlib.error, EOFError, OSError) as reason_given:
        first_line = str(reason_given).partition(":\n")[0]
        raise SourceError(f"{path}: not a whole tar ({first_line}). Fetch it again.") from None


def _reason_to_skip(name: str) -> str | None:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if not parts:
        return "no name"
    if name.startswith("/") or ".." in parts or (parts and ":" in parts[0]):
        return "a path that leaves the archive"
    if "__MACOSX" in parts or parts[-1] in _JUNK_NAMES or parts[-1].startswith("._"):
        return "left by an operating system"
    return None
