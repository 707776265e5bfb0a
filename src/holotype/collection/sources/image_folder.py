"""Class folders: a folder, zip or tar whose images lie in one folder a class.

The label is the name of the folder that an image lies in, whatever lies above it (or of the second or third
folder above it, where the user says so); an image without that folder has no label. Archives inside are
opened as well. Files that are no images are skipped, and counted.
"""

from collections.abc import Iterator
from pathlib import Path

from holotype.collection.sources.item import Item, Source, SourceOptions, left_out
from holotype.errors import MediaError, SourceError
from holotype.media.images import IMAGE_SUFFIXES
from holotype.media.members import Member, is_archive_name, members, nested_members


def read(path: Path, options: SourceOptions) -> Iterator[Item]:
    """Yields one item for each file, also of archives inside the input."""
    for member in members(path, options.spool):
        if member.at is not None and is_archive_name(member.name):
            yield from _inside(member, options)
        else:
            yield _item(member, options)


def _inside(archive: Member, options: SourceOptions) -> Iterator[Item]:
    try:
        for member in nested_members(archive, options.spool):
            yield _item(member, options)
    except (SourceError, MediaError) as reason:
        yield Item(archive.name, error=f"{archive.name}: {reason} Fetch it again.")


def _item(member: Member, options: SourceOptions) -> Item:
    if member.skip_reason is not None:
        return left_out(member)
    if options.inside is not None and not f"/{member.name}".startswith(f"/{options.inside}/"):
        return Item(member.name, skip_reason=f"not inside {options.inside}")
    if member.suffix not in IMAGE_SUFFIXES:
        return Item(member.name, skip_reason=f"'{member.suffix}' is no image ending")
    parts = member.name.replace("\\", "/").split("/")
    above = options.label_folder
    label = parts[-1 - above] if len(parts) > above else ""
    return Item(member.name, fields={"written_label": label}, image=member.at, image_name=parts[-1])


SOURCE = Source(
    "image-folder", "class folders in a folder, zip or tar: the folder is the label", read
)
