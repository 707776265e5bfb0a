"""The folder of a new model: it bears its name when all of the model is in it."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from holotype import files
from holotype.errors import BundleError
from holotype.models.places import is_bundle


def refuse_taken(folder: Path) -> None:
    """Refuses a folder that holds something.

    Raises:
        BundleError: with what to do.
    """
    if is_bundle(folder):
        raise BundleError(f"{folder}: holds a model already. Name another folder with --out.")
    if folder.is_dir() and any(folder.iterdir()):
        raise BundleError(f"{folder}: not empty. Name a new folder with --out.")


@contextmanager
def new_model_folder(folder: Path) -> Iterator[Path]:
    """Holds the folder of a new model, and yields another beside it that gets its name at the end.

    A kill leaves no model, or all of it with its decisions; an error leaves no folder that was not there.

    Raises:
        BundleError: when the folder holds something.
        CollectionError: when another process holds it.
    """
    is_new = not folder.is_dir()
    try:
        with files.only_one(folder):
            refuse_taken(folder)
            with files.folder_written_whole(folder) as made:
                yield made
    except BaseException:
        if is_new:
            with suppress(OSError):
                folder.rmdir()
        raise
