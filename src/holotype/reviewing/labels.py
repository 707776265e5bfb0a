"""The labels that a record may be given in a review: what each means, and how to find it by a few letters.

They come from the model, from the collection, and from every taxon above one of these. A label that
nobody knows may be given too: it is written as it stands, without a lineage.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

import pyarrow as pa

from holotype.identify.columns import RANKS
from holotype.models.labels import LabelSpace, Target, label_names
from holotype.taxonomy.backbone import schema as backbone
from holotype.taxonomy.label_table import Concept
from holotype.taxonomy.labels import WHOLE, Kind
from holotype.taxonomy.lineage import Lineage

ID_COLUMNS = (*backbone.ID_COLUMNS, "ecotaxa_id", "wikidata_id")
"""Columns of a collection that say what a taxon is called elsewhere."""


class Origin(StrEnum):
    """Where a label is from."""

    MODEL = "model"
    COLLECTION = "collection"
    TAXON = "taxon"
    ANSWERS = "answers"


@dataclass(frozen=True)
class KnownLabel:
    """One label.

    Attributes:
        name: unique in the session.
        concept: what it means; None where nobody says.
        origin: where it is from.
        records: of the collection that bear it.
        ids: what the taxon is called elsewhere, by column of a collection.
    """

    name: str
    concept: Concept | None
    origin: Origin
    records: int = 0
    ids: tuple[tuple[str, str], ...] = ()

    @property
    def rank(self) -> str | None:
        """The rank of its taxon, None where it has none."""
        rank = self.concept.lineage.rank if self.concept is not None else None
        return None if rank is None else rank.value

    @property
    def says(self) -> str:
        """The label in words: its rank, or kind, and the names above it."""
        if self.concept is None:
            return "lineage not known"
        above = [name for _, name in self.concept.lineage][:-1]
        what = self.rank or self.concept.kind.value
        return f"{what} of {above[-1]}" if above else what

    def as_row(self) -> dict[str, Any]:
        """Returns plain values, for a table."""
        concept = self.concept
        lineage = {} if concept is None else {rank.value: name for rank, name in concept.lineage}
        return {
            "name": self.name,
            "origin": self.origin.value,
            "records": self.records,
            "rank": self.rank,
            "lineage": json.dumps(lineage, ensure_ascii=False) if concept is not None else None,
            "qualifier": concept.qualifier if concept is not None else None,
            "kind": concept.kind.value if concept is not None else None,
            "group": concept.group if concept is not None else None,
            "ids": json.dumps(dict(self.ids), ensure_ascii=False) if self.ids else None,
        }

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "KnownLabel":
        """Returns the label that ``as_row`` described."""
        concept = None
        if row["lineage"] is not None:
            lineage = Lineage.from_names(json.loads(row["lineage"]))
            concept = Concept(lineage, row["qualifier"], Kind(row["kind"]), row["group"])
        ids = tuple(json.loads(row["ids"]).items()) if row["ids"] else ()
        return cls(row["name"], concept, Origin(row["origin"]), row["records"], ids)


LABELS_SCHEMA = pa.schema(
    [
        ("name", pa.string()),
        ("origin", pa.string()),
        ("records", pa.int64()),
        ("rank", pa.string()),
        ("lineage", pa.string()),
        ("qualifier", pa.string()),
        ("kind", pa.string()),
        ("group", pa.string()),
        ("ids", pa.string()),
    ]
)


@dataclass(frozen=True)
class LabelBook:
    """All labels of a session, those of the most records first."""

    labels: tuple[KnownLabel, ...]

    @cached_property
    def by_name(self) -> dict[str, KnownLabel]:
        """Label by its name."""
        return {label.name: label for label in self.labels}

    @cached_property
    def _folded(self) -> list[str]:
        return [label.name.casefold() for label in self.labels]

    def found(self, typed: str, *, most: int = 12) -> list[KnownLabel]:
        """Returns the labels that a few letters may mean, the likeliest first.

        The exact name comes first, then names that begin so, names with a word that begins so, names
        that contain it, then near ones. Without letters: those of the most records.
        """
        wanted = " ".join(typed.casefold().split())
        if not wanted:
            return list(self.labels[:most])
        tiers: tuple[list[int], ...] = ([], [], [], [])
        for at, name in enumerate(self._folded):
            if wanted in name:
                tiers[_tier(name, wanted)].append(at)
        found = [at for tier in tiers for at in tier][:most]
        if len(found) < most and len(wanted) > 2:
            from rapidfuzz import fuzz, process

            near = process.extract(
                wanted, self._folded, scorer=fuzz.WRatio, score_cutoff=72, limit=most + len(found)
            )
            found += [at for _, _, at in near if at not in set(found)]
        return [self.labels[at] for at in found[:most]]


def _tier(name: str, wanted: str) -> int:
    if name == wanted:
        return 0
    if name.startswith(wanted):
        return 1
    return 2 if f" {wanted}" in name.replace("_", " ").replace("(", " ") else 3


def current_names(
    table: pa.Table, concepts: Sequence[Concept | None], space: LabelSpace | None
) -> list[str | None]:
    """Returns what the records of a collection are called now, in the model's words where it has one."""
    written = table["written_label"].to_pylist()
    if space is not None:
        names = space.names_of(written, concepts)
    else:
        names = label_names(Target.CONCEPT, written, concepts)
    return [name or label for name, label in zip(names, written, strict=True)]


def label_book(
    table: pa.Table,
    concepts: Sequence[Concept | None],
    names: Sequence[str | None],
    space: LabelSpace | None,
    answers: pa.Table,
) -> LabelBook:
    """Returns the labels of a session.

    Args:
        table: the collection's records, without images.
        concepts: what each is.
        names: of ``current_names``.
        space: the model's labels, where the model is at hand.
        answers: of ``ANSWER_SCHEMA``; what it names safely tells the lineage of a label.
    """
    counts = Counter(name for name in names if name is not None)
    book: dict[str, KnownLabel] = {}
    ids = _ids_of_concepts(table, concepts)
    for label in space.labels if space is not None else ():
        book[label.name] = _label(label.name, label.concept, Origin.MODEL, counts, ids)
    for name, concept in zip(names, concepts, strict=True):
        if name is not None and name not in book:
            book[name] = _label(name, concept, Origin.COLLECTION, counts, ids)
    for name, concept in _answered(answers):
        if name not in book or (book[name].concept is None and concept is not None):
            book[name] = _label(name, concept, Origin.ANSWERS, counts, ids)
    _add_taxa(book, counts, ids)
    ordered = sorted(book.values(), key=lambda one: (-one.records, one.name.casefold(), one.name))
    return LabelBook(tuple(ordered))


_Ids = Mapping[tuple[object, ...], tuple[tuple[str, str], ...]]


def _label(
    name: str, concept: Concept | None, origin: Origin, counts: Mapping[str, int], ids: _Ids
) -> KnownLabel:
    bare = None if concept is None else _bare(concept)
    known = () if bare is None else ids.get(key_of(bare), ())
    return KnownLabel(name, bare, origin, counts.get(name, 0), known)


def _bare(concept: Concept) -> Concept:
    return Concept(concept.lineage, concept.qualifier, concept.kind, concept.group)


def key_of(concept: Concept | None) -> tuple[object, ...]:
    """Returns what tells one concept from another."""
    if concept is None:
        return ()
    return (tuple(concept.lineage), concept.qualifier, concept.kind, concept.group)


def _ids_of_concepts(table: pa.Table, concepts: Sequence[Concept | None]) -> _Ids:
    """Returns the identifiers that all records of a concept agree on, where some have them."""
    columns = [table[name].to_pylist() for name in ID_COLUMNS]
    found: dict[tuple[object, ...], set[tuple[str | None, ...]]] = {}
    for concept, row in zip(concepts, zip(*columns, strict=True), strict=True):
        if concept is not None and any(row):
            found.setdefault(key_of(concept), set()).add(row)
    return {
        key: tuple((name, text) for name, text in zip(ID_COLUMNS, next(iter(rows)), strict=True) if text)
        for key, rows in found.items() if len(rows) == 1
    }  # fmt: skip


def _answered(answers: pa.Table) -> Iterable[tuple[str, Concept | None]]:
    """Yields the labels of answers, with their lineage where one was named safely."""
    safe = answers.select(["answer", "answer_level", *RANKS]).group_by(
        ["answer", "answer_level", *RANKS]
    ).aggregate([])  # fmt: skip
    known: set[str] = set()
    for row in safe.to_pylist():
        lineage = Lineage.from_names({rank: row[rank] for rank in RANKS})
        if row["answer"] is not None and row["answer_level"] == "label" and lineage:
            known.add(row["answer"])
            part = row["answer"].rpartition(" (")[2].removesuffix(")")
            is_part = row["answer"].endswith(")") and " (" in row["answer"]
            yield row["answer"], Concept(lineage, part if is_part else WHOLE)
    for name in answers["label"].unique().drop_null().to_pylist():
        if name not in known:
            yield name, None


def _add_taxa(book: dict[str, KnownLabel], counts: Mapping[str, int], ids: _Ids) -> None:
    """Adds every taxon above a label; namesakes are told apart by the names above them."""
    have = {
        tuple(one.concept.lineage)
        for one in book.values()
        if one.concept and one.concept.qualifier == WHOLE
    }
    lineages = {one.concept.lineage for one in book.values() if one.concept is not None}
    above = {lineage.truncate(rank) for lineage in lineages for rank, _ in lineage}
    for lineage in sorted(above, key=lambda one: (len(tuple(one)), tuple(one))):
        if not lineage or tuple(lineage) in have or lineage.name is None:
            continue
        name = lineage.name
        if name in book:
            name = f"{name} [{' '.join(part for _, part in tuple(lineage)[:-1]) or 'no lineage'}]"
        if name not in book:
            book[name] = _label(name, Concept(lineage), Origin.TAXON, counts, ids)


def as_table(book: LabelBook) -> pa.Table:
    """Returns the labels as a table of ``LABELS_SCHEMA``."""
    return pa.Table.from_pylist([label.as_row() for label in book.labels], schema=LABELS_SCHEMA)


def from_table(table: pa.Table) -> LabelBook:
    """Returns the labels of a table that ``as_table`` made."""
    return LabelBook(tuple(KnownLabel.from_row(row) for row in table.to_pylist()))


def unknown_in(labels: Sequence[str | None], book: LabelBook) -> tuple[str, ...]:
    """Returns the labels that the book does not have, each once."""
    return tuple(
        dict.fromkeys(one for one in labels if one is not None and one not in book.by_name)
    )
