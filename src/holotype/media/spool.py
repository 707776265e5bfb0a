"""The spool: a folder that holds what cannot be read in place inside an archive, each thing unpacked once."""

import atexit
import hashlib
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import IO

from holotype import files
from holotype.media.file_names import safe_ending


def spool_place(spool: Path | None, described: str, name: str) -> Path:
    """Returns the path of an unpacked thing: a digest and the ending of its name.

    Args:
        spool: the folder; None for one that the process removes.
        described: what it is unpacked from; with all that tells it from another one.
        name: its own name.
    """
    digest = hashlib.sha256(described.encode("utf-8", "surrogateescape")).hexdigest()[:24]
    return (spool or _temporary_spool()) / (digest + safe_ending(name))


@cache
def _temporary_spool() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="holotype-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def copy_limited(packed: IO[bytes], out: Path, *, limit: int) -> None:
    """Unpacks a stream into a file.

    Raises:
        EOFError: when it has more than ``limit`` bytes.
    """
    with out.open("wb") as handle:
        left = limit
        while chunk := packed.read(files.CHUNK_BYTES):
            left -= len(chunk)
            if left < 0:
                raise EOFError(f"it unpacks to more than {limit:,} bytes")
            handle.write(chunk)
