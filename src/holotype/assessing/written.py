"""Labels that a person wrote -> what they are to a model: by label, table, name or word; or a miss."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from holotype.decisions.priors_names import Found, NameFinder
from holotype.errors import did_you_mean
from holotype.models.labels import LabelSpace
from holotype.taxonomy.backbone.store import Backbone
from holotype.taxonomy.label_table import Concept, LabelTable
from holotype.taxonomy.labels import WHOLE, Kind, parse_label
from holotype.taxonomy.lineage import Lineage, Rank
from holotype.taxonomy.matching.vocabulary import find_word
from holotype.taxonomy.names import name_key, read_name

UNSURE = frozenset(
    ("?", "??", "unknown", "unsure", "not sure", "unclear", "do not know", "x", "skip", "-")
)
"""What people write where they cannot tell; such a record is left out, and counted."""


class How(StrEnum):
    """How a written label was understood."""

    LABEL = "label"
    TABLE = "table"
    NAME = "name"
    SYNONYM = "synonym"
    WORD = "word"
    WIDER = "wider"
    KIND = "kind"
    UNSURE = "unsure"
    BLANK = "blank"
    NOTHING = "nothing"


JUDGED = frozenset((How.LABEL, How.TABLE, How.NAME, How.SYNONYM, How.WORD, How.WIDER, How.KIND))


@dataclass(frozen=True)
class Written:
    """One written label, understood or not.

    Attributes:
        text: as written.
        how: how it was understood.
        concept: what it means; None where it is not known.
        label: the model's label, None where it has none.
        detail: what it was taken for; for a miss, the nearest known name.
    """

    text: str
    how: How
    concept: Concept | None = None
    label: str | None = None
    detail: str = ""


class WrittenLabels:
    """Understands the labels of one user against one model."""

    def __init__(
        self,
        labels: LabelSpace,
        *,
        table: LabelTable | None = None,
        backbone: Backbone | None = None,
    ) -> None:
        self._labels, self._finder = labels, NameFinder(labels, backbone)
        self._exact = {name_key(label.name): label for label in labels.labels}
        self._table: dict[str, set[Concept]] = {}
        for (_, written), concept in (table.concepts if table else {}).items():
            self._table.setdefault(name_key(written), set()).add(_bare(concept))
        self._known: dict[str, Written] = {}

    def find(self, text: str | None) -> Written:
        """Returns what a written label is to the model."""
        plain = " ".join((text or "").split())
        if plain not in self._known:
            self._known[plain] = self._find(plain)
        return self._known[plain]

    def _find(self, text: str) -> Written:
        if not text:
            return Written(text, How.BLANK)
        if text.lower() in UNSURE:
            return Written(text, How.UNSURE)
        if (label := self._exact.get(name_key(text))) is not None:
            return Written(text, How.LABEL, label.concept, label.name, label.name)
        meanings = self._table.get(name_key(text), set())
        if len(meanings) == 1:
            return self._of(text, How.TABLE, next(iter(meanings)))
        return self._by_name(text) or self._by_kind(text) or self._missed(text)

    def _by_name(self, text: str) -> Written | None:
        """Finds a taxon, with what of it is shown ("Calanoida egg")."""
        parsed = parse_label(text)
        qualified = parsed.qualifier != WHOLE and parsed.taxon_words
        tried: Iterable[tuple[str, str]] = [(text, WHOLE)]
        if qualified:
            tried = [*tried, (parsed.taxon_words, parsed.qualifier)]
        for words, qualifier in tried:
            found = self._finder.find(words)
            if found.found in (Found.TAXON, Found.SYNONYM):
                how = How.NAME if found.found is Found.TAXON else How.SYNONYM
                return self._of(text, how, Concept(found.lineage, qualifier))
            if found.found is Found.AMBIGUOUS:
                return Written(text, How.NOTHING, detail=f"may be {found.detail}")
            if found.found is Found.WIDER:
                concept = Concept(_with_species(found.lineage, words), qualifier)
                return Written(text, How.WIDER, concept, None, found.detail)
            word = find_word(words)
            for name in word.path if word is not None else ():
                under = self._finder.find(name)
                if under.found is Found.TAXON:
                    return self._of(text, How.WORD, Concept(under.lineage, qualifier))
        return None

    def _by_kind(self, text: str) -> Written | None:
        """Finds what does not live, where the model has one label of that kind."""
        kind = parse_label(text).kind
        same = [label for label in self._labels.labels if label.concept.kind is kind]
        same = [label for label in same if not label.concept.lineage]
        if kind is Kind.LIVING or len(same) != 1:
            return None
        return Written(text, How.KIND, same[0].concept, same[0].name, same[0].name)

    def _of(self, text: str, how: How, concept: Concept) -> Written:
        (name,) = self._labels.names_of([text], [concept])
        label = name if name is not None and self._labels.index_of([name])[0] >= 0 else None
        return Written(text, how, concept, label, label or concept.name)

    def _missed(self, text: str) -> Written:
        taxa = [node.name or "" for node in self._labels.tree.nodes]
        hint = did_you_mean(text, [*dict.fromkeys([*self._labels.names, *taxa])]).strip()
        return Written(text, How.NOTHING, detail=hint if hint.startswith("Did you") else "")


def _bare(concept: Concept) -> Concept:
    return Concept(concept.lineage, concept.qualifier, concept.kind, concept.group)


def _with_species(wider: Lineage, words: str) -> Lineage:
    """Returns the known part of a species' lineage with its own name below it."""
    name = read_name(words)
    if name is None or " " not in name.canonical or wider.rank is None:
        return wider
    if not wider.rank.is_above(Rank.SPECIES):
        return wider
    return Lineage((*wider.taxa, (Rank.SPECIES, name.canonical)))
