"""What a user points at -> a stream of specimens: images, barcodes, or a failure with its reason."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from holotype.collection.sources import fasta, table
from holotype.collection.sources.item import Item, SourceOptions
from holotype.collection.sources.presets import fitting_preset
from holotype.collection.store import MANIFEST, open_collection
from holotype.errors import HolotypeError, MediaError, SourceError
from holotype.media.barcodes import clean_barcode
from holotype.media.images import IMAGE_SUFFIXES
from holotype.media.locations import read_location
from holotype.media.members import is_archive, members
from holotype.progress import note

_FASTA = re.compile(r"\.(fasta|fas|fa|fna|ffn)(\.(gz|bz2|xz))?$", re.IGNORECASE)
_TABLE = re.compile(r"\.((csv|tsv|txt)(\.gz)?|parquet)$", re.IGNORECASE)


@dataclass(frozen=True)
class Specimen:
    """One thing to name.

    Attributes:
        input: the path as given; members of archives and folders as ``archive.zip/inner/path``.
        read_image: returns the encoded image, or None.
        barcode: clean nucleotides, or None.
        failure: why it cannot be named, or None.
    """

    input: str
    read_image: Callable[[], bytes] | None = None
    barcode: str | None = None
    failure: str | None = None


def specimens(inputs: Sequence[str], *, preset: str | None = None) -> Iterator[Specimen]:
    """Yields the specimens of image files, folders, archives, FASTA, tables and collections, in order.

    An input that cannot be opened is one specimen with a failure: it never ends a run.
    """
    for given in inputs:
        path = Path(given)
        try:
            yield from _one_input(given, path, preset)
        except (HolotypeError, OSError) as reason:
            yield Specimen(given, failure=" ".join(str(reason).split()))


def _one_input(given: str, path: Path, preset: str | None) -> Iterator[Specimen]:
    if (path / MANIFEST).is_file():
        yield from _collection(given, path)
    elif path.is_dir() or is_archive(path):
        yield from _container(given, path)
    elif not path.is_file():
        raise SourceError("no such file or folder")
    elif _FASTA.search(path.name):
        for item in fasta.read(path, SourceOptions()):
            yield _of_item(given, item)
    elif _TABLE.search(path.name) and path.suffix.lower() not in IMAGE_SUFFIXES:
        known = preset or fitting_preset(table.table_header(path))
        for item in table.read(path, SourceOptions(preset=known)):
            yield _of_item(given, item)
    else:
        yield Specimen(given, read_image=path.read_bytes)


def _container(given: str, path: Path) -> Iterator[Specimen]:
    found, skipped = 0, 0
    for member in members(path):
        if member.skip_reason is None and member.suffix in IMAGE_SUFFIXES:
            found += 1
            yield Specimen(f"{given.rstrip('/')}/{member.name}", read_image=member.read)
        elif member.error is not None:
            found += 1
            yield Specimen(f"{given.rstrip('/')}/{member.name}", failure=member.error)
        else:
            skipped += 1
    if skipped:
        note(f"{given}: {skipped:,} files that are no images were left aside")
    if not found:
        raise SourceError("no image in it")


def _of_item(given: str, item: Item) -> Specimen:
    name = f"{given}/{item.name}"
    written = item.fields.get("barcode", "")
    barcode, failure = None, item.error
    if written:
        try:
            barcode = clean_barcode(written).nucleotides
        except MediaError as reason:
            failure = str(reason)
    if not written and _reader(item) is None and failure is None:
        failure = "neither image nor barcode in this row"
    return Specimen(name, _reader(item), barcode, failure)


def _reader(item: Item) -> Callable[[], bytes] | None:
    at, content = item.image, item.content
    if at is not None:
        return lambda: read_location(at)
    return None if content is None else lambda: content


def _collection(given: str, path: Path) -> Iterator[Specimen]:
    opened = open_collection(path)
    barcodes = opened.columns(["barcode"])["barcode"].to_pylist()
    for (record_id, content), barcode in zip(opened.images(), barcodes, strict=True):
        read = None if content is None else (lambda content=content: content)
        failure = "neither image nor barcode" if read is None and barcode is None else None
        yield Specimen(f"{given.rstrip('/')}/{record_id}", read, barcode, failure)
