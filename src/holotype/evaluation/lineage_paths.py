"""The records of an exam as paths in the tree, and the spaces whose shape is compared with it.

Shapes: N records of the exam, T ranks in use, Q queries, K keys, D dimensions.
"""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holotype.evaluation.baselines import kmer_features, pixel_features
from holotype.evaluation.exam import RANKS, Beside, Exam
from holotype.evaluation.tree_distance import NOWHERE
from holotype.media.kmers import unit_rows
from holotype.models.towers import Modality
from holotype.randomness import generator
from holotype.splits.plan import Role

RANDOM_DIM = 64
BLOCK = 1_024
"""Queries that are searched at a time."""
MODEL, RANDOM = "model", "random vectors"
BARE = {Modality.IMAGE: "pixels", Modality.BARCODE: "5-mers"}
"""What stands beside the model for each modality."""


@dataclass(frozen=True)
class Paths:
    """Where the records of an exam are in the tree.

    Attributes:
        ranks: those that some record names, wide to narrow.
        path_NT: int64, a number for the name at each rank, -1 where there is none.
        named_N: bool, whether a record has a name at all: a taxon, or a label that is none.
        numbers: for each rank the number of each name.
    """

    ranks: tuple[str, ...]
    path_NT: NDArray[np.int64]
    named_N: NDArray[np.bool_]
    numbers: tuple[dict[str, int], ...]

    def path(self, names: Mapping[str, str]) -> NDArray[np.int64]:
        """Returns the path of names by rank, int64 (T,); those that no record bears get a new number."""
        found = [
            place.get(names[rank], len(place)) if rank in names else NOWHERE
            for rank, place in zip(self.ranks, self.numbers, strict=True)
        ]
        return np.asarray(found, dtype=np.int64)


def paths_of(exam: Exam) -> Paths:
    """Returns the paths of all records of an exam."""
    ranks = tuple(rank for rank in RANKS if any(name is not None for name in exam.names[rank]))
    numbers: list[dict[str, int]] = []
    columns = []
    for rank in ranks:
        place: dict[str, int] = {}
        columns.append(
            [
                NOWHERE if name is None else place.setdefault(name, len(place))
                for name in exam.names[rank]
            ]
        )
        numbers.append(place)
    count = len(exam.names["label"])
    path_NT = np.asarray(columns, dtype=np.int64).reshape(len(ranks), count).T
    labelled_N = np.asarray([name is not None for name in exam.names["label"]], dtype=np.bool_)
    placed_N = (path_NT >= 0).any(axis=1) if ranks else np.zeros_like(labelled_N)
    return Paths(ranks, path_NT, labelled_N | placed_N, tuple(numbers))


@dataclass(frozen=True)
class Space:
    """Queries and keys as one method places them.

    Attributes:
        pair: query and key, as ``image-barcode``.
        method: ``model`` or what stands beside it.
        row_Q, row_K: int64, rows of the exam; keys without a name are left out.
        query_QD, key_KD: float32 unit rows.
    """

    pair: str
    method: str
    row_Q: NDArray[np.int64]
    row_K: NDArray[np.int64]
    query_QD: NDArray[np.float32]
    key_KD: NDArray[np.float32]

    def nearest_Q(self) -> NDArray[np.int64]:
        """Returns the nearest key of each query, the first of equals; int64."""
        parts = [
            (self.query_QD[start : start + BLOCK] @ self.key_KD.T).argmax(axis=1)
            for start in range(0, len(self.row_Q), BLOCK)
        ]
        return np.concatenate(parts)

    def sampled(self, size: int, *, seed: int) -> "Space":
        """Returns at most so many of the queries and of the keys: the same for every method."""
        rng = generator(seed, "pairs", self.pair)
        q = np.sort(rng.permutation(len(self.row_Q))[:size])
        k = np.sort(rng.permutation(len(self.row_K))[:size])
        return Space(
            self.pair, self.method, self.row_Q[q], self.row_K[k], self.query_QD[q], self.key_KD[k]
        )


def spaces(exam: Exam, paths: Paths) -> Iterator[Space]:
    """Yields the model's space for each pair of modalities, and those beside it within a modality.

    Beside it stand what needs no model (pixels, 5-mers) and vectors drawn at random.
    """
    values = {modality: _vectors(exam, modality) for modality in exam.encoded}
    for query, key in itertools.product(exam.encoded, repeat=2):
        asked, keyed = exam.encoded[query], exam.encoded[key]
        tested, keys = exam.among(asked, Role.TEST), exam.among(keyed, *exam.key_roles)
        keys = keys[paths.named_N[keyed.row_R[keys]]]
        if not len(tested) or not len(keys):
            continue
        for method in values[query] if query == key else (MODEL,):
            yield Space(
                f"{query}-{key}",
                method,
                asked.row_R[tested],
                keyed.row_R[keys],
                values[query][method][tested],
                values[key][method][keys],
            )


def _vectors(exam: Exam, modality: Modality) -> dict[str, NDArray[np.float32]]:
    """Returns the unit rows of the encoded records of a modality, by method."""
    encoded = exam.encoded[modality]
    if exam.beside is Beside.NOTHING:
        return {MODEL: encoded.z_RD}
    if modality is Modality.IMAGE:
        pixels = pixel_features(exam.materials.pixels_MSSC, exam.materials.size_M4[:, :2])
        bare = pixels[exam.materials.image_N[encoded.row_R]]
    else:
        bare = kmer_features(
            [exam.materials.barcode_N[row] or "" for row in encoded.row_R.tolist()]
        )
    rng = generator(exam.seed, RANDOM, modality.value)
    drawn = rng.standard_normal((len(encoded), RANDOM_DIM)).astype(np.float32)
    return {MODEL: encoded.z_RD, BARE[modality]: bare, RANDOM: unit_rows(drawn)}
