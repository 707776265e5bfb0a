"""Files that are either whole or absent: atomic writes, checksums, and manifests written last."""

import errno
import hashlib
import json
import lzma
import os
import shutil
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from holotype.errors import CollectionError, HolotypeError
from holotype.unfinished import unfinished

CHUNK_BYTES = 1 << 20
DAMAGE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    OSError,
    EOFError,
    RuntimeError,
    UnicodeDecodeError,
    struct.error,
    IndexError,
    OverflowError,
)
"""What reading one damaged or encrypted archive may raise."""
MISREAD = (
    OSError, EOFError, LookupError, TypeError, ValueError, AttributeError, RuntimeError, ArithmeticError,
    MemoryError, SyntaxError,
)  # fmt: skip
"""What reading a damaged file of arrays may raise: another type or size than it says, or nothing there."""


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Yields a temporary path beside ``path``; on success flushes it to disk and renames it.

    A reader sees the old file or the new one, never a part. On any error the temporary file goes. Its name is
    never given twice: threads and processes may write one file at once, and the last one to end holds. What a
    killed process left under such a name goes when the next one writes into that folder.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = unfinished(path)
    try:
        yield temporary
        with temporary.open("rb+") as handle:
            os.fsync(handle.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def written_whole_aside(path: Path) -> Iterator[Path]:
    """Yields a temporary path in a new folder beside ``path``; else as ``written_whole``.

    For libraries that write temporary files of their own beside the one they are given.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = unfinished(path)
    aside.mkdir()
    try:
        yield aside / path.name
        _flush(aside / path.name)
        (aside / path.name).replace(path)
    finally:
        remove_folder(aside)


@contextmanager
def folder_written_whole(path: Path) -> Iterator[Path]:
    """Yields a new folder beside ``path``; on success flushes all in it to disk and renames it.

    ``path`` is not there, or an empty folder. On any error the new folder goes; see ``written_whole``.

    Raises:
        CollectionError: when another process has written something there meanwhile.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = unfinished(path)
    temporary.mkdir()
    try:
        yield temporary
        for inside in (*temporary.rglob("*"), temporary):
            _flush(inside)
        _take_name(temporary, path)
    finally:
        remove_folder(temporary)


def _take_name(temporary: Path, path: Path) -> None:
    try:
        temporary.replace(path)
    except OSError as reason:
        if reason.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        raise CollectionError(
            f"{path}: another process has written there meanwhile. Name a new folder."
        ) from None


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Holds a folder for this process while it is being changed; the lock goes with the process.

    Raises:
        CollectionError: when another process holds it.
    """
    import fcntl

    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise CollectionError(
            f"{folder}: another process is changing it. Wait until it has ended."
        ) from None
    finally:
        os.close(descriptor)


@contextmanager
def as_it_was_opened(path: Path | None) -> Iterator[None]:
    """Turns a file that is gone, or damaged, since its folder was opened into an error that says so.

    Raises:
        CollectionError: in the place of ``FileNotFoundError``, and of what pyarrow raises.
    """
    try:
        yield
    except FileNotFoundError as reason:
        raise CollectionError(
            f"{path}: was changed by another command since it was opened ({reason}). "
            "Run this command again."
        ) from None
    except Exception as reason:
        is_damage = isinstance(reason, OSError) and not of_the_disk(reason)
        if not is_damage and not type(reason).__module__.startswith("pyarrow"):
            raise
        raise CollectionError(
            f"{path}: damaged ({_one_line(reason)}). Restore it, or make it again."
        ) from reason


@contextmanager
def read_whole(path: Path, error: type[HolotypeError], *, remedy: str) -> Iterator[None]:
    """Turns what reading a damaged file raises into an error that names it and says what to do.

    Raises:
        HolotypeError: of the kind given.
    """
    try:
        yield
    except HolotypeError:
        raise
    except MISREAD as reason:
        if of_the_disk(reason):
            raise
        raise error(f"{path}: damaged ({_one_line(reason)}). {remedy}") from reason


def of_the_disk(raised: BaseException) -> bool:
    """Returns whether an error is one of the disk; what is damaged leads to impossible places at most."""
    return isinstance(raised, OSError) and raised.errno not in (None, errno.EINVAL)


def _one_line(reason: BaseException) -> str:
    said = " ".join(str(reason).split())[:200]
    return f"no {said}" if isinstance(reason, KeyError) else said or type(reason).__name__


def flush_folder(folder: Path) -> None:
    """Makes the names in a folder safe on disk."""
    _flush(folder)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_text(path: Path, text: str) -> None:
    """Writes UTF-8 text, whole or not at all."""
    with written_whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Writes JSON (UTF-8, two spaces, sorted as given), whole or not at all."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_manifest(
    path: Path,
    *,
    format_name: str,
    version: int,
    error: type[HolotypeError],
    older: Collection[int] = (),
) -> Any:
    """Returns the JSON of a manifest after checking that it is of the format and version asked for.

    Args:
        path: of the manifest.
        format_name: what it must be.
        version: that is written now.
        error: the kind to raise.
        older: versions that are read too.

    Raises:
        HolotypeError: of the kind given, when the file is missing, is not JSON, or is of another
            format or of a newer version.
    """
    if not path.is_file():
        raise error(
            f"{path.parent}: no {path.name} here, so this is not a complete {format_name}. "
            "Check the path, or run the command that makes it again."
        )
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        found = (manifest["format"], manifest["version"])
    except (ValueError, KeyError, TypeError, RecursionError) as reason:
        raise error(f"{path}: not a {format_name} manifest ({reason}). Make it again.") from reason
    if found[0] != format_name:
        raise error(f"{path}: this is a {found[0]}, not a {format_name}. Check the path.")
    if found[1] not in (version, *older):
        raise error(
            f"{path}: {format_name} format version {found[1]}; this Holotype reads version "
            f"{version}. Use the Holotype that wrote it, or make it again."
        )
    return manifest


def sha256_bytes(content: bytes) -> str:
    """Returns the SHA-256 of bytes as 64 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def sha256_file(path: Path) -> str:
    """Returns the SHA-256 of a file as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as handle:
        while chunk := handle.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def remove_folder(path: Path) -> None:
    """Removes a folder of ours and all in it, if it is there."""
    if path.is_dir():
        shutil.rmtree(path)


def take_away_folder(path: Path) -> None:
    """Removes a folder of ours, if it is there, at once for who reads it: it loses its name first.

    What is left of it where this process is killed meanwhile goes as in ``written_whole``.
    """
    if path.is_dir():
        remove_folder(path.replace(unfinished(path)))
