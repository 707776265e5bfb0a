"""Words typed in the search box -> taxa, written labels and records that they may mean."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pyarrow as pa

from holotype.app.exploring.facts import Facts
from holotype.app.exploring.lineages import NO_NAME, Path
from holotype.app.exploring.record_rows import RecordRows
from holotype.app.exploring.tree import node_counts

MOST = 12
_LEAST_LETTERS = 2


class Means(StrEnum):
    """What a suggestion is."""

    TAXON = "taxon"
    LABEL = "written label"
    RECORD = "record"


@dataclass(frozen=True)
class Suggestion:
    """What some words may mean.

    Attributes:
        means: taxon, written label or record.
        text: the name, label or id.
        records: how many bear it.
        path: of a taxon, the node of the tree.
        detail: rank and what it belongs to; "" for none.
    """

    means: Means
    text: str
    records: int
    path: Path = ()
    detail: str = ""


def suggestions(
    facts: Facts, rows: RecordRows, words: str, *, most: int = MOST
) -> tuple[Suggestion, ...]:
    """Returns what some words may mean: names that begin with them first, then those that hold them.

    Case does not matter. Of ids, those that begin with the words are found.
    """
    asked = " ".join(words.split())
    if len(asked) < _LEAST_LETTERS:
        return ()
    found = [*_taxa(facts, asked.casefold()), *_labels(facts, asked.casefold())]
    found.sort(key=lambda one: (_worth(one.text, asked.casefold()), -one.records, one.text))
    ids = [
        Suggestion(Means.RECORD, one, 1) for one in rows.beginning_with(words.strip(), most=most)
    ]
    kept = found[: most - min(len(ids), 3)]
    return (*kept, *ids[: most - len(kept)])


def _worth(text: str, asked: str) -> int:
    folded = text.casefold()
    if folded == asked:
        return 0
    if folded.startswith(asked):
        return 1
    return 2 if any(word.startswith(asked) for word in folded.split()) else 3


def _taxa(facts: Facts, asked: str) -> list[Suggestion]:
    lineages = facts.lineages
    hits = [at for at, path in enumerate(lineages.nodes) if asked in path[-1][1].casefold()]
    if not hits:
        return []
    counts = node_counts(lineages, np.bincount(facts.lineage_N, minlength=len(lineages)))
    return [
        Suggestion(Means.TAXON, path[-1][1], int(counts[at]), path, _detail(path))
        for at in hits
        if (path := lineages.nodes[at])[-1][1] != NO_NAME
    ]


def _detail(path: Path) -> str:
    rank = path[-1][0]
    return f"{rank} of {path[-2][1]}" if len(path) > 1 else rank


def _labels(facts: Facts, asked: str) -> list[Suggestion]:
    coded = facts.coded["written_label"]
    hits = [
        code
        for code, value in enumerate(coded.values)
        if value is not None and asked in value.casefold()
    ]
    if not hits:
        return []
    counts = np.bincount(coded.code_N, minlength=len(coded.values))
    return [Suggestion(Means.LABEL, str(coded.values[code]), int(counts[code])) for code in hits]


def class_names(facts: Facts, rows: Sequence[int]) -> list[str]:
    """Returns what each of some records is called."""
    return [facts.lineages.labels[at] for at in facts.lineage_N[list(rows)].tolist()]


def ids_of(rows: RecordRows, chosen: Sequence[int]) -> list[str]:
    """Returns the ids of some rows."""
    found: list[str] = rows.ids.take(pa.array(chosen, pa.int64())).to_pylist()
    return found
