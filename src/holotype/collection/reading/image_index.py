"""Images by their path in a folder, an archive, or a folder of archives: found without holding a listing.

A folder is asked for each image. Archives are listed once into an index on disk, by file name.
"""

import os
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

from holotype.collection.reading.disk_index import DiskIndex
from holotype.errors import MediaError, SourceError, first_few
from holotype.media.file_names import composed, spellings
from holotype.media.images import IMAGE_SUFFIXES
from holotype.media.location_text import parsed_location, written_location
from holotype.media.locations import FileAt, Location
from holotype.media.members import is_archive, members

FindImage = Callable[[str], Location]
"""From the path of an image to its place. Raises ``MediaError`` when there is none."""


def find_images(root: Path, spool: Path | None, *, above: Sequence[str] = ()) -> FindImage:
    """Returns the way from an image's path to its place.

    Args:
        root: a folder, an archive, or a folder with archives (parts of a data set) at its top.
        spool: where compressed tars are unpacked.
        above: folders that may lie between the root and the path.

    Raises:
        SourceError: when there is no such folder or archive.
    """
    if not root.exists():
        raise SourceError(f"{root}: no such folder or archive of images. Check --images.")
    archives = [root] if is_archive(root) else []
    if root.is_dir():
        archives = sorted(path for path in root.iterdir() if path.is_file() and is_archive(path))
    damage: list[str] = []
    index = _indexed(archives, spool, damage) if archives else None
    starts = [root.resolve(), *(root.resolve() / folder for folder in above)]

    def find(written: str) -> Location:
        path = PurePosixPath(written.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts:
            raise MediaError(f"'{written}' leaves {root}")
        for place in (start / name for start in starts for name in spellings(str(path))):
            if os.path.isfile(place):  # noqa: PTH113 - also a name that no file can have
                if place.is_symlink() and not place.resolve().is_relative_to(starts[0]):
                    raise MediaError(f"'{written}' is a link that leaves {root}")
                return FileAt(str(place))
        if index is None:
            raise MediaError(f"no image '{written}' in {root}")
        return _of_index(index, str(path), root, first_few(damage, limit=1))

    return find


def _indexed(archives: Sequence[Path], spool: Path | None, damage: list[str]) -> DiskIndex:
    """Returns the images of the archives by file name; what is wrong with the archives goes to ``damage``."""
    index = DiskIndex()
    for archive in archives:
        for member in members(archive, spool):
            if member.error is not None:
                damage.append(f"{archive.name}: {member.name}: {member.error}")
            elif member.at is not None and member.suffix in IMAGE_SUFFIXES:
                name = member.name.replace("\\", "/")
                index.put(composed(name.rpartition("/")[2]), written_location(member.at), name)
    return index


def _of_index(index: DiskIndex, path: str, root: Path, damage: str) -> Location:
    """Returns the member whose path ends as asked for, or the only one of that file name."""
    found = index.find(composed(path.rpartition("/")[2]))
    fitting = [at for name, at in found if name == path or name.endswith(f"/{path}")]
    if not fitting:
        path = composed(path)
        fitting = [at for name, at in found if f"/{composed(name)}".endswith(f"/{path}")]
    if len(fitting) == 1 or (fitting and len(set(fitting)) == 1):
        return parsed_location(fitting[0])
    if len(found) == 1:
        return parsed_location(found[0][1])
    if not found:
        raise MediaError(f"no image '{path}' in {root}{f' ({damage})' if damage else ''}")
    raise MediaError(
        f"{len(fitting or found)} images '{path}' in {root}: which is meant is not said"
    )
