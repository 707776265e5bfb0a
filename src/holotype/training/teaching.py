"""What the records of a run teach: their labels, what they are, and the tree above them.

Shapes: N records of the materials, L labels, C concepts, T taxa, R ranks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from holotype.inputs.materials import Materials
from holotype.inputs.relations import ConceptPaths, concept_paths, is_within
from holotype.media.barcode_groups import barcode_groups
from holotype.models.labels import LabelSpace
from holotype.taxonomy.label_table import Concept
from holotype.taxonomy.lineage import Lineage


@dataclass(frozen=True)
class Teaching:
    """What the records of a run teach.

    Attributes:
        label_N: int64, the label of each record of the materials, -1 for none.
        agrees_LL: bool, for a record of each label, the labels that agree with it.
        count_L: float32, how many training records each label has.
        concept_N: int64, the concept of each record, -1 for none.
        concepts: the different concepts, and the taxa above them.
        paths: their paths in the tree.
        qualifier_C: the qualifier of each concept.
        above_C: of each concept, the indices of the taxa above it as concepts, widest first.
        taught_C: bool, the concepts of training records.
        taught_T: bool, the taxa of training records, by the numbers of ``paths``.
        vernaculars: the common names that training records give.
        group_N: int64, the group of like barcodes of each training record, -1 for none.
    """

    label_N: NDArray[np.int64]
    agrees_LL: Tensor
    count_L: Tensor
    concept_N: NDArray[np.int64]
    concepts: tuple[Concept, ...]
    paths: ConceptPaths
    qualifier_C: NDArray[np.str_]
    above_C: tuple[tuple[int, ...], ...]
    taught_C: NDArray[np.bool_]
    taught_T: NDArray[np.bool_]
    vernaculars: Mapping[Lineage, str]
    group_N: NDArray[np.int64]

    @property
    def num_groups(self) -> int:
        """How many groups of like barcodes there are."""
        return int(self.group_N.max(initial=-1)) + 1

    @property
    def rank_T(self) -> NDArray[np.int64]:
        """The rank of each taxon, as its depth."""
        ranks = [lineage.rank for lineage in self.paths.lineage_T]
        return np.asarray([-1 if rank is None else rank.depth for rank in ranks], dtype=np.int64)

    def agrees_CC(self, concept_C: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Returns, for a record of each of some concepts (row), which of them agree with it (column).

        A concept agrees with itself and with those below it of the same qualifier.
        """
        below = is_within(self.paths, concept_C, concept_C).T
        qualifier = self.qualifier_C[concept_C]
        agrees: NDArray[np.bool_] = below & (qualifier[:, None] == qualifier[None, :])
        return agrees | np.eye(len(concept_C), dtype=np.bool_)


def teaching_of(
    materials: Materials,
    labels: LabelSpace,
    names: Sequence[str | None],
    *,
    taught: int | None = None,
    vernaculars: Mapping[Lineage, str] | None = None,
    alike: float | None = None,
) -> Teaching:
    """Returns what the records teach.

    Args:
        materials: training records first, then those to validate on.
        labels: what they may be called.
        names: the label of each record, None for none.
        taught: how many of them are training records; all by default. What only others are is never
            shown in training, not even as a name.
        vernaculars: common names of taxa.
        alike: how alike the barcodes of a group of training records are; None makes no groups.
    """
    index: dict[Concept, int] = {}
    for concept in materials.concept_N:
        if concept is not None:
            index.setdefault(concept, len(index))
    above: list[tuple[int, ...]] = []
    for concept in list(index):
        wider = [Concept(concept.lineage.truncate(rank)) for rank, _ in list(concept.lineage)[:-1]]
        above.append(tuple(index.setdefault(one, len(index)) for one in wider))
    concepts = tuple(index)
    concept_N = np.asarray(
        [-1 if c is None else index[c] for c in materials.concept_N], dtype=np.int64
    )
    paths = concept_paths(concepts)
    shown = np.unique(concept_N[:taught])
    shown = shown[shown >= 0]
    taught_C = np.zeros(len(concepts), dtype=np.bool_)
    taught_C[shown] = True
    taught_T = np.zeros(len(paths.lineage_T), dtype=np.bool_)
    on_path = paths.path_CR[shown]
    taught_T[on_path[on_path >= 0]] = True
    group_N = np.full(len(materials), -1, dtype=np.int64)
    if alike is not None:
        barcodes, markers = materials.barcode_N[:taught], materials.marker_N[:taught].tolist()
        group_N[: len(barcodes)] = barcode_groups(barcodes, markers, identity=alike)
    counts = [label.records for label in labels.labels]
    return Teaching(
        label_N=labels.index_of(names),
        agrees_LL=torch.from_numpy(labels.agrees_LL),
        count_L=torch.tensor(counts, dtype=torch.float32),
        concept_N=concept_N,
        concepts=concepts,
        paths=paths,
        qualifier_C=np.asarray([concept.qualifier for concept in concepts], dtype=np.str_),
        above_C=tuple(above),
        taught_C=taught_C,
        taught_T=taught_T,
        vernaculars=dict(vernaculars or {}),
        group_N=group_N,
    )
