"""A source taken out of a collection; what is left is as if it had never been there."""

from dataclasses import dataclass
from pathlib import Path

from holotype import files
from holotype.collection.manifest import write_manifest
from holotype.collection.store import open_collection
from holotype.errors import CollectionError, did_you_mean


@dataclass(frozen=True)
class DropReport:
    """What is left of a collection.

    Attributes:
        collection: its folder.
        dropped, records: how many records were taken out, and are left.
    """

    collection: str
    dropped: int
    records: int


def drop(collection: Path | str, *, source: str) -> DropReport:
    """Takes a source out of a collection.

    Raises:
        CollectionError: when the collection has no such source, or nothing would be left.
    """
    path = Path(collection)
    with files.only_one(path):
        opened = open_collection(path)
        if source not in opened.sources:
            raise CollectionError(
                f"{path}: no source '{source}'.{did_you_mean(source, opened.sources)}"
            )
        left = [one for one in opened.manifest["imports"] if one["source"] != source]
        if not left:
            raise CollectionError(
                f"{path}: '{source}' is its only source. Remove the folder instead."
            )
        write_manifest(path, name=opened.name, imports=left, steps=opened.manifest["steps"])
    left_over = len(open_collection(path))
    return DropReport(str(path), len(opened) - left_over, left_over)
