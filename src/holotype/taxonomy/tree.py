"""The tree of a set of labels, as arrays.

What a classifier learns is a flat list of labels; what its answers mean is a tree. This module lays the
one over the other, so that a probability of labels becomes a probability of every taxon above them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holotype.taxonomy.lineage import LINNAEAN_RANKS, Lineage, Rank, completed


@dataclass(frozen=True)
class LabelTree:
    """The taxa above a list of labels.

    Attributes:
        lineages: the lineage of each label, L of them.
        nodes: the lineage of each taxon at or above a label, parents before children, N of them.
        parent_N: int64, the index of each node's parent, -1 at the top.
        node_of_label_L: int64, the node at which each label sits, -1 where the label is no taxon.
        is_under_NL: bool, whether a label sits at a node or below it.
    """

    lineages: tuple[Lineage, ...]
    nodes: tuple[Lineage, ...]
    parent_N: NDArray[np.int64]
    node_of_label_L: NDArray[np.int64]
    is_under_NL: NDArray[np.bool_]

    def nodes_at(self, rank: Rank) -> NDArray[np.int64]:
        """Returns the nodes of one rank, int64."""
        found = [index for index, node in enumerate(self.nodes) if node.rank is rank]
        return np.asarray(found, dtype=np.int64)

    def node_at_rank_L(self, rank: Rank) -> NDArray[np.int64]:
        """Returns for each label its node at a rank, -1 where its lineage has none; int64 (L,)."""
        index = {node: position for position, node in enumerate(self.nodes)}
        found = [
            index[lineage.truncate(rank)] if lineage.name_at(rank) else -1
            for lineage in self.lineages
        ]
        return np.asarray(found, dtype=np.int64)

    def node_probability(self, probability_BL: NDArray[np.floating]) -> NDArray[np.float64]:
        """Returns the probability of each node: the sum over the labels at and below it.

        Args:
            probability_BL: probabilities of the labels, rows of B records.

        Returns:
            float64 (B, N), never above the row's sum.
        """
        return np.asarray(probability_BL, dtype=np.float64) @ self.is_under_NL.T.astype(np.float64)

    def leaf_mask_LL(self) -> NDArray[np.bool_]:
        """Returns for each label (row) the labels that agree with it: itself and those below it.

        A record known only to family agrees with every label of that family; a label that is no taxon
        agrees with itself alone. bool (L, L).
        """
        mask = np.eye(len(self.lineages), dtype=np.bool_)
        named = self.node_of_label_L >= 0
        mask[named] |= self.is_under_NL[self.node_of_label_L[named]]
        return mask


def build_tree(lineages: Sequence[Lineage]) -> LabelTree:
    """Returns the tree above the labels' lineages; labels may share a lineage or have none.

    Lineages of different completeness are brought together first, so a taxon is one node.
    """
    lineages = completed(lineages)
    nodes: dict[Lineage, int] = {}
    parents: list[int] = []
    for lineage in lineages:
        parent = -1
        for rank, _ in lineage:
            node = lineage.truncate(rank)
            if node not in nodes:
                nodes[node] = len(parents)
                parents.append(parent)
            parent = nodes[node]
    is_under = np.zeros((len(nodes), len(lineages)), dtype=np.bool_)
    for label, lineage in enumerate(lineages):
        for rank, _ in lineage:
            is_under[nodes[lineage.truncate(rank)], label] = True
    return LabelTree(
        lineages=tuple(lineages),
        nodes=tuple(nodes),
        parent_N=np.asarray(parents, dtype=np.int64),
        node_of_label_L=np.asarray([nodes.get(lineage, -1) for lineage in lineages], np.int64),
        is_under_NL=is_under,
    )


def linnaean_columns(lineage: Lineage) -> dict[str, str | None]:
    """Returns the seven Linnaean names of a lineage, None where it has none."""
    return {rank.value: lineage.name_at(rank) for rank in LINNAEAN_RANKS}
