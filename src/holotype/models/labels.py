"""The labels that a model learns, and what they mean: part of every bundle.

``Target`` says what a label is: the written label, the class concept (taxon and qualifier), or the concept
as a node of the tree, where a coarse record agrees with every finer label below it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holotype.errors import BundleError, RecipeError
from holotype.inputs.captions import caption
from holotype.taxonomy.label_table import Concept
from holotype.taxonomy.labels import WHOLE, Kind
from holotype.taxonomy.lineage import Lineage, completed
from holotype.taxonomy.tree import LabelTree, build_tree


class Target(StrEnum):
    """What a classifier learns."""

    WRITTEN_LABEL = "written_label"
    CONCEPT = "concept"
    TREE = "tree"


@dataclass(frozen=True)
class Label:
    """One label: its name, unique in the space, what it means, and how many records taught it."""

    name: str
    concept: Concept
    records: int


@dataclass(frozen=True)
class LabelSpace:
    """L labels.

    Attributes:
        target: what a label is.
        labels: in a fixed order.
    """

    target: Target
    labels: tuple[Label, ...]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def names(self) -> list[str]:
        """The labels' names."""
        return [label.name for label in self.labels]

    @cached_property
    def tree(self) -> LabelTree:
        """The tree above the labels."""
        return build_tree([label.concept.lineage for label in self.labels])

    @cached_property
    def _index(self) -> dict[str, int]:
        return {label.name: index for index, label in enumerate(self.labels)}

    def index_of(self, names: Sequence[str | None]) -> NDArray[np.int64]:
        """Returns the label of each name, -1 for None and for names that are no label; int64."""
        found = [-1 if name is None else self._index.get(name, -1) for name in names]
        return np.asarray(found, dtype=np.int64)

    def names_of(
        self, written: Sequence[str | None], concepts: Sequence[Concept | None]
    ) -> list[str | None]:
        """Returns the label of each record in this space, or a name of its own for what it lacks.

        Records are recognised by what they are, so that names which other records make ambiguous still
        find their label.
        """
        names = label_names(self.target, written, concepts)
        if self.target is Target.WRITTEN_LABEL:
            return [
                label if name not in self._index and label in self._index else name
                for name, label in zip(names, written, strict=True)
            ]
        together = _completed([*(label.concept for label in self.labels), *concepts])
        own: dict[Concept | None, str] = {}
        for concept, label in zip(together, self.labels, strict=False):
            own.setdefault(concept, label.name)
        return [
            None if concept is None else own.get(concept, name)
            for concept, name in zip(together[len(self.labels) :], names, strict=True)
        ]

    @cached_property
    def agrees_LL(self) -> NDArray[np.bool_]:
        """For a record of each label (row), the labels that agree with it; bool (L, L)."""
        if self.target is not Target.TREE:
            return np.eye(len(self), dtype=np.bool_)
        mask = self.tree.leaf_mask_LL()
        same = np.asarray([label.concept.qualifier for label in self.labels])
        same_kind: NDArray[np.bool_] = same[:, None] == same[None, :]
        return mask & (same_kind | np.eye(len(self), dtype=np.bool_))

    def as_json(self) -> dict[str, Any]:
        """Returns the space as plain values for ``bundle.json``."""
        return {
            "target": self.target.value,
            "labels": [
                {
                    "name": label.name,
                    "lineage": {rank.value: name for rank, name in label.concept.lineage},
                    "qualifier": label.concept.qualifier,
                    "kind": label.concept.kind.value,
                    "group": label.concept.group,
                    "records": label.records,
                }
                for label in self.labels
            ],
        }

    @classmethod
    def from_json(cls, described: dict[str, Any]) -> "LabelSpace":
        """Returns the space that ``as_json`` described.

        Raises:
            BundleError: when it is no such description.
        """
        try:
            labels = tuple(map(_label, described["labels"]))
            return cls(Target(described["target"]), labels)
        except (LookupError, TypeError, ValueError, AttributeError) as reason:
            said = f"no {reason}" if isinstance(reason, KeyError) else str(reason)
            raise BundleError(
                f"bundle.json: its labels cannot be read ({said}). Restore it, or train again."
            ) from reason


def _label(entry: dict[str, Any]) -> Label:
    concept = Concept(
        Lineage.from_names(entry["lineage"]),
        entry["qualifier"],
        Kind(entry["kind"]),
        entry["group"],
    )
    return Label(str(entry["name"]), concept, int(entry["records"]))


def label_names(
    target: Target, written: Sequence[str | None], concepts: Sequence[Concept | None]
) -> list[str | None]:
    """Returns the name of each record's label, None for a record that cannot teach one.

    Concepts that share a name but not a taxon (homonyms) are told apart by the names above them, and
    written labels that mean different things in different sources by what they mean.
    """
    bare = _completed(concepts)
    if target is Target.WRITTEN_LABEL:
        return _written_names(written, bare)
    taxa: dict[str, set[Concept]] = {}
    for concept in set(filter(None, bare)):
        taxa.setdefault(concept.name, set()).add(concept)
    names = {c: c.name for found in taxa.values() for c in found}
    for found in (found for found in taxa.values() if len(found) > 1):
        names |= {c: _told_apart(c) for c in found}
        if len({names[c] for c in found}) < len(found):
            names |= {c: _told_apart_by_rank(c) for c in found}
    return [None if concept is None else names[concept] for concept in bare]


def _written_names(
    written: Sequence[str | None], concepts: Sequence[Concept | None]
) -> list[str | None]:
    meanings: dict[str, set[Concept | None]] = {}
    for label, concept in zip(written, concepts, strict=True):
        if label is not None:
            meanings.setdefault(label, set()).add(concept)
    return [
        f"{label} [{caption(concept)}]"
        if label is not None and concept is not None and len(meanings[label]) > 1
        else label
        for label, concept in zip(written, concepts, strict=True)
    ]


def _completed(concepts: Sequence[Concept | None]) -> list[Concept | None]:
    """Returns the concepts without identifiers, their lineages completed by one another."""
    lineages = completed([concept.lineage if concept else Lineage() for concept in concepts])
    seen: dict[tuple[int, Lineage], Concept] = {}
    found: list[Concept | None] = []
    for concept, lineage in zip(concepts, lineages, strict=True):
        if concept is None:
            found.append(None)
            continue
        key = (id(concept), lineage)
        if key not in seen:
            seen[key] = Concept(lineage, concept.qualifier, concept.kind, concept.group)
        found.append(seen[key])
    return found


def _told_apart(concept: Concept) -> str:
    above = [name for _, name in concept.lineage][:-1]
    kind = "" if concept.kind is Kind.LIVING else f", {concept.kind.value}"
    return f"{concept.name} [{' '.join(above) or 'no lineage'}{kind}]"


def _told_apart_by_rank(concept: Concept) -> str:
    ranked = " ".join(f"{rank.value}:{name}" for rank, name in concept.lineage)
    kind = "" if concept.kind is Kind.LIVING else f", {concept.kind.value}"
    return f"{concept.name} [{ranked or 'no lineage'}{kind}]"


def build_label_space(
    target: Target, names: Sequence[str | None], concepts: Sequence[Concept | None]
) -> LabelSpace:
    """Returns the labels that the training records teach, in alphabetical order.

    A written label takes the concept that most of its records bear.

    Raises:
        RecipeError: when no record has a label.
    """
    counts: Counter[str] = Counter(name for name in names if name is not None)
    if not counts:
        raise RecipeError(
            f"no training record has a {target.value}. Choose another target, or import with names."
        )
    borne: dict[str, Counter[Concept]] = {name: Counter() for name in counts}
    for name, concept in zip(names, _completed(concepts), strict=True):
        if name is not None:
            borne[name][concept or Concept(Lineage(), WHOLE, group=name)] += 1
    labels = [
        Label(name, borne[name].most_common(1)[0][0], count)
        for name, count in sorted(counts.items())
    ]
    return LabelSpace(target, tuple(labels))
