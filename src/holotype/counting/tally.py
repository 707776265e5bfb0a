"""Answers and labels -> the row of a counts table that each belongs to.

At the level of safe taxa rows may lie within one another (Copepoda, Calanoida). The answers of a row are
those that stop there; the labels of a row are those within it and within no narrower row: so both add up.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa

from holotype.counting.columns import Level, Status
from holotype.identify.columns import MACHINE, RANKS, Decision
from holotype.models.labels import LabelSpace
from holotype.taxonomy.lineage import Lineage, Rank

Names = tuple[str | None, ...]
_NO_NAMES: Names = (None,) * len(RANKS)


@dataclass(frozen=True)
class Row:
    """What a row of counts is of.

    Attributes:
        taxon: its name, None for what has none.
        taxon_rank: its rank.
        status: as in the table.
        names: the seven Linnaean names above it and its own.
    """

    taxon: str | None
    taxon_rank: str | None
    status: str
    names: Names = _NO_NAMES

    @property
    def order(self) -> tuple[bool, list[str], str]:
        """Where it stands in a table: by lineage, then what is no taxon, then what has no name."""
        path = [name or "" for name in self.names]
        return self.taxon is None, path if any(path) else ["\uffff"], self.taxon or self.status


UNPLACED = Row(None, None, Status.UNPLACED.value)
FAILED = Row(None, None, Status.FAILED.value)


def answer_rows(answers: pa.Table, level: Level, labels: LabelSpace | None) -> list[Row]:
    """Returns the row of each answer.

    Args:
        answers: columns of ``ANSWER_SCHEMA``.
        level: what is counted.
        labels: the label space, where it is known: it says the ranks of labels.
    """
    of_label = {} if labels is None else dict(zip(labels.names, _label_rows(labels), strict=True))
    found = []
    for answer in _wanted(answers):
        if answer["decision"] == Decision.FAILED.value:
            found.append(FAILED)
        elif level is Level.LABEL:
            found.append(_of_label(answer, of_label))
        else:
            found.append(_of_answer(answer, level))
    return found


def _wanted(answers: pa.Table) -> Iterable[dict[str, str | None]]:
    columns = ["answer", "answer_level", *RANKS, "decision", "label", "status"]
    for batch in answers.select(columns).to_batches(max_chunksize=16_384):
        yield from batch.to_pylist()


def _of_label(answer: dict[str, str | None], of_label: dict[str, Row]) -> Row:
    label = answer["label"]
    if label is None:
        return UNPLACED
    if label in of_label:
        return of_label[label]
    is_answer = answer["answer_level"] == "label" and answer["answer"] == label
    names = tuple(answer[rank] for rank in RANKS) if is_answer else _NO_NAMES
    return Row(label, _narrowest(names)[1], answer["status"] or MACHINE, names)


def _of_answer(answer: dict[str, str | None], level: Level) -> Row:
    names: Names = tuple(answer[rank] for rank in RANKS)
    status = answer["status"] or MACHINE
    if level is Level.TAXON:
        if any(names):
            return Row(*_narrowest(names), status, names)
        if answer["answer"] is not None:
            return Row(answer["answer"], None, status)
        return UNPLACED
    return _at_rank(names, level, status)


def _at_rank(names: Names, level: Level, status: str) -> Row:
    place = RANKS.index(level.value)
    if names[place] is None:
        return UNPLACED
    cut = names[: place + 1] + (None,) * (len(RANKS) - place - 1)
    return Row(names[place], level.value, status, cut)


def label_rows(labels: LabelSpace, level: Level, found: Sequence[Row]) -> list[Row]:
    """Returns the row that each label's corrected count goes to.

    Args:
        labels: the label space.
        level: what is counted.
        found: the rows of the answers; at the level of taxa a label goes to the narrowest that holds it.
    """
    own = _label_rows(labels)
    if level is Level.LABEL:
        return own
    if level is not Level.TAXON:
        return [_at_rank(row.names, level, MACHINE) for row in own]
    by_names = {row.names: row for row in found if any(row.names)}
    by_name: dict[str | None, Row] = {
        row.taxon: row for row in found if row.taxon is not None and not any(row.names)
    }
    return [_holder(row, by_names, by_name) for row in own]


def _holder(label: Row, by_names: dict[Names, Row], by_name: dict[str | None, Row]) -> Row:
    if not any(label.names):
        return by_name.get(label.taxon, UNPLACED)
    held = set(enumerate(label.names))
    holders = [
        names
        for names in by_names
        if {(place, name) for place, name in enumerate(names) if name is not None} <= held
    ]
    if not holders:
        return UNPLACED
    return by_names[max(holders, key=lambda names: sum(name is not None for name in names))]


def _label_rows(labels: LabelSpace) -> list[Row]:
    found = []
    for label, lineage in zip(labels.labels, labels.tree.lineages, strict=True):
        names = _linnaean(lineage)
        rank = lineage.rank.value if lineage.rank is not None else None
        found.append(Row(label.name, rank, MACHINE, names))
    return found


def _linnaean(lineage: Lineage) -> Names:
    return tuple(lineage.name_at(Rank(rank)) for rank in RANKS)


def _narrowest(names: Names) -> tuple[str | None, str | None]:
    """Returns the narrowest name and its rank."""
    for rank, name in reversed(list(zip(RANKS, names, strict=True))):
        if name is not None:
            return name, rank
    return None, None
