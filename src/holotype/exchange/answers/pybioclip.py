"""Answers -> the CSV of pybioclip: the best taxa of each picture, one row each, with their scores.

With a rank, scores of labels are summed within the taxa of that rank and the lineage goes down to it; without
one the columns are ``file_name, classification, score``, as for a list of one's own classes.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from holotype.errors import SourceError
from holotype.exchange.answers.answered import (
    Lineages,
    Row,
    answer_rows,
    best_labels,
    known_lineages,
    why_no_scores,
    write_comma,
    written,
)
from holotype.exchange.answers.best_names import CLASSES, pybioclip_columns, species_cells
from holotype.exchange.answers.cells import cell
from holotype.exchange.answers.scores import NOT_SCORED, Scores, scores_of
from holotype.exchange.answers.writing import Written
from holotype.identify.columns import RANKS
from holotype.taxonomy.lineage import Rank

OF_BEST = "scores of taxa are sums over the five best labels only"
NO_LINEAGE = "the lineage of the label is not known without --model: it is given as common_name"


def pybioclip_rows(
    answers: pa.Table,
    *,
    rank: Rank = Rank.SPECIES,
    k: int = 5,
    scores: pa.Table | None = None,
    lineages: Lineages | None = None,
) -> pa.Table:
    """Returns the ``k`` best taxa of each record at a rank, best first; none of records without scores.

    Args:
        answers: of ``ANSWER_SCHEMA``.
        rank: a Linnaean rank.
        k: how many, at least 1.
        scores: the scores of all labels, by input; without it those of the five best.
        lineages: of the labels; without it, those that the answers show. A label without one keeps blank
            ranks. At the rank of species ``common_name`` is the label, unless the species says it all.
    """
    known = known_lineages(answers) if lineages is None else lineages
    return _taxa(answers, scores_of(answers, scores), known, rank=rank, k=k)


def classification_rows(
    answers: pa.Table, *, k: int | None = None, scores: pa.Table | None = None
) -> pa.Table:
    """Returns the ``k`` best labels of each record (all that are known without it), best first."""
    return _classes(answers, scores_of(answers, scores), k)


def write_pybioclip(
    answers: pa.Table,
    out: Path,
    *,
    rank: Rank | None = Rank.SPECIES,
    k: int = 5,
    scores: pa.Table | None = None,
    lineages: Lineages | None = None,
) -> Written:
    """Writes the CSV, its text escaped for spreadsheets; labels as they are where ``rank`` is None."""
    left_out: Counter[str] = Counter()
    unknown = 0
    known = known_lineages(answers) if lineages is None else lineages
    scored = scores_of(answers, scores)
    for row in answer_rows(answers.select(["input", "decision", "status", "label"])):
        if reason := _why_not(row, scored):
            left_out[reason] += 1
        else:
            unknown += not known.get(row["label"])
    table = _taxa(answers, scored, known, rank=rank, k=k) if rank else _classes(answers, scored, k)
    columns = [table[name].to_pylist() for name in table.column_names]
    cells = ([cell(value) for value in row] for row in zip(*columns, strict=True))
    write_comma(out, table.column_names, cells)
    notes = {NO_LINEAGE: unknown} if unknown and rank is Rank.SPECIES else {}
    if scores is None and rank not in (None, Rank.SPECIES):
        notes[OF_BEST] = answers.num_rows - left_out.total()
    return written(answers, left_out, {out.name: table.num_rows}, notes)


def check_k(k: int | None) -> None:
    """Raises ``SourceError`` for fewer names than one; None is all of them."""
    if k is not None and k < 1:
        raise SourceError(f"--k {k}: ask for at least one name of each record.")


def _taxa(answers: pa.Table, scores: Scores, lineages: Lineages, *, rank: Rank, k: int) -> pa.Table:
    check_k(k)
    names = pybioclip_columns(rank)
    rows = [
        dict(zip(names, (row["input"], *taxon, score), strict=True))
        for row, best in _scored_rows(answers, scores)
        for taxon, score in _best_taxa(best, rank, lineages)[:k]
    ]
    kinds = [(name, pa.float64() if name == "score" else pa.string()) for name in names]
    return pa.Table.from_pylist(rows, schema=pa.schema(kinds))


def _classes(answers: pa.Table, scores: Scores, k: int | None) -> pa.Table:
    check_k(k)
    rows = [
        dict(zip(CLASSES, (row["input"], label, score), strict=True))
        for row, best in _scored_rows(answers, scores)
        for label, score in best[:k]
    ]
    kinds = zip(CLASSES, (pa.string(), pa.string(), pa.float64()), strict=True)
    return pa.Table.from_pylist(rows, schema=pa.schema(list(kinds)))


def _why_not(row: Row, scores: Scores) -> str | None:
    if reason := why_no_scores(row):
        return reason
    if scores.row_by_input is not None:
        return None if row["input"] in scores.row_by_input else NOT_SCORED
    return None if row["label"] else "no label was scored"


def _scored_rows(
    answers: pa.Table, scores: Scores
) -> Iterator[tuple[Row, list[tuple[str, float]]]]:
    """Yields the records that a classifier answered, each with its labels by falling score."""
    for row in answer_rows(answers):
        if _why_not(row, scores):
            continue
        if scores.row_by_input is None:
            yield row, best_labels(row)
        elif (score_L := scores.of(row)) is not None:
            order = (-score_L).argsort(kind="stable")
            yield row, [(scores.labels[at], float(score_L[at])) for at in order.tolist()]


def _best_taxa(
    best: Sequence[tuple[str, float]], rank: Rank, lineages: Lineages
) -> list[tuple[tuple[str | None, ...], float]]:
    """Returns cells and score of each taxon by falling score; at species, each label is one."""
    if rank is Rank.SPECIES:
        return [(species_cells(label, lineages.get(label, {})), s) for label, s in best]
    wanted = RANKS[: RANKS.index(rank.value) + 1]
    sums: dict[Any, float] = {}
    cells: dict[Any, tuple[str | None, ...]] = {}
    for label, score in best:
        lineage = lineages.get(label, {})
        names = tuple(lineage.get(each) for each in wanted)
        key = names if any(names) else label
        cells[key] = names
        sums[key] = sums.get(key, 0.0) + score
    return sorted(((cells[key], total) for key, total in sums.items()), key=lambda each: -each[1])
