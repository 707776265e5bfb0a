"""Ids that EcoTaxa takes: of objects, samples, acquisitions; and names of files made from them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from holotype.media.images import IMAGE_SUFFIXES

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)
"""Names that Windows keeps for devices, whatever their ending."""
MAX_STEM = 100


def object_id_of(answer: Mapping[str, Any]) -> str:
    """Returns what the object is called: its specimen, else its item, record or input."""
    for name in ("specimen_id", "source_item", "record_id", "input"):
        if text := " ".join((answer[name] or "").split()):
            ending = PurePosixPath(text).suffix
            stem = text[: -len(ending)] if ending.lower() in IMAGE_SUFFIXES else text
            return text if name == "specimen_id" else stem
    return ""


@dataclass
class Ids:
    """The ids given out so far: an object, and an acquisition, belongs to one sample.

    Attributes:
        objects: object -> the sample it is of.
        acquisitions: acquisition -> the sample it is of.
        names: file names given out, lower case.
        renamed: how many ids had to be told apart by their sample.
    """

    objects: dict[str, str] = field(default_factory=dict)
    acquisitions: dict[str, str] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    renamed: int = 0
    _last: dict[str, int] = field(default_factory=dict)

    def object(self, written: str, sample: str) -> str:
        """Returns the id of an object; with its sample before it where another sample has that object."""
        return self._own(self.objects, written, sample)

    def acquisition(self, written: str, sample: str) -> str:
        """Returns the id of an acquisition; with its sample before it where it is of another sample too."""
        return self._own(self.acquisitions, written, sample)

    def _own(self, known: dict[str, str], written: str, sample: str) -> str:
        if known.setdefault(written, sample) == sample:
            return written
        longer = f"{sample}_{written}"
        if longer not in known:
            self.renamed += 1
        number = 1
        while known.setdefault(longer, sample) != sample:
            number += 1
            longer = f"{sample}_{written}_{number}"
        return longer

    def file_name(self, stem: str, ending: str = "") -> str:
        """Returns a name for a file that no other file has, on a disk that knows no capitals either."""
        plain = _UNSAFE.sub("_", stem).strip("._")[:MAX_STEM] or "unnamed"
        plain = f"_{plain}" if _RESERVED.match(plain) else plain
        first = f"{plain}{ending}"
        name, number = first, self._last.get(first.lower(), 1)
        while name.lower() in self.names:
            number += 1
            name = f"{plain}_{number}{ending}"
        self._last[first.lower()] = number
        self.names.add(name.lower())
        return name
