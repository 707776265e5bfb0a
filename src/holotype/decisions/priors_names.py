"""Names of a prior table -> the labels of a model that they speak of."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from holotype.errors import did_you_mean
from holotype.models.labels import LabelSpace
from holotype.taxonomy.backbone.store import Backbone
from holotype.taxonomy.lineage import Lineage, Rank
from holotype.taxonomy.matching.match import BackboneMatcher
from holotype.taxonomy.matching.outcome import SURE, MatchStatus, Query
from holotype.taxonomy.names import epithet_stem, name_key, read_name

_DEEPEST = 1000


class Found(StrEnum):
    """What became of a name of a table."""

    TAXON = "taxon"
    LABEL = "label"
    SYNONYM = "synonym"
    WIDER = "wider"
    AMBIGUOUS = "ambiguous"
    NOTHING = "nothing"


@dataclass(frozen=True)
class NamedTaxon:
    """What one name of a table is to a model.

    Attributes:
        written: the name.
        found: how it was found, or not.
        under_L: int64, labels of this taxon and of those below it.
        above_L: int64, labels that are wider taxa which contain it ("Calanus" for one of its species).
        depth: of its rank; the narrowest name that speaks of a label decides.
        lineage: the taxon; empty for a label that is none.
        detail: for a person: what it was taken for, or what it may be.
    """

    written: str
    found: Found
    under_L: NDArray[np.int64]
    above_L: NDArray[np.int64]
    depth: int = 0
    lineage: Lineage = field(default_factory=Lineage)
    detail: str = ""


class NameFinder:
    """Finds names in a label space, with the help of a backbone where one is given."""

    def __init__(self, labels: LabelSpace, backbone: Backbone | None = None) -> None:
        self._labels, self._tree = labels, labels.tree
        self._matcher = BackboneMatcher(backbone) if backbone is not None else None
        self._nodes: dict[str, list[int]] = {}
        for node, lineage in enumerate(self._tree.nodes):
            for key in _keys(lineage.name or ""):
                self._nodes.setdefault(key, []).append(node)
        self._label = {name_key(label.name): at for at, label in enumerate(labels.labels)}
        self._known: dict[tuple[str, str, str], NamedTaxon] = {}

    def find(self, written: str, *, rank: str = "", within: str = "") -> NamedTaxon:
        """Returns what a name is to the model; rank and a wider taxon tell namesakes apart."""
        key = (written, rank, within)
        if key not in self._known:
            self._known[key] = self._find(written, rank, within)
        return self._known[key]

    def _find(self, written: str, rank: str, within: str) -> NamedTaxon:
        parsed = read_name(written) or read_name(written.capitalize())
        name = parsed.canonical if parsed is not None else written
        nodes = self._fitting(name, rank, within)
        if len(nodes) == 1:
            return self._taxon(written, Found.TAXON, nodes[0])
        if len(nodes) > 1:
            listed = "; ".join(self._tree.nodes[node].text() for node in nodes)
            return _empty(written, Found.AMBIGUOUS, f"{listed}: give its rank, or 'within'")
        if (label := self._label.get(name_key(written))) is not None and not rank and not within:
            return NamedTaxon(written, Found.LABEL, np.asarray([label]), _none(), _DEEPEST)
        return self._elsewhere(written, name, rank, within)

    def _fitting(self, name: str, rank: str, within: str) -> list[int]:
        nodes: list[int] = []
        for key in _keys(name):
            if nodes := self._nodes.get(key, []):
                break
        lineages = self._tree.nodes
        if rank:
            nodes = [node for node in nodes if lineages[node].rank is Rank(rank)]
        if within:
            above = name_key(within)
            nodes = [n for n in nodes if above in {name_key(taxon) for _, taxon in lineages[n]}]
        # a subgenus that bears the name of its genus is in it: the wider one speaks for both
        return [
            node
            for node in nodes
            if not any(o != node and lineages[node].is_within(lineages[o]) for o in nodes)
        ]

    def _elsewhere(self, written: str, name: str, rank: str, within: str) -> NamedTaxon:
        """Looks a name that the model lacks up in the backbone, then for its genus."""
        above: list[int] = []
        if self._matcher is not None:
            answer = self._matcher.match(Query(written, rank=Rank(rank) if rank else None))
            if answer.status is MatchStatus.MATCHED and answer.taxon and answer.how in SURE:
                accepted = answer.taxon.lineage
                found = [self._fitting(taxon, at.value, "") for at, taxon in accepted]
                if accepted and len(found[-1]) == 1:
                    return self._taxon(written, Found.SYNONYM, found[-1][0])
                above = [nodes[0] for nodes in found if len(nodes) == 1]
        if not above and " " in name:
            above = self._fitting(name.split(" ", maxsplit=1)[0], Rank.GENUS.value, within)[:1]
        if not above:
            every = [node.name or "" for node in self._tree.nodes]
            hint = did_you_mean(written, [*dict.fromkeys(every), *self._labels.names])
            return _empty(written, Found.NOTHING, hint.strip() if "Did you" in hint else "")
        node = above[-1]
        wider = self._tree.nodes[node]
        detail = f"the model knows {wider.name} above it"
        return NamedTaxon(
            written, Found.WIDER, _none(), self._sitting([*self._up(node)]),
            Rank.SPECIES.depth, wider, detail,
        )  # fmt: skip

    def _taxon(self, written: str, found: Found, node: int) -> NamedTaxon:
        lineage = self._tree.nodes[node]
        assert lineage.rank is not None
        under = np.flatnonzero(self._tree.is_under_NL[node])
        above = self._sitting([up for up in self._up(node) if up != node])
        return NamedTaxon(written, found, under, above, lineage.rank.depth, lineage,
                          lineage.name or "")  # fmt: skip

    def _up(self, node: int) -> Sequence[int]:
        path = [node]
        while (node := int(self._tree.parent_N[node])) >= 0:
            path.append(node)
        return path

    def _sitting(self, nodes: Sequence[int]) -> NDArray[np.int64]:
        """Returns the labels that are exactly these taxa."""
        return np.flatnonzero(np.isin(self._tree.node_of_label_L, nodes))


def _empty(written: str, found: Found, detail: str) -> NamedTaxon:
    return NamedTaxon(written, found, _none(), _none(), detail=detail)


def _none() -> NDArray[np.int64]:
    return np.zeros(0, dtype=np.int64)


def _keys(name: str) -> list[str]:
    """Returns the forms under which a name is kept and sought: as it is; with the epithet's stem."""
    key = name_key(name)
    genus, _, epithet = key.partition(" ")
    return [key, f"{genus} {epithet_stem(epithet)}~"] if epithet and " " not in epithet else [key]
