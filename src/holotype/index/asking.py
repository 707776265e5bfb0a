"""What a search is asked with -> queries: unit vectors, or sequences, or records that are in the index.

One input that cannot be read is a query with a failure; the others are answered.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from holotype.collection.sources import fasta
from holotype.collection.sources.item import SourceOptions
from holotype.errors import CollectionError, HolotypeError, MediaError, SourceError, first_few
from holotype.index.store import Index
from holotype.media.barcodes import IUPAC, clean_barcode
from holotype.media.images import IMAGE_SUFFIXES
from holotype.media.members import is_archive, members

if TYPE_CHECKING:
    from holotype.inputs.materials import Materials
    from holotype.models.bundle import Bundle

IMAGES_AT_A_TIME = 256
LONGEST_PATH = 200
"""Letters that are fewer may be the name of a file as well."""


class Ask(StrEnum):
    """What an index is asked with."""

    IMAGE = "image"
    BARCODE = "barcode"
    TEXT = "text"
    LINEAGE = "lineage"
    RECORD = "record"


class Read(NamedTuple):
    """One input: its name, and what it holds, or why that cannot be read."""

    name: str
    content: bytes | str | None
    failure: str | None = None


@dataclass(frozen=True)
class Queries:
    """Q queries.

    Attributes:
        names: of each.
        failures: why some of them could not be read, by place.
        z_QD: float32, unit rows; a row of zeros where there is a failure.
        own_Q: int64, the row of the record that a query is, -1 where it is none of the index.
    """

    names: tuple[str, ...]
    failures: dict[int, str]
    z_QD: NDArray[np.float32]
    own_Q: NDArray[np.int64]


def read_images(given: Sequence[str]) -> Iterator[Read]:
    """Yields the encoded images of files, folders and archives."""
    for name in given:
        path = Path(name)
        try:
            if path.is_dir() or is_archive(path):
                yield from _read_inside(name, path)
            else:
                yield Read(name, path.read_bytes())
        except FileNotFoundError:
            yield Read(name, None, "no such file")
        except (HolotypeError, OSError) as reason:
            yield Read(name, None, _one_line(reason))


def _read_inside(given: str, path: Path) -> Iterator[Read]:
    found = False
    for member in members(path):
        name = f"{given.rstrip('/')}/{member.name}"
        if member.error is not None:
            yield Read(name, None, member.error)
        elif member.skip_reason is None and member.suffix in IMAGE_SUFFIXES:
            found = True
            try:
                yield Read(name, member.read())
            except (OSError, ValueError) as reason:
                yield Read(name, None, _one_line(reason))
    if not found:
        yield Read(given, None, "no image in it")


def _one_line(reason: BaseException) -> str:
    return " ".join(str(reason).split())


def read_barcodes(given: Sequence[str]) -> Iterator[Read]:
    """Yields the clean barcodes of FASTA files and of letters as they are.

    Raises:
        SourceError: for what is neither a file nor nucleotides.
    """
    for name in given:
        letters = set(name.upper()) <= IUPAC | set("U-")
        if (len(name) <= LONGEST_PATH or not letters) and Path(name).is_file():
            for item in fasta.read(Path(name), SourceOptions()):
                yield _cleaned(item.name, item.fields.get("barcode", ""), item.error)
        elif letters:
            yield _cleaned(name if len(name) <= 24 else f"{name[:21]}...", name, None)
        else:
            raise SourceError(
                f"barcode '{name}': neither nucleotides nor a FASTA file that is there."
            )


def image_queries(bundle: "Bundle", given: Sequence[str]) -> Queries:
    """Returns images as a model sees them.

    Raises:
        CollectionError: when the model reads no images.
    """
    from holotype.inputs.materials import prepare_loose

    _must_read(bundle, Ask.IMAGE)
    parts = []
    reads = read_images(given)
    while chunk := list(itertools.islice(reads, IMAGES_AT_A_TIME)):
        names, images = [one.name for one in chunk], [_bytes(one) for one in chunk]
        materials, damaged = prepare_loose(names, images, [None] * len(chunk), pixels=bundle.pixels)
        known = {row: one.failure for row, one in enumerate(chunk) if one.failure is not None}
        parts.append(_encoded(bundle, materials, {**damaged, **known}))
    return _joined(parts)


def barcode_queries(bundle: "Bundle", given: Sequence[str]) -> Queries:
    """Returns barcodes as a model sees them.

    Raises:
        CollectionError: when the model reads no barcodes.
        SourceError: for what is neither a file nor nucleotides.
    """
    from holotype.inputs.materials import prepare_loose

    _must_read(bundle, Ask.BARCODE)
    reads = list(read_barcodes(given))
    names, letters = [one.name for one in reads], [text_of(one) for one in reads]
    materials, _ = prepare_loose(names, [None] * len(reads), letters, pixels=None)
    failures = {row: one.failure for row, one in enumerate(reads) if one.failure is not None}
    return _encoded(bundle, materials, failures)


def text_queries(bundle: "Bundle", given: Sequence[str]) -> Queries:
    """Returns words as a model sees them.

    Raises:
        CollectionError: when the model reads no captions.
    """
    from holotype.models.encode import encode_captions

    if "caption" not in bundle.model.modalities:
        raise CollectionError(
            f"{bundle.path}: reads no words. Search by --lineage, or use a model with captions."
        )
    z_QD = encode_captions(bundle.model, list(given))
    return Queries(tuple(given), {}, z_QD, np.full(len(given), -1, dtype=np.int64))


def record_queries(index: Index, given: Sequence[str], modality: str) -> Queries:
    """Returns records of the index by their vectors.

    Raises:
        SourceError: when the index has no such record.
        CollectionError: when it has no vectors of the modality.
    """
    place = {name: row for row, name in enumerate(index.columns(["record_id"])[0].to_pylist())}
    missing = [name for name in given if name not in place]
    if missing:
        raise SourceError(f"{index.path}: no record {first_few(missing)}. Check the ids.")
    keys = index.vectors_of(modality)
    own_Q = np.asarray([place[name] for name in given], dtype=np.int64)
    at_Q = np.minimum(np.searchsorted(keys.row_V, own_Q), len(keys) - 1)
    z_QD = keys.z_VD[at_Q].astype(np.float32)
    absent = np.flatnonzero(keys.row_V[at_Q] != own_Q)
    why = f"this record has no {modality} that the model read; ask for another by --searched"
    failures = {int(place): why for place in absent}
    return Queries(tuple(given), failures, z_QD, own_Q)


def _encoded(bundle: "Bundle", materials: "Materials", failures: dict[int, str]) -> Queries:
    """Returns materials of one modality as queries."""
    from holotype.models.encode import encode

    count = len(materials)
    z_QD = np.zeros((count, bundle.model.embedding_dim), dtype=np.float32)
    for one in encode(bundle.model, materials).values():
        z_QD[one.row_R] = one.z_RD
    return Queries(materials.record_id, failures, z_QD, np.full(count, -1, dtype=np.int64))


def _joined(parts: Sequence[Queries]) -> Queries:
    starts = np.cumsum([0, *(len(part.names) for part in parts)]).tolist()
    return Queries(
        tuple(name for part in parts for name in part.names),
        {
            start + at: why
            for start, part in zip(starts, parts, strict=False)
            for at, why in part.failures.items()
        },
        np.concatenate([part.z_QD for part in parts]),
        np.concatenate([part.own_Q for part in parts]),
    )


def _must_read(bundle: "Bundle", modality: str) -> None:
    if modality not in bundle.model.modalities:
        reads = ", ".join(bundle.model.modalities)
        raise CollectionError(f"{bundle.path}: reads no {modality}s, only {reads}. Ask by another.")


def _cleaned(name: str, written: str, failure: str | None) -> Read:
    if failure is not None:
        return Read(name, None, failure)
    try:
        return Read(name, clean_barcode(written).nucleotides)
    except MediaError as reason:
        return Read(name, None, str(reason))


def _bytes(one: Read) -> bytes | None:
    return one.content if isinstance(one.content, bytes) else None


def text_of(one: Read) -> str | None:
    """Returns the letters of what was read, None where it could not be."""
    return one.content if isinstance(one.content, str) else None
