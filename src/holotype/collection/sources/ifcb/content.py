"""What a class or feature file of an IFCB bin says, whatever its format."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MAX_HDF_BYTES = 128 << 20
_READ_BYTES = 1024
"""What opening a data set counts for, so that a file of countless small ones ends too."""
UNCLASSIFIED = "unclassified"


@dataclass(frozen=True)
class Automatic:
    """What a classifier says of one region.

    Attributes:
        label: its class, "unclassified" where no score clears its threshold.
        winner: the class of the highest score.
        score: of the winner, 0 to 1, as text.
    """

    label: str
    winner: str
    score: str


@dataclass(frozen=True)
class ClassFile:
    """The content of one file; empty mappings for what it does not have.

    Attributes:
        manual: label by region, given by a person.
        untouched: the label that regions have before a person looked, or "".
        automatic: by region.
        earlier: by region, of the classifier that a manual file started from.
        unsaid: label by region of a table that does not say who gave it.
        classifier: name of the classifier, or "".
        features: measures by region.
    """

    manual: Mapping[int, str] = field(default_factory=dict)
    untouched: str = ""
    automatic: Mapping[int, Automatic] = field(default_factory=dict)
    unsaid: Mapping[int, str] = field(default_factory=dict)
    classifier: str = ""
    features: Mapping[int, Mapping[str, str]] = field(default_factory=dict)
    earlier: Mapping[int, Automatic] = field(default_factory=dict)

    @property
    def regions(self) -> set[int]:
        """The numbers of all regions it speaks of."""
        return {*self.manual, *self.automatic, *self.unsaid, *self.features, *self.earlier}


@dataclass
class Room:
    """How much of an HDF5 file may still be read: a small file can declare terabytes.

    Attributes:
        bytes_left: in memory.
    """

    bytes_left: int = MAX_HDF_BYTES

    def read(self, dataset: Any) -> Any:
        """Returns a data set.

        Raises:
            ValueError: when it is larger than what is left.
        """
        values = max(math.prod(dataset.shape or ()), math.prod(dataset.chunks or ()))
        declared = values * dataset.dtype.itemsize
        self.bytes_left -= declared + _READ_BYTES
        if self.bytes_left < 0:
            called = str(dataset.name).strip("/")
            raise ValueError(
                f"{called} of {declared:,} bytes: with the rest over {MAX_HDF_BYTES:,}, too much for a bin"
            )
        return dataset[()]


def clearing(scores: Mapping[str, float], thresholds: Mapping[str, float]) -> str:
    """Returns the first class, by falling score, that clears its own threshold."""
    for name in sorted(scores, key=lambda name: -scores[name]):
        if scores[name] >= thresholds.get(name, 0.0):
            return name
    return UNCLASSIFIED
