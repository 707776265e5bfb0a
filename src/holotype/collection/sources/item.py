"""What a source yields, and what it may be told: values that travel between processes."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from holotype.media.locations import Location
from holotype.media.members import Member


@dataclass(frozen=True)
class Item:
    """One thing read from an input: a record to be, or something skipped or wrong, with its reason.

    Attributes:
        name: path inside the archive, or the row's own id; unique in the input wherever the source can
            make it so.
        row: number of the row in a table or of the sequence in a file, counted as an editor does.
        fields: columns of a collection as text; blank means missing. Further ranks are given as
            ``rank:subfamily``; what no column takes as ``extra:name of the source``.
        image: where the encoded image lies, or None where the item has none.
        content: the encoded image itself, where no file holds it.
        image_name: file name of the image.
        notes: (code, sentence) for what is odd about the item though it can be used.
        skip_reason: why the item is no record, as it should be.
        error: why the item cannot be used, though it should: place (line, column), what was found, and
            what to do.
    """

    name: str
    row: int | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    image: Location | None = None
    content: bytes | None = None
    image_name: str | None = None
    notes: tuple[tuple[str, str], ...] = ()
    skip_reason: str | None = None
    error: str | None = None


def left_out(member: Member, reason: str = "no part of it") -> Item:
    """Returns the item of a file that is no record: its error, why it cannot be used, or the reason given."""
    if member.error is not None:
        return Item(member.name, error=f"{member.name}: {member.error}")
    return Item(member.name, skip_reason=member.skip_reason or reason)


@dataclass(frozen=True)
class SourceOptions:
    """What a user may tell a source.

    Attributes:
        preset: a named column map, for ``table``.
        columns: column of a collection -> column of the table; wins over the preset.
        images: folder or archive that the image paths of a table are relative to.
        inside: folder of the input that alone is read, for ``image-folder``; None for all of it.
        label_folder: which folder above an image is its label, for ``image-folder``: 1 is the nearest.
        annotations: file or folder with the labels, where they do not lie beside the images.
        spool: folder to unpack compressed or nested archives into; they are needed as long as the items'
            locations are.
    """

    preset: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    images: Path | None = None
    inside: str | None = None
    label_folder: int = 1
    annotations: Path | None = None
    spool: Path | None = None


ReadSource = Callable[[Path, SourceOptions], Iterator[Item]]
"""Yields the items of one input, in a fixed order. Raises ``SourceError`` where the input as a whole cannot
be used; what is wrong with one row or file is an item with an ``error``."""


@dataclass(frozen=True)
class Source:
    """One kind of input.

    Attributes:
        name: the word for ``holotype import``.
        about: one line: what it is and who writes it.
        read: yields the items.
        instrument: what the images of such inputs are taken with, where that is certain.
    """

    name: str
    about: str
    read: ReadSource
    instrument: str | None = None
