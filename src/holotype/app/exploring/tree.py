"""The tree of taxa under some filters: children of a node with counts, few enough to be drawn."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holotype.app.exploring.lineages import Lineages, Path
from holotype.app.exploring.view import View

MOST_CHILDREN = 14
LEAST_SHARE = 0.004
"""A child of less than this share of the root is added up with its like: its angle would be too small."""
LEVELS = 4


@dataclass(frozen=True)
class TreeNode:
    """A node with its records.

    Attributes:
        path: from the widest node to this; the path of the parent for what is added up.
        records: at or under it.
        children: the commonest first; those that are added up come last.
        added_up: how many nodes are added up in this one; 0 for a node of its own.
    """

    path: Path
    records: int
    children: tuple["TreeNode", ...] = ()
    added_up: int = 0

    @property
    def name(self) -> str:
        """What it is called; "" for the root of all."""
        if self.added_up:
            return f"{self.added_up:,} others"
        return self.path[-1][1] if self.path else ""

    @property
    def rank(self) -> str:
        """Its rank, or what it is instead; "" for the root and what is added up."""
        return self.path[-1][0] if self.path and not self.added_up else ""


def counts_of(view: View) -> NDArray[np.int64]:
    """Returns the records at or under each node of ``Lineages.nodes``, the taxon's own filter left out."""
    return node_counts(view.facts.lineages, view.lineage_L)


def node_counts(lineages: Lineages, lineage_L: NDArray[np.int64]) -> NDArray[np.int64]:
    """Returns the records at or under each node, from those of each lineage."""
    total = np.zeros(len(lineages.nodes), dtype=np.int64)
    for node_L in lineages.node_DL:
        there = node_L >= 0
        total += np.bincount(node_L[there], weights=lineage_L[there], minlength=len(total)).astype(
            np.int64
        )
    return total


def children(view: View, path: Path) -> tuple[TreeNode, ...]:
    """Returns the children of a node that have records, the commonest first; all of them."""
    return _children(view.facts.lineages, counts_of(view), path)


def _children(lineages: Lineages, counts: NDArray[np.int64], path: Path) -> tuple[TreeNode, ...]:
    found = [
        TreeNode(lineages.nodes[at], int(counts[at]))
        for at in lineages.children.get(path, ())
        if counts[at]
    ]
    return tuple(sorted(found, key=lambda node: (-node.records, node.path)))


def drawn(view: View, path: Path, *, levels: int = LEVELS) -> TreeNode:
    """Returns the tree from a node down, so many levels, what is too small to be drawn added up."""
    lineages, counts = view.facts.lineages, counts_of(view)
    at = lineages.place.get(path)
    records = int(view.lineage_L.sum()) if not path else (0 if at is None else int(counts[at]))
    least = LEAST_SHARE * records

    def grown(node: TreeNode, left: int) -> TreeNode:
        if not left:
            return node
        below = _children(lineages, counts, node.path)
        kept, rest = _parted(below, least)
        grown_children = [grown(one, left - 1) for one in kept]
        if rest:
            together = sum(one.records for one in rest)
            grown_children.append(TreeNode(node.path, together, added_up=len(rest)))
        return TreeNode(node.path, node.records, tuple(grown_children))

    return grown(TreeNode(path, records), levels)


def _parted(
    below: Sequence[TreeNode], least: float
) -> tuple[Sequence[TreeNode], Sequence[TreeNode]]:
    """Returns the nodes to draw and those to add up; a single one is never added up."""
    shown = sum(1 for node in below[:MOST_CHILDREN] if node.records >= least)
    return (below, ()) if len(below) - shown <= 1 else (below[:shown], below[shown:])
