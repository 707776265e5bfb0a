"""Which records are of the same taxon, which may be, and which are not: for the alignment.

In a batch, two records of one species are no negatives of each other; a record known only to family may
or may not be of a species of that family, so the pair says nothing. Concepts are compared by their path in
the tree, as integers, so the answer costs one gather.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holotype.taxonomy.label_table import Concept
from holotype.taxonomy.lineage import Lineage, Rank, completed

_RANKS = tuple(Rank)
_SPECIES = Rank.SPECIES.depth


@dataclass(frozen=True)
class ConceptPaths:
    """Concepts as paths of integers.

    Attributes:
        path_CR: int32, the taxon of each concept at each rank, -1 where it has none.
        node_C: int32, the narrowest taxon of each concept; below -1 for a group that is no taxon.
        depth_C: int16, the rank of that taxon (0 is domain); 0 for groups.
        is_species_C: bool, whether that taxon is a species or below.
        lineage_T: the taxa by number.
    """

    path_CR: NDArray[np.int32]
    node_C: NDArray[np.int32]
    depth_C: NDArray[np.int16]
    is_species_C: NDArray[np.bool_]
    lineage_T: tuple[Lineage, ...]


def concept_paths(concepts: Sequence[Concept]) -> ConceptPaths:
    """Returns the paths of concepts; equal taxa get equal numbers, qualifiers play no part.

    Lineages of different completeness are brought together first.
    """
    lineages = completed([concept.lineage for concept in concepts])
    numbers: dict[Lineage, int] = {}
    path_CR = np.full((len(concepts), len(_RANKS)), -1, dtype=np.int32)
    node_C = np.empty(len(concepts), dtype=np.int32)
    depth_C = np.zeros(len(concepts), dtype=np.int16)
    groups: dict[str, int] = {}
    for row, concept in enumerate(concepts):
        if not concept.lineage:
            node_C[row] = -2 - groups.setdefault(concept.group or "", len(groups))
            path_CR[row, 0] = node_C[row]
            continue
        for rank, _ in lineages[row]:
            taxon = lineages[row].truncate(rank)
            path_CR[row, rank.depth] = numbers.setdefault(taxon, len(numbers))
            node_C[row], depth_C[row] = path_CR[row, rank.depth], rank.depth
    return ConceptPaths(path_CR, node_C, depth_C, depth_C >= _SPECIES, tuple(numbers))


def is_within(
    paths: ConceptPaths, inner_P: NDArray[np.int64], outer_Q: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Returns whether each inner concept lies at or below each outer one, bool (P, Q)."""
    depth_Q, node_Q = paths.depth_C[outer_Q], paths.node_C[outer_Q]
    found: NDArray[np.bool_] = paths.path_CR[inner_P][:, depth_Q] == node_Q[None, :]
    return found


def same_taxon(
    paths: ConceptPaths, first_P: NDArray[np.int64], second_Q: NDArray[np.int64]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Returns which pairs are surely of one species, and which only may be; bool (P, Q) each."""
    compatible = is_within(paths, first_P, second_Q) | is_within(paths, second_Q, first_P).T
    equal = paths.node_C[first_P][:, None] == paths.node_C[second_Q][None, :]
    surely = equal & paths.is_species_C[first_P][:, None]
    return surely, compatible & ~surely
