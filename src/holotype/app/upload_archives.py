"""An uploaded zip or tar -> its members, checked before anything of it is unpacked.

The central directory of a zip is measured as it is read, members are counted and added up before any is
unpacked, and what is compressed as a whole is unpacked into the scratch folder up to what is left.
"""

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from holotype.app.upload_limits import SMALL_BYTES, Budget
from holotype.errors import SourceError
from holotype.files import DAMAGE
from holotype.media.members import Member, members
from holotype.media.spool import copy_limited

UNPACKERS: dict[str, Callable[[Path], Any]] = {
    ".gz": gzip.open,
    ".tgz": gzip.open,
    ".bz2": bz2.open,
    ".tbz2": bz2.open,
    ".xz": lzma.open,
    ".txz": lzma.open,
}
"""What opens files that are compressed as a whole, by the last ending."""
ENTRY_BYTES = 1_024
"""Bytes of a zip's directory that an entry may take, on average."""
_END_BYTES = 1 << 17
"""The end of a zip, with the longest comment, is less."""


def archive_members(path: Path, scratch: Path, budget: Budget) -> Iterator[Member]:
    """Yields the members of a zip or tar that is no bomb.

    Args:
        path: the archive; its name says what it is.
        scratch: where to unpack a compressed tar.
        budget: what may be taken; what is unpacked is taken off.

    Raises:
        SourceError: when it is damaged, or too much; the message names no folder.
    """
    if path.suffix.lower() == ".zip":
        _check_zip(path, budget)
        yield from members(path, scratch)
        return
    plain = path
    if path.suffix.lower() in UNPACKERS:
        plain = unpacked_whole(path, scratch / f"{path.name}.tar", budget)
    yield from members(plain, scratch)


def unpacked_whole(path: Path, to: Path, budget: Budget) -> Path:
    """Unpacks what is compressed as a whole and returns where it is.

    Raises:
        SourceError: when it is damaged, or unpacks to too much.
    """
    packed = path.stat().st_size
    limit = min(budget.bytes_left, max(SMALL_BYTES, budget.limits.ratio * packed))
    try:
        with UNPACKERS[path.suffix.lower()](path) as stream:
            _copied(stream, to, limit)
    except DAMAGE as reason:
        to.unlink(missing_ok=True)
        raise SourceError(f"cannot be unpacked ({' '.join(str(reason).split())}).") from None
    budget.unpacked_bytes += to.stat().st_size
    return to


def _copied(stream: IO[bytes], to: Path, limit: int) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    copy_limited(stream, to, limit=limit)


def _check_zip(path: Path, budget: Budget) -> None:
    """Raises ``SourceError`` for a zip that is damaged or a bomb, and takes the rest off the budget."""
    entries: list[zipfile.ZipInfo] = []
    with (
        suppress(*DAMAGE, UnicodeDecodeError),
        _Measured(path, budget.limits.members) as measured,
        zipfile.ZipFile(measured) as archive,
    ):
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    if not entries:
        raise SourceError("not a whole zip, or nothing in it.")
    if any(entry.compress_type in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA) for entry in entries):
        raise SourceError("packed by bzip2 or LZMA. Pack it again the usual way (deflate).")
    unpacked = sum(entry.file_size for entry in entries)
    why = budget.why_not(members=len(entries), unpacked=unpacked, packed=path.stat().st_size)
    if why is not None:
        raise SourceError(f"{why}.")
    budget.unpacked_bytes += unpacked


class _Measured(io.FileIO):
    """A zip whose directory may not be larger than that of so many members.

    What tells the size of a directory can be written twice, at several places and in two widths, and readers
    differ in which they believe. So none is believed: the reader itself is stopped when it asks for too much.
    """

    def __init__(self, path: Path, most: int) -> None:
        super().__init__(path, "rb")
        self._most, self._bytes = most, path.stat().st_size

    def read(self, size: int | None = -1, /) -> bytes:
        """Returns what is asked for.

        Raises:
            SourceError: for more than a directory may have.
        """
        asked, most = max(0, self._bytes - self.tell()), _END_BYTES
        if size is not None and size >= 0:
            asked, most = min(size, asked), self._most * ENTRY_BYTES
        if asked > most:
            raise SourceError(f"more than {self._most:,} files in it.")
        return super().read(asked) or b""
