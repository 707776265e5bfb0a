"""Answers -> SINTAX: query, ``k:Animalia(1.00),p:Arthropoda(0.98)``, strand, and the lineage that is safe.

Columns and letters are those of vsearch --sintax (Edgar 2016, doi:10.1101/074161). Only safe names are
written: the second column has their scores, the fourth has them again, or those above a cut-off. Blanks in
names become "_".
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa

from holotype.exchange.answers.answered import (
    FAILED,
    Row,
    answer_rows,
    is_failed,
    item_name,
    line_break,
    lineage_of,
    why_no_scores,
    write_tabbed,
    written,
)
from holotype.exchange.answers.writing import Written
from holotype.identify.columns import RANKS

LETTERS = dict(zip(RANKS, "kpcofgs", strict=True))
BREAK = "a tab or a line end in its name, which a table with tabs cannot hold"
TWICE = "an earlier answer has the same name"
_NOT_IN_NAMES = re.compile(r"[,;:()]")


def write_sintax(answers: pa.Table, out: Path, *, cutoff: float = 0.0) -> Written:
    """Writes one line for each answer; one without a safe taxon has a name and nothing else.

    Args:
        answers: of barcodes.
        out: the file.
        cutoff: the fourth column has only names of at least this score.
    """
    left_out: Counter[str] = Counter()
    rows = list(queries(answers, left_out, lambda row: _cells(row, cutoff), scored=True))
    write_tabbed(out, rows)
    return written(answers, left_out, {out.name: len(rows)})


def queries(
    answers: pa.Table,
    left_out: Counter[str],
    cells_of: Callable[[Row], list[str] | str],
    *,
    scored: bool,
) -> Iterator[list[str]]:
    """Yields name and cells of each answer; counts those that cannot be written, by reason.

    Args:
        answers: the answers.
        left_out: counts.
        cells_of: returns the cells of a row, or why there are none.
        scored: whether the format needs the scores of a classifier.
    """
    taken: set[str] = set()
    for row in answer_rows(answers):
        name = item_name(row)
        reason = why_no_scores(row) if scored else (FAILED if is_failed(row) else None)
        cells = cells_of(row)
        if reason is None and isinstance(cells, str):
            reason = cells
        if reason is None and line_break(name, *cells):
            reason = BREAK
        if reason is None and name in taken:
            reason = TWICE
        if reason is not None:
            left_out[reason] += 1
            continue
        taken.add(name)
        yield [name, *cells]


def sintax_name(name: str) -> str | None:
    """Returns a name as SINTAX writes it, None where it has a sign that SINTAX puts between names.

    >>> sintax_name("Eristalis tenax"), sintax_name("Calanus, juv.")
    ('Eristalis_tenax', None)
    """
    return None if _NOT_IN_NAMES.search(name) else name.replace(" ", "_")


def _cells(row: Row, cutoff: float) -> list[str] | str:
    names, safe = [], []
    for rank, written_name in lineage_of(row).items():
        name, score = sintax_name(written_name), row[f"score_{rank}"]
        if name is None:
            return "a name with one of , ; : ( ), which SINTAX writes between names"
        if score is None:
            return f"no score at rank {rank}"
        names.append(f"{LETTERS[rank]}:{name}({score:.2f})")
        safe += [f"{LETTERS[rank]}:{name}"] if score >= cutoff else []
    strand = (row["strand"] or "+") if names else ""
    return [",".join(names), strand, ",".join(safe)]
