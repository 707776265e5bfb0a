"""What a model was made on, in a few numbers, and how far what it is shown now is from that.

The summary is taken of held-out records when a model is made; a stream of answers is counted in the same
numbers, in memory that does not grow. Distances are effect sizes, which do not grow with the number of
specimens, less what chance alone gives. Method and limits: docs/why/drift.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

FEWEST = 50
"""With fewer specimens on either side nothing is said."""
GREY_EDGES = np.linspace(0.0, 256.0, 33)
SIZE_EDGES = 2.0 ** np.linspace(2.0, 14.0, 49)
"""Of the square root of width times height, px."""


class Drift(StrEnum):
    """What may have changed since a model was made."""

    EMBEDDING = "embedding"
    CLASSES = "classes"
    GREY = "grey"
    SIZE = "size"
    PREPARATION = "preparation"


LIMITS: dict[Drift, float] = {
    Drift.EMBEDDING: 0.5,
    Drift.CLASSES: 0.30,
    Drift.GREY: 0.25,
    Drift.SIZE: 0.25,
    Drift.PREPARATION: 0.0,
}
"""Effects above these are told; how they were chosen: docs/why/drift.md."""


@dataclass(frozen=True)
class Finding:
    """One comparison of a stream with the summary.

    Attributes:
        kind: what was compared.
        of: the modality, or "".
        effect: how far apart the two are, less what chance gives; 0 for alike.
        limit: above it the difference is worth telling.
        text: what was found and what to do.
    """

    kind: Drift
    of: str
    effect: float
    limit: float
    text: str

    @property
    def is_drift(self) -> bool:
        """Whether the difference is worth telling."""
        return self.effect > self.limit


@dataclass(frozen=True)
class Moments:
    """Number, sum and sum of squares of vectors; sums of moments are the moments of all.

    Attributes:
        count: how many vectors.
        sum_D, square_D: float64.
    """

    count: int
    sum_D: NDArray[np.float64]
    square_D: NDArray[np.float64]

    @classmethod
    def of(cls, z_VD: NDArray[np.floating[Any]]) -> "Moments":
        """Returns the moments of the rows."""
        z_VD = z_VD.astype(np.float64)
        return cls(len(z_VD), z_VD.sum(axis=0), (z_VD**2).sum(axis=0))

    def __add__(self, other: "Moments") -> "Moments":
        return Moments(
            self.count + other.count, self.sum_D + other.sum_D, self.square_D + other.square_D
        )

    @property
    def mean_D(self) -> NDArray[np.float64]:
        """The mean vector."""
        return self.sum_D / max(1, self.count)

    @property
    def variance_D(self) -> NDArray[np.float64]:
        """The variance of each number."""
        found: NDArray[np.float64] = self.square_D / max(1, self.count) - self.mean_D**2
        return np.maximum(found, 0.0)


@dataclass(frozen=True)
class Statistics:
    """What is counted of answers.

    Attributes:
        rows: specimens answered.
        embedding: by modality (``image``, ``barcode``, ``both``).
        labels: best label -> specimens.
        grey: specimens by the mean grey level of the image, in the bins of ``GREY_EDGES``.
        size: likewise by the size of the image, in the bins of ``SIZE_EDGES``.
    """

    rows: int = 0
    embedding: Mapping[str, Moments] = field(default_factory=dict)
    labels: Mapping[str, int] = field(default_factory=dict)
    grey: tuple[int, ...] = (0,) * (len(GREY_EDGES) - 1)
    size: tuple[int, ...] = (0,) * (len(SIZE_EDGES) - 1)

    def __add__(self, other: "Statistics") -> "Statistics":
        return Statistics(
            self.rows + other.rows,
            _added(self.embedding, other.embedding),
            _added(self.labels, other.labels),
            tuple(a + b for a, b in zip(self.grey, other.grey, strict=True)),
            tuple(a + b for a, b in zip(self.size, other.size, strict=True)),
        )

    def as_json(self) -> dict[str, Any]:
        """Returns them as plain values; ``from_json`` gives them back to the bit."""
        moments = {
            name: {"count": m.count, "sum": m.sum_D.tolist(), "square": m.square_D.tolist()}
            for name, m in self.embedding.items()
        }
        return {
            "rows": self.rows,
            "embedding": moments,
            "labels": dict(self.labels),
            "grey": list(self.grey),
            "size": list(self.size),
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> "Statistics":
        """Returns what ``as_json`` told."""
        moments = {
            name: Moments(m["count"], np.asarray(m["sum"]), np.asarray(m["square"]))
            for name, m in told["embedding"].items()
        }
        return cls(
            told["rows"], moments, dict(told["labels"]), tuple(told["grey"]), tuple(told["size"])
        )


def _added(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    both = dict(first)
    for name, value in second.items():
        both[name] = both[name] + value if name in both else value
    return both


def statistics(
    embeddings: Mapping[str, NDArray[np.floating[Any]]],
    labels: Mapping[str, int],
    grey: ArrayLike,
    size_px: ArrayLike,
) -> Statistics:
    """Returns the statistics of some answers.

    Args:
        embeddings: by modality (``image``, ``barcode``, ``both``), unit rows (V, D).
        labels: best label -> specimens.
        grey: mean grey levels of the images, 0 to 255.
        size_px: square root of width times height of the images.
    """
    grey_N, size_N = np.asarray(grey, np.float64), np.asarray(size_px, np.float64)
    return Statistics(
        sum(len(z) for z in embeddings.values()),
        {name: Moments.of(z) for name, z in embeddings.items() if len(z)},
        {name: int(count) for name, count in labels.items() if count},
        _counted(grey_N, GREY_EDGES),
        _counted(size_N, SIZE_EDGES),
    )


def _counted(values_N: NDArray[np.float64], edges: NDArray[np.float64]) -> tuple[int, ...]:
    inside_N = np.clip(values_N, edges[0], np.nextafter(edges[-1], 0))
    return tuple(np.histogram(inside_N, edges)[0].tolist())


def training_summary(
    embeddings: Mapping[str, NDArray[np.floating[Any]]],
    labels: Mapping[str, int],
    grey: ArrayLike,
    size_px: ArrayLike,
    instruments: Mapping[str, int],
    *,
    preparation: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Returns what a bundle keeps of the records that a stream is compared with, as plain values.

    Args:
        embeddings: of held-out records, not of those learnt from, by modality (``image``, ``barcode``,
            ``both``), unit rows (V, D): the embedding that an answer of that modality is given by.
        labels: best label that the model gives these records -> records.
        grey: mean grey levels of their images, 0 to 255 (column ``grey_mean``).
        size_px: square root of width times height of their images.
        instruments: instrument -> records.
        preparation: ``decisions.preparation.preparation_print`` of the model's images.
    """
    found = statistics(embeddings, labels, grey, size_px).as_json()
    return {**found, "instruments": dict(instruments), "preparation": dict(preparation or {})}
