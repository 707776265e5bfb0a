"""Sizes in bytes as people write them, and back."""

import re

from holotype.errors import SourceError

_UNITS = {
    "": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12,
    "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40,
}  # fmt: skip


def parse_bytes(written: str) -> int:
    """Returns the bytes of a size such as ``5GB``, ``1.5 GiB`` or ``2000000``.

    Raises:
        SourceError: the text is no such size.
    """
    match = re.fullmatch(r"\s*(\d+(?:[.,]\d+)?)\s*([a-zA-Z]*)\s*", written)
    if match is None or match[2].lower() not in _UNITS:
        raise SourceError(f"'{written}' is no size. Write it as 5GB, 500MB or 2GiB.")
    return round(float(match[1].replace(",", ".")) * _UNITS[match[2].lower()])


def told_bytes(count: int | None) -> str:
    """Returns a size for people: ``7.2 GB``; ``?`` where it is not known."""
    if count is None:
        return "?"
    for unit, size in (("TB", 10**12), ("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= size:
            return f"{count / size:,.1f} {unit}"
    return f"{count} B"
