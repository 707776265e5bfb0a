"""What a user points at -> a stream of specimens: images, barcodes, or a failure with its reason.

Whatever ``holotype import`` reads can be named, by the same readers and with the same checks. Nothing is read
before it is asked for, and nothing is held of what went by: inputs may have any number of specimens.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holotype.collection.intake import source_name
from holotype.collection.sources import find_source, table
from holotype.collection.sources.item import Item, SourceOptions
from holotype.collection.sources.presets import PRESETS, fitting_preset
from holotype.errors import HolotypeError, SourceError, did_you_mean
from holotype.files import sha256_bytes
from holotype.identify import kinds
from holotype.identify.collection_input import collection_rows
from holotype.identify.context import NOTHING, examined
from holotype.identify.reading_images import read_image_at
from holotype.identify.record_lists import ids_of_list, listed
from holotype.identify.walking import folder_members
from holotype.media.capture_times import capture_time
from holotype.media.images import IMAGE_SUFFIXES
from holotype.media.locations import FileAt, Location, container_state
from holotype.media.members import Member, is_archive_name, members, nested_members

LIST_MARK = "@"
"""An input that starts with it is a file with one path a line."""


@dataclass(frozen=True)
class Specimen:
    """One thing to name.

    Attributes:
        input: the path as given; members of archives and folders as ``archive.zip/inner/path``.
        read_image: returns the encoded image, or None.
        barcode: clean nucleotides, or None.
        failure: why it cannot be named, whole or in part, or None.
        context: what the input says of the record: columns of ``columns.CONTEXT_NAMES``.
        state: a text that is another one where the image, or what is said of it, was changed.
    """

    input: str
    read_image: Callable[[], bytes] | None = None
    barcode: str | None = None
    failure: str | None = None
    context: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    state: str = ""


@dataclass(frozen=True)
class Loaded:
    """A specimen with its image; ``loading.materials_of`` makes what a model reads of some of them.

    Attributes:
        specimen: with the size of the image, and of what stands out in it, in its context.
        image: the encoded image, or None where there is none or it cannot be read.
        failure: why the specimen cannot be named, whole or in part, or None.
        square_SSC: the image as the model reads it, uint8, or None where it cannot be decoded.
        grey_mean: of the whole image, 0 to 255, or None.
    """

    specimen: Specimen
    image: bytes | None
    failure: str | None
    square_SSC: NDArray[np.uint8] | None = None
    grey_mean: float | None = None


@dataclass(frozen=True)
class Reading:
    """What a user says of the inputs.

    Attributes:
        kind: one of the kinds of ``holotype import``; found from the input by default.
        preset: the column map of tables; found from the header by default.
        images: folder or archive that the image paths of tables are relative to.
        records: a text file of record ids, one a line: only these are read.
    """

    kind: str | None = None
    preset: str | None = None
    images: str | None = None
    records: str | None = None

    def check(self) -> None:
        """Raises ``SourceError`` for a kind that there is not, and for files that are not there."""
        if self.kind is not None:
            find_source(self.kind)
        if self.preset is not None and self.preset not in PRESETS:
            nearest = did_you_mean(self.preset, sorted(PRESETS))
            raise SourceError(f"no preset '{self.preset}'.{nearest}")
        if self.images is not None and not Path(self.images).exists():
            raise SourceError(f"{self.images}: no such folder or archive. Check --images.")
        if self.records is not None:
            ids_of_list(Path(self.records))


@dataclass
class Asides:
    """What is told of the inputs beside the specimens; it grows while they are read.

    Attributes:
        left_aside: files and rows that are no specimens, by input.
        notes: remarks on what is odd (a value that was left out, say), by code.
        first_note: of each code, the first remark.
        kinds: what each input was read as.
    """

    left_aside: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    first_note: dict[str, str] = field(default_factory=dict)
    kinds: Counter[str] = field(default_factory=Counter)


def specimens(
    inputs: Sequence[str],
    *,
    preset: str | None = None,
    reading: Reading | None = None,
    asides: Asides | None = None,
) -> Iterator[Specimen]:
    """Yields the specimens of inputs, in their order; each input in a fixed order of its own.

    An input that cannot be opened is one specimen with a failure: it never ends a run.

    Args:
        inputs: images, folders, archives, FASTA, tables, collections, whatever ``holotype import`` reads, and
            ``@list.txt`` for a file with one of these a line.
        preset: the column map of tables.
        reading: what else the user says of the inputs.
        asides: is told what is left aside.
    """
    way = _Way(reading or Reading(preset=preset), asides or Asides())
    found = chain.from_iterable(map(way.given, inputs))
    return found if way.reading.records is None else listed(found, way.reading.records, way.asides)


def _of_list(given: str, way: "_Way") -> Iterator[Specimen]:
    try:
        with Path(given[1:]).open(encoding="utf-8-sig", errors="surrogateescape") as lines:
            for line in lines:
                if path := line.rstrip("\r\n"):
                    yield from way.input(path)
    except OSError as reason:
        yield Specimen(given, failure=f"the list cannot be read: {_one_line(reason)}")


@dataclass(frozen=True)
class _Way:
    """How inputs are read, and whom what is left aside is told."""

    reading: Reading
    asides: Asides

    def given(self, given: str) -> Iterator[Specimen]:
        """Yields the specimens of one word of a command: an input, or a list of them."""
        if given.startswith(LIST_MARK) and not Path(given).exists():
            return _of_list(given, self)
        return self.input(given)

    def input(self, given: str) -> Iterator[Specimen]:
        """Yields the specimens of one input; what cannot be opened is one with a failure."""
        try:
            yield from self._specimens(given, Path(given))
        except (HolotypeError, OSError) as reason:
            yield Specimen(given, failure=_one_line(reason))

    def _specimens(self, given: str, path: Path) -> Iterator[Specimen]:
        if not path.exists():
            raise SourceError("no such file or folder")
        kind = self.reading.kind or kinds.kind_of(path)
        self.asides.kinds[kind] += 1
        if kind == kinds.ONE_IMAGE:
            yield self._one_image(given, path)
        elif kind == kinds.IMAGES:
            yield from self._bag(given, path)
        elif kind == kinds.COLLECTION:
            prefix = given.rstrip("/")
            for row in collection_rows(path):
                yield Specimen(f"{prefix}/{row.record_id}", *row.named, row.context, row.state)
        else:
            yield from self._items(given, kinds.whole_of(path), kind)

    def _one_image(self, given: str, path: Path) -> Specimen:
        at = FileAt(str(path))
        context = {"record_id": path.name, **_moment(path.name)}
        return Specimen(given, lambda: read_image_at(at), context=context, state=_state(at, ""))

    def _bag(self, given: str, path: Path) -> Iterator[Specimen]:
        """Yields the images of a folder or archive, and of the archives in it."""
        found = 0
        for member in _members_and_inner(path):
            if member.skip_reason is None and member.suffix in IMAGE_SUFFIXES:
                yield self._member(given, member, path)
            elif member.error is not None:
                yield Specimen(f"{given.rstrip('/')}/{member.name}", failure=member.error)
            else:
                self.asides.left_aside[given] += 1
                continue
            found += 1
        if not found:
            raise SourceError("no image in it")

    def _member(self, given: str, member: Member, path: Path) -> Specimen:
        context = {"record_id": member.name, **_moment(member.name)}
        name, state = f"{given.rstrip('/')}/{member.name}", _state(member.at, _state_of_file(path))
        return Specimen(name, member.read, context=context, state=f"{member.size}|{state}")

    def _items(self, given: str, path: Path, kind: str) -> Iterator[Specimen]:
        source = find_source(kind)
        options = SourceOptions(preset=self.reading.preset, images=_path(self.reading.images))
        if kind == kinds.TABLE and options.preset is None:
            options = SourceOptions(fitting_preset(table.table_header(path)), images=options.images)
        constants = {"instrument": source.instrument} if source.instrument else {}
        whole, called = _state_of_file(path), source_name(path)
        empty = True
        for item in source.read(path, options):
            empty = empty and item.skip_reason is not None
            if item.skip_reason is not None:
                self.asides.left_aside[given] += 1
                continue
            name = f"{given.rstrip('/')}/{item.name}"
            if item.error is not None:
                yield Specimen(name, failure=_one_line(item.error))
                continue
            found = examined(item, source=called, constants=constants)
            for code, said in found.notes:
                self.asides.notes[code] += 1
                self.asides.first_note.setdefault(code, said)
            said = sha256_bytes(repr(sorted(item.fields.items())).encode("utf-8", "replace"))[:16]
            state = f"{said}|{_state(item.image, whole)}"
            yield Specimen(name, _reader(item), found.barcode, found.failure, found.context, state)
        if empty:
            raise SourceError(f"nothing to name in it, read as {kind}")


def _members_and_inner(path: Path) -> Iterator[Member]:
    for member in folder_members(path) if path.is_dir() else members(path):
        if member.at is None or not is_archive_name(member.name):
            yield member
            continue
        try:
            yield from nested_members(member)
        except (HolotypeError, OSError) as reason:
            yield Member.damaged(member.name, _one_line(reason))


def _moment(name: str) -> Mapping[str, str]:
    """Returns the time that a file name says, as a column; nothing where it says none."""
    found = capture_time(name)
    return NOTHING if found is None else {"collected_on": found.moment}


def _reader(item: Item) -> Callable[[], bytes] | None:
    at, content = item.image, item.content
    if at is not None:
        return lambda: read_image_at(at)
    return None if content is None else lambda: content


def _state_of_file(path: Path) -> str:
    """Returns the size and time of a file; "" for a folder."""
    known = path.stat()
    return f"{known.st_size}|{known.st_mtime_ns}" if path.is_file() else ""


def _state(at: Location | None, whole: str) -> str:
    """Returns the state of the archive or table that holds a specimen, else that of its own file."""
    return whole or ("" if at is None else str(container_state(at)))


def _path(written: str | None) -> Path | None:
    return None if written is None else Path(written)


def _one_line(reason: object) -> str:
    return " ".join(str(reason).split())
