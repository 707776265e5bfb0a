"""Folders, zips and tars as one thing: a stream of named members, each with the place of its bytes.

What is unsafe (links, devices, paths that climb out) or no content (folders, the droppings of operating
systems) is yielded with the reason, never followed, so that every member is accounted for. Compressed tars
and members that cannot be read in place are unpacked once into a spool folder.
"""

import atexit
import bz2
import gzip
import hashlib
import lzma
import os
import shutil
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import IO, Any

from holotype import files
from holotype.errors import MediaError, SourceError
from holotype.media.locations import (
    MAX_MEMBER_BYTES,
    FileAt,
    Location,
    SliceAt,
    ZipSliceAt,
    read_location,
)

DAMAGE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    OSError,
    EOFError,
    RuntimeError,
)
"""What reading one damaged or encrypted archive may raise."""
UNPACK_BYTES, MAX_UNPACK_RATIO = 1 << 30, 200
"""A compressed tar may unpack to so many bytes, or to so many times its size; more is a bomb."""
_JUNK_NAMES = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
_IN_PLACE = {zipfile.ZIP_STORED: False, zipfile.ZIP_DEFLATED: True}
_UNPACKERS: dict[str, Any] = {
    ".gz": gzip.open,
    ".tgz": gzip.open,
    ".bz2": bz2.open,
    ".tbz2": bz2.open,
    ".xz": lzma.open,
    ".txz": lzma.open,
}


@dataclass(frozen=True)
class Member:
    """One file of a folder or archive.

    Attributes:
        name: path inside, with "/" between parts.
        skip_reason: why it is no content, or None.
        at: where its bytes lie; None with a skip reason.
        size: of its bytes, unpacked.
    """

    name: str
    skip_reason: str | None
    at: Location | None
    size: int

    @property
    def suffix(self) -> str:
        """The lower-case ending, with its dot; "" for none."""
        stem, dot, ending = self.name.rpartition("/")[2].rpartition(".")
        return f".{ending.lower()}" if dot and stem and ending else ""

    def read(self) -> bytes:
        """Returns the member's bytes.

        Raises:
            MediaError: when it has none, or they are damaged.
        """
        if self.at is None:
            raise MediaError(self.skip_reason or "no content")
        return read_location(self.at)


def is_archive(path: Path) -> bool:
    """Returns whether a path is named like a zip or tar."""
    return is_archive_name(path.name)


def is_archive_name(name: str) -> bool:
    """Returns whether a name is that of a zip or tar."""
    return name.lower().endswith(
        (".zip", ".zid", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
    )


def members(path: Path, spool: Path | None = None) -> Iterator[Member]:
    """Yields the members of a folder, zip or tar, or the file itself, in a fixed order.

    Args:
        path: the folder, archive or file.
        spool: folder to unpack into what cannot be read in place; else one that the process removes.

    Raises:
        SourceError: when the path is missing or the archive cannot be opened.
    """
    if path.is_dir():
        yield from _folder_members(path)
    elif not path.is_file():
        raise SourceError(f"{path}: no such file or folder. Check the path.")
    elif not is_archive(path):
        yield Member(path.name, None, FileAt(str(path)), path.stat().st_size)
    elif path.name.lower().endswith((".zip", ".zid")):
        yield from _zip_members(path, spool)
    else:
        yield from _tar_members(path, spool)


def package(path: Path, spool: Path | None = None) -> dict[str, Member]:
    """Returns the usable members of a folder or archive by name, for formats of files that name one another.

    Raises:
        SourceError: as ``members``.
    """
    return {m.name: m for m in members(path, spool) if m.skip_reason is None}


def nested_members(member: Member, spool: Path | None = None) -> Iterator[Member]:
    """Yields the members of an archive that lies inside another one; their names start with its name.

    Raises:
        SourceError: when it is no whole archive.
    """
    inner = unpacked(member, spool)
    for part in members(inner, spool):
        yield Member(f"{member.name}/{part.name}", part.skip_reason, part.at, part.size)


def unpacked(member: Member, spool: Path | None = None) -> Path:
    """Returns the path of a file with the member's bytes: itself, or a copy that is made once in the spool.

    Raises:
        MediaError: when the member has no bytes, or they are damaged.
    """
    if isinstance(member.at, FileAt):
        return Path(member.at.path)
    place = _spool_place(spool, repr(member.at), PurePosixPath(member.name).name)
    if not place.is_file():
        with files.written_whole(place) as temporary:
            temporary.write_bytes(member.read())
    return place


def _spool_place(spool: Path | None, described: str, name: str) -> Path:
    digest = hashlib.sha256(described.encode()).hexdigest()[:12]
    return (spool or _temporary_spool()) / f"{digest}-{name}"


@cache
def _temporary_spool() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="holotype-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _folder_members(root: Path) -> Iterator[Member]:
    yield from _folder_inside(str(root), "")


def _folder_inside(folder: str, prefix: str) -> Iterator[Member]:
    """Yields the files of a folder by name, then those of its folders; links are not followed."""
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    folders = []
    for entry in entries:
        inside = prefix + entry.name
        if entry.is_symlink():
            yield Member(inside, "a link", None, 0)
        elif entry.is_dir():
            folders.append(entry)
        elif reason := _reason_to_skip(inside):
            yield Member(inside, reason, None, 0)
        else:
            yield Member(inside, None, FileAt(entry.path), entry.stat().st_size)
    for entry in folders:
        yield from _folder_inside(entry.path, f"{prefix}{entry.name}/")


def _zip_members(path: Path, spool: Path | None) -> Iterator[Member]:
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
                at = None if reason else _zip_location(path, archive, entry, spool)
                yield Member(entry.filename, reason, at, entry.file_size)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, lzma.LZMAError) as reason_given:
        raise SourceError(f"{path}: not a whole zip ({reason_given}). Fetch it again.") from None


def _zip_location(
    path: Path, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, spool: Path | None
) -> Location:
    if entry.compress_type in _IN_PLACE:
        return ZipSliceAt(
            str(path),
            entry.header_offset,
            entry.compress_size,
            entry.file_size,
            entry.CRC,
            _IN_PLACE[entry.compress_type],
        )
    place = _spool_place(spool, f"{path}|{entry.filename}", PurePosixPath(entry.filename).name)
    if not place.is_file():
        with archive.open(entry) as packed, files.written_whole(place) as temporary:
            _copy_limited(packed, temporary, limit=MAX_MEMBER_BYTES)
    return FileAt(str(place))


def _tar_members(path: Path, spool: Path | None) -> Iterator[Member]:
    plain = _plain_tar(path, spool)
    try:
        with tarfile.open(plain, "r:") as archive:
            for entry in archive:
                archive.members = []  # type: ignore[attr-defined]  # keep none: a tar may hold millions
                if entry.isdir():
                    continue
                reason = _reason_to_skip(entry.name)
                if not entry.isfile():
                    reason = "a link or device"
                elif entry.sparse is not None:
                    reason = "a sparse file"
                elif entry.size > MAX_MEMBER_BYTES:
                    reason = f"{entry.size:,} bytes unpacked"
                at = None if reason else SliceAt(str(plain), entry.offset_data, entry.size)
                yield Member(entry.name, reason, at, entry.size)
    except (tarfile.TarError, EOFError, OSError) as reason_given:
        first_line = str(reason_given).partition(":\n")[0]
        raise SourceError(f"{path}: not a whole tar ({first_line}). Fetch it again.") from None


def _plain_tar(path: Path, spool: Path | None) -> Path:
    """Returns the tar itself, unpacked once into the spool where it is compressed."""
    unpack = _UNPACKERS.get(path.suffix.lower())
    if unpack is None:
        return path
    stat = path.stat()
    described = f"{path.resolve()}|{stat.st_size}|{stat.st_mtime_ns}"
    place = _spool_place(spool, described, path.name + ".tar")
    if not place.is_file():
        limit = max(UNPACK_BYTES, MAX_UNPACK_RATIO * stat.st_size)
        try:
            with unpack(path, "rb") as packed, files.written_whole(place) as temporary:
                _copy_limited(packed, temporary, limit=limit)
        except DAMAGE as reason:
            raise SourceError(f"{path}: not a whole tar ({reason}). Fetch it again.") from None
    return place


def _copy_limited(packed: IO[bytes], out: Path, *, limit: int) -> None:
    with out.open("wb") as handle:
        left = limit
        while chunk := packed.read(files.CHUNK_BYTES):
            left -= len(chunk)
            if left < 0:
                raise EOFError(f"it unpacks to more than {limit:,} bytes")
            handle.write(chunk)


def _reason_to_skip(name: str) -> str | None:
    if "\\" in name:
        name = name.replace("\\", "/")
    parts = name.split("/")
    if not name.strip("./"):
        return "no name"
    if name.startswith("/") or ".." in parts or ":" in parts[0]:
        return "a path that leaves the archive"
    if "__MACOSX" in parts or parts[-1] in _JUNK_NAMES or parts[-1].startswith("._"):
        return "left by an operating system"
    return None
