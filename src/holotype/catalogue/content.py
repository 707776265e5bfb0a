"""Whether a file is what it is said to be: not a web page, not cut off, of the right size and checksum."""

import gzip
import hashlib
import tarfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from holotype.files import CHUNK_BYTES

_MAGIC: dict[str, tuple[bytes, ...]] = {
    ".zip": (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"),
    ".gz": (b"\x1f\x8b",),
    ".tgz": (b"\x1f\x8b",),
    ".bz2": (b"BZh",),
    ".xz": (b"\xfd7zXZ\x00",),
    ".parquet": (b"PAR1",),
    ".h5": (b"\x89HDF",),
    ".hdf5": (b"\x89HDF",),
}
FIRST_BYTES = 1024
"""How many bytes are looked at to tell a page from a file."""
_PAGES = (b"<!doctype html", b"<html", b"<head", b"<script", b"<body")
_TAR_BLOCK = 512
_ENDINGS = frozenset({".zip", ".tar", ".gz", ".tgz"})


@dataclass(frozen=True)
class Expectation:
    """What is known beforehand of a file; None where nothing is.

    Attributes:
        bytes: exact size.
        sha256: 64 hexadecimal digits.
        md5: 32 hexadecimal digits.
    """

    bytes: int | None = None
    sha256: str | None = None
    md5: str | None = None


@dataclass(frozen=True)
class Found:
    """What a file on disk turned out to be.

    Attributes:
        bytes: its size.
        sha256: its checksum, 64 hexadecimal digits.
        verified: what was compared and agreed: ``sha256``, ``md5``, ``size``, ``ending``.
        wrong: what did not agree, in words; None when all is well.
    """

    bytes: int
    sha256: str
    verified: tuple[str, ...]
    wrong: str | None


def not_the_file(name: str, first: bytes, content_type: str | None) -> str | None:
    """Returns why an answer cannot be the file of that name, from its first bytes, or None.

    A page that says "log in" or "not found" with status 200 is the usual case. An answer that begins as such
    a file must is taken, whatever type the host calls it.
    """
    suffix = Path(name).suffix.lower()
    if suffix in {".html", ".htm"}:
        return None
    magic = _MAGIC.get(suffix)
    if magic and first.startswith(magic):
        return None
    start = first[:256].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    is_page = start.startswith(_PAGES) or (start.startswith(b"<?xml") and b"<html" in first.lower())
    if is_page or (content_type or "").lower().startswith(("text/html", "application/xhtml")):
        return "the answer is a web page, not the file"
    if magic and first:
        return f"the answer does not begin as a {suffix} file does"
    return None


def examined(
    path: Path,
    expected: Expectation,
    *,
    name: str | None = None,
    announced_bytes: int | None = None,
) -> Found:
    """Returns what a finished file is, compared with all that is known of it.

    ``name`` is the name that the file will bear, where that is another one: its ending says what it is. The
    end of an archive is looked at as well: a zip by its directory and the places that this names, a tar by
    its closing blocks; a gzip is unpacked to its end, where neither size nor checksum is known.
    """
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    size = 0
    with path.open("rb") as handle:
        while chunk := handle.read(CHUNK_BYTES):
            size += len(chunk)
            sha256.update(chunk)
            if expected.md5 is not None:
                md5.update(chunk)
    known_size = expected.bytes if expected.bytes is not None else announced_bytes
    comparisons: tuple[tuple[str, int | str | None, int | str], ...] = (
        ("size", known_size, size),
        ("sha256", expected.sha256, sha256.hexdigest()),
        ("md5", expected.md5, md5.hexdigest()),
    )
    verified: list[str] = []
    for what, wanted, found in comparisons:
        if wanted is None:
            continue
        if wanted != found:
            differs = f"{what} is {found}, expected {wanted}"
            return Found(size, sha256.hexdigest(), tuple(verified), differs)
        verified.append(what)
    certain = "sha256" in verified or "md5" in verified
    suffix = Path(name or path.name).suffix.lower()
    wrong = None if certain else wrong_ending(path, suffix, unpack=known_size is None)
    if not certain and wrong is None and suffix in _ENDINGS:
        verified.append("ending")
    return Found(size, sha256.hexdigest(), tuple(verified), wrong)


def wrong_ending(path: Path, suffix: str, *, unpack: bool) -> str | None:
    """Returns what is wrong with the end of an archive, or None; ``unpack`` reads a gzip through."""
    try:
        if suffix == ".zip":
            return _wrong_zip(path)
        if suffix == ".tar":
            return _wrong_tar(path)
        if suffix in {".gz", ".tgz"} and unpack:
            with gzip.open(path) as stream:
                while stream.read(CHUNK_BYTES):
                    pass
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, OSError, zlib.error) as reason:
        return f"the archive is cut off or damaged: {reason}"
    except (ValueError, RuntimeError) as reason:
        return f"the archive cannot be read: {reason}"
    return None


def _wrong_zip(path: Path) -> str | None:
    with zipfile.ZipFile(path) as archive:
        members = [info for info in archive.infolist() if not info.flag_bits & 1]
        for info in members[:1] + members[-1:]:
            with archive.open(info) as member:
                member.read(1)
    return None


def _wrong_tar(path: Path) -> str | None:
    size = path.stat().st_size
    with path.open("rb") as handle:
        handle.seek(max(0, size - 2 * _TAR_BLOCK))
        end = handle.read()
    if size % _TAR_BLOCK or end.strip(b"\x00"):
        return "the archive is cut off: a tar ends with two blocks of zeros"
    return None
