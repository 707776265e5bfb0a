"""The labels that a record may be given in a review: what each means, and how to find it by a few letters.

They come from the model, from the collection, and from every taxon above one of these. A label that
nobody knows may be given too: it is written as it stands, without a lineage.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

import pyarrow as pa

from holotype.taxonomy.label_table import Concept
from holotype.taxonomy.labels import Kind
from holotype.taxonomy.lineage import Lineage


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
        also: how the collection writes it otherwise: the names of its class folders.
    """

    name: str
    concept: Concept | None
    origin: Origin
    records: int = 0
    ids: tuple[tuple[str, str], ...] = ()
    also: tuple[str, ...] = ()

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
            "also": json.dumps(self.also, ensure_ascii=False) if self.also else None,
        }

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "KnownLabel":
        """Returns the label that ``as_row`` described."""
        concept = None
        if row["lineage"] is not None:
            lineage = Lineage.from_names(json.loads(row["lineage"]))
            concept = Concept(lineage, row["qualifier"], Kind(row["kind"]), row["group"])
        ids = tuple(json.loads(row["ids"]).items()) if row["ids"] else ()
        also = tuple(json.loads(row.get("also") or "[]"))
        return cls(row["name"], concept, Origin(row["origin"]), row["records"], ids, also)

    def begins(self, typed: str) -> bool:
        """Returns whether it, or how it is written otherwise, begins with what was typed."""
        wanted = " ".join(typed.casefold().split())
        return any(name.casefold().startswith(wanted) for name in (self.name, *self.also))

    def is_called(self, name: str) -> bool:
        """Returns whether it is called so, or written so, apart from capitals."""
        return name.casefold() in {one.casefold() for one in (self.name, *self.also)}


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
        ("also", pa.string()),
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
    def _by_writing(self) -> dict[str, KnownLabel]:
        return {also: label for label in self.labels for also in label.also}

    def known(self, name: str) -> KnownLabel | None:
        """Returns the label of a name, or of the name that the collection writes for it."""
        return self.by_name.get(name) or self._by_writing.get(name)

    @cached_property
    def _folded(self) -> list[tuple[str, KnownLabel]]:
        names = [(label.name.casefold(), label) for label in self.labels]
        return names + [(also.casefold(), label) for label in self.labels for also in label.also]

    def found(self, typed: str, *, most: int = 12) -> list[KnownLabel]:
        """Returns the labels that a few letters may mean, the likeliest first.

        The exact name comes first, then names that begin so, names with a word that begins so, names
        that contain it, then near ones. A label is also found by what the collection writes for it. Without
        letters: those of the most records.
        """
        wanted = " ".join(typed.casefold().split())
        if not wanted:
            return list(self.labels[:most])
        tiers: tuple[list[KnownLabel], ...] = ([], [], [], [])
        for name, label in self._folded:
            if wanted in name:
                tiers[_tier(name, wanted)].append(label)
        found = {label.name: label for tier in tiers for label in tier}
        if len(found) < most and len(wanted) > 2:
            from rapidfuzz import fuzz, process

            near = process.extract(
                wanted, [name for name, _ in self._folded], scorer=fuzz.WRatio, score_cutoff=72,
                limit=most + len(found),
            )  # fmt: skip
            for _, _, at in near:
                found.setdefault(self._folded[at][1].name, self._folded[at][1])
        return list(found.values())[:most]


def _tier(name: str, wanted: str) -> int:
    if name == wanted:
        return 0
    if name.startswith(wanted):
        return 1
    return 2 if f" {wanted}" in name.replace("_", " ").replace("(", " ") else 3


def as_table(book: LabelBook) -> pa.Table:
    """Returns the labels as a table of ``LABELS_SCHEMA``."""
    return pa.Table.from_pylist([label.as_row() for label in book.labels], schema=LABELS_SCHEMA)


def from_table(table: pa.Table) -> LabelBook:
    """Returns the labels of a table that ``as_table`` made."""
    return LabelBook(tuple(KnownLabel.from_row(row) for row in table.to_pylist()))


def unknown_in(labels: Sequence[str | None], book: LabelBook) -> tuple[str, ...]:
    """Returns the labels that the book does not have, each once."""
    return tuple(
        dict.fromkeys(one for one in labels if one is not None and book.known(one) is None)
    )
