"""Two genera of one family, three species, a coarse label and detritus: labels that can be worked by hand."""

import numpy as np

from holotype.decisions.answer_tree import AnswerTree
from holotype.decisions.evidence import Evidence, Neighbours
from holotype.models.labels import Label, LabelSpace, Target
from holotype.taxonomy.label_table import Concept
from holotype.taxonomy.labels import WHOLE, Kind
from holotype.taxonomy.lineage import Lineage

ANIMAL = {"kingdom": "Animalia", "family": "Calanidae"}
CONCEPTS = {
    "Calanus": Concept(Lineage.from_names({**ANIMAL, "genus": "Calanus"})),
    "Calanus finmarchicus": Concept(
        Lineage.from_names({**ANIMAL, "genus": "Calanus", "species": "Calanus finmarchicus"})
    ),
    "Calanus glacialis": Concept(
        Lineage.from_names({**ANIMAL, "genus": "Calanus", "species": "Calanus glacialis"})
    ),
    "Neocalanus cristatus": Concept(
        Lineage.from_names({**ANIMAL, "genus": "Neocalanus", "species": "Neocalanus cristatus"})
    ),
    "detritus": Concept(Lineage(), WHOLE, Kind.DETRITUS, "detritus"),
}
NAMES = list(CONCEPTS)


def label_space(target: Target = Target.TREE) -> LabelSpace:
    """The five labels."""
    return LabelSpace(target, tuple(Label(name, concept, 10) for name, concept in CONCEPTS.items()))


def small_tree(target: Target = Target.TREE) -> AnswerTree:
    """Their tree."""
    return AnswerTree.of(label_space(target))


def node(tree: AnswerTree, name: str, *, label: bool = False) -> int:
    """The node of a taxon, or of a label."""
    if label:
        return tree.num_taxa + tree.labels.names.index(name)
    return [one.name for one in tree.taxa.nodes].index(name)


def evidence_of(probability_BL, labels_of_neighbours=None, closeness=None) -> Evidence:
    """Evidence with these probabilities and, where given, these neighbours."""
    logit_BL = np.log(np.asarray(probability_BL, dtype=float))
    near = {}
    if labels_of_neighbours is not None:
        near["image"] = Neighbours(
            np.asarray(labels_of_neighbours), np.asarray(closeness, dtype=float), -1.0
        )
    return Evidence(logit_BL, {"image model": logit_BL}, near)
