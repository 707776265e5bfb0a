"""A folder or zip that is there as a whole or not at all."""

import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from holotype import files

_EPOCH = (1980, 1, 1, 0, 0, 0)
_STORED = frozenset({".png", ".jpg", ".jpeg", ".gif", ".gz", ".zip"})


@dataclass
class Container:
    """What files are added to.

    Attributes:
        place: the folder, or the open zip.
    """

    place: Path | zipfile.ZipFile

    def add(self, name: str, content: bytes) -> None:
        """Adds a file; ``name`` may have folders before it. Zips of equal files have equal bytes."""
        if isinstance(self.place, Path):
            path = self.place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        else:
            self.place.writestr(_entry(name), content)

    def add_file(self, name: str, path: Path) -> None:
        """Adds a copy of a file, however long."""
        if isinstance(self.place, Path):
            (self.place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, self.place / name)
            return
        with (
            path.open("rb") as source,
            self.place.open(_entry(name), "w", force_zip64=True) as into,
        ):
            shutil.copyfileobj(source, into, files.CHUNK_BYTES)


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.external_attr = 0o644 << 16
    packed = Path(name).suffix.lower() not in _STORED
    entry.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    return entry


@contextmanager
def container(out: Path) -> Iterator[Container]:
    """Yields what to add files to: a zip where ``out`` ends in ``.zip``, else a folder.

    It gets its name when all is written; on any error it goes.
    """
    if out.suffix.lower() == ".zip":
        with files.written_whole(out) as temporary, zipfile.ZipFile(temporary, "w") as archive:
            yield Container(archive)
        return
    with files.folder_written_whole(out) as temporary:
        yield Container(temporary)
