"""Answers -> a table like the result of BOLDigger3: one row a barcode, with identity, level, records, flags.

The taxon is the safe answer, and never below the level that the identity to the closest reference allows:
97 % species, 95 genus, 90 family, 85 order, 75 class, 50 phylum (Buchner and Leese 2020,
doi:10.3897/mbmg.4.53535). BOLDigger counts the 100 best hits of BOLD; here the nearest references of the
answer are counted, so flags 2 (under 90 % agree) and 4 (one record alone) are of these, and flags 1 and 3
(reverse BIN taxonomy, all private) stay blank.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from holotype import files
from holotype.exchange.answers.answered import (
    FAILED,
    Lineages,
    Row,
    answer_rows,
    is_failed,
    item_name,
    known_lineages,
    lineage_of,
    write_comma,
    written,
)
from holotype.exchange.answers.cells import cell
from holotype.exchange.answers.writing import Written

LEVELS: dict[str, float] = {
    "species": 97.0,
    "genus": 95.0,
    "family": 90.0,
    "order": 85.0,
    "class": 75.0,
    "phylum": 50.0,
}
"""Level -> the identity to the closest reference that it needs, per cent."""
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        *((rank, pa.string()) for rank in reversed(LEVELS)),
        ("pct_identity", pa.float64()),
        ("status", pa.string()),
        ("records", pa.int64()),
        ("records_ratio", pa.float64()),
        ("selected_level", pa.string()),
        ("BIN", pa.string()),
        ("flags", pa.string()),
    ]
)
NO_MATCH, NO_FLAGS, AGREEMENT = "no-match", "||||", 0.9
NO_BARCODE = "no barcode: there is no identity to a reference"
NOT_COUNTED = (
    "without --model the lineage of a near reference is not known: records, ratio, flags are blank"
)


@dataclass(frozen=True)
class _Hit:
    record_id: str
    identity_pct: float
    lineage: Mapping[str, str] | None


def write_boldigger(
    answers: pa.Table,
    out: Path,
    *,
    lineages: Lineages | None = None,
    bins: Mapping[str, str] | None = None,
) -> Written:
    """Writes the table: Parquet where the name ends so, else CSV for a spreadsheet.

    Args:
        answers: of barcodes.
        out: the file.
        lineages: of the labels of the references; without it, those that the answers show.
        bins: BIN by record id of the references; without it the column BIN and flag 5 are blank.
    """
    left_out: Counter[str] = Counter()
    notes: Counter[str] = Counter()
    known = known_lineages(answers) if lineages is None else lineages
    rows = []
    for row in answer_rows(answers):
        if is_failed(row):
            left_out[FAILED] += 1
        elif row["identity_pct"] is None and not row["barcode"]:
            left_out[NO_BARCODE] += 1
        else:
            rows.append(boldigger_row(row, known, bins or {}))
            notes[NOT_COUNTED] += rows[-1]["records"] is None
    if out.suffix.lower() == ".parquet":
        with files.written_whole(out) as temporary:
            pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), temporary)
    else:
        write_comma(out, SCHEMA.names, ([cell(row[n]) for n in SCHEMA.names] for row in rows))
    return written(answers, left_out, {out.name: len(rows)}, {n: c for n, c in notes.items() if c})


def boldigger_row(row: Row, lineages: Lineages, bins: Mapping[str, str]) -> dict[str, Any]:
    """Returns the row of one barcode; ``no-match`` where it is near no reference."""
    identity = row["identity_pct"]
    found: dict[str, Any] = dict.fromkeys(SCHEMA.names)
    found |= {"id": item_name(row), "pct_identity": identity, "records": 0, "flags": NO_FLAGS}
    if identity is None:
        return found | dict.fromkeys(LEVELS, NO_MATCH) | {"pct_identity": 0.0}
    level = next((rank for rank, needed in LEVELS.items() if identity >= needed), None)
    names = _cut(lineage_of(row), level) if level is not None else {}
    if level is None or not names:
        return found
    reached = list(names)[-1]
    hits = [hit for hit in _hits(row, lineages) if hit.identity_pct >= LEVELS[reached]]
    found |= {**names, "selected_level": reached, "records": None}
    if any(hit.lineage is None for hit in hits):
        return found
    named = [(h, _cut(h.lineage or {}, reached)) for h in hits if reached in (h.lineage or {})]
    same = [hit for hit, lineage in named if lineage.get(reached) == names[reached]]
    ratio = len(same) / len(named) if named else None
    of_bins = {bins[hit.record_id]: None for hit in same if hit.record_id in bins}
    many_bins = reached == "species" and len(of_bins) > 1
    flags = ["", "2" if ratio is not None and ratio < AGREEMENT else "", ""]
    flags += ["4" if len(same) == 1 else "", "5" if many_bins else ""]
    return found | {
        "records": len(same),
        "records_ratio": ratio,
        "BIN": "|".join(of_bins) if reached == "species" and of_bins else None,
        "flags": "|".join(flags),
    }


def _cut(lineage: Mapping[str, str], level: str) -> dict[str, str]:
    """Returns the names from the phylum down to a level."""
    wanted: Sequence[str] = [*takewhile(lambda rank: rank != level, reversed(LEVELS)), level]
    return {rank: lineage[rank] for rank in wanted if rank in lineage}


def _hits(row: Row, lineages: Lineages) -> list[_Hit]:
    """Returns the nearest references that are barcodes with an identity."""
    own = {row["answer"]: lineage_of(row)} if row["answer_level"] == "label" else {}
    return [
        _Hit(
            str(each.get("record_id")),
            float(each["identity_pct"]),
            lineages.get(each.get("label"), own.get(each.get("label"))),
        )
        for each in json.loads(row["nearest"] or "[]")
        if each.get("identity_pct") is not None
    ]
