"""Where the encoded bytes of an image lie, as values that can travel to another process.

A source says where an image is; whoever examines it reads it there. Nothing is read before it is needed,
and every location can be written as JSON, so a listing of millions of images is a plain table.
"""

import hashlib
import os
import stat
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from holotype.errors import MediaError
from holotype.media.file_names import readable_name

MAX_MEMBER_BYTES = 1 << 30
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_OPEN_FILES = 64


@dataclass(frozen=True)
class FileAt:
    """A file that is the image."""

    path: str


@dataclass(frozen=True)
class SliceAt:
    """Bytes inside a file: a member of a plain tar, a region of a raw file."""

    path: str
    start: int
    length: int


@dataclass(frozen=True)
class ZipSliceAt:
    """A member of a zip, by the place of its local header; stored or deflated."""

    path: str
    header: int
    packed: int
    size: int
    crc: int
    deflated: bool


@dataclass(frozen=True)
class CellAt:
    """A cell of a Parquet file: binary, or a struct with ``bytes``; ``row`` counts within the row group."""

    path: str
    column: str
    row_group: int
    row: int


@dataclass(frozen=True)
class GreyAt:
    """Raw 8-bit grey pixels, row by row; read as the PNG of them."""

    pixels: "Location"
    width: int
    height: int


@dataclass(frozen=True)
class CropAt:
    """A rectangle of a larger image; read as the PNG of it."""

    whole: "Location"
    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True)
class HdfRowAt:
    """A row of an HDF5 dataset of padded encoded images; ``lengths`` names the dataset of their lengths.

    Where ``lengths`` is a mask of the same shape, the length is its sum.
    """

    path: str
    dataset: str
    lengths: str
    row: int


Location = FileAt | SliceAt | ZipSliceAt | CellAt | GreyAt | CropAt | HdfRowAt


class AbsentError(MediaError):
    """Nothing is at a location: a cell without an image. It is no damage."""


def container_state(at: Location) -> int | None:
    """Returns a number that changes when the file that holds a location is changed or replaced.

    It is made from the file's size, time of change and inode, and fits a signed 64-bit column; the same in
    every process. None where no such file is there.
    """
    while isinstance(at, GreyAt | CropAt):
        at = at.pixels if isinstance(at, GreyAt) else at.whole
    try:
        known = os.stat(at.path)  # noqa: PTH116 - once for each image
    except (OSError, ValueError):
        return None
    return _state_number(known.st_size, known.st_mtime_ns, known.st_ino)


@lru_cache(maxsize=64)
def _state_number(size: int, changed: int, inode: int) -> int:
    described = f"{size}|{changed}|{inode}".encode()
    return int.from_bytes(hashlib.blake2b(described, digest_size=8).digest(), "big", signed=True)


def read_location(location: Location) -> bytes:
    """Returns the encoded bytes at a location.

    Raises:
        MediaError: when they are not there, damaged, or over ``MAX_MEMBER_BYTES``.
    """
    reader: Callable[[Any], bytes] = _READERS[type(location)]
    try:
        return reader(location)
    except MediaError:
        raise
    except zlib.error as reason:
        raise MediaError(f"damaged in the archive: {reason}") from reason
    except (OSError, ValueError, KeyError, IndexError, struct.error) as reason:
        raise MediaError(f"cannot be read: {' '.join(str(reason).split())}") from reason


def _descriptor(path: str) -> int:
    """Opens an ordinary file; a pipe or device would have no end, or none to read it from."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise MediaError(f"{_shown(path)}: no ordinary file")
    return descriptor


def _shown(path: str) -> str:
    return readable_name(Path(path).name)


class _OpenFile:
    """An open file that is closed when the cache forgets it."""

    def __init__(self, path: str) -> None:
        self.descriptor = _descriptor(path)

    def __del__(self) -> None:
        if hasattr(self, "descriptor"):
            os.close(self.descriptor)


@lru_cache(maxsize=_OPEN_FILES)
def _opened(path: str, inode: int, changed: int) -> _OpenFile:
    del inode, changed  # a file that was replaced at its path is another file
    return _OpenFile(path)


def _bytes_between(path: str, start: int, length: int) -> bytes:
    if length > MAX_MEMBER_BYTES:
        raise MediaError(f"{length:,} bytes are more than {MAX_MEMBER_BYTES:,}")
    known = os.stat(path)  # noqa: PTH116 - once for each image
    opened = _opened(path, known.st_ino, known.st_mtime_ns)
    content = os.pread(opened.descriptor, length, start)
    if len(content) != length:
        raise MediaError(f"{_shown(path)} ends before the {length:,} bytes at byte {start:,}")
    return content


def _read_file(at: FileAt) -> bytes:
    try:
        descriptor = _descriptor(at.path)
    except FileNotFoundError:
        folder = readable_name(str(Path(at.path).parent))
        raise MediaError(f"no image '{_shown(at.path)}' in {folder}") from None
    with open(descriptor, "rb", buffering=0) as file:  # noqa: PTH123 - quick: once for each image
        size = os.fstat(descriptor).st_size
        if size > MAX_MEMBER_BYTES:
            raise MediaError(f"{_shown(at.path)} is over {MAX_MEMBER_BYTES:,} bytes")
        return file.readall()


def _read_slice(at: SliceAt) -> bytes:
    return _bytes_between(at.path, at.start, at.length)


def _read_zip(at: ZipSliceAt) -> bytes:
    if at.size > MAX_MEMBER_BYTES:
        raise MediaError(f"{at.size:,} bytes unpacked are more than {MAX_MEMBER_BYTES:,}")
    signature, names, extra = _LOCAL_HEADER.unpack(_bytes_between(at.path, at.header, 30))
    if signature != b"PK\x03\x04":
        raise MediaError("damaged in the archive: no member starts where the directory says")
    content = _bytes_between(at.path, at.header + 30 + names + extra, at.packed)
    if at.deflated:
        unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
        content = unpacker.decompress(content, at.size + 1)
    if len(content) != at.size or zlib.crc32(content) != at.crc:
        raise MediaError("damaged in the archive: wrong length or checksum")
    return content


def _read_cell(at: CellAt) -> bytes:
    from holotype.media.parquet_rows import cells_of_group

    value = cells_of_group(at.path, at.column, at.row_group, container_state(at))[at.row].as_py()
    content = value.get("bytes") if isinstance(value, dict) else value
    if content is None:
        raise AbsentError(f"no image in column {at.column}")
    return bytes(content)


def _read_grey(at: GreyAt) -> bytes:
    import cv2
    import numpy as np

    raw = np.frombuffer(read_location(at.pixels), np.uint8)
    if raw.size != at.width * at.height:
        raise MediaError(f"{raw.size:,} bytes are no {at.width} x {at.height} grey pixels")
    return _png(cv2, raw.reshape(at.height, at.width))


@lru_cache(maxsize=4)
def _whole(location: Location, state: int | None) -> Any:
    from holotype.media.images import read_pixels

    del state
    return read_pixels(read_location(location))


def _read_crop(at: CropAt) -> bytes:
    import cv2

    pixels = _whole(at.whole, container_state(at.whole))
    bottom, right = at.top + at.height, at.left + at.width
    inside = 0 <= at.top < bottom <= pixels.shape[0] and 0 <= at.left < right <= pixels.shape[1]
    if not inside:
        raise MediaError(
            f"the box x {at.left} to {right}, y {at.top} to {bottom} leaves the image of "
            f"{pixels.shape[1]} x {pixels.shape[0]} px"
        )
    crop = pixels[at.top : bottom, at.left : right]
    return _png(cv2, crop[..., ::-1] if crop.shape[2] == 3 else crop)


def _png(cv2: Any, pixels: Any) -> bytes:
    done, encoded = cv2.imencode(".png", pixels)
    if not done:
        raise MediaError("pixels that cannot be written as PNG")
    return bytes(encoded.tobytes())


@lru_cache(maxsize=2)
def _hdf(path: str, inode: int, changed: int) -> Any:
    import h5py

    del inode, changed
    return h5py.File(path, "r")


def _read_hdf(at: HdfRowAt) -> bytes:
    state = os.stat(at.path)  # noqa: PTH116
    file = _hdf(at.path, state.st_ino, state.st_mtime_ns)
    padded = file[at.dataset][at.row]
    known = file[at.lengths][at.row]
    length = int(known.sum()) if getattr(known, "ndim", 0) else int(known)
    return bytes(padded[:length].tobytes())


_READERS: dict[type[Any], Callable[[Any], bytes]] = {
    FileAt: _read_file,
    SliceAt: _read_slice,
    ZipSliceAt: _read_zip,
    CellAt: _read_cell,
    GreyAt: _read_grey,
    CropAt: _read_crop,
    HdfRowAt: _read_hdf,
}
