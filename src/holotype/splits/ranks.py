"""Which taxon of a rank each record is of, and which records might be of a taxon without saying so."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from holotype.errors import SplitError, did_you_mean
from holotype.splits.columns import coded
from holotype.taxonomy.labels import Kind
from holotype.taxonomy.lineage import LINNAEAN_RANKS

LABEL = "written_label"
"""Beside the ranks: the label itself, for collections whose labels have no lineage."""
HELD_OUT_RANKS = (*(rank.value for rank in LINNAEAN_RANKS), LABEL)
_NARROWEST = tuple(reversed([rank.value for rank in LINNAEAN_RANKS]))


@dataclass(frozen=True)
class Taxa:
    """The taxa of one rank in a collection.

    Attributes:
        rank: one of ``HELD_OUT_RANKS``.
        taxon_N: int64, the place of the record's taxon in ``names``; -1 where it has none of that rank.
        names: of the V taxa.
        line_N: int64, which of the D different classifications the record has.
        wider_DK: int64, names at the K wider ranks as numbers, -1 where not given.
        living_D: whether the classification is of living things; detritus is of no taxon.
    """

    rank: str
    taxon_N: NDArray[np.int64]
    names: tuple[str, ...]
    line_N: NDArray[np.int64]
    wider_DK: NDArray[np.int64]
    living_D: NDArray[np.bool_]

    def of(self, wanted: Collection[str]) -> NDArray[np.bool_]:
        """Returns which records are of the named taxa, bool (N,)."""
        among = set(wanted)
        return np.isin(self.taxon_N, [i for i, name in enumerate(self.names) if name in among])

    def may_be(self, wanted: Collection[str]) -> NDArray[np.bool_]:
        """Returns which records might be of the named taxa although they do not say so, bool (N,).

        They have no name of this rank, are not called detritus or the like, and no wider name that they
        give contradicts that of at least one of the taxa. A record without any name might be anything.
        """
        if self.rank == LABEL:
            return self.taxon_N < 0 if wanted else np.zeros(len(self.taxon_N), dtype=np.bool_)
        target_TK = np.unique(self.wider_DK[np.unique(self.line_N[self.of(wanted)])], axis=0)
        blank_D = np.zeros(len(self.wider_DK), dtype=np.bool_)
        blank_D[np.unique(self.line_N[self.taxon_N < 0])] = True
        possible_D = np.zeros(len(self.wider_DK), dtype=np.bool_)
        for line in np.flatnonzero(blank_D & self.living_D).tolist():
            own_K = self.wider_DK[line]
            contradicts = (own_K >= 0) & (target_TK >= 0) & (target_TK != own_K)
            possible_D[line] = bool((~contradicts.any(axis=1)).any())
        return possible_D[self.line_N] & (self.taxon_N < 0)


def taxa_at(table: pa.Table, rank: str) -> Taxa:
    """Returns the taxa of a rank, with what the rest of the collection tells of records that leave it out.

    A species names its genus; a genus that all other records put in one family is in that family. Where they
    disagree (homonyms) nothing is filled in.

    Raises:
        SplitError: for another rank.
    """
    if rank not in HELD_OUT_RANKS:
        raise SplitError(f"--rank {rank}: no such rank.{did_you_mean(rank, HELD_OUT_RANKS)}")
    if rank == LABEL:
        found = coded(table, LABEL)
        alone_N = np.zeros(table.num_rows, dtype=np.int64)
        none_DK = np.empty((1, 0), dtype=np.int64)
        return Taxa(rank, found.code_N, found.values, alone_N, none_DK, np.ones(1, dtype=np.bool_))
    columns = {name: coded(table, name) for name in _NARROWEST}
    kind = coded(table, "kind")
    line_N, first_D = _distinct([*(column.code_N for column in columns.values()), kind.code_N])
    name_DR = {
        name: [column.values[c] if c >= 0 else None for c in column.code_N[first_D].tolist()]
        for name, column in columns.items()
    }
    name_DR["genus"] = [
        genus or (species.split()[0] if species and " " in species else None)
        for genus, species in zip(name_DR["genus"], name_DR["species"], strict=True)
    ]
    at = _NARROWEST.index(rank)
    taxon_D = _filled(name_DR, at)
    wider_DK = np.full((len(first_D), len(_NARROWEST) - at - 1), -1, dtype=np.int64)
    for k, wider in enumerate(_NARROWEST[at + 1 :]):
        _, wider_DK[:, k] = _numbered(_filled(name_DR, _NARROWEST.index(wider)))
    names, code_D = _numbered(taxon_D)
    kinds = [kind.values[c] if c >= 0 else Kind.LIVING.value for c in kind.code_N[first_D].tolist()]
    living_D = np.asarray([word == Kind.LIVING.value for word in kinds], dtype=np.bool_)
    return Taxa(rank, code_D[line_N], names, line_N, wider_DK, living_D)


def _distinct(code_KN: list[NDArray[np.int64]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Returns which of the different rows each row is, and the first row of each."""
    line_N = np.zeros(len(code_KN[0]), dtype=np.int64)
    for code_N in code_KN:
        width = int(code_N.max(initial=-1)) + 2
        _, line_N = np.unique(line_N * width + code_N + 1, return_inverse=True)
    _, first_D = np.unique(line_N, return_index=True)
    return line_N.astype(np.int64), first_D


def _filled(name_DR: dict[str, list[str | None]], at: int) -> list[str | None]:
    """Returns the names at a rank; where one is missing, what all others of a narrower name say."""
    found = list(name_DR[_NARROWEST[at]])
    for narrower in _NARROWEST[:at]:
        told: dict[str, set[str]] = {}
        for name, taxon in zip(name_DR[narrower], found, strict=True):
            if name is not None and taxon is not None:
                told.setdefault(name, set()).add(taxon)
        surely = {name: taxa.pop() for name, taxa in told.items() if len(taxa) == 1}
        found = [
            surely.get(name) if taxon is None and name is not None else taxon
            for name, taxon in zip(name_DR[narrower], found, strict=True)
        ]
    return found


def _numbered(name_D: list[str | None]) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    names = tuple(sorted({name for name in name_D if name is not None}))
    place = {name: i for i, name in enumerate(names)}
    return names, np.asarray([-1 if n is None else place[n] for n in name_D], dtype=np.int64)
