"""Names of items that come once: eight bytes of memory for each name, whatever its length."""

import hashlib

import numpy as np
from numpy.typing import NDArray

_SETTLE_AT = 1 << 17


def name_hash(name: str) -> int:
    """Returns a 64-bit hash of a name, the same in every run."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")


class SeenNames:
    """A set of names, kept as 64-bit hashes: ten million of them are 80 MB."""

    def __init__(self) -> None:
        self._recent: set[int] = set()
        self._settled: NDArray[np.uint64] = np.empty(0, np.uint64)

    def __contains__(self, name: str) -> bool:
        return self._holds(name_hash(name))

    def _holds(self, code: int) -> bool:
        if code in self._recent:
            return True
        place = int(np.searchsorted(self._settled, np.uint64(code)))
        return place < self._settled.size and int(self._settled[place]) == code

    def add(self, name: str) -> bool:
        """Adds a name; returns whether it is new."""
        code = name_hash(name)
        if self._holds(code):
            return False
        self._recent.add(code)
        if len(self._recent) >= _SETTLE_AT:
            more = np.fromiter(self._recent, np.uint64, len(self._recent))
            self._settled = np.sort(np.concatenate([self._settled, more]))
            self._recent.clear()
        return True


class DistinctNames:
    """Gives every item a name of its own."""

    def __init__(self) -> None:
        self._seen = SeenNames()

    def name(self, wanted: str, row: int) -> str:
        """Returns the wanted name, or ``wanted#row`` where an earlier item has it."""
        given = wanted
        while not self._seen.add(given):
            given = f"{given}#{row}"
        return given
