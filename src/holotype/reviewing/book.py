"""The labels of a session, made of the model's, the collection's, and every taxon above one of these."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import pyarrow as pa

from holotype.identify.columns import RANKS
from holotype.models.labels import LabelSpace, Target, label_names
from holotype.reviewing.labels import KnownLabel, LabelBook, Origin
from holotype.taxonomy.backbone import schema as backbone
from holotype.taxonomy.label_table import Concept
from holotype.taxonomy.labels import WHOLE
from holotype.taxonomy.lineage import Lineage

ID_COLUMNS = (*backbone.ID_COLUMNS, "ecotaxa_id", "wikidata_id")
"""Columns of a collection that say what a taxon is called elsewhere."""


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
    for name, also in _written_otherwise(table["written_label"].to_pylist(), names, book).items():
        book[name] = replace(book[name], also=also)
    ordered = sorted(book.values(), key=lambda one: (-one.records, one.name.casefold(), one.name))
    return LabelBook(tuple(ordered))


def _written_otherwise(
    written: Sequence[str | None], names: Sequence[str | None], book: Mapping[str, KnownLabel]
) -> dict[str, tuple[str, ...]]:
    """Returns what the collection writes for a label: only what it writes for no other one."""
    meant: dict[str, set[str]] = {}
    for one, name in set(zip(written, names, strict=True)):
        if one is not None and name is not None and one not in book:
            meant.setdefault(one, set()).add(name)
    found: dict[str, list[str]] = {}
    for one, of in sorted(meant.items()):
        if len(of) == 1:
            found.setdefault(next(iter(of)), []).append(one)
    return {name: tuple(also) for name, also in found.items()}


_Ids = Mapping[tuple[object, ...], tuple[tuple[str, str], ...]]


def _label(
    name: str, concept: Concept | None, origin: Origin, counts: Mapping[str, int], ids: _Ids
) -> KnownLabel:
    bare = None if concept is None else _bare(concept)
    known = () if bare is None else ids.get(_key_of(bare), ())
    return KnownLabel(name, bare, origin, counts.get(name, 0), known)


def _bare(concept: Concept) -> Concept:
    return Concept(concept.lineage, concept.qualifier, concept.kind, concept.group)


def _key_of(concept: Concept | None) -> tuple[object, ...]:
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
            found.setdefault(_key_of(concept), set()).add(row)
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
