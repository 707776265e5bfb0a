"""The image of an answer, wherever it lies: in the collection, or in the input that was named."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from holotype.collection.sources import ecotaxa
from holotype.collection.sources.item import SourceOptions
from holotype.collection.store import Collection
from holotype.errors import MediaError, SourceError
from holotype.exchange.webdataset import image_ending
from holotype.media.images import IMAGE_SUFFIXES, read_pixels
from holotype.media.locations import CellAt, FileAt, Location, read_location
from holotype.media.members import is_archive, members


@dataclass
class Pictures:
    """Finds the images of answers.

    Attributes:
        of_records: record id -> where its image lies.
        of_inputs: input folder or archive -> name in it -> where the image lies.
    """

    of_records: Mapping[str, Location] = field(default_factory=dict)
    of_inputs: dict[str, Mapping[str, Location]] = field(default_factory=dict)

    def read(self, answer: Mapping[str, Any]) -> bytes | None:
        """Returns the encoded image of an answer, None where there is none.

        Raises:
            MediaError: when it is there and cannot be read.
        """
        at = self.of_records.get(answer["record_id"] or "") or self._of_input(answer["input"] or "")
        try:
            return None if at is None else read_location(at)
        except OSError as reason:
            raise MediaError(str(reason)) from reason

    def _of_input(self, given: str) -> Location | None:
        """Returns where the image of an input lies: a file, or what a folder or archive has inside."""
        path = Path(given)
        if not given or os.path.isfile(given):  # noqa: PTH113 - any text, also one that is no path
            return FileAt(given) if path.suffix.lower() in IMAGE_SUFFIXES else None
        parents = (folder for folder in path.parents if os.path.exists(folder))  # noqa: PTH110
        outer = next(parents, None)
        if outer is None or outer == Path() or (outer.is_file() and not is_archive(outer)):
            return None
        inside = given[len(str(outer)) :].lstrip("/")
        if str(outer) not in self.of_inputs:
            self.of_inputs[str(outer)] = _listed(outer)
        return self.of_inputs[str(outer)].get(inside)


def pictures_of(collection: Collection | None) -> Pictures:
    """Returns what finds the images of answers to records of a collection, or to files."""
    found: dict[str, Location] = {}
    for path in collection.shard_paths() if collection is not None else ():
        with pq.ParquetFile(path) as shard:
            for group in range(shard.num_row_groups):
                rows = shard.read_row_group(
                    group, columns=["record_id", "image_sha256"]
                ).to_pylist()
                for row, record in enumerate(rows):
                    if record["image_sha256"] is not None:
                        found[record["record_id"]] = CellAt(str(path), "image", group, row)
    return Pictures(found)


def _listed(outer: Path) -> dict[str, Location]:
    """Returns the images in a folder or archive by name, and by that of the object in EcoTaxa tables."""
    try:
        inner = [member for member in members(outer) if member.at is not None]
    except SourceError:
        return {}
    found = {m.name: m.at for m in inner if m.suffix in IMAGE_SUFFIXES and m.at is not None}
    if any(member.name.rpartition("/")[2].startswith("ecotaxa") for member in inner):
        for item in ecotaxa.SOURCE.read(outer, SourceOptions()):
            if item.image is not None:
                found.setdefault(item.name, item.image)
    return found


def as_one_of(content: bytes, accepted: frozenset[str]) -> tuple[bytes, str]:
    """Returns an encoded image and its ending, as PNG where its format is none of those accepted.

    Raises:
        MediaError: when it cannot be decoded.
    """
    ending = image_ending(content)
    if ending in accepted:
        return content, ending
    import cv2

    pixels = read_pixels(content)
    done, encoded = cv2.imencode(".png", pixels[..., ::-1] if pixels.shape[2] == 3 else pixels)
    if not done:
        raise MediaError("pixels that cannot be written as PNG")
    return bytes(encoded.tobytes()), "png"
