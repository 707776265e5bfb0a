"""Variables of a MATLAB 5 file: numbers, texts and lists of texts, every length checked before it is used.

Format: "MAT-File Format", MathWorks, R2019b, level 5. What is none of these kinds (structures, objects,
sparse matrices) is left out. SciPy's reader ends the process on some damaged files.
"""

import math
import struct
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from holotype.collection.sources.ifcb.content import MAX_HDF_BYTES

_HEADER_BYTES = 128
_ORDERS = {b"IM": "<", b"MI": ">"}
_NUMBERS = {
    1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8",
}  # fmt: skip
_MATRIX, _COMPRESSED = 14, 15
_TEXTS = {16: "utf-8", 17: "utf-16", 18: "utf-32"}
_CELL, _CHAR = 1, 4
_NUMERIC = range(6, 16)
_MOST_DEPTH = 4


def read_matlab_5(content: bytes, names: Collection[str]) -> dict[str, Any]:
    """Returns variables by name: numbers (axes of length 1 left out), a text, or a list of what a cell holds.

    Args:
        content: of the file.
        names: which variables; others are passed over.

    Raises:
        ValueError: when it is no such file, is cut, or unpacks to too much.
    """
    order = _ORDERS.get(content[126:_HEADER_BYTES])
    if order is None:
        raise ValueError("not a MATLAB file of version 5")
    file = _File(order, MAX_HDF_BYTES)
    found: dict[str, Any] = {}
    for element in file.elements(content[_HEADER_BYTES:]):
        kind, body = file.unpacked(element) if element[0] == _COMPRESSED else element
        if kind == _MATRIX:
            name, value = file.variable(body, wanted=names)
            if name in names:
                found[name] = value
    return found


@dataclass
class _File:
    """How numbers are written, and how many bytes may still be unpacked."""

    order: str
    bytes_left: int

    def elements(self, content: bytes) -> Iterator[tuple[int, bytes]]:
        """Yields kind and content of each element."""
        at = 0
        while at + 8 <= len(content):
            kind, size = struct.unpack_from(self.order + "II", content, at)
            if kind >> 16:  # up to four bytes lie in the tag itself
                kind, size, start, step = kind & 0xFFFF, kind >> 16, at + 4, 8
            else:
                padding = 0 if kind == _COMPRESSED else -size % 8
                start, step = at + 8, 8 + size + padding
            if start + size > len(content) or (step == 8 and size > 4):
                raise ValueError(f"an element of {size:,} bytes where {len(content) - start:,} are")
            yield kind, content[start : start + size]
            at += step

    def unpacked(self, element: tuple[int, bytes]) -> tuple[int, bytes]:
        """Returns kind and content of what a compressed element holds."""
        unpacker = zlib.decompressobj()
        found = unpacker.decompress(element[1], max(1, self.bytes_left))
        if unpacker.unconsumed_tail:
            raise ValueError(f"unpacks to over {MAX_HDF_BYTES:,} bytes, too much for a bin")
        self.bytes_left -= len(found)
        return next(self.elements(found), (0, b""))

    def variable(
        self, body: bytes, *, wanted: Collection[str] = (), depth: int = 0
    ) -> tuple[str, Any]:
        """Returns name and value of a matrix; None for one of a kind that is not read, or not wanted."""
        if depth > _MOST_DEPTH:
            raise ValueError(f"cells in cells, over {_MOST_DEPTH} deep")
        parts = self.elements(body)
        flags = next(parts, (0, b""))[1]
        shape = [int(size) for size in self._numbers(next(parts, (0, b"")))]
        name = next(parts, (0, b""))[1].decode("utf-8", "replace").rstrip("\0")
        if len(flags) < 4 or (not depth and name not in wanted):
            return name, None
        matrix_class = struct.unpack_from(self.order + "I", flags)[0] & 0xFF
        if len(shape) < 2 or min(shape) < 0:
            raise ValueError(f"{name or 'a cell'}: of the shape {shape}")
        if matrix_class == _CELL:
            inner = [self.variable(part, depth=depth + 1)[1] for k, part in parts if k == _MATRIX]
            return name, inner
        first = next(parts, (0, b""))
        if matrix_class == _CHAR:
            return name, self._text(first, shape)
        if matrix_class not in _NUMERIC:
            return name, None
        values = self._numbers(first)
        if len(values) != math.prod(shape):
            raise ValueError(f"{name}: {len(values):,} numbers for the shape {shape}")
        return name, values.reshape(shape, order="F").squeeze()

    def _numbers(self, element: tuple[int, bytes]) -> Any:
        kind, body = element
        if not body:
            return np.zeros(0)
        if kind not in _NUMBERS:
            raise ValueError(f"numbers of the unknown kind {kind}")
        return np.frombuffer(body, self.order + _NUMBERS[kind])

    def _text(self, element: tuple[int, bytes], shape: list[int]) -> str | list[str]:
        kind, body = element
        if kind in _TEXTS:
            ending = "" if kind == 16 else "-le" if self.order == "<" else "-be"
            letters = list(body.decode(_TEXTS[kind] + ending, "replace"))
        else:
            letters = [chr(int(code)) for code in self._numbers(element)]
        rows = shape[0]
        if math.prod(shape) != len(letters):
            raise ValueError(f"{len(letters):,} letters for the shape {shape}")
        lines = ["".join(letters[row::rows]) for row in range(rows)]
        if not letters:
            return []
        return lines[0] if rows == 1 else lines
