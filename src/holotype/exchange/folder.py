"""The folder of an export: whose it is, and how one that was stopped is written again.

A marker is written first and removed last, after the manifest. A folder with the marker and without the
manifest is therefore what a stopped export left.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from holotype import files
from holotype.errors import CollectionError, first_few

MANIFEST = "export.json"
MARKER = ".export-unfinished"
_OURS = frozenset(
    {
        *("data", "train", "validation", "test", "key"),
        *("README.md", "ATTRIBUTION.md", "croissant.json", MARKER),
    }
)


def check_free(folder: Path) -> None:
    """Checks that an export may be written into a folder: new, empty, or left by a stopped export.

    Raises:
        CollectionError: when it is not.
    """
    if folder.exists() and not folder.is_dir():
        raise CollectionError(f"{folder}: a file. Name an empty or new folder.")
    held = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if not held:
        return
    if MARKER not in held or MANIFEST in held:
        raise CollectionError(f"{folder}: not empty. Name an empty or new folder.")
    if foreign := sorted(name for name in held if not _is_ours(name)):
        raise CollectionError(
            f"{folder}: not empty. It holds a stopped export and {first_few(foreign)}, which no export "
            "writes. Move that away, or name another folder."
        )


@contextmanager
def filled(folder: Path) -> Iterator[None]:
    """Holds a free folder while an export is written into it; what a stopped export left is cleared first.

    Raises:
        CollectionError: when the folder is not free, or another process is writing into it.
    """
    with files.only_one(folder):
        check_free(folder)
        (folder / MARKER).touch()
        for path in sorted(folder.iterdir()):
            if path.name != MARKER:
                _remove(path)
        yield
        (folder / MARKER).unlink()


def _is_ours(name: str) -> bool:
    return name in _OURS or (name.startswith(".") and name.endswith(".part"))


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        files.remove_folder(path)
    else:
        path.unlink()
