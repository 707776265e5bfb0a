"""Class folders: a folder, zip or tar whose images lie in one folder a class.

The label is the name of the folder that an image lies in, whatever lies above it; an image at the top
has no label. Files that are no images are skipped, and counted.
"""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from holotype.collection.sources.item import Item, SourceOptions
from holotype.media.images import IMAGE_SUFFIXES
from holotype.media.members import members


def read(path: Path, options: SourceOptions) -> Iterator[Item]:
    """Yields one item for each file."""
    del options
    for member in members(path):
        inside = PurePosixPath(member.name.replace("\\", "/"))
        if member.skip_reason is not None:
            yield Item(member.name, skip_reason=member.skip_reason)
        elif member.suffix not in IMAGE_SUFFIXES:
            yield Item(member.name, skip_reason=f"'{member.suffix}' is no image ending")
        else:
            yield Item(
                member.name,
                fields={"written_label": inside.parent.name},
                read_image=member.read,
                image_name=inside.name,
            )
