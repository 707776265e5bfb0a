"""The tree of possible answers: the taxa of the seven Linnaean ranks, and below them the labels.

An answer is a node: a taxon where no single label is safe, else a label. A label that is no taxon (detritus)
hangs from the top. Shapes: B records, L labels, N nodes (taxa first, then the L labels), K = 8 levels:
the seven ranks, then ``label``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from holotype.models.labels import LabelSpace, Target
from holotype.taxonomy.label_table import Concept
from holotype.taxonomy.lineage import LINNAEAN_RANKS, Lineage, completed
from holotype.taxonomy.tree import LabelTree, build_tree

LEVELS: tuple[str, ...] = (*(rank.value for rank in LINNAEAN_RANKS), "label")
LABEL_LEVEL = len(LEVELS) - 1
RIGHT, WRONG, OPEN = 1, 0, -1
"""What is known of an answer: open where the truth is too coarse to tell."""


@dataclass(frozen=True)
class Generation:
    """Families whose parents are as far from the top: F of them, with C children together.

    Attributes:
        parent_F: int64, -1 for the top.
        child_C: int64, the children, family by family.
        first_F: int64, where the children of each family begin.
        family_C: int64, which family each child is of.
    """

    parent_F: NDArray[np.int64]
    child_C: NDArray[np.int64]
    first_F: NDArray[np.int64]
    family_C: NDArray[np.int64]

    @classmethod
    def of(cls, parents: list[int], children: list[NDArray[np.int64]]) -> "Generation":
        """Returns the families of some parents."""
        sizes = np.asarray([len(family) for family in children], dtype=np.int64)
        return cls(
            np.asarray(parents, dtype=np.int64),
            np.concatenate(children),
            np.cumsum(sizes) - sizes,
            np.repeat(np.arange(len(sizes)), sizes),
        )


@dataclass(frozen=True)
class AnswerTree:
    """Every answer that a set of labels allows.

    Attributes:
        labels: the labels.
        taxa: the tree of their Linnaean lineages.
        parent_N: int64, -1 at the top.
        level_N: int64, place in ``LEVELS``.
        under_NL: bool, the labels at or below each node.
    """

    labels: LabelSpace
    taxa: LabelTree
    parent_N: NDArray[np.int64]
    level_N: NDArray[np.int64]
    under_NL: NDArray[np.bool_]

    @classmethod
    def of(cls, labels: LabelSpace) -> "AnswerTree":
        """Returns the tree of a label space."""
        taxa = build_tree([linnaean(label.concept.lineage) for label in labels.labels])
        place = {rank: level for level, rank in enumerate(LINNAEAN_RANKS)}
        levels = [place[node.rank] for node in taxa.nodes if node.rank is not None]
        return cls(
            labels,
            taxa,
            np.concatenate([taxa.parent_N, taxa.node_of_label_L]),
            np.asarray([*levels, *[LABEL_LEVEL] * len(labels)], dtype=np.int64),
            np.concatenate([taxa.is_under_NL, np.eye(len(labels), dtype=np.bool_)]),
        )

    def __len__(self) -> int:
        return len(self.parent_N)

    @property
    def num_taxa(self) -> int:
        """How many nodes are taxa; label ``l`` is the node ``num_taxa + l``."""
        return len(self.taxa.nodes)

    def name(self, node: int) -> str:
        """Returns the name of a taxon or label."""
        if node >= self.num_taxa:
            return self.labels.names[node - self.num_taxa]
        return self.taxa.nodes[node].name or ""

    def lineage(self, node: int) -> Lineage:
        """Returns the Linnaean lineage of a taxon, or of what a label stands for."""
        if node >= self.num_taxa:
            return self.taxa.lineages[node - self.num_taxa]
        return self.taxa.nodes[node]

    @cached_property
    def _children(self) -> dict[int, NDArray[np.int64]]:
        order = np.argsort(self.parent_N, kind="stable")
        parents, starts = np.unique(self.parent_N[order], return_index=True)
        return dict(zip(parents.tolist(), np.split(order, starts[1:]), strict=True))

    def children(self, node: int) -> NDArray[np.int64]:
        """Returns the nodes just below one, or the top ones for -1; int64."""
        return self._children.get(node, np.zeros(0, dtype=np.int64))

    @property
    def families(self) -> list[tuple[int, NDArray[np.int64]]]:
        """Each node with children, -1 for the top, parents before their children."""
        return sorted(self._children.items(), key=lambda one: one[0])

    @cached_property
    def generations(self) -> list[Generation]:
        """All families, those as far from the top together, the top first."""
        depth = {-1: 0}
        found: dict[int, list[tuple[int, NDArray[np.int64]]]] = {}
        for parent, children in self.families:
            depth |= dict.fromkeys(children.tolist(), depth[parent] + 1)
            found.setdefault(depth[parent], []).append((parent, children))
        return [Generation.of(*map(list, zip(*found[at], strict=True))) for at in sorted(found)]

    def mass(self, probability_BL: NDArray[np.floating]) -> NDArray[np.float64]:
        """Returns the probability of every node, float64 (B, N): the sum over the labels under it."""
        taxa_BN = self.taxa.node_probability(probability_BL)
        return np.concatenate([taxa_BN, np.asarray(probability_BL, dtype=np.float64)], axis=1)

    def descend(self, mass_BN: NDArray[np.float64]) -> NDArray[np.int64]:
        """Returns the way down by the likeliest child at each step: int64 (B, K) nodes, -1 at skipped levels.

        A way always ends at a label. Ties go to the first node.
        """
        path_BK = np.full((len(mass_BN), len(LEVELS)), -1, dtype=np.int64)
        at_B = np.full(len(mass_BN), -1, dtype=np.int64)
        going = np.ones(len(mass_BN), dtype=np.bool_)
        while going.any():
            for node in np.unique(at_B[going]).tolist():
                rows = np.flatnonzero(going & (at_B == node))
                children = self._children.get(node)
                if children is None:
                    going[rows] = False
                    continue
                best = children[mass_BN[np.ix_(rows, children)].argmax(axis=1)]
                path_BK[rows, self.level_N[best]] = best
                at_B[rows] = best
        return path_BK

    def truths(
        self, concepts: Sequence[Concept | None], names: Sequence[str | None]
    ) -> NDArray[np.int8]:
        """Returns what is known of every answer for records of known identity: int8 (B, N).

        A taxon is right where the record's lineage has it, wrong where the lineage has another name at that
        rank or above, or is no organism, and open where the lineage does not reach down to it. A label is
        right where it is the record's own. One that is a taxon is judged as a taxon too, among records of the
        same part or stage: right for what lies below it. Of written labels that share a taxon only the
        own one is right.

        Args:
            concepts: what each record is; None: nothing is known, everything is open.
            names: its label in the words of the label space, None or any other word for none of them.
        """
        found = np.full((len(concepts), len(self)), OPEN, dtype=np.int8)
        codes: dict[str, int] = {}
        node_NR = self._codes([self.lineage(node) for node in range(len(self))], codes)
        label_B = self.labels.index_of(names)
        own = [linnaean(concept.lineage) if concept else Lineage() for concept in concepts]
        whole = completed([*self.taxa.lineages, *own])[len(self.labels) :]
        same: dict[tuple[Concept | None, str | None], list[int]] = {}
        for row, key in enumerate(zip(concepts, names, strict=True)):
            same.setdefault(key, []).append(row)
        for (concept, _), rows in same.items():
            if concept is not None:
                truth_R = self._codes([whole[rows[0]]], codes)[0]
                found[rows] = self._judged(node_NR, truth_R, concept, int(label_B[rows[0]]))
        return found

    def _judged(
        self, node_NR: NDArray[np.int64], truth_R: NDArray[np.int64], truth: Concept, label: int
    ) -> NDArray[np.int8]:
        both = (node_NR >= 0) & (truth_R >= 0)
        differs_N = (both & (node_NR != truth_R)).any(axis=1)
        deepest_N = self._deepest(node_NR)
        reaches_N = (truth_R >= 0)[np.maximum(deepest_N, 0)] & (deepest_N >= 0)
        of_taxon = np.where(differs_N, WRONG, np.where(reaches_N, RIGHT, OPEN)).astype(np.int8)
        if not (truth_R >= 0).any():
            of_taxon[:] = WRONG
        is_label = np.arange(len(self)) >= self.num_taxa
        of_label = np.full(len(self), WRONG, dtype=np.int8)
        alike = np.asarray([one.concept.qualifier == truth.qualifier for one in self.labels.labels])
        judged = np.where(
            alike & (deepest_N[self.num_taxa :] >= 0), of_taxon[self.num_taxa :], WRONG
        )
        if self.labels.target is Target.WRITTEN_LABEL:
            above = deepest_N[self.num_taxa :] < self._deepest(truth_R[None])[0]
            judged = np.where(above & (judged == RIGHT), RIGHT, WRONG)
        of_label[self.num_taxa :] = judged
        if label >= 0:
            of_label[self.num_taxa + label] = RIGHT
        return np.where(is_label, of_label, of_taxon)

    @staticmethod
    def _codes(lineages: Sequence[Lineage], codes: dict[str, int]) -> NDArray[np.int64]:
        rows = [
            [
                codes.setdefault(name, len(codes)) if (name := one.name_at(rank)) else -1
                for rank in LINNAEAN_RANKS
            ]
            for one in lineages
        ]
        return np.asarray(rows, dtype=np.int64).reshape(len(lineages), len(LINNAEAN_RANKS))

    @staticmethod
    def _deepest(code_NR: NDArray[np.int64]) -> NDArray[np.int64]:
        """Returns the place of the narrowest rank of each row, -1 for none."""
        places = np.arange(code_NR.shape[1])
        found: NDArray[np.int64] = np.where(code_NR >= 0, places, -1).max(axis=1, initial=-1)
        return found


def linnaean(lineage: Lineage) -> Lineage:
    """Returns the lineage without ranks between the seven."""
    return Lineage.from_names({rank: lineage.name_at(rank) for rank in LINNAEAN_RANKS})
