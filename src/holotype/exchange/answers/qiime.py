"""Answers -> taxonomy of QIIME 2 (``Feature ID``, ``Taxon``, ``Confidence``), and rows as RDP has them.

QIIME 2 has ``k__Animalia; p__Arthropoda; ...`` down to the safe rank, a rank without a name as ``f__``, and
``Unassigned`` where there is none. RDP writes name, rank and confidence of each rank, with tabs between
(Wang et al. 2007, doi:10.1128/AEM.00062-07).
"""

from collections import Counter
from pathlib import Path

import pyarrow as pa

from holotype.exchange.answers.answered import Row, lineage_of, write_tabbed, written
from holotype.exchange.answers.sintax import LETTERS, queries
from holotype.exchange.answers.writing import Written
from holotype.identify.columns import RANKS

HEADER = ("Feature ID", "Taxon", "Confidence")
UNASSIGNED = "Unassigned"


def write_qiime(answers: pa.Table, out: Path) -> Written:
    """Writes one line for each answer; the confidence is of the safe answer, blank where there is none."""
    left_out: Counter[str] = Counter()
    rows = list(queries(answers, left_out, _qiime_cells, scored=False))
    write_tabbed(out, [HEADER, *rows])
    return written(answers, left_out, {out.name: len(rows)})


def qiime_taxon(lineage: dict[str, str]) -> str | None:
    """Returns a lineage as QIIME 2 writes it, None where a name has a semicolon.

    >>> qiime_taxon({"kingdom": "Animalia", "class": "Insecta"})
    'k__Animalia; p__; c__Insecta'
    """
    if any(";" in name for name in lineage.values()):
        return None
    narrowest = max((RANKS.index(rank) for rank in lineage), default=-1)
    ranks = RANKS[: narrowest + 1]
    return "; ".join(f"{LETTERS[rank]}__{lineage.get(rank, '')}" for rank in ranks)


def write_rdp(answers: pa.Table, out: Path) -> Written:
    """Writes one line for each answer: query, strand ("-" or blank), root, the safe names with scores."""
    left_out: Counter[str] = Counter()
    rows = list(queries(answers, left_out, _rdp_cells, scored=True))
    write_tabbed(out, rows)
    return written(answers, left_out, {out.name: len(rows)})


def _qiime_cells(row: Row) -> list[str] | str:
    taxon = qiime_taxon(lineage_of(row))
    if taxon is None:
        return "a name with a semicolon, which QIIME 2 writes between names"
    score = row["answer_score"] if taxon else None
    return [taxon or UNASSIGNED, "" if score is None else str(score)]


def _rdp_cells(row: Row) -> list[str] | str:
    cells = ["-" if row["strand"] == "-" else "", "Root", "rootrank", "1.0"]
    for rank, name in lineage_of(row).items():
        score = row[f"score_{rank}"]
        if score is None:
            return f"no score at rank {rank}"
        cells += [name, rank, f"{score:.2f}"]
    return cells
