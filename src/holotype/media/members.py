"""Folders, zips and tars as one thing: a stream of named members, each with the place of its bytes.

What is unsafe (links, devices, paths that climb out) or no content (folders, the droppings of operating
systems) is yielded with the reason, never followed; what is damaged, or packed in a way that is not read, is
yielded with the error, so that every member is accounted for and none costs the others. Compressed tars
and members that cannot be read in place are unpacked once into a spool folder.
"""

import bz2
import gzip
import lzma
import os
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from holotype import files
from holotype.errors import MediaError, SourceError
from holotype.files import DAMAGE, of_the_disk
from holotype.media.file_names import readable_name, reason_to_skip
from holotype.media.locations import (
    MAX_MEMBER_BYTES,
    FileAt,
    Location,
    SliceAt,
    ZipSliceAt,
    container_state,
    read_location,
)
from holotype.media.spool import copy_limited, spool_place

_UNNAMED = "(no name)"
UNPACK_BYTES, MAX_UNPACK_RATIO = 1 << 30, 200
"""A compressed tar may unpack to so many bytes, or to so many times its size; more is a bomb."""
_UNPACKED_METHODS = {zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA}
"""Methods of zip members that are unpacked to be read; those of ``_IN_PLACE`` are read where they lie."""
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
        skip_reason: why it is no content, or why it cannot be used; or None.
        at: where its bytes lie; None with a skip reason.
        size: of its bytes, unpacked.
        error: what is damaged and what to do, where it should be usable; it is the skip reason too.
    """

    name: str
    skip_reason: str | None
    at: Location | None
    size: int
    error: str | None = None

    @classmethod
    def damaged(cls, name: str, error: str, size: int = 0) -> "Member":
        """Returns a member that should be usable and is not."""
        return cls(name, error, None, size, error)

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
        yield from _folder_inside(str(path), "")
    elif not path.is_file():
        raise SourceError(f"{path}: no such file or folder. Check the path.")
    elif not is_archive(path):
        yield Member(readable_name(path.name), None, FileAt(str(path)), path.stat().st_size)
    elif path.name.lower().endswith((".zip", ".zid")):
        yield from _zip_members(path, spool)
    else:
        yield from _tar_members(path, spool)


def nested_members(member: Member, spool: Path | None = None) -> Iterator[Member]:
    """Yields the members of an archive that lies inside another one; their names start with its name.

    Raises:
        SourceError: when it is no whole archive.
    """
    inner = unpacked(member, spool)
    for part in members(inner, spool):
        name = (
            member.name if part.error and part.name == inner.name else f"{member.name}/{part.name}"
        )
        yield replace(part, name=name)


def unpacked(member: Member, spool: Path | None = None) -> Path:
    """Returns the path of a file with the member's bytes: itself, or a copy that is made once in the spool.

    Raises:
        MediaError: when the member has no bytes, or they are damaged.
    """
    if isinstance(member.at, FileAt):
        return Path(member.at.path)
    described = f"{member.at!r}|{container_state(member.at) if member.at else None}"
    place = spool_place(spool, described, member.name)
    if not place.is_file():
        with files.written_whole(place) as temporary:
            temporary.write_bytes(member.read())
    return place


def _folder_inside(folder: str, prefix: str) -> Iterator[Member]:
    """Yields the files of a folder by name, then those of its folders; links are not followed."""
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    folders = []
    for entry in entries:
        inside = prefix + readable_name(entry.name)
        if entry.is_symlink():
            yield Member(inside, "a link", None, 0)
        elif entry.is_dir():
            folders.append(entry)
        elif reason := reason_to_skip(inside):
            yield Member(inside, reason, None, 0)
        elif not entry.is_file():
            yield Member(inside, "no ordinary file", None, 0)
        else:
            yield Member(inside, None, FileAt(entry.path), entry.stat().st_size)
    for entry in folders:
        yield from _folder_inside(entry.path, f"{prefix}{readable_name(entry.name)}/")


def _zip_members(path: Path, spool: Path | None) -> Iterator[Member]:
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                if not entry.filename:
                    yield Member.damaged(_UNNAMED, "an entry without a name. Pack the zip again.")
                elif not entry.is_dir():
                    yield _zip_member(path, archive, entry, spool)
    except DAMAGE as reason_given:
        if of_the_disk(reason_given):
            raise
        raise SourceError(f"{path}: not a whole zip ({reason_given}). Fetch it again.") from None


def _zip_member(
    path: Path, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, spool: Path | None
) -> Member:
    name, size = entry.filename, entry.file_size
    reason = reason_to_skip(name)
    if size > MAX_MEMBER_BYTES:
        reason = f"{size:,} bytes unpacked"
    elif entry.flag_bits & 1:
        reason = "encrypted"
    if reason is not None:
        return Member(name, reason, None, size)
    deflated = _IN_PLACE.get(entry.compress_type)
    if deflated is not None:
        at = ZipSliceAt(
            str(path), entry.header_offset, entry.compress_size, size, entry.CRC, deflated
        )
        return Member(name, None, at, size)
    names: dict[int, str] = zipfile.compressor_names  # type: ignore[attr-defined]
    method = f"{entry.compress_type} ({names.get(entry.compress_type, 'unknown')})"
    if entry.compress_type not in _UNPACKED_METHODS:
        error = (
            f"packed by method {method}, which is not read. Unpack the zip with the program that "
            "made it, and give the folder."
        )
        return Member.damaged(name, error, size)
    try:
        return Member(name, None, _unpacked_entry(path, archive, entry, spool), size)
    except DAMAGE as raised:
        if of_the_disk(raised):
            raise
        said = " ".join(str(raised).split())
        error = f"damaged in the zip ({said}; packed by {method}). Fetch the zip again."
    return Member.damaged(name, error, size)


def _unpacked_entry(
    path: Path, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, spool: Path | None
) -> FileAt:
    state = container_state(FileAt(str(path)))
    described = f"{path.absolute()}|{state}|{entry.header_offset}|{entry.CRC}"
    place = spool_place(spool, described, entry.filename)
    if not place.is_file():
        with archive.open(entry) as packed, files.written_whole(place) as temporary:
            copy_limited(packed, temporary, limit=MAX_MEMBER_BYTES)
    return FileAt(str(place))


def _tar_members(path: Path, spool: Path | None) -> Iterator[Member]:
    plain = _plain_tar(path, spool)
    count, fault = 0, None
    try:
        with tarfile.open(plain, "r:", encoding="utf-8") as archive:
            for entry in archive:
                archive.members = []  # type: ignore[attr-defined]  # keep none: a tar may hold millions
                count += 1
                if not entry.isdir():
                    yield _tar_member(plain, entry)
            fault = _fault_at_end(plain, archive.offset)
    except (tarfile.TarError, EOFError, OSError) as raised:
        fault = str(raised).partition(":\n")[0]
        if not count:
            raise SourceError(f"{path}: not a whole tar ({fault}). Fetch it again.") from None
    if fault is not None:
        error = f"not a whole tar ({fault}): entries after the first {count:,} are lost. Fetch it again."
        yield Member.damaged(readable_name(path.name), error)


def _tar_member(plain: Path, entry: tarfile.TarInfo) -> Member:
    name = readable_name(entry.name)
    reason = reason_to_skip(name)
    if not entry.isfile():
        reason = "a link or device"
    elif entry.sparse is not None:
        reason = "a sparse file"
    elif entry.size > MAX_MEMBER_BYTES:
        reason = f"{entry.size:,} bytes unpacked"
    at = None if reason else SliceAt(str(plain), entry.offset_data, entry.size)
    return Member(name, reason, at, entry.size)


def _fault_at_end(plain: Path, end: int) -> str | None:
    """Returns what is wrong behind the last entry of a tar, where a block of zeros must lie; or None."""
    with plain.open("rb") as handle:
        handle.seek(end)
        block = handle.read(tarfile.BLOCKSIZE)
    if len(block) < tarfile.BLOCKSIZE:
        return f"it ends at byte {end + len(block):,} without its end mark"
    return f"no entry starts at byte {end:,}" if any(block) else None


def _plain_tar(path: Path, spool: Path | None) -> Path:
    """Returns the tar itself, unpacked once into the spool where it is compressed."""
    unpack = _UNPACKERS.get(path.suffix.lower())
    if unpack is None:
        return path
    stat = path.stat()
    described = f"{path.resolve()}|{stat.st_size}|{stat.st_mtime_ns}"
    place = spool_place(spool, described, path.name + ".tar")
    if not place.is_file():
        limit = max(UNPACK_BYTES, MAX_UNPACK_RATIO * stat.st_size)
        try:
            with unpack(path, "rb") as packed, files.written_whole(place) as temporary:
                copy_limited(packed, temporary, limit=limit)
        except DAMAGE as reason:
            raise SourceError(f"{path}: not a whole tar ({reason}). Fetch it again.") from None
    return place
