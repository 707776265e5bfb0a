"""Many vectors: cells and short codes propose candidates, the stored vectors settle them.

Vectors are dealt to the nearest of some thousand centroids and kept as product codes (Jegou et al. 2011,
doi:10.1109/TPAMI.2010.57; faiss, Douze et al. 2024, arXiv 2401.08281). A query looks into the cells nearest
to it. Its candidates are then compared exactly. How many cells it looks into is chosen when the index is
written, by recall against exact search.

Shape legend: Q queries, V keys, D numbers each, C cells, K nearest.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holotype import files
from holotype.index.exact import (
    BLOCK_KEYS,
    NOTHING,
    Floats,
    best_of,
    nearest_exact,
    products,
    promising,
)
from holotype.progress import note
from holotype.randomness import generator

CANDIDATES_PER_HIT, FEWEST_CANDIDATES = 10, 100
CELLS_PER_ROOT, TRAINING_PER_CELL, ROUNDS = 4.0, 40, 10
PROBES = (4, 8, 16, 32, 64, 128, 256, 512)
FEWEST_VECTORS = 10_000
"""Fewer cannot teach the codes."""
WANTED_RECALL, WANTED_OF_STRANGERS = 0.99, 0.95
RECALL_AT, RECALL_QUERIES = 10, 1000
BITS, NUMBERS_PER_CODE = 8, 4
QUERIES_AT_A_TIME = 256


@dataclass(frozen=True)
class Recall:
    """How well the cells find what exact search finds.

    Attributes:
        cells: how many there are.
        probes: how many a query looks into.
        recall: share of the ten nearest that are found, mean over ``queries``.
        recall_of_strangers: the same for vectors half-way between two stored ones, unlike any of them.
        queries: stored vectors that were asked with; none counts as its own neighbour.
    """

    cells: int
    probes: int
    recall: float
    recall_of_strangers: float
    queries: int


@dataclass(frozen=True)
class Cells:
    """The cells of the vectors of one modality.

    Attributes:
        path: faiss's file.
        probes: cells that a query looks into.
    """

    path: Path
    probes: int

    @cached_property
    def codes(self) -> Any:
        """Faiss's index; its codes are memory-mapped."""
        import faiss

        return faiss.read_index(str(self.path), faiss.IO_FLAG_MMAP | faiss.IO_FLAG_READ_ONLY)

    @cached_property
    def centroid_CD(self) -> NDArray[np.float32]:
        """The middles of the cells."""
        found_CD: NDArray[np.float32] = self.codes.quantizer.reconstruct_n(0, self.codes.nlist)
        return found_CD

    @cached_property
    def _longest(self) -> float:
        return float(np.linalg.norm(self.centroid_CD, axis=1).max())

    def nearest(
        self,
        query_QD: NDArray[np.float32],
        key_VD: Floats,
        *,
        k: int,
        allowed_V: NDArray[np.bool_] | None = None,
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Returns what ``nearest_exact`` returns, as far as the cells near a query hold it.

        A query that finds fewer than k keys in its cells is answered exactly.
        """
        found = [
            self._nearest(query_QD[start : start + QUERIES_AT_A_TIME], key_VD, k, allowed_V)
            for start in range(0, len(query_QD), QUERIES_AT_A_TIME)
        ]
        if not found:
            return nearest_exact(query_QD, key_VD, k=k)
        at_QK = np.concatenate([at for at, _ in found])
        value_QK = np.concatenate([value for _, value in found])
        lacking = np.flatnonzero(at_QK[:, -1] == NOTHING)
        if len(lacking):
            at_QK[lacking], value_QK[lacking] = nearest_exact(
                query_QD[lacking], key_VD, k=k, allowed_V=allowed_V
            )
        return at_QK, value_QK

    def _nearest(
        self,
        query_QD: NDArray[np.float32],
        key_VD: Floats,
        k: int,
        allowed_V: NDArray[np.bool_] | None,
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        import faiss

        wanted = min(max(FEWEST_CANDIDATES, k * CANDIDATES_PER_HIT), len(key_VD))
        told: dict[str, Any] = {"nprobe": self.probes}
        if allowed_V is not None:
            selector: Any = faiss.IDSelectorBitmap
            told["sel"] = selector(np.packbits(allowed_V, bitorder="little"))
        limits = faiss.SearchParametersIVF(**told)
        at_QC = self._candidates(query_QD, wanted, limits)
        query_P, key_P = promising(query_QD, key_VD, at_QC, k=k)
        value_P = products(query_QD, key_VD, query_P, key_P)
        return best_of(query_P, key_P, value_P, queries=len(query_QD), k=k)

    def _candidates(
        self, query_QD: NDArray[np.float32], wanted: int, limits: Any
    ) -> NDArray[np.int64]:
        """Returns the places of so many keys of the cells near each query, by their codes; -1 for none."""
        import faiss

        # faiss would find the cells by one product, whose last bits depend on all queries together
        cell_QP, product_QP = nearest_exact(
            query_QD, self.centroid_CD, k=self.probes, longest=self._longest
        )
        at_QC = np.empty((len(query_QD), wanted), dtype=np.int64)
        unused_QC = np.empty(at_QC.shape, dtype=np.float32)
        given = (np.ascontiguousarray(query_QD), cell_QP, product_QP, unused_QC, at_QC)
        query, cell, product, unused, at = (faiss.swig_ptr(one) for one in given)
        told = (len(query_QD), query, wanted, cell, product, unused, at)
        self.codes.search_preassigned_c(*told, False, limits)  # noqa: FBT003 - of C++
        return at_QC


def write_cells(path: Path, key_VD: Floats) -> Recall:
    """Deals vectors to cells, writes them as faiss's file, and measures how well they are found.

    Args:
        path: the file.
        key_VD: unit rows, at least ``FEWEST_VECTORS``.

    Returns:
        With the fewest probes whose recalls are ``WANTED_RECALL`` and ``WANTED_OF_STRANGERS``, else the most.
    """
    import faiss

    count, dim = key_VD.shape
    cells = max(16, int(CELLS_PER_ROOT * count**0.5))
    cells = min(cells, count // TRAINING_PER_CELL)
    quantizer = faiss.IndexFlatIP(dim)
    codes = faiss.IndexIVFPQ(
        quantizer, dim, cells, _codes_for(dim), BITS, faiss.METRIC_INNER_PRODUCT
    )
    rng = generator(0, "cells")
    enough = max(FEWEST_VECTORS, cells * TRAINING_PER_CELL)
    taught = np.sort(rng.choice(count, size=min(count, enough), replace=False))
    codes.cp.niter = codes.pq.cp.niter = ROUNDS
    note(f"{path.name}: {cells:,} cells for {count:,} vectors")
    codes.train(np.asarray(key_VD[taught], dtype=np.float32))
    for start in range(0, count, BLOCK_KEYS):
        codes.add(np.asarray(key_VD[start : start + BLOCK_KEYS], dtype=np.float32))
    with files.written_whole(path) as temporary:
        faiss.write_index(codes, str(temporary))
    pair_2Q = rng.choice(count, size=(2, min(count // 2, RECALL_QUERIES)), replace=False)
    return _measured(path, key_VD, pair_2Q, cells)


def _codes_for(dim: int) -> int:
    """Returns how many codes of a byte a vector gets: one for four numbers where that goes."""
    return next(dim // size for size in (NUMBERS_PER_CODE, 3, 2, 1) if dim % size == 0)


def _measured(path: Path, key_VD: Floats, pair_2Q: NDArray[np.int64], cells: int) -> Recall:
    own_Q = pair_2Q[0]
    own_QD, other_QD = (np.asarray(key_VD[row_Q], dtype=np.float32) for row_Q in pair_2Q)
    between_QD = own_QD + other_QD
    between_QD /= np.maximum(np.linalg.norm(between_QD, axis=1, keepdims=True), 1e-6)
    nobody_Q = np.full_like(own_Q, NOTHING)
    asked = [(own_QD, own_Q), (between_QD, nobody_Q)]
    true = [nearest_exact(query_QD, key_VD, k=RECALL_AT + 1)[1] for query_QD, _ in asked]
    best = Recall(cells, 0, 0.0, 0.0, len(own_Q))
    for probes in [p for p in PROBES if p < cells] + [cells] * (cells <= PROBES[-1]):
        recall, of_strangers = (
            _recall(Cells(path, probes).nearest(query_QD, key_VD, k=RECALL_AT + 1), true_QK, self_Q)
            for (query_QD, self_Q), true_QK in zip(asked, true, strict=True)
        )
        best = Recall(cells, probes, recall, of_strangers, len(own_Q))
        if recall >= WANTED_RECALL and of_strangers >= WANTED_OF_STRANGERS:
            break
    return best


def _recall(
    found: tuple[NDArray[np.int64], NDArray[np.float32]],
    true_QK: NDArray[np.float32],
    self_Q: NDArray[np.int64],
) -> float:
    """Returns the share of neighbours found that are as near as those of exact search, selves aside.

    Among the ten and one nearest of a stored vector is itself; of others the eleventh is not counted.
    """
    at_QK, value_QK = found
    is_own = (self_Q != NOTHING)[:, None]
    least_Q1 = np.where(is_own, true_QK[:, -1:], true_QK[:, -2:-1])
    near_QK = (value_QK >= least_Q1) & (at_QK != self_Q[:, None])
    return float(np.minimum(near_QK.sum(axis=1), RECALL_AT).mean() / RECALL_AT)
