"""What a source yields, and what it may be told."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Item:
    """One thing read from an input: a record to be, or something skipped with a reason.

    Attributes:
        name: path inside the archive, or the row's own id.
        row: number of the row in a table or of the sequence in a file, counted as an editor does.
        fields: columns of a collection as text; blank means missing. ``other_ranks`` fields are given
            as ``rank:subfamily`` and so on.
        read_image: returns the encoded image, or None where the item has none.
        image_name: file name of the image.
        skip_reason: why the item is no record.
        error: why the item cannot be read, though it should.
    """

    name: str
    row: int | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    read_image: Callable[[], bytes] | None = None
    image_name: str | None = None
    skip_reason: str | None = None
    error: str | None = None


@dataclass(frozen=True)
class SourceOptions:
    """What a user may tell a source.

    Attributes:
        preset: a named column map, for ``table``.
        columns: column of a collection -> column of the table; wins over the preset.
        images: folder or archive that the table's image paths are relative to.
    """

    preset: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    images: Path | None = None


class Source(Protocol):
    """A reader of one kind of input."""

    def __call__(self, path: Path, options: SourceOptions) -> Iterator[Item]:
        """Yields the items of one input, in a fixed order."""
        ...
