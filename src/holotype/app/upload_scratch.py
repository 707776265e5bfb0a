"""The folder that files of one request are stored and unpacked in; it goes with the request."""

import asyncio
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

SCRATCH = "upload-"
STALE_S = 86_400
Value = TypeVar("Value")


@contextmanager
def scratch_folder(root: Path) -> Iterator[Path]:
    """Yields a new folder for one request; it goes when the request is done.

    What requests of a server that was killed left behind goes too, after a day.
    """
    root.mkdir(parents=True, exist_ok=True)
    for left in root.glob(f"{SCRATCH}*"):
        with _gone_is_fine():
            if time.time() - left.stat().st_mtime > STALE_S:
                shutil.rmtree(left)
    folder = Path(tempfile.mkdtemp(prefix=SCRATCH, dir=root))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def finished(function: Callable[[], Value]) -> Value:
    """Returns what a function returns that a thread works at; given up, it ends no sooner than the thread.

    So what the thread uses, a folder or a turn, is not let go under it.
    """
    work = asyncio.ensure_future(asyncio.to_thread(function))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        with suppress(Exception):
            await work
        raise


@contextmanager
def _gone_is_fine() -> Iterator[None]:
    try:
        yield
    except OSError:
        return


@dataclass
class ScratchPlace:
    """A scratch folder, or what returns one; asked when it is first needed."""

    given: Path | Callable[[], Path]

    @property
    def path(self) -> Path:
        """The folder."""
        if not isinstance(self.given, Path):
            self.given = self.given()
        return self.given

    def spellings(self) -> set[str]:
        """Returns how messages may name it; nothing while it was not needed."""
        known = isinstance(self.given, Path)
        return {str(self.path.resolve()), str(self.path)} if known else set()
